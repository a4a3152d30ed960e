//! Raw images of every encoding: pixels anywhere, and the network's tensor.

#![no_main]

use arbitrary::Arbitrary;
use isobath::{
    depth::{Normalisation, Resizer},
    message::{Header, Image},
    sensor::ImageView,
};
use libfuzzer_sys::fuzz_target;

/// Names of `sensor_msgs/image_encodings.hpp`, whether they are read or refused.
const ENCODINGS: [&str; 32] = [
    "rgb8",
    "bgr8",
    "rgba8",
    "bgra8",
    "mono8",
    "mono16",
    "16UC1",
    "32FC1",
    "rgb16",
    "bgr16",
    "8UC1",
    "8UC3",
    "8UC4",
    "uyvy",
    "yuv422",
    "yuyv",
    "yuv422_yuy2",
    "nv12",
    "nv21",
    "nv24",
    "bayer_rggb8",
    "bayer_bggr8",
    "bayer_gbrg8",
    "bayer_grbg8",
    "bayer_rggb16",
    "bayer_bggr16",
    "bayer_gbrg16",
    "bayer_grbg16",
    "64FC1",
    "16SC1",
    "jpeg",
    "",
];

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    encoding: u8,
    size: Size,
    is_bigendian: bool,
    data: &'a [u8],
}

/// Sizes that fit each other, and sizes that need not.
#[derive(Arbitrary, Debug)]
enum Size {
    Near { width: u8, height: u8, step_per_pixel: u8, padding: u8 },
    Any { width: u32, height: u32, step: u32 },
}

impl<'a> Input<'a> {
    fn message(&self) -> Image<'a> {
        let (width, height, step) = match self.size {
            Size::Near { width, height, step_per_pixel, padding } => {
                let [w, h, bytes, pad] = [width, height, step_per_pixel % 9, padding].map(u32::from);
                (w, h, w * bytes + pad)
            }
            Size::Any { width, height, step } => (width, height, step),
        };
        Image {
            header: Header::default(),
            height,
            width,
            encoding: ENCODINGS[usize::from(self.encoding) % ENCODINGS.len()],
            is_bigendian: self.is_bigendian,
            step,
            data: self.data,
        }
    }
}

fuzz_target!(|input: Input<'_>| {
    let image = input.message();
    if let Ok(view) = ImageView::new(&image) {
        let (width, height) = (view.width(), view.height());
        let columns = [0, 1, width / 2, width - 1, width, u32::MAX];
        let rows = [0, 1, height / 2, height - 1, height, u32::MAX];
        for y in rows {
            assert_eq!(view.row(y).is_empty(), y >= height);
            for x in columns {
                let color = view.rgb(x, y);
                let depth = view.depth_m(x, y);
                assert!((x < width && y < height) || (color == [0; 3] && depth.is_nan()));
            }
        }
        let mut colors = vec![[7; 4]; width as usize + 1];
        for y in rows {
            view.colours(y).convert(&mut colors);
        }
        for (x, color) in colors.iter().take(width as usize).enumerate().take(64) {
            // The last row inside the image that was converted is its last one.
            let found = view.rgb(x as u32, height - 1);
            assert!(*color == [found[0], found[1], found[2], 0] || view.format().is_depth());
        }
        assert_eq!(colors.last(), Some(&[7; 4]), "nothing is written beyond the row");
        if let Ok(depth) = ImageView::new_depth(&image) {
            assert!(depth.format().is_depth());
        }
    }
    if let Ok(view) = ImageView::new_color(&image) {
        const TARGET: (usize, usize) = (7, 5);
        let mut resizer = Resizer::new(TARGET.0, TARGET.1).expect("a small tensor");
        let mut tensor = [f32::NAN; 3 * TARGET.0 * TARGET.1];
        if resizer.image_to_tensor(&view, &Normalisation::UNIT, &mut tensor).is_ok() {
            assert!(tensor.iter().all(|v| (-1e-4..=1.0001).contains(v)), "{tensor:?}");
        }
    }
});
