use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::point_batch::hash;
use super::*;

fn point(x: f32, y: f32, z: f32, intensity: f32) -> LidarPoint {
    LidarPoint { x, y, z, intensity, age_s: 0.0 }
}

fn small() -> BevGrid {
    BevGrid::new([-2.0, -1.5, -2.0, 2.0, 1.5, 2.0], [0.5, 0.5]).unwrap()
}

fn voxelizer(points: usize, pillars: usize) -> PillarVoxelizer {
    PillarVoxelizer::new(small(), points, pillars).unwrap()
}

/// Pillars and their points, as bits.
fn contents(voxelizer: &PillarVoxelizer) -> Vec<(u32, Vec<[u32; 5]>)> {
    voxelizer.cells().iter().map(|&cell| (cell, voxelizer.points(cell).map(bits).collect())).collect()
}

#[test]
fn points_fall_into_their_pillars() {
    let mut pillars = voxelizer(2, 48);
    let sweep = [
        point(0.1, 0.1, 1.0, 0.5),
        point(-0.1, 0.1, 0.0, f32::NAN),
        point(0.2, 0.3, -1.0, 7.0),
        point(f32::NAN, 0.0, 0.0, 0.0),
        point(0.0, 0.0, 2.0, 0.0),
    ];
    let stats = pillars.sort(sweep, usize::MAX);
    assert_eq!(
        stats,
        PillarStats { points: 5, outside: 2, pillars: 2, dropped_pillars: 0, dropped_points: 0 }
    );
    assert_eq!(pillars.cells(), [3 * 6 + 3, 4 * 6 + 3]);
    assert!(pillars.points(3 * 6 + 3).eq(&[point(-0.1, 0.1, 0.0, 0.0)]));
    let of_two: Vec<_> = pillars.points(4 * 6 + 3).copied().collect();
    assert!(of_two.contains(&point(0.2, 0.3, -1.0, 1.0)) && of_two.contains(&sweep[0]), "{of_two:?}");
    assert_eq!((pillars.points(0).len(), pillars.points(u32::MAX).len()), (0, 0));

    let layout = FeatureLayout::new(["z"], 1.0).unwrap();
    let mut out = vec![f32::NAN; 4];
    pillars.write_features(&layout, &mut out).unwrap();
    assert_eq!((out[0], out[1], out[2].abs(), out[3].abs()), (0.0, 0.0, 1.0, 1.0));
    assert_eq!(
        pillars.write_features(&layout, &mut out[1..]),
        Err(DetectionError::PillarBuffer { expected: 4, found: 3 })
    );
    assert_eq!(pillars.sort([], 9), PillarStats::default());
    assert!(pillars.cells().is_empty() && pillars.points(3 * 6 + 3).len() == 0);
}

#[test]
fn the_nearest_pillars_stay() {
    // One point in each of the eight cells along x; the sensor is in the middle.
    let row: Vec<_> = (0..8).map(|i| point(-1.75 + 0.5 * i as f32, 0.1, 0.0, 0.0)).collect();
    let rows_of = |order: &[usize]| {
        let mut pillars = voxelizer(4, 4);
        let stats = pillars.sort(order.iter().map(|&i| row[i]), usize::MAX);
        assert_eq!((stats.pillars, stats.dropped_pillars), (4, order.len() - 4));
        pillars.cells().iter().map(|cell| cell / 6).collect::<Vec<_>>()
    };
    assert_eq!(rows_of(&[0, 1, 2, 3, 4, 5, 6, 7]), [2, 3, 4, 5]);
    assert_eq!(rows_of(&[7, 0, 6, 1, 5, 2, 4, 3]), [2, 3, 4, 5]);
    let mut pillars = voxelizer(4, 4);
    let stats = pillars.sort(row.iter().copied(), 2);
    assert_eq!((stats.pillars, stats.dropped_pillars), (2, 6));
    assert_eq!(pillars.cells(), [3 * 6 + 3, 4 * 6 + 3]);
}

/// Ten thousand points of one pillar in the order of a scan: what stays is spread evenly over it.
#[test]
fn a_crowded_pillar_keeps_a_fair_sample() {
    let mut pillars = voxelizer(100, 1);
    let scan: Vec<_> = (0..10_000).map(|i| point(0.25, 0.25, -1.0 + i as f32 * 1e-4, 0.5)).collect();
    let stats = pillars.sort(scan, 1);
    assert_eq!((stats.pillars, stats.dropped_points), (1, 9900));
    let mut quarters = [0; 4];
    for held in pillars.points(4 * 6 + 3) {
        quarters[((held.z + 1.0) * 4.0) as usize] += 1;
    }
    // Binomial with mean 25 and deviation 4.3.
    assert!(quarters.iter().all(|n| (10..=40).contains(n)), "{quarters:?}");
}

#[test]
fn sizes_that_cannot_be_are_refused() {
    let new = |points, pillars| PillarVoxelizer::new(small(), points, pillars).map(|p| p.capacity());
    assert!(new(0, 5).is_err() && new(5, 0).is_err() && new(MAX_PILLAR_POINTS + 1, 5).is_err());
    assert_eq!(new(MAX_PILLAR_POINTS, usize::MAX), Ok(48), "no more than cells");
    let large = BevGrid::new([0.0, 0.0, 0.0, 4096.0, 4096.0, 1.0], [1.0, 1.0]).unwrap();
    assert!(matches!(PillarVoxelizer::new(large, 32, usize::MAX), Err(DetectionError::Config { .. })));
}

fn any_point() -> impl Strategy<Value = LidarPoint> {
    // Few places and heights, so that pillars overflow and points repeat.
    (-5_i8..5, -4_i8..4, 0_u8..5, 0_u8..3).prop_map(|(x, y, z, i)| {
        point(f32::from(x) * 0.45, f32::from(y) * 0.4, f32::from(z) * 0.3 - 0.6, f32::from(i) * 0.5)
    })
}

/// Keys whose hashes meet are told apart by the bits of their points, however many there are.
#[test]
fn equal_hashes_are_put_in_order_by_their_points() {
    for count in [2, 5, FEW, FEW + 9] {
        let kept: Vec<_> = (0..count).map(|i| point(((7 * i) % count) as f32, 0.0, 0.0, 0.0)).collect();
        let by_place = |place: usize| (Key::from((place % 3) as u32) << 32) | place as Key;
        let mut keys: Vec<Key> = (0..count).map(by_place).collect();
        let mut expected = keys.clone();
        expected.sort_by(|a, b| order(*a, *b, &kept));
        arrange(&mut keys, &kept);
        assert_eq!(keys, expected);
    }
}

proptest! {
    /// Hashes are far apart, or meet, or are all small.
    #[test]
    fn thinning_loses_none_of_the_first(
        (hashes, most) in prop::collection::vec(any::<u32>(), 2..80)
            .prop_flat_map(|hashes| (Just(hashes.clone()), 1..hashes.len())),
        shift in 0_u32..32,
    ) {
        let kept: Vec<_> = (0..hashes.len()).map(|i| point(i as f32, 0.0, 0.0, 0.0)).collect();
        let mut keys: Vec<Key> =
            (0..).zip(&hashes).map(|(place, hash)| (Key::from(hash >> shift) << 32) | place).collect();
        let mut expected = keys.clone();
        expected.sort_by(|a, b| order(*a, *b, &kept));
        let (count, worst) = thin(&mut keys, most, u32::MAX, &kept);
        prop_assert!((most..hashes.len()).contains(&count));
        prop_assert!(keys[..count].iter().all(|key| hash_of(*key) <= worst));
        arrange(&mut keys[..count], &kept);
        prop_assert_eq!(&keys[..most], &expected[..most]);
    }

    #[test]
    fn order_of_points_does_not_matter(
        (points, shuffled) in prop::collection::vec(any_point(), 0..300)
            .prop_flat_map(|points| (Just(points.clone()), Just(points).prop_shuffle())),
        limit in 1_usize..50,
    ) {
        let (mut a, mut b) = (voxelizer(5, 48), voxelizer(5, 48));
        // What was there before leaves nothing.
        b.sort(points.iter().rev().copied().take(40), 7);
        prop_assert_eq!(a.sort(points, limit), b.sort(shuffled, limit));
        prop_assert_eq!(contents(&a), contents(&b));
    }

    /// With so few places the kept points are swept up again and again.
    #[test]
    fn nor_does_it_where_few_fit(
        (points, shuffled) in prop::collection::vec(any_point(), 0..300)
            .prop_flat_map(|points| (Just(points.clone()), Just(points).prop_shuffle())),
        most in 1_usize..4,
        pillars in 1_usize..4,
    ) {
        let (mut a, mut b) = (voxelizer(most, pillars), voxelizer(most, pillars));
        prop_assert_eq!(a.sort(points, usize::MAX), b.sort(shuffled, usize::MAX));
        prop_assert_eq!(contents(&a), contents(&b));
    }

    /// The rules read literally: all points in a table, cells by distance, points by hash.
    #[test]
    fn agrees_with_a_table(points in prop::collection::vec(any_point(), 0..300), limit in 1_usize..50) {
        let grid = small();
        let mut table: BTreeMap<u32, Vec<[u32; 5]>> = BTreeMap::new();
        for found in &points {
            let found = point(found.x + 0.0, found.y + 0.0, found.z + 0.0, found.intensity);
            if let Some(cell) = grid.cell(found.x, found.y, found.z) {
                table.entry(cell as u32).or_default().push(bits(&found));
            }
        }
        let mut cells: Vec<u32> = table.keys().copied().collect();
        cells.sort_by(|a, b| {
            let distance = |cell: &u32| {
                let (row, col) = (cell / 6, cell % 6);
                let (x, y) = (-2.0 + 0.5 * (f64::from(row) + 0.5), -1.5 + 0.5 * (f64::from(col) + 0.5));
                x * x + y * y
            };
            distance(a).total_cmp(&distance(b)).then(a.cmp(b))
        });
        let (all, mut kept) = (cells.len(), cells);
        kept.truncate(limit);
        kept.sort_unstable();
        let expected: Vec<_> = kept.iter().map(|cell| {
            let mut held = table[cell].clone();
            held.sort_by_key(|bits| (hash([bits[0], bits[1], bits[2]], bits[3]), *bits));
            held.truncate(5);
            (*cell, held)
        }).collect();
        let mut pillars = voxelizer(5, 48);
        let stats = pillars.sort(points, limit);
        prop_assert_eq!(contents(&pillars), expected);
        prop_assert_eq!(stats.dropped_pillars, all - kept.len());
    }
}
