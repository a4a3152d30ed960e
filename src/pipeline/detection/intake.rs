//! Keeps the sweeps that wait for the model, and finds where the LiDAR was.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::geometry::{Pose, TransformBuffer};
use crate::message::{LendCloud, Stamp};
use crate::pipeline::{
    Accounting, Intake, Pacing, ParameterSet, SensorInput, TransformsError, insert_transforms,
};
use crate::sync::DropReason;

/// Sweeps that wait at once in lockstep; their transforms arrive within the time-out.
const LOCKSTEP_PENDING: usize = 64;
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
}

struct Waiting {
    stamp: Stamp,
    frame_id: String,
    cloud: Arc<dyn LendCloud>,
    since: Stamp,
}

/// Intake of the detection pipeline.
pub struct DetectionIntake {
    waiting: VecDeque<Waiting>,
    capacity: usize,
    last_stamp: Option<Stamp>,
    output_frame: String,
    timeout_ns: i64,
    transforms: TransformBuffer,
    accounting: Arc<Mutex<Accounting>>,
}

impl DetectionIntake {
    /// An intake for checked parameters.
    pub fn new(parameters: &ParameterSet, pacing: Pacing, accounting: Arc<Mutex<Accounting>>) -> Self {
        Self {
            waiting: VecDeque::new(),
            capacity: match pacing {
                Pacing::KeepLatest => 1,
                Pacing::Lockstep => LOCKSTEP_PENDING,
            },
            last_stamp: None,
            output_frame: parameters.string("output_frame").trim_start_matches('/').to_owned(),
            timeout_ns: parameters.integer("sync_timeout_ms") * 1_000_000,
            transforms: TransformBuffer::new(),
            accounting,
        }
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
        self.account().receive();
        let header = cloud.cloud().map(|view| (view.header.stamp, view.header.frame_id.to_owned()));
        let (stamp, frame_id) = match header {
            Ok(header) => header,
            Err(error) => {
                self.account().drop_frame(DropReason::Undecodable);
                return self.problem("lidar/points", &error.to_string(), true);
            }
        };
        self.account().input("lidar/points", stamp);
        if stamp.is_zero() {
            self.account().drop_frame(DropReason::BadStamp);
            return self.problem("lidar/points", DropReason::BadStamp.explain(), false);
        }
        if let Some(last) = self.last_stamp {
            let back_ns = last.since_ns(stamp);
            if back_ns > TIME_JUMP_NS {
                self.drop_waiting(DropReason::TimeJump);
            } else if back_ns >= 0 {
                self.account().drop_frame(DropReason::OutOfOrder);
                return self.problem("lidar/points", DropReason::OutOfOrder.explain(), false);
            }
        }
        self.last_stamp = Some(stamp);
        if self.waiting.len() >= self.capacity && self.waiting.pop_front().is_some() {
            self.account().drop_frame(DropReason::Superseded);
        }
        self.waiting.push_back(Waiting { stamp, frame_id, cloud, since: now });
    }

    fn drop_waiting(&mut self, reason: DropReason) {
        while self.waiting.pop_front().is_some() {
            self.account().drop_frame(reason);
        }
    }

    /// The oldest waiting sweep with its transform; waits for that unless it is the `last_call`.
    fn next(&mut self, now: Option<Stamp>) -> Option<DetectionFrame> {
        loop {
            let oldest = self.waiting.front()?;
            let same_frame =
                self.output_frame.is_empty() || oldest.frame_id.trim_start_matches('/') == self.output_frame;
            let pose = if same_frame {
                Ok(None)
            } else {
                self.transforms.lookup(&self.output_frame, &oldest.frame_id, oldest.stamp).map(Some)
            };
            if pose.is_err()
                && let Some(now) = now
                && (0..self.timeout_ns).contains(&now.since_ns(oldest.since))
            {
                return None;
            }
            let Waiting { stamp, frame_id, cloud, .. } = self.waiting.pop_front()?;
            match pose {
                Ok(t_output_cloud) => {
                    let frame_id = if same_frame { frame_id } else { self.output_frame.clone() };
                    return Some(DetectionFrame { stamp, frame_id, cloud, t_output_cloud });
                }
                Err(error) => {
                    self.account().drop_frame(DropReason::NoTransform);
                    self.problem("lidar/points", &error.to_string(), false);
                }
            }
        }
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
            | SensorInput::Radar(..) => {}
        }
    }

    fn poll(&mut self, now: Stamp) -> Option<DetectionFrame> {
        self.next(Some(now))
    }

    fn flush(&mut self) -> Option<DetectionFrame> {
        self.next(None)
    }

    fn abandon(&mut self) {
        self.drop_waiting(DropReason::Shutdown);
    }
}
