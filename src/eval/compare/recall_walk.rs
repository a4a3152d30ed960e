//! A walk along recall, from the surest detection on, past the points at which curves are sampled.

use crate::eval::detection::{MIN_PRECISION, MIN_RECALL_INDEX, RECALL_POINTS, recall_at};

/// A recall point between two detections.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Crossing {
    /// Index of the point.
    pub point: usize,
    /// How much of the way from one recall to the next is behind.
    pub share: f64,
    /// How many truth boxes are found with the later detection.
    pub found: u64,
    /// Which of several copies of the later detection it is.
    pub copy: u64,
}

/// How far a walk is. Divisions are made at points only: there are few of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecallWalk {
    truth: f64,
    found: u64,
    /// The first point that is not behind.
    point: usize,
    /// How many must be found for it to be behind.
    next_at: u64,
}

impl RecallWalk {
    /// Among `truth` boxes, at least one.
    pub fn new(truth: u64) -> Self {
        let mut walk = Self { truth: truth as f64, found: 0, point: 0, next_at: 0 };
        walk.look_ahead();
        walk
    }

    /// The next detection finds something, `times` times.
    pub fn find(&mut self, times: u64, mut cross: impl FnMut(Crossing)) {
        if self.found + times < self.next_at {
            self.found += times;
            return;
        }
        for copy in 0..times {
            let recall = self.recall();
            self.found += 1;
            let next = self.recall();
            while self.point < RECALL_POINTS && recall_at(self.point) < next {
                let share = (recall_at(self.point) - recall) / (next - recall);
                cross(Crossing { point: self.point, share, found: self.found, copy });
                self.point += 1;
            }
        }
        self.look_ahead();
    }

    /// The point that is exactly where the walk ends.
    pub fn end(&self) -> Option<usize> {
        let is_there = self.point < RECALL_POINTS && recall_at(self.point) == self.recall();
        (self.found > 0 && is_there).then_some(self.point)
    }

    fn recall(&self) -> f64 {
        self.found as f64 / self.truth
    }

    fn look_ahead(&mut self) {
        if self.point >= RECALL_POINTS {
            self.next_at = u64::MAX;
            return;
        }
        let recall = recall_at(self.point);
        // Rounding may put it one too low.
        self.next_at = ((recall * self.truth) as u64).saturating_sub(1);
        while self.next_at as f64 / self.truth <= recall {
            self.next_at += 1;
        }
    }
}

/// Average precision over centre distances, as [`crate::eval::detection::Curve`] computes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct PrecisionWalk {
    pub recall: RecallWalk,
    /// Precision above the least that counts, over the points behind.
    sum: f64,
}

impl PrecisionWalk {
    /// Among `truth` boxes, at least one.
    pub fn new(truth: u64) -> Self {
        Self { recall: RecallWalk::new(truth), sum: 0.0 }
    }

    /// The next detection finds something, `times` times; `before` came earlier. `cross` hears of the recall points
    /// between.
    pub fn find(&mut self, times: u64, before: u64, mut cross: impl FnMut(Crossing)) {
        let sum = &mut self.sum;
        self.recall.find(times, |crossing| {
            cross(crossing);
            let (before, found) = (before + crossing.copy, crossing.found);
            let later = found as f64 / (before + 1) as f64;
            let precision = if before == 0 {
                later
            } else {
                let earlier = (found - 1) as f64 / before as f64;
                (later - earlier) * crossing.share + earlier
            };
            *sum += counted(crossing.point, precision);
        });
    }

    /// The average, after `count` detections; 0 where nothing was found.
    pub fn finish(self, count: u64) -> f64 {
        let last = self.recall.end().map(|point| counted(point, self.recall.found as f64 / count as f64));
        let points = (RECALL_POINTS - MIN_RECALL_INDEX - 1) as f64;
        ((self.sum + last.unwrap_or(0.0)) / points / (1.0 - MIN_PRECISION)).min(1.0)
    }
}

/// What precision at a point adds to the average.
fn counted(point: usize, precision: f64) -> f64 {
    if point > MIN_RECALL_INDEX { (precision - MIN_PRECISION).max(0.0) } else { 0.0 }
}
