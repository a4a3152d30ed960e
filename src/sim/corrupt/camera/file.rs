//! Pictures in compressed messages: decoded, and encoded again in the same format.

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::picture::{Channels, Picture, to_byte};
use crate::message::CompressedImage;
use crate::sensor::{DecodedImage, SensorError, decode_compressed};

/// Quality of JPEG files. They were compressed once already, and should not lose more than a camera's own
/// compression took.
pub const JPEG_QUALITY: u8 = 95;

/// First bytes of a PNG file.
const PNG: [u8; 4] = [0x89, b'P', b'N', b'G'];

/// Decodes and encodes. Keep one: its memory is used again.
#[derive(Debug, Default)]
pub struct PictureFile {
    decoded: DecodedImage,
    bytes: Vec<u8>,
}

impl PictureFile {
    /// Decodes a camera's picture. Channels keep the order of the file.
    pub fn load(&mut self, image: &CompressedImage<'_>, picture: &mut Picture) -> Result<(), SensorError> {
        decode_compressed(image, &mut self.decoded)?;
        let DecodedImage { width, height, rgb, is_grey, .. } = &self.decoded;
        let channels = if *is_grey { Channels::Grey } else { Channels::Colour };
        picture.start(*width as usize, *height as usize, channels);
        let step = 3 / channels.count();
        picture.values.extend(rgb.iter().step_by(step).map(|value| f32::from(*value) / 255.0));
        Ok(())
    }

    /// Encodes `picture` as `image` was, which it comes from: JPEG at [`JPEG_QUALITY`], PNG with 8 bits.
    pub fn store(
        &mut self,
        picture: &Picture,
        image: &CompressedImage<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), SensorError> {
        self.bytes.clear();
        self.bytes.extend(picture.values.iter().map(|value| to_byte(*value)));
        let is_colour = picture.channels == Channels::Colour;
        if is_colour && self.decoded.swapped {
            self.bytes.as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| pixel.swap(0, 2));
        }
        let colour = if is_colour { ExtendedColorType::Rgb8 } else { ExtendedColorType::L8 };
        let (width, height) = (picture.width as u32, picture.height as u32);
        out.clear();
        let (format, result) = if image.data.starts_with(&PNG) {
            ("png", PngEncoder::new(&mut *out).write_image(&self.bytes, width, height, colour))
        } else {
            let encoder = JpegEncoder::new_with_quality(&mut *out, JPEG_QUALITY);
            ("jpeg", encoder.write_image(&self.bytes, width, height, colour))
        };
        result.map_err(|error| SensorError::Undecodable {
            format,
            bytes: image.data.len(),
            reason: error.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::grey;
    use super::*;

    #[test]
    fn pictures_come_back_in_their_format() {
        let mut colour = grey(16, 8, 0.0);
        colour.channels = Channels::Colour;
        colour.values = [200.0 / 255.0, 0.4, 0.2].repeat(16 * 8);
        for (format, is_png) in [
            ("jpeg", false),
            ("png", true),
            ("rgb8; jpeg compressed rgb8", false),
            ("bgr8; png compressed bgr8", true),
        ] {
            for before in [&grey(16, 8, 0.4), &colour] {
                let mut file = PictureFile::default();
                let first = if is_png { &PNG[..] } else { &[] };
                let mut data = Vec::new();
                file.store(before, &CompressedImage { data: first, ..CompressedImage::default() }, &mut data)
                    .unwrap();
                let message = CompressedImage { format, data: &data, ..CompressedImage::default() };
                let mut picture = Picture::default();
                file.load(&message, &mut picture).unwrap();
                let mut again = Vec::new();
                file.store(&picture, &message, &mut again).unwrap();
                assert_eq!(again.starts_with(&PNG), is_png);
                let mut last = Picture::default();
                file.load(&CompressedImage { data: &again, ..message }, &mut last).unwrap();
                assert_eq!((last.width, last.height, last.channels), (16, 8, before.channels));
                let worst =
                    picture.values.iter().zip(&last.values).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(worst < 0.02, "{format}: {worst}");
            }
        }
    }
}
