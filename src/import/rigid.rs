//! Calibrations as matrices to poses.

use nalgebra::{Matrix3, Rotation3, Translation3, UnitQuaternion, Vector3};

use super::Pinhole;
use crate::geometry::{Box3d, Pose};

/// How far a rotation matrix may be from one: data sets print few digits.
const TOLERANCE: f64 = 1e-2;

/// A rotation from a row-major 3×3 matrix, made orthonormal; `None` when it is far from a rotation.
pub(super) fn rotation(rows: [f64; 9]) -> Option<UnitQuaternion<f64>> {
    let matrix = Matrix3::from_row_slice(&rows);
    let off = matrix * matrix.transpose() - Matrix3::identity();
    let is_rotation = off.iter().all(|value| value.abs() < TOLERANCE) && matrix.determinant() > 0.0;
    is_rotation.then(|| {
        let quaternion = UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix_unchecked(matrix));
        UnitQuaternion::new_normalize(quaternion.into_inner())
    })
}

/// A pose from the row-major 3×4 matrix [R|t]; `None` when R is far from a rotation.
pub(super) fn pose(rows: [f64; 12]) -> Option<Pose> {
    let [a, b, c, x, d, e, f, y, g, h, i, z] = rows;
    Some(Pose::from_parts(Translation3::new(x, y, z), rotation([a, b, c, d, e, f, g, h, i])?))
}

/// The camera behind the row-major 3×4 projection K [I|t], and the pose of the frame it projects from in the
/// camera's; `None` when it is no such projection.
pub(super) fn projection(rows: [f64; 12]) -> Option<(Pinhole, Pose)> {
    let [fx, skew, cx, px, zero, fy, cy, py, g, h, one, pz] = rows;
    let is_pinhole = skew == 0.0 && zero == 0.0 && g == 0.0 && h == 0.0 && one == 1.0;
    let lens = Pinhole::new([fx, fy, cx, cy]).filter(|_| is_pinhole)?;
    let t = Translation3::new((px - cx * pz) / fx, (py - cy * pz) / fy, pz);
    Some((lens, Pose::from_parts(t, UnitQuaternion::identity())))
}

/// An upright box from its centre and the direction that it faces, both in the same frame.
pub(super) fn upright(center: nalgebra::Point3<f64>, forward: Vector3<f64>, size: [f64; 3]) -> Box3d {
    Box3d { center, size: Vector3::from(size), yaw: forward.y.atan2(forward.x) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrices_become_poses_or_nothing() {
        // A quarter turn about z, printed with few digits.
        let found = pose([0.001, -1.0, 0.0, 1.0, 1.0, 0.001, 0.0, 2.0, 0.0, 0.0, 1.0, 3.0]).unwrap();
        let moved = found * nalgebra::Point3::new(1.0, 0.0, 0.0);
        assert!((moved - nalgebra::Point3::new(1.0, 3.0, 3.0)).norm() < 2e-3, "{moved}");
        assert!((found.rotation.norm() - 1.0).abs() < 1e-12);
        for bad in [[0.0; 9], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0], [f64::NAN; 9], [2.0; 9]] {
            assert_eq!(rotation(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_projection_holds_the_camera_and_its_offset() {
        let rows = [700.0, 0.0, 600.0, 45.5, 0.0, 710.0, 170.0, -0.3, 0.0, 0.0, 1.0, 0.005];
        let (lens, offset) = projection(rows).unwrap();
        assert_eq!((lens.fx, lens.fy, lens.cx, lens.cy), (700.0, 710.0, 600.0, 170.0));
        let p = offset * nalgebra::Point3::new(1.0, 2.0, 10.0);
        // Both ways to the pixel agree.
        let w = 10.0 + 0.005;
        assert!((lens.fx * p.x / p.z + lens.cx - (700.0 + 6000.0 + 45.5) / w).abs() < 1e-9);
        assert!((lens.fy * p.y / p.z + lens.cy - (1420.0 + 1700.0 - 0.3) / w).abs() < 1e-9);
        assert_eq!(projection([0.0; 12]), None);
    }
}
