//! What depends on the network between a sweep's points and its boxes: inputs, run, decoding. One variant
//! a file; [`DetectionInterface`] in the manifest chooses it.

mod autoware;
mod bev;
mod pillar_input;
mod pillars;
mod pointpillars;

use autoware::AutowareNetwork;
use bev::BevNetwork;
use pillars::PillarNetwork;
use pointpillars::PointPillarsNetwork;

use crate::detection::{
    ClassTable, DecodeConfig, Detection3d, MAX_CANDIDATES, SuppressionStep, suppress_boxes,
};
use crate::inference::{
    DetectionInterface, DetectionSettings, InferenceError, Manifest, ModelFolder, ModelSession,
    SessionOptions, SuppressionRule,
};
use crate::pipeline::FrameError;
use crate::sensor::LidarPoint;

/// Why a model folder does not make a network.
#[derive(Debug, thiserror::Error)]
pub(super) enum NetworkError {
    /// The folder, its files or ONNX Runtime
    #[error(transparent)]
    Inference(#[from] InferenceError),
    /// Expected and found of an interface that does not fit
    #[error("{0}")]
    Interface(String),
}

/// What a network is made from.
pub(super) struct NetworkSource<'a> {
    pub folder: &'a ModelFolder,
    pub settings: &'a DetectionSettings,
    pub classes: &'a ClassTable,
    pub options: &'a SessionOptions,
}

impl NetworkSource<'_> {
    /// What the folder promises.
    fn manifest(&self) -> &Manifest {
        &self.folder.manifest
    }
}

/// What a sweep is held to before it reaches the network.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SweepLimits {
    /// Most pillars; `None` is what the model allows. A network on a dense grid has no such limit.
    pub max_pillars: Option<usize>,
    /// Whether pillars that hold ground alone are seen as well; a network that has no such choice ignores it.
    pub keeps_ground: bool,
}

/// What became of a sweep's points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SweepCounts {
    /// Pillars beyond the limit, the farthest, which the network did not see
    pub dropped_pillars: usize,
}

/// What the decoding keeps.
#[derive(Clone, Copy, Debug)]
pub(super) struct DecodeLimits {
    /// Lowest score, 0..1
    pub score_threshold: f32,
    /// Most detections
    pub max_detections: usize,
}

/// A loaded network with its way in and its way out.
pub(super) enum Network {
    /// Five channels of a bird's-eye view to centre heads.
    Bev(Box<BevNetwork>),
    /// Statistics of active pillars to centre heads.
    Pillars(Box<PillarNetwork>),
    /// Two files with a scatter between them.
    Autoware(Box<AutowareNetwork>),
    /// Pillars to anchors.
    PointPillars(Box<PointPillarsNetwork>),
}

impl Network {
    /// Loads the network that the folder's manifest describes and checks its interface.
    pub fn load(source: &NetworkSource<'_>) -> Result<Self, NetworkError> {
        match source.settings.interface {
            DetectionInterface::Bev => BevNetwork::load(source).map(Box::new).map(Self::Bev),
            DetectionInterface::PillarStatistics => {
                PillarNetwork::load(source).map(Box::new).map(Self::Pillars)
            }
            DetectionInterface::AutowareCenterpoint => {
                AutowareNetwork::load(source).map(Box::new).map(Self::Autoware)
            }
            DetectionInterface::Pointpillars => {
                PointPillarsNetwork::load(source).map(Box::new).map(Self::PointPillars)
            }
        }
    }

    /// Fills the inputs from the points of one sweep.
    pub fn prepare(
        &mut self,
        points: impl IntoIterator<Item = LidarPoint>,
        limits: SweepLimits,
    ) -> Result<SweepCounts, FrameError> {
        match self {
            Self::Bev(network) => network.prepare(points),
            Self::Pillars(network) => network.prepare(points, limits),
            Self::Autoware(network) => network.prepare(points, limits),
            Self::PointPillars(network) => network.prepare(points, limits),
        }
    }

    /// Runs the model on what was prepared.
    pub fn run(&mut self) -> Result<(), FrameError> {
        match self {
            Self::Bev(network) => network.run(),
            Self::Pillars(network) => network.run(),
            Self::Autoware(network) => network.run(),
            Self::PointPillars(network) => network.run(),
        }
    }

    /// Decodes what the run gave into `detections` (cleared first), in the frame of the cloud, by descending
    /// score.
    pub fn decode(
        &mut self,
        limits: DecodeLimits,
        detections: &mut Vec<Detection3d>,
    ) -> Result<(), FrameError> {
        match self {
            Self::Bev(network) => network.decode(limits, detections),
            Self::Pillars(network) => network.decode(limits, detections),
            Self::Autoware(network) => network.decode(limits, detections),
            Self::PointPillars(network) => network.decode(limits, detections),
        }
    }

    /// Whether it takes pillars, whose number [`SweepLimits`] can bound.
    pub const fn takes_pillars(&self) -> bool {
        !matches!(self, Self::Bev(_))
    }

    /// The session that gives the boxes, for its precision and provider.
    pub fn session(&self) -> &ModelSession {
        match self {
            Self::Bev(network) => network.session(),
            Self::Pillars(network) => network.session(),
            Self::Autoware(network) => network.session(),
            Self::PointPillars(network) => network.session(),
        }
    }

    /// Share of the grid's cells that the last sweep had points in, 0..1.
    pub fn active_share(&self) -> f64 {
        match self {
            Self::Bev(network) => network.active_share(),
            Self::Pillars(network) => network.active_share(),
            Self::Autoware(network) => network.active_share(),
            Self::PointPillars(network) => network.active_share(),
        }
    }
}

/// How boxes of centre heads are thinned out, as the manifest asks for it.
struct CenterSuppression {
    /// Of each class, what the decoder applies before it computes boxes
    radius_m: Vec<f32>,
    /// Passes over the boxes
    steps: Vec<SuppressionStep>,
}

impl CenterSuppression {
    /// Where the distance in a class is the only rule, the decoder applies it.
    fn of(source: &NetworkSource<'_>) -> Self {
        match suppression_steps(source.settings).as_slice() {
            [SuppressionStep::ClassDistance { radius_m }] => {
                Self { radius_m: radius_m.clone(), steps: Vec::new() }
            }
            steps => Self { radius_m: vec![0.0; source.classes.len()], steps: steps.to_vec() },
        }
    }

    /// What the decoder is to keep.
    fn config(&self, limits: DecodeLimits) -> DecodeConfig<'_> {
        DecodeConfig {
            score_threshold: limits.score_threshold,
            max_detections: if self.steps.is_empty() { limits.max_detections } else { MAX_CANDIDATES },
            suppression_radius_m: &self.radius_m,
        }
    }

    /// The passes over what the decoder gave.
    fn finish(&self, limits: DecodeLimits, detections: &mut Vec<Detection3d>) {
        suppress_boxes(detections, &self.steps, limits.max_detections);
    }
}

/// The passes over the boxes that the manifest asks for.
fn suppression_steps(settings: &DetectionSettings) -> Vec<SuppressionStep> {
    let step = |rule| match rule {
        SuppressionRule::Circle { radius_m } => SuppressionStep::Circle { radius_m },
        SuppressionRule::Iou { threshold, across_classes } => {
            SuppressionStep::Iou { threshold, across_classes }
        }
        SuppressionRule::ClassDistance {} => {
            SuppressionStep::ClassDistance { radius_m: settings.suppression_radius.clone() }
        }
    };
    settings.suppression_rules().into_iter().map(step).collect()
}

#[cfg(test)]
mod tests;
