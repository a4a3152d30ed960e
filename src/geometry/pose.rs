//! Rigid transforms between frames.

use nalgebra::{Isometry3, Quaternion, Translation3, UnitQuaternion};

/// A rigid transform `t_target_source`: maps points of the source frame into the target frame, metres.
pub type Pose = Isometry3<f64>;

/// The shortest quaternion taken as a rotation; an unset one is all zero.
const MIN_NORM: f64 = 1e-3;

/// Why numbers are no pose.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PoseError {
    /// NaN or infinite component.
    #[error(
        "expected finite translation and rotation, found translation {translation:?}, rotation {rotation:?}"
    )]
    NotFinite {
        /// x, y, z, metres.
        translation: [f64; 3],
        /// x, y, z, w.
        rotation: [f64; 4],
    },
    /// The quaternion is too short to name a rotation.
    #[error("expected a unit quaternion, found {rotation:?} of norm {norm}")]
    NoRotation {
        /// x, y, z, w.
        rotation: [f64; 4],
        /// Its length.
        norm: f64,
    },
}

/// A pose from a message's translation (x, y, z, metres) and quaternion (x, y, z, w), which is normalised.
pub fn pose_from_parts(translation: [f64; 3], rotation: [f64; 4]) -> Result<Pose, PoseError> {
    let [x, y, z, w] = rotation;
    let quaternion = Quaternion::new(w, x, y, z);
    let norm = quaternion.norm();
    if !translation.iter().chain(&rotation).all(|value| value.is_finite()) || !norm.is_finite() {
        return Err(PoseError::NotFinite { translation, rotation });
    }
    if norm < MIN_NORM {
        return Err(PoseError::NoRotation { rotation, norm });
    }
    Ok(Pose::from_parts(Translation3::from(translation), UnitQuaternion::new_normalize(quaternion)))
}

/// The pose of a frame turned by `yaw` about z (radians, counter-clockwise), its origin at `translation`.
pub fn pose_from_yaw(translation: [f64; 3], yaw: f64) -> Pose {
    Pose::from_parts(Translation3::from(translation), UnitQuaternion::from_euler_angles(0.0, 0.0, yaw))
}

/// Translation (x, y, z) and quaternion (x, y, z, w), as messages carry them.
pub fn pose_to_parts(pose: &Pose) -> ([f64; 3], [f64; 4]) {
    let t = pose.translation.vector;
    let q = pose.rotation.coords;
    ([t.x, t.y, t.z], [q.x, q.y, q.z, q.w])
}

#[cfg(test)]
mod tests {
    use super::{PoseError, pose_from_parts, pose_from_yaw, pose_to_parts};

    #[test]
    fn unusable_numbers_are_refused() {
        assert!(matches!(pose_from_parts([0.0; 3], [0.0; 4]), Err(PoseError::NoRotation { .. })));
        for bad in [f64::NAN, f64::INFINITY, f64::MAX] {
            assert!(pose_from_parts([0.0; 3], [bad, 0.0, 0.0, bad]).is_err());
        }
        assert!(pose_from_parts([f64::NAN, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]).is_err());
    }

    #[test]
    fn a_quaternion_is_normalised_and_parts_round_trip() {
        let pose = pose_from_parts([1.0, 2.0, 3.0], [0.0, 0.0, 2.0, 2.0]).unwrap();
        assert!((pose.rotation.angle() - std::f64::consts::FRAC_PI_2).abs() < 1e-12);
        let (translation, rotation) = pose_to_parts(&pose);
        let back = pose_from_parts(translation, rotation).unwrap();
        assert_eq!(back.translation, pose.translation);
        assert!(back.rotation.angle_to(&pose.rotation) < 1e-7);
        let turned =
            pose_from_yaw([0.0; 3], std::f64::consts::FRAC_PI_2) * nalgebra::Point3::new(1.0, 0.0, 0.0);
        assert!((turned - nalgebra::Point3::new(0.0, 1.0, 0.0)).norm() < 1e-12);
    }
}
