//! One depth image and its truth, small enough to be kept for the page.

use std::path::Path;
use std::sync::Arc;

use super::diverging;
use crate::depth::DepthColours;
use crate::eval::depth::{DepthFigures, TRUTH_MAX_M, TRUTH_MIN_M};
use crate::eval::picture::Rgb;
use crate::message::{Image, Stamp};
use crate::sensor::ImageView;

/// Longest side of the pictures, pixels.
const LONGEST: u32 = 320;
/// Two greys of the hatching that marks pixels without depth.
const NO_DEPTH: [Rgb; 2] = [[30, 30, 34], [72, 72, 80]];
/// Pixels without truth in the picture of errors.
const NO_TRUTH: Rgb = [150, 150, 150];

/// A frame to look at, sampled to a picture's size: what it keeps does not depend on the camera's resolution.
#[derive(Clone, Debug)]
pub struct DepthView {
    /// Index into the report's runs.
    pub run: usize,
    /// Stamp of the truth.
    pub stamp: Stamp,
    /// When the truth was logged: where its camera image is to be looked for.
    pub logged: Stamp,
    /// The recording with the truth.
    pub bag: Arc<Path>,
    /// The frame's figures.
    pub figures: DepthFigures,
    /// What the camera saw, or why that is not known.
    pub camera: Result<CameraPicture, String>,
    width: u32,
    height: u32,
    truth_m: Vec<f32>,
    depth_m: Vec<f32>,
}

impl DepthView {
    /// Samples truth and depth; `None` if one of them is damaged.
    pub fn new(
        (run, stamp, logged, bag): (usize, Stamp, Stamp, Arc<Path>),
        figures: DepthFigures,
        truth: &Image<'_>,
        depth: &Image<'_>,
    ) -> Option<Self> {
        let (truth, depth) = (ImageView::new_depth(truth).ok()?, ImageView::new_depth(depth).ok()?);
        let (width, height) = fitted(depth.width(), depth.height());
        let sample = |view: &ImageView<'_>| {
            let mut pixels = Vec::with_capacity(width as usize * height as usize);
            for y in 0..height {
                let row = covering(y, height, view.height());
                pixels.extend((0..width).map(|x| view.depth_m(covering(x, width, view.width()), row)));
            }
            pixels
        };
        Some(Self {
            run,
            stamp,
            logged,
            bag,
            figures,
            camera: Err("no camera image was looked for".to_owned()),
            width,
            height,
            truth_m: sample(&truth),
            depth_m: sample(&depth),
        })
    }

    /// Columns and rows of its pictures.
    pub(super) const fn size(&self) -> [usize; 2] {
        [self.width as usize, self.height as usize]
    }

    /// The depths of the truth that count, metres.
    pub(super) fn truth(&self) -> impl Iterator<Item = f32> {
        self.truth_m.iter().copied().filter(|truth| counts(*truth))
    }

    /// The depth image as colours; hatched where there is none.
    pub(super) fn depth_rgb(&self, colours: &DepthColours) -> Vec<u8> {
        self.coloured(|index, hatch| match self.depth_m.get(index) {
            Some(depth) if *depth > 0.0 => colours.of(*depth),
            _ => hatch,
        })
    }

    /// (p − g) / g as colours; grey without truth, hatched without depth.
    pub(super) fn error_rgb(&self) -> Vec<u8> {
        self.coloured(|index, hatch| {
            match (self.truth_m.get(index).copied(), self.depth_m.get(index).copied()) {
                (Some(truth), _) if !counts(truth) => NO_TRUTH,
                (Some(truth), Some(depth)) if depth.is_finite() && depth > 0.0 => {
                    diverging::colour((depth - truth) / truth)
                }
                _ => hatch,
            }
        })
    }

    fn coloured(&self, colour: impl Fn(usize, Rgb) -> Rgb) -> Vec<u8> {
        let [width, height] = self.size();
        let mut rgb = Vec::with_capacity(3 * width * height);
        for index in 0..width * height {
            let hatch = NO_DEPTH[(index % width + index / width) / 4 % 2];
            rgb.extend(colour(index, hatch));
        }
        rgb
    }
}

/// Whether a truth counts.
fn counts(truth_m: f32) -> bool {
    (TRUTH_MIN_M..=TRUTH_MAX_M).contains(&f64::from(truth_m))
}

/// The largest size of the same proportions that fits.
fn fitted(width: u32, height: u32) -> (u32, u32) {
    let longest = width.max(height).max(LONGEST);
    let shrink = |side: u32| {
        (u64::from(side) * u64::from(LONGEST) / u64::from(longest)).clamp(1, u64::from(LONGEST)) as u32
    };
    if longest == LONGEST { (width.max(1), height.max(1)) } else { (shrink(width), shrink(height)) }
}

/// The pixel of an axis of `to` pixels that covers the centre of pixel `at` of one of `from`.
fn covering(at: u32, from: u32, to: u32) -> u32 {
    ((2 * u64::from(at) + 1) * u64::from(to) / (2 * u64::from(from.max(1)))) as u32
}

/// A camera image of a picture's size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraPicture {
    size: [usize; 2],
    rgb: Vec<u8>,
}

impl CameraPicture {
    /// Each pixel is the mean of those it covers.
    pub fn new(image: &ImageView<'_>) -> Self {
        let (width, height) = fitted(image.width(), image.height());
        let block = |at: u32, to: u32, from: u32| {
            let edge = |at: u32| (u64::from(at) * u64::from(from) / u64::from(to)) as u32;
            edge(at)..edge(at + 1).max(edge(at) + 1)
        };
        let mut rgb = Vec::with_capacity(3 * width as usize * height as usize);
        let mut sums = vec![[0_u32; 4]; width as usize];
        for y in 0..height {
            sums.fill([0; 4]);
            for row in block(y, height, image.height()) {
                let colours = image.colours(row);
                for (x, sum) in (0..width).zip(&mut sums) {
                    for column in block(x, width, image.width()) {
                        let [r, g, b] = colours.rgb(column).map(u32::from);
                        *sum = [sum[0] + r, sum[1] + g, sum[2] + b, sum[3] + 1];
                    }
                }
            }
            rgb.extend(
                sums.iter().flat_map(|[r, g, b, count]| [r, g, b].map(|sum| (sum / count.max(&1)) as u8)),
            );
        }
        Self { size: [width as usize, height as usize], rgb }
    }

    /// RGB bytes.
    pub(super) fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// Columns and rows.
    pub(super) const fn size(&self) -> [usize; 2] {
        self.size
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::depth::ErrorSums;

    fn view(truth: &[f32], depth: &[f32], width: u32) -> DepthView {
        let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let image = |data| {
            let height = truth.len() as u32 / width;
            Image { width, height, encoding: "32FC1", step: 4 * width, data, ..Image::default() }
        };
        let figures = DepthFigures::of(&ErrorSums::default());
        let of = (0, Stamp(0), Stamp(0), Arc::from(Path::new("bag")));
        DepthView::new(of, figures, &image(&bytes(truth)), &image(&bytes(depth))).unwrap()
    }

    #[test]
    fn errors_show_their_sign_and_what_is_missing() {
        let view = view(&[10.0, 10.0, f32::NAN, 10.0], &[15.0, 5.0, 5.0, f32::NAN], 4);
        let rgb = view.error_rgb();
        let pixel = |i: usize| [rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]];
        assert_eq!(pixel(0), diverging::colour(0.5));
        assert_eq!(pixel(1), diverging::colour(-0.5));
        assert_eq!((pixel(2), pixel(3)), (NO_TRUTH, NO_DEPTH[0]));
        assert_eq!(view.truth().count(), 3);
    }

    #[test]
    fn large_images_become_small_pictures_of_their_proportions() {
        let pixels = vec![1.0; 4000 * 10];
        assert_eq!(view(&pixels, &pixels, 4000).size(), [320, 1]);
        assert_eq!(
            (fitted(1920, 1080), fitted(480, 640), fitted(16, 12)),
            ((320, 180), (240, 320), (16, 12))
        );
    }

    #[test]
    fn a_camera_pixel_is_the_mean_of_its_block() {
        let data: Vec<u8> = (0..640).flat_map(|x| [if x % 2 == 0 { 100 } else { 200 }; 3]).collect();
        let image =
            Image { width: 640, height: 1, encoding: "rgb8", step: 1920, data: &data, ..Image::default() };
        let picture = CameraPicture::new(&ImageView::new_color(&image).unwrap());
        assert_eq!((picture.size(), picture.rgb()), ([320, 1], vec![150; 960].as_slice()));
    }
}
