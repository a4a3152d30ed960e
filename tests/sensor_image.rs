//! Every image encoding against OpenCV and NumPy: as pixels, as rows, as the model's tensor; and what is
//! refused, with the sentence a user sees.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, as tests do")]

use std::sync::LazyLock;

use isobath::{
    depth::{Normalisation, Resizer},
    message::{CompressedImage, Image},
    sensor::{
        DecodedDepth, DecodedImage, ImageView, PixelFormat, decode_compressed, decode_compressed_depth,
    },
};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    colours: Vec<Colour>,
    depths: Vec<Depth>,
    files: Vec<File>,
    refused_files: Vec<RefusedFile>,
    compressed_depths: Vec<CompressedDepth>,
}

#[derive(Deserialize)]
struct Colour {
    encoding: String,
    width: u32,
    height: u32,
    big_endian: bool,
    data: Hex,
    rgb: Hex,
    tensors: Vec<Tensor>,
}

#[derive(Deserialize)]
struct Tensor {
    size: (usize, usize),
    values: Vec<f32>,
}

#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names of the golden file")]
struct Depth {
    encoding: String,
    width: u32,
    height: u32,
    big_endian: bool,
    data: Hex,
    depth_m: Vec<Metres>,
}

#[derive(Deserialize)]
struct File {
    format: String,
    data: Hex,
    width: u32,
    height: u32,
    rgb: Hex,
    tolerance: u8,
}

#[derive(Deserialize)]
struct RefusedFile {
    format: String,
    data: Hex,
    reason: String,
}

#[derive(Deserialize)]
struct CompressedDepth {
    format: String,
    data: Hex,
    width: u32,
    height: u32,
    depth_m: Vec<Metres>,
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Hex(Vec<u8>);

impl TryFrom<String> for Hex {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// A number, or the name of one that JSON has not.
#[derive(Deserialize)]
#[serde(untagged)]
enum Metres {
    Finite(f64),
    Other(String),
}

impl Metres {
    fn value(&self) -> f32 {
        match self {
            Self::Finite(value) => *value as f32,
            Self::Other(name) => name.parse().unwrap(),
        }
    }
}

static GOLDEN: LazyLock<Golden> =
    LazyLock::new(|| serde_json::from_str(include_str!("golden/image_encodings.json")).unwrap());

/// Rows of `length` bytes with `padding` behind each, or behind all but the last.
fn padded(rows: &[u8], length: usize, padding: usize, also_last: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for row in rows.chunks_exact(length) {
        out.extend_from_slice(row);
        out.extend(std::iter::repeat_n(0xa5, padding));
    }
    if !also_last {
        out.truncate(out.len() - padding);
    }
    out
}

/// Every layout of the rows: the bytes and their step.
fn layouts(data: &[u8], length: usize) -> impl Iterator<Item = (Vec<u8>, u32)> + '_ {
    [(0, true), (1, true), (6, true), (6, false)].into_iter().map(move |(padding, also_last)| {
        (padded(data, length, padding, also_last), (length + padding) as u32)
    })
}

fn row_length(encoding: &str, width: u32) -> usize {
    width as usize * PixelFormat::from_encoding(encoding).unwrap().bytes_per_pixel()
}

fn assert_same(found: &[f32], expected: &[Metres], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let expected = expected.value();
        let same = *found == expected
            || found.is_nan() && expected.is_nan()
            || (found - expected).abs() <= tolerance * expected.abs();
        assert!(same, "{what}, pixel {i}: expected {expected}, found {found}");
    }
}

#[test]
fn every_encoding_gives_the_pixels_and_the_tensor_of_opencv() {
    let mut names = Vec::new();
    for case in &GOLDEN.colours {
        let Colour { encoding, width, height, big_endian, data, rgb, tensors } = case;
        names.push(encoding.as_str());
        for (bytes, step) in layouts(&data.0, row_length(encoding, *width)) {
            let what = format!("{encoding}, step {step}, big endian {big_endian}");
            let (width, height, is_bigendian) = (*width, *height, *big_endian);
            let image =
                Image { width, height, encoding, is_bigendian, step, data: &bytes, ..Image::default() };
            let view = ImageView::new_color(&image).unwrap();
            let mut row = vec![[9; 4]; width as usize];
            for (y, expected) in (0..).zip(rgb.0.chunks_exact(3 * width as usize)) {
                view.colours(y).convert(&mut row);
                for (x, (expected, pixel)) in (0..).zip(expected.chunks_exact(3).zip(&row)) {
                    assert_eq!(view.rgb(x, y), expected, "{what}, column {x}, row {y}");
                    assert_eq!((&pixel[..3], pixel[3]), (expected, 0), "{what}, column {x}, row {y}");
                }
            }
            for (x, y) in [(width, 0), (0, height), (u32::MAX, u32::MAX)] {
                assert_eq!(view.rgb(x, y), [0; 3], "{what}");
            }
            for Tensor { size, values } in tensors {
                let mut resizer = Resizer::new(size.0, size.1).unwrap();
                let mut found = vec![f32::NAN; 3 * size.0 * size.1];
                // The second time with rows of another image in its buffers.
                let black = vec![0; bytes.len()];
                let other = Image { data: &black, ..image };
                for image in [&view, &ImageView::new_color(&other).unwrap(), &view] {
                    resizer.image_to_tensor(image, &Normalisation::IMAGENET, &mut found).unwrap();
                }
                assert_eq!(found.len(), values.len());
                for (i, (found, expected)) in found.iter().zip(values).enumerate() {
                    assert!(
                        (found - expected).abs() < 3e-5,
                        "{what}, {size:?}[{i}]: {found} is not {expected}"
                    );
                }
            }
        }
    }
    for name in "rgb8 bgr8 rgba8 bgra8 mono8 mono16 yuyv yuv422_yuy2 uyvy yuv422 nv12 nv21 \
                 bayer_rggb8 bayer_bggr8 bayer_gbrg8 bayer_grbg8"
        .split(' ')
    {
        assert!(names.contains(&name), "{name} is not tested");
    }
}

#[test]
fn every_depth_encoding_is_metres() {
    for Depth { encoding, width, height, big_endian, data, depth_m } in &GOLDEN.depths {
        for (bytes, step) in layouts(&data.0, row_length(encoding, *width)) {
            let (width, height, is_bigendian) = (*width, *height, *big_endian);
            let image =
                Image { width, height, encoding, is_bigendian, step, data: &bytes, ..Image::default() };
            let view = ImageView::new_depth(&image).unwrap();
            let found: Vec<f32> =
                (0..height).flat_map(|y| (0..width).map(move |x| view.depth_m(x, y))).collect();
            assert_same(&found, depth_m, 1e-7, &format!("{encoding}, step {step}, big endian {big_endian}"));
            assert!(view.depth_m(width, 0).is_nan() && view.depth_m(0, height).is_nan());
        }
    }
}

#[test]
fn files_decode_as_opencv_decodes_them() {
    // One buffer for all: what an earlier file left in it must not show.
    let mut out = DecodedImage::default();
    for File { format, data, width, height, rgb, tolerance } in &GOLDEN.files {
        let image = CompressedImage { format, data: &data.0, ..CompressedImage::default() };
        decode_compressed(&image, &mut out).unwrap();
        assert_eq!((out.width, out.height, out.rgb.len()), (*width, *height, rgb.0.len()), "{format}");
        let worst = out.rgb.iter().zip(&rgb.0).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(worst <= *tolerance, "{format}: differs by {worst}");
    }
}

#[test]
fn compressed_depth_is_metres() {
    let mut out = DecodedDepth::default();
    for CompressedDepth { format, data, width, height, depth_m } in &GOLDEN.compressed_depths {
        let image = CompressedImage { format, data: &data.0, ..CompressedImage::default() };
        decode_compressed_depth(&image, &mut out).unwrap();
        assert_eq!((out.width, out.height), (*width, *height), "{format}");
        assert_same(&out.depth_m, depth_m, 1e-6, format);
    }
}

#[test]
fn truncated_files_are_errors_and_leave_nothing() {
    let mut picture = DecodedImage::default();
    for File { format, data, .. } in &GOLDEN.files {
        // A PNG is whole once its pixels are; the last chunk says nothing more.
        let least = if format.contains("png") { 16 } else { 1 };
        for length in (0..=data.0.len() - least).step_by(7) {
            let image = CompressedImage { format, data: &data.0[..length], ..CompressedImage::default() };
            assert!(decode_compressed(&image, &mut picture).is_err(), "{format} cut at {length}");
            assert!(picture.view().is_err());
        }
    }
    let mut depth = DecodedDepth::default();
    for CompressedDepth { format, data, .. } in &GOLDEN.compressed_depths {
        let least = if format.contains("rvl") { 1 } else { 16 };
        for length in (0..=data.0.len() - least).step_by(3) {
            let image = CompressedImage { format, data: &data.0[..length], ..CompressedImage::default() };
            assert!(decode_compressed_depth(&image, &mut depth).is_err(), "{format} cut at {length}");
            assert!(depth.depth_m.is_empty() && depth.width == 0);
        }
    }
}

#[test]
fn refused_files_say_why() {
    let mut out = DecodedImage::default();
    for RefusedFile { format, data, reason } in &GOLDEN.refused_files {
        let image = CompressedImage { format, data: &data.0, ..CompressedImage::default() };
        let error = decode_compressed(&image, &mut out).unwrap_err().to_string();
        assert!(error.contains(reason), "{format}: {error}");
        assert!(out.view().is_err());
    }
}

/// Encoding, width, height, step, bytes of data, and the end of the sentence.
type Refused = (&'static str, u32, u32, u32, usize, &'static str);

#[test]
fn layouts_that_cannot_be_are_refused_with_a_sentence() {
    const CASES: [Refused; 19] = [
        ("yuv420p", 4, 4, 4, 24, "found 'yuv420p'"),
        ("bayer_rggb16", 4, 4, 8, 32, "found 'bayer_rggb16'"),
        ("8UC3", 4, 4, 12, 48, "found '8UC3'"),
        ("", 4, 4, 12, 48, "found ''"),
        ("RGB8", 4, 4, 12, 48, "found 'RGB8'"),
        ("16UC1", 4, 4, 8, 32, "found '16UC1'"),
        ("bgr8", 0, 4, 12, 48, "image: expected at least one pixel, found 0x4"),
        ("bgr8", 4, 4, 11, 48, "image step: expected at least 12 bytes a row, found 11"),
        ("mono16", 4, 4, 4, 16, "image step: expected at least 8 bytes a row, found 4"),
        ("yuyv", 4, 4, 4, 16, "image step: expected at least 8 bytes a row, found 4"),
        ("bgr8", 4, 4, 12, 47, "image data: expected at least 48 bytes, found 47"),
        ("nv12", 4, 4, 4, 23, "image data: expected at least 24 bytes, found 23"),
        ("nv12", 4, 4, 4, 16, "image data: expected at least 24 bytes, found 16"),
        ("bayer_grbg8", 4, 4, 5, 18, "image data: expected at least 19 bytes, found 18"),
        ("yuv422", 5, 4, 10, 40, "image size for uyvy: expected an even width, found 5x4"),
        ("nv21", 4, 3, 4, 18, "image size for nv21: expected an even width and height, found 4x3"),
        ("nv12", 3, 4, 4, 24, "image size for nv12: expected an even width and height, found 3x4"),
        ("bayer_rggb8", 4, 5, 4, 20, "an even width and height of 4 or more, found 4x5"),
        ("bayer_bggr8", 2, 4, 2, 8, "an even width and height of 4 or more, found 2x4"),
    ];
    for (encoding, width, height, step, bytes, end) in CASES {
        let data = vec![0; bytes];
        let image = Image { width, height, encoding, step, data: &data, ..Image::default() };
        let error = ImageView::new_color(&image).unwrap_err().to_string();
        assert!(error.ends_with(end), "{encoding}: {error}");
        assert!(!error.contains("32FC1"), "a camera cannot send depth: {error}");
    }
    let image = Image { width: 4, height: 4, encoding: "nv12", step: 4, data: &[0; 24], ..Image::default() };
    let error = ImageView::new_depth(&image).unwrap_err().to_string();
    assert_eq!(error, "image encoding: expected one of mono16 16UC1 32FC1, found 'nv12'");
}

proptest! {
    #[test]
    fn any_header_ends_in_a_result(
        encoding in prop::sample::select(&["rgb8", "bgra8", "mono16", "yuyv", "uyvy", "nv12", "bayer_gbrg8", "32FC1"]),
        sizes in prop::array::uniform3(prop_oneof![0_u32..20, any::<u32>()]),
        is_bigendian in any::<bool>(),
        data in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let [width, height, step] = sizes;
        let image = Image { width, height, encoding, is_bigendian, step, data: &data, ..Image::default() };
        if let Ok(view) = ImageView::new(&image) {
            let mut row = vec![[0; 4]; 25];
            for y in (0..height.min(25)).chain([height, u32::MAX]) {
                view.colours(y).convert(&mut row);
                for x in (0..width.min(25)).chain([width, u32::MAX]) {
                    let _ = (view.rgb(x, y), view.depth_m(x, y));
                }
            }
        }
    }

    #[test]
    fn any_file_ends_in_a_result(
        format in prop::sample::select(&["jpeg", "png", "16UC1; compressedDepth png", "32FC1; compressedDepth rvl"]),
        which in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let files: Vec<&Hex> = GOLDEN.files.iter().map(|file| &file.data)
            .chain(GOLDEN.compressed_depths.iter().map(|file| &file.data)).collect();
        let mut data = which.get(&files).0.clone();
        for (at, byte) in damage {
            let at = at.index(data.len());
            data[at] = byte;
        }
        let image = CompressedImage { format, data: &data, ..CompressedImage::default() };
        let _ = decode_compressed(&image, &mut DecodedImage::default());
        let _ = decode_compressed_depth(&image, &mut DecodedDepth::default());
    }
}
