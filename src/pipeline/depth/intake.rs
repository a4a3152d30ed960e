//! Collects what a depth frame needs: the image, its camera info, the radar clouds around its stamp
//! and where the radars were.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::MAX_RADARS;
use super::calibrations::{Calibration, Calibrations};
use super::image_message::{ImageMessage, Size};
use super::parameters::{RadarSettings, radar_scans, radar_settings, source_count};
use super::radar_history::RadarHistory;
use super::radar_input::{EarlierScan, RadarMessage, RadarPayload, RadarReception, velocity_mps};
use crate::geometry::TransformBuffer;
use crate::message::Stamp;
use crate::pipeline::{
    Accounting, Intake, Pacing, ParameterSet, SensorInput, TransformsError, insert_transforms,
};
use crate::sync::{Collector, CollectorConfig, DropReason, FrameSet};

/// Frames that wait at once in lockstep before the oldest is handed out incomplete.
const LOCKSTEP_PENDING: usize = 64;
/// Images that wait at once for radars, info and transforms when the latest is kept: at 30 Hz longer than
/// the usual timeout. Waiting is no reason to be dropped, only a newer image that is complete is.
const LIVE_PENDING: usize = 8;

/// An image that far back starts a new recording, nanoseconds.
const TIME_JUMP_NS: i64 = 1_000_000_000;

/// All that one depth image is made from.
pub struct DepthFrame {
    /// Acquisition stamp of the image
    pub stamp: Stamp,
    /// Optical frame of the camera
    pub frame_id: String,
    /// The image
    pub image: ImageMessage,
    /// Its camera
    pub calibration: Arc<Calibration>,
    /// Radar clouds within the window, by radar
    pub radars: [Option<RadarMessage>; MAX_RADARS],
}

impl DepthFrame {
    /// Whether any radar is with it.
    pub fn has_radar(&self) -> bool {
        self.radars.iter().any(Option::is_some)
    }
}

struct Trigger {
    image: ImageMessage,
    frame_id: String,
    /// Width and height, where the header tells them
    size: Option<Size>,
}

/// Intake of the depth pipeline.
pub struct DepthIntake {
    collector: Collector<Trigger, Arc<RadarReception>>,
    /// Collected frames whose camera info or transforms may still come, with the time of collection
    waiting: VecDeque<(FrameSet<Trigger, Arc<RadarReception>>, Stamp)>,
    calibrations: Calibrations,
    /// Encoding and size of the last image
    form: Option<(String, Option<Size>)>,
    transforms: TransformBuffer,
    radars: usize,
    settings: [RadarSettings; MAX_RADARS],
    history: RadarHistory,
    last_image: Option<Stamp>,
    timeout_ns: i64,
    pacing: Pacing,
    accounting: Arc<Mutex<Accounting>>,
}

impl DepthIntake {
    /// An intake for checked parameters.
    pub fn new(parameters: &ParameterSet, pacing: Pacing, accounting: Arc<Mutex<Accounting>>) -> Self {
        let radars = source_count(parameters);
        let settings = radar_settings(parameters);
        let timeout_ns = parameters.integer("sync_timeout_ms") * 1_000_000;
        let collector = Collector::new(CollectorConfig {
            radars,
            window_ns: settings.each_ref().map(|radar| radar.window_ns),
            timeout_ns,
            radar_offset_ns: settings.each_ref().map(|radar| radar.offset_ns),
            pending: match pacing {
                Pacing::KeepLatest => LIVE_PENDING,
                Pacing::Lockstep => LOCKSTEP_PENDING,
            },
        });
        Self {
            collector,
            waiting: VecDeque::new(),
            calibrations: Calibrations::default(),
            form: None,
            transforms: TransformBuffer::new(),
            radars,
            settings,
            history: RadarHistory::new(radar_scans(parameters)),
            last_image: None,
            timeout_ns,
            pacing,
            accounting,
        }
    }

    fn account(&self) -> std::sync::MutexGuard<'_, Accounting> {
        self.accounting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn problem(&self, source: &str, message: &str, undecodable: bool) {
        if self.account().problem(source, message.to_owned(), undecodable) {
            tracing::warn!("{source}: {message}");
        }
    }

    fn offer_image(&mut self, topic: &str, image: ImageMessage, now: Stamp) {
        let (stamp, frame_id) = match image.stamp_and_frame() {
            Ok(header) => header,
            Err(error) => {
                self.account().receive(Stamp(0), now);
                self.account().drop_frame(Stamp(0), DropReason::Undecodable);
                return self.problem(topic, &error.to_string(), true);
            }
        };
        self.account().receive(stamp, now);
        self.account().input(topic, stamp);
        let back_ns = self.last_image.map_or(i64::MIN, |last| last.since_ns(stamp));
        if back_ns > TIME_JUMP_NS && !stamp.is_zero() {
            self.transforms.forget_after(stamp.offset_ns(TIME_JUMP_NS));
        }
        if !stamp.is_zero() && !(0..=TIME_JUMP_NS).contains(&back_ns) {
            self.last_image = Some(stamp);
        }
        let size = self.compare_form(topic, &image);
        let dropped = self.collector.offer_image(stamp, Trigger { image, frame_id, size }, now);
        self.count_drops(topic, dropped);
    }

    /// Tells when an image has another encoding or size than the one before. Returns its size.
    fn compare_form(&mut self, topic: &str, image: &ImageMessage) -> Option<Size> {
        let (encoding, size) = image.form().ok()?;
        if let Some((old_encoding, old_size)) = &self.form {
            if old_encoding != encoding {
                let message = format!(
                    "the encoding changed from '{old_encoding}' to '{encoding}': expected one camera on this topic"
                );
                self.problem(&format!("{topic} encoding"), &message, false);
            }
            if let (Some(old), Some(new)) = (old_size, size)
                && *old != new
            {
                let message = format!("the size changed from {}×{} to {}×{}", old.0, old.1, new.0, new.1);
                self.problem(&format!("{topic} size"), &message, false);
            }
            if old_encoding == encoding && *old_size == size {
                return size;
            }
        }
        self.form = Some((encoding.to_owned(), size));
        size
    }

    /// Counts `dropped` and whatever else the collector let go: a jump of time drops several at once.
    fn count_drops(&mut self, topic: &str, mut dropped: Option<(Stamp, Trigger, DropReason)>) {
        while let Some((stamp, _, reason)) = dropped.take().or_else(|| self.collector.next_drop()) {
            self.account().drop_frame(stamp, reason);
            if reason != DropReason::Superseded {
                let message = format!("image of {stamp} dropped: {}", reason.explain());
                self.problem(&format!("{topic} {reason}"), &message, false);
            }
        }
        if let Some((before, after)) = self.collector.take_jump() {
            let message = format!("time jumped back from {before} to {after}: collection starts anew");
            self.problem("time", &message, false);
        }
    }

    fn offer_camera_info(&mut self, bytes: Arc<[u8]>) {
        match self.calibrations.offer(bytes) {
            Ok(stamp) => self.account().input("camera_info", stamp),
            Err(error) => self.problem("camera_info", &error, true),
        }
    }

    fn offer_radar(&mut self, radar: usize, payload: RadarPayload, now: Stamp) {
        if radar >= self.radars {
            return;
        }
        match payload.stamp_and_frame() {
            Ok((stamp, frame_id)) => {
                self.account().input(&self.settings[radar].topic, stamp);
                let reception = Arc::new(RadarReception { payload, frame_id });
                let RadarSettings { offset_ns, is_lidar, .. } = self.settings[radar];
                // A sweep of LiDAR is enough by itself.
                if !is_lidar {
                    self.history.offer(radar, stamp.offset_ns(offset_ns), &reception);
                }
                if let Some(reason) = self.collector.offer_radar(radar, stamp, reception, now) {
                    self.problem(&self.settings[radar].topic, reason.explain(), false);
                }
            }
            Err(error) => self.problem(&self.settings[radar].topic, &error.to_string(), true),
        }
    }

    /// Completes `set`, or gives it back when waiting may help and `last_call` is false.
    #[expect(clippy::result_large_err, reason = "what is given back is no error and waits on")]
    fn complete(
        &mut self,
        set: FrameSet<Trigger, Arc<RadarReception>>,
        last_call: bool,
    ) -> Result<Option<DepthFrame>, FrameSet<Trigger, Arc<RadarReception>>> {
        // One of another size is no use, but says more than none: the processor compares the sizes.
        let Trigger { frame_id, size, .. } = &set.image;
        let calibration = self
            .calibrations
            .of_image(frame_id, *size, set.stamp)
            .or_else(|| last_call.then(|| self.calibrations.newest(frame_id)).flatten());
        let Some(calibration) = calibration else {
            if !last_call {
                return Err(set);
            }
            self.account().drop_frame(set.stamp, DropReason::NoCameraInfo);
            let message = match self.calibrations.any_frame() {
                None => format!("no camera info for the image in frame '{frame_id}'"),
                Some(found) => format!("expected a camera info in frame '{frame_id}', found '{found}'"),
            };
            self.problem("camera_info", &message, false);
            return Ok(None);
        };
        let mut poses = [None; MAX_RADARS];
        let mut velocities = [None; MAX_RADARS];
        let mut earlier: [Vec<EarlierScan>; MAX_RADARS] = Default::default();
        let mut missing: [Option<(&str, Option<String>)>; MAX_RADARS] = [const { None }; MAX_RADARS];
        for (radar, slot) in set.radars.iter().enumerate().take(self.radars) {
            let Some((stamp, message)) = slot else {
                missing[radar] = Some(("absent", None));
                continue;
            };
            match self.transforms.lookup(&set.image.frame_id, &message.frame_id, *stamp) {
                Ok(pose) => {
                    poses[radar] = Some(pose);
                    velocities[radar] = velocity_mps(&self.transforms, &message.frame_id, *stamp);
                    earlier[radar] = match self.history.before(radar, *stamp, &pose, &self.transforms) {
                        Err(error) if !last_call && error.may_arrive() => return Err(set),
                        Ok(scans) => scans,
                        // Without odometry of its time the frame has this scan alone.
                        Err(_) => Vec::new(),
                    };
                }
                Err(error) if !last_call && error.may_arrive() => return Err(set),
                Err(error) => missing[radar] = Some(("no_transform", Some(error.to_string()))),
            }
        }
        let without = missing.iter().zip(&self.settings).find_map(|(missing, radar)| {
            missing.as_ref().filter(|_| radar.required).map(|(_, detail)| (radar, detail))
        });
        if let Some((radar, detail)) = without {
            let reason = if detail.is_some() { DropReason::NoTransform } else { DropReason::RadarAbsent };
            self.account().drop_frame(set.stamp, reason);
            self.problem(&radar.topic, detail.as_deref().unwrap_or(reason.explain()), false);
            return Ok(None);
        }
        // Only now is it certain that the frame goes out like this.
        for (radar, missing) in missing.into_iter().enumerate() {
            let Some((why, detail)) = missing else { continue };
            let name = &self.settings[radar].name;
            self.account().degrade(&format!("{name}: {why}"));
            if let Some(detail) = detail {
                self.problem(&self.settings[radar].topic, &detail, false);
            }
        }
        let FrameSet { stamp, image, radars } = set;
        let mut messages = radars.into_iter();
        let radars = std::array::from_fn(|radar| {
            let message = messages.next().flatten();
            let (pose, (_, message)) = poses[radar].zip(message)?;
            Some(RadarMessage {
                payload: message.payload.clone(),
                t_camera_radar: pose,
                velocity_mps: velocities[radar],
                earlier: std::mem::take(&mut earlier[radar]),
            })
        });
        Ok(Some(DepthFrame { stamp, frame_id: image.frame_id, image: image.image, calibration, radars }))
    }

    /// The oldest collected frame, once it is complete.
    fn next_in_order(&mut self, now: Stamp) -> Option<DepthFrame> {
        while let Some((set, since)) = self.waiting.pop_front() {
            match self.complete(set, self.is_last_call(since, now)) {
                Ok(Some(frame)) => return Some(frame),
                Ok(None) => {}
                Err(set) => {
                    self.waiting.push_front((set, since));
                    return None;
                }
            }
        }
        None
    }

    /// The newest complete frame. It supersedes the older ones; newer ones go on waiting.
    fn newest(&mut self, now: Stamp) -> Option<DepthFrame> {
        while self.waiting.len() > LIVE_PENDING
            && let Some((set, _)) = self.waiting.pop_front()
        {
            self.account().drop_frame(set.stamp, DropReason::Superseded);
        }
        let mut incomplete = VecDeque::new();
        let mut newest = None;
        while let Some((set, since)) = self.waiting.pop_back() {
            if newest.is_some() {
                self.account().drop_frame(set.stamp, DropReason::Superseded);
                continue;
            }
            match self.complete(set, self.is_last_call(since, now)) {
                Ok(frame) => newest = frame,
                Err(set) => incomplete.push_front((set, since)),
            }
        }
        self.waiting = incomplete;
        newest
    }

    /// A backward jump of `now` must not make a frame wait for ever.
    fn is_last_call(&self, since: Stamp, now: Stamp) -> bool {
        !(0..self.timeout_ns).contains(&now.since_ns(since))
    }
}

impl Intake for DepthIntake {
    type Frame = DepthFrame;

    fn offer(&mut self, input: SensorInput, now: Stamp) {
        match input {
            SensorInput::Image(image) => self.offer_image("image", ImageMessage::Raw(image), now),
            SensorInput::CompressedImage(image) => {
                self.offer_image("image/compressed", ImageMessage::Compressed(image), now);
            }
            SensorInput::CameraInfo(bytes) => self.offer_camera_info(bytes),
            SensorInput::Radar(radar, cloud) => self.offer_radar(radar, RadarPayload::Cloud(cloud), now),
            SensorInput::RadarScan(radar, bytes) => {
                self.offer_radar(radar, RadarPayload::Scan(bytes), now);
            }
            SensorInput::Lidar(_) => {}
            SensorInput::Transforms(bytes, is_static) => {
                if let Err(error) = insert_transforms(&mut self.transforms, &bytes, is_static) {
                    let undecodable = matches!(error, TransformsError::Undecodable(_));
                    self.problem("tf", &error.to_string(), undecodable);
                }
            }
        }
    }

    fn poll(&mut self, now: Stamp) -> Option<DepthFrame> {
        while let Some(set) = self.collector.poll(now) {
            self.waiting.push_back((set, now));
        }
        self.count_drops("image", None);
        match self.pacing {
            Pacing::Lockstep => self.next_in_order(now),
            Pacing::KeepLatest => self.newest(now),
        }
    }

    fn is_waiting(&self) -> bool {
        !self.waiting.is_empty() || self.collector.pending_stamp().is_some()
    }

    fn update(&mut self, parameters: &ParameterSet) {
        // What a radar publishes, and so its topic, is settled at start.
        self.settings = radar_settings(parameters);
        self.history.resize(radar_scans(parameters));
        self.timeout_ns = parameters.integer("sync_timeout_ms") * 1_000_000;
        self.collector.retime(
            self.settings.each_ref().map(|radar| radar.window_ns),
            self.timeout_ns,
            self.settings.each_ref().map(|radar| radar.offset_ns),
        );
    }

    fn flush(&mut self) -> Option<DepthFrame> {
        loop {
            let set = match self.waiting.pop_front() {
                Some((set, _)) => set,
                None => self.collector.flush()?,
            };
            if let Ok(Some(frame)) = self.complete(set, true) {
                return Some(frame);
            }
        }
    }

    fn abandon(&mut self) {
        self.count_drops("image", None);
        while let Some((set, _)) = self.waiting.pop_front() {
            self.account().drop_frame(set.stamp, DropReason::Shutdown);
        }
        while let Some(set) = self.collector.flush() {
            self.account().drop_frame(set.stamp, DropReason::Shutdown);
        }
    }
}

#[cfg(test)]
#[path = "intake_tests.rs"]
mod tests;
