//! Rules of the buffer, and its arithmetic against nalgebra.

use nalgebra::{Translation3, UnitQuaternion, Vector3};
use proptest::prelude::*;

use super::{MAX_FRAMES, MAX_SAMPLES, TransformBuffer};
use crate::geometry::{Pose, TransformError};
use crate::message::Stamp;

const S: i64 = 1_000_000_000;

fn along_x(x: f64) -> Pose {
    Pose::translation(x, 0.0, 0.0)
}

fn moving(samples: &[(i64, f64)]) -> TransformBuffer {
    let mut buffer = TransformBuffer::new();
    for &(ns, x) in samples {
        buffer.insert("odom", "base", &along_x(x), Stamp(ns), false).unwrap();
    }
    buffer
}

fn x_at(buffer: &TransformBuffer, ns: i64) -> f64 {
    buffer.lookup("odom", "base", Stamp(ns)).unwrap().translation.x
}

#[test]
fn interpolates_between_samples_and_never_beyond() {
    let buffer = moving(&[(S, 1.0), (3 * S, 3.0)]);
    assert_eq!(x_at(&buffer, S), 1.0);
    assert!((x_at(&buffer, 2 * S) - 2.0).abs() < 1e-12);
    let early = buffer.lookup("odom", "base", Stamp(S - 1)).unwrap_err();
    assert!(matches!(&early, TransformError::TooEarly { start: Stamp(S), .. }) && !early.may_arrive());
    let late = buffer.lookup("odom", "base", Stamp(3 * S + 1)).unwrap_err();
    assert!(matches!(&late, TransformError::TooLate { .. }) && late.may_arrive());
    let zero = buffer.lookup("odom", "base", Stamp(0));
    assert!(matches!(zero, Err(TransformError::TooEarly { .. })), "zero is not \"latest\"");
}

#[test]
fn static_transforms_hold_always_and_slashes_do_not_matter() {
    let mut buffer = moving(&[(S, 1.0)]);
    buffer.insert("/base", "/camera", &along_x(2.0), Stamp(0), true).unwrap();
    assert_eq!(buffer.lookup("base", "/camera", Stamp(-5)).unwrap(), along_x(2.0));
    assert_eq!(buffer.lookup("/odom", "camera", Stamp(S)).unwrap(), along_x(3.0));
    assert_eq!(buffer.lookup("camera", "odom", Stamp(S)).unwrap(), along_x(-3.0));
    assert_eq!(buffer.lookup("nowhere", "/nowhere", Stamp(1)).unwrap(), Pose::identity());
}

#[test]
fn what_makes_no_tree_is_refused_and_named() {
    let mut buffer = moving(&[(S, 1.0)]);
    let long = "x".repeat(257);
    let mut insert = |parent, child, stamp, is_static| {
        buffer.insert(parent, child, &along_x(1.0), Stamp(stamp), is_static)
    };
    assert_eq!(insert("", "a", S, false), Err(TransformError::EmptyFrame));
    assert_eq!(insert("a", "/", S, false), Err(TransformError::EmptyFrame));
    assert!(matches!(insert(&long, "a", S, true), Err(TransformError::LongFrame { .. })));
    assert!(matches!(insert("a", "/a", S, false), Err(TransformError::Cycle { .. })));
    assert!(matches!(insert("base", "odom", S, false), Err(TransformError::Cycle { .. })));
    assert!(matches!(insert("map", "base", S, false), Err(TransformError::OtherParent { .. })));
    assert!(matches!(insert("odom", "base", S, true), Err(TransformError::StaticAndMoving { .. })));
    assert!(matches!(insert("odom", "base", 0, false), Err(TransformError::Unstamped { .. })));
    let broken = Pose::translation(f64::NAN, 0.0, 0.0);
    let refused = buffer.insert("odom", "base", &broken, Stamp(2 * S), false);
    assert!(matches!(refused, Err(TransformError::BadPose { .. })));
    assert_eq!(x_at(&buffer, S), 1.0, "refusals leave what was there");
}

#[test]
fn a_jump_back_forgets_what_moved_after_it_and_nothing_else() {
    let mut buffer = moving(&[(5 * S, 1.0), (6 * S, 2.0)]);
    buffer.insert("base", "lidar", &along_x(2.0), Stamp(0), true).unwrap();
    buffer.insert("base", "arm", &along_x(3.0), Stamp(S), false).unwrap();
    assert!(
        ["odom", "/base", "lidar", "arm"].iter().all(|frame| buffer.knows(frame)) && !buffer.knows("map")
    );
    buffer.forget_after(Stamp(2 * S));
    assert!(!buffer.knows("odom"));
    assert_eq!(buffer.lookup("base", "lidar", Stamp(9)).unwrap(), along_x(2.0));
    assert_eq!(buffer.lookup("base", "arm", Stamp(S)).unwrap(), along_x(3.0));
    buffer.insert("odom", "base", &along_x(7.0), Stamp(2 * S), false).unwrap();
    assert_eq!(buffer.lookup("odom", "lidar", Stamp(2 * S)).unwrap(), along_x(9.0));
}

#[test]
fn unknown_and_unconnected_frames_are_told_apart() {
    let mut buffer = moving(&[(S, 1.0)]);
    buffer.insert("other", "thing", &along_x(1.0), Stamp(0), true).unwrap();
    let unknown = buffer.lookup("odom", "lidar", Stamp(S)).unwrap_err();
    assert_eq!(unknown, TransformError::UnknownFrame { frame: "lidar".into() });
    let apart = buffer.lookup("odom", "thing", Stamp(S)).unwrap_err();
    assert!(matches!(&apart, TransformError::Unconnected { .. }) && apart.may_arrive());
    buffer.clear();
    assert!(matches!(buffer.lookup("odom", "base", Stamp(S)), Err(TransformError::UnknownFrame { .. })));
}

#[test]
fn a_publisher_that_restarts_in_the_past_is_followed() {
    let mut buffer = moving(&[(100 * S, 1.0), (101 * S, 2.0)]);
    for (back, x) in [(5, 10.0), (6, 11.0)] {
        buffer.insert("odom", "base", &along_x(x), Stamp(back * S), false).unwrap();
    }
    assert!((x_at(&buffer, 5 * S + S / 2) - 10.5).abs() < 1e-12);
    assert!(matches!(buffer.lookup("odom", "base", Stamp(100 * S)), Err(TransformError::TooLate { .. })));
}

#[test]
fn samples_out_of_order_are_put_in_order() {
    let buffer = moving(&[(S, 1.0), (3 * S, 3.0), (2 * S, 7.0)]);
    assert_eq!(x_at(&buffer, 2 * S), 7.0);
    assert!((x_at(&buffer, 5 * S / 2) - 5.0).abs() < 1e-12);
}

#[test]
fn frames_and_samples_are_bounded() {
    let mut buffer = moving(&[]);
    for i in 0..MAX_FRAMES {
        buffer.insert("base", &format!("f{i}"), &along_x(1.0), Stamp(0), true).unwrap();
    }
    let full = buffer.insert("base", "one_more", &along_x(1.0), Stamp(0), true);
    assert!(matches!(full, Err(TransformError::TooManyFrames { .. })));
    buffer.insert("base", "f0", &along_x(2.0), Stamp(0), true).unwrap();

    let samples: Vec<_> = (1..=MAX_SAMPLES as i64).map(|i| (S + i, i as f64)).collect();
    let mut buffer = moving(&samples);
    let full = buffer.insert("odom", "base", &along_x(0.0), Stamp(2 * S), false);
    assert!(matches!(full, Err(TransformError::TooManySamples { .. })));
    buffer.insert("odom", "base", &along_x(0.0), Stamp(20 * S), false).unwrap();
    assert!(matches!(buffer.lookup("odom", "base", Stamp(2 * S)), Err(TransformError::TooEarly { .. })));
}

/// Turned by less than 90° each: the way between two of them is never ambiguous.
fn poses() -> impl Strategy<Value = Pose> {
    let part = || prop::array::uniform3(-3.0..3.0_f64);
    (part(), part()).prop_map(|(t, r)| {
        Pose::from_parts(Translation3::from(t), UnitQuaternion::from_scaled_axis(Vector3::from(r) * 0.3))
    })
}

fn near(a: &Pose, b: &Pose) -> bool {
    (a.translation.vector - b.translation.vector).norm() < 1e-9 && a.rotation.angle_to(&b.rotation) < 1e-6
}

proptest! {
    #[test]
    fn composition_and_inverse_agree_with_nalgebra(ab in poses(), bc in poses(), ad in poses()) {
        let mut buffer = TransformBuffer::new();
        for (parent, child, pose) in [("a", "b", &ab), ("b", "c", &bc), ("a", "d", &ad)] {
            buffer.insert(parent, child, pose, Stamp(S), child == "d").unwrap();
        }
        let lookup = |target, source| buffer.lookup(target, source, Stamp(S)).unwrap();
        prop_assert!(near(&lookup("a", "c"), &(ab * bc)));
        prop_assert!(near(&lookup("c", "a"), &(ab * bc).inverse()));
        prop_assert!(near(&lookup("d", "c"), &(ad.inverse() * ab * bc)));
        prop_assert!(near(&(lookup("c", "d") * lookup("d", "c")), &Pose::identity()));
    }

    #[test]
    fn interpolation_and_two_times_agree_with_nalgebra(from in poses(), to in poses(), share in 0.0..1.0_f64) {
        let mut buffer = TransformBuffer::new();
        buffer.insert("odom", "base", &from, Stamp(S), false).unwrap();
        buffer.insert("odom", "base", &to, Stamp(2 * S), false).unwrap();
        let at = Stamp(S + (share * S as f64) as i64);
        let expected = Pose::from_parts(
            from.translation.vector.lerp(&to.translation.vector, share).into(),
            from.rotation.try_slerp(&to.rotation, share, 0.0).unwrap_or(from.rotation),
        );
        let found = buffer.lookup("odom", "base", at).unwrap();
        prop_assert!((found.translation.vector - expected.translation.vector).norm() < 1e-6);
        prop_assert!(found.rotation.angle_to(&expected.rotation) < 1e-4);
        let moved = buffer.lookup_between("base", Stamp(2 * S), "base", Stamp(S), "odom").unwrap();
        prop_assert!(near(&moved, &(to.inverse() * from)));
    }
}
