//! Every frame accounted for, every stage timed.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::message::Stamp;
use crate::sync::DropReason;

/// Counts and latencies of one pipeline. `received = published + Σ dropped` once nothing is waiting.
#[derive(Clone, Debug, Default)]
pub struct Accounting {
    received: u64,
    published: u64,
    dropped: BTreeMap<&'static str, u64>,
    degraded: BTreeMap<String, u64>,
    problems: BTreeMap<String, Problem>,
    inputs: BTreeMap<String, InputCount>,
    latency: Times,
    stages: BTreeMap<&'static str, Times>,
    /// What each stage took last
    newest: Vec<(&'static str, Duration)>,
}

/// Messages of one input topic.
#[derive(Clone, Copy, Debug, Default)]
pub struct InputCount {
    /// Messages seen
    pub messages: u64,
    /// Stamp of the newest
    pub newest: Stamp,
}

/// A complaint about one source, kept once with how often it came.
#[derive(Clone, Debug, Default)]
pub struct Problem {
    /// How often
    pub count: u64,
    /// The newest wording, of data that could not be decoded if there were any
    pub message: String,
    /// Whether data could not be decoded (rather than being late or missing)
    pub undecodable: bool,
}

impl Problem {
    /// Counts more of it. Data that cannot be decoded are the cause of what is missing then, so their
    /// wording stays.
    fn add(&mut self, count: u64, message: String, undecodable: bool) {
        if undecodable || !self.undecodable {
            self.message = message;
        }
        self.count += count;
        self.undecodable |= undecodable;
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (×{})", self.message, self.count)
    }
}

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

/// Durations in microseconds with two significant digits, from 1 µs to an hour.
#[derive(Clone, Debug)]
struct Times(Option<Histogram<u32>>);

impl Default for Times {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, 3_600_000_000, 2).ok())
    }
}

impl Times {
    fn record(&mut self, time: Duration) {
        if let Some(histogram) = &mut self.0 {
            histogram.saturating_record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1));
        }
    }

    fn merge(&mut self, other: &Self) {
        if let (Some(mine), Some(theirs)) = (&mut self.0, &other.0) {
            // Both have the same bounds, so that adding cannot fail.
            let _ = mine.add(theirs);
        }
    }

    fn summary(&self) -> LatencySummary {
        let Some(histogram) = &self.0 else { return LatencySummary::default() };
        if histogram.is_empty() {
            return LatencySummary::default();
        }
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e3;
        LatencySummary {
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            max: histogram.max() as f64 / 1e3,
        }
    }
}

impl Accounting {
    /// A trigger came in.
    pub fn receive(&mut self) {
        self.received += 1;
    }

    /// A frame went out, `latency` after it was due to start.
    pub fn publish(&mut self, latency: Duration) {
        self.published += 1;
        self.latency.record(latency);
    }

    /// A frame did not go out.
    pub fn drop_frame(&mut self, reason: DropReason) {
        *self.dropped.entry(reason.as_str()).or_default() += 1;
    }

    /// A frame went out without something it could have had, such as `radar_0: no_transform`.
    pub fn degrade(&mut self, what: &str) {
        if let Some(count) = self.degraded.get_mut(what) {
            *count += 1;
        } else {
            self.degraded.insert(what.to_owned(), 1);
        }
    }

    /// Something is wrong with `source`; `true` when it is the first time, which is worth a log line.
    pub fn problem(&mut self, source: &str, message: String, undecodable: bool) -> bool {
        let problem = self.problems.entry(source.to_owned()).or_default();
        problem.add(1, message, undecodable);
        problem.count == 1
    }

    /// A message of input `topic` came in.
    pub fn input(&mut self, topic: &str, stamp: Stamp) {
        if let Some(count) = self.inputs.get_mut(topic) {
            count.messages += 1;
            count.newest = stamp;
        } else {
            self.inputs.insert(topic.to_owned(), InputCount { messages: 1, newest: stamp });
        }
    }

    /// One stage of one frame took `time`.
    pub fn stage(&mut self, stage: &'static str, time: Duration) {
        self.stages.entry(stage).or_default().record(time);
        match self.newest.iter_mut().find(|(name, _)| *name == stage) {
            Some((_, newest)) => *newest = time,
            None => self.newest.push((stage, time)),
        }
    }

    /// What `stage` took of the newest frame that it was timed for.
    pub fn newest(&self, stage: &str) -> Option<Duration> {
        self.newest.iter().find(|(name, _)| *name == stage).map(|(_, time)| *time)
    }

    /// Triggers received.
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// Frames published.
    pub const fn published(&self) -> u64 {
        self.published
    }

    /// Frames dropped, by reason.
    pub const fn dropped(&self) -> &BTreeMap<&'static str, u64> {
        &self.dropped
    }

    /// Frames published without something, by what.
    pub const fn degraded(&self) -> &BTreeMap<String, u64> {
        &self.degraded
    }

    /// Complaints by source.
    pub const fn problems(&self) -> &BTreeMap<String, Problem> {
        &self.problems
    }

    /// Messages by input topic.
    pub const fn inputs(&self) -> &BTreeMap<String, InputCount> {
        &self.inputs
    }

    /// Triggers that are neither published nor dropped yet.
    pub fn waiting(&self) -> u64 {
        self.received.saturating_sub(self.published + self.dropped.values().sum::<u64>())
    }

    /// Whether any input could not be decoded.
    pub fn has_undecodable(&self) -> bool {
        self.problems.values().any(|problem| problem.undecodable)
    }

    /// Latency of published frames.
    pub fn latency(&self) -> LatencySummary {
        self.latency.summary()
    }

    /// Time of each stage.
    pub fn stages(&self) -> impl Iterator<Item = (&'static str, LatencySummary)> {
        self.stages.iter().map(|(name, times)| (*name, times.summary()))
    }

    /// Adds what another run of the same pipeline counted.
    pub fn merge(&mut self, other: &Self) {
        self.received += other.received;
        self.published += other.published;
        for (reason, count) in &other.dropped {
            *self.dropped.entry(reason).or_default() += count;
        }
        for (what, count) in &other.degraded {
            *self.degraded.entry(what.clone()).or_default() += count;
        }
        for (source, problem) in &other.problems {
            let mine = self.problems.entry(source.clone()).or_default();
            mine.add(problem.count, problem.message.clone(), problem.undecodable);
        }
        for (topic, count) in &other.inputs {
            let mine = self.inputs.entry(topic.clone()).or_default();
            mine.messages += count.messages;
            mine.newest = mine.newest.max(count.newest);
        }
        self.latency.merge(&other.latency);
        for (stage, times) in &other.stages {
            self.stages.entry(stage).or_default().merge(times);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_counts_add_up() {
        let mut one = Accounting::default();
        one.receive();
        one.publish(Duration::from_millis(10));
        one.stage("inference", Duration::from_millis(8));
        let mut two = Accounting::default();
        two.receive();
        two.receive();
        two.drop_frame(DropReason::Superseded);
        assert_eq!(two.waiting(), 1);
        two.publish(Duration::from_millis(30));
        one.merge(&two);
        assert_eq!((one.received(), one.published(), one.waiting()), (3, 2, 0));
        assert_eq!(one.dropped().get(DropReason::Superseded.as_str()), Some(&1));
        let latency = one.latency();
        assert!((9.9..=10.2).contains(&latency.p50), "{latency:?}");
        assert!((29.0..=31.0).contains(&latency.max), "{latency:?}");
    }

    #[test]
    fn a_problem_is_worth_one_line() {
        let mut accounting = Accounting::default();
        assert!(accounting.problem("image", "step too short".into(), true));
        assert!(!accounting.problem("image", "step too short".into(), true));
        assert_eq!(accounting.problems()["image"].count, 2);
        assert!(accounting.has_undecodable());
        accounting.problem("image", "no camera info".into(), false);
        assert_eq!(accounting.problems()["image"].to_string(), "step too short (×3)");
    }
}
