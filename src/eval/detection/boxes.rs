//! Boxes as metrics see them.

use crate::geometry::Box3d;

/// A truth box or a detection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EvalBox {
    /// Index into [`super::EvalClasses`].
    pub class: u16,
    /// In the frame that truth and detections share; metres, radians.
    pub box3d: Box3d,
    /// Detections: finite, higher is surer. Truth: not looked at.
    pub score: f64,
    /// Along x and y of the same frame, m/s; NaN where it is not known.
    pub velocity_mps: [f64; 2],
    /// Distance of the centre from the LiDAR seen from above, metres.
    pub range_m: f64,
}

impl EvalBox {
    /// Distance of the centres seen from above, metres.
    pub(super) fn center_distance_m(&self, other: &Self) -> f64 {
        let d = self.box3d.center - other.box3d.center;
        (d.x * d.x + d.y * d.y).sqrt()
    }

    /// Overlap of the sizes, as if centres and headings were the same: 0..=1.
    pub(super) fn size_iou(&self, other: &Self) -> f64 {
        let (a, b) = (self.box3d.size, other.box3d.size);
        let common = a.inf(&b).product();
        common / (a.product() + b.product() - common)
    }

    /// Difference of the headings, 0 to half of `period`, radians.
    pub(super) fn heading_difference(&self, other: &Self, period: f64) -> f64 {
        ((self.box3d.yaw - other.box3d.yaw + period / 2.0).rem_euclid(period) - period / 2.0).abs()
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::{PI, TAU};

    use nalgebra::{Point3, Vector3};

    use super::*;

    fn boxed(size: [f64; 3], yaw: f64) -> EvalBox {
        let box3d = Box3d { center: Point3::origin(), size: Vector3::from(size), yaw };
        EvalBox { class: 0, box3d, score: 1.0, velocity_mps: [f64::NAN; 2], range_m: 0.0 }
    }

    #[test]
    fn headings_differ_by_half_a_period_at_most() {
        let unit = [1.0; 3];
        for (a, b, period, expected) in [
            (3.0, -3.0, TAU, TAU - 6.0),
            (0.0, PI, TAU, PI),
            (0.1, PI, PI, 0.1),
            (50.0, 50.0 + 3.0 * TAU, TAU, 0.0),
        ] {
            let found = boxed(unit, a).heading_difference(&boxed(unit, b), period);
            assert!((found - expected).abs() < 1e-9, "{a} {b}: {found}");
        }
    }

    #[test]
    fn sizes_overlap_as_boxes_on_one_centre() {
        let (a, b) = (boxed([4.0, 2.0, 1.0], 0.0), boxed([2.0, 2.0, 2.0], 1.0));
        assert!((a.size_iou(&b) - 4.0 / 12.0).abs() < 1e-12);
        assert_eq!(a.size_iou(&a), 1.0);
    }
}
