//! The voxelizer takes its memory at construction: frames allocate nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use isobath::detection::{BEV_CHANNELS, BevGrid, Voxelizer};
use isobath::sensor::LidarPoint;

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

#[test]
fn frames_of_any_size_allocate_nothing() {
    let grid = BevGrid::new([-51.2, -51.2, -5.0, 51.2, 51.2, 3.0], [0.4, 0.4]).unwrap();
    let mut voxelizer = Voxelizer::new(grid);
    let mut tensor = vec![0.0; BEV_CHANNELS * grid.cells()];
    let start = ALLOCATIONS.get();
    assert!(start > 0, "the counter counts");
    for frame in [10, 100_000, 3, 250_000] {
        let points = (0..frame).map(|i| LidarPoint {
            x: (i % 311) as f32 * 0.35 - 54.0,
            y: (i / 311 % 311) as f32 * 0.35 - 54.0,
            z: (i % 7) as f32 - 4.0,
            intensity: 0.5,
        });
        voxelizer.bev_features(points, &mut tensor).unwrap();
    }
    assert_eq!(ALLOCATIONS.get(), start);
}
