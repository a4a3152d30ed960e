//! An image message as rows of pixels.

use super::{PixelFormat, SensorError};
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
    /// Checks encoding, step and length. Rows may be padded.
    pub fn new(image: &Image<'a>) -> Result<Self, SensorError> {
        let format = PixelFormat::from_encoding(image.encoding)?;
        let mut view =
            Self::from_parts(image.width, image.height, format, u64::from(image.step), image.data)?;
        view.big_endian = image.is_bigendian;
        Ok(view)
    }

    /// As [`ImageView::new`], and refuses depth encodings.
    pub fn new_color(image: &Image<'a>) -> Result<Self, SensorError> {
        let view = Self::new(image)?;
        if view.format.is_depth() {
            return Err(PixelFormat::unsupported(image.encoding, |format| !format.is_depth()));
        }
        Ok(view)
    }

    /// As [`ImageView::new`], and refuses colour encodings.
    pub fn new_depth(image: &Image<'a>) -> Result<Self, SensorError> {
        let view = Self::new(image)?;
        if !view.format.is_depth() {
            return Err(PixelFormat::unsupported(image.encoding, PixelFormat::is_depth));
        }
        Ok(view)
    }

    /// A little-endian view over pixels that are in memory already; `step` in bytes.
    pub fn from_parts(
        width: u32,
        height: u32,
        format: PixelFormat,
        step: u64,
        data: &'a [u8],
    ) -> Result<Self, SensorError> {
        if width == 0 || height == 0 {
            return Err(SensorError::EmptyImage { width, height });
        }
        // 32-bit factors: no product or sum here can leave 64 bits.
        let row = u64::from(width) * format.bytes_per_pixel() as u64;
        let step_u32 = u32::try_from(step).unwrap_or(u32::MAX);
        if u64::from(step_u32) < row {
            return Err(SensorError::ImageStep { expected: row, found: step_u32 });
        }
        // Drivers differ on whether the last row carries its padding.
        let expected = u64::from(step_u32) * u64::from(height - 1) + row;
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

    /// The pixels of row `y` without padding; empty below the image.
    pub fn row(&self, y: u32) -> &'a [u8] {
        let length = self.width as usize * self.format.bytes_per_pixel();
        if y >= self.height {
            return &[];
        }
        self.data.get(y as usize * self.step..).and_then(|rest| rest.get(..length)).unwrap_or(&[])
    }

    /// Colour at column `x`, row `y`; grey is repeated. Black outside the image and for depth
    /// formats, which [`ImageView::new_color`] keeps out.
    #[inline]
    pub fn rgb(&self, x: u32, y: u32) -> [u8; 3] {
        match (self.format, self.pixel(x, y)) {
            (PixelFormat::Rgb8 | PixelFormat::Rgba8, &[r, g, b, ..])
            | (PixelFormat::Bgr8 | PixelFormat::Bgra8, &[b, g, r, ..]) => [r, g, b],
            (PixelFormat::Mono8, &[grey]) => [grey; 3],
            _ => [0; 3],
        }
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
        assert_eq!(ImageView::new(&swapped).unwrap().depth_m(0, 0), 2.0);
        let float = 1.5f32.to_le_bytes();
        assert_eq!(ImageView::new(&image("32FC1", 1, 1, 4, &float)).unwrap().depth_m(0, 0), 1.5);
    }

    #[test]
    fn wrong_layouts_are_named() {
        let error = ImageView::new(&image("yuv422", 2, 1, 8, &[0; 8])).unwrap_err().to_string();
        assert!(error.contains("rgb8 bgr8") && error.contains("'yuv422'"), "{error}");
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
