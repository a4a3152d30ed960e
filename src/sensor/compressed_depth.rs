//! Depth images of `compressed_depth_image_transport` to metres, in a buffer that is used again.
//!
//! Layout: 12 bytes of header (a compression kind that carries nothing, then two little-endian f32
//! *a* and *b*), then a 16-bit grey PNG, or columns and rows as little-endian u32 and an RVL stream.
//! `16UC1` holds millimetres, 0 = no reading; `32FC1` holds *q* = *a*/depth + *b*, 0 = no reading.

use image::ColorType;

use super::SensorError;
use super::compressed::{check_size, open_png, read_png};
use super::compressed_format::{Codec, CompressedFormat};
use super::rvl::decode_rvl;
use crate::message::CompressedImage;

const HEADER: usize = 12;
const RVL_HEADER: usize = 8;

/// Depth of the last decoded image. Keep one per camera: its memory is used again.
#[derive(Clone, Debug, Default)]
pub struct DecodedDepth {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Metres along the optical axis, row-major; NaN = no reading.
    pub depth_m: Vec<f32>,
    /// A PNG's pixels before they become metres.
    scratch: Vec<u8>,
}

/// How a 16-bit value tells a depth.
#[derive(Clone, Copy)]
enum Scale {
    Millimetres,
    PerMetre(f32),
    Inverse { a: f32, b: f32 },
}

impl Scale {
    fn depth_m(self, value: u16) -> f32 {
        if value == 0 {
            return f32::NAN;
        }
        match self {
            Self::Millimetres => f32::from(value) * 1e-3,
            Self::PerMetre(units) => f32::from(value) / units,
            Self::Inverse { a, b } => {
                let depth_m = a / (f32::from(value) - b);
                // The coarse end of the scale can lie behind infinity.
                if depth_m.is_finite() && depth_m > 0.0 { depth_m } else { f32::NAN }
            }
        }
    }
}

/// Decodes a `compressedDepth` message into `out`. On an error `out` holds no image.
///
/// The format is `16UC1; compressedDepth` or `32FC1; compressedDepth`, followed by `png`, `rvl` or,
/// from older publishers, nothing, which means PNG. `mono16` means what `16UC1` does (REP-118).
pub fn decode_compressed_depth(
    image: &CompressedImage<'_>,
    out: &mut DecodedDepth,
) -> Result<(), SensorError> {
    (out.width, out.height) = (0, 0);
    out.depth_m.clear();
    let result = decode(image, out);
    match result {
        Ok((width, height)) => (out.width, out.height) = (width as u32, height as u32),
        Err(_) => out.depth_m.clear(),
    }
    result.map(|_| ())
}

/// Decodes a 16-bit grey PNG file, as data sets keep depth in, into `out`: `units` make a metre, 0 = no reading.
/// On an error `out` holds no image.
pub fn decode_depth_png(data: &[u8], units: f32, out: &mut DecodedDepth) -> Result<(), SensorError> {
    (out.width, out.height) = (0, 0);
    out.depth_m.clear();
    match png(data, Scale::PerMetre(units), out) {
        Ok((width, height)) => {
            (out.width, out.height) = (width as u32, height as u32);
            Ok(())
        }
        Err(error) => {
            out.depth_m.clear();
            Err(error)
        }
    }
}

fn decode(image: &CompressedImage<'_>, out: &mut DecodedDepth) -> Result<(usize, usize), SensorError> {
    let format = CompressedFormat::parse(image.format);
    let is_inverse = format.is_encoding("32FC1");
    let is_known = is_inverse || format.is_encoding("16UC1") || format.is_encoding("mono16");
    let codec = format.codec.filter(|codec| *codec != Codec::Jpeg);
    let (true, true, Some(codec)) = (is_known, format.is_compressed_depth, codec) else {
        return Err(SensorError::CompressedDepthFormat { found: image.format.to_owned() });
    };
    let Some((header, payload)) = image.data.split_first_chunk::<HEADER>() else {
        let (expected, found) = (HEADER as u64, image.data.len());
        return Err(SensorError::DataLength { what: "compressed depth header", expected, found });
    };
    let [.., a0, a1, a2, a3, b0, b1, b2, b3] = *header;
    let (a, b) = (f32::from_le_bytes([a0, a1, a2, a3]), f32::from_le_bytes([b0, b1, b2, b3]));
    let scale = if is_inverse { Scale::Inverse { a, b } } else { Scale::Millimetres };
    if is_inverse && !(a.is_finite() && a > 0.0 && b.is_finite()) {
        return Err(SensorError::Undecodable {
            format: "compressedDepth",
            bytes: image.data.len(),
            reason: format!("expected quantisation parameters a > 0 and b, found {a} and {b}"),
        });
    }
    if codec == Codec::Rvl { rvl(payload, scale, out) } else { png(payload, scale, out) }
}

fn png(data: &[u8], scale: Scale, out: &mut DecodedDepth) -> Result<(usize, usize), SensorError> {
    let decoder = open_png(data)?;
    if decoder.color != ColorType::L16 {
        let reason = format!("expected 16-bit grey, found {:?}", decoder.color);
        return Err(SensorError::Undecodable { format: "png", bytes: data.len(), reason });
    }
    let size = decoder.size;
    read_png(decoder, data, &mut out.scratch)?;
    let values = out.scratch.as_chunks::<2>().0;
    out.depth_m.extend(values.iter().map(|bytes| scale.depth_m(u16::from_ne_bytes(*bytes))));
    Ok(size)
}

fn rvl(data: &[u8], scale: Scale, out: &mut DecodedDepth) -> Result<(usize, usize), SensorError> {
    let Some((header, stream)) = data.split_first_chunk::<RVL_HEADER>() else {
        let (expected, found) = (RVL_HEADER as u64, data.len());
        return Err(SensorError::DataLength { what: "rvl header", expected, found });
    };
    let [w0, w1, w2, w3, h0, h1, h2, h3] = *header;
    let width = u32::from_le_bytes([w0, w1, w2, w3]) as usize;
    let height = u32::from_le_bytes([h0, h1, h2, h3]) as usize;
    check_size(width, height)?;
    // A few bytes can mean a large image without readings, so that the size alone tells no forgery:
    // memory is taken as the stream gives pixels, not as the header claims them.
    decode_rvl(stream, width * height, |value| out.depth_m.push(scale.depth_m(value)))
        .map_err(|reason| SensorError::Undecodable { format: "rvl", bytes: data.len(), reason })?;
    Ok((width, height))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(format: &str, data: &[u8]) -> Result<DecodedDepth, SensorError> {
        let mut out = DecodedDepth::default();
        decode_compressed_depth(&CompressedImage { format, data, ..CompressedImage::default() }, &mut out)?;
        Ok(out)
    }

    /// A header with `a` and `b`, a size, then 2 zeros and the values 5, 4, 4 and 0 as RVL.
    fn rvl_message(a: f32, b: f32, width: u32, height: u32) -> Vec<u8> {
        let mut data = vec![0; 4];
        data.extend([a, b].iter().flat_map(|value| value.to_le_bytes()));
        data.extend([width, height, 0x23a1_1010].iter().flat_map(|value| value.to_le_bytes()));
        data
    }

    #[test]
    fn values_become_metres() {
        let out = decode("16UC1; compressedDepth rvl", &rvl_message(f32::NAN, 0.0, 3, 2)).unwrap();
        assert_eq!((out.width, out.height), (3, 2));
        assert!(out.depth_m[0].is_nan() && out.depth_m[1].is_nan() && out.depth_m[5].is_nan());
        assert_eq!(out.depth_m[2..5], [5.0 * 1e-3, 4.0 * 1e-3, 4.0 * 1e-3]);
        // 10 / (5 − 4.5) = 20; 10 / (4 − 4.5) lies behind infinity.
        let out = decode("32FC1; compressedDepth rvl", &rvl_message(10.0, 4.5, 3, 2)).unwrap();
        assert_eq!(out.depth_m[2], 20.0);
        assert!(out.depth_m[3].is_nan());
    }

    #[test]
    fn forged_sizes_take_no_memory() {
        let mut out = DecodedDepth::default();
        for (width, height) in [(8192, 4096), (0, 1), (8193, 1), (u32::MAX, u32::MAX)] {
            let data = rvl_message(0.0, 0.0, width, height);
            let image = CompressedImage {
                format: "16UC1; compressedDepth rvl",
                data: &data,
                ..CompressedImage::default()
            };
            assert!(decode_compressed_depth(&image, &mut out).is_err());
            assert!(out.depth_m.capacity() < 16 && out.depth_m.is_empty() && out.width == 0);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let good = rvl_message(1.0, 0.0, 3, 2);
        for (format, data, part) in [
            ("16UC1; png compressed ", &good[..], "'16UC1; png compressed '"),
            ("8UC1; compressedDepth", &good, "'8UC1; compressedDepth'"),
            ("16UC1; compressedDepth zstd", &good, "zstd"),
            ("16UC1; compressedDepth jpeg", &good, "jpeg"),
            ("16UC1; compressedDepth rvl", &good[..11], "header data: expected at least 12 bytes, found 11"),
            (
                "16UC1; compressedDepth rvl",
                &good[..19],
                "rvl header data: expected at least 8 bytes, found 7",
            ),
            ("16UC1; compressedDepth rvl", &good[..20], "found the end of the stream"),
            ("16UC1; compressedDepth", &good, "(png, 12 bytes)"),
            ("32FC1; compressedDepth rvl", &rvl_message(0.0, 0.0, 3, 2), "found 0 and 0"),
            ("32FC1; compressedDepth rvl", &rvl_message(1.0, f32::NAN, 3, 2), "found 1 and NaN"),
        ] {
            let error = decode(format, data).unwrap_err().to_string();
            assert!(error.contains(part), "{format}: {error}");
        }
    }
}
