//! LiDAR points → active pillars with statistics of their points over the ground.
//!
//! What networks of the architecture `pillar_unet` read, as `training/isobath_training/detector_s/features.py`
//! describes it: heights count from the ground plane, which the sweep itself tells. What lies on the ground and what
//! hangs above everything that is looked for makes no pillar active. All points of a pillar count, in any order:
//! sums are of whole numbers.

use super::BevGrid;
use super::ground::{GroundPlane, LowestPoint};
use crate::sensor::LidarPoint;

/// Heights over the ground, metres: points in between make a pillar active.
const ACTIVE_M: (f64, f64) = (0.12, 2.8);
/// Points outside these heights over the ground are left out, metres.
const COUNTED_M: (f64, f64) = (-1.5, 4.0);
/// Edges of the bins that points are counted in, metres over the ground.
const BINS_M: [f64; 10] = [-0.3, 0.12, 0.3, 0.5, 0.8, 1.1, 1.4, 1.7, 2.1, 2.8];
const BINS: usize = BINS_M.len() + 1;
/// Values of a pillar.
pub const PILLAR_FEATURES: usize = 15 + BINS;
/// Squares of so many pillars, with those around them, tell how far the ground is from the plane.
const SQUARE: usize = 8;
/// Lowest points further from the plane than this say nothing of the ground, metres.
const ROUGH_M: f64 = 1.5;
/// Steps of the fixed-point sums in a metre, a half pillar, a whole intensity (2^36): a spread, whose square they
/// sum, is known to 4e-6, and eight million points of a pillar do not overflow.
const ONE: f64 = 68_719_476_736.0;
/// No site.
const NONE: u32 = u32::MAX;

/// What became of one frame's points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EncodeStats {
    /// Points offered.
    pub points: usize,
    /// Points outside the range (non-finite coordinates included).
    pub outside: usize,
    /// Pillars that the network sees.
    pub active: usize,
    /// Active pillars beyond the most that were asked for: the farthest.
    pub dropped: usize,
}

/// Sums over the points of a pillar.
#[derive(Clone, Copy, Debug)]
struct Pillar {
    cell: u32,
    active: bool,
    count: u32,
    /// Lowest point of all, over the sensor, metres
    bottom: f32,
    /// Of the ground in its middle, metres over the sensor
    ground: f64,
    /// Of x and y from the middle in half pillars, height, their squares, intensity
    sums: [i64; 7],
    low: f64,
    high: f64,
    bright: f32,
    bins: [u32; BINS],
}

impl Pillar {
    const fn empty(cell: u32) -> Self {
        Self {
            cell,
            active: false,
            count: 0,
            bottom: f32::INFINITY,
            ground: 0.0,
            sums: [0; 7],
            low: f64::INFINITY,
            high: f64::NEG_INFINITY,
            bright: 0.0,
            bins: [0; BINS],
        }
    }
}

/// Turns sweeps into active pillars; reuses its memory from frame to frame, which grows with the largest sweep.
pub struct PillarEncoder {
    grid: BevGrid,
    /// Index into `pillars` by cell; all [`NONE`] between frames
    slots: Vec<u32>,
    pillars: Vec<Pillar>,
    /// Points inside the grid and the cell of each, which becomes the index of its pillar
    points: Vec<(LidarPoint, u32)>,
    lowest: Vec<LowestPoint>,
    squares: Vec<(f64, u32)>,
    order: Vec<u32>,
    plane: GroundPlane,
    coords: Vec<[i32; 2]>,
    features: Vec<f32>,
}

impl PillarEncoder {
    /// Allocates the index for `grid`, once.
    pub fn new(grid: BevGrid) -> Self {
        Self {
            grid,
            slots: vec![NONE; grid.cells()],
            pillars: Vec::new(),
            points: Vec::new(),
            lowest: Vec::new(),
            squares: Vec::new(),
            order: Vec::new(),
            plane: GroundPlane::default(),
            coords: Vec::new(),
            features: Vec::new(),
        }
    }

    /// The grid points are sorted into.
    pub const fn grid(&self) -> &BevGrid {
        &self.grid
    }

    /// Row and column of each active pillar of the last frame, ascending.
    pub fn coords(&self) -> &[[i32; 2]] {
        &self.coords
    }

    /// [`PILLAR_FEATURES`] values of each active pillar of the last frame.
    pub fn features(&self) -> &[f32] {
        &self.features
    }

    /// The ground of the last frame.
    pub const fn plane(&self) -> &GroundPlane {
        &self.plane
    }

    /// Takes a sweep in. At most `max_pillars` are kept, the nearest; with `keep_ground` pillars that hold ground
    /// alone are active as well. Intensities are clamped to 0..1, NaN counts as 0.
    pub fn encode(
        &mut self,
        points: impl IntoIterator<Item = LidarPoint>,
        max_pillars: usize,
        keep_ground: bool,
    ) -> EncodeStats {
        let mut stats = self.sort(points);
        self.find_ground();
        self.count(keep_ground);
        stats.dropped = self.choose(max_pillars);
        stats.active = self.order.len();
        self.write();
        for pillar in &self.pillars {
            self.slots[pillar.cell as usize] = NONE;
        }
        stats
    }

    /// Gives each point inside the grid its pillar.
    fn sort(&mut self, points: impl IntoIterator<Item = LidarPoint>) -> EncodeStats {
        self.points.clear();
        self.pillars.clear();
        let mut stats = EncodeStats::default();
        let (grid, kept, slots, pillars) = (&self.grid, &mut self.points, &mut self.slots, &mut self.pillars);
        points.into_iter().for_each(|point| {
            stats.points += 1;
            let cell = grid.cell_or(point.x, point.y, point.z, NONE);
            let Some(slot) = slots.get_mut(cell as usize) else {
                stats.outside += 1;
                return;
            };
            if *slot == NONE {
                *slot = pillars.len() as u32;
                pillars.push(Pillar::empty(cell));
            }
            let pillar = &mut pillars[*slot as usize];
            pillar.bottom = pillar.bottom.min(point.z);
            kept.push((point, *slot));
        });
        stats
    }

    /// Middle of a cell, metres.
    fn middle(&self, cell: u32) -> (f64, f64) {
        let [x0, y0, ..] = self.grid.range_m().map(f64::from);
        let [edge_x, edge_y] = self.grid.voxel_m().map(f64::from);
        let (row, column) = (cell as usize / self.grid.cols(), cell as usize % self.grid.cols());
        ((row as f64 + 0.5) * edge_x + x0, (column as f64 + 0.5) * edge_y + y0)
    }

    /// Fits the plane to the pillars in the order of their cells, so that the order of the points leaves no trace.
    fn find_ground(&mut self) {
        self.order.clear();
        self.order.extend(0..self.pillars.len() as u32);
        let pillars = &self.pillars;
        self.order.sort_unstable_by_key(|slot| pillars[*slot as usize].cell);
        self.lowest.clear();
        for &slot in &self.order {
            let pillar = &self.pillars[slot as usize];
            let (x, y) = self.middle(pillar.cell);
            self.lowest.push(LowestPoint { x, y, z: f64::from(pillar.bottom) });
        }
        self.plane = GroundPlane::fit(&self.lowest);
        // Sums of how far the lowest points of each square are from the plane; a border of empty squares around.
        let width = self.grid.cols().div_ceil(SQUARE) + 2;
        let height = self.grid.rows().div_ceil(SQUARE) + 2;
        self.squares.clear();
        self.squares.resize(width * height, (0.0, 0));
        for (&slot, point) in self.order.iter().zip(&self.lowest) {
            let ground = self.plane.at(point.x, point.y);
            let above = point.z - ground;
            let pillar = &mut self.pillars[slot as usize];
            pillar.ground = ground;
            if above.abs() <= ROUGH_M {
                let square = &mut self.squares[square_of(pillar.cell as usize, self.grid.cols(), width)];
                square.0 += above;
                square.1 += 1;
            }
        }
    }

    /// Sums up the points of every pillar.
    fn count(&mut self, keep_ground: bool) {
        let lowest_active = if keep_ground { COUNTED_M.0 } else { ACTIVE_M.0 };
        let [edge_x, edge_y] = self.grid.voxel_m().map(f64::from);
        let (half_x, half_y) = (2.0 / edge_x, 2.0 / edge_y);
        let mut middles = std::mem::take(&mut self.lowest);
        middles.clear();
        middles.extend(self.pillars.iter().map(|pillar| {
            let (x, y) = self.middle(pillar.cell);
            LowestPoint { x, y, z: pillar.ground }
        }));
        for (point, slot) in &self.points {
            let (pillar, middle) = (&mut self.pillars[*slot as usize], &middles[*slot as usize]);
            let height = f64::from(point.z) - middle.z;
            if !(COUNTED_M.0..COUNTED_M.1).contains(&height) {
                continue;
            }
            pillar.active |= (lowest_active..ACTIVE_M.1).contains(&height);
            pillar.count += 1;
            let (u, w) = ((f64::from(point.x) - middle.x) * half_x, (f64::from(point.y) - middle.y) * half_y);
            let intensity = if point.intensity.is_nan() { 0.0 } else { point.intensity.clamp(0.0, 1.0) };
            let values = [u, w, height, u * u, w * w, height * height, f64::from(intensity)];
            for (sum, value) in pillar.sums.iter_mut().zip(values) {
                *sum = sum.saturating_add((value * ONE) as i64);
            }
            pillar.low = pillar.low.min(height);
            pillar.high = pillar.high.max(height);
            pillar.bright = pillar.bright.max(intensity);
            let bin: usize = BINS_M.iter().map(|edge| usize::from(height >= *edge)).sum();
            pillar.bins[bin] += 1;
        }
        self.lowest = middles;
    }

    /// Puts the active pillars that are kept into `order`, ascending by cell; tells how many are left out.
    fn choose(&mut self, max_pillars: usize) -> usize {
        let (pillars, middles) = (&self.pillars, &self.lowest);
        self.order.retain(|slot| pillars[*slot as usize].active);
        let dropped = self.order.len().saturating_sub(max_pillars);
        if dropped > 0 {
            let distance = |slot: &u32| {
                let middle = &middles[*slot as usize];
                middle.x * middle.x + middle.y * middle.y
            };
            let cell = |slot: &u32| pillars[*slot as usize].cell;
            self.order
                .sort_unstable_by(|a, b| distance(a).total_cmp(&distance(b)).then(cell(a).cmp(&cell(b))));
            self.order.truncate(max_pillars);
            self.order.sort_unstable_by_key(cell);
        }
        dropped
    }

    fn write(&mut self) {
        self.coords.clear();
        self.features.clear();
        self.features.reserve(self.order.len() * PILLAR_FEATURES);
        let width = self.grid.cols().div_ceil(SQUARE) + 2;
        for &slot in &self.order {
            let (pillar, middle) = (&self.pillars[slot as usize], &self.lowest[slot as usize]);
            let cell = pillar.cell as usize;
            self.coords.push([(cell / self.grid.cols()) as i32, (cell % self.grid.cols()) as i32]);
            let square = square_of(cell, self.grid.cols(), width);
            let around = [square - width, square, square + width];
            let (sum, known) = around
                .into_iter()
                .flat_map(|middle| &self.squares[middle - 1..=middle + 1])
                .fold((0.0, 0), |(sum, known), square| (sum + square.0, known + square.1));
            let rough = sum / f64::from(known.max(1));

            let n = f64::from(pillar.count.max(1));
            let [u, w, h, uu, ww, hh, intensity] = pillar.sums.map(|sum| sum as f64 / (ONE * n));
            let spread = |squares: f64, mean: f64| (squares - mean * mean).max(0.0).sqrt();
            let distance = middle.x.hypot(middle.y).max(1e-6);
            let values = [
                f64::from(pillar.count).ln_1p() / 4.0,
                pillar.low / 2.0,
                pillar.high / 2.0,
                h / 2.0,
                2.0 * spread(hh, h),
                u,
                w,
                spread(uu, u),
                spread(ww, w),
                intensity,
                f64::from(pillar.bright),
                distance / 50.0,
                middle.x / distance,
                middle.y / distance,
                rough,
            ];
            self.features.extend(values.map(|value| value as f32));
            self.features.extend(pillar.bins.map(|count| (f64::from(count).ln_1p() / 3.0) as f32));
        }
    }
}

/// Index of the square of a cell among rows of `width` squares, a border included.
const fn square_of(cell: usize, columns: usize, width: usize) -> usize {
    (cell / columns / SQUARE + 1) * width + cell % columns / SQUARE + 1
}

#[cfg(test)]
#[path = "pillar_statistics_tests.rs"]
mod tests;
