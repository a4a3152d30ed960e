//! Durations as percentiles and as a distribution, in memory that does not grow with them.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Buckets of a [`Times::distribution`] for each doubling.
const BUCKETS_PER_DOUBLING: f64 = 4.0;

/// Milliseconds at the usual percentiles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LatencySummary {
    /// Median
    pub p50: f64,
    /// 90th percentile
    pub p90: f64,
    /// 95th percentile
    pub p95: f64,
    /// 99th percentile
    pub p99: f64,
    /// Largest
    pub max: f64,
}

/// How many durations are from `min_ms` up to but not including `max_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatencyBucket {
    /// Lower edge, milliseconds
    pub min_ms: f64,
    /// Upper edge, 2^¼ times the lower one
    pub max_ms: f64,
    /// How many
    pub frames: u64,
}

/// Durations in microseconds with two significant digits, from 1 µs to an hour.
#[derive(Clone, Debug)]
pub(super) struct Times(Option<Histogram<u32>>);

impl Default for Times {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, 3_600_000_000, 2).ok())
    }
}

impl Times {
    /// Adds one.
    pub fn record(&mut self, time: Duration) {
        if let Some(histogram) = &mut self.0 {
            histogram.saturating_record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1));
        }
    }

    /// Adds those of `other`.
    pub fn merge(&mut self, other: &Self) {
        if let (Some(mine), Some(theirs)) = (&mut self.0, &other.0) {
            // Both have the same bounds, so that adding cannot fail.
            let _ = mine.add(theirs);
        }
    }

    /// Percentiles; all 0 of none.
    pub fn summary(&self) -> LatencySummary {
        self.percentiles().unwrap_or_default()
    }

    /// Percentiles; `None` of none.
    pub fn percentiles(&self) -> Option<LatencySummary> {
        let histogram = self.0.as_ref().filter(|histogram| !histogram.is_empty())?;
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e3;
        Some(LatencySummary {
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            max: histogram.max() as f64 / 1e3,
        })
    }

    /// Four buckets a doubling, from the first that holds any to the last, those between without any included;
    /// their edges are 2^(n/4) ms.
    pub fn distribution(&self) -> Vec<LatencyBucket> {
        let Some(histogram) = &self.0 else { return Vec::new() };
        let edge_ms = |index: i32| (f64::from(index) / BUCKETS_PER_DOUBLING).exp2();
        let mut buckets: Vec<LatencyBucket> = Vec::new();
        let mut last = 0;
        for step in histogram.iter_recorded() {
            let ms = step.value_iterated_to() as f64 / 1e3;
            let index = (ms.log2() * BUCKETS_PER_DOUBLING).floor() as i32;
            if buckets.is_empty() {
                last = index - 1;
            }
            while last < index {
                last += 1;
                buckets.push(LatencyBucket { min_ms: edge_ms(last), max_ms: edge_ms(last + 1), frames: 0 });
            }
            if let Some(bucket) = buckets.last_mut() {
                bucket.frames += step.count_since_last_iteration();
            }
        }
        buckets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(ms: &[f64]) -> Times {
        let mut times = Times::default();
        for ms in ms {
            times.record(Duration::from_secs_f64(ms / 1e3));
        }
        times
    }

    #[test]
    fn the_distribution_holds_every_duration_once_and_in_its_bucket() {
        let ms: Vec<f64> = (1..2000).map(|i| f64::from(i * i % 977 + 1) * 0.37).collect();
        let buckets = times(&ms).distribution();
        assert_eq!(buckets.iter().map(|bucket| bucket.frames).sum::<u64>(), 1999);
        for pair in buckets.windows(2) {
            assert_eq!(pair[0].max_ms, pair[1].min_ms);
            assert!((pair[0].max_ms / pair[0].min_ms - 2_f64.powf(0.25)).abs() < 1e-12);
        }
        // Two significant digits: a duration may be off by 1 %, no more.
        for bucket in &buckets {
            let inside = |slack: f64| {
                let (min, max) = (bucket.min_ms * (1.0 + slack), bucket.max_ms * (1.0 - slack));
                ms.iter().filter(|ms| (min..max).contains(*ms)).count() as u64
            };
            assert!((inside(0.01)..=inside(-0.01)).contains(&bucket.frames), "{bucket:?}");
        }
        assert!(buckets.first().unwrap().frames > 0 && buckets.last().unwrap().frames > 0);
        assert!(times(&[]).distribution().is_empty());
    }

    #[test]
    fn what_is_out_of_bounds_stays_few_buckets() {
        let buckets = times(&[0.0, 1e12]).distribution();
        assert!(buckets.len() < 140, "{}", buckets.len());
        assert_eq!(buckets.iter().map(|bucket| bucket.frames).sum::<u64>(), 2);
    }

    #[test]
    fn nothing_has_no_percentiles() {
        assert_eq!(times(&[]).percentiles(), None);
        assert_eq!(times(&[]).summary(), LatencySummary::default());
        let p50 = times(&[10.0, 20.0, 30.0]).percentiles().unwrap().p50;
        assert!((19.8..20.2).contains(&p50), "{p50}");
    }
}
