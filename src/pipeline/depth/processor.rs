//! One depth frame: decode, draw the radar prior, run the model, fuse, encode.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::encode::{DepthEncoder, NetworkDepth};
use super::image_message::ImageMessage;
use super::intake::DepthFrame;
use super::model::DepthModel;
use super::network_inputs::write_rays;
use super::radar_watch::RadarWatch;
use super::radars::RadarReader;
use super::smoother::Smoother;
use super::topic;
use crate::depth::{RadarInfluence, Resizer, Upsampler, fuse};
use crate::geometry::CameraModel;
use crate::message::Stamp;
use crate::pipeline::{
    Accounting, FrameError, OutputMessage, ParameterSet, PipelineError, Processor, Stage, WantedTopics,
};
use crate::sensor::{DecodedImage, ImageView, decode_compressed};
use crate::sync::DropReason;

/// The source of problems of a radar that is there and of no use.
pub const RADAR_PROBLEM: &str = "radar";

/// Sizes that follow from one camera; rebuilt when its calibration or image size changes.
struct CameraTables {
    camera: CameraModel,
    /// At the size of the prior
    prior_camera: CameraModel,
    upsampler: Upsampler,
}

/// Processor of the depth pipeline: everything of one camera. The model is shared.
pub struct DepthProcessor {
    resizer: Resizer,
    radars: RadarReader,
    watch: RadarWatch,
    smoother: Smoother,
    tables: Option<CameraTables>,
    /// Viewing rays of this camera as the network takes them; empty before its first frame
    rays: Vec<f32>,
    decoded: DecodedImage,
    encoder: DepthEncoder,
    accounting: Arc<Mutex<Accounting>>,
}

impl DepthProcessor {
    /// A processor of one more camera for `model`.
    pub fn new(
        model: &DepthModel,
        parameters: &ParameterSet,
        accounting: Arc<Mutex<Accounting>>,
    ) -> Result<Self, PipelineError> {
        let (width, height) = model.network;
        Ok(Self {
            resizer: Resizer::new(width, height).map_err(|error| model.refuse(error.to_string()))?,
            radars: RadarReader::new(parameters, Arc::clone(&accounting)),
            watch: RadarWatch::default(),
            smoother: Smoother::new(parameters),
            tables: None,
            rays: Vec::new(),
            decoded: DecodedImage::default(),
            encoder: DepthEncoder::new(parameters, model.colours.clone()),
            accounting,
        })
    }
}

impl DepthProcessor {
    /// Counts what the radar did to a frame, and tells when it is of no use.
    fn judge_radar(&mut self, frame: &DepthFrame, influence: Option<RadarInfluence>) {
        let Some(influence) = influence else { return };
        let problem = self.watch.frame(frame.stamp, &influence);
        let mut account = self.accounting.lock().unwrap_or_else(PoisonError::into_inner);
        account.radar(influence);
        if let Some(message) = problem
            && account.problem(RADAR_PROBLEM, message.clone(), false)
        {
            tracing::warn!("{RADAR_PROBLEM}: {message}");
        }
    }
}

impl Processor for DepthProcessor {
    type Frame = DepthFrame;
    type Model = DepthModel;

    fn stamp(frame: &DepthFrame) -> Stamp {
        frame.stamp
    }

    fn process(
        &mut self,
        model: &mut DepthModel,
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
            self.rays.clear();
            self.smoother.forget();
            self.tables = Some(CameraTables {
                camera: camera.clone(),
                prior_camera: scaled(
                    camera,
                    model.inputs.prior.map_or(model.network, |prior| prior.size(model.network)),
                ),
                upsampler: Upsampler::new(model.network, size).map_err(FrameError::inference)?,
            });
        }
        if let Some(grid) = model.inputs.rays {
            if self.rays.is_empty() {
                self.rays.resize(2 * grid.0 * grid.1, 0.0);
                write_rays(&scaled(camera, grid), &mut self.rays);
            }
            model.session.input_mut("rays").copy_from_slice(&self.rays);
        }
        if model.inputs.image {
            let tensor = model.session.input_mut("image");
            self.resizer
                .image_to_tensor(&view, &model.normalisation, tensor)
                .map_err(FrameError::inference)?;
        }
        self.radars.collect(frame)?;
        let Some(tables) = &mut self.tables else {
            return Err(FrameError::inference("no tables for this camera"));
        };
        let mut drawn = 0;
        if let Some(prior) = &model.inputs.prior {
            drawn = prior
                .draw(self.radars.placed(), &tables.prior_camera, &mut model.prior_m)
                .map_err(FrameError::inference)?
                .drawn;
            model.session.input_mut("prior").copy_from_slice(&model.prior_m);
        }
        let prepared = Instant::now();

        model.session.run().map_err(FrameError::inference)?;
        let inferred = Instant::now();

        let (_, network_m) = model.session.output("depth");
        let (_, network_confidence) = model.session.output("confidence");
        fuse(model.fusion, network_m, Some(network_confidence), &model.prior_m, &mut model.fused_m)
            .map_err(FrameError::inference)?;
        self.smoother.apply(frame.stamp, &mut model.fused_m).map_err(FrameError::inference)?;
        let influence = frame.has_radar().then(|| model.radar_influence(drawn, self.radars.persistence()));
        let image_size = (view.width(), view.height());
        let stats = tables
            .upsampler
            .depth(&model.fused_m, &model.range, self.encoder.depth_image(frame, image_size))
            .map_err(FrameError::inference)?;
        if stats.network_non_finite > 0 {
            return Err(FrameError::inference(format!(
                "model '{}' gave {} depths that are not finite",
                model.name, stats.network_non_finite
            )));
        }
        let fused = Instant::now();

        self.encoder.send_depth(frame, wanted, sink)?;
        if wanted.has(topic::CONFIDENCE) {
            let (depth_m, confidence) = self.encoder.confidence_image(frame, image_size);
            tables
                .upsampler
                .confidence(network_confidence, depth_m, confidence)
                .map_err(FrameError::inference)?;
        }
        let network =
            NetworkDepth { depth_m: &model.fused_m, confidence: network_confidence, size: model.network };
        self.encoder.send_rest(frame, &view, network, self.radars.placed(), wanted, sink)?;
        self.judge_radar(frame, influence);
        let mut account = self.accounting.lock().unwrap_or_else(PoisonError::into_inner);
        account.stage(Stage::Decode, decoded - start);
        account.stage(Stage::Preprocess, prepared - decoded);
        account.stage(Stage::Inference, inferred - prepared);
        account.stage(Stage::Postprocess, fused - inferred);
        account.stage(Stage::Encode, fused.elapsed());
        Ok(())
    }

    fn skip(&mut self, frame: &DepthFrame, radar: Option<RadarInfluence>) {
        // Radars that cannot be read are counted here, and the Doppler signs are watched from frame to frame.
        // A frame that fails of it has no outputs to be known.
        let _ = self.radars.collect(frame);
        self.judge_radar(frame, radar);
    }

    fn remembers(&self) -> bool {
        self.smoother.is_on()
    }

    fn update(&mut self, parameters: &ParameterSet) {
        self.radars.update(parameters);
        self.smoother.update(parameters);
        self.encoder.update(parameters);
    }
}

/// The camera of an image of `size` columns and rows.
fn scaled(camera: &CameraModel, size: (usize, usize)) -> CameraModel {
    camera.scaled(size.0 as u32, size.1 as u32)
}
