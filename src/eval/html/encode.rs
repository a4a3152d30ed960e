//! Pictures inside the page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

use crate::eval::picture::PictureError;

/// Quality of JPEG pictures: artefacts are not seen, and five frames stay within a few hundred kilobytes.
const QUALITY: u8 = 80;

/// RGB bytes as the address of a JPEG.
pub(super) fn jpeg(rgb: &[u8], [width, height]: [usize; 2]) -> Result<String, PictureError> {
    check("RGB image", rgb.len(), 3, [width, height])?;
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    encoder.write_image(rgb, width as u32, height as u32, ExtendedColorType::Rgb8)?;
    Ok(format!("data:image/jpeg;base64,{}", STANDARD.encode(bytes)))
}

/// Grey bytes as the address of a PNG.
pub(super) fn grey_png(grey: &[u8], [width, height]: [usize; 2]) -> Result<String, PictureError> {
    check("grey image", grey.len(), 1, [width, height])?;
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes).write_image(grey, width as u32, height as u32, ExtendedColorType::L8)?;
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(bytes)))
}

/// The encoders take a wrong length for a bug and panic.
fn check(
    what: &'static str,
    found: usize,
    channels: usize,
    [width, height]: [usize; 2],
) -> Result<(), PictureError> {
    let expected = width.saturating_mul(height).saturating_mul(channels);
    if found == expected && found > 0 {
        return Ok(());
    }
    Err(PictureError::Buffer { what, expected, found, width, height })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_hold_the_picture() {
        let address = grey_png(&[0, 50, 100, 150, 200, 250], [3, 2]).unwrap();
        let bytes = STANDARD.decode(address.strip_prefix("data:image/png;base64,").unwrap()).unwrap();
        let picture = image::load_from_memory(&bytes).unwrap().to_luma8();
        assert_eq!(picture.as_raw().as_slice(), [0, 50, 100, 150, 200, 250]);
        let address = jpeg(&[200; 3 * 16], [4, 4]).unwrap();
        let bytes = STANDARD.decode(address.strip_prefix("data:image/jpeg;base64,").unwrap()).unwrap();
        assert_eq!(image::load_from_memory(&bytes).unwrap().to_rgb8().dimensions(), (4, 4));
    }

    #[test]
    fn buffers_of_another_length_are_refused() {
        assert!(jpeg(&[0; 11], [2, 2]).is_err());
        assert!(grey_png(&[], [0, 0]).is_err());
    }
}
