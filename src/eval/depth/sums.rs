//! Errors of pixels, added up.

/// Nearest truth that counts, metres.
pub const TRUTH_MIN_M: f64 = 0.2;
/// Farthest truth that counts, metres.
pub const TRUTH_MAX_M: f64 = 80.0;
/// Images with fewer pixels of truth say nothing.
pub const MIN_PIXELS: u64 = 11;
/// Width of a range bin, metres.
pub(super) const RANGE_BIN_M: f64 = 5.0;
/// Range bins up to [`TRUTH_MAX_M`].
pub(super) const RANGE_BINS: usize = 16;
/// Bins of confidence from 0 to 1.
pub(super) const CONFIDENCE_BINS: usize = 10;

/// The error of one pixel that has a truth.
#[derive(Clone, Copy, Debug)]
struct PixelError {
    /// |p − g| / g, 1 without a prediction
    abs_rel: f64,
    covered: Option<Covered>,
}

#[derive(Clone, Copy, Debug)]
struct Covered {
    /// p − g
    difference_m: f64,
    truth_m: f64,
    /// ln p − ln g
    log: f64,
    /// max(p/g, g/p)
    ratio: f64,
}

impl PixelError {
    #[inline]
    fn new(truth_m: f64, predicted_m: f32) -> Self {
        if !(predicted_m.is_finite() & (predicted_m > 0.0)) {
            return Self { abs_rel: 1.0, covered: None };
        }
        let predicted_m = f64::from(predicted_m);
        let difference_m = predicted_m - truth_m;
        let quotient = predicted_m / truth_m;
        Self {
            abs_rel: difference_m.abs() / truth_m,
            covered: Some(Covered {
                difference_m,
                truth_m,
                log: quotient.ln(),
                ratio: quotient.max(truth_m / predicted_m),
            }),
        }
    }
}

/// Everything the figures of a set of pixels are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ErrorSums {
    /// Pixels with a truth.
    pub pixels: u64,
    /// Of these, with a prediction.
    pub covered: u64,
    /// Pixels whose ratio to the truth is below 1.25, 1.25², 1.25³.
    pub within: [u64; 3],
    /// Of |p − g| / g, 1 for each pixel without a prediction.
    pub abs_rel: f64,
    /// Of (p − g)² / g, metres.
    pub sq_rel: f64,
    /// Of (p − g)², m².
    pub sq_m2: f64,
    /// Of ln p − ln g.
    pub log: f64,
    /// Of |ln p − ln g|.
    pub log_abs: f64,
    /// Of (ln p − ln g)².
    pub log_sq: f64,
}

impl ErrorSums {
    #[inline]
    fn add(&mut self, error: &PixelError) {
        self.pixels += 1;
        self.abs_rel += error.abs_rel;
        let Some(Covered { difference_m, truth_m, log, ratio }) = error.covered else { return };
        self.covered += 1;
        let squared_m2 = difference_m * difference_m;
        self.sq_rel += squared_m2 / truth_m;
        self.sq_m2 += squared_m2;
        self.log += log;
        self.log_abs += log.abs();
        self.log_sq += log * log;
        for (within, limit) in self.within.iter_mut().zip([1.25, 1.25 * 1.25, 1.25 * 1.25 * 1.25]) {
            *within += u64::from(ratio < limit);
        }
    }
}

/// The pixels of one bin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BinSums {
    /// Pixels with a truth.
    pub pixels: u64,
    /// Of these, with a prediction.
    pub covered: u64,
    /// Of |p − g| / g, 1 for each pixel without a prediction.
    pub abs_rel: f64,
}

impl BinSums {
    #[inline]
    fn add(&mut self, error: &PixelError) {
        self.pixels += 1;
        self.covered += u64::from(error.covered.is_some());
        self.abs_rel += error.abs_rel;
    }

    /// Adds another image's.
    pub fn merge(&mut self, other: &Self) {
        self.pixels += other.pixels;
        self.covered += other.covered;
        self.abs_rel += other.abs_rel;
    }
}

/// The sums of one image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DepthSums {
    /// All its pixels.
    pub all: ErrorSums,
    /// By the truth, in steps of 5 m.
    pub by_range: [BinSums; RANGE_BINS],
    /// By the confidence, in steps of 0.1; empty without one.
    pub by_confidence: Vec<BinSums>,
    /// Pixels near a radar return and pixels away from all; `None` where the returns are not known.
    pub near_and_away: Option<[ErrorSums; 2]>,
}

impl DepthSums {
    /// Whether a truth value counts.
    #[inline]
    pub(super) fn counts(truth_m: f32) -> bool {
        (TRUTH_MIN_M..=TRUTH_MAX_M).contains(&f64::from(truth_m))
    }

    /// Adds a pixel. Truth that does not count is passed over. `near`: whether a radar return is near.
    #[inline]
    pub(super) fn add(
        &mut self,
        truth_m: f32,
        predicted_m: f32,
        confidence: Option<f32>,
        near: Option<bool>,
    ) {
        if !Self::counts(truth_m) {
            return;
        }
        let truth_m = f64::from(truth_m);
        let error = PixelError::new(truth_m, predicted_m);
        self.all.add(&error);
        if let Some(bin) = self.by_range.get_mut(bin(truth_m / RANGE_BIN_M, RANGE_BINS)) {
            bin.add(&error);
        }
        if let Some(confidence) = confidence {
            let position = f64::from(confidence) * CONFIDENCE_BINS as f64;
            if let Some(bin) = self.by_confidence.get_mut(bin(position, CONFIDENCE_BINS)) {
                bin.add(&error);
            }
        }
        if let (Some([near_sums, away_sums]), Some(near)) = (&mut self.near_and_away, near) {
            if near { near_sums.add(&error) } else { away_sums.add(&error) }
        }
    }
}

/// The bin of `position`; what lies outside is in the first or the last, NaN in the first.
#[inline]
fn bin(position: f64, bins: usize) -> usize {
    // A cast of a float saturates, and makes 0 of NaN.
    (position as usize).min(bins - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(pixels: &[(f32, f32)]) -> DepthSums {
        let mut sums = DepthSums::default();
        for &(truth, predicted) in pixels {
            sums.add(truth, predicted, None, None);
        }
        sums
    }

    #[test]
    fn truth_counts_from_0_2_to_80_metres() {
        for truth in [0.2, 0.3, 79.9, 80.0] {
            assert_eq!(sums(&[(truth, 1.0)]).all.pixels, 1, "{truth}");
        }
        for truth in [0.199, 80.01, 0.0, -1.0, f32::NAN, f32::INFINITY] {
            assert_eq!(sums(&[(truth, 1.0)]), DepthSums::default(), "{truth}");
        }
    }

    #[test]
    fn a_pixel_without_prediction_is_a_whole_error_and_not_covered() {
        for hole in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -3.0] {
            let all = sums(&[(4.0, hole), (4.0, 4.0)]).all;
            assert_eq!((all.pixels, all.covered, all.within), (2, 1, [1, 1, 1]), "{hole}");
            assert_eq!((all.abs_rel, all.sq_m2), (1.0, 0.0));
        }
    }

    #[test]
    fn limits_of_the_deltas_are_outside() {
        let all = sums(&[(4.0, 5.0), (5.0, 4.0), (4.0, 4.999), (4.0, 6.25), (4.0, 6.2)]).all;
        assert_eq!(all.within, [1, 4, 5]);
    }

    #[test]
    fn bins_hold_their_lower_limit() {
        let by_range = sums(&[(4.999, 1.0), (5.0, 1.0), (75.0, 1.0), (80.0, 1.0)]).by_range;
        let counts: Vec<u64> = by_range.iter().map(|bin| bin.pixels).collect();
        assert_eq!((counts[0], counts[1], counts[15]), (1, 1, 2));
        let mut sums = DepthSums { by_confidence: vec![BinSums::default(); 10], ..DepthSums::default() };
        for confidence in [f32::NAN, -1.0, 0.0, 0.5, 1.0, 7.0] {
            sums.add(1.0, 1.0, Some(confidence), None);
        }
        let counts: Vec<u64> = sums.by_confidence.iter().map(|bin| bin.pixels).collect();
        assert_eq!(counts, [3, 0, 0, 0, 0, 1, 0, 0, 0, 2]);
    }
}
