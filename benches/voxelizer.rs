//! Time of the bird's-eye-view features of a 120,000-point sweep on a 256 x 256 grid.

#![allow(clippy::expect_used, reason = "a bench whose set-up fails has nothing to measure")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use isobath::detection::{BEV_CHANNELS, BevGrid, Voxelizer};
use isobath::sensor::LidarPoint;

/// A 64-beam sweep in a 60 m x 40 m hall: ground, walls and ceiling at their real distances.
fn sweep() -> Vec<LidarPoint> {
    let mut points = Vec::with_capacity(120_000);
    for column in 0..1875 {
        let azimuth = column as f32 * std::f32::consts::TAU / 1875.0;
        for beam in 0..64 {
            let elevation = (-25.0 + beam as f32 * 40.0 / 63.0).to_radians();
            let direction =
                [azimuth.cos() * elevation.cos(), azimuth.sin() * elevation.cos(), elevation.sin()];
            let range = [
                30.0 / direction[0].abs(),
                20.0 / direction[1].abs(),
                if direction[2] < 0.0 { -1.8 / direction[2] } else { 6.0 / direction[2] },
            ]
            .into_iter()
            .fold(120.0, f32::min);
            points.push(LidarPoint {
                x: range * direction[0],
                y: range * direction[1],
                z: range * direction[2],
                intensity: (column % 256) as f32 / 255.0,
            });
        }
    }
    points
}

fn voxelizer(c: &mut Criterion) {
    let points = sweep();
    let grid = BevGrid::new([-51.2, -51.2, -5.0, 51.2, 51.2, 7.0], [0.4, 0.4]).expect("a valid grid");
    let mut voxelizer = Voxelizer::new(grid);
    let mut tensor = vec![0.0; BEV_CHANNELS * grid.cells()];
    let mut group = c.benchmark_group("voxelizer");
    group.throughput(Throughput::Elements(points.len() as u64));
    group.bench_function("120k points, 256 x 256", |b| {
        b.iter(|| voxelizer.bev_features(black_box(&points).iter().copied(), black_box(&mut tensor)));
    });
    group.finish();
}

criterion_group!(benches, voxelizer);
criterion_main!(benches);
