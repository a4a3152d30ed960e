use std::fs::File;

use ndarray::{Array1, Array2};
use ndarray_npy::NpzReader;
use proptest::prelude::*;

use super::*;

fn grid() -> BevGrid {
    BevGrid::new([-25.6, -25.6, -6.0, 25.6, 25.6, 6.0], [0.4, 0.4]).unwrap()
}

fn point(x: f32, y: f32, z: f32, intensity: f32) -> LidarPoint {
    LidarPoint { x, y, z, intensity, age_s: 0.0 }
}

/// Expected values from `tests/golden/pillar_statistics.py`.
#[test]
fn agrees_with_what_networks_are_trained_on() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/pillar_statistics.npz");
    let mut golden = NpzReader::new(File::open(path).unwrap()).unwrap();
    let points: Array2<f32> = golden.by_name("points").unwrap();
    let plane: Array1<f64> = golden.by_name("plane").unwrap();
    let points: Vec<LidarPoint> = points.rows().into_iter().map(|p| point(p[0], p[1], p[2], p[3])).collect();
    let mut encoder = PillarEncoder::new(grid());
    for (name, keep_ground) in [("", false), ("ground_", true)] {
        let coords: Array2<i32> = golden.by_name(&format!("{name}coords")).unwrap();
        let features: Array2<f32> = golden.by_name(&format!("{name}features")).unwrap();
        let stats = encoder.encode(points.iter().copied(), usize::MAX, keep_ground);
        assert_eq!((stats.active, stats.dropped), (coords.nrows(), 0));
        assert_eq!(encoder.coords().as_flattened(), coords.as_slice().unwrap());
        assert_eq!(features.ncols(), PILLAR_FEATURES);
        for (index, (found, expected)) in encoder.features().iter().zip(&features).enumerate() {
            let (row, column) = (index / PILLAR_FEATURES, index % PILLAR_FEATURES);
            assert!(
                (found - expected).abs() < 2e-5,
                "pillar {row}, {column}: expected {expected}, found {found}"
            );
        }
        for (found, expected) in encoder.plane().0.iter().zip(&plane) {
            assert!((found - expected).abs() < 1e-9);
        }
    }
}

/// Ground at -1 m and a post 1.5 m high every four metres.
fn posts() -> Vec<LidarPoint> {
    let ground = (-60..60).flat_map(|i| (-60..60).map(move |j| (i as f32 * 0.4, j as f32 * 0.4)));
    let mut points: Vec<_> = ground.map(|(x, y)| point(x + 0.2, y + 0.2, -1.0, 0.5)).collect();
    for (i, j) in (-5..5).flat_map(|i| (-5..5).map(move |j| (i, j))) {
        points.extend(
            (0..10).map(|k| point(i as f32 * 4.0 + 0.2, j as f32 * 4.0 + 0.2, -0.9 + k as f32 * 0.15, 0.5)),
        );
    }
    points
}

#[test]
fn the_ground_makes_nothing_active_and_the_farthest_are_left_out() {
    let mut encoder = PillarEncoder::new(grid());
    let stats = encoder.encode(posts(), usize::MAX, false);
    assert_eq!((stats.active, stats.dropped, stats.outside), (100, 0, 0));
    let stats = encoder.encode(posts(), 30, false);
    assert_eq!((stats.active, stats.dropped), (30, 70));
    assert!(encoder.coords().is_sorted());
    let farthest = encoder.coords().iter().map(|[row, column]| {
        let metres = |cell: &i32| f64::from(*cell) * 0.4 + 0.2 - 25.6;
        metres(row).hypot(metres(column))
    });
    assert!(farthest.fold(0.0, f64::max) < 14.0);
    assert_eq!(encoder.encode(posts(), usize::MAX, true).active, 120 * 120);
    assert_eq!(encoder.encode(posts(), 0, true).active, 0);
}

#[test]
fn hostile_points_are_outside_or_clamped() {
    let mut encoder = PillarEncoder::new(grid());
    let hostile = [
        point(f32::NAN, 0.0, 0.0, 0.5),
        point(0.0, f32::INFINITY, 0.0, 0.5),
        point(0.0, 0.0, f32::NEG_INFINITY, 0.5),
        point(f32::MAX, f32::MIN, 0.0, 0.5),
        point(0.1, 0.1, 0.5, f32::NAN),
        point(0.1, 0.1, 0.6, f32::INFINITY),
        point(0.1, 0.1, -0.6, -3.0),
    ];
    let stats = encoder.encode(hostile, 100, true);
    assert_eq!((stats.points, stats.outside), (7, 4));
    assert!(encoder.features().iter().all(|value| value.is_finite()));
    assert_eq!(encoder.encode([], 100, true), EncodeStats::default());
    assert!(encoder.coords().is_empty() && encoder.features().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn order_of_points_does_not_matter(
        (points, shuffled) in prop::collection::vec(
            (-26f32..26.0, -26f32..26.0, -2f32..3.0, 0f32..1.0).prop_map(|(x, y, z, i)| point(x, y, z, i)), 0..300
        ).prop_flat_map(|points| (Just(points.clone()), Just(points).prop_shuffle())),
        cap in 1usize..200,
    ) {
        let mut encoder = PillarEncoder::new(grid());
        let stats = encoder.encode(points, cap, false);
        let (coords, features) = (encoder.coords().to_vec(), encoder.features().to_vec());
        prop_assert_eq!(stats, encoder.encode(shuffled, cap, false));
        prop_assert_eq!(coords, encoder.coords());
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&features), bits(encoder.features()));
    }
}
