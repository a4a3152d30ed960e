//! Errors of true positives over frames that count several times, as [`crate::eval::detection::Curve`] averages them
//! over recall.

use super::ranked::times_of;
use crate::eval::detection::{MIN_RECALL_INDEX, RECALL_POINTS};

/// Translation, scale, orientation.
pub(super) const ERRORS: usize = 3;

/// A detection that found something within 2 m.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    score: f64,
    frame: u32,
    /// 0 where it is not known.
    errors: [f64; ERRORS],
    /// 1, or 0 where it is not.
    known: [f64; ERRORS],
}

impl Hit {
    /// NaN is what is not known.
    pub fn new(score: f64, frame: u32, errors: [f64; ERRORS]) -> Self {
        let known = errors.map(|error| if error.is_nan() { 0.0 } else { 1.0 });
        Self { score, frame, errors: errors.map(|error| if error.is_nan() { 0.0 } else { error }), known }
    }
}

/// The score at which each recall is had; 0 beyond the highest that is reached.
pub(super) type Confidence = [f64; RECALL_POINTS];

/// Sums of what is known so far.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    errors: [f64; ERRORS],
    known: [f64; ERRORS],
}

impl Sums {
    fn add(&mut self, hit: &Hit, times: f64) {
        for number in 0..ERRORS {
            self.errors[number] += times * hit.errors[number];
            self.known[number] += times * hit.known[number];
        }
    }

    fn means(&self) -> [f64; ERRORS] {
        std::array::from_fn(|number| match self.known[number] {
            0.0 => 0.0,
            known => self.errors[number] / known,
        })
    }
}

/// The mean errors over the recalls from above 0.1 to the highest reached; 1 where that is not reached, and of errors
/// of which nothing is known. `hits` are by falling score.
pub(super) fn mean_errors(hits: &[Hit], confidence: &Confidence, times: &[u32]) -> [f64; ERRORS] {
    let first = MIN_RECALL_INDEX + 1;
    let last = confidence.iter().rposition(|score| *score != 0.0).unwrap_or(0);
    let counted = confidence.get(first..=last).unwrap_or_default();
    if counted.is_empty() {
        return [1.0; ERRORS];
    }
    let mut sums = Sums::default();
    let mut total = [0.0; ERRORS];
    let mut left = counted;
    let mut above: Option<f64> = None;
    for hit in hits {
        let times = times_of(hit.frame, times);
        if times == 0 {
            continue;
        }
        let is_crossed = |at: &f64| *at >= hit.score;
        if above != Some(hit.score) && left.first().is_some_and(is_crossed) {
            // Means go from one score to the next in a straight line; at a score counts that of its first hit.
            let before = sums.means();
            let mut with = sums;
            with.add(hit, 1.0);
            let after = with.means();
            while let Some((at, rest)) = left.split_first().filter(|(at, _)| is_crossed(at)) {
                let share = above.map_or(1.0, |above| (above - at) / (above - hit.score));
                for ((total, before), after) in total.iter_mut().zip(before).zip(after) {
                    *total += before + share * (after - before);
                }
                left = rest;
            }
        }
        above = Some(hit.score);
        sums.add(hit, times as f64);
    }
    let at_last = sums.means();
    std::array::from_fn(|number| {
        let total = total[number] + left.len() as f64 * at_last[number];
        if sums.known[number] > 0.0 { total / counted.len() as f64 } else { 1.0 }
    })
}
