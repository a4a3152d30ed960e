//! A colour picture back into YUV: BT.601, limited range, as `crate::sensor` reads it. Chroma is the mean of
//! the pixels that share it.

use super::picture::Picture;
use crate::sensor::{ChromaOrder, PackedOrder};

/// Luma and both chromas of red, green and blue 0..1, in the units of a byte.
fn to_yuv([r, g, b]: [f32; 3]) -> [f32; 3] {
    let luma = 0.299 * r + 0.587 * g + 0.114 * b;
    [16.0 + 219.0 * luma, 128.0 + 224.0 * 0.5 / 0.886 * (b - luma), 128.0 + 224.0 * 0.5 / 0.701 * (r - luma)]
}

fn byte(value: f32) -> u8 {
    value.round() as u8
}

impl Picture {
    fn colour(&self, x: usize, y: usize) -> [f32; 3] {
        let place = (y * self.width + x) * 3;
        self.values.get(place..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default()
    }
}

/// Into 4:2:2, rows of `step` bytes.
pub fn store_packed(picture: &Picture, order: PackedOrder, step: usize, data: &mut [u8]) {
    for y in 0..picture.height {
        let Some(row) = data.get_mut(y * step..) else { return };
        for (pair, bytes) in row.as_chunks_mut::<4>().0.iter_mut().take(picture.width / 2).enumerate() {
            let [a, b] = [0, 1].map(|k| to_yuv(picture.colour(2 * pair + k, y)));
            let [y0, y1] = [a[0], b[0]].map(byte);
            let [u, v] = [1, 2].map(|k| byte(f32::midpoint(a[k], b[k])));
            *bytes = match order {
                PackedOrder::Yuyv => [y0, u, y1, v],
                PackedOrder::Uyvy => [u, y0, v, y1],
            };
        }
    }
}

/// Into 4:2:0 with two planes, rows of `step` bytes.
pub fn store_planes(picture: &Picture, order: ChromaOrder, step: usize, data: &mut [u8]) {
    for y in 0..picture.height {
        let Some(row) = data.get_mut(y * step..) else { return };
        for (x, luma) in row.iter_mut().take(picture.width).enumerate() {
            *luma = byte(to_yuv(picture.colour(x, y))[0]);
        }
    }
    for y in 0..picture.height / 2 {
        let Some(row) = data.get_mut((picture.height + y) * step..) else { return };
        for (x, bytes) in row.as_chunks_mut::<2>().0.iter_mut().take(picture.width / 2).enumerate() {
            let four = [(0, 0), (1, 0), (0, 1), (1, 1)];
            let colours = four.map(|(dx, dy)| to_yuv(picture.colour(2 * x + dx, 2 * y + dy)));
            let [u, v] = [1, 2].map(|k| byte(colours.iter().map(|colour| colour[k]).sum::<f32>() / 4.0));
            *bytes = match order {
                ChromaOrder::Uv => [u, v],
                ChromaOrder::Vu => [v, u],
            };
        }
    }
}
