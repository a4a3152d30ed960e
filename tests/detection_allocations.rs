//! The voxelizers take their memory at construction: frames allocate nothing, from the cloud's bytes to the tensor.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use isobath::detection::{BEV_CHANNELS, BevGrid, FeatureLayout, PillarVoxelizer, Voxelizer};
use isobath::geometry::{Pose, SweepMotion};
use isobath::message::{PointCloud2, PointField, Stamp};
use isobath::sensor::{LidarPreset, PointCloudView, StampAt};

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is passed on to the system allocator unchanged; the counter allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// x, y, z, intensity, ring and time as floats; the points spread over the grid and a tenth of a second.
fn bytes(points: usize) -> Vec<u8> {
    let values = (0..points).flat_map(|i| {
        [
            (i % 311) as f32 * 0.35 - 54.0,
            (i / 311 % 311) as f32 * 0.35 - 54.0,
            (i % 7) as f32 - 4.0,
            128.0,
            (i % 64) as f32,
            i as f32 * 0.1 / points as f32,
        ]
    });
    values.flat_map(f32::to_le_bytes).collect()
}

fn cloud(data: &[u8]) -> PointCloud2<'_> {
    let names = ["x", "y", "z", "intensity", "ring", "time"];
    let field =
        |(i, name): (u32, _)| PointField { name, offset: 4 * i, datatype: PointField::FLOAT32, count: 1 };
    PointCloud2 {
        height: 1,
        width: data.len() as u32 / 24,
        fields: (0u32..).zip(names).map(field).collect(),
        point_step: 24,
        data,
        ..PointCloud2::default()
    }
}

#[test]
fn frames_of_any_size_allocate_nothing() {
    let grid = BevGrid::new([-51.2, -51.2, -5.0, 51.2, 51.2, 3.0], [0.4, 0.4]).unwrap();
    let mut voxelizer = Voxelizer::new(grid);
    let mut tensor = vec![0.0; BEV_CHANNELS * grid.cells()];
    let frames = [10, 100_000, 3, 250_000].map(bytes);
    let clouds = frames.each_ref().map(|data| cloud(data));
    let driving = |t: f64| Ok::<_, ()>(Pose::translation(10.0 * t, 0.0, 0.0));
    let start = ALLOCATIONS.get();
    assert!(start > 0, "the counter counts");
    for cloud in &clouds {
        let view = PointCloudView::new(cloud).unwrap();
        let layout = LidarPreset::Auto.layout(&view, Stamp(1), StampAt::Start).unwrap();
        let times = layout.times().unwrap();
        let motion = SweepMotion::sample(times.first_s(), times.last_s(), driving).unwrap();
        let still = voxelizer.bev_features(layout.points(&view), &mut tensor).unwrap();
        let moved =
            voxelizer.bev_features(layout.points(&view).deskewed(&motion, times), &mut tensor).unwrap();
        assert_eq!((still.points, moved.points), (view.len(), view.len()));
    }
    assert_eq!(ALLOCATIONS.get(), start);
}

#[test]
fn pillars_of_any_number_allocate_nothing() {
    let grid = BevGrid::new([-51.2, -51.2, -5.0, 51.2, 51.2, 3.0], [0.4, 0.4]).unwrap();
    let mut pillars = PillarVoxelizer::new(grid, 5, 2000).unwrap();
    let layout = FeatureLayout::new(["x", "intensity", "z_from_mean"], 255.0).unwrap();
    let mut tensor = vec![0.0; 2000 * 5 * layout.len()];
    let frames = [10, 100_000, 3, 250_000].map(bytes);
    let clouds = frames.each_ref().map(|data| cloud(data));
    let start = ALLOCATIONS.get();
    for cloud in &clouds {
        let view = PointCloudView::new(cloud).unwrap();
        let points = LidarPreset::Auto.layout(&view, Stamp(1), StampAt::Start).unwrap();
        let stats = pillars.sort(points.points(&view), usize::MAX);
        assert_eq!(stats.dropped_pillars > 0, view.len() >= 100_000, "{stats:?}");
        assert_eq!(stats.dropped_points > 0, view.len() >= 250_000, "{stats:?}");
        pillars.write_features(&layout, &mut tensor[..stats.pillars * 5 * layout.len()]).unwrap();
    }
    assert_eq!(ALLOCATIONS.get(), start);
}
