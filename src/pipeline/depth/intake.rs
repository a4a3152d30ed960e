//! Collects what a depth frame needs: the image, its camera info, the radar clouds around its stamp
//! and where the radars were.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::MAX_RADARS;
use super::parameters::{RadarSettings, radar_count, radar_scans, radar_settings};
use super::radar_history::RadarHistory;
use super::radar_input::{EarlierScan, RadarMessage, RadarPayload, RadarReception, velocity_mps};
use crate::geometry::{CameraModel, TransformBuffer};
use crate::message::{CameraInfo, CdrError, Image, LendCompressedImage, LendImage, Stamp, from_cdr};
use crate::pipeline::{
    Accounting, Intake, Pacing, ParameterSet, SensorInput, TransformsError, insert_transforms,
};
use crate::sync::{Collector, CollectorConfig, DropReason, FrameSet};

/// Camera infos kept to find the one of an image's stamp.
const CALIBRATIONS: usize = 8;
/// Frames that wait at once in lockstep before the oldest is handed out incomplete.
const LOCKSTEP_PENDING: usize = 64;
/// Images that wait at once for radars, info and transforms when the latest is kept: at 30 Hz longer than
/// the usual timeout. Waiting is no reason to be dropped, only a newer image that is complete is.
const LIVE_PENDING: usize = 8;

/// An image that far back starts a new recording, nanoseconds.
const TIME_JUMP_NS: i64 = 1_000_000_000;

/// An image as it came.
#[derive(Clone)]
pub enum ImageMessage {
    /// `sensor_msgs/Image`
    Raw(Arc<dyn LendImage>),
    /// `sensor_msgs/CompressedImage`
    Compressed(Arc<dyn LendCompressedImage>),
}

impl ImageMessage {
    /// Stamp and frame of the image.
    fn stamp_and_frame(&self) -> Result<(Stamp, String), CdrError> {
        let header = match self {
            Self::Raw(message) => message.image()?.header,
            Self::Compressed(message) => message.compressed_image()?.header,
        };
        Ok((header.stamp, header.frame_id.to_owned()))
    }

    /// Encoding of the pixels or format of the file, and the size where the header tells it.
    fn form(&self) -> Result<(&str, Option<Size>), CdrError> {
        Ok(match self {
            Self::Raw(message) => {
                let image = message.image()?;
                (image.encoding, Some((image.width, image.height)))
            }
            Self::Compressed(message) => (message.compressed_image()?.format, None),
        })
    }

    /// The decoded message, if it is an uncompressed one.
    pub(super) fn raw(&self) -> Option<Result<Image<'_>, CdrError>> {
        if let Self::Raw(message) = self { Some(message.image()) } else { None }
    }
}

/// A camera info and the camera it describes.
pub struct Calibration {
    /// The message as CDR, to be published again beside the depth
    pub bytes: Arc<[u8]>,
    /// Optical frame
    pub frame_id: String,
    /// Stamp of the message
    pub stamp: Stamp,
    /// K and D at the size of the image
    pub camera: CameraModel,
}

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

/// Width and height of an image, pixels.
type Size = (u32, u32);

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
    calibrations: VecDeque<Arc<Calibration>>,
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
        let radars = radar_count(parameters);
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
            calibrations: VecDeque::with_capacity(CALIBRATIONS),
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
        let calibration =
            from_cdr::<CameraInfo<'_>>(&bytes).map_err(|error| error.to_string()).and_then(|info| {
                let camera = CameraModel::from_camera_info(&info).map_err(|error| error.to_string())?;
                Ok((info.header.frame_id.to_owned(), info.header.stamp, camera))
            });
        match calibration {
            Ok((frame_id, stamp, camera)) => {
                self.account().input("camera_info", stamp);
                if self.calibrations.len() == CALIBRATIONS {
                    self.calibrations.pop_front();
                }
                self.calibrations.push_back(Arc::new(Calibration { bytes, frame_id, stamp, camera }));
            }
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
                self.history.offer(radar, stamp.offset_ns(self.settings[radar].offset_ns), &reception);
                if let Some(reason) = self.collector.offer_radar(radar, stamp, reception, now) {
                    self.problem(&self.settings[radar].topic, reason.explain(), false);
                }
            }
            Err(error) => self.problem(&self.settings[radar].topic, &error.to_string(), true),
        }
    }

    /// The camera info of `stamp`, which speaks of this very image, else the newest of this camera and
    /// image size.
    fn calibration(&self, trigger: &Trigger, stamp: Stamp) -> Option<Arc<Calibration>> {
        let mut of_camera = self.calibrations.iter().rev().filter(|info| info.frame_id == trigger.frame_id);
        let exact = of_camera.clone().find(|info| info.stamp == stamp);
        let fits = |info: &&Arc<Calibration>| {
            trigger.size.is_none_or(|size| size == (info.camera.width, info.camera.height))
        };
        exact.or_else(|| of_camera.find(fits)).cloned()
    }

    /// The newest camera info of this camera, of whatever size.
    fn any_calibration(&self, trigger: &Trigger) -> Option<Arc<Calibration>> {
        self.calibrations.iter().rev().find(|info| info.frame_id == trigger.frame_id).cloned()
    }

    /// Completes `set`, or gives it back when waiting may help and `last_call` is false.
    #[expect(clippy::result_large_err, reason = "what is given back is no error and waits on")]
    fn complete(
        &mut self,
        set: FrameSet<Trigger, Arc<RadarReception>>,
        last_call: bool,
    ) -> Result<Option<DepthFrame>, FrameSet<Trigger, Arc<RadarReception>>> {
        // One of another size is no use, but says more than none: the processor compares the sizes.
        let calibration = self
            .calibration(&set.image, set.stamp)
            .or_else(|| last_call.then(|| self.any_calibration(&set.image)).flatten());
        let Some(calibration) = calibration else {
            if !last_call {
                return Err(set);
            }
            self.account().drop_frame(set.stamp, DropReason::NoCameraInfo);
            let seen: Vec<_> = self.calibrations.iter().map(|info| info.frame_id.as_str()).collect();
            let message = if seen.is_empty() {
                format!("no camera info for the image in frame '{}'", set.image.frame_id)
            } else {
                format!("expected a camera info in frame '{}', found '{}'", set.image.frame_id, seen[0])
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
            self.account().degrade(&format!("radar_{radar}: {why}"));
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
