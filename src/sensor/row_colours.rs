//! The colours of one row of an image, whatever its format.

use super::{BayerPattern, ChromaOrder, PackedOrder};

/// A row whose place in the message is looked up, so that each pixel costs little.
#[derive(Clone, Copy, Debug)]
pub struct RowColours<'a>(pub(super) Row<'a>);

#[derive(Clone, Copy, Debug)]
pub(super) enum Row<'a> {
    /// Each pixel has its bytes, `stride` of them, red, green and blue at `rgb`.
    Bytes { row: &'a [u8], stride: usize, rgb: [usize; 3] },
    /// YUV 4:2:2.
    Packed { row: &'a [u8], order: PackedOrder },
    /// YUV 4:2:0.
    Planes { luma: &'a [u8], chroma: &'a [u8], order: ChromaOrder },
    /// A mosaic's row `y`, one that has neighbours, between them.
    Mosaic { rows: [&'a [u8]; 3], y: usize, pattern: BayerPattern },
    /// Depth, or a row below the image.
    None,
}

impl RowColours<'_> {
    /// Red, green and blue at column `x`; grey is repeated. Black where there is no pixel.
    #[inline]
    pub fn rgb(&self, x: u32) -> [u8; 3] {
        match self.0 {
            Row::Bytes { row, stride, rgb } => {
                let pixel = row.get(x as usize * stride..).unwrap_or(&[]);
                rgb.map(|place| pixel.get(place).copied().unwrap_or(0))
            }
            Row::Packed { row, order } => order.rgb(row, x as usize),
            Row::Planes { luma, chroma, order } => order.rgb(luma, chroma, x as usize),
            Row::Mosaic { rows, y, pattern } => {
                let width = rows[1].len() as u32;
                if x < width { pattern.rgb(rows, BayerPattern::inner(x, width) as usize, y) } else { [0; 3] }
            }
            Row::None => [0; 3],
        }
    }

    /// Writes the row as red, green, blue, 0, as many pixels as `out` and the row both have; the rest of
    /// `out` stays.
    pub fn convert(&self, out: &mut [[u8; 4]]) {
        match self.0 {
            Row::Bytes { row, stride, rgb } => {
                for (out, pixel) in out.iter_mut().zip(row.chunks_exact(stride)) {
                    let [r, g, b] = rgb.map(|place| pixel[place]);
                    *out = [r, g, b, 0];
                }
            }
            Row::Packed { row, order } => order.convert_row(row, out),
            Row::Planes { luma, chroma, order } => order.convert_row(luma, chroma, out),
            Row::Mosaic { rows, y, pattern } => pattern.convert_row(rows, y, out),
            Row::None => {}
        }
    }
}
