//! Precision and true-positive errors over recall, as nuScenes samples them.

/// Recalls at which a curve is sampled: 0, 0.01, … 1.
pub const RECALL_POINTS: usize = 101;

/// Recalls up to this do not count: detectors are not run where they find next to nothing.
pub(in crate::eval) const MIN_RECALL_INDEX: usize = 10;
/// Precision below this counts nothing.
pub(in crate::eval) const MIN_PRECISION: f64 = 0.1;

/// Precision and the score at which it is had, for each of [`RECALL_POINTS`] recalls; 0 beyond the highest
/// recall that was reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Of the detections down to that recall.
    pub precision: Vec<f64>,
    /// Score of the last of them.
    pub confidence: Vec<f64>,
}

impl Curve {
    /// From detections by falling score: the score, and whether it found something. `None` when none
    /// of them did.
    pub(super) fn new(detections: impl Iterator<Item = (f64, bool)>, truth: u64) -> Option<Self> {
        let (mut found, mut count) = (0_u64, 0_u64);
        let (mut recall, mut precision, mut score) = (Vec::new(), Vec::new(), Vec::new());
        for (of_detection, hit) in detections {
            count += 1;
            found += u64::from(hit);
            recall.push(found as f64 / truth as f64);
            precision.push(found as f64 / count as f64);
            score.push(of_detection);
        }
        (truth > 0 && found > 0).then(|| {
            let sample =
                |values: &[f64]| recalls().map(|at| interpolate(at, &recall, values, Some(0.0))).collect();
            Self { precision: sample(&precision), confidence: sample(&score) }
        })
    }

    /// Average of the precision above 0.1 over recalls above 0.1, as a share of the most there could be.
    pub fn average_precision(&self) -> f64 {
        let counted = self.precision.get(MIN_RECALL_INDEX + 1..).unwrap_or_default();
        let sum: f64 = counted.iter().map(|precision| (precision - MIN_PRECISION).max(0.0)).sum();
        // Rounding may carry it past the end.
        (sum / counted.len() as f64 / (1.0 - MIN_PRECISION)).min(1.0)
    }

    /// Mean error of the true positives over the recalls from above 0.1 to the highest reached; 1 where
    /// that is not reached. `hits` are those of the detections that found something, by falling
    /// score: score and error. Errors that are not known are NaN and are passed over; if none is
    /// known the result is 1.
    pub(super) fn mean_error(&self, hits: &[(f64, f64)]) -> f64 {
        let Some(last) = self.confidence.iter().rposition(|score| *score != 0.0) else { return 1.0 };
        let first = MIN_RECALL_INDEX + 1;
        if last < first || hits.iter().all(|(_, error)| error.is_nan()) {
            return 1.0;
        }
        let (mut sum, mut known) = (0.0, 0_u64);
        let mut means: Vec<f64> = Vec::with_capacity(hits.len());
        for (_, error) in hits {
            if !error.is_nan() {
                sum += error;
                known += 1;
            }
            means.push(if known > 0 { sum / known as f64 } else { 0.0 });
        }
        means.reverse();
        let scores: Vec<f64> = hits.iter().rev().map(|(score, _)| *score).collect();
        let counted = self.confidence.get(first..=last).unwrap_or_default();
        let sum: f64 = counted.iter().map(|score| interpolate(*score, &scores, &means, None)).sum();
        sum / counted.len() as f64
    }
}

/// 0, 0.01, … 1, each rounded as a product, so that equal recalls compare equal to those of the reference.
fn recalls() -> impl Iterator<Item = f64> {
    (0..RECALL_POINTS).map(recall_at)
}

/// The recall of a sampling point.
pub(in crate::eval) fn recall_at(point: usize) -> f64 {
    if point == RECALL_POINTS - 1 { 1.0 } else { point as f64 * 0.01 }
}

/// Piecewise linear interpolation of `ys` over `xs`, which do not fall; both have the same length, at least 1.
/// At a step the last value counts. Left of all it is the first; right of all `right`, or the last.
fn interpolate(at: f64, xs: &[f64], ys: &[f64], right: Option<f64>) -> f64 {
    let value = |index: usize| ys.get(index).copied().unwrap_or(f64::NAN);
    let x = |index: usize| xs.get(index).copied().unwrap_or(f64::NAN);
    let not_above = xs.partition_point(|x| *x <= at);
    let Some(below) = not_above.checked_sub(1) else { return value(0) };
    if not_above == xs.len() {
        return match right {
            Some(right) if at > x(below) => right,
            _ => value(below),
        };
    }
    if x(below) == at {
        return value(below);
    }
    let slope = (value(not_above) - value(below)) / (x(not_above) - x(below));
    slope * (at - x(below)) + value(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpolation_takes_the_last_value_of_a_step() {
        let (xs, ys) = ([0.1, 0.1, 0.3, 0.3], [1.0, 2.0, 4.0, 3.0]);
        for (at, expected) in [(0.0, 1.0), (0.1, 2.0), (0.2, 3.0), (0.3, 3.0), (0.4, 0.0)] {
            assert!((interpolate(at, &xs, &ys, Some(0.0)) - expected).abs() < 1e-12, "{at}");
        }
        assert_eq!(interpolate(0.4, &xs, &ys, None), 3.0);
    }

    #[test]
    fn perfect_detections_have_precision_one_and_no_error() {
        let detections = [(0.9, true), (0.8, true), (0.7, false)];
        let curve = Curve::new(detections.into_iter(), 2).unwrap();
        let expected = (89.0 * 0.9 + (2.0 / 3.0 - 0.1)) / 90.0 / 0.9;
        assert!((curve.average_precision() - expected).abs() < 1e-12);
        assert_eq!(curve.mean_error(&[(0.9, 0.0), (0.8, 0.0)]), 0.0);
        assert_eq!(curve.mean_error(&[(0.9, f64::NAN), (0.8, f64::NAN)]), 1.0);
    }

    #[test]
    fn a_recall_of_a_tenth_is_too_little_for_errors() {
        let one_of = |truth| Curve::new([(0.5, true)].into_iter(), truth).unwrap();
        assert_eq!(one_of(10).mean_error(&[(0.5, 0.0)]), 1.0);
        assert_eq!(one_of(9).mean_error(&[(0.5, 0.0)]), 0.0);
        assert!(Curve::new([(0.5, false)].into_iter(), 3).is_none());
        assert!(Curve::new([(0.5, true)].into_iter(), 0).is_none());
    }
}
