//! An image message as rows of pixels.

use super::row_colours::{Row, RowColours};
use super::{BayerPattern, PixelFormat, SensorError};
use crate::message::Image;

/// A checked view of an image: every row and pixel it announces is there.
#[derive(Clone, Copy, Debug)]
pub struct ImageView<'a> {
    width: u32,
    height: u32,
    step: usize,
    format: PixelFormat,
    big_endian: bool,
    data: &'a [u8],
}

impl<'a> ImageView<'a> {
    /// Checks encoding, size, step and length. Rows may be padded. `mono16` is brightness here.
    pub fn new(image: &Image<'a>) -> Result<Self, SensorError> {
        Self::with_format(image, PixelFormat::from_encoding(image.encoding)?)
    }

    /// As [`ImageView::new`], and refuses depth encodings.
    pub fn new_color(image: &Image<'a>) -> Result<Self, SensorError> {
        Self::with_format(image, PixelFormat::from_color_encoding(image.encoding)?)
    }

    /// As [`ImageView::new`], and refuses colour encodings. `mono16` is read as `16UC1` (REP-118).
    pub fn new_depth(image: &Image<'a>) -> Result<Self, SensorError> {
        Self::with_format(image, PixelFormat::from_depth_encoding(image.encoding)?)
    }

    fn with_format(image: &Image<'a>, format: PixelFormat) -> Result<Self, SensorError> {
        let view = Self::from_parts(image.width, image.height, format, u64::from(image.step), image.data)?;
        Ok(Self { big_endian: image.is_bigendian, ..view })
    }

    /// A little-endian view over pixels that are in memory already; `step` in bytes.
    pub fn from_parts(
        width: u32,
        height: u32,
        format: PixelFormat,
        step: u64,
        data: &'a [u8],
    ) -> Result<Self, SensorError> {
        format.check_size(width, height)?;
        // 32-bit factors: no product here can leave 64 bits.
        let row = u64::from(width) * format.bytes_per_pixel() as u64;
        let step_u32 = u32::try_from(step).unwrap_or(u32::MAX);
        if u64::from(step_u32) < row {
            return Err(SensorError::ImageStep { expected: row, found: step_u32 });
        }
        let chroma_rows = if matches!(format, PixelFormat::Yuv420(_)) { height / 2 } else { 0 };
        let full_rows = u64::from(height) + u64::from(chroma_rows) - 1;
        // Drivers differ on whether the last row carries its padding.
        let expected = u64::from(step_u32).saturating_mul(full_rows).saturating_add(row);
        if (data.len() as u64) < expected {
            return Err(SensorError::DataLength { what: "image", expected, found: data.len() });
        }
        Ok(Self { width, height, step: step_u32 as usize, format, big_endian: false, data })
    }

    /// Columns.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// Pixel format.
    pub const fn format(&self) -> PixelFormat {
        self.format
    }

    /// The bytes of row `y` without padding, luma alone in 4:2:0 formats; empty below the image.
    #[inline]
    pub fn row(&self, y: u32) -> &'a [u8] {
        if y < self.height { self.line(y as usize) } else { &[] }
    }

    /// Row `line` of the buffer, which may lie in the chroma plane.
    #[inline]
    fn line(&self, line: usize) -> &'a [u8] {
        let length = self.width as usize * self.format.bytes_per_pixel();
        self.data.get(line * self.step..).and_then(|rest| rest.get(..length)).unwrap_or(&[])
    }

    /// The chroma that belongs to row `y`, in 4:2:0 formats.
    #[inline]
    fn chroma_row(&self, y: u32) -> &'a [u8] {
        self.line(self.height as usize + y as usize / 2)
    }

    /// Which bytes of a pixel are red, green and blue, in formats where each pixel has its own. `None`
    /// for YUV, Bayer and depth.
    pub const fn rgb_bytes(&self) -> Option<[usize; 3]> {
        match self.format {
            PixelFormat::Rgb8 | PixelFormat::Rgba8 => Some([0, 1, 2]),
            PixelFormat::Bgr8 | PixelFormat::Bgra8 => Some([2, 1, 0]),
            PixelFormat::Mono8 => Some([0; 3]),
            PixelFormat::Mono16 => Some([if self.big_endian { 0 } else { 1 }; 3]),
            PixelFormat::Yuv422(_)
            | PixelFormat::Yuv420(_)
            | PixelFormat::Bayer8(_)
            | PixelFormat::Depth16
            | PixelFormat::Depth32F => None,
        }
    }

    /// The colours of row `y`: black for depth formats, which [`ImageView::new_color`] keeps out, and below
    /// the image.
    #[inline]
    pub fn colours(&self, y: u32) -> RowColours<'a> {
        if y >= self.height {
            return RowColours(Row::None);
        }
        let row = self.row(y);
        RowColours(match self.format {
            PixelFormat::Yuv422(order) => Row::Packed { row, order },
            PixelFormat::Yuv420(order) => Row::Planes { luma: row, chroma: self.chroma_row(y), order },
            PixelFormat::Bayer8(pattern) => {
                let y = BayerPattern::inner(y, self.height);
                let rows = [self.row(y - 1), self.row(y), self.row(y + 1)];
                Row::Mosaic { rows, y: y as usize, pattern }
            }
            _ => match self.rgb_bytes() {
                Some(rgb) => Row::Bytes { row, stride: self.format.bytes_per_pixel(), rgb },
                None => Row::None,
            },
        })
    }

    /// Colour at column `x`, row `y`, black outside the image. Pixels of one row are cheaper through
    /// [`ImageView::colours`].
    #[inline]
    pub fn rgb(&self, x: u32, y: u32) -> [u8; 3] {
        self.colours(y).rgb(x)
    }

    /// Depth in metres at column `x`, row `y`: NaN where there is no reading (0 in 16-bit images),
    /// outside the image and for colour formats. 32-bit values come as they are.
    #[inline]
    pub fn depth_m(&self, x: u32, y: u32) -> f32 {
        match (self.format, self.pixel(x, y)) {
            (PixelFormat::Depth16, &[a, b]) => {
                let millimetres =
                    if self.big_endian { u16::from_be_bytes([a, b]) } else { u16::from_le_bytes([a, b]) };
                if millimetres == 0 { f32::NAN } else { f32::from(millimetres) * 1e-3 }
            }
            (PixelFormat::Depth32F, &[a, b, c, d]) => {
                let bytes = [a, b, c, d];
                if self.big_endian { f32::from_be_bytes(bytes) } else { f32::from_le_bytes(bytes) }
            }
            _ => f32::NAN,
        }
    }

    #[inline]
    fn pixel(&self, x: u32, y: u32) -> &'a [u8] {
        let size = self.format.bytes_per_pixel();
        let start = x as usize * size;
        self.row(y).get(start..start + size).unwrap_or(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image<'a>(encoding: &'a str, width: u32, height: u32, step: u32, data: &'a [u8]) -> Image<'a> {
        Image { height, width, encoding, step, data, ..Image::default() }
    }

    #[test]
    fn colour_orders_and_padding_are_honoured() {
        let data = [1, 2, 3, 4, 5, 6, 0, 0, 7, 8, 9, 10, 11, 12];
        let bgr = ImageView::new(&image("bgr8", 2, 2, 8, &data)).unwrap();
        assert_eq!((bgr.rgb(0, 0), bgr.rgb(1, 1)), ([3, 2, 1], [12, 11, 10]));
        assert_eq!(bgr.row(1), [7, 8, 9, 10, 11, 12]);
        assert_eq!((bgr.row(2).len(), bgr.rgb(2, 0)), (0, [0; 3]));
        let rgba = ImageView::new(&image("rgba8", 1, 2, 4, &data)).unwrap();
        assert_eq!(rgba.rgb(0, 1), [5, 6, 0]);
        let bgra = ImageView::new(&image("bgra8", 1, 2, 4, &data)).unwrap();
        assert_eq!(bgra.rgb(0, 0), [3, 2, 1]);
        let mono = ImageView::new(&image("mono8", 3, 1, 3, &data)).unwrap();
        assert_eq!(mono.rgb(2, 0), [3, 3, 3]);
    }

    #[test]
    fn depth_is_metres_with_nan_for_none() {
        let data = [0xd0, 0x07, 0, 0];
        let view = ImageView::new_depth(&image("16UC1", 2, 1, 4, &data)).unwrap();
        assert_eq!(view.depth_m(0, 0), 2.0);
        assert!(view.depth_m(1, 0).is_nan());
        let swapped = Image { is_bigendian: true, ..image("mono16", 2, 1, 4, &[0x07, 0xd0, 0, 0]) };
        assert_eq!(ImageView::new_depth(&swapped).unwrap().depth_m(0, 0), 2.0);
        assert_eq!(ImageView::new_color(&swapped).unwrap().rgb(0, 0), [7; 3], "brightness to a camera");
        let float = 1.5f32.to_le_bytes();
        assert_eq!(ImageView::new(&image("32FC1", 1, 1, 4, &float)).unwrap().depth_m(0, 0), 1.5);
    }

    #[test]
    fn wrong_layouts_are_named() {
        let error = ImageView::new(&image("bayer_rggb16", 2, 1, 8, &[0; 8])).unwrap_err().to_string();
        assert!(error.contains("rgb8 bgr8") && error.contains("'bayer_rggb16'"), "{error}");
        assert!(matches!(
            ImageView::new(&image("rgb8", 2, 1, 5, &[0; 8])),
            Err(SensorError::ImageStep { expected: 6, found: 5 })
        ));
        assert!(matches!(
            ImageView::new(&image("rgb8", 2, 2, 6, &[0; 11])),
            Err(SensorError::DataLength { expected: 12, found: 11, .. })
        ));
        assert!(matches!(ImageView::new(&image("rgb8", 0, 2, 6, &[])), Err(SensorError::EmptyImage { .. })));
        let huge = image("rgba8", u32::MAX, u32::MAX, u32::MAX, &[0; 8]);
        assert!(ImageView::new(&huge).is_err());
        let error = ImageView::new_color(&image("32FC1", 1, 1, 4, &[0; 4])).unwrap_err().to_string();
        assert!(error.contains("mono8") && !error.contains("16UC1"), "{error}");
    }
}
