//! One sweep: voxelize, run the model, decode boxes, encode.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::intake::DetectionFrame;
use super::{DetectionPipeline, topic};
use crate::detection::{
    BEV_CHANNELS, BevGrid, CenterHead, ClassTable, DecodeConfig, DecodeScratch, Detection3d, Voxelizer,
    decode_centers, to_detection3d_array, to_marker_array,
};
use crate::geometry::Pose;
use crate::inference::{ModelFolder, ModelKind, ModelSession, load_library};
use crate::message::{Header, Stamp, to_cdr};
use crate::pipeline::depth::session_options;
use crate::pipeline::{
    Accounting, FrameError, OutputMessage, ParameterSet, Pipeline, PipelineError, Processor, WantedTopics,
};
use crate::sensor::{PointCloudView, lidar_points};

/// Most detections published of one sweep.
const MAX_DETECTIONS: usize = 500;

/// Processor of the detection pipeline.
pub struct DetectionProcessor {
    session: ModelSession,
    library: String,
    model: String,
    voxelizer: Voxelizer,
    classes: ClassTable,
    suppression_radius_m: Vec<f32>,
    score_threshold: f32,
    marker_threshold: f32,
    range_m: f64,
    scratch: DecodeScratch,
    detections: Vec<Detection3d>,
    messages: [Vec<u8>; 2],
    accounting: Arc<Mutex<Accounting>>,
}

impl DetectionProcessor {
    /// Loads the model that `parameters` name and checks that it is one for detection.
    pub fn new(parameters: &ParameterSet, accounting: Arc<Mutex<Accounting>>) -> Result<Self, PipelineError> {
        let library = load_library(None)?;
        let folder = ModelFolder::find(parameters.string("model"))?;
        let model = folder.name();
        let refuse = |reason: String| PipelineError::Model {
            model: model.clone(),
            node: DetectionPipeline::NODE,
            reason,
        };
        let manifest = &folder.manifest;
        let settings = match (manifest.kind, manifest.detection_settings()) {
            (ModelKind::Detection, Some(settings)) => settings.clone(),
            _ => return Err(refuse("expected a model of kind 'detection' with a detection section".into())),
        };
        let [voxel_x, voxel_y, _] = settings.voxel_size;
        let grid =
            BevGrid::new(settings.range, [voxel_x, voxel_y]).map_err(|error| refuse(error.to_string()))?;
        let classes =
            ClassTable::new(settings.classes.iter().cloned()).map_err(|error| refuse(error.to_string()))?;
        let bev = [1, BEV_CHANNELS, grid.rows(), grid.cols()];
        if manifest.inputs.len() != 1 || manifest.input("bev").is_none_or(|tensor| tensor.shape != bev) {
            return Err(refuse(format!("expected one input bev {bev:?}, found {:?}", manifest.inputs)));
        }
        let heatmap = manifest.output("heatmap").map(|tensor| tensor.shape.clone());
        let Some([1, channels, rows, cols]) = heatmap.as_deref() else {
            return Err(refuse(format!("expected output heatmap [1,classes,H,W], found {heatmap:?}")));
        };
        let expected =
            [("heatmap", classes.len()), ("offset", 2), ("height", 1), ("size", 3), ("rotation", 2)];
        for (role, channels) in expected {
            let shape = [1, channels, *rows, *cols];
            let found = manifest.output(role).map(|tensor| &tensor.shape);
            if found.is_none_or(|found| *found != shape) {
                return Err(refuse(format!("expected output {role} {shape:?}, found {found:?}")));
            }
        }
        if *channels != settings.suppression_radius.len() {
            return Err(refuse(format!(
                "expected {channels} suppression radii, one for each class, found {}",
                settings.suppression_radius.len()
            )));
        }
        let session = ModelSession::open(&folder, &session_options(parameters))?;
        let mut processor = Self {
            library: library.version.clone(),
            model,
            session,
            voxelizer: Voxelizer::new(grid),
            classes,
            suppression_radius_m: settings.suppression_radius,
            score_threshold: 0.0,
            marker_threshold: 0.0,
            range_m: 0.0,
            scratch: DecodeScratch::default(),
            detections: Vec::with_capacity(MAX_DETECTIONS),
            messages: Default::default(),
            accounting,
        };
        processor.update(parameters);
        Ok(processor)
    }

    /// The detections of the last frame, in its output frame.
    pub fn detections(&self) -> &[Detection3d] {
        &self.detections
    }

    fn decode(&mut self) -> Result<(), FrameError> {
        let session = &self.session;
        let (shape, heatmap) = session.output("heatmap");
        let &[_, classes, rows, cols] = shape else {
            return Err(FrameError::inference(format!("expected heatmap [1,classes,H,W], found {shape:?}")));
        };
        let head = CenterHead {
            heatmap,
            offset: session.output("offset").1,
            height: session.output("height").1,
            size: session.output("size").1,
            rotation: session.output("rotation").1,
            rows,
            cols,
            classes,
        };
        let config = DecodeConfig {
            score_threshold: self.score_threshold,
            max_detections: MAX_DETECTIONS,
            suppression_radius_m: &self.suppression_radius_m,
        };
        decode_centers(&head, self.voxelizer.grid(), &config, &mut self.scratch, &mut self.detections)
            .map_err(FrameError::inference)?;
        if self.range_m > 0.0 {
            let range_m = self.range_m;
            self.detections.retain(|found| found.box3d.center.coords.xy().norm() <= range_m);
        }
        Ok(())
    }
}

/// Moves a detection into another frame; its heading turns with the transform's yaw.
fn transform(detection: &mut Detection3d, pose: &Pose) {
    let found = &mut detection.box3d;
    let forward = pose.rotation * nalgebra::Vector3::new(found.yaw.cos(), found.yaw.sin(), 0.0);
    found.center = pose * found.center;
    found.yaw = forward.y.atan2(forward.x);
}

impl Processor for DetectionProcessor {
    type Frame = DetectionFrame;

    fn stamp(frame: &DetectionFrame) -> Stamp {
        frame.stamp
    }

    fn process(
        &mut self,
        frame: &DetectionFrame,
        wanted: WantedTopics,
        sink: &mut dyn FnMut(OutputMessage<'_>),
    ) -> Result<(), FrameError> {
        let start = Instant::now();
        let cloud = frame.cloud.cloud().map_err(FrameError::undecodable)?;
        let view = PointCloudView::new(&cloud).map_err(FrameError::undecodable)?;
        self.voxelizer
            .bev_features(lidar_points(&view), self.session.input_mut("bev"))
            .map_err(FrameError::inference)?;
        let prepared = Instant::now();

        self.session.run().map_err(FrameError::inference)?;
        let inferred = Instant::now();

        self.decode()?;
        if let Some(pose) = &frame.t_output_cloud {
            self.detections.iter_mut().for_each(|detection| transform(detection, pose));
        }
        let decoded = Instant::now();

        let header = Header { stamp: frame.stamp, frame_id: &frame.frame_id };
        if wanted.has(topic::DETECTIONS) {
            let message = to_detection3d_array(&self.detections, &self.classes, header)
                .map_err(FrameError::inference)?;
            to_cdr(&message, &mut self.messages[topic::DETECTIONS]);
        }
        if wanted.has(topic::MARKERS) {
            let message = to_marker_array(&self.detections, &self.classes, header, self.marker_threshold)
                .map_err(FrameError::inference)?;
            to_cdr(&message, &mut self.messages[topic::MARKERS]);
        }
        for (topic, bytes) in self.messages.iter().enumerate() {
            if wanted.has(topic) {
                sink(OutputMessage { topic, stamp: frame.stamp, bytes });
            }
        }
        let mut account = self.accounting.lock().unwrap_or_else(PoisonError::into_inner);
        account.stage("preprocess", prepared - start);
        account.stage("inference", inferred - prepared);
        account.stage("postprocess", decoded - inferred);
        account.stage("encode", decoded.elapsed());
        Ok(())
    }

    fn update(&mut self, parameters: &ParameterSet) {
        self.score_threshold = parameters.double("score_threshold") as f32;
        self.marker_threshold = parameters.double("marker_threshold") as f32;
        self.range_m = parameters.double("range");
    }

    fn describe(&self) -> Vec<(&'static str, String)> {
        vec![
            ("model", self.model.clone()),
            ("precision", self.session.precision().to_string()),
            ("provider", self.session.provider().to_string()),
            ("onnxruntime", self.library.clone()),
        ]
    }
}
