//! What a radar sent, and how it moved.

use std::sync::Arc;

use crate::geometry::{Pose, TransformBuffer};
use crate::message::{CdrError, LendCloud, RadarScan, Stamp, from_cdr};

/// The frame in which the world stands still (REP-105).
pub(super) const FIXED_FRAME: &str = "odom";
/// Time over which a radar's velocity is taken, nanoseconds.
const VELOCITY_NS: i64 = 100_000_000;

/// A radar's message as it came.
#[derive(Clone)]
pub enum RadarPayload {
    /// `sensor_msgs/PointCloud2`
    Cloud(Arc<dyn LendCloud>),
    /// `radar_msgs/RadarScan` as CDR
    Scan(Arc<[u8]>),
}

impl RadarPayload {
    /// Stamp and frame of the message.
    pub(super) fn stamp_and_frame(&self) -> Result<(Stamp, String), CdrError> {
        let header = match self {
            Self::Cloud(cloud) => cloud.cloud()?.header,
            Self::Scan(bytes) => from_cdr::<RadarScan<'_>>(bytes)?.header,
        };
        Ok((header.stamp, header.frame_id.to_owned()))
    }
}

/// A radar's message and where the radar was when it measured.
pub struct RadarMessage {
    /// The cloud or scan
    pub payload: RadarPayload,
    /// Radar frame into the camera's optical frame
    pub t_camera_radar: Pose,
    /// Velocity of the radar in its own frame, m/s, where odometry tells it
    pub velocity_mps: Option<[f32; 3]>,
    /// The scans before, newest first
    pub earlier: Vec<EarlierScan>,
}

/// A scan before that of the frame.
pub struct EarlierScan {
    /// The cloud or scan
    pub payload: RadarPayload,
    /// Radar frame, where the radar was then, into the camera's optical frame
    pub t_camera_radar: Pose,
    /// Velocity of the radar in its own frame, m/s
    pub velocity_mps: [f32; 3],
}

/// A received message and the frame it is in.
pub(super) struct RadarReception {
    pub payload: RadarPayload,
    pub frame_id: String,
}

/// Velocity of frame `radar` in itself, m/s, from its way through `odom` up to `stamp`; `None` where tf does not
/// tell that.
pub(super) fn velocity_mps(transforms: &TransformBuffer, radar: &str, stamp: Stamp) -> Option<[f32; 3]> {
    let before = stamp.offset_ns(-VELOCITY_NS);
    let way = transforms.lookup_between(radar, stamp, radar, before, FIXED_FRAME).ok()?;
    // Where it came from, seen from where it is.
    let t = way.translation.vector / (-1e-9 * VELOCITY_NS as f64);
    Some([t.x as f32, t.y as f32, t.z as f32])
}
