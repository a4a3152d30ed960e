//! A wrong extrinsic calibration.
//!
//! The error is a small transform of the sensor's frame, the same over the recording. What is wrong with a
//! real calibration is the number in it, so `/tf_static` is changed where the frame is a child there: the
//! points stay as they were measured, and truth in the sensor's own frame stays true. Frames that hang from
//! the sensor's get the inverse, so that only this sensor is off. Where `/tf_static` has no such frame, the
//! points are moved as if their sensor sat elsewhere, to the same effect in every other frame.

use nalgebra::{Isometry3, Translation3, UnitQuaternion, Vector3};

use super::super::cloud_edit::Changes;
use super::super::draw::{Draws, TopicDraws};
use super::{LidarModel, Sweep};
use crate::geometry::{Pose, pose_from_parts, pose_to_parts};
use crate::message::{Quaternion, TFMessage, Transform, Vector3 as MessageVector};

/// Translation, metres, and rotation, radians: √3 times the standard deviation along each axis of the spatial
/// misalignment of Dong et al., CVPR 2023 (0.04 to 0.20 m, 0.004 to 0.020 rad), in a random direction.
pub const OFFSETS: [Offset; 5] = [
    Offset { translation_m: 0.07, rotation_rad: 0.007 },
    Offset { translation_m: 0.14, rotation_rad: 0.014 },
    Offset { translation_m: 0.21, rotation_rad: 0.021 },
    Offset { translation_m: 0.28, rotation_rad: 0.028 },
    Offset { translation_m: 0.35, rotation_rad: 0.035 },
];

/// How far a calibration is off.
#[derive(Clone, Copy, Debug)]
pub struct Offset {
    /// Length of the translation, metres
    pub translation_m: f64,
    /// Angle of the rotation, radians
    pub rotation_rad: f64,
}

/// The error of one frame's calibration: maps points of the true sensor frame to where the calibration puts
/// them in it.
pub fn calibration_error(offset: Offset, draws: TopicDraws) -> Pose {
    let mut random = draws.lasting().at(0);
    let mut direction = || {
        let vector = Vector3::from_fn(|_, _| f64::from(random.normal()));
        vector.try_normalize(1e-9).unwrap_or_else(Vector3::x)
    };
    let translation = direction() * offset.translation_m;
    let rotation = direction() * offset.rotation_rad;
    Isometry3::from_parts(Translation3::from(translation), UnitQuaternion::from_scaled_axis(rotation))
}

/// Puts `error` into the transforms of `frame`; whether any was there. Transforms that are none stay.
pub fn misalign(message: &mut TFMessage<'_>, frame: &str, error: &Pose) -> bool {
    let mut changed = false;
    for transform in &mut message.transforms {
        let is = |name: &str| name.trim_start_matches('/') == frame.trim_start_matches('/');
        let Transform { translation: t, rotation: r } = transform.transform;
        let Ok(pose) = pose_from_parts([t.x, t.y, t.z], [r.x, r.y, r.z, r.w]) else { continue };
        let pose = if is(transform.child_frame_id) {
            pose * error
        } else if is(transform.header.frame_id) {
            error.inverse() * pose
        } else {
            continue;
        };
        let ([x, y, z], [qx, qy, qz, qw]) = pose_to_parts(&pose);
        transform.transform = Transform {
            translation: MessageVector { x, y, z },
            rotation: Quaternion { x: qx, y: qy, z: qz, w: qw },
        };
        changed = true;
    }
    changed
}

/// Points moved as if the sensor sat elsewhere.
pub struct MovedPoints(pub Pose);

impl LidarModel for MovedPoints {
    fn apply(&mut self, sweep: &Sweep<'_, '_>, _: Draws, changes: &mut Changes<'_>) {
        let error: Isometry3<f32> = self.0.cast();
        for i in sweep.returns() {
            let moved = error * nalgebra::Point3::from(sweep.position(i));
            changes.move_to(i, [moved.x, moved.y, moved.z]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{applied, wall};
    use super::*;
    use crate::message::{Header, TransformStamped};

    fn error(level: usize) -> Pose {
        calibration_error(OFFSETS[level], TopicDraws::new(5, "lidar-misalignment", "lidar"))
    }

    fn stamped(parent: &'static str, child_frame_id: &'static str, x: f64) -> TransformStamped<'static> {
        TransformStamped {
            header: Header { frame_id: parent, ..Header::default() },
            child_frame_id,
            transform: Transform { translation: MessageVector { x, y: 0.0, z: 1.0 }, ..Transform::default() },
        }
    }

    fn pose(transform: &TransformStamped<'_>) -> Pose {
        let Transform { translation: t, rotation: r } = transform.transform;
        pose_from_parts([t.x, t.y, t.z], [r.x, r.y, r.z, r.w]).unwrap()
    }

    #[test]
    fn the_error_is_as_large_as_its_severity_says() {
        for (level, offset) in OFFSETS.iter().enumerate() {
            let error = error(level);
            assert!((error.translation.vector.norm() - offset.translation_m).abs() < 1e-9);
            assert!((error.rotation.angle() - offset.rotation_rad).abs() < 1e-9);
        }
    }

    #[test]
    fn only_the_sensor_is_off() {
        let clean = TFMessage {
            transforms: vec![
                stamped("base", "lidar", 0.5),
                stamped("lidar", "radar", 0.2),
                stamped("base", "camera", 0.1),
            ],
        };
        let mut wrong = clean.clone();
        assert!(misalign(&mut wrong, "/lidar", &error(2)));
        let [lidar, radar, camera] =
            [0, 1, 2].map(|i| (pose(&clean.transforms[i]), pose(&wrong.transforms[i])));
        assert!((lidar.0.inverse() * lidar.1).rotation.angle_to(&error(2).rotation) < 1e-9);
        let (before, after) = (lidar.0 * radar.0, lidar.1 * radar.1);
        assert!((before.inverse() * after).translation.vector.norm() < 1e-9, "the radar stays in the base");
        assert_eq!(camera.0, camera.1);
        assert!(!misalign(&mut wrong, "elsewhere", &error(2)));
    }

    #[test]
    fn moved_points_are_where_the_wrong_transform_puts_them() {
        let (before, error) = (wall(50, 10.0, 0.5), error(4));
        let mut tf = TFMessage { transforms: vec![stamped("base", "lidar", 0.5)] };
        let right = pose(&tf.transforms[0]);
        misalign(&mut tf, "lidar", &error);
        let after = applied(&mut MovedPoints(error), &before, 0);
        for (a, b) in before.iter().zip(&after) {
            let by_tf = pose(&tf.transforms[0]) * nalgebra::Point3::from(a.position.map(f64::from));
            let by_points = right * nalgebra::Point3::from(b.position.map(f64::from));
            assert!((by_tf - by_points).norm() < 1e-4);
        }
    }
}
