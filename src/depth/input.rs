//! Camera image → network tensor.
//!
//! One pass over the message buffer: target rows are gathered as weighted sums of source rows, then
//! each row is resampled, normalised and split into its planes. YUV and Bayer rows become RGB as they
//! are gathered. Nothing of the image's full size is stored. Pixel centres lie at integer coordinates (`u' = (u + 0.5) · s − 0.5`); an axis that
//! shrinks to half or less is averaged over its footprint, the others are bilinear.

use super::axis::Axis;
use super::error::{DepthError, check_length, pixel_count};
use super::resample::resample_row;
use super::source_rows::SourceRows;
use crate::sensor::ImageView;

/// Per-channel normalisation `(v / 255 − mean) / std`, in the order red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalisation {
    mean: [f32; 3],
    std: [f32; 3],
}

impl Normalisation {
    /// Only the division by 255, as radarmeetsvision trains.
    pub const UNIT: Self = Self { mean: [0.0; 3], std: [1.0; 3] };
    /// Statistics of `ImageNet`, as Depth Anything V2 trains.
    pub const IMAGENET: Self = Self { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

    /// From a model's manifest. The means must be finite, the deviations finite and positive.
    pub fn new(mean: [f32; 3], std: [f32; 3]) -> Result<Self, DepthError> {
        if !mean.iter().all(|m| m.is_finite()) {
            let found = format!("{mean:?}");
            return Err(DepthError::BadValue { what: "mean", expected: "three finite numbers", found });
        }
        if !std.iter().all(|s| s.is_finite() && *s > 0.0) {
            let found = format!("{std:?}");
            return Err(DepthError::BadValue { what: "std", expected: "three positive numbers", found });
        }
        Ok(Self { mean, std })
    }

    /// `(scale, offset)` of each channel: `v · scale + offset` for `v` in 0..255.
    fn affine(&self) -> [(f32, f32); 3] {
        std::array::from_fn(|c| (1.0 / (255.0 * self.std[c]), -self.mean[c] / self.std[c]))
    }
}

/// Turns images into tensors of one size. Tables and row buffers are kept between frames and
/// rebuilt only when the size of the image changes.
#[derive(Debug)]
pub struct Resizer {
    width: usize,
    height: usize,
    columns: Axis,
    rows: Axis,
    source: SourceRows,
}

impl Resizer {
    /// For tensors of `width × height` pixels.
    pub fn new(width: usize, height: usize) -> Result<Self, DepthError> {
        pixel_count("network input", width, height)?;
        Ok(Self {
            width,
            height,
            columns: Axis::default(),
            rows: Axis::default(),
            source: SourceRows::default(),
        })
    }

    /// Width and height of the tensor.
    pub const fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// Writes `image` as `[3, height, width]` f32, planes red, green, blue, normalised.
    ///
    /// The whole image is mapped onto the whole tensor; a different aspect ratio stretches it, as
    /// [`crate::geometry::CameraModel::scaled`] does with the camera.
    pub fn image_to_tensor(
        &mut self,
        image: &ImageView<'_>,
        normalisation: &Normalisation,
        out: &mut [f32],
    ) -> Result<(), DepthError> {
        let plane = self.width * self.height;
        check_length("image tensor", 3 * plane, out.len())?;
        let (width, height) = (image.width() as usize, image.height() as usize);
        pixel_count("image", width, height)?;
        let layout = self.source.start(image).ok_or_else(|| DepthError::BadValue {
            what: "image format",
            expected: "colour or grey",
            found: image.format().to_string(),
        })?;
        self.columns.fit(width, self.width);
        self.rows.fit(height, self.height);

        let affine = normalisation.affine();
        let (red, rest) = out.split_at_mut(plane);
        let (green, blue) = rest.split_at_mut(plane);
        let targets = red
            .chunks_exact_mut(self.width)
            .zip(green.chunks_exact_mut(self.width))
            .zip(blue.chunks_exact_mut(self.width));
        for ((start, weights), ((red, green), blue)) in self.rows.windows().zip(targets) {
            let gathered = self.source.gather(image, start, weights);
            let planes = [(red, affine[0]), (green, affine[1]), (blue, affine[2])];
            resample_row(gathered, layout, &self.columns, planes);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::{Normalisation, Resizer};
    use crate::sensor::{ImageView, PixelFormat};

    #[derive(Deserialize)]
    struct Golden {
        images: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        source: (u32, u32),
        target: (usize, usize),
        rgb: Vec<u8>,
        tensor: Vec<f32>,
    }

    fn cases() -> Vec<Case> {
        let text = include_str!("../../tests/golden/depth_resize.json");
        serde_json::from_str::<Golden>(text).unwrap().images
    }

    fn tensor(image: &ImageView<'_>, size: (usize, usize), normalisation: &Normalisation) -> Vec<f32> {
        let mut out = vec![f32::NAN; 3 * size.0 * size.1];
        let mut resizer = Resizer::new(size.0, size.1).unwrap();
        resizer.image_to_tensor(image, normalisation, &mut out).unwrap();
        out
    }

    fn assert_close(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        for (i, (a, b)) in found.iter().zip(expected).enumerate() {
            assert!((a - b).abs() < 2e-5, "value {i}: expected {b}, found {a}");
        }
    }

    #[test]
    fn agrees_with_dense_weight_matrices() {
        for case in cases() {
            let (w, h) = case.source;
            let image = ImageView::from_parts(w, h, PixelFormat::Rgb8, u64::from(3 * w), &case.rgb).unwrap();
            assert_close(&tensor(&image, case.target, &Normalisation::IMAGENET), &case.tensor);
        }
    }

    #[test]
    fn every_colour_layout_gives_the_same_planes() {
        for case in cases() {
            let (w, h) = case.source;
            let order = |order: &[usize], padding: usize| -> Vec<u8> {
                let mut bytes = Vec::new();
                for row in case.rgb.chunks_exact(3 * w as usize) {
                    for pixel in row.chunks_exact(3) {
                        // Channel 3 is alpha, which must not matter.
                        bytes.extend(order.iter().map(|&c| if c == 3 { 77 } else { pixel[c] }));
                    }
                    bytes.extend(std::iter::repeat_n(200, padding));
                }
                bytes
            };
            for (format, channels, padding) in [
                (PixelFormat::Bgr8, &[2, 1, 0][..], 0),
                (PixelFormat::Rgb8, &[0, 1, 2], 5),
                (PixelFormat::Rgba8, &[0, 1, 2, 3], 0),
                (PixelFormat::Bgra8, &[2, 1, 0, 3], 3),
            ] {
                let bytes = order(channels, padding);
                let step = (channels.len() * w as usize + padding) as u64;
                let image = ImageView::from_parts(w, h, format, step, &bytes).unwrap();
                assert_close(&tensor(&image, case.target, &Normalisation::IMAGENET), &case.tensor);
            }
        }
    }

    #[test]
    fn grey_fills_all_planes_and_tables_follow_the_image() {
        let mut resizer = Resizer::new(2, 1).unwrap();
        let mut out = [0.0; 6];
        for (w, pixels) in [(2, &[0, 255][..]), (4, &[0, 102, 51, 255]), (2, &[255, 0])] {
            let image = ImageView::from_parts(w, 1, PixelFormat::Mono8, u64::from(w), pixels).unwrap();
            resizer.image_to_tensor(&image, &Normalisation::UNIT, &mut out).unwrap();
            let half = pixels.len() / 2;
            for plane in out.chunks_exact(2) {
                for (value, pixels) in plane.iter().zip(pixels.chunks_exact(half)) {
                    let mean = pixels.iter().map(|&v| v as f32).sum::<f32>() / half as f32 / 255.0;
                    assert!((value - mean).abs() < 1e-6);
                }
            }
        }
    }

    #[test]
    fn more_rows_than_a_sum_of_16_bits_can_hold_are_averaged() {
        let (w, h) = (3, 601);
        let bytes = [255, 254, 253].repeat(h as usize);
        let image = ImageView::from_parts(w, h, PixelFormat::Mono8, u64::from(w), &bytes).unwrap();
        for value in tensor(&image, (1, 1), &Normalisation::UNIT) {
            assert!((value * 255.0 - 254.0).abs() < 1e-2, "{value}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(Resizer::new(0, 4).is_err());
        assert!(Resizer::new(usize::MAX, 2).is_err());
        let mut resizer = Resizer::new(1, 1).unwrap();
        let rgb = ImageView::from_parts(1, 1, PixelFormat::Rgb8, 3, &[0; 3]).unwrap();
        assert!(resizer.image_to_tensor(&rgb, &Normalisation::UNIT, &mut [0.0; 2]).is_err());
        let depth = ImageView::from_parts(1, 1, PixelFormat::Depth16, 2, &[0; 2]).unwrap();
        assert!(resizer.image_to_tensor(&depth, &Normalisation::UNIT, &mut [0.0; 3]).is_err());
        assert!(Normalisation::new([0.0; 3], [1.0, 0.0, 1.0]).is_err());
        assert!(Normalisation::new([0.0, f32::NAN, 0.0], [1.0; 3]).is_err());
    }

    proptest! {
        #[test]
        fn a_constant_image_stays_constant(
            source in (1_u32..40, 1_u32..40),
            target in (1_usize..40, 1_usize..40),
            pixel: [u8; 3],
        ) {
            let bytes = pixel.repeat((source.0 * source.1) as usize);
            let image =
                ImageView::from_parts(source.0, source.1, PixelFormat::Rgb8, u64::from(3 * source.0), &bytes)
                    .unwrap();
            let out = tensor(&image, target, &Normalisation::UNIT);
            for (plane, value) in out.chunks_exact(target.0 * target.1).zip(pixel) {
                for v in plane {
                    prop_assert!((v * 255.0 - value as f32).abs() < 2e-3);
                }
            }
        }
    }
}
