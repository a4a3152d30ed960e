//! The depth pipeline: image + camera info + radar clouds → depth, confidence, points, preview.
//!
//! How an image becomes depth: `intake` collects it with the radar clouds around its stamp,
//! `processor` decodes, draws the radar prior, runs the `model` and fuses, `encode` writes the
//! messages. Several cameras can share one model.

mod calibrations;
mod encode;
mod float_image;
mod image_message;
mod intake;
mod model;
mod network_inputs;
mod parameters;
mod processor;
mod radar_history;
mod radar_input;
mod radar_watch;
mod radars;
mod smoother;

use std::sync::{Arc, Mutex};

pub use intake::{DepthFrame, DepthIntake};
pub use model::DepthModel;
pub(in crate::pipeline) use model::session_options;
pub use processor::{DepthProcessor, RADAR_PROBLEM};
pub use radars::RadarReader;

use super::{
    Accounting, InputKind, InputTopic, OutputTopic, Pacing, ParameterError, ParameterSet, ParameterSpec,
    Pipeline, PipelineError,
};
use crate::message::{CameraInfo, Image, PointCloud2};

/// Most radars one depth node takes.
pub const MAX_RADARS: usize = 4;

/// Indices into [`DepthPipeline::OUTPUTS`].
pub mod topic {
    /// `depth/image`
    pub const IMAGE: usize = 0;
    /// `depth/camera_info`
    pub const CAMERA_INFO: usize = 1;
    /// `depth/confidence`
    pub const CONFIDENCE: usize = 2;
    /// `depth/points`
    pub const POINTS: usize = 3;
    /// `depth/preview`
    pub const PREVIEW: usize = 4;
}

/// The task of node `depth`.
pub struct DepthPipeline;

impl Pipeline for DepthPipeline {
    const NODE: &'static str = "depth";
    const PARAMETERS: &'static [ParameterSpec] = parameters::DEPTH_PARAMETERS;
    const OUTPUTS: &'static [OutputTopic] = &[
        OutputTopic::of::<Image<'_>>("depth/image", true),
        OutputTopic::of::<CameraInfo<'_>>("depth/camera_info", true),
        OutputTopic::of::<Image<'_>>("depth/confidence", true),
        OutputTopic::of::<PointCloud2<'_>>("depth/points", false),
        OutputTopic::of::<Image<'_>>("depth/preview", false),
    ];
    type Intake = DepthIntake;
    type Model = DepthModel;
    type Processor = DepthProcessor;

    fn review(parameters: &ParameterSet) -> Result<Vec<String>, ParameterError> {
        parameters::review(parameters)
    }

    fn inputs(parameters: &ParameterSet) -> Vec<InputTopic> {
        let mut topics = Vec::from(InputTopic::transforms());
        if parameters.string("image_transport") == "compressed" {
            topics.push(InputTopic::new("image/compressed", InputKind::CompressedImage));
        } else {
            topics.push(InputTopic::new("image", InputKind::Image));
        }
        topics.push(InputTopic::new("camera_info", InputKind::CameraInfo));
        let used = parameters::source_count(parameters);
        for (radar, settings) in parameters::radar_settings(parameters).into_iter().enumerate().take(used) {
            let kind = if settings.is_scan { InputKind::RadarScan(radar) } else { InputKind::Radar(radar) };
            topics.push(InputTopic::new(settings.topic, kind));
        }
        topics
    }

    fn load(parameters: &ParameterSet) -> Result<DepthModel, PipelineError> {
        parameters.review()?;
        DepthModel::load(parameters)
    }

    fn attach(
        model: &DepthModel,
        parameters: &ParameterSet,
        pacing: Pacing,
        accounting: Arc<Mutex<Accounting>>,
    ) -> Result<(DepthIntake, DepthProcessor), PipelineError> {
        let processor = DepthProcessor::new(model, parameters, Arc::clone(&accounting))?;
        let mut parameters = parameters.clone();
        if model.inputs.prior.is_none() && parameters::source_count(&parameters) > 0 {
            tracing::warn!(
                "model '{}' takes no prior: radar and LiDAR are not used, in fusion neither",
                parameters.string("model")
            );
            parameters.set("radars", super::Value::Integer(0))?;
            parameters.set("lidar_prior", super::Value::Bool(false))?;
        }
        Ok((DepthIntake::new(&parameters, pacing, accounting), processor))
    }
}
