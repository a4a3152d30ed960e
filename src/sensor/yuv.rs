//! YUV rows to RGB: BT.601, limited range (black is Y = 16, white 235).
//!
//! The arithmetic is that of OpenCV's `COLOR_YUV2RGB_YUY2`, `…_UYVY`, `…_NV12` and `…_NV21`: fixed
//! point with 20 fractional bits, rounded, cut to a byte. Pixels that share their chroma all take it
//! as it is; it is not interpolated.

use multiversion::multiversion;

/// Order of the bytes of two pixels in YUV 4:2:2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackedOrder {
    /// Y, U, Y, V.
    Yuyv,
    /// U, Y, V, Y.
    Uyvy,
}

/// Order of the chroma bytes in YUV 4:2:0 with two planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChromaOrder {
    /// U, V: NV12.
    Uv,
    /// V, U: NV21.
    Vu,
}

const SHIFT: u32 = 20;
const HALF: i32 = 1 << (SHIFT - 1);
/// 1.164 · 2²⁰
const LUMA: i32 = 1_220_542;
/// 1.596 · 2²⁰
const RED_V: i32 = 1_673_527;
/// 0.813 · 2²⁰
const GREEN_V: i32 = 852_492;
/// 0.391 · 2²⁰
const GREEN_U: i32 = 409_993;
/// 2.018 · 2²⁰
const BLUE_U: i32 = 2_116_026;

/// What chroma adds to each channel, in fixed point with the rounding half.
#[derive(Clone, Copy)]
struct Chroma {
    red: i32,
    green: i32,
    blue: i32,
}

impl Chroma {
    #[inline]
    const fn new(u: i32, v: i32) -> Self {
        let (u, v) = (u - 128, v - 128);
        Self { red: HALF + RED_V * v, green: HALF - GREEN_V * v - GREEN_U * u, blue: HALF + BLUE_U * u }
    }

    /// Red, green, blue, 0 of a pixel with luma `y`, first byte lowest. Nothing here leaves 32 bits:
    /// 239 · 1.164 + 128 · 2.018 is less than 2¹¹.
    #[inline]
    fn with_luma(self, y: i32) -> u32 {
        let y = (y - 16).max(0) * LUMA;
        let byte = |sum: i32| (sum >> SHIFT).clamp(0, 255) as u32;
        byte(y + self.red) | byte(y + self.green) << 8 | byte(y + self.blue) << 16
    }
}

/// Red, green and blue of one pixel.
#[inline]
pub(super) fn yuv_to_rgb(y: u8, u: u8, v: u8) -> [u8; 3] {
    let [r, g, b, _] = Chroma::new(u.into(), v.into()).with_luma(y.into()).to_le_bytes();
    [r, g, b]
}

impl PackedOrder {
    /// Red, green and blue of column `x` of a row; black when the row is too short.
    #[inline]
    pub(super) fn rgb(self, row: &[u8], x: usize) -> [u8; 3] {
        let Some(&[a, b, c, d]) = row.get(x / 2 * 4..).and_then(|rest| rest.first_chunk()) else {
            return [0; 3];
        };
        let ([y0, y1], u, v) = match self {
            Self::Yuyv => ([a, c], b, d),
            Self::Uyvy => ([b, d], a, c),
        };
        yuv_to_rgb(if x.is_multiple_of(2) { y0 } else { y1 }, u, v)
    }

    /// Writes a row as red, green, blue, 0.
    pub(super) fn convert_row(self, row: &[u8], out: &mut [[u8; 4]]) {
        match self {
            Self::Yuyv => convert_packed::<0, 8, 16, 24>(row, out),
            Self::Uyvy => convert_packed::<8, 0, 24, 16>(row, out),
        }
    }
}

/// `Y0`, `U`, `Y1` and `V` are the places of the bytes in a little-endian word, in bits.
#[multiversion(targets("x86_64+avx+avx2"))]
fn convert_packed<const Y0: u32, const U: u32, const Y1: u32, const V: u32>(row: &[u8], out: &mut [[u8; 4]]) {
    for (pair, out) in row.as_chunks::<4>().0.iter().zip(out.as_chunks_mut::<2>().0) {
        let word = u32::from_le_bytes(*pair);
        let byte = |place: u32| (word >> place & 0xff) as i32;
        let chroma = Chroma::new(byte(U), byte(V));
        out[0] = chroma.with_luma(byte(Y0)).to_le_bytes();
        out[1] = chroma.with_luma(byte(Y1)).to_le_bytes();
    }
}

impl ChromaOrder {
    /// Red, green and blue of column `x`, from a row of luma and its row of chroma; black when one is
    /// too short.
    #[inline]
    pub(super) fn rgb(self, luma: &[u8], chroma: &[u8], x: usize) -> [u8; 3] {
        let pair = chroma.get(x / 2 * 2..).and_then(|rest| rest.first_chunk::<2>());
        let (Some(&y), Some(&[first, second])) = (luma.get(x), pair) else { return [0; 3] };
        match self {
            Self::Uv => yuv_to_rgb(y, first, second),
            Self::Vu => yuv_to_rgb(y, second, first),
        }
    }

    /// Writes a row as red, green, blue, 0.
    pub(super) fn convert_row(self, luma: &[u8], chroma: &[u8], out: &mut [[u8; 4]]) {
        match self {
            Self::Uv => convert_planes::<0, 1>(luma, chroma, out),
            Self::Vu => convert_planes::<1, 0>(luma, chroma, out),
        }
    }
}

#[multiversion(targets("x86_64+avx+avx2"))]
fn convert_planes<const U: usize, const V: usize>(luma: &[u8], chroma: &[u8], out: &mut [[u8; 4]]) {
    let pairs = luma.as_chunks::<2>().0.iter().zip(chroma.as_chunks::<2>().0);
    for ((luma, uv), out) in pairs.zip(out.as_chunks_mut::<2>().0) {
        let chroma = Chroma::new(uv[U].into(), uv[V].into());
        out[0] = chroma.with_luma(luma[0].into()).to_le_bytes();
        out[1] = chroma.with_luma(luma[1].into()).to_le_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_is_limited_and_its_ends_are_cut() {
        assert_eq!(yuv_to_rgb(16, 128, 128), [0; 3]);
        assert_eq!(yuv_to_rgb(235, 128, 128), [255; 3]);
        assert_eq!(yuv_to_rgb(0, 128, 128), [0; 3]);
        assert_eq!(yuv_to_rgb(255, 255, 255), [255, 125, 255]);
        assert_eq!(yuv_to_rgb(255, 0, 0), [74, 255, 20]);
    }

    #[test]
    fn rows_and_pixels_agree() {
        let bytes: Vec<u8> = (0..88_u32).map(|i| (i * 89 + i * i / 7) as u8).collect();
        let mut out = [[9; 4]; 22];
        for order in [PackedOrder::Yuyv, PackedOrder::Uyvy] {
            order.convert_row(&bytes[..44], &mut out);
            for (x, pixel) in out.iter().enumerate() {
                assert_eq!((pixel[..3].to_vec(), pixel[3]), (order.rgb(&bytes, x).to_vec(), 0));
            }
        }
        for order in [ChromaOrder::Uv, ChromaOrder::Vu] {
            let (luma, chroma) = (&bytes[44..66], &bytes[66..88]);
            order.convert_row(luma, chroma, &mut out);
            for (x, pixel) in out.iter().enumerate() {
                assert_eq!(pixel[..3], order.rgb(luma, chroma, x));
            }
        }
    }

    #[test]
    fn short_rows_are_black() {
        assert_eq!(PackedOrder::Yuyv.rgb(&[1, 2, 3], 0), [0; 3]);
        assert_eq!(ChromaOrder::Uv.rgb(&[200], &[1], 0), [0; 3]);
    }
}
