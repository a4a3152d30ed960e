//! Bayer mosaics to RGB: bilinear interpolation, as OpenCV's `COLOR_BayerRGGB2RGB` and its kin do it.
//!
//! A colour that a pixel does not measure is the rounded mean of its two or four nearest neighbours
//! that do. Pixels of the outermost rows and columns lack some of these and take the colour of the
//! nearest pixel that has all of them, one further in.

use multiversion::multiversion;

/// The colours of the upper left 2×2 pixels, row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BayerPattern {
    /// Red, green; green, blue.
    Rggb,
    /// Blue, green; green, red.
    Bggr,
    /// Green, blue; red, green.
    Gbrg,
    /// Green, red; blue, green.
    Grbg,
}

impl BayerPattern {
    /// Column and row of red among the upper left 2×2 pixels. Blue lies opposite.
    const fn red(self) -> (usize, usize) {
        match self {
            Self::Rggb => (0, 0),
            Self::Grbg => (1, 0),
            Self::Gbrg => (0, 1),
            Self::Bggr => (1, 1),
        }
    }

    /// Whether row `y` measures red, beside green, and whether its odd columns are green.
    const fn of_row(self, y: usize) -> (bool, bool) {
        let (red_x, red_y) = self.red();
        let has_red = y % 2 == red_y;
        let coloured = if has_red { red_x } else { 1 - red_x };
        (has_red, coloured == 0)
    }

    /// The row, or column, whose pixels `at` takes its colours from: itself, or the next further in.
    pub(super) fn inner(at: u32, length: u32) -> u32 {
        at.clamp(1, length.saturating_sub(2).max(1))
    }

    /// Red, green and blue at column `x` of row `y`, both [`BayerPattern::inner`], from that row and
    /// its neighbours; black when a row is too short.
    pub(super) fn rgb(self, [above, row, below]: [&[u8]; 3], x: usize, y: usize) -> [u8; 3] {
        let window = |row: &[u8]| -> Option<[u8; 3]> { row.get(x.checked_sub(1)?..)?.first_chunk().copied() };
        let (Some(above), Some(row), Some(below)) = (window(above), window(row), window(below)) else {
            return [0; 3];
        };
        let (has_red, odd_is_green) = self.of_row(y);
        let sums = if (x % 2 == 1) == odd_is_green {
            at_green(above[1], row, below[1])
        } else {
            at_colour(above, row, below)
        };
        let [r, g, b, _] = pack(sums, has_red).to_le_bytes();
        [r, g, b]
    }

    /// Writes row `y`, an [`BayerPattern::inner`] one, as red, green, blue, 0 from itself and its neighbours.
    /// The rest of a longer `out` stays.
    pub(super) fn convert_row(self, rows: [&[u8]; 3], y: usize, out: &mut [[u8; 4]]) {
        // The border pixels copy the ones beside them, so the end of `out` must be that of the row.
        let width = out.len().min(rows[1].len());
        let out = &mut out[..width];
        match self.of_row(y) {
            (true, true) => convert::<true, true>(rows, out),
            (true, false) => convert::<true, false>(rows, out),
            (false, true) => convert::<false, true>(rows, out),
            (false, false) => convert::<false, false>(rows, out),
        }
    }
}

/// The colour measured in this row, green, and the colour of the rows above and below.
type Sums = [u32; 3];

/// At a green pixel: `row` from one column before it to one after.
#[inline]
fn at_green(above: u8, row: [u8; 3], below: u8) -> Sums {
    let [left, green, right] = row.map(u32::from);
    [(left + right + 1) >> 1, green, (u32::from(above) + u32::from(below) + 1) >> 1]
}

/// At a red or blue pixel: three rows from one column before it to one after.
#[inline]
fn at_colour(above: [u8; 3], row: [u8; 3], below: [u8; 3]) -> Sums {
    let ([a, b, c], [d, own, e], [f, g, h]) =
        (above.map(u32::from), row.map(u32::from), below.map(u32::from));
    [own, (b + d + e + g + 2) >> 2, (a + c + f + h + 2) >> 2]
}

#[inline]
fn pack([row_colour, green, other]: Sums, has_red: bool) -> u32 {
    let (red, blue) = if has_red { (row_colour, other) } else { (other, row_colour) };
    red | green << 8 | blue << 16
}

#[multiversion(targets("x86_64+avx+avx2"))]
fn convert<const HAS_RED: bool, const ODD_IS_GREEN: bool>(rows: [&[u8]; 3], out: &mut [[u8; 4]]) {
    let [above, row, below] = rows.map(|row| row.as_chunks::<2>().0);
    // Columns 2i + 1 and 2i + 2 need columns 2i to 2i + 3.
    let windows = above.windows(2).zip(row.windows(2)).zip(below.windows(2));
    let Some((_, inner)) = out.split_first_mut() else { return };
    for (((above, row), below), out) in windows.zip(inner.as_chunks_mut::<2>().0) {
        let (&[[a0, a1], [a2, a3]], &[[r0, r1], [r2, r3]], &[[b0, b1], [b2, b3]]) = (above, row, below)
        else {
            continue;
        };
        let (odd, even) = if ODD_IS_GREEN {
            (at_green(a1, [r0, r1, r2], b1), at_colour([a1, a2, a3], [r1, r2, r3], [b1, b2, b3]))
        } else {
            (at_colour([a0, a1, a2], [r0, r1, r2], [b0, b1, b2]), at_green(a2, [r1, r2, r3], b2))
        };
        out[0] = pack(odd, HAS_RED).to_le_bytes();
        out[1] = pack(even, HAS_RED).to_le_bytes();
    }
    if let [first, second, .., before_last, last] = out {
        *first = *second;
        *last = *before_last;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATTERNS: [BayerPattern; 4] =
        [BayerPattern::Rggb, BayerPattern::Bggr, BayerPattern::Gbrg, BayerPattern::Grbg];

    /// What a pixel of a grey wall in coloured light measures behind its filter.
    fn measured(pattern: BayerPattern, x: usize, y: usize, colour: [u8; 3]) -> u8 {
        let (red_x, red_y) = pattern.red();
        match (x % 2 == red_x, y % 2 == red_y) {
            (true, true) => colour[0],
            (false, false) => colour[2],
            _ => colour[1],
        }
    }

    #[test]
    fn a_wall_of_one_colour_has_it_everywhere() {
        let colour = [200, 100, 30];
        for pattern in PATTERNS {
            let row = |y: usize| -> Vec<u8> { (0..8).map(|x| measured(pattern, x, y, colour)).collect() };
            for y in 1..5 {
                let rows = [row(y - 1), row(y), row(y + 1)];
                let rows = [&rows[0][..], &rows[1], &rows[2]];
                let mut out = [[9; 4]; 8];
                pattern.convert_row(rows, y, &mut out);
                assert_eq!(out, [[200, 100, 30, 0]; 8], "{pattern:?} row {y}");
                for x in 1..7 {
                    assert_eq!(pattern.rgb(rows, x, y), colour, "{pattern:?} {x} {y}");
                }
            }
        }
    }

    #[test]
    fn border_pixels_look_one_further_in() {
        let found: Vec<u32> = (0..6).map(|at| BayerPattern::inner(at, 6)).collect();
        assert_eq!(found, [1, 1, 2, 3, 4, 4]);
    }

    #[test]
    fn short_rows_are_black() {
        assert_eq!(BayerPattern::Rggb.rgb([&[1, 2], &[1, 2, 3], &[1, 2, 3]], 1, 1), [0; 3]);
        assert_eq!(BayerPattern::Rggb.rgb([&[1; 3]; 3], 0, 1), [0; 3]);
        let mut out = [[7; 4]; 1];
        BayerPattern::Rggb.convert_row([&[]; 3], 1, &mut out);
        assert_eq!(out, [[7; 4]]);
    }

    #[test]
    fn nothing_is_written_beyond_the_row() {
        let mut out = [[7; 4]; 9];
        BayerPattern::Gbrg.convert_row([&[50; 8]; 3], 1, &mut out);
        assert_eq!(out[..8], [[50, 50, 50, 0]; 8]);
        assert_eq!(out[8], [7; 4]);
    }
}
