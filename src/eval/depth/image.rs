//! One truth image against one prediction.

use super::sums::{CONFIDENCE_BINS, DepthSums, ErrorSums};
use super::{BinSums, DepthEvalError, NearMask};
use crate::message::Image;
use crate::sensor::{ImageView, PixelFormat};

/// What the depth node published for one truth image. Depths may be 32FC1 (metres) or 16UC1 (millimetres).
#[derive(Clone, Copy, Debug)]
pub struct DepthImages<'a> {
    /// The truth.
    pub truth: &'a Image<'a>,
    /// The depth to be scored, of the truth's proportions.
    pub predicted: &'a Image<'a>,
    /// Its confidence, 32FC1 from 0 to 1; NaN counts as 0.
    pub confidence: Option<&'a Image<'a>>,
    /// Where radar returns are near, of the prediction's size.
    pub near: Option<&'a NearMask>,
}

/// Sums over the pixels of the truth. Where the prediction has another resolution, each pixel of the truth
/// is compared with the one that covers its centre.
pub fn score_image(images: &DepthImages<'_>) -> Result<DepthSums, DepthEvalError> {
    let truth = view("depth truth", images.truth)?;
    let predicted = view("depth", images.predicted)?;
    let size = (predicted.width(), predicted.height());
    check_proportions(size, (truth.width(), truth.height()))?;
    let same_size = |which, found| {
        if found == size { Ok(()) } else { Err(DepthEvalError::Size { which, expected: size, found }) }
    };
    let confidence = images.confidence.map(|image| view("confidence", image)).transpose()?;
    if let Some(confidence) = &confidence {
        same_size("confidence", (confidence.width(), confidence.height()))?;
    }
    if let Some(near) = images.near {
        same_size("mask of radar returns", near.size())?;
    }

    let mut sums = DepthSums {
        by_confidence: vec![BinSums::default(); if confidence.is_some() { CONFIDENCE_BINS } else { 0 }],
        near_and_away: images.near.map(|_| [ErrorSums::default(); 2]),
        ..DepthSums::default()
    };
    let columns: Vec<usize> =
        (0..truth.width()).map(|x| covering(x, truth.width(), predicted.width())).collect();
    let mut rows = [Vec::new(), Vec::new(), Vec::new()];
    let mut decoded = None;
    for y in 0..truth.height() {
        let below = covering(y, truth.height(), predicted.height()) as u32;
        let [truth_row, predicted_row, confidence_row] = &mut rows;
        decode_row(&truth, images.truth, y, truth_row);
        if decoded.replace(below) != Some(below) {
            decode_row(&predicted, images.predicted, below, predicted_row);
            if let (Some(confidence), Some(image)) = (&confidence, images.confidence) {
                decode_row(confidence, image, below, confidence_row);
            }
        }
        let near = images.near.map(|near| near.row(below));
        for (&truth_m, &x) in truth_row.iter().zip(&columns) {
            let predicted_m = predicted_row.get(x).copied().unwrap_or(f32::NAN);
            let near = near.map(|near| near.get(x).copied().unwrap_or(false));
            sums.add(truth_m, predicted_m, confidence_row.get(x).copied(), near);
        }
    }
    Ok(sums)
}

fn view<'a>(which: &'static str, image: &Image<'a>) -> Result<ImageView<'a>, DepthEvalError> {
    ImageView::new_depth(image).map_err(|source| DepthEvalError::Image { which, source })
}

/// Fields of view are taken to be the same where the proportions are, up to a pixel of rounding.
fn check_proportions(expected: (u32, u32), found: (u32, u32)) -> Result<(), DepthEvalError> {
    let cross = |a: (u32, u32), b: (u32, u32)| u64::from(a.0) * u64::from(b.1);
    let rounding = u64::from(expected.0.max(found.0)) + u64::from(expected.1.max(found.1));
    if 2 * cross(expected, found).abs_diff(cross(found, expected)) > rounding {
        return Err(DepthEvalError::Proportions { expected, found });
    }
    Ok(())
}

/// The pixel of an axis of `to` pixels that covers the centre of pixel `at` of one of `from`.
fn covering(at: u32, from: u32, to: u32) -> usize {
    // (2 at + 1) to / (2 from), which stays below `to`.
    ((2 * u64::from(at) + 1) * u64::from(to) / (2 * u64::from(from.max(1)))) as usize
}

/// Metres of one row into `out`; the usual format without a decision at each pixel.
fn decode_row(view: &ImageView<'_>, image: &Image<'_>, y: u32, out: &mut Vec<f32>) {
    out.clear();
    if view.format() == PixelFormat::Depth32F && !image.is_bigendian {
        out.extend(view.row(y).as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)));
    } else {
        out.extend((0..view.width()).map(|x| view.depth_m(x, y)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(width: u32, data: &[u8]) -> Image<'_> {
        let height = data.len() as u32 / 4 / width;
        Image { width, height, encoding: "32FC1", step: 4 * width, data, ..Image::default() }
    }

    fn bytes(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    fn score(truth: &Image<'_>, predicted: &Image<'_>) -> Result<DepthSums, DepthEvalError> {
        score_image(&DepthImages { truth, predicted, confidence: None, near: None })
    }

    #[test]
    fn each_pixel_of_the_truth_meets_the_one_that_covers_its_centre() {
        let (fine, coarse) = (bytes(&[1.0, 1.0, 3.0, 3.0, 1.0, 1.0, 3.0, 3.0]), bytes(&[1.0, 3.0]));
        for (truth, predicted, pixels) in [
            (image(4, &fine), image(2, &coarse), 8),
            (image(2, &coarse), image(4, &fine), 2),
            (image(4, &fine), image(4, &fine), 8),
        ] {
            let all = score(&truth, &predicted).unwrap().all;
            assert_eq!((all.pixels, all.covered, all.abs_rel), (pixels, pixels, 0.0));
        }
        assert_eq!((0..5).map(|x| covering(x, 5, 3)).collect::<Vec<_>>(), [0, 0, 1, 2, 2]);
        assert_eq!(covering(1 << 28, 1 << 29, 1 << 29), 1 << 28);
    }

    #[test]
    fn millimetres_and_byte_orders_are_read() {
        let predicted = bytes(&[2.0, 2.0]);
        let millimetres = [0x07, 0xd0, 0, 0];
        let truth = Image { encoding: "16UC1", is_bigendian: true, step: 4, ..image(2, &millimetres) };
        let truth = Image { height: 1, ..truth };
        let all = score(&truth, &image(2, &predicted)).unwrap().all;
        assert_eq!((all.pixels, all.abs_rel), (1, 0.0));
        let swapped: Vec<u8> = [2.0_f32, 4.0].iter().flat_map(|value| value.to_be_bytes()).collect();
        let truth = Image { is_bigendian: true, ..image(2, &swapped) };
        assert_eq!(score(&truth, &image(2, &predicted)).unwrap().all.abs_rel, 0.5);
    }

    #[test]
    fn what_cannot_be_compared_is_named() {
        let (wide, square) = (bytes(&[1.0; 8]), bytes(&[1.0; 4]));
        let error = score(&image(4, &wide), &image(2, &square)).unwrap_err().to_string();
        assert!(error.contains("expected the proportions of the prediction, 2x2, found 4x2"), "{error}");
        let (truth, predicted) = (image(2, &square), image(2, &square));
        let confidence = image(4, &wide);
        let images =
            DepthImages { truth: &truth, predicted: &predicted, confidence: Some(&confidence), near: None };
        let error = score_image(&images).unwrap_err().to_string();
        assert!(error.starts_with("confidence: expected the size"), "{error}");
        let colour = Image { encoding: "rgb8", ..predicted };
        let error = score(&truth, &colour).unwrap_err().to_string();
        assert!(error.starts_with("depth: ") && error.contains("16UC1"), "{error}");
    }

    #[test]
    fn confidence_and_returns_sort_the_pixels() {
        let (truth, predicted) = (bytes(&[2.0; 4]), bytes(&[2.0, 3.0, 4.0, f32::NAN]));
        let confidence = bytes(&[0.95, 0.55, 0.55, 0.05]);
        let near = NearMask::new(2, 2, [(1.0, 0.0)]);
        let images = DepthImages {
            truth: &image(2, &truth),
            predicted: &image(2, &predicted),
            confidence: Some(&image(2, &confidence)),
            near: Some(&near),
        };
        let sums = score_image(&images).unwrap();
        let bin = |i: usize| (sums.by_confidence[i].pixels, sums.by_confidence[i].abs_rel);
        assert_eq!((bin(9), bin(5), bin(0)), ((1, 0.0), (2, 1.5), (1, 1.0)));
        let [near, away] = sums.near_and_away.unwrap();
        assert_eq!((near.pixels, near.abs_rel), (1, 0.5));
        assert_eq!((away.pixels, away.abs_rel, away.covered), (3, 2.0, 2));
    }
}
