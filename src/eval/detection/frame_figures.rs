//! What is said of one sweep.

use serde::Serialize;

use super::OverlapHit;

/// Detections below this are too unsure to be counted as wrong in the figures of one sweep.
pub(in crate::eval) const SURE_SCORE: f64 = 0.3;

/// Of one sweep: what was found within 2 m, with a score of 0.3 or more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct DetectionFigures {
    /// Truth boxes that are scored.
    pub truth: u32,
    /// Detections of any score.
    pub detections: u32,
    /// Truth boxes that were found.
    pub found: u32,
    /// Truth boxes that were not.
    pub missed: u32,
    /// Detections that found nothing.
    pub wrong: u32,
}

impl DetectionFigures {
    /// The sum of both.
    pub(super) fn plus(&self, other: &Self) -> Self {
        Self {
            truth: self.truth + other.truth,
            detections: self.detections + other.detections,
            found: self.found + other.found,
            missed: self.missed + other.missed,
            wrong: self.wrong + other.wrong,
        }
    }

    /// 2 found / (2 found + missed + wrong): 1 is perfect, and so is a sweep with nothing in it.
    pub fn f1(&self) -> f64 {
        let errors = f64::from(self.missed) + f64::from(self.wrong);
        if errors == 0.0 { 1.0 } else { 2.0 * f64::from(self.found) / (2.0 * f64::from(self.found) + errors) }
    }
}

/// The figures of one class in one sweep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameRow {
    /// Index into [`super::EvalClasses`].
    pub class: u16,
    /// What was found of it.
    pub figures: DetectionFigures,
}

/// What became of one detection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DetectionRow {
    /// Index into [`super::EvalClasses`].
    pub class: u16,
    /// As it came.
    pub score: f64,
    /// Distance from the LiDAR seen from above, metres.
    pub range_m: f64,
    /// Whether it found something, by [`super::MATCH_DISTANCES_M`].
    pub found: [bool; 4],
    /// Translation (m), scale, orientation (rad) and velocity (m/s) beside the truth it found within 2 m; NaN
    /// where there is none or one is not known.
    pub errors: [f64; 4],
    /// Whether it found something by overlap.
    pub overlap: OverlapHit,
}
