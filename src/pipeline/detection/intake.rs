//! Keeps the sweeps that wait for the model, and finds where the LiDAR was and how it moved.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::history::{EarlierSweep, History, Received};
use super::motion::{Motion, MotionSource, may_come};
use crate::geometry::{Pose, SweepMotion, TransformBuffer, TransformError};
use crate::message::{LendCloud, Stamp};
use crate::pipeline::{
    Accounting, Intake, Pacing, ParameterSet, SensorInput, TransformsError, insert_transforms,
};
use crate::sync::DropReason;

/// Sweeps that wait at once in lockstep; their transforms arrive within the time-out.
const LOCKSTEP_PENDING: usize = 64;
/// Sweeps that wait at once for transforms when the latest is kept: at 20 Hz longer than the usual timeout.
/// Waiting is no reason to be dropped, only a newer sweep that is complete is.
const LIVE_PENDING: usize = 4;
/// Sweeps that may wait at once.
const fn capacity(pacing: Pacing) -> usize {
    match pacing {
        Pacing::KeepLatest => LIVE_PENDING,
        Pacing::Lockstep => LOCKSTEP_PENDING,
    }
}

/// A sweep that far back starts a new recording, nanoseconds.
const TIME_JUMP_NS: i64 = 1_000_000_000;

/// One sweep, ready to be looked at.
pub struct DetectionFrame {
    /// Acquisition stamp of the cloud
    pub stamp: Stamp,
    /// Frame the detections are wanted in
    pub frame_id: String,
    /// The cloud
    pub cloud: Arc<dyn LendCloud>,
    /// Cloud frame into `frame_id`; `None` when they are the same
    pub t_output_cloud: Option<Pose>,
    /// How the LiDAR moved during the sweep; `None` leaves the points where they are
    pub motion: Option<Box<SweepMotion>>,
    /// The sweeps before it that the network is to see as well, the newest first
    pub earlier: Vec<EarlierSweep>,
}

struct Waiting {
    sweep: Received,
    since: Stamp,
}

/// Intake of the detection pipeline.
pub struct DetectionIntake {
    waiting: VecDeque<Waiting>,
    history: History,
    pacing: Pacing,
    last_stamp: Option<Stamp>,
    output_frame: String,
    motion: MotionSource,
    timeout_ns: i64,
    transforms: TransformBuffer,
    accounting: Arc<Mutex<Accounting>>,
}

impl DetectionIntake {
    /// An intake for checked parameters.
    pub fn new(parameters: &ParameterSet, pacing: Pacing, accounting: Arc<Mutex<Accounting>>) -> Self {
        let earlier = usize::try_from(parameters.integer("sweeps") - 1).unwrap_or(0);
        let mut intake = Self {
            waiting: VecDeque::new(),
            history: History::new(earlier, capacity(pacing)),
            pacing,
            last_stamp: None,
            output_frame: String::new(),
            motion: MotionSource::new(parameters),
            timeout_ns: 0,
            transforms: TransformBuffer::new(),
            accounting,
        };
        intake.update(parameters);
        intake
    }

    fn account(&self) -> MutexGuard<'_, Accounting> {
        self.accounting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn problem(&self, source: &str, message: &str, undecodable: bool) {
        if self.account().problem(source, message.to_owned(), undecodable) {
            tracing::warn!("{source}: {message}");
        }
    }

    fn offer_cloud(&mut self, cloud: Arc<dyn LendCloud>, now: Stamp) {
        let header = cloud
            .cloud()
            .map(|view| (view.header.stamp, view.header.frame_id.to_owned(), self.motion.span_s(&view)));
        let (stamp, frame_id, span_s) = match header {
            Ok(header) => header,
            Err(error) => {
                self.account().receive(Stamp(0), now);
                self.account().drop_frame(Stamp(0), DropReason::Undecodable);
                return self.problem("lidar/points", &error.to_string(), true);
            }
        };
        self.account().receive(stamp, now);
        self.account().input("lidar/points", stamp);
        if stamp.is_zero() {
            self.account().drop_frame(stamp, DropReason::ZeroStamp);
            return self.problem("lidar/points zero_stamp", DropReason::ZeroStamp.explain(), false);
        }
        if let Some(last) = self.last_stamp {
            let back_ns = last.since_ns(stamp);
            if back_ns > TIME_JUMP_NS {
                self.drop_waiting(DropReason::TimeJump);
                self.history.clear();
                self.transforms.forget_after(stamp.offset_ns(TIME_JUMP_NS));
                let message = format!("time jumped back from {last} to {stamp}: collection starts anew");
                self.problem("time", &message, false);
            } else if back_ns >= 0 {
                self.account().drop_frame(stamp, DropReason::OutOfOrder);
                return self.problem("lidar/points out_of_order", DropReason::OutOfOrder.explain(), false);
            }
        }
        self.last_stamp = Some(stamp);
        if self.waiting.len() >= capacity(self.pacing)
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.account().drop_frame(oldest.sweep.stamp, DropReason::Superseded);
        }
        let sweep = Received { stamp, frame_id, cloud, span_s };
        self.history.add(|| sweep.clone());
        self.waiting.push_back(Waiting { sweep, since: now });
    }

    fn drop_waiting(&mut self, reason: DropReason) {
        while let Some(waiting) = self.waiting.pop_front() {
            self.account().drop_frame(waiting.sweep.stamp, reason);
        }
    }

    /// The sweeps to be seen with `sweep`; an error where one of them waits for its transforms.
    fn earlier(&self, sweep: &Received, last_call: bool) -> Result<Vec<EarlierSweep>, TransformError> {
        let mut found = Vec::new();
        if !self.history.is_on() {
            return Ok(found);
        }
        let left_out = |why: &str| {
            self.account().degrade("lidar: earlier_sweep");
            self.problem("lidar/points sweeps", &format!("earlier sweeps left out: {why}"), false);
        };
        if !self.motion.is_published(&self.transforms) {
            left_out("nobody publishes deskew_frame");
            return Ok(found);
        }
        for earlier in self.history.before(sweep.stamp) {
            let now = (sweep.frame_id.as_str(), sweep.stamp);
            let then = (earlier.frame_id.as_str(), earlier.stamp);
            match self.motion.seen_from(&self.transforms, now, then, earlier.span_s) {
                Ok(motion) => found.push(EarlierSweep {
                    cloud: Arc::clone(&earlier.cloud),
                    stamp: earlier.stamp,
                    motion: Box::new(motion),
                    age_s: (sweep.stamp.since_ns(earlier.stamp) as f64 * 1e-9) as f32,
                }),
                Err(error) if !last_call && may_come(&error) => return Err(error),
                Err(error) => left_out(&error.to_string()),
            }
        }
        Ok(found)
    }

    /// Completes `sweep`, or gives it back when waiting may help and `last_call` is false.
    fn complete(&self, sweep: Received, last_call: bool) -> Result<Option<DetectionFrame>, Received> {
        let same_frame =
            self.output_frame.is_empty() || sweep.frame_id.trim_start_matches('/') == self.output_frame;
        let pose = if same_frame {
            Ok(None)
        } else {
            self.transforms.lookup(&self.output_frame, &sweep.frame_id, sweep.stamp).map(Some)
        };
        if pose.is_err() && !last_call {
            return Err(sweep);
        }
        let t_output_cloud = match pose {
            Ok(pose) => pose,
            Err(error) => {
                self.account().drop_frame(sweep.stamp, DropReason::NoTransform);
                self.problem("lidar/points", &error.to_string(), false);
                return Ok(None);
            }
        };
        let motion = match self.motion.motion(&self.transforms, &sweep.frame_id, sweep.stamp, sweep.span_s) {
            Motion::Unneeded => None,
            Motion::Known(motion) => Some(motion),
            Motion::Awaited(_) if !last_call => return Err(sweep),
            Motion::Awaited(error) | Motion::Unknown(error) => {
                self.account().degrade("lidar: no_motion");
                self.problem("lidar/points", &format!("sweep not de-skewed: {error}"), false);
                None
            }
        };
        let Ok(earlier) = self.earlier(&sweep, last_call) else { return Err(sweep) };
        let Received { stamp, frame_id, cloud, .. } = sweep;
        let frame_id = if same_frame { frame_id } else { self.output_frame.clone() };
        Ok(Some(DetectionFrame { stamp, frame_id, cloud, t_output_cloud, motion, earlier }))
    }

    /// The oldest waiting sweep, once it is complete.
    fn next_in_order(&mut self, now: Stamp) -> Option<DetectionFrame> {
        while let Some(Waiting { sweep, since }) = self.waiting.pop_front() {
            let last_call = self.is_last_call(since, now);
            match self.complete(sweep, last_call) {
                Ok(Some(frame)) => return Some(frame),
                Ok(None) => {}
                Err(sweep) => {
                    self.waiting.push_front(Waiting { sweep, since });
                    return None;
                }
            }
        }
        None
    }

    /// The newest complete sweep. It supersedes the older ones; newer ones go on waiting.
    fn newest(&mut self, now: Stamp) -> Option<DetectionFrame> {
        for index in (0..self.waiting.len()).rev() {
            let Some(Waiting { sweep, since }) = self.waiting.remove(index) else { continue };
            let last_call = self.is_last_call(since, now);
            match self.complete(sweep, last_call) {
                Ok(Some(frame)) => {
                    let mut account = self.accounting.lock().unwrap_or_else(PoisonError::into_inner);
                    for older in self.waiting.drain(..index) {
                        account.drop_frame(older.sweep.stamp, DropReason::Superseded);
                    }
                    return Some(frame);
                }
                Ok(None) => {}
                Err(sweep) => self.waiting.insert(index, Waiting { sweep, since }),
            }
        }
        None
    }

    /// A backward jump of `now` must not make a sweep wait for ever.
    fn is_last_call(&self, since: Stamp, now: Stamp) -> bool {
        !(0..self.timeout_ns).contains(&now.since_ns(since))
    }
}

impl Intake for DetectionIntake {
    type Frame = DetectionFrame;

    fn offer(&mut self, input: SensorInput, now: Stamp) {
        match input {
            SensorInput::Lidar(cloud) => self.offer_cloud(cloud, now),
            SensorInput::Transforms(bytes, is_static) => {
                if let Err(error) = insert_transforms(&mut self.transforms, &bytes, is_static) {
                    let undecodable = matches!(error, TransformsError::Undecodable(_));
                    self.problem("tf", &error.to_string(), undecodable);
                }
            }
            SensorInput::Image(_)
            | SensorInput::CompressedImage(_)
            | SensorInput::CameraInfo(_)
            | SensorInput::Radar(..)
            | SensorInput::RadarScan(..) => {}
        }
    }

    fn poll(&mut self, now: Stamp) -> Option<DetectionFrame> {
        let frame = match self.pacing {
            Pacing::Lockstep => self.next_in_order(now),
            Pacing::KeepLatest => self.newest(now),
        }?;
        self.history.forget_before(frame.stamp);
        Some(frame)
    }

    fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn update(&mut self, parameters: &ParameterSet) {
        parameters.string("output_frame").trim_start_matches('/').clone_into(&mut self.output_frame);
        self.timeout_ns = parameters.integer("sync_timeout_ms") * 1_000_000;
    }

    fn flush(&mut self) -> Option<DetectionFrame> {
        while let Some(waiting) = self.waiting.pop_front() {
            if let Ok(Some(frame)) = self.complete(waiting.sweep, true) {
                return Some(frame);
            }
        }
        None
    }

    fn abandon(&mut self) {
        self.drop_waiting(DropReason::Shutdown);
    }
}

#[cfg(test)]
#[path = "intake_tests.rs"]
mod tests;
