//! The robot's pose as messages.

use glam::{DQuat, DVec3, Vec3};

use crate::message::{
    Header, Odometry, Point, Pose, PoseWithCovariance, Quaternion, Stamp, TFMessage, Transform,
    TransformStamped, Twist, TwistWithCovariance, Vector3,
};
use crate::sim::{Placement, Simulation};

/// Over this the velocity of the odometry is taken, seconds.
const STEP_S: f64 = 0.005;

/// A placement as a ROS transform.
pub(super) fn transform(placement: &Placement) -> Transform {
    let (p, q) = (position(placement), rotation(placement));
    Transform { translation: Vector3 { x: p.x, y: p.y, z: p.z }, rotation: q }
}

/// A placement as a ROS pose.
pub(super) fn pose(placement: &Placement) -> Pose {
    let p = position(placement);
    Pose { position: Point { x: p.x, y: p.y, z: p.z }, orientation: rotation(placement) }
}

/// `odom` → `base_link` at a time.
pub(super) fn moving(simulation: &Simulation, time_s: f64, stamp: Stamp) -> TFMessage<'static> {
    TFMessage {
        transforms: vec![TransformStamped {
            header: Header { stamp, frame_id: "odom" },
            child_frame_id: "base_link",
            transform: transform(&simulation.base(time_s)),
        }],
    }
}

/// `base_link` → the sensors. `radar_frames` holds one name for each radar.
pub(super) fn fixed<'a>(simulation: &Simulation, stamp: Stamp, radar_frames: &'a [String]) -> TFMessage<'a> {
    let mounts = &simulation.mounts;
    let frames = ["camera_optical_frame", "lidar"].into_iter().chain(radar_frames.iter().map(String::as_str));
    let placements = [&mounts.camera, &mounts.lidar].into_iter().chain(&mounts.radars);
    TFMessage {
        transforms: frames
            .zip(placements)
            .map(|(child_frame_id, placement)| TransformStamped {
                header: Header { stamp, frame_id: "base_link" },
                child_frame_id,
                transform: transform(placement),
            })
            .collect(),
    }
}

/// The exact odometry.
pub(super) fn odometry(simulation: &Simulation, time_s: f64, stamp: Stamp) -> Odometry<'static> {
    let (before, now, after) =
        (simulation.base(time_s - STEP_S), simulation.base(time_s), simulation.base(time_s + STEP_S));
    let span = (2.0 * STEP_S) as f32;
    let back = now.rotation.inverse();
    let linear = back * (after.position - before.position) / span;
    let angular = (before.rotation.inverse() * after.rotation).to_scaled_axis() / span;
    let vector = |v: Vec3| Vector3 { x: v.x.into(), y: v.y.into(), z: v.z.into() };
    Odometry {
        header: Header { stamp, frame_id: "odom" },
        child_frame_id: "base_link",
        pose: PoseWithCovariance { pose: pose(&now), covariance: [0.0; 36] },
        twist: TwistWithCovariance {
            twist: Twist { linear: vector(linear.into()), angular: vector(angular) },
            covariance: [0.0; 36],
        },
    }
}

fn position(placement: &Placement) -> DVec3 {
    Vec3::from(placement.position).as_dvec3()
}

/// Normalised again in double precision, as readers check the length.
fn rotation(placement: &Placement) -> Quaternion {
    let q: DQuat = placement.rotation.as_dquat().normalize();
    Quaternion { x: q.x, y: q.y, z: q.z, w: q.w }
}
