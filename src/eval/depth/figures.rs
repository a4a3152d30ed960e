//! The figures of a set of pixels.

use serde::Serialize;

use super::ErrorSums;

/// How many figures there are.
const FIGURES: usize = 10;

/// What is reported of one image, or as the mean over images. NaN (null in JSON) is what no pixel tells.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DepthFigures {
    /// Share of the truth's pixels with a prediction.
    pub coverage: f64,
    /// Mean of |p − g| / g; a pixel without a prediction counts 1.
    pub abs_rel: f64,
    /// Mean of (p − g)² / g, metres.
    pub sq_rel: f64,
    /// Root of the mean of (p − g)², metres.
    pub rmse: f64,
    /// Root of the mean of (ln p − ln g)².
    pub rmse_log: f64,
    /// Mean of |log₁₀ p − log₁₀ g|.
    pub log10: f64,
    /// √(mean(d²) − ½ mean(d)²) with d = ln p − ln g: scale-invariant error (Eigen et al. 2014), λ = ½.
    pub silog: f64,
    /// Share of the truth's pixels with max(p/g, g/p) < 1.25.
    pub delta1: f64,
    /// … < 1.25².
    pub delta2: f64,
    /// … < 1.25³.
    pub delta3: f64,
}

impl DepthFigures {
    /// Of the pixels that were added up.
    pub fn of(sums: &ErrorSums) -> Self {
        let (pixels, covered) = (sums.pixels as f64, sums.covered as f64);
        let [delta1, delta2, delta3] = sums.within.map(|count| count as f64 / pixels);
        let mean_log = sums.log / covered;
        Self {
            coverage: covered / pixels,
            abs_rel: sums.abs_rel / pixels,
            sq_rel: sums.sq_rel / covered,
            rmse: (sums.sq_m2 / covered).sqrt(),
            rmse_log: (sums.log_sq / covered).sqrt(),
            log10: sums.log_abs / covered / std::f64::consts::LN_10,
            silog: (sums.log_sq / covered - 0.5 * mean_log * mean_log).sqrt(),
            delta1,
            delta2,
            delta3,
        }
    }

    /// Their names, in the order of [`DepthFigures::values`].
    pub const NAMES: [&str; FIGURES] =
        ["coverage", "abs_rel", "sq_rel", "rmse", "rmse_log", "log10", "silog", "delta1", "delta2", "delta3"];

    /// All of them.
    pub const fn values(&self) -> [f64; FIGURES] {
        [
            self.coverage,
            self.abs_rel,
            self.sq_rel,
            self.rmse,
            self.rmse_log,
            self.log10,
            self.silog,
            self.delta1,
            self.delta2,
            self.delta3,
        ]
    }

    fn from_array(
        [coverage, abs_rel, sq_rel, rmse, rmse_log, log10, silog, delta1, delta2, delta3]: [f64; FIGURES],
    ) -> Self {
        Self { coverage, abs_rel, sq_rel, rmse, rmse_log, log10, silog, delta1, delta2, delta3 }
    }
}

/// The mean of each figure over the images that tell it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FigureMeans {
    sums: [f64; FIGURES],
    counts: [u64; FIGURES],
}

impl FigureMeans {
    pub fn add(&mut self, figures: &DepthFigures) {
        for ((sum, count), value) in self.sums.iter_mut().zip(&mut self.counts).zip(figures.values()) {
            if !value.is_nan() {
                *sum += value;
                *count += 1;
            }
        }
    }

    pub fn mean(&self) -> DepthFigures {
        let mut means = self.sums;
        for (mean, count) in means.iter_mut().zip(self.counts) {
            *mean /= count as f64;
        }
        DepthFigures::from_array(means)
    }
}
