//! The bird's-eye-view grid a detector works on.
//!
//! Row `i` and column `j` cover `x0 + i·vx <= x < x0 + (i+1)·vx` and `y0 + j·vy <= y < y0 + (j+1)·vy`
//! in the frame of the cloud (REP-103: x forward, y left). Tensors are row-major.

use super::DetectionError;

/// Cells along one axis; 4096² cells of accumulators stay below 0.5 GiB.
const MAX_CELLS_PER_AXIS: usize = 4096;

/// How far `range / voxel` may be from a whole number; absorbs decimal fractions in a manifest.
const WHOLE_CELLS_TOLERANCE: f64 = 0.01;

/// A validated grid: extents, cell size and number of cells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BevGrid {
    range_m: [f32; 6],
    voxel_m: [f32; 2],
    rows: usize,
    cols: usize,
}

impl BevGrid {
    /// A grid over `range_m` = `[x0, y0, z0, x1, y1, z1]` in cells of `voxel_m` = `[vx, vy]`, metres.
    ///
    /// Refuses bounds that are not finite and ascending, voxels that are not positive, and extents
    /// that are not a whole number of cells per axis from 1 to 4096.
    pub fn new(range_m: [f32; 6], voxel_m: [f32; 2]) -> Result<Self, DetectionError> {
        let [x0, y0, z0, x1, y1, z1] = range_m;
        for (axis, min, max) in [('x', x0, x1), ('y', y0, y1), ('z', z0, z1)] {
            if !(min.is_finite() && max.is_finite() && min < max) {
                return Err(DetectionError::Range { axis, min, max });
            }
        }
        let rows = cell_count('x', x0, x1, voxel_m[0])?;
        let cols = cell_count('y', y0, y1, voxel_m[1])?;
        Ok(Self { range_m, voxel_m, rows, cols })
    }

    /// `[x0, y0, z0, x1, y1, z1]`, metres; upper bounds are exclusive.
    pub const fn range_m(&self) -> [f32; 6] {
        self.range_m
    }

    /// Cell edges `[vx, vy]`, metres.
    pub const fn voxel_m(&self) -> [f32; 2] {
        self.voxel_m
    }

    /// Number of cells along x.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Number of cells along y.
    pub const fn cols(&self) -> usize {
        self.cols
    }

    /// Number of cells, `rows · cols`.
    pub const fn cells(&self) -> usize {
        self.rows * self.cols
    }

    /// Row-major index of the cell that holds a point, or `None` outside the range.
    ///
    /// NaN and infinities are outside.
    #[inline]
    pub fn cell(&self, x: f32, y: f32, z: f32) -> Option<usize> {
        let cell = self.cell_or(x, y, z, u32::MAX);
        (cell != u32::MAX).then_some(cell as usize)
    }

    /// As [`Self::cell`], and `outside` outside the range: no branch, so that loops over points become
    /// vector code.
    #[inline]
    pub(super) fn cell_or(&self, x: f32, y: f32, z: f32, outside: u32) -> u32 {
        let row = (x - self.range_m[0]) / self.voxel_m[0];
        let col = (y - self.range_m[1]) / self.voxel_m[1];
        // Every comparison is false for NaN.
        let inside = (row >= 0.0)
            & (row < self.rows as f32)
            & (col >= 0.0)
            & (col < self.cols as f32)
            & (z >= self.range_m[2])
            & (z < self.range_m[5]);
        let cell = whole(row).wrapping_mul(self.cols as u32).wrapping_add(whole(col));
        if inside { cell } else { outside }
    }

    /// The middle of cell `cell` (row-major), and of the range's height, metres.
    pub fn center_of(&self, cell: usize) -> [f64; 3] {
        let [x0, y0, z0, _, _, z1] = self.range_m.map(f64::from);
        let [edge_x, edge_y] = self.voxel_m.map(f64::from);
        let (row, col) = (cell / self.cols, cell % self.cols);
        [x0 + (row as f64 + 0.5) * edge_x, y0 + (col as f64 + 0.5) * edge_y, 0.5 * (z0 + z1)]
    }

    /// The whole stride between this grid and a head of `rows` x `cols` cells.
    pub fn stride_of(&self, rows: usize, cols: usize) -> Result<usize, DetectionError> {
        let stride = self.rows.checked_div(rows).unwrap_or(0);
        if stride == 0
            || rows.checked_mul(stride) != Some(self.rows)
            || cols.checked_mul(stride) != Some(self.cols)
        {
            return Err(DetectionError::HeadShape { rows, cols, grid_rows: self.rows, grid_cols: self.cols });
        }
        Ok(stride)
    }
}

/// The whole part of 0 ≤ `value` < 2^22, exactly, and some number of any other. A cast asks for NaN and for what is
/// too large, and keeps loops from becoming vector code.
#[inline]
fn whole(value: f32) -> u32 {
    // From here on floats are whole numbers, which their lowest bits count.
    const WHOLE: f32 = 8_388_608.0;
    let shifted = value + WHOLE;
    let nearest = shifted - WHOLE;
    (shifted.to_bits() & 0x7f_ffff).wrapping_sub(u32::from(nearest > value))
}

fn cell_count(axis: char, min: f32, max: f32, voxel: f32) -> Result<usize, DetectionError> {
    if !(voxel.is_finite() && voxel > 0.0) {
        return Err(DetectionError::VoxelSize { axis, found: voxel });
    }
    let found = (f64::from(max) - f64::from(min)) / f64::from(voxel);
    let count = found.round();
    if (found - count).abs() > WHOLE_CELLS_TOLERANCE || !(1.0..=MAX_CELLS_PER_AXIS as f64).contains(&count) {
        return Err(DetectionError::CellCount { axis, found, limit: MAX_CELLS_PER_AXIS });
    }
    Ok(count as usize)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn grid() -> BevGrid {
        BevGrid::new([-51.2, -51.2, -5.0, 51.2, 51.2, 3.0], [0.4, 0.4]).unwrap()
    }

    #[test]
    fn rounds_decimal_extents_to_the_intended_cell_count() {
        assert_eq!((grid().rows(), grid().cols()), (256, 256));
        let kitti = BevGrid::new([0.0, -39.68, -3.0, 69.12, 39.68, 1.0], [0.16, 0.16]).unwrap();
        assert_eq!((kitti.rows(), kitti.cols()), (432, 496));
    }

    #[test]
    fn refuses_ranges_and_voxels_that_make_no_grid() {
        let new = |x1: f32, vx: f32| BevGrid::new([0.0, 0.0, -1.0, x1, 8.0, 1.0], [vx, 1.0]);
        assert!(matches!(new(0.0, 1.0), Err(DetectionError::Range { axis: 'x', .. })));
        assert!(matches!(new(f32::NAN, 1.0), Err(DetectionError::Range { axis: 'x', .. })));
        assert!(matches!(new(f32::INFINITY, 1.0), Err(DetectionError::Range { axis: 'x', .. })));
        assert!(matches!(new(8.0, 0.0), Err(DetectionError::VoxelSize { axis: 'x', .. })));
        assert!(matches!(new(8.0, f32::NAN), Err(DetectionError::VoxelSize { axis: 'x', .. })));
        assert!(matches!(new(8.5, 1.0), Err(DetectionError::CellCount { axis: 'x', .. })));
        assert!(matches!(new(8.0, 1e-6), Err(DetectionError::CellCount { axis: 'x', .. })));
        assert!(matches!(new(f32::MAX, 1.0), Err(DetectionError::CellCount { axis: 'x', .. })));
    }

    #[test]
    fn bounds_are_half_open() {
        let grid = BevGrid::new([-1.0, -2.0, -1.0, 1.0, 2.0, 1.0], [0.5, 1.0]).unwrap();
        assert_eq!(grid.cell(-1.0, -2.0, -1.0), Some(0));
        assert_eq!(grid.cell(-0.5, -1.0, 0.0), Some(5));
        assert_eq!(grid.cell(0.99, 1.99, 0.0), Some(15));
        assert_eq!(grid.cell(1.0, 0.0, 0.0), None);
        assert_eq!(grid.cell(0.0, 2.0, 0.0), None);
        assert_eq!(grid.cell(0.0, 0.0, 1.0), None);
        assert_eq!(grid.cell((-1.0f32).next_down(), 0.0, 0.0), None);
    }

    #[test]
    fn stride_must_be_whole_and_equal() {
        assert_eq!(grid().stride_of(256, 256), Ok(1));
        assert_eq!(grid().stride_of(64, 64), Ok(4));
        for (rows, cols) in [(0, 0), (64, 128), (100, 100), (512, 512), (usize::MAX, 1)] {
            assert!(grid().stride_of(rows, cols).is_err(), "{rows} x {cols}");
        }
    }

    proptest! {
        #[test]
        fn whole_parts_are_those_of_a_cast(value in 0.0_f32..4096.0, step in 0_u32..1 << 22) {
            prop_assert_eq!(whole(value), value as u32);
            let edge = step as f32;
            for near in [edge.next_down().max(0.0), edge, edge.next_up(), edge + 0.5] {
                prop_assert_eq!(whole(near), near as u32);
            }
        }

        #[test]
        fn any_float_is_inside_a_cell_or_outside(x in any::<f32>(), y in any::<f32>(), z in any::<f32>()) {
            let grid = grid();
            if let Some(cell) = grid.cell(x, y, z) {
                prop_assert!(cell < grid.cells());
                prop_assert!((-51.2..51.2).contains(&x) && (-51.2..51.2).contains(&y) && (-5.0..3.0).contains(&z));
            }
        }

        #[test]
        fn a_cell_centre_maps_back(row in 0usize..256, col in 0usize..256) {
            let x = -51.2 + (row as f32 + 0.5) * 0.4;
            let y = -51.2 + (col as f32 + 0.5) * 0.4;
            prop_assert_eq!(grid().cell(x, y, 0.0), Some(row * 256 + col));
        }
    }
}
