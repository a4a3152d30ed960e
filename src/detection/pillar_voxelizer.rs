//! LiDAR points → pillars with the points themselves, for networks that encode pillars.
//!
//! Which points and pillars stay does not depend on the order of the scan. Of a pillar with too many points
//! those with the smallest hash of their bits stay, a sample without preference for rings or columns; of too
//! many pillars, the nearest to the sensor. All memory is taken at construction, in proportion to the grid's
//! cells and the most pillars; a frame costs its points and its pillars.
//!
//! Points that stay, and those that did until others took their place, lie one behind the other as they came.
//! What is sorted are their keys, eight bytes each: a hash and a place.

use std::{cmp::Ordering, collections::BinaryHeap};

use multiversion::multiversion;

use super::point_batch::PointBatch;
use super::{BevGrid, DetectionError, FeatureLayout};
use crate::sensor::LidarPoint;

/// Most points of a pillar: published networks take 20, 32 or 100.
pub const MAX_PILLAR_POINTS: usize = 256;

/// Largest number of points of all pillars: 1.1 GiB of keys and places.
const MAX_HELD_POINTS: usize = 1 << 23;

/// Places for points, for each that may stay: up to two have keys, so a third is free whenever they are swept up.
const PLACES: usize = 3;

/// Pillars of no more points are put in order by counting, in vector code.
const FEW: usize = 32;

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

/// What is known of a cell: all that most points of a crowded one need.
#[derive(Clone, Copy, Debug)]
struct Cell {
    /// [`UNTOUCHED`], [`DROPPED`], or one more than the index of its pillar.
    state: u32,
    /// Points that fell into it, whether they stay or not.
    offered: u32,
    /// Keys it has now: at most twice the points that may stay, less one.
    held: u32,
    /// Points with a larger hash cannot stay.
    worst_hash: u32,
}

const EMPTY: Cell = Cell { state: UNTOUCHED, offered: 0, held: 0, worst_hash: u32::MAX };

/// A point in the order of its pillar: hash above, place among the kept points below.
type Key = u64;

const fn hash_of(key: Key) -> u32 {
    (key >> 32) as u32
}

const fn place_of(key: Key) -> usize {
    key as u32 as usize
}

/// By hash, then by bits, so that the order does not depend on that of the points.
fn order(a: Key, b: Key, kept: &[LidarPoint]) -> Ordering {
    hash_of(a).cmp(&hash_of(b)).then_with(|| bits(&kept[place_of(a)]).cmp(&bits(&kept[place_of(b)])))
}

/// Brings the `count` keys that come first to the front.
fn select(keys: &mut [Key], count: usize, kept: &[LidarPoint]) {
    let (_, last, rest) = keys.select_nth_unstable(count - 1);
    let hash = hash_of(*last);
    if rest.iter().any(|key| hash_of(*key) == hash) {
        keys.sort_unstable_by(|a, b| order(*a, *b, kept));
    }
}

/// Puts keys in order.
fn arrange(keys: &mut [Key], kept: &[LidarPoint]) {
    if keys.len() > FEW || !arrange_few(keys) {
        keys.sort_unstable_by(|a, b| order(*a, *b, kept));
    }
}

/// Puts at most [`FEW`] keys in order; false, and nothing done, if hashes are equal.
#[multiversion(targets("x86_64+avx+avx2"))]
fn arrange_few(keys: &mut [Key]) -> bool {
    let count = keys.len();
    // Signed, as vector units compare; in the same order.
    let mut hashes = [i32::MAX; FEW];
    for (hash, key) in hashes.iter_mut().zip(&*keys) {
        *hash = (hash_of(*key) ^ (1 << 31)).cast_signed();
    }
    let (mut ordered, mut sum) = ([0; FEW], 0);
    for (&hash, &key) in hashes.iter().zip(&*keys) {
        let before: u32 = hashes[..count.next_multiple_of(8)].iter().map(|&h| u32::from(h < hash)).sum();
        ordered[before as usize % FEW] = key;
        sum += before as usize;
    }
    // Equal hashes share a place.
    if 2 * sum != count * count.saturating_sub(1) {
        return false;
    }
    keys.copy_from_slice(&ordered[..count]);
    true
}

/// Sorts sweeps into pillars; reuses its memory from frame to frame.
pub struct PillarVoxelizer {
    grid: BevGrid,
    points_per_pillar: usize,
    capacity: usize,
    /// All [`EMPTY`] between frames but those of the last one.
    table: Vec<Cell>,
    /// Cells that are not empty.
    touched: Vec<u32>,
    /// The cell of each pillar.
    slots: Vec<u32>,
    /// Twice `points_per_pillar` for each slot; when they are full the better half stays.
    keys: Vec<Key>,
    /// What keys tell the places of.
    kept: Vec<LidarPoint>,
    /// Where they go when `kept` is full of points that others took the place of. Empty between frames.
    swept: Vec<LidarPoint>,
    /// Distances of the kept cells with the cells, once there are as many as may stay.
    farthest: BinaryHeap<u64>,
    /// Cells of the last frame's pillars, ascending.
    cells: Vec<u32>,
}

impl PillarVoxelizer {
    /// Takes the memory for `capacity` pillars of `points_per_pillar` points each. Fails on none of either, on
    /// more points than [`MAX_PILLAR_POINTS`], and where they would need more than 1.1 GiB.
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
            table: vec![EMPTY; grid.cells()],
            touched: Vec::with_capacity(grid.cells()),
            slots: Vec::with_capacity(capacity),
            keys: vec![0; 2 * held],
            kept: Vec::with_capacity(PLACES * held),
            swept: Vec::with_capacity(PLACES * held),
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
            if let Some(cell) = self.table.get_mut(cell as usize) {
                *cell = EMPTY;
            }
        }
        self.touched.clear();
        self.slots.clear();
        self.kept.clear();
        self.farthest.clear();
        let limit = max_pillars.min(self.capacity);
        let mut stats = PillarStats::default();
        let (grid, outside) = (self.grid, self.grid.cells() as u32);
        let mut batch = PointBatch::new();
        points.into_iter().for_each(|point| {
            if batch.push(point) {
                self.add_all(batch.located(&grid, outside), limit, &mut stats);
            }
        });
        self.add_all(batch.rest(&grid, outside), limit, &mut stats);
        self.cells.clear();
        self.cells.extend_from_slice(&self.slots);
        self.cells.sort_unstable();
        let most = self.points_per_pillar;
        for (&cell, keys) in self.slots.iter().zip(self.keys.chunks_exact_mut(2 * most)) {
            let cell = &mut self.table[cell as usize];
            let mut keys = &mut keys[..cell.held as usize];
            if keys.len() > most {
                select(keys, most, &self.kept);
                keys = &mut keys[..most];
            }
            // An order of the points' own, so that sums over them do not show that of the scan.
            arrange(keys, &self.kept);
            cell.held = keys.len() as u32;
            stats.dropped_points += cell.offered as usize - keys.len();
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
        let cell = self.table.get(cell as usize).copied().unwrap_or(EMPTY);
        let index =
            if matches!(cell.state, UNTOUCHED | DROPPED) { usize::MAX } else { cell.state as usize - 1 };
        let first = index.saturating_mul(2 * self.points_per_pillar);
        let keys = self.keys.get(first..first.saturating_add(cell.held as usize)).unwrap_or_default();
        keys.iter().map(|&key| &self.kept[place_of(key)])
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

    /// Adds points with their cells and hashes; the number of the grid's cells stands for none.
    #[inline]
    fn add_all(
        &mut self,
        points: impl Iterator<Item = (u32, u32, LidarPoint)>,
        limit: usize,
        stats: &mut PillarStats,
    ) {
        for (cell, hash, point) in points {
            stats.points += 1;
            if cell as usize == self.table.len() {
                stats.outside += 1;
            } else {
                self.add(cell as usize, hash, &point, limit);
            }
        }
    }

    /// Adds a point to the pillar of its cell, which is one of the grid's.
    #[inline]
    fn add(&mut self, at: usize, hash: u32, point: &LidarPoint, limit: usize) {
        let cell = &mut self.table[at];
        cell.offered = cell.offered.saturating_add(1);
        if hash > cell.worst_hash || cell.state == DROPPED {
            return;
        }
        if cell.state == UNTOUCHED {
            self.touched.push(at as u32);
            if !self.open(at as u32, limit) {
                self.table[at].state = DROPPED;
                return;
            }
        }
        if self.kept.len() == PLACES * self.capacity * self.points_per_pillar {
            self.sweep_up();
        }
        let cell = &mut self.table[at];
        let most = self.points_per_pillar;
        let first = (cell.state as usize - 1) * 2 * most;
        let keys = &mut self.keys[first..first + 2 * most];
        keys[cell.held as usize] = (Key::from(hash) << 32) | self.kept.len() as Key;
        self.kept.push(*point);
        cell.held += 1;
        if cell.held as usize == keys.len() {
            select(keys, most, &self.kept);
            cell.held = most as u32;
            cell.worst_hash = hash_of(keys[most - 1]);
        }
    }

    /// Makes room among the kept points: those without a key go.
    fn sweep_up(&mut self) {
        for (&cell, keys) in self.slots.iter().zip(self.keys.chunks_exact_mut(2 * self.points_per_pillar)) {
            for key in &mut keys[..self.table[cell as usize].held as usize] {
                let place = self.swept.len() as Key;
                self.swept.push(self.kept[place_of(*key)]);
                *key = (Key::from(hash_of(*key)) << 32) | place;
            }
        }
        std::mem::swap(&mut self.kept, &mut self.swept);
        self.swept.clear();
    }

    /// A slot for `cell`, which has its first point; false when enough nearer cells have one. The farthest cell
    /// gives way to a nearer one: its points are left out then, as if it had come last.
    fn open(&mut self, cell: u32, limit: usize) -> bool {
        if self.slots.len() < limit {
            self.slots.push(cell);
            self.table[cell as usize].state = self.slots.len() as u32;
            return true;
        }
        if self.farthest.is_empty() {
            self.farthest.extend(self.slots.iter().map(|&cell| distance_key(&self.grid, cell)));
        }
        let key = distance_key(&self.grid, cell);
        let Some(mut farthest) = self.farthest.peek_mut() else { return false };
        if key >= *farthest {
            return false;
        }
        let evicted = (*farthest & u64::from(u32::MAX)) as usize;
        *farthest = key;
        let state = std::mem::replace(&mut self.table[evicted].state, DROPPED);
        self.slots[state as usize - 1] = cell;
        self.table[cell as usize].state = state;
        true
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

#[cfg(test)]
#[path = "pillar_voxelizer_tests.rs"]
mod tests;
