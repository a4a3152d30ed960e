//! A picture as the camera corruptions see it: brightness 0..1 as the file encodes it, whatever the pixel
//! format.

use super::super::draw::Draws;
use crate::message::Image;
use crate::sensor::{ImageView, PixelFormat, SensorError};

/// What a pixel of a picture has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Channels {
    /// Red, green, blue
    Colour,
    /// One grey value
    #[default]
    Grey,
    /// One value behind a filter: neighbours two columns or rows away have the same colour
    Mosaic,
}

impl Channels {
    /// Values of a pixel.
    pub const fn count(self) -> usize {
        match self {
            Self::Colour => 3,
            Self::Grey | Self::Mosaic => 1,
        }
    }

    /// Columns or rows from a pixel to the next of its colour.
    pub const fn stride(self) -> usize {
        match self {
            Self::Colour | Self::Grey => 1,
            Self::Mosaic => 2,
        }
    }
}

/// A picture. Keep one for all messages: its memory is used again.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// Columns
    pub width: usize,
    /// Rows
    pub height: usize,
    /// What a pixel has
    pub channels: Channels,
    /// Brightness 0..1 as encoded (sRGB), row-major, channels interleaved
    pub values: Vec<f32>,
    /// For those who need a second one
    pub scratch: Vec<f32>,
}

/// A way in which a camera's pictures go wrong.
pub trait CameraModel {
    /// Says what becomes of `picture`.
    fn apply(&mut self, picture: &mut Picture, draws: Draws);
}

/// Light of an encoded brightness, both 0..1: IEC 61966-2-1 (sRGB).
#[inline]
pub fn light(encoded: f32) -> f32 {
    if encoded <= 0.04045 { encoded / 12.92 } else { ((encoded + 0.055) / 1.055).powf(2.4) }
}

/// The inverse of [`light`]; what is brighter than white is white.
#[inline]
pub fn encoded(light: f32) -> f32 {
    if light <= 0.003_130_8 {
        light.max(0.0) * 12.92
    } else {
        (1.055 * light.powf(1.0 / 2.4) - 0.055).min(1.0)
    }
}

impl Picture {
    /// Empties the picture for another of this size.
    pub fn start(&mut self, width: usize, height: usize, channels: Channels) {
        (self.width, self.height, self.channels) = (width, height, channels);
        self.values.clear();
        self.values.reserve(width * height * channels.count());
    }

    /// Values of a row.
    pub const fn row_len(&self) -> usize {
        self.width * self.channels.count()
    }

    /// The rows.
    pub fn rows_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        // A picture without columns has no rows.
        self.values.chunks_exact_mut((self.width * self.channels.count()).max(1))
    }

    /// Takes a camera image in.
    pub fn load(&mut self, image: &Image<'_>) -> Result<(), SensorError> {
        let view = ImageView::new_color(image)?;
        let channels = match view.format() {
            PixelFormat::Mono8 | PixelFormat::Mono16 => Channels::Grey,
            PixelFormat::Bayer8(_) => Channels::Mosaic,
            _ => Channels::Colour,
        };
        self.start(view.width() as usize, view.height() as usize, channels);
        for y in 0..view.height() {
            match (view.format(), view.rgb_bytes()) {
                (PixelFormat::Mono16, _) => {
                    self.values.extend(view.row(y).as_chunks::<2>().0.iter().map(|bytes| {
                        let value = if image.is_bigendian {
                            u16::from_be_bytes(*bytes)
                        } else {
                            u16::from_le_bytes(*bytes)
                        };
                        f32::from(value) / f32::from(u16::MAX)
                    }));
                }
                (PixelFormat::Mono8 | PixelFormat::Bayer8(_), _) => {
                    self.values.extend(view.row(y).iter().map(|value| f32::from(*value) / 255.0));
                }
                _ => {
                    let colours = view.colours(y);
                    let pixels = (0..view.width()).flat_map(|x| colours.rgb(x));
                    self.values.extend(pixels.map(|value| f32::from(value) / 255.0));
                }
            }
        }
        Ok(())
    }

    /// Puts the picture into the data of the image it was taken from. What is no pixel stays: padding, alpha.
    pub fn store(&self, image: &Image<'_>, data: &mut [u8]) -> Result<(), SensorError> {
        let view = ImageView::new_color(image)?;
        let format = view.format();
        let step = image.step as usize;
        for (y, values) in self.values.chunks_exact(self.row_len().max(1)).enumerate() {
            let Some(row) = data.get_mut(y * step..) else { continue };
            match format {
                PixelFormat::Mono16 => {
                    for (bytes, value) in row.as_chunks_mut::<2>().0.iter_mut().zip(values) {
                        let value = (value * f32::from(u16::MAX)).round() as u16;
                        *bytes = if image.is_bigendian { value.to_be_bytes() } else { value.to_le_bytes() };
                    }
                }
                PixelFormat::Mono8 | PixelFormat::Bayer8(_) => {
                    row.iter_mut().zip(values).for_each(|(byte, value)| *byte = to_byte(*value));
                }
                PixelFormat::Yuv422(_) | PixelFormat::Yuv420(_) => {}
                _ => {
                    let Some(order) = view.rgb_bytes() else { continue };
                    let pixels = row.chunks_exact_mut(format.bytes_per_pixel());
                    for (pixel, values) in pixels.zip(values.as_chunks::<3>().0) {
                        for (place, value) in order.into_iter().zip(values) {
                            if let Some(byte) = pixel.get_mut(place) {
                                *byte = to_byte(*value);
                            }
                        }
                    }
                }
            }
        }
        match format {
            PixelFormat::Yuv422(order) => super::yuv::store_packed(self, order, step, data),
            PixelFormat::Yuv420(order) => super::yuv::store_planes(self, order, step, data),
            _ => {}
        }
        Ok(())
    }
}

/// The byte of a brightness.
#[inline]
pub fn to_byte(value: f32) -> u8 {
    (value * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_comes_back_as_it_was() {
        let data: Vec<u8> = (0..24 * 12).map(|i| (i * 89 % 251) as u8).collect();
        for (encoding, step) in [
            ("rgb8", 21),
            ("bgr8", 18),
            ("rgba8", 24),
            ("bgra8", 24),
            ("mono8", 9),
            ("mono16", 14),
            ("bayer_rggb8", 6),
        ] {
            for is_bigendian in [false, true] {
                let image = Image {
                    width: 6,
                    height: 4,
                    encoding,
                    step,
                    data: &data,
                    is_bigendian,
                    ..Image::default()
                };
                let mut picture = Picture::default();
                picture.load(&image).unwrap();
                let mut stored = data.clone();
                picture.store(&image, &mut stored).unwrap();
                assert_eq!(stored, data, "{encoding}");
                picture.values.fill(0.0);
                picture.store(&image, &mut stored).unwrap();
                let pixel = match encoding {
                    "rgba8" | "bgra8" => 3,
                    _ => picture.channels.count() * if encoding == "mono16" { 2 } else { 1 },
                };
                // 89 and 251 have no common factor: one byte in 251 is 0 before.
                let changed = stored.iter().zip(&data).filter(|(a, b)| a != b).count();
                assert!((24 * pixel - 2..=24 * pixel).contains(&changed), "{encoding}: {changed}");
            }
        }
    }

    #[test]
    fn yuv_comes_back_nearly() {
        let grey = |luma: u8, length: usize| vec![luma; length];
        for (encoding, step, length) in [("yuyv", 16, 64), ("uyvy", 16, 64), ("nv12", 8, 48), ("nv21", 8, 48)]
        {
            let mut data = grey(120, length);
            // A colour that all pixels of a group share.
            for (i, byte) in data.iter_mut().enumerate() {
                let chroma = match encoding {
                    "yuyv" => i % 2 == 1,
                    "uyvy" => i % 2 == 0,
                    _ => i >= 32,
                };
                let first = if encoding.starts_with('n') { i % 2 == 0 } else { i % 4 < 2 };
                if chroma {
                    *byte = if first { 100 } else { 150 };
                }
            }
            let image = Image { width: 8, height: 4, encoding, step, data: &data, ..Image::default() };
            let mut picture = Picture::default();
            picture.load(&image).unwrap();
            let mut stored = data.clone();
            picture.store(&image, &mut stored).unwrap();
            assert!(stored.iter().zip(&data).all(|(a, b)| a.abs_diff(*b) <= 1), "{encoding}: {stored:?}");
        }
    }

    #[test]
    fn light_is_the_inverse_of_encoding() {
        for i in 0..=255 {
            let value = i as f32 / 255.0;
            assert!((encoded(light(value)) - value).abs() < 1e-5);
        }
        assert_eq!((encoded(-1.0), encoded(7.0)), (0.0, 1.0));
        assert!((light(0.5) - 0.214_041).abs() < 1e-5);
    }
}
