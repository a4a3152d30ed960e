//! Figures of many images.

use serde::Serialize;

use super::figures::FigureMeans;
use super::sums::{CONFIDENCE_BINS, RANGE_BIN_M, RANGE_BINS};
use super::{BinSums, DepthFigures, DepthSums, MIN_PIXELS};

/// Means over images, added image by image in a fixed order.
#[derive(Clone, Debug, Default)]
pub struct DepthAverage {
    frames: u64,
    without_truth: u64,
    means: FigureMeans,
    by_range: [BinSums; RANGE_BINS],
    by_confidence: [BinSums; CONFIDENCE_BINS],
    near: [Part; 2],
}

/// Pixels near returns, or away from them.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    pixels: u64,
    means: FigureMeans,
}

impl DepthAverage {
    /// Adds an image; its figures, or `None` where it has too few pixels of truth to say anything.
    pub fn add(&mut self, sums: &DepthSums) -> Option<DepthFigures> {
        if sums.all.pixels < MIN_PIXELS {
            self.without_truth += 1;
            return None;
        }
        let figures = DepthFigures::of(&sums.all);
        self.frames += 1;
        self.means.add(&figures);
        self.by_range.iter_mut().zip(&sums.by_range).for_each(|(mine, theirs)| mine.merge(theirs));
        self.by_confidence.iter_mut().zip(&sums.by_confidence).for_each(|(mine, theirs)| mine.merge(theirs));
        for (mine, theirs) in self.near.iter_mut().zip(sums.near_and_away.iter().flatten()) {
            mine.pixels += theirs.pixels;
            if theirs.pixels >= MIN_PIXELS {
                mine.means.add(&DepthFigures::of(theirs));
            }
        }
        Some(figures)
    }

    /// Images that were scored.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// The means.
    pub fn report(&self) -> DepthReport {
        let [near, away] = self.near;
        let known = near.pixels + away.pixels;
        let part =
            |part: Part| NearReport { share: part.pixels as f64 / known as f64, figures: part.means.mean() };
        DepthReport {
            frames: self.frames,
            frames_with_too_little_truth: self.without_truth,
            figures: self.means.mean(),
            by_range: rows(&self.by_range, |index, abs_rel, coverage, share| RangeRow {
                min_m: index as f64 * RANGE_BIN_M,
                max_m: (index + 1) as f64 * RANGE_BIN_M,
                abs_rel,
                coverage,
                share,
            }),
            by_confidence: rows(&self.by_confidence, |index, abs_rel, coverage, share| ConfidenceRow {
                min: index as f64 / CONFIDENCE_BINS as f64,
                max: (index + 1) as f64 / CONFIDENCE_BINS as f64,
                abs_rel,
                coverage,
                share,
            }),
            near_returns: (known > 0).then(|| part(near)),
            away_from_returns: (known > 0).then(|| part(away)),
        }
    }
}

/// A row for each bin that has pixels, from its index, AbsRel, coverage and share.
fn rows<T>(bins: &[BinSums], row: impl Fn(usize, f64, f64, f64) -> T) -> Vec<T> {
    let all: u64 = bins.iter().map(|bin| bin.pixels).sum();
    let filled = bins.iter().enumerate().filter(|(_, bin)| bin.pixels > 0);
    filled
        .map(|(index, bin)| {
            let pixels = bin.pixels as f64;
            row(index, bin.abs_rel / pixels, bin.covered as f64 / pixels, pixels / all as f64)
        })
        .collect()
}

/// `depth` of `report.json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DepthReport {
    /// Images that were scored.
    pub frames: u64,
    /// Pairs of truth and prediction with too few pixels of truth to say anything.
    pub frames_with_too_little_truth: u64,
    /// Means over the images.
    #[serde(flatten)]
    pub figures: DepthFigures,
    /// By the truth, over all pixels of all images; bins without pixels are left out.
    pub by_range: Vec<RangeRow>,
    /// By the confidence, over all pixels of all images; empty without one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by_confidence: Vec<ConfidenceRow>,
    /// Pixels near a radar return.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near_returns: Option<NearReport>,
    /// All others of the same images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub away_from_returns: Option<NearReport>,
}

/// One step of range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RangeRow {
    /// From, metres.
    pub min_m: f64,
    /// To, metres, exclusive but for the last.
    pub max_m: f64,
    /// Mean over its pixels.
    pub abs_rel: f64,
    /// Share of its pixels with a prediction.
    pub coverage: f64,
    /// Its share of all pixels of truth.
    pub share: f64,
}

/// One step of confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ConfidenceRow {
    /// From.
    pub min: f64,
    /// To, exclusive but for the last.
    pub max: f64,
    /// Mean over its pixels.
    pub abs_rel: f64,
    /// Share of its pixels with a prediction.
    pub coverage: f64,
    /// Its share of all pixels of truth.
    pub share: f64,
}

/// Pixels near returns, or away from them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct NearReport {
    /// Their share of the pixels of truth in images whose returns are known.
    pub share: f64,
    /// Means over the images that have any.
    #[serde(flatten)]
    pub figures: DepthFigures,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(pixels: u64, abs_rel: f64) -> DepthSums {
        let mut sums = DepthSums::default();
        for _ in 0..pixels {
            sums.add(10.0, 10.0 * (1.0 + abs_rel as f32), None, None);
        }
        sums
    }

    #[test]
    fn every_image_weighs_the_same_whatever_its_pixels() {
        let mut average = DepthAverage::default();
        average.add(&image(11, 0.5));
        average.add(&image(1100, 0.0));
        assert_eq!(average.add(&image(10, 9.0)), None, "too few pixels");
        let report = average.report();
        assert_eq!((report.frames, report.frames_with_too_little_truth), (2, 1));
        assert!((report.figures.abs_rel - 0.25).abs() < 1e-12);
        let [row] = report.by_range[..] else { panic!("{report:?}") };
        assert_eq!((row.min_m, row.max_m, row.share), (10.0, 15.0, 1.0));
        assert!((row.abs_rel - 0.5 * 11.0 / 1111.0).abs() < 1e-12, "bins are over pixels");
    }

    #[test]
    fn what_is_not_known_is_null_or_absent() {
        let report = serde_json::to_value(DepthAverage::default().report()).unwrap();
        assert!(report["abs_rel"].is_null() && report["by_confidence"].is_null());
        assert!(report.get("near_returns").is_none());
        let mut average = DepthAverage::default();
        let mut holes = DepthSums::default();
        (0..20).for_each(|_| holes.add(1.0, f32::NAN, None, None));
        average.add(&holes);
        average.add(&image(20, 0.0));
        let report = average.report();
        assert_eq!((report.figures.abs_rel, report.figures.coverage, report.figures.rmse), (0.5, 0.5, 0.0));
    }
}
