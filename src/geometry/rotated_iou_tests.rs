//! Overlap against exact cases and against `geo`.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI, SQRT_2};

use geo::{Area, BooleanOps, LineString, Polygon};
use nalgebra::{Point3, Vector3};
use proptest::prelude::*;

use super::{iou_3d, rotated_iou_bev};
use crate::geometry::{Box3d, pose_from_yaw};

fn upright(center: [f64; 3], size: [f64; 3], yaw: f64) -> Box3d {
    Box3d { center: Point3::from(center), size: Vector3::from(size), yaw }
}

fn boxes() -> impl Strategy<Value = Box3d> {
    let center = prop::array::uniform3(-4.0..4.0_f64);
    let size = prop::array::uniform3(0.1..6.0_f64);
    (center, size, -7.0..7.0_f64).prop_map(|(center, size, yaw)| upright(center, size, yaw))
}

#[test]
fn exact_cases() {
    let unit = upright([0.0; 3], [1.0; 3], 0.0);
    let half = upright([0.5, 0.0, 0.0], [1.0; 3], 0.0);
    let turned = upright([0.0; 3], [1.0; 3], FRAC_PI_4);
    // The octagon common to a unit square and itself turned by 45° has area 2(√2 − 1).
    let octagon = 2.0 * (SQRT_2 - 1.0);
    for (a, b, expected) in [
        (unit, unit, 1.0),
        (unit, half, 1.0 / 3.0),
        (unit, turned, octagon / (2.0 - octagon)),
        (unit, upright([0.0; 3], [1.0; 3], FRAC_PI_2), 1.0),
        (unit, upright([1.0, 0.0, 0.0], [1.0; 3], 0.0), 0.0),
        (unit, upright([0.0; 3], [0.5; 3], 0.3), 0.25),
    ] {
        assert!((rotated_iou_bev(&a, &b) - expected).abs() < 1e-12, "{a:?} {b:?}");
    }
    assert!((iou_3d(&unit, &upright([0.0, 0.0, 0.5], [1.0; 3], PI)) - 1.0 / 3.0).abs() < 1e-12);
    assert_eq!(iou_3d(&unit, &upright([0.0, 0.0, 2.0], [1.0; 3], 0.0)), 0.0);
}

#[test]
fn degenerate_and_non_finite_boxes_have_no_overlap() {
    let unit = upright([0.0; 3], [1.0; 3], 0.0);
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        for axis in 0..3 {
            let mut other = unit;
            other.size[axis] = bad;
            assert_eq!(iou_3d(&unit, &other), 0.0);
            assert_eq!(iou_3d(&other, &other), 0.0);
        }
    }
    assert_eq!(rotated_iou_bev(&unit, &upright([0.0; 3], [1.0; 3], f64::NAN)), 0.0);
    assert_eq!(rotated_iou_bev(&unit, &upright([f64::NAN, 0.0, 0.0], [1.0; 3], 0.0)), 0.0);
}

proptest! {
    #[test]
    fn symmetric_one_with_itself_and_the_same_anywhere(
        a in boxes(), b in boxes(), shift in prop::array::uniform3(-5000.0..5000.0_f64), turn in -7.0..7.0_f64,
    ) {
        prop_assert!((rotated_iou_bev(&a, &a) - 1.0).abs() < 1e-9);
        prop_assert!((iou_3d(&a, &a) - 1.0).abs() < 1e-9);
        let moved = |x: &Box3d| Box3d { center: pose_from_yaw(shift, turn) * x.center, yaw: x.yaw + turn, ..*x };
        for iou in [rotated_iou_bev, iou_3d] {
            prop_assert!((iou(&a, &b) - iou(&b, &a)).abs() < 1e-9);
            prop_assert!((iou(&a, &b) - iou(&moved(&a), &moved(&b))).abs() < 1e-7);
        }
    }

    #[test]
    fn agrees_with_geo(a in boxes(), b in boxes()) {
        let polygon = |x: &Box3d| {
            let ring: LineString = x.corners_bev().iter().map(|p| (p.x, p.y)).collect();
            Polygon::new(ring, vec![])
        };
        let common = polygon(&a).intersection(&polygon(&b)).unsigned_area();
        let expected = common / (a.area_bev() + b.area_bev() - common);
        prop_assert!((rotated_iou_bev(&a, &b) - expected).abs() < 1e-5);
    }

    #[test]
    fn a_box_contains_its_own_inside_only(b in boxes(), at in prop::array::uniform3(-1.0..1.0_f64)) {
        let inside = b.size.component_mul(&Vector3::from(at)) * 0.499;
        let pose = pose_from_yaw(b.center.coords.into(), b.yaw);
        prop_assert!(b.contains(&(pose * Point3::from(inside))));
        prop_assert!(!b.contains(&(pose * Point3::new(b.size.x * 0.501, inside.y, inside.z))));
        prop_assert!(!b.contains(&(pose * Point3::new(inside.x, b.size.y * 0.501, inside.z))));
    }
}
