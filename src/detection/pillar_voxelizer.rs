//! LiDAR points → pillars with the points themselves, for networks that encode pillars.
//!
//! Which points and pillars stay does not depend on the order of the scan. Of a pillar with too many points
//! those with the smallest hash of their bits stay, a sample without preference for rings or columns; of too
//! many pillars, the nearest to the sensor. All memory is taken at construction, in proportion to the grid's
//! cells and the most pillars; a frame costs its points and its pillars.

use std::{cmp::Ordering, collections::BinaryHeap};

use super::{BevGrid, DetectionError, FeatureLayout};
use crate::sensor::LidarPoint;

/// Most points of a pillar: published networks take 20, 32 or 100.
pub const MAX_PILLAR_POINTS: usize = 256;

/// Largest number of points held, over all pillars (1.25 GiB).
const MAX_HELD_POINTS: usize = 1 << 26;

/// Points whose cells are computed together, in vector code.
const BATCH: usize = 64;

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
    /// Largest hash of those that stay, once there are more than fit: most points are told by it alone.
    worst_hash: u32,
}

/// A point of a pillar. Ordered by hash, then by bits, so that the order is total.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    hash: u32,
    point: LidarPoint,
}

impl Held {
    fn new(point: LidarPoint) -> Self {
        Self { hash: hash(bits(&point)), point }
    }

    #[inline]
    fn order(&self, other: &Self) -> Ordering {
        self.hash.cmp(&other.hash).then_with(|| bits(&self.point).cmp(&bits(&other.point)))
    }
}

/// Sorts sweeps into pillars; reuses its memory from frame to frame.
pub struct PillarVoxelizer {
    grid: BevGrid,
    points_per_pillar: usize,
    capacity: usize,
    /// State of each cell: see [`UNTOUCHED`].
    states: Vec<u32>,
    /// Cells that are not untouched.
    touched: Vec<u32>,
    slots: Vec<Slot>,
    /// `points_per_pillar` for each slot. A pillar with more has them as a heap, the last of the order on top.
    held: Vec<Held>,
    /// Distances of the kept cells with the cells, once there are as many as may stay.
    farthest: BinaryHeap<u64>,
    /// Cells of the last frame's pillars, ascending.
    cells: Vec<u32>,
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
            states: vec![UNTOUCHED; grid.cells()],
            touched: Vec::with_capacity(grid.cells()),
            slots: Vec::with_capacity(capacity),
            held: vec![Held::default(); held],
            farthest: BinaryHeap::with_capacity(capacity),
            cells: Vec::with_capacity(capacity),
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
            if let Some(state) = self.states.get_mut(cell as usize) {
                *state = UNTOUCHED;
            }
        }
        self.touched.clear();
        self.slots.clear();
        self.farthest.clear();
        let limit = max_pillars.min(self.capacity);
        let mut stats = PillarStats::default();
        let (mut batch, mut filled) = ([LidarPoint::default(); BATCH], 0);
        points.into_iter().for_each(|point| {
            batch[filled] = point;
            filled += 1;
            if filled == BATCH {
                self.add_batch(&batch, limit, &mut stats);
                filled = 0;
            }
        });
        self.add_batch(&batch[..filled], limit, &mut stats);
        self.cells.clear();
        self.cells.extend(self.slots.iter().map(|slot| slot.cell));
        self.cells.sort_unstable();
        for (index, slot) in self.slots.iter().enumerate() {
            let held = (slot.offered as usize).min(self.points_per_pillar);
            let first = index * self.points_per_pillar;
            if let Some(held) = self.held.get_mut(first..first + held) {
                // An order of the points' own, so that sums over them do not show that of the scan.
                held.sort_unstable_by(Held::order);
            }
            stats.dropped_points += slot.offered as usize - held;
        }
        stats.pillars = self.slots.len();
        stats.dropped_pillars = self.touched.len() - self.slots.len();
        stats
    }

    /// Cells of the pillars, row-major indices of the grid, ascending: the order of all that is written.
    pub fn cells(&self) -> &[u32] {
        &self.cells
    }

    /// The points of the pillar in `cell`, in an order of their own; none when it has no pillar.
    pub fn points(&self, cell: u32) -> impl ExactSizeIterator<Item = &LidarPoint> + Clone {
        let state = self.states.get(cell as usize).copied().unwrap_or(UNTOUCHED);
        let index = if matches!(state, UNTOUCHED | DROPPED) { usize::MAX } else { state as usize - 1 };
        let held = self.slots.get(index).map_or(0, |slot| slot.offered as usize).min(self.points_per_pillar);
        let first = index.saturating_mul(self.points_per_pillar);
        self.held.get(first..first.saturating_add(held)).unwrap_or_default().iter().map(|held| &held.point)
    }

    /// Writes the features of all pillars to `out` (`pillars x points of a pillar x features`), zeros where a
    /// pillar has fewer points. Fails when `out` has another length.
    pub fn write_features(&self, layout: &FeatureLayout, out: &mut [f32]) -> Result<(), DetectionError> {
        let row = self.points_per_pillar * layout.len();
        let expected = self.cells.len() * row;
        if out.len() != expected {
            return Err(DetectionError::PillarBuffer { expected, found: out.len() });
        }
        for (&cell, out) in self.cells.iter().zip(out.chunks_exact_mut(row)) {
            layout.write(&self.grid, cell as usize, self.points(cell), out);
        }
        Ok(())
    }

    /// Adds at most [`BATCH`] points.
    fn add_batch(&mut self, points: &[LidarPoint], limit: usize, stats: &mut PillarStats) {
        let mut cells = [0; BATCH];
        let outside = self.grid.cells() as u32;
        for (cell, point) in cells.iter_mut().zip(points) {
            *cell = self.grid.cell_or(point.x, point.y, point.z, outside);
        }
        for (&cell, point) in cells.iter().zip(points) {
            if cell == outside {
                stats.outside += 1;
            } else {
                self.add(cell as usize, *point, limit);
            }
        }
        stats.points += points.len();
    }

    /// Adds a point to the pillar of its cell, which is one of the grid's.
    #[inline]
    fn add(&mut self, cell: usize, mut point: LidarPoint, limit: usize) {
        let clamped = point.intensity.clamp(0.0, 1.0);
        // NaN passes the clamp. Adding zero turns -0 into +0, which is the same place.
        point.intensity = if clamped.is_nan() { 0.0 } else { clamped + 0.0 };
        (point.x, point.y, point.z) = (point.x + 0.0, point.y + 0.0, point.z + 0.0);
        let index = match self.states[cell] {
            DROPPED => return,
            UNTOUCHED => {
                self.touched.push(cell as u32);
                let Some(index) = self.open(cell as u32, limit) else {
                    self.states[cell] = DROPPED;
                    return;
                };
                index
            }
            state => state as usize - 1,
        };
        let slot = &mut self.slots[index];
        let count = slot.offered as usize;
        slot.offered = slot.offered.saturating_add(1);
        let new = Held::new(point);
        if count > self.points_per_pillar && new.hash > slot.worst_hash {
            return;
        }
        let first = index * self.points_per_pillar;
        let held = &mut self.held[first..first + self.points_per_pillar];
        if let Some(free) = held.get_mut(count) {
            *free = new;
            return;
        }
        if count == held.len() {
            (0..held.len() / 2).rev().for_each(|i| sift_down(held, i));
        }
        if new.order(&held[0]).is_lt() {
            held[0] = new;
            sift_down(held, 0);
        }
        slot.worst_hash = held[0].hash;
    }

    /// A slot for the first point of `cell`; none when enough nearer cells have one. The farthest cell gives
    /// way to a nearer one: its points are left out then, as if it had come last.
    fn open(&mut self, cell: u32, limit: usize) -> Option<usize> {
        let fresh = Slot { cell, ..Slot::default() };
        if self.slots.len() < limit {
            self.slots.push(fresh);
            self.states[cell as usize] = self.slots.len() as u32;
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
        let state = std::mem::replace(&mut self.states[evicted], DROPPED);
        let index = state as usize - 1;
        self.slots[index] = fresh;
        self.states[cell as usize] = state;
        Some(index)
    }
}

/// Restores the order of a heap below `at`: nothing comes after what is above it.
fn sift_down(heap: &mut [Held], mut at: usize) {
    loop {
        let (left, right) = (2 * at + 1, 2 * at + 2);
        if left >= heap.len() {
            return;
        }
        let child = if right < heap.len() && heap[left].order(&heap[right]).is_lt() { right } else { left };
        if heap[child].order(&heap[at]).is_le() {
            return;
        }
        heap.swap(at, child);
        at = child;
    }
}

/// Orders cells by the distance of their middle from the sensor, then by index.
fn distance_key(grid: &BevGrid, cell: u32) -> u64 {
    let [x, y, _] = grid.center_of(cell as usize);
    // The bits of floats that are not negative are in the order of their values.
    (u64::from(((x * x + y * y) as f32).to_bits()) << 32) | u64::from(cell)
}

fn bits(point: &LidarPoint) -> [u32; 5] {
    [point.x, point.y, point.z, point.intensity, point.age_s].map(f32::to_bits)
}

/// Of the place and the intensity: multiplications and shifts that spread each bit over all (the finalizer of `MurmurHash3`, in the public domain).
fn hash([x, y, z, intensity, _age]: [u32; 5]) -> u32 {
    let mut hash = 0x9e37_79b9_u32;
    for word in [x, y, z, intensity] {
        hash = (hash ^ word).wrapping_mul(0x85eb_ca6b);
        hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
        hash ^= hash >> 16;
    }
    hash
}

#[cfg(test)]
#[path = "pillar_voxelizer_tests.rs"]
mod tests;
