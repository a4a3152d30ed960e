//! Weighted sums of the rows of a camera image, whatever the camera publishes.

use std::ops::Range;

use multiversion::multiversion;

use super::resample::LANES;
use crate::sensor::ImageView;

/// Rows of bytes whose sum surely fits into 16 bits.
const MAX_RUN: usize = 256;

/// Where the channels of a pixel lie in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Values from one pixel to the next, 1 to 4
    pub stride: usize,
    /// Places of red, green and blue: a colour order, or one place for all
    pub rgb: [usize; 3],
}

/// Sums rows of one image after the other. Its memory is a few rows and is kept.
#[derive(Debug, Default)]
pub(super) struct SourceRows {
    lender: RowLender,
    /// The sum of rows of equal weight
    plain: Vec<u16>,
    /// The sum of all, then room for a last read of [`LANES`] values
    gathered: Vec<f32>,
}

impl SourceRows {
    /// Forgets the last image and tells how the rows of this one look; `None` for depth.
    pub fn start(&mut self, image: &ImageView<'_>) -> Option<Layout> {
        let layout = match image.rgb_bytes() {
            Some(rgb) => Layout { stride: image.format().bytes_per_pixel(), rgb },
            None if image.format().is_depth() => return None,
            None => Layout { stride: 4, rgb: [0, 1, 2] },
        };
        let width = image.width() as usize;
        self.lender.start(image);
        self.plain.resize(width * layout.stride, 0);
        self.gathered.resize(width * layout.stride + LANES, 0.0);
        Some(layout)
    }

    /// The sum of the image's rows from `start` on, each with its weight; 0..255 where the weights sum
    /// to 1.
    pub fn gather(&mut self, image: &ImageView<'_>, start: usize, weights: &[f32]) -> &[f32] {
        let mut y = start;
        let mut is_first = true;
        // Rows of equal weight, which an average mostly has, are summed as integers: twice as fast.
        for run in weights.chunk_by(|a, b| a == b) {
            for rows in run.chunks(MAX_RUN) {
                if rows[0] != 0.0 {
                    self.add(image, y..y + rows.len(), rows[0], is_first);
                    is_first = false;
                }
                y += rows.len();
            }
        }
        &self.gathered
    }

    /// Adds rows of one weight to the sum, or starts it with them.
    fn add(&mut self, image: &ImageView<'_>, rows: Range<usize>, weight: f32, is_first: bool) {
        if rows.len() == 1 {
            return add_weighted(&mut self.gathered, self.lender.row(image, rows.start), weight, is_first);
        }
        start_sum(&mut self.plain, self.lender.row(image, rows.start));
        for y in rows.skip(1) {
            add_bytes(&mut self.plain, self.lender.row(image, y));
        }
        add_weighted(&mut self.gathered, &self.plain, weight, is_first);
    }
}

#[multiversion(targets("x86_64+avx+avx2"))]
fn start_sum(sums: &mut [u16], row: &[u8]) {
    for (sum, &value) in sums.iter_mut().zip(row) {
        *sum = value.into();
    }
}

#[multiversion(targets("x86_64+avx+avx2"))]
fn add_bytes(sums: &mut [u16], row: &[u8]) {
    for (sum, &value) in sums.iter_mut().zip(row) {
        // A checked sum would not become vector code, and MAX_RUN keeps it from wrapping.
        *sum = sum.wrapping_add(value.into());
    }
}

#[multiversion(targets("x86_64+avx+avx2"))]
fn add_weighted<T: Copy + Into<f32>>(gathered: &mut [f32], row: &[T], weight: f32, is_first: bool) {
    if is_first {
        for (sum, &value) in gathered.iter_mut().zip(row) {
            *sum = weight * value.into();
        }
    } else {
        for (sum, &value) in gathered.iter_mut().zip(row) {
            *sum += weight * value.into();
        }
    }
}

/// Lends rows: the message's own bytes where each pixel has its colour, else the row converted. A
/// row that two target rows share is converted once.
#[derive(Debug, Default)]
struct RowLender {
    /// The last converted rows, even and odd: target rows overlap in a row or two.
    converted: [Vec<[u8; 4]>; 2],
    held: [Option<usize>; 2],
}

impl RowLender {
    fn start(&mut self, image: &ImageView<'_>) {
        self.held = [None; 2];
        if image.rgb_bytes().is_none() {
            for row in &mut self.converted {
                row.resize(image.width() as usize, [0; 4]);
            }
        }
    }

    fn row<'a>(&'a mut self, image: &ImageView<'a>, y: usize) -> &'a [u8] {
        if image.rgb_bytes().is_some() {
            return image.row(y as u32);
        }
        let slot = y % 2;
        if self.held[slot] != Some(y) {
            image.colours(y as u32).convert(&mut self.converted[slot]);
            self.held[slot] = Some(y);
        }
        self.converted[slot].as_flattened()
    }
}
