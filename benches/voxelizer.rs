//! Time from the bytes of a LiDAR message to the bird's-eye-view tensor on a 256 x 256 grid, with and without
//! de-skewing, and from points to pillars of 32 points with 9 features on the same grid: sweeps of 120,000 and
//! 2,000,000 points.

#![allow(clippy::expect_used, reason = "a bench whose set-up fails has nothing to measure")]

use std::convert::Infallible;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use isobath::detection::{BEV_CHANNELS, BevGrid, FeatureLayout, PillarEncoder, PillarVoxelizer, Voxelizer};
use isobath::geometry::{SweepMotion, pose_from_yaw};
use isobath::message::{Header, PointCloud2, PointField, Stamp, from_cdr, to_cdr};
use isobath::sensor::{LidarPoint, LidarPreset, PointCloudView, StampAt};

const STAMP: Stamp = Stamp(1_763_900_000_000_000_000);

/// A 64-beam sweep of `columns` in a 60 m x 40 m hall: ground, walls and ceiling at their real distances, in the
/// layout of `velodyne_pointcloud` (22 bytes a point), as CDR.
fn sweep(columns: u32) -> Vec<u8> {
    let mut data = Vec::with_capacity(columns as usize * 64 * 22);
    for column in 0..columns {
        let azimuth = column as f32 * std::f32::consts::TAU / columns as f32;
        for beam in 0..64_u16 {
            let elevation = (-25.0 + f32::from(beam) * 40.0 / 63.0).to_radians();
            let direction =
                [azimuth.cos() * elevation.cos(), azimuth.sin() * elevation.cos(), elevation.sin()];
            let range = [
                30.0 / direction[0].abs(),
                20.0 / direction[1].abs(),
                if direction[2] < 0.0 { -1.8 / direction[2] } else { 6.0 / direction[2] },
            ]
            .into_iter()
            .fold(120.0, f32::min);
            data.extend(direction.into_iter().flat_map(|d| (d * range).to_le_bytes()));
            data.extend(((column % 256) as f32).to_le_bytes());
            data.extend(beam.to_le_bytes());
            data.extend((column as f32 * 0.1 / columns as f32).to_le_bytes());
        }
    }
    let fields = [
        ("x", 0, PointField::FLOAT32),
        ("y", 4, PointField::FLOAT32),
        ("z", 8, PointField::FLOAT32),
        ("intensity", 12, PointField::FLOAT32),
        ("ring", 16, PointField::UINT16),
        ("time", 18, PointField::FLOAT32),
    ];
    let cloud = PointCloud2 {
        header: Header { stamp: STAMP, frame_id: "lidar" },
        height: 1,
        width: columns * 64,
        fields: fields
            .into_iter()
            .map(|(name, offset, datatype)| PointField { name, offset, datatype, count: 1 })
            .collect(),
        point_step: 22,
        row_step: columns * 64 * 22,
        data: &data,
        is_dense: true,
        ..PointCloud2::default()
    };
    let mut bytes = Vec::new();
    to_cdr(&cloud, &mut bytes);
    bytes
}

fn features(voxelizer: &mut Voxelizer, bytes: &[u8], deskew: bool, tensor: &mut [f32]) {
    let cloud: PointCloud2<'_> = from_cdr(bytes).expect("a valid message");
    let view = PointCloudView::new(&cloud).expect("a valid cloud");
    let layout = LidarPreset::Auto.layout(&view, STAMP, StampAt::Start).expect("a known layout");
    let mut points = layout.points(&view);
    let motion = layout.times().filter(|_| deskew).map(|times| {
        // 10 m/s, turning by 0.5 rad/s.
        let pose = |t_s: f64| Ok::<_, Infallible>(pose_from_yaw([10.0 * t_s, 0.0, 0.0], 0.5 * t_s));
        let Ok(motion) = SweepMotion::sample(times.first_s(), times.last_s(), pose);
        (motion, times)
    });
    if let Some((motion, times)) = &motion {
        points = points.deskewed(motion, *times);
    }
    voxelizer.bev_features(points, tensor).expect("a tensor of the grid's size");
}

fn voxelizer(c: &mut Criterion) {
    let grid = BevGrid::new([-51.2, -51.2, -5.0, 51.2, 51.2, 7.0], [0.4, 0.4]).expect("a valid grid");
    let mut voxelizer = Voxelizer::new(grid);
    let mut tensor = vec![0.0; BEV_CHANNELS * grid.cells()];
    let mut encoder = PillarEncoder::new(grid);
    let mut pillars = PillarVoxelizer::new(grid, 32, 40_000).expect("memory for the pillars");
    let names = "x y z time x_from_mean y_from_mean z_from_mean x_from_center y_from_center";
    let of_points = FeatureLayout::new(names.split(' '), 1.0).expect("features");
    let mut pillar_tensor = vec![0.0; pillars.capacity() * 32 * of_points.len()];
    let mut group = c.benchmark_group("voxelizer");
    group.sample_size(30);
    for (name, columns) in [("120k", 1875), ("2M", 31_250)] {
        let bytes = sweep(columns);
        group.throughput(Throughput::Elements(u64::from(columns) * 64));
        for (deskew, what) in [(false, "message to tensor"), (true, "message to tensor, de-skewed")] {
            group.bench_function(BenchmarkId::new(what, name), |b| {
                b.iter(|| features(&mut voxelizer, black_box(&bytes), deskew, black_box(&mut tensor)));
            });
        }
        let cloud: PointCloud2<'_> = from_cdr(&bytes).expect("a valid message");
        let view = PointCloudView::new(&cloud).expect("a valid cloud");
        let layout = LidarPreset::Auto.layout(&view, STAMP, StampAt::Start).expect("a known layout");
        let points: Vec<LidarPoint> = layout.points(&view).collect();
        group.bench_function(BenchmarkId::new("points to tensor", name), |b| {
            b.iter(|| voxelizer.bev_features(black_box(&points).iter().copied(), black_box(&mut tensor)));
        });
        group.bench_function(BenchmarkId::new("points to statistics of active pillars", name), |b| {
            b.iter(|| encoder.encode(black_box(&points).iter().copied(), 12_000, false));
        });
        group.bench_function(BenchmarkId::new("points sorted into pillars", name), |b| {
            b.iter(|| pillars.sort(black_box(&points).iter().copied(), usize::MAX));
        });
        group.bench_function(BenchmarkId::new("points to features of pillars", name), |b| {
            b.iter(|| {
                let stats = pillars.sort(black_box(&points).iter().copied(), usize::MAX);
                let values = stats.pillars * 32 * of_points.len();
                pillars.write_features(&of_points, black_box(&mut pillar_tensor[..values]))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, voxelizer);
criterion_main!(benches);
