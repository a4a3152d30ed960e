//! One depth frame: decode, draw the radar prior, run the model, fuse, encode.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::encode::{DepthEncoder, DepthResult};
use super::intake::{DepthFrame, ImageMessage};
use super::radars::RadarReader;
use super::{DepthPipeline, topic};
use crate::depth::{
    DepthColours, DepthRange, Fusion, Normalisation, PriorConfig, Resizer, Upsampler, draw_prior, fuse,
};
use crate::geometry::CameraModel;
use crate::inference::{FusionRule, ModelFolder, ModelKind, ModelSession, SessionOptions, load_library};
use crate::message::Stamp;
use crate::pipeline::{
    Accounting, FrameError, OutputMessage, ParameterSet, Pipeline, PipelineError, Processor, WantedTopics,
};
use crate::sensor::{DecodedImage, ImageView, decode_compressed};
use crate::sync::DropReason;

/// Depth at the far end of the preview's colours, metres, unless the model ends nearer.
const PREVIEW_MAX_M: f32 = 40.0;

/// Sizes that follow from one camera; rebuilt when its calibration or image size changes.
struct CameraTables {
    camera: CameraModel,
    network_camera: CameraModel,
    upsampler: Upsampler,
}

/// Processor of the depth pipeline.
pub struct DepthProcessor {
    session: ModelSession,
    library: String,
    model: String,
    normalisation: Normalisation,
    resizer: Resizer,
    prior: PriorConfig,
    range: DepthRange,
    fusion: Fusion,
    /// Width and height of the network's tensors
    network: (usize, usize),
    takes_image: bool,
    takes_prior: bool,
    radars: RadarReader,
    tables: Option<CameraTables>,
    decoded: DecodedImage,
    prior_m: Vec<f32>,
    fused_m: Vec<f32>,
    depth_m: Vec<f32>,
    confidence: Vec<f32>,
    encoder: DepthEncoder,
    accounting: Arc<Mutex<Accounting>>,
}

impl DepthProcessor {
    /// Loads the model that `parameters` name and checks that it is one for depth.
    pub fn new(parameters: &ParameterSet, accounting: Arc<Mutex<Accounting>>) -> Result<Self, PipelineError> {
        let library = load_library(None)?;
        let folder = ModelFolder::find(parameters.string("model"))?;
        let model = folder.name();
        let refuse =
            |reason: String| PipelineError::Model { model: folder.name(), node: DepthPipeline::NODE, reason };
        let manifest = &folder.manifest;
        let settings = match (manifest.kind, manifest.depth_settings()) {
            (ModelKind::Depth, Some(settings)) => settings.clone(),
            _ => return Err(refuse("expected a model of kind 'depth' with a depth section".into())),
        };
        for input in &manifest.inputs {
            if !matches!(input.role.as_str(), "image" | "prior") {
                return Err(refuse(format!("expected inputs image and prior, found '{}'", input.role)));
            }
        }
        let depth_shape = manifest.output("depth").map(|tensor| tensor.shape.clone());
        let network = plane(depth_shape.as_deref())
            .ok_or_else(|| refuse(format!("expected output depth [1,1,H,W], found {depth_shape:?}")))?;
        for (tensor, name, channels) in [
            (manifest.input("prior"), "prior", 1),
            (manifest.input("image"), "image", 3),
            (manifest.output("confidence"), "confidence", 1),
        ] {
            let expected = [1, channels, network.1, network.0];
            let found = match tensor {
                Some(tensor) if tensor.shape == expected => continue,
                Some(tensor) => format!("{:?}", tensor.shape),
                None if name == "confidence" => "none".to_owned(),
                None => continue,
            };
            return Err(refuse(format!("expected {name} {expected:?} beside depth, found {found}")));
        }
        let colours = DepthColours::new(settings.min_m.max(0.3), settings.max_m.min(PREVIEW_MAX_M))
            .map_err(|error| refuse(error.to_string()))?;
        let session = ModelSession::open(&folder, &session_options(parameters))?;
        let pixels = network.0 * network.1;
        Ok(Self {
            library: library.version.clone(),
            normalisation: Normalisation::new(settings.mean, settings.std)
                .map_err(|error| refuse(error.to_string()))?,
            resizer: Resizer::new(network.0, network.1).map_err(|error| refuse(error.to_string()))?,
            prior: PriorConfig::new(settings.min_m, settings.max_m),
            range: DepthRange { min_m: settings.min_m, max_m: settings.max_m, saturates: false },
            fusion: match settings.fusion {
                FusionRule::None => Fusion::None,
                FusionRule::PriorMean => Fusion::PriorMean,
            },
            network,
            takes_image: session.has_input("image"),
            takes_prior: session.has_input("prior"),
            session,
            radars: RadarReader::new(parameters, Arc::clone(&accounting)),
            tables: None,
            decoded: DecodedImage::default(),
            prior_m: vec![0.0; pixels],
            fused_m: vec![0.0; pixels],
            depth_m: Vec::new(),
            confidence: Vec::new(),
            encoder: DepthEncoder::new(parameters, colours),
            accounting,
            model,
        })
    }

    /// Whether the model looks at the radar at all.
    pub fn uses_prior(&self) -> bool {
        self.takes_prior
    }
}

/// Session options from a node's parameters; the constraints admit only names that parse.
pub(in crate::pipeline) fn session_options(parameters: &ParameterSet) -> SessionOptions {
    SessionOptions {
        provider: parameters.string("provider").parse().unwrap_or(crate::inference::Provider::Cpu),
        precision: parameters.string("precision").parse().ok(),
        threads: usize::try_from(parameters.integer("threads")).unwrap_or(1),
    }
}

/// Width and height of a `[1, 1, H, W]` tensor.
fn plane(shape: Option<&[usize]>) -> Option<(usize, usize)> {
    match shape {
        Some([1, 1, height, width]) if *height > 0 && *width > 0 => Some((*width, *height)),
        _ => None,
    }
}

impl Processor for DepthProcessor {
    type Frame = DepthFrame;

    fn stamp(frame: &DepthFrame) -> Stamp {
        frame.stamp
    }

    fn process(
        &mut self,
        frame: &DepthFrame,
        wanted: WantedTopics,
        sink: &mut dyn FnMut(OutputMessage<'_>),
    ) -> Result<(), FrameError> {
        let start = Instant::now();
        let raw = frame.image.raw().transpose().map_err(FrameError::undecodable)?;
        if let ImageMessage::Compressed(message) = &frame.image {
            let message = message.compressed_image().map_err(FrameError::undecodable)?;
            decode_compressed(&message, &mut self.decoded).map_err(FrameError::undecodable)?;
        }
        let view = match &raw {
            Some(image) => ImageView::new_color(image).map_err(FrameError::undecodable)?,
            None => self.decoded.view().map_err(FrameError::undecodable)?,
        };
        let size = (view.width() as usize, view.height() as usize);
        let camera = &frame.calibration.camera;
        if (camera.width as usize, camera.height as usize) != size {
            return Err(FrameError {
                reason: DropReason::CameraInfoMismatch,
                detail: format!(
                    "expected a camera info for a {}×{} image, found one for {}×{}",
                    size.0, size.1, camera.width, camera.height
                ),
            });
        }
        let decoded = Instant::now();

        if self.tables.as_ref().is_none_or(|tables| tables.camera != *camera) {
            self.tables = Some(CameraTables {
                camera: camera.clone(),
                network_camera: camera.scaled(self.network.0 as u32, self.network.1 as u32),
                upsampler: Upsampler::new(self.network, size).map_err(FrameError::inference)?,
            });
        }
        if self.takes_image {
            let tensor = self.session.input_mut("image");
            self.resizer
                .image_to_tensor(&view, &self.normalisation, tensor)
                .map_err(FrameError::inference)?;
        }
        self.radars.collect(frame);
        let Some(tables) = &mut self.tables else {
            return Err(FrameError::inference("no tables for this camera"));
        };
        if self.takes_prior {
            draw_prior(
                self.radars.returns_camera().iter().copied(),
                &tables.network_camera,
                &self.prior,
                &mut self.prior_m,
            )
            .map_err(FrameError::inference)?;
            self.session.input_mut("prior").copy_from_slice(&self.prior_m);
        }
        let prepared = Instant::now();

        self.session.run().map_err(FrameError::inference)?;
        let inferred = Instant::now();

        let (_, network_m) = self.session.output("depth");
        let (_, network_confidence) = self.session.output("confidence");
        fuse(self.fusion, network_m, Some(network_confidence), &self.prior_m, &mut self.fused_m)
            .map_err(FrameError::inference)?;
        self.depth_m.resize(size.0 * size.1, f32::NAN);
        self.confidence.resize(size.0 * size.1, 0.0);
        let stats = tables
            .upsampler
            .depth(&self.fused_m, &self.range, &mut self.depth_m)
            .map_err(FrameError::inference)?;
        if stats.network_non_finite > 0 {
            return Err(FrameError::inference(format!(
                "model '{}' gave {} depths that are not finite",
                self.model, stats.network_non_finite
            )));
        }
        if wanted.has(topic::CONFIDENCE) {
            tables
                .upsampler
                .confidence(network_confidence, &self.depth_m, &mut self.confidence)
                .map_err(FrameError::inference)?;
        }
        let fused = Instant::now();

        let mut result = DepthResult {
            depth_m: &self.depth_m,
            confidence: &self.confidence,
            returns_camera: self.radars.returns_camera(),
        };
        self.encoder.encode(frame, &view, &mut result, wanted, sink)?;
        let mut account = self.accounting.lock().unwrap_or_else(PoisonError::into_inner);
        account.stage("decode", decoded - start);
        account.stage("preprocess", prepared - decoded);
        account.stage("inference", inferred - prepared);
        account.stage("postprocess", fused - inferred);
        account.stage("encode", fused.elapsed());
        Ok(())
    }

    fn update(&mut self, _parameters: &ParameterSet) {}

    fn describe(&self) -> Vec<(&'static str, String)> {
        vec![
            ("model", self.model.clone()),
            ("precision", self.session.precision().to_string()),
            ("provider", self.session.provider().to_string()),
            ("onnxruntime", self.library.clone()),
        ]
    }
}
