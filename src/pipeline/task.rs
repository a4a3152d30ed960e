//! The shape that both pipelines share, so that a node's worker and replay are written once.

use std::sync::{Arc, Mutex};

use super::{
    Accounting, FrameError, InputTopic, OutputMessage, OutputTopic, ParameterError, ParameterSet,
    ParameterSpec, PipelineError, SensorInput, WantedTopics,
};
use crate::depth::RadarInfluence;
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

    /// Whether anything waits that [`Self::poll`] may hand out without a further message, when time has
    /// gone on.
    fn is_waiting(&self) -> bool;

    /// Takes changed live parameters over at once; others keep the value they had at start. What waits
    /// goes on waiting, under the new rules.
    fn update(&mut self, parameters: &ParameterSet);

    /// A waiting frame with what it has, at the end of the input; `None` when all are out.
    fn flush(&mut self) -> Option<Self::Frame>;

    /// Counts all waiting frames as dropped by the shutdown.
    fn abandon(&mut self);
}

/// A loaded model. One thread owns it; several streams of frames can share it.
pub trait Model: Send {
    /// Facts for diagnostics and `run.json`: model, precision, provider, library.
    fn describe(&self) -> Vec<(&'static str, String)>;

    /// Share of the grid's cells that the last frame had points in, 0 to 1; `None` for a model without a grid.
    fn active_share(&self) -> Option<f64> {
        None
    }
}

/// Turns the frames of one camera or LiDAR into encoded messages: all that belongs to that sensor rather
/// than to the model.
pub trait Processor: Send {
    /// What the intake hands over.
    type Frame: Send;
    /// What computes.
    type Model: Model;

    /// Stamp of the message that triggered `frame`.
    fn stamp(frame: &Self::Frame) -> Stamp;

    /// Computes the wanted topics of `frame` and hands each encoded message to `sink`, in the order of
    /// the output topics. On an error nothing of the frame has been handed out.
    fn process(
        &mut self,
        model: &mut Self::Model,
        frame: &Self::Frame,
        wanted: WantedTopics,
        sink: &mut dyn FnMut(OutputMessage<'_>),
    ) -> Result<(), FrameError>;

    /// Leaves behind what [`Self::process`] would, counts and state, for a `frame` whose outputs are known
    /// from an earlier run, with what the radar did to them. The model is not needed, and no stage is timed.
    fn skip(&mut self, frame: &Self::Frame, radar: Option<RadarInfluence>);

    /// Whether the outputs of a frame depend on those before, so that none can be skipped.
    fn remembers(&self) -> bool {
        false
    }

    /// Takes changed live parameters over; others keep the value they had at start.
    fn update(&mut self, parameters: &ParameterSet);
}

/// The parameters that decide which model runs and how. Nodes that agree in them can share one.
pub const MODEL_PARAMETERS: [&str; 4] = ["model", "precision", "provider", "threads"];

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
    /// Its model.
    type Model: Model + 'static;
    /// What turns one sensor's frames into messages with that model.
    type Processor: Processor<Model = Self::Model> + 'static;

    /// Looks at all parameters together, each of which is valid by itself. Gives a sentence for each that
    /// has no effect beside the others; an error for values that contradict each other.
    fn review(parameters: &ParameterSet) -> Result<Vec<String>, ParameterError>;

    /// Topics it subscribes to under `parameters`.
    fn inputs(parameters: &ParameterSet) -> Vec<InputTopic>;

    /// Loads and checks the model that [`MODEL_PARAMETERS`] name.
    fn load(parameters: &ParameterSet) -> Result<Self::Model, PipelineError>;

    /// An intake and a processor for one more stream of frames.
    fn attach(
        model: &Self::Model,
        parameters: &ParameterSet,
        pacing: Pacing,
        accounting: Arc<Mutex<Accounting>>,
    ) -> Result<(Self::Intake, Self::Processor), PipelineError>;
}

/// The topics that replay records under `parameters`.
pub fn recorded_topics<P: Pipeline>(parameters: &ParameterSet) -> WantedTopics {
    let all = parameters.string("record") == "all";
    let recorded = P::OUTPUTS.iter().enumerate().filter(|(_, topic)| all || topic.recorded);
    recorded.fold(WantedTopics::NONE, |wanted, (index, _)| wanted.with(index))
}
