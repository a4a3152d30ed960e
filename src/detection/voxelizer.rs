//! LiDAR points → the five-channel bird's-eye-view tensor of the detectors.
//!
//! Channels, each `rows x cols`, row-major: occupied (0 or 1), maximum z (m), minimum z (m),
//! `ln(1 + count)`, mean intensity (0..1). Empty cells are 0 in every channel.
//!
//! The result does not depend on the order of the points: counts and extrema do not by nature, and
//! intensities are summed in fixed point. A frame costs its points and its occupied cells, never the
//! whole grid.

use super::{BevGrid, DetectionError};
use crate::sensor::LidarPoint;

/// Channels of the bird's-eye-view tensor.
pub const BEV_CHANNELS: usize = 5;

/// Steps of the fixed-point intensity: finer than an f32 from 1/256 up, and 2^32 points cannot overflow u64.
const INTENSITY_ONE: f64 = 4_294_967_295.0;

/// What became of one frame's points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VoxelStats {
    /// Points offered.
    pub points: usize,
    /// Points outside the range (non-finite coordinates included).
    pub outside: usize,
    /// Occupied cells.
    pub active: usize,
}

#[derive(Clone, Copy)]
struct Cell {
    intensity: u64,
    count: u32,
    max_z: f32,
    min_z: f32,
}

const EMPTY: Cell = Cell { intensity: 0, count: 0, max_z: f32::NEG_INFINITY, min_z: f32::INFINITY };

/// Where points outside the grid are summed, so that the loop over points need not branch. Its count is
/// never 0: it is no cell that is touched.
const OUTSIDE: Cell = Cell { count: 1, ..EMPTY };

/// Points whose cells are computed together, in vector code.
const BATCH: usize = 64;

/// Counts whose logarithm is tabulated; a cell of a sweep rarely has more points.
const LOG_COUNTS: usize = 1024;

/// Turns sweeps into bird's-eye-view tensors; reuses its memory from frame to frame.
pub struct Voxelizer {
    grid: BevGrid,
    /// All [`EMPTY`] between frames, then one [`OUTSIDE`].
    cells: Vec<Cell>,
    /// Occupied cells of the last frame, the first `active` of it. One longer than the grid: a place is
    /// written before it is known to count.
    touched: Vec<u32>,
    active: usize,
    /// `ln(1 + count)` of the usual counts.
    log_counts: Vec<f32>,
    /// Address of the tensor that holds the last frame's values and zeros elsewhere.
    last_tensor: Option<usize>,
}

impl Voxelizer {
    /// Allocates the accumulators for `grid`, once.
    pub fn new(grid: BevGrid) -> Self {
        Self {
            grid,
            cells: [vec![EMPTY; grid.cells()], vec![OUTSIDE]].concat(),
            touched: vec![0; grid.cells() + 1],
            active: 0,
            log_counts: (0..LOG_COUNTS).map(|count| (count as f32).ln_1p()).collect(),
            last_tensor: None,
        }
    }

    /// The grid points are sorted into.
    pub const fn grid(&self) -> &BevGrid {
        &self.grid
    }

    /// Forgets which tensor was written last, so that the next frame clears all of it.
    ///
    /// Call it when something else wrote to the tensor since the last frame.
    pub fn reset(&mut self) {
        self.last_tensor = None;
    }

    /// Writes the features of `points` to `tensor` (`5 x rows x cols`).
    ///
    /// A tensor other than the last one is cleared as a whole; in the same one only the cells of the
    /// last frame are. Intensities are clamped to 0..1, NaN counts as 0. Fails when `tensor` has
    /// another length than the grid asks for.
    pub fn bev_features(
        &mut self,
        points: impl IntoIterator<Item = LidarPoint>,
        tensor: &mut [f32],
    ) -> Result<VoxelStats, DetectionError> {
        let plane = self.grid.cells();
        if tensor.len() != BEV_CHANNELS * plane {
            return Err(DetectionError::FeatureBuffer {
                expected: BEV_CHANNELS * plane,
                found: tensor.len(),
            });
        }
        self.clear(tensor);

        let mut stats = VoxelStats::default();
        let (mut batch, mut filled) = ([LidarPoint::default(); BATCH], 0);
        points.into_iter().for_each(|point| {
            batch[filled] = point;
            filled += 1;
            if filled == BATCH {
                self.add(&batch, &mut stats);
                filled = 0;
            }
        });
        self.add(&batch[..filled], &mut stats);
        if let Some(outside) = self.cells.last_mut() {
            *outside = OUTSIDE;
        }

        let (occupied, rest) = tensor.split_at_mut(plane);
        let (max_z, rest) = rest.split_at_mut(plane);
        let (min_z, rest) = rest.split_at_mut(plane);
        let (log_count, mean_intensity) = rest.split_at_mut(plane);
        for &index in &self.touched[..self.active] {
            let index = index as usize;
            let cell = std::mem::replace(&mut self.cells[index], EMPTY);
            occupied[index] = 1.0;
            max_z[index] = cell.max_z;
            min_z[index] = cell.min_z;
            log_count[index] = match self.log_counts.get(cell.count as usize) {
                Some(&log) => log,
                None => (cell.count as f32).ln_1p(),
            };
            mean_intensity[index] = (cell.intensity as f64 / (f64::from(cell.count) * INTENSITY_ONE)) as f32;
        }
        stats.active = self.active;
        Ok(stats)
    }

    /// Adds at most [`BATCH`] points to their cells.
    fn add(&mut self, points: &[LidarPoint], stats: &mut VoxelStats) {
        let mut indices = [0; BATCH];
        let outside = self.grid.cells() as u32;
        for (index, point) in indices.iter_mut().zip(points) {
            *index = self.grid.cell_or(point.x, point.y, point.z, outside);
        }
        for (&index, point) in indices.iter().zip(points) {
            // In bounds: an index is below the number of cells or that of the one outside.
            let cell = &mut self.cells[index as usize];
            self.touched[self.active] = index;
            self.active += usize::from(cell.count == 0);
            stats.outside += usize::from(index == outside);
            cell.count = cell.count.saturating_add(1);
            // Adding zero turns -0 into +0, whose order would otherwise show in the sign.
            let z = point.z + 0.0;
            cell.max_z = if z > cell.max_z { z } else { cell.max_z };
            cell.min_z = if z < cell.min_z { z } else { cell.min_z };
            // NaN passes the clamp and becomes 0 in the cast. A signed cast is the cheaper one.
            cell.intensity += (f64::from(point.intensity.clamp(0.0, 1.0)) * INTENSITY_ONE) as i64 as u64;
        }
        stats.points += points.len();
    }

    /// Makes `tensor` all zero and takes note of it.
    fn clear(&mut self, tensor: &mut [f32]) {
        let address = tensor.as_ptr().addr();
        if self.last_tensor == Some(address) {
            for plane in tensor.chunks_exact_mut(self.grid.cells()) {
                for &index in &self.touched[..self.active] {
                    plane[index as usize] = 0.0;
                }
            }
        } else {
            tensor.fill(0.0);
            self.last_tensor = Some(address);
        }
        self.active = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use ndarray::{Array1, Array2, Array3};
    use ndarray_npy::NpzReader;
    use proptest::prelude::*;

    use super::*;

    fn point(x: f32, y: f32, z: f32, intensity: f32) -> LidarPoint {
        LidarPoint { x, y, z, intensity, age_s: 0.0 }
    }

    fn small() -> BevGrid {
        BevGrid::new([-2.0, -1.5, -2.0, 2.0, 1.5, 2.0], [0.5, 0.25]).unwrap()
    }

    fn features(grid: BevGrid, points: &[LidarPoint]) -> (VoxelStats, Vec<f32>) {
        let mut tensor = vec![f32::NAN; BEV_CHANNELS * grid.cells()];
        let stats = Voxelizer::new(grid).bev_features(points.iter().copied(), &mut tensor).unwrap();
        (stats, tensor)
    }

    #[test]
    fn one_cell_holds_the_five_channels() {
        let grid = small();
        let (stats, tensor) = features(
            grid,
            &[point(0.1, 0.1, 1.0, 0.25), point(0.4, 0.2, -0.5, 0.75), point(9.0, 0.0, 0.0, 1.0)],
        );
        assert_eq!(stats, VoxelStats { points: 3, outside: 1, active: 1 });
        let cell = 4 * 12 + 6;
        let values: Vec<f32> = (0..BEV_CHANNELS).map(|c| tensor[c * grid.cells() + cell]).collect();
        assert_eq!(values, [1.0, 1.0, -0.5, 3.0f32.ln(), 0.5]);
        assert_eq!(tensor.iter().filter(|v| **v != 0.0).count(), BEV_CHANNELS);
    }

    #[test]
    fn hostile_values_are_outside_or_clamped() {
        let grid = small();
        let (stats, tensor) = features(
            grid,
            &[
                point(f32::NAN, 0.0, 0.0, 0.5),
                point(0.0, f32::INFINITY, 0.0, 0.5),
                point(0.0, 0.0, f32::NAN, 0.5),
                point(f32::MAX, f32::MIN, 0.0, 0.5),
                point(0.1, 0.1, 0.5, f32::NAN),
                point(0.1, 0.1, 0.5, -7.0),
                point(0.1, 0.1, 0.5, f32::INFINITY),
                point(0.1, 0.1, 0.5, 300.0),
            ],
        );
        assert_eq!(stats, VoxelStats { points: 8, outside: 4, active: 1 });
        assert_eq!(tensor[4 * grid.cells() + 4 * 12 + 6], 0.5);
        assert!(tensor.iter().all(|v| v.is_finite()));
    }

    #[test]
    fn a_frame_leaves_nothing_of_the_one_before() {
        let grid = small();
        let mut voxelizer = Voxelizer::new(grid);
        let mut reused = vec![7.0; BEV_CHANNELS * grid.cells()];
        let frames = [
            vec![point(0.0, 0.0, 0.0, 1.0), point(1.0, 1.0, 1.0, 0.5)],
            vec![point(-1.0, 0.0, 0.5, 1.0)],
            vec![],
            vec![point(0.0, 0.0, -1.0, 0.2)],
        ];
        for frame in &frames {
            voxelizer.bev_features(frame.iter().copied(), &mut reused).unwrap();
            assert_eq!(reused, features(grid, frame).1);
        }
        let mut other = vec![7.0; reused.len()];
        voxelizer.bev_features(frames[0].iter().copied(), &mut other).unwrap();
        assert_eq!(other, features(grid, &frames[0]).1);
        other.fill(3.0);
        voxelizer.reset();
        voxelizer.bev_features(frames[1].iter().copied(), &mut other).unwrap();
        assert_eq!(other, features(grid, &frames[1]).1);
    }

    #[test]
    fn a_tensor_of_another_size_is_refused() {
        let error = Voxelizer::new(small()).bev_features([], &mut [0.0; 4]).unwrap_err();
        assert_eq!(error, DetectionError::FeatureBuffer { expected: 480, found: 4 });
    }

    /// Expected values from `tests/golden/bev_features.py`.
    #[test]
    fn agrees_with_numpy() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/bev_features.npz");
        let mut golden = NpzReader::new(File::open(path).unwrap()).unwrap();
        let grid: Array1<f32> = golden.by_name("grid").unwrap();
        let points: Array2<f32> = golden.by_name("points").unwrap();
        let expected: Array3<f32> = golden.by_name("features").unwrap();
        let outside: Array1<i64> = golden.by_name("outside").unwrap();
        let grid =
            BevGrid::new([grid[0], grid[1], grid[2], grid[3], grid[4], grid[5]], [grid[6], grid[7]]).unwrap();
        assert_eq!(expected.dim(), (BEV_CHANNELS, grid.rows(), grid.cols()));

        let points: Vec<LidarPoint> =
            points.rows().into_iter().map(|p| point(p[0], p[1], p[2], p[3])).collect();
        let (stats, tensor) = features(grid, &points);
        assert_eq!(stats.outside as i64, outside[0]);
        for (index, (found, expected)) in tensor.iter().zip(expected.iter()).enumerate() {
            assert!((found - expected).abs() <= 1e-6, "value {index}: expected {expected}, found {found}");
        }
    }

    fn any_point() -> impl Strategy<Value = LidarPoint> {
        (-2.5f32..2.5, -2.0f32..2.0, -2.5f32..2.5, -0.1f32..1.1).prop_map(|(x, y, z, i)| point(x, y, z, i))
    }

    proptest! {
        #[test]
        fn order_of_points_does_not_matter(
            (points, shuffled) in prop::collection::vec(any_point(), 0..200)
                .prop_flat_map(|points| (Just(points.clone()), Just(points).prop_shuffle()))
        ) {
            let (stats, tensor) = features(small(), &points);
            let (stats_shuffled, tensor_shuffled) = features(small(), &shuffled);
            prop_assert_eq!(stats, stats_shuffled);
            let bits = |tensor: &[f32]| tensor.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&tensor), bits(&tensor_shuffled));
        }

        #[test]
        fn every_point_is_counted_once(points in prop::collection::vec(any_point(), 0..200)) {
            let grid = small();
            let (stats, tensor) = features(grid, &points);
            let counted: f64 =
                tensor[3 * grid.cells()..4 * grid.cells()].iter().map(|v| f64::from(*v).exp_m1()).sum();
            prop_assert_eq!(stats.points, points.len());
            prop_assert_eq!(counted.round() as usize, points.len() - stats.outside);
            prop_assert_eq!(tensor[..grid.cells()].iter().filter(|v| **v == 1.0).count(), stats.active);
        }
    }
}
