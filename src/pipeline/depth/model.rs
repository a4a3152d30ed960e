//! The depth model: its session and what its manifest says, checked against what the pipeline needs. It
//! knows no camera.

use super::network_inputs::{NetworkInputs, PriorInput, divisor, expect_planes};
use crate::depth::{
    DepthColours, DepthRange, Fusion, Normalisation, Plane, RadarInfluence, radar_agreement, radar_moved,
};
use crate::inference::{
    FusionRule, ModelFolder, ModelKind, ModelSession, Provider, SessionOptions, TensorSpec, load_library,
};
use crate::pipeline::depth::DepthPipeline;
use crate::pipeline::{Model, ParameterSet, Pipeline, PipelineError};

/// Depth at the far end of the preview's colours, metres, unless the model ends nearer.
const PREVIEW_MAX_M: f32 = 40.0;

/// A loaded depth model. Cameras take turns with it.
pub struct DepthModel {
    pub(super) session: ModelSession,
    library: String,
    pub(super) name: String,
    pub(super) normalisation: Normalisation,
    pub(super) inputs: NetworkInputs,
    pub(super) range: DepthRange,
    pub(super) fusion: Fusion,
    pub(super) colours: DepthColours,
    /// Width and height of the network's tensors
    pub(super) network: (usize, usize),
    /// Columns of the depth of the image alone, if the model tells that
    pub(super) first_look: Option<usize>,
    /// The prior of the frame at work; empty if the network takes none
    pub(super) prior_m: Vec<f32>,
    /// Metres, network size: the depth of the frame at work
    pub(super) fused_m: Vec<f32>,
}

impl DepthModel {
    /// Loads the model that `parameters` name and checks that it is one for depth.
    pub fn load(parameters: &ParameterSet) -> Result<Self, PipelineError> {
        let library = load_library(None)?;
        let folder = ModelFolder::find(parameters.string("model"))?;
        let name = folder.name();
        let refuse =
            |reason: String| PipelineError::Model { model: folder.name(), node: DepthPipeline::NODE, reason };
        let manifest = &folder.manifest;
        let settings = match (manifest.kind, manifest.depth_settings()) {
            (ModelKind::Depth, Some(settings)) => settings.clone(),
            _ => return Err(refuse("expected a model of kind 'depth' with a depth section".into())),
        };
        let depth_shape = manifest.output("depth").and_then(TensorSpec::fixed_sizes);
        let network = plane(depth_shape.as_deref())
            .ok_or_else(|| refuse(format!("expected output depth [1,1,H,W], found {depth_shape:?}")))?;
        let inputs = NetworkInputs::of(manifest, network).map_err(refuse)?;
        let confidence =
            manifest.output("confidence").ok_or_else(|| refuse("expected an output confidence".into()))?;
        expect_planes(confidence, 1, network).map_err(refuse)?;
        let first_look = manifest
            .output("first_look")
            .map(|tensor| divisor(tensor, 1, network).map(|(width, _)| width))
            .transpose()
            .map_err(refuse)?;
        if let Some(tensor) = manifest.output("radar_match").filter(|tensor| tensor.len_with(0) != 1) {
            return Err(refuse(format!("expected output radar_match [1,1], found {:?}", tensor.shape)));
        }
        let fusion = match (settings.fusion, inputs.prior) {
            (FusionRule::None, _) => Fusion::None,
            (FusionRule::PriorMean, Some(PriorInput::Footprints { .. })) => {
                return Err(refuse("fusion prior_mean: expected a prior of discs, found footprints".into()));
            }
            (FusionRule::PriorMean, _) => Fusion::PriorMean,
        };
        let colours = DepthColours::new(settings.min_m.max(0.3), settings.max_m.min(PREVIEW_MAX_M))
            .map_err(|error| refuse(error.to_string()))?;
        let session = ModelSession::open(&folder, &session_options(parameters))?;
        let pixels = network.0 * network.1;
        Ok(Self {
            library: library.version.clone(),
            normalisation: Normalisation::new(settings.mean, settings.std)
                .map_err(|error| refuse(error.to_string()))?,
            range: DepthRange { min_m: settings.min_m, max_m: settings.max_m, saturates: false },
            fusion,
            colours,
            network,
            session,
            prior_m: vec![0.0; inputs.prior.map_or(0, |prior| prior.len(network))],
            inputs,
            first_look,
            fused_m: vec![0.0; pixels],
            name,
        })
    }

    /// What the radar did to the frame that was fused, of whose returns `drawn` are in the prior.
    pub(super) fn radar_influence(&self, drawn: usize, persistence: Option<f32>) -> RadarInfluence {
        let depth = Plane { values: &self.fused_m, width: self.network.0 };
        let returns = u32::try_from(drawn).unwrap_or(u32::MAX);
        let agreement = self.inputs.prior.and_then(|prior| {
            let (width, _) = prior.size(self.network);
            let (values, weights) = match prior {
                PriorInput::Discs(_) => (&*self.prior_m, None),
                PriorInput::Footprints { .. } => {
                    let (values, weights) = self.prior_m.split_at(self.prior_m.len() / 2);
                    (values, Some(weights))
                }
            };
            radar_agreement(Plane { values, width }, weights, depth)
        });
        let moved = self.first_look.and_then(|width| {
            let values = self.session.output("first_look").1;
            radar_moved(Plane { values, width }, depth, (self.range.min_m, self.range.max_m))
        });
        let matching = self.session.output("radar_match").1.first().copied();
        let matching = matching.filter(|value| drawn > 0 && value.is_finite());
        RadarInfluence { returns, agreement, moved, matching, persistence }
    }

    /// Why this model cannot serve.
    pub(super) fn refuse(&self, reason: String) -> PipelineError {
        PipelineError::Model { model: self.name.clone(), node: DepthPipeline::NODE, reason }
    }
}

impl Model for DepthModel {
    fn describe(&self) -> Vec<(&'static str, String)> {
        vec![
            ("model", self.name.clone()),
            ("precision", self.session.precision().to_string()),
            ("provider", self.session.provider().to_string()),
            ("onnxruntime", self.library.clone()),
        ]
    }
}

/// Session options from a node's parameters; the constraints admit only names that parse.
pub(in crate::pipeline) fn session_options(parameters: &ParameterSet) -> SessionOptions {
    SessionOptions {
        provider: parameters.string("provider").parse().unwrap_or(Provider::Cpu),
        precision: parameters.string("precision").parse().ok(),
        threads: usize::try_from(parameters.integer("threads")).unwrap_or(1),
    }
}

/// Width and height of a `[1, 1, H, W]` tensor.
pub(super) fn plane(shape: Option<&[usize]>) -> Option<(usize, usize)> {
    match shape {
        Some([1, 1, height, width]) if *height > 0 && *width > 0 => Some((*width, *height)),
        _ => None,
    }
}
