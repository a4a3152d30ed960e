//! One sweep: the network's inputs, its run, boxes, messages.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::intake::DetectionFrame;
use super::model::DetectionModel;
use super::motion::SweepSettings;
use super::network::{DecodeLimits, SweepLimits};
use super::parameters::{class_thresholds, ego_box};
use super::topic;
use crate::depth::RadarInfluence;
use crate::detection::{ClassThresholds, Detection3d, to_detection3d_array, to_marker_array};
use crate::geometry::Pose;
use crate::message::{Header, Stamp, to_cdr};
use crate::pipeline::{
    Accounting, FrameError, OutputMessage, ParameterError, ParameterSet, Processor, Stage, WantedTopics,
};
use crate::sensor::{EgoBox, LidarPreset, PointCloudView};

/// Most detections published of one sweep.
const MAX_DETECTIONS: usize = 500;

/// Processor of the detection pipeline: everything of one LiDAR. The model is shared.
pub struct DetectionProcessor {
    sweep: SweepSettings,
    /// Layout of the last sweep, to tell once what it was taken for
    layout: Option<LidarPreset>,
    score_threshold: f32,
    marker_threshold: f32,
    class_thresholds: ClassThresholds,
    range_m: f64,
    sweep_limits: SweepLimits,
    ego_box: Option<EgoBox>,
    detections: Vec<Detection3d>,
    messages: [Vec<u8>; 2],
    accounting: Arc<Mutex<Accounting>>,
}

impl DetectionProcessor {
    /// A processor of one more LiDAR; fails on an `ego_box` that is none.
    pub fn new(
        parameters: &ParameterSet,
        accounting: Arc<Mutex<Accounting>>,
    ) -> Result<Self, ParameterError> {
        let mut processor = Self {
            sweep: SweepSettings::new(parameters),
            layout: None,
            score_threshold: 0.0,
            marker_threshold: 0.0,
            class_thresholds: ClassThresholds::default(),
            range_m: 0.0,
            sweep_limits: SweepLimits::default(),
            ego_box: ego_box(parameters)?,
            detections: Vec::with_capacity(MAX_DETECTIONS),
            messages: Default::default(),
            accounting,
        };
        processor.update(parameters);
        Ok(processor)
    }

    /// Leaves out detections below the lowest score of their class; tells a class that the model lacks.
    fn apply_class_thresholds(&mut self, model: &DetectionModel) -> Option<String> {
        let thresholds = &self.class_thresholds;
        if thresholds.is_empty() {
            return None;
        }
        self.detections.retain(|found| {
            let class = model.classes.name(found.class).unwrap_or_default();
            thresholds.admit(class, found.box3d.center.coords.xy().norm(), found.score)
        });
        thresholds.unknown(&model.classes).map(str::to_owned)
    }

    /// The detections of the last frame, in its output frame.
    pub fn detections(&self) -> &[Detection3d] {
        &self.detections
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
    type Model = DetectionModel;

    fn stamp(frame: &DetectionFrame) -> Stamp {
        frame.stamp
    }

    fn process(
        &mut self,
        model: &mut DetectionModel,
        frame: &DetectionFrame,
        wanted: WantedTopics,
        sink: &mut dyn FnMut(OutputMessage<'_>),
    ) -> Result<(), FrameError> {
        let start = Instant::now();
        let cloud = frame.cloud.cloud().map_err(FrameError::undecodable)?;
        let view = PointCloudView::new(&cloud).map_err(FrameError::undecodable)?;
        let layout = self
            .sweep
            .preset
            .layout(&view, frame.stamp, self.sweep.stamp_at)
            .map_err(FrameError::undecodable)?;
        if !view.is_empty() && self.layout.replace(layout.preset()) != Some(layout.preset()) {
            tracing::info!("lidar/points: {layout} ({})", view.typed_field_names());
        }
        // What cannot be read was told when it was the newest.
        let clouds = frame.earlier.iter().filter_map(|sweep| Some((sweep, sweep.cloud.cloud().ok()?)));
        let clouds: Vec<_> = clouds.collect();
        let views =
            clouds.iter().filter_map(|(sweep, cloud)| Some((*sweep, PointCloudView::new(cloud).ok()?)));
        let views: Vec<_> = views.collect();
        let earlier = views.iter().filter_map(|(sweep, view)| {
            let layout = self.sweep.preset.layout(view, sweep.stamp, self.sweep.stamp_at).ok()?;
            Some(
                layout.points(view).earlier(&sweep.motion, layout.times(), sweep.age_s).outside(self.ego_box),
            )
        });
        let mut points = layout.points(&view).outside(self.ego_box);
        if let Some((motion, times)) = frame.motion.as_deref().zip(layout.times()) {
            points = points.deskewed(motion, times);
        }
        let counts = model.network.prepare(points.chain(earlier.flatten()), self.sweep_limits)?;
        let prepared = Instant::now();

        model.network.run()?;
        let inferred = Instant::now();

        let limits = DecodeLimits { score_threshold: self.score_threshold, max_detections: MAX_DETECTIONS };
        model.network.decode(limits, &mut self.detections)?;
        if self.range_m > 0.0 {
            let range_m = self.range_m;
            self.detections.retain(|found| found.box3d.center.coords.xy().norm() <= range_m);
        }
        let unknown = self.apply_class_thresholds(model);
        if let Some(pose) = &frame.t_output_cloud {
            self.detections.iter_mut().for_each(|detection| transform(detection, pose));
        }
        let decoded = Instant::now();

        let header = Header { stamp: frame.stamp, frame_id: &frame.frame_id };
        if wanted.has(topic::DETECTIONS) {
            let message = to_detection3d_array(&self.detections, &model.classes, header)
                .map_err(FrameError::inference)?;
            to_cdr(&message, &mut self.messages[topic::DETECTIONS]);
        }
        if wanted.has(topic::MARKERS) {
            let message = to_marker_array(&self.detections, &model.classes, header, self.marker_threshold)
                .map_err(FrameError::inference)?;
            to_cdr(&message, &mut self.messages[topic::MARKERS]);
        }
        for (topic, bytes) in self.messages.iter().enumerate() {
            if wanted.has(topic) {
                sink(OutputMessage { topic, stamp: frame.stamp, bytes });
            }
        }
        let mut account = self.accounting.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.dropped_pillars > 0 {
            let message = format!(
                "{} pillars beyond max_pillars or what the model allows were left out, the farthest",
                counts.dropped_pillars
            );
            if account.problem("lidar/points max_pillars", message.clone(), false) {
                tracing::warn!("lidar/points: {message}");
            }
        }
        if let Some(class) = unknown {
            let message = format!("class_thresholds: the model has no class '{class}'");
            if account.problem("class_thresholds", message.clone(), false) {
                tracing::warn!("{message}");
            }
        }
        account.stage(Stage::Preprocess, prepared - start);
        account.stage(Stage::Inference, inferred - prepared);
        account.stage(Stage::Postprocess, decoded - inferred);
        account.stage(Stage::Encode, decoded.elapsed());
        Ok(())
    }

    fn skip(&mut self, _frame: &DetectionFrame, _radar: Option<RadarInfluence>) {
        // The layout of the last sweep only decides what is logged.
    }

    fn update(&mut self, parameters: &ParameterSet) {
        self.score_threshold = parameters.double("score_threshold") as f32;
        self.marker_threshold = parameters.double("marker_threshold") as f32;
        // What is no threshold was refused before.
        self.class_thresholds = class_thresholds(parameters).unwrap_or_default();
        self.range_m = parameters.double("range");
        self.sweep_limits.keeps_ground = !parameters.bool("ground_removal");
        self.sweep_limits.max_pillars =
            usize::try_from(parameters.integer("max_pillars")).ok().filter(|&most| most > 0);
    }
}

#[cfg(test)]
#[path = "processor_tests.rs"]
mod tests;
