//! The shape that both pipelines share, so that a node's worker and replay are written once.

use std::sync::{Arc, Mutex};

use super::{
    Accounting, FrameError, InputTopic, OutputMessage, OutputTopic, ParameterSet, ParameterSpec,
    PipelineError, SensorInput, WantedTopics,
};
use crate::message::Stamp;

/// Whether old frames give way to new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pacing {
    /// A slow model drops old frames, never grows a queue, and counts them.
    KeepLatest,
    /// Every frame is processed; the feeder waits.
    Lockstep,
}

/// Collects messages into frames. Cheap; explicit time.
pub trait Intake: Send {
    /// What the processor works on.
    type Frame: Send;

    /// Takes a message at time `now`. What it drops is counted in the shared accounting.
    fn offer(&mut self, input: SensorInput, now: Stamp);

    /// The next complete frame, if there is one.
    fn poll(&mut self, now: Stamp) -> Option<Self::Frame>;

    /// A waiting frame with what it has, at the end of the input; `None` when all are out.
    fn flush(&mut self) -> Option<Self::Frame>;

    /// Counts all waiting frames as dropped by the shutdown.
    fn abandon(&mut self);
}

/// Turns a frame into encoded messages. Owns the model.
pub trait Processor: Send {
    /// What the intake hands over.
    type Frame: Send;

    /// Stamp of the message that triggered `frame`.
    fn stamp(frame: &Self::Frame) -> Stamp;

    /// Computes the wanted topics of `frame` and hands each encoded message to `sink`, in the order of
    /// the output topics. On an error nothing of the frame has been handed out.
    fn process(
        &mut self,
        frame: &Self::Frame,
        wanted: WantedTopics,
        sink: &mut dyn FnMut(OutputMessage<'_>),
    ) -> Result<(), FrameError>;

    /// Takes changed live parameters over; others keep the value they had at start.
    fn update(&mut self, parameters: &ParameterSet);

    /// Facts for diagnostics and `run.json`: model, precision, provider, library.
    fn describe(&self) -> Vec<(&'static str, String)>;
}

/// One of the suite's tasks.
pub trait Pipeline: 'static {
    /// Node name: `depth` or `detection`.
    const NODE: &'static str;
    /// Parameters it declares.
    const PARAMETERS: &'static [ParameterSpec];
    /// Topics it publishes.
    const OUTPUTS: &'static [OutputTopic];
    /// Its cheap half.
    type Intake: Intake<Frame = <Self::Processor as Processor>::Frame> + 'static;
    /// Its model half.
    type Processor: Processor + 'static;

    /// Topics it subscribes to under `parameters`.
    fn inputs(parameters: &ParameterSet) -> Vec<InputTopic>;

    /// Builds both halves; loads and checks the model.
    fn build(
        parameters: &ParameterSet,
        pacing: Pacing,
        accounting: Arc<Mutex<Accounting>>,
    ) -> Result<(Self::Intake, Self::Processor), PipelineError>;
}
