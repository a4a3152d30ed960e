//! LiDAR points → active pillars with statistics of their points over the ground.
//!
//! What networks of the architecture `pillar_unet` read, as `training/isobath_training/detector_s/features.py`
//! describes it: heights count from the ground plane, which the sweep itself tells. What lies on the ground and what
//! hangs above everything that is looked for makes no pillar active. All points of a pillar count, in any order:
//! sums are of whole numbers.

use super::BevGrid;
use super::cell_set::CellSet;
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

/// Points whose cells are computed together, in vector code.
const BATCH: usize = 64;

/// What is known of the points of an active pillar.
#[derive(Clone, Copy, Debug)]
struct Pillar {
    count: u32,
    /// Of x and y from the middle in half pillars, height, their squares, intensity
    sums: [i64; 7],
    low: f64,
    high: f64,
    bright: f32,
    bins: [u32; BINS],
}

impl Pillar {
    const EMPTY: Self = Self {
        count: 0,
        sums: [0; 7],
        low: f64::INFINITY,
        high: f64::NEG_INFINITY,
        bright: 0.0,
        bins: [0; BINS],
    };
}

/// A point inside the grid and its cell, which becomes the index of its pillar.
type Placed = (LidarPoint, u32);

/// Turns sweeps into active pillars; reuses its memory from frame to frame, which grows with the largest sweep.
///
/// A frame costs its points and the cells that they are in: what is remembered of every cell of the grid is looked at
/// where there are points.
pub struct PillarEncoder {
    grid: BevGrid,
    /// Lowest point of each cell, metres over the sensor; infinite between frames
    bottoms: Vec<f32>,
    /// Cells with points; none between frames
    touched: CellSet,
    /// Index of each cell's pillar; of use where there are points
    slots: Vec<u32>,
    points: Vec<Placed>,
    /// Cells with points, ascending; an entry of each in `lowest`, `grounds` and `rows`
    cells: Vec<u32>,
    lowest: Vec<LowestPoint>,
    near: Vec<[f64; 4]>,
    /// Of the ground in the middle of a pillar, metres over the sensor
    grounds: Vec<f64>,
    /// Row of the pillar among the active ones
    rows: Vec<u32>,
    squares: Vec<(f64, u32)>,
    /// Active pillars that are kept, ascending
    order: Vec<u32>,
    pillars: Vec<Pillar>,
    plane: GroundPlane,
    coords: Vec<[i32; 2]>,
    features: Vec<f32>,
}

impl PillarEncoder {
    /// Allocates what is remembered of the cells of `grid`, once.
    pub fn new(grid: BevGrid) -> Self {
        Self {
            grid,
            bottoms: vec![f32::INFINITY; grid.cells()],
            touched: CellSet::new(grid.cells()),
            slots: vec![NONE; grid.cells()],
            points: Vec::new(),
            cells: Vec::new(),
            lowest: Vec::new(),
            near: Vec::new(),
            grounds: Vec::new(),
            rows: Vec::new(),
            squares: Vec::new(),
            order: Vec::new(),
            pillars: Vec::new(),
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
        self.order_cells();
        self.find_ground();
        self.activate(keep_ground);
        stats.dropped = self.choose(max_pillars);
        stats.active = self.order.len();
        self.sum_up();
        self.write();
        stats
    }

    /// Keeps the points inside the grid, and the lowest of each cell.
    fn sort(&mut self, points: impl IntoIterator<Item = LidarPoint>) -> EncodeStats {
        self.points.clear();
        let mut stats = EncodeStats::default();
        let (mut batch, mut filled) = ([LidarPoint::default(); BATCH], 0);
        points.into_iter().for_each(|point| {
            batch[filled] = point;
            filled += 1;
            if filled == BATCH {
                self.add_batch(&batch, &mut stats);
                filled = 0;
            }
        });
        self.add_batch(&batch[..filled], &mut stats);
        stats
    }

    /// Adds at most [`BATCH`] points.
    fn add_batch(&mut self, points: &[LidarPoint], stats: &mut EncodeStats) {
        let mut cells = [0; BATCH];
        for (cell, point) in cells.iter_mut().zip(points) {
            *cell = self.grid.cell_or(point.x, point.y, point.z, NONE);
        }
        stats.points += points.len();
        self.points.reserve(points.len());
        for (&cell, point) in cells.iter().zip(points) {
            let Some(bottom) = self.bottoms.get_mut(cell as usize) else {
                stats.outside += 1;
                continue;
            };
            if *bottom == f32::INFINITY {
                self.touched.insert(cell);
            }
            *bottom = bottom.min(point.z);
            self.points.push((*point, cell));
        }
    }

    /// Numbers the cells with points in ascending order, so that the order of the points leaves no trace, and leaves
    /// what is remembered of cells as it was before the frame.
    fn order_cells(&mut self) {
        self.cells.clear();
        self.lowest.clear();
        for cell in self.touched.iter() {
            self.slots[cell as usize] = self.cells.len() as u32;
            self.cells.push(cell);
            let bottom = std::mem::replace(&mut self.bottoms[cell as usize], f32::INFINITY);
            let (x, y) = self.middle(cell);
            self.lowest.push(LowestPoint { x, y, z: f64::from(bottom) });
        }
        self.touched.clear();
    }

    /// Middle of a cell, metres.
    fn middle(&self, cell: u32) -> (f64, f64) {
        let [x0, y0, ..] = self.grid.range_m().map(f64::from);
        let [edge_x, edge_y] = self.grid.voxel_m().map(f64::from);
        let (row, column) = (cell as usize / self.grid.cols(), cell as usize % self.grid.cols());
        ((row as f64 + 0.5) * edge_x + x0, (column as f64 + 0.5) * edge_y + y0)
    }

    /// Fits the plane to the lowest points; sums up how far those of each square are from it, with a border of empty
    /// squares around.
    fn find_ground(&mut self) {
        self.plane = GroundPlane::fit(&self.lowest, &mut self.near);
        let width = self.grid.cols().div_ceil(SQUARE) + 2;
        let height = self.grid.rows().div_ceil(SQUARE) + 2;
        self.squares.clear();
        self.squares.resize(width * height, (0.0, 0));
        self.grounds.clear();
        for (&cell, point) in self.cells.iter().zip(&self.lowest) {
            let ground = self.plane.at(point.x, point.y);
            let above = point.z - ground;
            self.grounds.push(ground);
            if above.abs() <= ROUGH_M {
                let square = &mut self.squares[square_of(cell as usize, self.grid.cols(), width)];
                square.0 += above;
                square.1 += 1;
            }
        }
    }

    /// Gives each point its pillar, and a row to those pillars that it makes active.
    fn activate(&mut self, keep_ground: bool) {
        let lowest_active = if keep_ground { COUNTED_M.0 } else { ACTIVE_M.0 };
        self.rows.clear();
        self.rows.resize(self.cells.len(), NONE);
        for (point, place) in &mut self.points {
            let slot = self.slots[*place as usize];
            *place = slot;
            let height = f64::from(point.z) - self.grounds[slot as usize];
            if (lowest_active..ACTIVE_M.1).contains(&height) {
                self.rows[slot as usize] = 0;
            }
        }
    }

    /// Puts the active pillars that are kept into `order`, ascending, and gives them their rows; tells how many are
    /// left out.
    fn choose(&mut self, max_pillars: usize) -> usize {
        self.order.clear();
        self.order.extend((0..self.rows.len() as u32).filter(|slot| self.rows[*slot as usize] != NONE));
        let dropped = self.order.len().saturating_sub(max_pillars);
        if dropped > 0 {
            let middles = &self.lowest;
            let distance = |slot: &u32| {
                let middle = &middles[*slot as usize];
                middle.x * middle.x + middle.y * middle.y
            };
            self.order.sort_unstable_by(|a, b| distance(a).total_cmp(&distance(b)).then(a.cmp(b)));
            for slot in self.order.drain(max_pillars..) {
                self.rows[slot as usize] = NONE;
            }
            self.order.sort_unstable();
        }
        for (row, slot) in (0..).zip(&self.order) {
            self.rows[*slot as usize] = row;
        }
        dropped
    }

    /// Sums up the points of the pillars that are kept.
    fn sum_up(&mut self) {
        self.pillars.clear();
        self.pillars.resize(self.order.len(), Pillar::EMPTY);
        let [edge_x, edge_y] = self.grid.voxel_m().map(f64::from);
        let (half_x, half_y) = (2.0 / edge_x, 2.0 / edge_y);
        for (point, slot) in &self.points {
            let slot = *slot as usize;
            let Some(pillar) = self.pillars.get_mut(self.rows[slot] as usize) else { continue };
            let height = f64::from(point.z) - self.grounds[slot];
            if !(COUNTED_M.0..COUNTED_M.1).contains(&height) {
                continue;
            }
            let middle = &self.lowest[slot];
            let (u, w) = ((f64::from(point.x) - middle.x) * half_x, (f64::from(point.y) - middle.y) * half_y);
            let intensity = if point.intensity.is_nan() { 0.0 } else { point.intensity.clamp(0.0, 1.0) };
            pillar.count += 1;
            let values = [u, w, height, u * u, w * w, height * height, f64::from(intensity)];
            for (sum, value) in pillar.sums.iter_mut().zip(values) {
                *sum = sum.wrapping_add(fixed(value));
            }
            pillar.low = pillar.low.min(height);
            pillar.high = pillar.high.max(height);
            pillar.bright = pillar.bright.max(intensity);
            let bin: usize = BINS_M.iter().map(|edge| usize::from(height >= *edge)).sum();
            pillar.bins[bin] += 1;
        }
    }

    fn write(&mut self) {
        self.coords.clear();
        self.features.clear();
        self.features.reserve(self.order.len() * PILLAR_FEATURES);
        let width = self.grid.cols().div_ceil(SQUARE) + 2;
        for (&slot, pillar) in self.order.iter().zip(&self.pillars) {
            let (middle, cell) = (&self.lowest[slot as usize], self.cells[slot as usize] as usize);
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

/// Steps of [`ONE`] nearest to `value`, of which less than 2^14 are asked: the last bits of a sum with so large a
/// number that it has no others. Unlike a cast this becomes vector code on every processor.
#[inline]
const fn fixed(value: f64) -> i64 {
    /// 1.5 · 2^52
    const LARGE: f64 = 6_755_399_441_055_744.0;
    (value * ONE + LARGE).to_bits().wrapping_sub(LARGE.to_bits()).cast_signed()
}

/// Index of the square of a cell among rows of `width` squares, a border included.
const fn square_of(cell: usize, columns: usize, width: usize) -> usize {
    (cell / columns / SQUARE + 1) * width + cell % columns / SQUARE + 1
}

#[cfg(test)]
#[path = "pillar_statistics_tests.rs"]
mod tests;
