//! How old outputs are when they are published, and how evenly they come.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::LatencySummary;
use super::times::Times;
use crate::message::Stamp;

/// Ages from which on stamp and clock are not of one clock, nanoseconds.
const PLAUSIBLE_NS: i64 = 10_000_000_000;

/// How unevenly outputs come, milliseconds.
///
/// Of each two outputs of a node that follow each other it is looked at by how much the interval between their
/// publications differs from that between their stamps: D(i−1, i) of RFC 3550, section 6.4.1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct JitterSummary {
    /// Standard deviation of the differences
    pub std: f64,
    /// 99th percentile of their magnitudes
    pub p99: f64,
}

/// Ages of outputs, and the differences from each to the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Punctuality {
    ages: Times,
    magnitudes: Times,
    count: u64,
    sum_ms: f64,
    sum_of_squares: f64,
    last: Option<(Stamp, i64)>,
}

impl Punctuality {
    /// An output of `stamp` is published at the age of `age_ns`.
    pub fn publish(&mut self, stamp: Stamp, age_ns: i64) {
        if (0..PLAUSIBLE_NS).contains(&age_ns) {
            self.ages.record(Duration::from_nanos(age_ns.unsigned_abs()));
        }
        // Whatever clock the stamps are of, the difference of two ages is that of the intervals. A stamp that is
        // not newer begins another recording.
        if let Some((before, age_before_ns)) = self.last.replace((stamp, age_ns))
            && stamp > before
        {
            let difference_ns = age_ns.saturating_sub(age_before_ns);
            let difference_ms = difference_ns as f64 * 1e-6;
            self.magnitudes.record(Duration::from_nanos(difference_ns.unsigned_abs()));
            self.count += 1;
            self.sum_ms += difference_ms;
            self.sum_of_squares += difference_ms * difference_ms;
        }
    }

    /// Adds those of another recording.
    pub fn merge(&mut self, other: &Self) {
        self.ages.merge(&other.ages);
        self.magnitudes.merge(&other.magnitudes);
        self.count += other.count;
        self.sum_ms += other.sum_ms;
        self.sum_of_squares += other.sum_of_squares;
        self.last = None;
    }

    /// `None` where no age is known.
    pub fn age(&self) -> Option<LatencySummary> {
        self.ages.percentiles()
    }

    /// `None` of less than two outputs.
    pub fn jitter(&self) -> Option<JitterSummary> {
        let p99 = self.magnitudes.percentiles()?.p99;
        let mean_ms = self.sum_ms / self.count as f64;
        let variance = (self.sum_of_squares / self.count as f64 - mean_ms * mean_ms).max(0.0);
        Some(JitterSummary { std: variance.sqrt(), p99 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    fn of(outputs: &[(i64, i64)]) -> Punctuality {
        let mut punctuality = Punctuality::default();
        for (stamp_ms, age_ms) in outputs {
            punctuality.publish(Stamp(stamp_ms * MS), age_ms * MS);
        }
        punctuality
    }

    #[test]
    fn even_outputs_have_no_jitter_however_old_they_are() {
        let even = of(&[(0, 80), (100, 80), (250, 80), (300, 80)]);
        assert!(even.jitter().unwrap().std < 1e-9);
        assert!((79.0..81.0).contains(&even.age().unwrap().p50));
    }

    #[test]
    fn jitter_is_the_spread_of_the_differences() {
        // Differences +10, −10, +10, −10: mean 0, standard deviation 10.
        let uneven = of(&[(0, 50), (100, 60), (200, 50), (300, 60), (400, 50)]);
        let jitter = uneven.jitter().unwrap();
        assert!((jitter.std - 10.0).abs() < 1e-9, "{jitter:?}");
        assert!((9.9..10.2).contains(&jitter.p99), "{jitter:?}");
    }

    #[test]
    fn stamps_of_another_clock_have_jitter_but_no_age() {
        let century_ms = 3_155_760_000_000;
        let strange = of(&[(0, century_ms), (100, century_ms + 4), (200, century_ms)]);
        assert_eq!(strange.age(), None);
        assert!((strange.jitter().unwrap().std - 4.0).abs() < 1e-9);
        assert_eq!(of(&[(0, -5), (100, -5)]).age(), None, "published before it was taken");
    }

    #[test]
    fn recordings_do_not_reach_into_each_other() {
        let jump = of(&[(1000, 5), (1100, 5), (0, 500), (100, 500)]);
        assert!(jump.jitter().unwrap().std < 1e-9);
        let mut both = of(&[(0, 10), (100, 20)]);
        both.merge(&of(&[(200, 90), (300, 80)]));
        let jitter = both.jitter().unwrap();
        assert!((jitter.std - 10.0).abs() < 1e-9, "{jitter:?}");
        assert_eq!(of(&[(0, 10)]).jitter(), None);
    }
}
