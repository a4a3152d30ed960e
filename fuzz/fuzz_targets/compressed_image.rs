//! JPEG and PNG messages.

#![no_main]

use arbitrary::Arbitrary;
use isobath::{
    message::{CompressedImage, Header},
    sensor::{DecodedImage, decode_compressed},
};
use libfuzzer_sys::fuzz_target;

/// Formats as image transports write them, right and wrong.
const FORMATS: [&str; 8] = [
    "jpeg",
    "png",
    "rgb8; jpeg compressed bgr8",
    "rgb8; jpeg compressed rgb8",
    "bgr8; png compressed bgr8",
    "16UC1; compressedDepth png",
    ";;",
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
    let mut decoded = DecodedImage::default();
    match decode_compressed(&image, &mut decoded) {
        Ok(()) => {
            let view = decoded.view().expect("a view of what was decoded");
            assert_eq!(decoded.rgb.len(), view.width() as usize * view.height() as usize * 3);
            let _ = view.rgb(view.width() - 1, view.height() - 1);
        }
        Err(_) => assert!(decoded.view().is_err(), "no picture after an error"),
    }
});
