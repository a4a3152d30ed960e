//! Compressed image messages to RGB pixels, in a buffer that is used again.

use std::io::Cursor;

use image::{ColorType, ImageDecoder, ImageError, Limits, codecs::png::PngDecoder};
use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::JpegDecoder;

use super::compressed_format::{Codec, CompressedFormat};
use super::{ImageView, PixelFormat, SensorError};
use crate::message::CompressedImage;

/// Longest side accepted: no robot camera comes near, and a forged header must not claim memory.
const MAX_SIDE: usize = 8192;
/// Most pixels accepted: 100 MB of RGB.
const MAX_PIXELS: usize = 1 << 25;
/// A JPEG block is 64 pixels and takes at least a bit.
const JPEG_PIXELS_PER_BYTE: usize = 64 * 8;
/// A PNG pixel takes at least a bit, and deflate shrinks at most to a 1032nd.
const PNG_PIXELS_PER_BYTE: usize = 8 * 1032;
/// Memory of the PNG decoder beside the pixels: rows, and chunks that are not looked at.
const PNG_MEMORY: u64 = 1 << 26;

/// Pixels of the last decoded image. Keep one per camera: its memory is used again.
#[derive(Clone, Debug, Default)]
pub struct DecodedImage {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Red, green, blue bytes, row-major, no padding.
    pub rgb: Vec<u8>,
    /// Whether the file has one channel, repeated in `rgb`.
    pub is_grey: bool,
    /// Whether the file has blue where red belongs.
    pub swapped: bool,
    /// A PNG's own pixel format before it becomes RGB.
    scratch: Vec<u8>,
}

impl DecodedImage {
    /// The pixels as a view; an error when nothing was decoded yet.
    pub fn view(&self) -> Result<ImageView<'_>, SensorError> {
        ImageView::from_parts(
            self.width,
            self.height,
            PixelFormat::Rgb8,
            u64::from(self.width) * 3,
            &self.rgb,
        )
    }
}

/// Decodes a JPEG or PNG message into `out`. On an error `out` holds no picture.
///
/// The format is `jpeg`, `png`, or what `compressed_image_transport` writes, as
/// `bgr8; jpeg compressed bgr8`. There, the last word is the channel order handed to an encoder
/// that takes its input for BGR: after `compressed rgb8`, red and blue are swapped in the file.
/// Grey is repeated, of 16-bit channels the high byte is taken, alpha is left out.
pub fn decode_compressed(image: &CompressedImage<'_>, out: &mut DecodedImage) -> Result<(), SensorError> {
    (out.width, out.height) = (0, 0);
    let format = CompressedFormat::parse(image.format);
    if format.is_depth() {
        return Err(SensorError::CompressedDepth { found: image.format.to_owned() });
    }
    let (codec, (width, height), is_grey) = match format.codec {
        Some(Codec::Jpeg) => decode_jpeg(image.data, out)?,
        Some(Codec::Png) => decode_png(image.data, out)?,
        Some(Codec::Rvl) | None => {
            return Err(SensorError::CompressedFormat { found: image.format.to_owned() });
        }
    };
    if is_grey && format.is_bayer() {
        let reason =
            format!("expected colour, found the mosaic of {}: publish it debayered", format.encoding);
        return Err(SensorError::Undecodable { format: codec, bytes: image.data.len(), reason });
    }
    if format.swaps_red_and_blue {
        for pixel in out.rgb.chunks_exact_mut(3) {
            pixel.swap(0, 2);
        }
    }
    (out.width, out.height) = (width as u32, height as u32);
    (out.is_grey, out.swapped) = (is_grey, format.swaps_red_and_blue);
    Ok(())
}

/// Name of the codec, columns and rows, whether the file is grey.
type Decoded = (&'static str, (usize, usize), bool);

fn decode_jpeg(data: &[u8], out: &mut DecodedImage) -> Result<Decoded, SensorError> {
    let fail = |reason: String| SensorError::Undecodable { format: "jpeg", bytes: data.len(), reason };
    // The decoder greys out what a truncated file lacks; such a picture must not pass for a reading.
    if !data.windows(2).rev().any(|pair| pair == [0xff, 0xd9]) {
        return Err(fail("expected an end-of-image marker, found none".to_owned()));
    }
    let options = DecoderOptions::default()
        .set_max_width(MAX_SIDE)
        .set_max_height(MAX_SIDE)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(data), options);
    decoder.decode_headers().map_err(|error| fail(error.to_string()))?;
    let info = decoder.info().ok_or_else(|| fail("expected a frame header, found none".to_owned()))?;
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    check_size(width, height)?;
    check_bytes("jpeg", data, width * height, JPEG_PIXELS_PER_BYTE)?;
    let is_grey = match decoder.input_colorspace() {
        Some(ColorSpace::Luma) => true,
        Some(ColorSpace::YCbCr | ColorSpace::RGB) => false,
        // Print colours: no camera sends them, and converting them needs a profile.
        other => {
            let found = other.map_or_else(|| "none".to_owned(), |space| format!("{space:?}"));
            return Err(fail(format!("expected the colour space grey, YCbCr or RGB, found {found}")));
        }
    };
    out.rgb.resize(width * height * 3, 0);
    decoder.decode_into(&mut out.rgb).map_err(|error| fail(error.to_string()))?;
    Ok(("jpeg", (width, height), is_grey))
}

fn decode_png(data: &[u8], out: &mut DecodedImage) -> Result<Decoded, SensorError> {
    let png = open_png(data)?;
    let (size, color) = (png.size, png.color);
    // The first byte of a 16-bit channel in memory order that carries its high half.
    let high = usize::from(cfg!(target_endian = "little"));
    let (is_grey, channels) = match color {
        ColorType::L8 | ColorType::La8 => (true, [0, 0, 0]),
        ColorType::Rgb8 | ColorType::Rgba8 => (false, [0, 1, 2]),
        ColorType::L16 | ColorType::La16 => (true, [high; 3]),
        ColorType::Rgb16 | ColorType::Rgba16 => (false, [high, 2 + high, 4 + high]),
        other => {
            let reason = format!("expected 8- or 16-bit grey or colour, found {other:?}");
            return Err(SensorError::Undecodable { format: "png", bytes: data.len(), reason });
        }
    };
    read_png(png, data, &mut out.scratch)?;
    out.rgb.clear();
    let pixels = out.scratch.chunks_exact(usize::from(color.bytes_per_pixel()));
    out.rgb.extend(pixels.flat_map(|from| channels.map(|channel| from[channel])));
    Ok(("png", size, is_grey))
}

/// A PNG file whose header is read and whose size is accepted.
pub(super) struct OpenPng<'a> {
    decoder: PngDecoder<Cursor<&'a [u8]>>,
    /// Columns and rows
    pub size: (usize, usize),
    /// Channels and their depth
    pub color: ColorType,
}

/// Reads the header of a PNG file. Takes no memory for pixels.
pub(super) fn open_png(data: &[u8]) -> Result<OpenPng<'_>, SensorError> {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(PNG_MEMORY);
    let decoder =
        PngDecoder::with_limits(Cursor::new(data), limits).map_err(|error| png_error(data, &error))?;
    let (width, height) = decoder.dimensions();
    let size = (width as usize, height as usize);
    check_size(size.0, size.1)?;
    check_bytes("png", data, size.0 * size.1, PNG_PIXELS_PER_BYTE)?;
    Ok(OpenPng { color: decoder.color_type(), size, decoder })
}

/// Reads the pixels of `png`, which was opened on `data`; channels of 16 bits in native byte order.
pub(super) fn read_png(png: OpenPng<'_>, data: &[u8], out: &mut Vec<u8>) -> Result<(), SensorError> {
    out.resize(png.size.0 * png.size.1 * usize::from(png.color.bytes_per_pixel()), 0);
    png.decoder.read_image(out).map_err(|error| png_error(data, &error))
}

fn png_error(data: &[u8], error: &ImageError) -> SensorError {
    SensorError::Undecodable { format: "png", bytes: data.len(), reason: error.to_string() }
}

/// Fails for a size no camera has.
pub(super) fn check_size(width: usize, height: usize) -> Result<(), SensorError> {
    if width == 0 || height == 0 {
        return Err(SensorError::EmptyImage { width: width as u32, height: height as u32 });
    }
    if width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS {
        return Err(SensorError::TooLarge { max_side: MAX_SIDE, max_pixels: MAX_PIXELS, width, height });
    }
    Ok(())
}

/// Fails when a file is too short for the number of pixels its header claims.
fn check_bytes(
    format: &'static str,
    data: &[u8],
    pixels: usize,
    pixels_per_byte: usize,
) -> Result<(), SensorError> {
    let expected = pixels.div_ceil(pixels_per_byte);
    if data.len() >= expected {
        return Ok(());
    }
    let bytes = data.len();
    let reason = format!("expected at least {expected} bytes for {pixels} pixels, found {bytes}");
    Err(SensorError::Undecodable { format, bytes, reason })
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, ImageFormat, RgbImage};

    use super::*;

    fn picture(format: ImageFormat) -> Vec<u8> {
        let picture = RgbImage::from_fn(16, 8, |_, _| image::Rgb([200, 100, 20]));
        let mut file = Cursor::new(Vec::new());
        DynamicImage::ImageRgb8(picture).write_to(&mut file, format).unwrap();
        file.into_inner()
    }

    fn decode(format: &str, data: &[u8]) -> Result<DecodedImage, SensorError> {
        let mut out = DecodedImage::default();
        decode_compressed(&CompressedImage { format, data, ..CompressedImage::default() }, &mut out)?;
        Ok(out)
    }

    #[test]
    fn jpeg_and_png_become_rgb() {
        let jpeg = picture(ImageFormat::Jpeg);
        for format in ["jpeg", "jpg", "bgr8; jpeg compressed bgr8", "rgb8; jpeg compressed bgr8"] {
            let out = decode(format, &jpeg).unwrap();
            let found = out.view().unwrap().rgb(15, 7);
            assert!(found.iter().zip([200u8, 100, 20]).all(|(a, b)| a.abs_diff(b) < 6), "{found:?}");
        }
        let out = decode("rgb8; jpeg compressed rgb8", &jpeg).unwrap();
        assert!(out.view().unwrap().rgb(0, 0)[2] > 190);
        let out = decode("png", &picture(ImageFormat::Png)).unwrap();
        assert_eq!((out.width, out.height, out.view().unwrap().rgb(3, 3)), (16, 8, [200, 100, 20]));
    }

    #[test]
    fn grey_and_sixteen_bit_png_become_rgb() {
        let mut file = Cursor::new(Vec::new());
        let grey =
            image::ImageBuffer::<image::Luma<u16>, _>::from_fn(2, 1, |x, _| image::Luma([0x1234 * x as u16]));
        DynamicImage::ImageLuma16(grey).write_to(&mut file, ImageFormat::Png).unwrap();
        assert_eq!(decode("png", file.get_ref()).unwrap().rgb, [0, 0, 0, 0x12, 0x12, 0x12]);
    }

    #[test]
    fn truncated_files_are_errors() {
        for (format, file) in [("jpeg", picture(ImageFormat::Jpeg)), ("png", picture(ImageFormat::Png))] {
            for length in 0..file.len() - 12 {
                assert!(decode(format, &file[..length]).is_err(), "{format} cut at {length}");
            }
        }
    }

    #[test]
    fn forged_dimensions_allocate_nothing() {
        let mut png = picture(ImageFormat::Png);
        // Width in IHDR; its checksum no longer matches, either way it must be refused.
        png[16..20].copy_from_slice(&0x7fff_ffffu32.to_be_bytes());
        assert!(decode("png", &png).is_err());
        let mut jpeg = picture(ImageFormat::Jpeg);
        let start = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
        jpeg[start + 5..start + 9].copy_from_slice(&[0xff; 4]);
        assert!(decode("jpeg", &jpeg).is_err());
    }

    #[test]
    fn other_formats_are_named() {
        for format in ["", "webp", "rvl"] {
            let error = decode(format, &[]).unwrap_err().to_string();
            assert!(error.contains("expected jpeg or png"), "{error}");
        }
        for format in ["16UC1; compressedDepth png", "32FC1; compressedDepth", "16UC1; png compressed "] {
            let error = decode(format, &[]).unwrap_err().to_string();
            assert!(error.contains("found a depth image") && error.contains(format), "{error}");
        }
    }
}
