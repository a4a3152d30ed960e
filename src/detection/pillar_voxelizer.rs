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

use super::cell_set::CellSet;
use super::point_batch::{BATCH, PointBatch};
use super::{BevGrid, DetectionError, FeatureLayout};
use crate::sensor::LidarPoint;

/// Most points of a pillar: published networks take 20, 32 or 100.
pub const MAX_PILLAR_POINTS: usize = 256;

/// Largest number of points of all pillars: 1.5 GiB of keys and places at most.
const MAX_HELD_POINTS: usize = 1 << 23;

/// Places for points, for each that may stay: up to two have keys, so a third is free whenever they are swept up.
const PLACES: usize = 3;

/// Pillars of no more points are put in order by counting, in vector code.
const FEW: usize = 64;

/// Hashes that are compared at once.
const LANES: usize = 8;

/// Keys of a cache line.
const LINE: usize = 8;

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

/// A cell that takes no points: nearly none has a hash as small as 0.
const CLOSED: Cell = Cell { state: DROPPED, worst_hash: 0, ..EMPTY };

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

/// Brings the `most` keys that come first to the front, in no order, perhaps with some that come next. Tells how many
/// are there, fewer than before, and the largest hash that another key may have to be one of the first `most`, which so
/// far was `worst`.
///
/// Hashes are spread evenly, so a share of `worst` leaves about that share of the keys: one look at each.
fn thin(keys: &mut [Key], most: usize, worst: u32, kept: &[LidarPoint]) -> (usize, u32) {
    let share = u64::from(worst) * (most + most / 4) as u64 / keys.len() as u64;
    let limit = share.min(u64::from(worst)) as u32;
    let mut count = 0;
    for at in 0..keys.len() {
        let key = keys[at];
        keys.swap(count, at);
        count += usize::from(hash_of(key) <= limit);
    }
    if (most..keys.len()).contains(&count) {
        return (count, limit);
    }
    let (_, last, rest) = keys.select_nth_unstable(most - 1);
    let hash = hash_of(*last);
    if rest.iter().any(|key| hash_of(*key) == hash) {
        keys.sort_unstable_by(|a, b| order(*a, *b, kept));
    }
    (most, hash)
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
    for (some, keys) in hashes.chunks_exact(LANES).zip(keys.chunks(LANES)) {
        let mut before = [0; LANES];
        for &other in &hashes[..count] {
            for (before, &hash) in before.iter_mut().zip(some) {
                *before += u32::from(other < hash);
            }
        }
        for (before, &key) in before.into_iter().zip(keys) {
            ordered[before as usize % FEW] = key;
            sum += before as usize;
        }
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
    /// All [`EMPTY`] between frames but those of the last one; then one for the points outside the grid.
    table: Vec<Cell>,
    /// Cells that are not empty.
    touched: CellSet,
    /// The cell of each pillar.
    slots: Vec<u32>,
    /// `stride` for each slot, of which twice `points_per_pillar` are used; when they are full the better ones stay.
    keys: Vec<Key>,
    stride: usize,
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
    /// more points than [`MAX_PILLAR_POINTS`], and where they could need more than 1.5 GiB.
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
        // An odd number of cache lines: with a power of two all pillars would want the same few places of the cache.
        let stride = LINE * ((2 * points_per_pillar).div_ceil(LINE) | 1);
        Ok(Self {
            grid,
            points_per_pillar,
            capacity,
            table: vec![EMPTY; grid.cells() + 1],
            touched: CellSet::new(grid.cells()),
            slots: Vec::with_capacity(capacity),
            keys: vec![0; stride * capacity],
            stride,
            kept: Vec::with_capacity(PLACES * held + BATCH),
            swept: Vec::with_capacity(PLACES * held + BATCH),
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
        for cell in self.touched.iter() {
            self.table[cell as usize] = EMPTY;
        }
        let outside = self.grid.cells();
        self.table[outside] = CLOSED;
        self.touched.clear();
        self.slots.clear();
        self.kept.clear();
        self.farthest.clear();
        let limit = max_pillars.min(self.capacity);
        let mut stats = PillarStats::default();
        let (mut batch, mut filled) = (PointBatch::new(), 0);
        points.into_iter().for_each(|point| {
            batch.set(filled, point);
            filled += 1;
            if filled == BATCH {
                self.add_all(&mut batch, filled, limit);
                stats.points += filled;
                filled = 0;
            }
        });
        self.add_all(&mut batch, filled, limit);
        stats.points += filled;
        stats.outside = self.table[outside].offered as usize;
        self.cells.clear();
        for cell in self.touched.iter() {
            if self.table[cell as usize].state == DROPPED {
                stats.dropped_pillars += 1;
            } else {
                self.cells.push(cell);
            }
        }
        let most = self.points_per_pillar;
        for (&cell, keys) in self.slots.iter().zip(self.keys.chunks_exact_mut(self.stride)) {
            let cell = &mut self.table[cell as usize];
            let mut held = cell.held as usize;
            if held > most + most / 4 {
                (held, _) = thin(&mut keys[..held], most, cell.worst_hash, &self.kept);
            }
            // An order of the points' own, so that sums over them do not show that of the scan.
            arrange(&mut keys[..held], &self.kept);
            held = held.min(most);
            cell.held = held as u32;
            stats.dropped_points += cell.offered as usize - held;
        }
        stats.pillars = self.slots.len();
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
        let first = index.saturating_mul(self.stride);
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

    /// Adds the first `points` of a batch.
    fn add_all(&mut self, batch: &mut PointBatch, points: usize, limit: usize) {
        if self.kept.len() >= PLACES * self.capacity * self.points_per_pillar {
            self.sweep_up();
        }
        let (cells, hashes) = batch.locate(points, &self.grid, self.grid.cells() as u32);
        // Whether a point may stay is a matter of chance that no processor foretells: first they are picked without
        // a branch, then added. What fills up meanwhile takes a point too many, which its selection drops.
        let (mut picked, mut count) = ([0; BATCH], 0);
        for (at, (&cell, &hash)) in (0_u8..).zip(cells.iter().zip(hashes)) {
            // In bounds: an index is below the number of cells or that of the one outside.
            let cell = &mut self.table[cell as usize];
            cell.offered = cell.offered.saturating_add(1);
            picked[count % BATCH] = at;
            count += usize::from(hash <= cell.worst_hash);
        }
        for &at in &picked[..count] {
            self.add(batch, at.into(), limit);
        }
    }

    /// Adds a point of a batch to the pillar of its cell.
    #[inline]
    fn add(&mut self, batch: &PointBatch, number: usize, limit: usize) {
        let (at, hash) = batch.placed(number);
        let most = self.points_per_pillar;
        let mut cell = &mut self.table[at as usize];
        if matches!(cell.state, UNTOUCHED | DROPPED) {
            if cell.state == DROPPED || !self.open(at, limit) {
                return;
            }
            cell = &mut self.table[at as usize];
        }
        let first = (cell.state as usize - 1) * self.stride;
        self.keys[first + cell.held as usize] = (Key::from(hash) << 32) | self.kept.len() as Key;
        self.kept.push(batch.point(number));
        cell.held += 1;
        if cell.held as usize == 2 * most {
            self.thin_out(at as usize, first);
        }
    }

    /// Makes room among the keys of a pillar, the first of which is `first`.
    #[inline(never)]
    fn thin_out(&mut self, at: usize, first: usize) {
        let (cell, most) = (&mut self.table[at], self.points_per_pillar);
        let keys = &mut self.keys[first..first + 2 * most];
        let (held, worst_hash) = thin(keys, most, cell.worst_hash, &self.kept);
        cell.held = held as u32;
        cell.worst_hash = worst_hash;
    }

    /// Makes room among the kept points: those without a key go.
    #[cold]
    fn sweep_up(&mut self) {
        for (&cell, keys) in self.slots.iter().zip(self.keys.chunks_exact_mut(self.stride)) {
            for key in &mut keys[..self.table[cell as usize].held as usize] {
                let place = self.swept.len() as Key;
                self.swept.push(self.kept[place_of(*key)]);
                *key = (Key::from(hash_of(*key)) << 32) | place;
            }
        }
        std::mem::swap(&mut self.kept, &mut self.swept);
        self.swept.clear();
    }

    /// A slot for `cell`, which has its first point; false, and the cell is closed, when enough nearer cells have one.
    /// The farthest cell gives way to a nearer one: its points are left out then, as if it had come last.
    #[inline(never)]
    fn open(&mut self, cell: u32, limit: usize) -> bool {
        self.touched.insert(cell);
        if self.slots.len() < limit {
            self.slots.push(cell);
            self.table[cell as usize].state = self.slots.len() as u32;
            return true;
        }
        if self.farthest.is_empty() {
            self.farthest.extend(self.slots.iter().map(|&cell| distance_key(&self.grid, cell)));
        }
        let key = distance_key(&self.grid, cell);
        let Some(mut farthest) = self.farthest.peek_mut().filter(|farthest| key < **farthest) else {
            self.table[cell as usize] = Cell { offered: self.table[cell as usize].offered, ..CLOSED };
            return false;
        };
        let evicted = (*farthest & u64::from(u32::MAX)) as usize;
        *farthest = key;
        let Cell { state, offered, .. } = self.table[evicted];
        self.table[evicted] = Cell { offered, ..CLOSED };
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
