//! The detection pipeline: LiDAR sweep → oriented boxes and markers.

mod history;
mod intake;
mod model;
mod motion;
mod network;
mod parameters;
mod processor;

use std::sync::{Arc, Mutex};

pub use history::EarlierSweep;
pub use intake::{DetectionFrame, DetectionIntake};
pub use model::DetectionModel;
pub use processor::DetectionProcessor;

use super::{
    Accounting, InputKind, InputTopic, OutputTopic, Pacing, ParameterError, ParameterSet, ParameterSpec,
    Pipeline, PipelineError, rules,
};
use crate::message::{Detection3DArray, MarkerArray};

/// Indices into [`DetectionPipeline::OUTPUTS`].
pub mod topic {
    /// `detections`
    pub const DETECTIONS: usize = 0;
    /// `detections/markers`
    pub const MARKERS: usize = 1;
}

/// The task of node `detection`.
pub struct DetectionPipeline;

impl Pipeline for DetectionPipeline {
    const NODE: &'static str = "detection";
    const PARAMETERS: &'static [ParameterSpec] = parameters::DETECTION_PARAMETERS;
    const OUTPUTS: &'static [OutputTopic] = &[
        OutputTopic::of::<Detection3DArray<'_>>("detections", true),
        OutputTopic::of::<MarkerArray<'_>>("detections/markers", true),
    ];
    type Intake = DetectionIntake;
    type Model = DetectionModel;
    type Processor = DetectionProcessor;

    fn review(parameters: &ParameterSet) -> Result<Vec<String>, ParameterError> {
        parameters::review(parameters)
    }

    fn inputs(_parameters: &ParameterSet) -> Vec<InputTopic> {
        let mut topics = Vec::from(InputTopic::transforms());
        topics.push(InputTopic::new("lidar/points", InputKind::Lidar));
        topics
    }

    fn load(parameters: &ParameterSet) -> Result<DetectionModel, PipelineError> {
        parameters.review()?;
        DetectionModel::load(parameters)
    }

    fn attach(
        model: &DetectionModel,
        parameters: &ParameterSet,
        pacing: Pacing,
        accounting: Arc<Mutex<Accounting>>,
    ) -> Result<(DetectionIntake, DetectionProcessor), PipelineError> {
        if parameters.integer("max_pillars") > 0 && !model.network.takes_pillars() {
            let why = "the model takes a grid, not pillars";
            tracing::warn!("{}", rules::no_effect(parameters, "max_pillars", why));
        }
        let processor = DetectionProcessor::new(parameters, Arc::clone(&accounting))?;
        Ok((DetectionIntake::new(parameters, pacing, accounting), processor))
    }
}
