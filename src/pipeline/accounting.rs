//! Every frame accounted for, every stage timed.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::frame_log::{FrameAccount, FrameLog};
use super::influence_sums::InfluenceSums;
use super::punctuality::{JitterSummary, Punctuality};
use super::times::Times;
use super::{LatencyBucket, LatencySummary, Stage};
use crate::depth::RadarInfluence;
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
    stages: BTreeMap<Stage, Times>,
    punctuality: Punctuality,
    budget: Option<Duration>,
    over_budget: u64,
    radar: InfluenceSums,
    frames: Option<FrameLog>,
    quiet: bool,
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

impl Accounting {
    /// An account that also tells frame by frame what became of them, to be taken with
    /// [`Accounting::take_frames`], and counts those whose latency is above `budget`.
    pub fn frame_by_frame(budget: Option<Duration>) -> Self {
        Self { budget, frames: Some(FrameLog::default()), ..Self::default() }
    }

    /// Problems are counted and not worth a log line from here on: somebody makes them.
    pub const fn keep_quiet(&mut self) {
        self.quiet = true;
    }

    /// A trigger with `stamp` (0 if that cannot be read) came in at `now`.
    pub fn receive(&mut self, stamp: Stamp, now: Stamp) {
        self.received += 1;
        if let Some(frames) = &mut self.frames {
            frames.open(stamp, now);
        }
    }

    /// When the frame with `stamp`, which is neither published nor dropped, came in; `None` where frames are
    /// only counted.
    pub fn arrival(&self, stamp: Stamp) -> Option<Stamp> {
        self.frames.as_ref()?.arrival(stamp)
    }

    /// The frame with `stamp`, about to be published, is `age_ns` older than its stamp then.
    pub fn age(&mut self, stamp: Stamp, age_ns: i64) {
        self.punctuality.publish(stamp, age_ns);
        if let Some(frames) = &mut self.frames {
            frames.age(age_ns);
        }
    }

    /// The frame with `stamp` went out, `latency` after it was due to start.
    pub fn publish(&mut self, stamp: Stamp, latency: Duration) {
        self.published += 1;
        self.latency.record(latency);
        self.over_budget += u64::from(self.budget.is_some_and(|budget| latency > budget));
        if let Some(frames) = &mut self.frames {
            frames.publish(stamp, latency);
        }
    }

    /// The frame with `stamp` (0 if that cannot be read) did not go out.
    pub fn drop_frame(&mut self, stamp: Stamp, reason: DropReason) {
        *self.dropped.entry(reason.as_str()).or_default() += 1;
        if let Some(frames) = &mut self.frames {
            frames.drop_frame(stamp, reason);
        }
    }

    /// What became of the frames that are through since the last call, in the order in which they got there;
    /// nothing where they are only counted.
    pub fn take_frames(&mut self) -> Vec<FrameAccount> {
        self.frames.as_mut().map(FrameLog::take).unwrap_or_default()
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
        problem.count == 1 && !self.quiet
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
    pub fn stage(&mut self, stage: Stage, time: Duration) {
        self.stages.entry(stage).or_default().record(time);
        if let Some(frames) = &mut self.frames {
            frames.stage(stage, time);
        }
    }

    /// What the radar did to the frame that is computed.
    pub fn radar(&mut self, influence: RadarInfluence) {
        self.radar.add(&influence);
        if let Some(frames) = &mut self.frames {
            frames.radar(influence);
        }
    }

    /// The stages of the frame that was published last, in the order of [`Stage::ALL`], and what the radar did to
    /// it; none where frames are only counted.
    pub fn newest(&self) -> ([Option<Duration>; Stage::COUNT], Option<RadarInfluence>) {
        self.frames.as_ref().map(FrameLog::newest).unwrap_or_default()
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

    /// How the latency of published frames is distributed.
    pub fn latency_distribution(&self) -> Vec<LatencyBucket> {
        self.latency.distribution()
    }

    /// Time of each stage, in their order.
    pub fn stages(&self) -> impl Iterator<Item = (&'static str, LatencySummary)> {
        self.stages.iter().map(|(stage, times)| (stage.as_str(), times.summary()))
    }

    /// Age of published frames; `None` where no clock told it.
    pub fn age_summary(&self) -> Option<LatencySummary> {
        self.punctuality.age()
    }

    /// How unevenly frames are published; `None` where no clock told it.
    pub fn jitter(&self) -> Option<JitterSummary> {
        self.punctuality.jitter()
    }

    /// The budget, and how many published frames took longer; `None` where there is no budget.
    pub fn budget(&self) -> Option<(Duration, u64)> {
        self.budget.map(|budget| (budget, self.over_budget))
    }

    /// What the radar did to all frames.
    pub const fn radar_influence(&self) -> &InfluenceSums {
        &self.radar
    }

    /// Adds what another run of the same pipeline counted; frames one by one stay there.
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
        self.punctuality.merge(&other.punctuality);
        self.budget = self.budget.or(other.budget);
        self.over_budget += other.over_budget;
        self.radar.merge(&other.radar);
        for (stage, times) in &other.stages {
            self.stages.entry(*stage).or_default().merge(times);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::FrameFate;

    #[test]
    fn merged_counts_add_up() {
        let mut one = Accounting::default();
        one.receive(Stamp(1), Stamp(1));
        one.stage(Stage::Inference, Duration::from_millis(8));
        one.publish(Stamp(1), Duration::from_millis(10));
        let mut two = Accounting::default();
        two.receive(Stamp(1), Stamp(1));
        two.receive(Stamp(2), Stamp(2));
        two.drop_frame(Stamp(1), DropReason::Superseded);
        assert_eq!(two.waiting(), 1);
        two.publish(Stamp(2), Duration::from_millis(30));
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
        accounting.keep_quiet();
        assert!(!accounting.problem("radar", "blind".into(), false), "nobody is told");
        assert_eq!(accounting.problems()["radar"].count, 1);
        assert!(accounting.has_undecodable());
        accounting.problem("image", "no camera info".into(), false);
        assert_eq!(accounting.problems()["image"].to_string(), "step too short (×3)");
    }

    #[test]
    fn frames_are_told_one_by_one_with_what_is_theirs() {
        let ms = Duration::from_millis;
        let mut account = Accounting::frame_by_frame(Some(ms(15)));
        account.receive(Stamp(10), Stamp(11));
        account.receive(Stamp(20), Stamp(21));
        account.drop_frame(Stamp(10), DropReason::Superseded);
        account.receive(Stamp(20), Stamp(25));
        account.drop_frame(Stamp(20), DropReason::OutOfOrder);
        assert_eq!(account.arrival(Stamp(20)), Some(Stamp(21)), "the older of the two is still under way");
        account.stage(Stage::Inference, ms(8));
        account.age(Stamp(20), 40);
        account.publish(Stamp(20), ms(10));
        account.receive(Stamp(30), Stamp(31));
        let influence = RadarInfluence { returns: 7, agreement: Some(0.5), ..RadarInfluence::default() };
        account.radar(influence);
        account.publish(Stamp(30), ms(16));
        assert_eq!(account.newest(), ([None; Stage::COUNT], Some(influence)));
        let told = account.take_frames();
        let stamps =
            |of: fn(&FrameAccount) -> Stamp| told.iter().map(|frame| of(frame).0).collect::<Vec<_>>();
        assert_eq!(stamps(|frame| frame.stamp), [10, 20, 20, 30]);
        assert_eq!(stamps(|frame| frame.arrival), [11, 25, 21, 31]);
        assert_eq!(told[1].fate, FrameFate::Dropped(DropReason::OutOfOrder));
        let stages = [None, None, Some(ms(8)), None, None];
        assert_eq!(
            told[2].fate,
            FrameFate::Published { latency: ms(10), stages, age_ns: Some(40), radar: None }
        );
        let stages = [None; Stage::COUNT];
        assert_eq!(
            told[3].fate,
            FrameFate::Published { latency: ms(16), stages, age_ns: None, radar: Some(influence) }
        );
        assert!(account.take_frames().is_empty());
        assert_eq!(account.budget(), Some((ms(15), 1)));
    }

    #[test]
    fn the_budget_outlives_merging_and_a_frame_on_time_is_within_it() {
        let ms = Duration::from_millis;
        let mut total = Accounting::default();
        for latencies in [[5, 20], [21, 30]] {
            let mut account = Accounting::frame_by_frame(Some(ms(20)));
            for latency in latencies {
                account.publish(Stamp(1), ms(latency));
            }
            total.merge(&account);
        }
        assert_eq!(total.budget(), Some((ms(20), 2)));
        assert_eq!(Accounting::default().budget(), None);
        assert_eq!(total.latency_distribution().iter().map(|bucket| bucket.frames).sum::<u64>(), 4);
    }
}
