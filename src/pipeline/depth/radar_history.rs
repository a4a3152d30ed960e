//! The scans before the one of a frame, and how the radar moved since.

use std::collections::VecDeque;
use std::sync::Arc;

use super::MAX_RADARS;
use super::radar_input::{EarlierScan, FIXED_FRAME, RadarReception, velocity_mps};
use crate::geometry::{Pose, TransformBuffer, TransformError};
use crate::message::Stamp;

/// Scans kept of a radar: the most that can be asked for, and those that come while an image waits.
const KEPT: usize = 32;
/// Older scans show another place, nanoseconds.
const OLDEST_NS: i64 = 1_000_000_000;

/// The last scans of every radar.
#[derive(Default)]
pub(super) struct RadarHistory {
    /// Scans of a frame, the one at its stamp included; 1 asks for no history
    scans: usize,
    kept: [VecDeque<(Stamp, Arc<RadarReception>)>; MAX_RADARS],
}

impl RadarHistory {
    /// Keeps what frames of `scans` scans need.
    pub fn new(scans: usize) -> Self {
        Self { scans: scans.clamp(1, KEPT), ..Self::default() }
    }

    /// Takes a changed number of scans over.
    pub fn resize(&mut self, scans: usize) {
        self.scans = scans.clamp(1, KEPT);
    }

    /// Keeps a scan. One that is not newer than the last starts a new recording.
    pub fn offer(&mut self, radar: usize, stamp: Stamp, reception: &Arc<RadarReception>) {
        if self.scans < 2 {
            return;
        }
        let Some(kept) = self.kept.get_mut(radar) else { return };
        if kept.back().is_some_and(|(last, _)| last.since_ns(stamp) >= OLDEST_NS) {
            kept.clear();
        }
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back((stamp, Arc::clone(reception)));
    }

    /// The scans before that of `stamp`, newest first, placed in the camera by `t_camera_radar`, where the radar
    /// was at `stamp`, and by its way from there. Without odometry there are none; an error says that the way
    /// up to `stamp` is not known, maybe not yet.
    pub fn before(
        &self,
        radar: usize,
        stamp: Stamp,
        t_camera_radar: &Pose,
        transforms: &TransformBuffer,
    ) -> Result<Vec<EarlierScan>, TransformError> {
        let Some(kept) = self.kept.get(radar).filter(|_| self.scans > 1 && transforms.knows(FIXED_FRAME))
        else {
            return Ok(Vec::new());
        };
        let earlier = kept.iter().rev().filter(|(at, _)| (1..=OLDEST_NS).contains(&stamp.since_ns(*at)));
        let mut scans = Vec::with_capacity(self.scans - 1);
        for (at, reception) in earlier.take(self.scans - 1) {
            let frame = reception.frame_id.as_str();
            let way = match transforms.lookup_between(frame, stamp, frame, *at, FIXED_FRAME) {
                Ok(way) => way,
                // The present is not known yet; of the past more will never be known.
                Err(error) if scans.is_empty() => return Err(error),
                Err(_) => break,
            };
            let Some(velocity_mps) = velocity_mps(transforms, frame, *at) else { break };
            let payload = reception.payload.clone();
            scans.push(EarlierScan { payload, t_camera_radar: t_camera_radar * way, velocity_mps });
        }
        Ok(scans)
    }
}
