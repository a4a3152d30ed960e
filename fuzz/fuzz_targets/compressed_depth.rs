//! `compressedDepth` messages: PNG and RVL.

#![no_main]

use arbitrary::Arbitrary;
use isobath::{
    message::{CompressedImage, Header},
    sensor::{DecodedDepth, decode_compressed_depth},
};
use libfuzzer_sys::fuzz_target;

/// Formats as image transports write them, right and wrong.
const FORMATS: [&str; 8] = [
    "16UC1; compressedDepth png",
    "32FC1; compressedDepth png",
    "16UC1; compressedDepth rvl",
    "32FC1; compressedDepth rvl",
    "16UC1; compressedDepth",
    "mono16; compressedDepth rvl",
    "rgb8; jpeg compressed bgr8",
    "",
];

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    format: u8,
    data: &'a [u8],
}

fuzz_target!(|input: Input<'_>| {
    let format = FORMATS[usize::from(input.format) % FORMATS.len()];
    let image = CompressedImage { header: Header::default(), format, data: input.data };
    let mut decoded = DecodedDepth::default();
    let result = decode_compressed_depth(&image, &mut decoded);
    let pixels = decoded.width as usize * decoded.height as usize;
    assert_eq!(decoded.depth_m.len(), pixels);
    assert_eq!(result.is_ok(), pixels > 0, "no image after an error");
    assert!(decoded.depth_m.iter().all(|depth| depth.is_nan() || (*depth > 0.0 && depth.is_finite())));
});
