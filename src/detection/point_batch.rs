//! Some points at once, each coordinate by itself: what is computed for every point of a sweep becomes vector code.

use multiversion::multiversion;

use super::BevGrid;
use crate::sensor::LidarPoint;

/// Points whose cells and hashes are computed together.
pub(super) const BATCH: usize = 64;

/// Points on their way into pillars.
#[derive(Clone, Debug)]
pub(super) struct PointBatch {
    x: [f32; BATCH],
    y: [f32; BATCH],
    z: [f32; BATCH],
    intensity: [f32; BATCH],
    age_s: [f32; BATCH],
    cells: [u32; BATCH],
    hashes: [u32; BATCH],
}

impl PointBatch {
    pub(super) const fn new() -> Self {
        Self {
            x: [0.0; BATCH],
            y: [0.0; BATCH],
            z: [0.0; BATCH],
            intensity: [0.0; BATCH],
            age_s: [0.0; BATCH],
            cells: [0; BATCH],
            hashes: [0; BATCH],
        }
    }

    /// Puts a point at an index modulo [`BATCH`].
    #[inline]
    pub(super) const fn set(&mut self, at: usize, point: LidarPoint) {
        let at = at % BATCH;
        self.x[at] = point.x;
        self.y[at] = point.y;
        self.z[at] = point.z;
        self.intensity[at] = point.intensity;
        self.age_s[at] = point.age_s;
    }

    /// Cells, `outside` for points that have none, and hashes of the first `count` points.
    /// Intensities are clamped to 0..1, NaN counts as 0; what is -0 becomes +0.
    #[inline]
    pub(super) fn locate(&mut self, count: usize, grid: &BevGrid, outside: u32) -> (&[u32], &[u32]) {
        locate(self, grid, outside);
        let count = count.min(BATCH);
        (&self.cells[..count], &self.hashes[..count])
    }

    /// Cell and hash of a point that was located, at an index modulo [`BATCH`].
    #[inline]
    pub(super) const fn placed(&self, at: usize) -> (u32, u32) {
        (self.cells[at % BATCH], self.hashes[at % BATCH])
    }

    /// A point that was located, at an index modulo [`BATCH`].
    #[inline]
    pub(super) const fn point(&self, at: usize) -> LidarPoint {
        let at = at % BATCH;
        LidarPoint {
            x: self.x[at],
            y: self.y[at],
            z: self.z[at],
            intensity: self.intensity[at],
            age_s: self.age_s[at],
        }
    }
}

#[multiversion(targets("x86_64+avx+avx2"))]
fn locate(batch: &mut PointBatch, grid: &BevGrid, outside: u32) {
    for values in [&mut batch.x, &mut batch.y, &mut batch.z] {
        for value in values {
            // Adding zero turns -0 into +0, which is the same place.
            *value += 0.0;
        }
    }
    for value in &mut batch.intensity {
        // NaN is not above zero.
        *value = if *value > 0.0 { value.min(1.0) } else { 0.0 };
    }
    for at in 0..BATCH {
        batch.cells[at] = grid.cell_or(batch.x[at], batch.y[at], batch.z[at], outside);
    }
    for at in 0..BATCH {
        let place = [batch.x[at], batch.y[at], batch.z[at]].map(f32::to_bits);
        batch.hashes[at] = hash(place, batch.intensity[at].to_bits());
    }
}

/// Of the place and the intensity: a product of each, which do not wait for each other, then what spreads every bit
/// over all (the finalizer of `MurmurHash3`, in the public domain).
#[inline]
pub(super) const fn hash([x, y, z]: [u32; 3], intensity: u32) -> u32 {
    let horizontal = x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca6b).rotate_left(11);
    let other =
        z.wrapping_mul(0xc2b2_ae35).rotate_left(19) ^ intensity.wrapping_mul(0x27d4_eb2f).rotate_left(5);
    let mut hash = horizontal.wrapping_add(other);
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}
