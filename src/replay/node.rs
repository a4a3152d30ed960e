//! The nodes a replay can run, and their lanes without their types.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::ReplayError;
use super::journal::FrameNote;
use super::lane::{Feed, Lane, Yield};
use super::play_clock::PlayClock;
use super::routing::Routes;
use crate::pipeline::depth::DepthPipeline;
use crate::pipeline::detection::DetectionPipeline;
use crate::pipeline::{
    Accounting, InputKind, InputTopic, NodeParameters, OutputTopic, Pacing, ParameterSet, Pipeline,
    WantedTopics, recorded_topics,
};

/// A lane of any pipeline.
pub(super) trait AnyLane: Send {
    /// As [`Lane::describe`].
    fn describe(&self) -> Vec<(&'static str, String)>;
    /// As [`Lane::accounting`].
    fn accounting(&self) -> Arc<Mutex<Accounting>>;
    /// As [`Lane::run`].
    fn run(
        self: Box<Self>,
        number: usize,
        feed: &Receiver<Feed>,
        out: &SyncSender<(usize, Yield)>,
        clock: Option<&PlayClock>,
        turn: Option<&Mutex<()>>,
        stored: VecDeque<FrameNote>,
    ) -> Result<(), ReplayError>;
}

impl<P: Pipeline> AnyLane for Lane<P> {
    fn describe(&self) -> Vec<(&'static str, String)> {
        Self::describe(self)
    }

    fn accounting(&self) -> Arc<Mutex<Accounting>> {
        Self::accounting(self)
    }

    fn run(
        self: Box<Self>,
        number: usize,
        feed: &Receiver<Feed>,
        out: &SyncSender<(usize, Yield)>,
        clock: Option<&PlayClock>,
        turn: Option<&Mutex<()>>,
        stored: VecDeque<FrameNote>,
    ) -> Result<(), ReplayError> {
        Self::run(*self, number, feed, out, clock, turn, stored)
    }
}

type BuildLane = fn(&ParameterSet, Pacing, Option<Duration>) -> Result<Box<dyn AnyLane>, ReplayError>;

/// What is known of a node before its lane is built.
pub(super) struct Node {
    /// Node name
    pub name: &'static str,
    /// Topics it subscribes to
    pub inputs: Vec<InputTopic>,
    /// Topics it publishes
    pub outputs: &'static [OutputTopic],
    /// Those that are recorded
    pub wanted: WantedTopics,
    /// Its parameters
    pub parameters: ParameterSet,
    trigger: fn(InputKind) -> bool,
    build: BuildLane,
}

impl Node {
    /// Both nodes.
    pub fn all(parameters: &NodeParameters) -> [Self; 2] {
        [
            Self::new::<DepthPipeline>(&parameters.depth, |kind| {
                matches!(kind, InputKind::Image | InputKind::CompressedImage)
            }),
            Self::new::<DetectionPipeline>(&parameters.detection, |kind| kind == InputKind::Lidar),
        ]
    }

    fn new<P: Pipeline>(parameters: &ParameterSet, trigger: fn(InputKind) -> bool) -> Self {
        Self {
            name: P::NODE,
            inputs: P::inputs(parameters),
            outputs: P::OUTPUTS,
            wanted: recorded_topics::<P>(parameters),
            parameters: parameters.clone(),
            trigger,
            build: |parameters, pacing, budget| Ok(Box::new(Lane::<P>::new(parameters, pacing, budget)?)),
        }
    }

    /// Inputs each message of which is to give a result.
    pub fn triggers(&self) -> impl Iterator<Item = &InputTopic> {
        self.inputs.iter().filter(|input| (self.trigger)(input.kind))
    }

    /// Whether a bag with `routes` has any of them.
    pub fn is_triggered_by(&self, routes: &Routes) -> bool {
        self.triggers().any(|input| routes.feeds(input.kind))
    }

    /// Loads the model. Frames that take longer than `budget` are counted.
    pub fn build(&self, pacing: Pacing, budget: Option<Duration>) -> Result<Box<dyn AnyLane>, ReplayError> {
        (self.build)(&self.parameters, pacing, budget)
    }
}
