//! LiDAR points → pillars with the points themselves, for networks that encode pillars.
//!
//! Which points and pillars stay does not depend on the order of the scan. Of a pillar with too many points
//! those with the smallest hash of their bits stay, a sample without preference for rings or columns; of too
//! many pillars, the nearest to the sensor. All memory is taken at construction, in proportion to the grid's
//! cells and the most pillars; a frame costs its points and its pillars.

use std::collections::BinaryHeap;

use super::{BevGrid, DetectionError, FeatureLayout};
use crate::sensor::LidarPoint;

/// Most points of a pillar: published networks take 20, 32 or 100.
pub const MAX_PILLAR_POINTS: usize = 256;

/// Largest number of points held, over all pillars (1.25 GiB).
const MAX_HELD_POINTS: usize = 1 << 26;

/// A cell without points so far.
const UNTOUCHED: u32 = 0;

/// A cell whose points are left out because enough nearer ones have some. Others hold their slot plus one.
const DROPPED: u32 = u32::MAX;

/// What became of one frame's points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PillarStats {
    /// Points offered.
    pub points: usize,
    /// Points outside the range (non-finite coordinates included).
    pub outside: usize,
    /// Pillars that stay.
    pub pillars: usize,
    /// Pillars beyond the limit, the farthest.
    pub dropped_pillars: usize,
    /// Points of pillars that stay, beyond what one holds.
    pub dropped_points: usize,
}

/// The pillar of one cell.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    cell: u32,
    /// Points that fell into it, whether they stay or not.
    offered: u32,
    /// Among those that stay, the one with the largest key, once there are as many as fit.
    worst: u32,
}

/// Sorts sweeps into pillars; reuses its memory from frame to frame.
pub struct PillarVoxelizer {
    grid: BevGrid,
    points_per_pillar: usize,
    capacity: usize,
    /// State of each cell: see [`UNTOUCHED`].
    cells: Vec<u32>,
    /// Cells that are not untouched.
    touched: Vec<u32>,
    slots: Vec<Slot>,
    /// `points_per_pillar` for each slot; `hashes` beside them.
    points: Vec<LidarPoint>,
    hashes: Vec<u32>,
    /// Distances of the kept cells with the cells, once there are as many as may stay.
    farthest: BinaryHeap<u64>,
    /// Cells of the last frame's pillars, ascending.
    kept: Vec<u32>,
}

impl PillarVoxelizer {
    /// Takes the memory for `capacity` pillars of `points_per_pillar` points each. Fails on none of either, on
    /// more points than [`MAX_PILLAR_POINTS`], and where they would need more than 1.25 GiB.
    pub fn new(grid: BevGrid, points_per_pillar: usize, capacity: usize) -> Result<Self, DetectionError> {
        let refuse =
            |what, expected: String, found: String| Err(DetectionError::Config { what, expected, found });
        if !(1..=MAX_PILLAR_POINTS).contains(&points_per_pillar) {
            return refuse(
                "points of a pillar",
                format!("1 to {MAX_PILLAR_POINTS}"),
                points_per_pillar.to_string(),
            );
        }
        // No more pillars than cells can ever have points.
        let capacity = capacity.min(grid.cells());
        let held = capacity.saturating_mul(points_per_pillar);
        if held == 0 || held > MAX_HELD_POINTS {
            return refuse(
                "pillars",
                format!("1 to {} of {points_per_pillar} points", MAX_HELD_POINTS / points_per_pillar),
                capacity.to_string(),
            );
        }
        Ok(Self {
            grid,
            points_per_pillar,
            capacity,
            cells: vec![UNTOUCHED; grid.cells()],
            touched: Vec::with_capacity(grid.cells()),
            slots: Vec::with_capacity(capacity),
            points: vec![LidarPoint::default(); held],
            hashes: vec![0; held],
            farthest: BinaryHeap::with_capacity(capacity),
            kept: Vec::with_capacity(capacity),
        })
    }

    /// The grid points are sorted into.
    pub const fn grid(&self) -> &BevGrid {
        &self.grid
    }

    /// Most pillars that it can hold.
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Sorts `points` into at most `max_pillars` pillars (at most those that it was made for).
    ///
    /// Intensities are clamped to 0..1, NaN counts as 0.
    pub fn sort(&mut self, points: impl IntoIterator<Item = LidarPoint>, max_pillars: usize) -> PillarStats {
        for &cell in &self.touched {
            if let Some(state) = self.cells.get_mut(cell as usize) {
                *state = UNTOUCHED;
            }
        }
        self.touched.clear();
        self.slots.clear();
        self.farthest.clear();
        let limit = max_pillars.min(self.capacity);
        let mut stats = PillarStats::default();
        points.into_iter().for_each(|point| {
            stats.points += 1;
            match self.grid.cell(point.x, point.y, point.z) {
                Some(cell) => self.add(cell, point, limit),
                None => stats.outside += 1,
            }
        });
        self.kept.clear();
        self.kept.extend(self.slots.iter().map(|slot| slot.cell));
        self.kept.sort_unstable();
        for (index, slot) in self.slots.iter().enumerate() {
            let held = (slot.offered as usize).min(self.points_per_pillar);
            let first = index * self.points_per_pillar;
            if let Some(points) = self.points.get_mut(first..first + held) {
                // An order of the points' own, so that sums over them do not show that of the scan.
                points.sort_unstable_by_key(bits);
            }
            stats.dropped_points += slot.offered as usize - held;
        }
        stats.pillars = self.slots.len();
        stats.dropped_pillars = self.touched.len() - self.slots.len();
        stats
    }

    /// Cells of the pillars, row-major indices of the grid, ascending: the order of all that is written.
    pub fn cells(&self) -> &[u32] {
        &self.kept
    }

    /// The points of the pillar in `cell`, in an order of their own; none when it has no pillar.
    pub fn points(&self, cell: u32) -> &[LidarPoint] {
        let state = self.cells.get(cell as usize).copied().unwrap_or(UNTOUCHED);
        if matches!(state, UNTOUCHED | DROPPED) {
            return &[];
        }
        let index = state as usize - 1;
        let held = self.slots.get(index).map_or(0, |slot| slot.offered as usize).min(self.points_per_pillar);
        let first = index * self.points_per_pillar;
        self.points.get(first..first + held).unwrap_or_default()
    }

    /// Writes the features of all pillars to `out` (`pillars x points of a pillar x features`), zeros where a
    /// pillar has fewer points. Fails when `out` has another length.
    pub fn write_features(&self, layout: &FeatureLayout, out: &mut [f32]) -> Result<(), DetectionError> {
        let row = self.points_per_pillar * layout.len();
        let expected = self.kept.len() * row;
        if out.len() != expected {
            return Err(DetectionError::PillarBuffer { expected, found: out.len() });
        }
        for (&cell, out) in self.kept.iter().zip(out.chunks_exact_mut(row)) {
            layout.write(&self.grid, cell as usize, self.points(cell), out);
        }
        Ok(())
    }

    /// Adds a point to the pillar of its cell, which is one of the grid's.
    #[inline]
    fn add(&mut self, cell: usize, mut point: LidarPoint, limit: usize) {
        let clamped = point.intensity.clamp(0.0, 1.0);
        // NaN passes the clamp. Adding zero turns -0 into +0, which is the same place.
        point.intensity = if clamped.is_nan() { 0.0 } else { clamped + 0.0 };
        (point.x, point.y, point.z) = (point.x + 0.0, point.y + 0.0, point.z + 0.0);
        let index = match self.cells[cell] {
            DROPPED => return,
            UNTOUCHED => {
                self.touched.push(cell as u32);
                match self.open(cell as u32, limit) {
                    Some(index) => index,
                    None => {
                        self.cells[cell] = DROPPED;
                        return;
                    }
                }
            }
            state => state as usize - 1,
        };
        let slot = &mut self.slots[index];
        let held = slot.offered as usize;
        slot.offered = slot.offered.saturating_add(1);
        let first = index * self.points_per_pillar;
        let (points, hashes) = (
            &mut self.points[first..first + self.points_per_pillar],
            &mut self.hashes[first..first + self.points_per_pillar],
        );
        let hash = hash(bits(&point));
        let place = if held < points.len() {
            held
        } else {
            let worst = slot.worst as usize;
            // Almost always the hash decides; the bits make the order total.
            if (hash, bits(&point)) >= (hashes[worst], bits(&points[worst])) {
                return;
            }
            worst
        };
        points[place] = point;
        hashes[place] = hash;
        if held + 1 >= points.len() {
            let key = |i: &usize| (hashes[*i], bits(&points[*i]));
            slot.worst = (0..points.len()).max_by_key(key).unwrap_or(0) as u32;
        }
    }

    /// A slot for the first point of `cell`; none when enough nearer cells have one. The farthest cell gives
    /// way to a nearer one: its points are left out then, as if it had come last.
    fn open(&mut self, cell: u32, limit: usize) -> Option<usize> {
        let fresh = Slot { cell, ..Slot::default() };
        if self.slots.len() < limit {
            self.slots.push(fresh);
            self.cells[cell as usize] = self.slots.len() as u32;
            return Some(self.slots.len() - 1);
        }
        if self.farthest.is_empty() {
            self.farthest.extend(self.slots.iter().map(|slot| distance_key(&self.grid, slot.cell)));
        }
        let key = distance_key(&self.grid, cell);
        let mut farthest = self.farthest.peek_mut()?;
        if key >= *farthest {
            return None;
        }
        let evicted = (*farthest & u64::from(u32::MAX)) as usize;
        *farthest = key;
        let state = std::mem::replace(&mut self.cells[evicted], DROPPED);
        let index = state as usize - 1;
        self.slots[index] = fresh;
        self.cells[cell as usize] = state;
        Some(index)
    }
}

/// Orders cells by the distance of their middle from the sensor, then by index.
fn distance_key(grid: &BevGrid, cell: u32) -> u64 {
    let [x, y, _] = grid.center_of(cell as usize);
    // The bits of floats that are not negative are in the order of their values.
    (u64::from(((x * x + y * y) as f32).to_bits()) << 32) | u64::from(cell)
}

fn bits(point: &LidarPoint) -> [u32; 4] {
    [point.x, point.y, point.z, point.intensity].map(f32::to_bits)
}

/// Multiplications and shifts that spread each bit over all (the finalizer of `MurmurHash3`, in the public domain).
fn hash(bits: [u32; 4]) -> u32 {
    let mut hash = 0x9e37_79b9_u32;
    for word in bits {
        hash = (hash ^ word).wrapping_mul(0x85eb_ca6b);
        hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
        hash ^= hash >> 16;
    }
    hash
}

#[cfg(test)]
#[path = "pillar_voxelizer_tests.rs"]
mod tests;
