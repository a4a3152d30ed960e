//! The highest rate at which this machine keeps up with a recording.
//!
//! The recording is played several times, each as `--rate <x>` does, until two rates are known that are near each
//! other: one at which hardly a frame is late, and one at which frames are, or at which the recording cannot be
//! read as fast.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::{Outcome, Progress, Rate, ReplayError, ReplayOptions, RunSummary, replay};
use crate::bag::OutFolder;
use crate::sync::DropReason;

/// Most plays.
const PLAYS: usize = 10;
/// Seconds that a play takes at most, loading aside.
const PLAY_S: f64 = 15.0;
/// Share of a node's frames that may not be reached by those dropped for a newer one.
const LATE_SHARE: f64 = 0.01;
/// Rates whose quotient is below this are near enough.
const NEAR: f64 = 1.05;
/// Share of the rate asked for that messages must have come at.
const PACE: f64 = 0.95;
/// Folder in that of the results that plays write to.
const PLAY_FOLDER: &str = "play";

/// What one play showed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RateTrial {
    /// How many times real time was asked for
    pub rate: f64,
    /// How many times real time the messages came
    pub rate_reached: f64,
    /// Seconds of recording that were played
    pub bag_s: f64,
    /// By node
    pub nodes: BTreeMap<&'static str, NodeTrial>,
    /// Whether less than 1 % of each node's frames were late, and messages came as fast as they should
    pub keeps_up: bool,
}

/// What one play showed of one node.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct NodeTrial {
    /// Images or sweeps
    pub received: u64,
    /// Those that were dropped for a newer one
    pub late: u64,
    /// Images or sweeps for each second of the play
    pub frames_per_s: f64,
}

impl NodeTrial {
    fn is_late(&self) -> bool {
        self.late > 0 && self.late as f64 >= LATE_SHARE * self.received as f64
    }
}

impl RateTrial {
    /// From what a replay at `rate` tells.
    fn new(rate: f64, summary: &RunSummary) -> Self {
        let rate_reached = summary.rate_reached.unwrap_or(rate);
        let node = |node: &super::NodeSummary| NodeTrial {
            received: node.received,
            late: node.dropped.get(DropReason::Superseded.as_str()).copied().unwrap_or(0),
            frames_per_s: node.received as f64 * rate_reached / summary.bag_s.max(1e-9),
        };
        let nodes: BTreeMap<_, _> =
            summary.nodes.iter().map(|(name, counts)| (*name, node(counts))).collect();
        let keeps_up = rate_reached >= PACE * rate && !nodes.values().any(NodeTrial::is_late);
        Self { rate, rate_reached, bag_s: summary.bag_s, nodes, keeps_up }
    }

    /// Whether any node dropped too many frames for newer ones.
    pub fn is_late(&self) -> bool {
        self.nodes.values().any(NodeTrial::is_late)
    }
}

/// What stands against a higher rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RateLimit {
    /// Frames are late
    Drops,
    /// The recording is not read as fast
    Reading,
    /// Nothing that was seen: the search ended before
    Unknown,
}

/// What came of a search.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RateSearch {
    /// The highest rate, times real time, at which the machine kept up; absent where it did at none
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Images or sweeps a second then, by node
    pub frames_per_s: BTreeMap<&'static str, f64>,
    /// What stands against a higher rate
    pub limited_by: RateLimit,
    /// All plays, in their order
    pub trials: Vec<RateTrial>,
}

impl RateSearch {
    /// Plays at 1, doubles or halves until the machine ceases or begins to keep up, and bisects from there.
    fn of<E>(mut play: impl FnMut(f64) -> Result<RateTrial, E>) -> Result<Self, E> {
        let mut trials: Vec<RateTrial> = Vec::new();
        let (mut low, mut high): (Option<usize>, Option<usize>) = (None, None);
        let mut rate = 1.0;
        while trials.len() < PLAYS {
            let trial = play(rate)?;
            *(if trial.keeps_up { &mut low } else { &mut high }) = Some(trials.len());
            trials.push(trial);
            let rate_of = |index: Option<usize>| index.and_then(|index| trials.get(index)).map(|of| of.rate);
            rate = match (rate_of(low), rate_of(high)) {
                (Some(low), Some(high)) if high < NEAR * low => break,
                (Some(low), Some(high)) => (low * high).sqrt(),
                (Some(low), None) => 2.0 * low,
                (None, Some(high)) => 0.5 * high,
                (None, None) => break,
            };
        }
        let best = low.and_then(|index| trials.get(index));
        let limited_by = match high.and_then(|index| trials.get(index)) {
            Some(trial) if trial.is_late() => RateLimit::Drops,
            Some(_) => RateLimit::Reading,
            None => RateLimit::Unknown,
        };
        Ok(Self {
            rate: best.map(|trial| trial.rate),
            frames_per_s: best
                .map(|trial| trial.nodes.iter().map(|(name, node)| (*name, node.frames_per_s)).collect())
                .unwrap_or_default(),
            limited_by,
            trials,
        })
    }
}

/// Searches for the highest rate at which less than 1 % of the frames of each node are dropped for newer ones, over
/// the beginning of what `options` names; their rate is not looked at. What the play at that rate wrote is in the
/// folder of the results in the end, or what the slowest play wrote if none kept up; its summary has
/// [`RunSummary::rate_search`].
pub fn search_rate(options: &ReplayOptions, progress: &mut dyn Progress) -> Result<Outcome, ReplayError> {
    let refuse = |name, expected, found: String| Err(ReplayError::Option { name, expected, found });
    if options.bags.len() != 1 {
        return refuse("--rate search", "one bag", options.bags.len().to_string());
    }
    if options.resume {
        return refuse("--rate search", "a new --out", "--resume".to_owned());
    }
    OutFolder::check(&options.out)?;
    let folder = OutFolder::create(&options.out, &[])?;
    let play_folder = options.out.join(PLAY_FOLDER);
    let mut kept = None;
    let mut keeps_up = false;
    let search = RateSearch::of(|rate| {
        let play = ReplayOptions {
            out: play_folder.clone(),
            rate: Rate::Times(rate),
            duration_s: Some(options.duration_s.unwrap_or(f64::INFINITY).min(PLAY_S * rate)),
            ..options.clone()
        };
        let Outcome::Replayed { summary, unreadable } = replay(&play, progress)? else {
            return Err(ReplayError::Thread("search"));
        };
        let trial = RateTrial::new(rate, &summary);
        progress.trial(&trial);
        if trial.keeps_up || !keeps_up {
            move_files(&play_folder, &options.out)?;
            kept = Some((summary, unreadable));
            keeps_up = trial.keeps_up;
        }
        std::fs::remove_dir_all(&play_folder).map_err(|error| cannot_write(&play_folder, &error))?;
        Ok::<_, ReplayError>(trial)
    })?;
    let Some((mut summary, unreadable)) = kept else { return Err(ReplayError::Thread("search")) };
    summary.rate_search = Some(search);
    write_summary(&options.out, &summary)?;
    folder.keep();
    Ok(Outcome::Replayed { summary, unreadable })
}

/// Written beside and renamed, so that a `run.json` is always whole.
fn write_summary(out: &Path, summary: &RunSummary) -> Result<(), ReplayError> {
    let path = out.join("run.json");
    let text = serde_json::to_string_pretty(summary).map_err(|error| ReplayError::write(&path, &error))?;
    let partial = out.join("run.json.partial");
    std::fs::write(&partial, text + "\n").map_err(|error| cannot_write(&partial, &error))?;
    std::fs::rename(&partial, &path).map_err(|error| cannot_write(&path, &error))
}

/// Moves what is in a folder into another of the same file system, over what is called the same there.
fn move_files(from: &Path, to: &Path) -> Result<(), ReplayError> {
    for entry in std::fs::read_dir(from).map_err(|error| cannot_write(from, &error))? {
        let name = entry.map_err(|error| cannot_write(from, &error))?.file_name();
        let target = to.join(&name);
        std::fs::rename(from.join(&name), &target).map_err(|error| cannot_write(&target, &error))?;
    }
    Ok(())
}

fn cannot_write(path: &Path, error: &std::io::Error) -> ReplayError {
    ReplayError::Write { path: path.to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// A machine that keeps up with `capacity` frames a second of a 10 Hz sensor and reads at most `reads` times
    /// real time.
    fn machine(capacity: f64, reads: f64) -> impl FnMut(f64) -> Result<RateTrial, Infallible> {
        move |rate| {
            let rate_reached = rate.min(reads);
            let frames_per_s = 10.0 * rate_reached;
            let late_share = (1.0 - capacity / frames_per_s).max(0.0);
            let node = NodeTrial { received: 1000, late: (1000.0 * late_share) as u64, frames_per_s };
            let nodes = BTreeMap::from([("depth", node)]);
            let keeps_up = rate_reached >= PACE * rate && !node.is_late();
            Ok(RateTrial { rate, rate_reached, bag_s: 100.0, nodes, keeps_up })
        }
    }

    fn search(capacity: f64, reads: f64) -> RateSearch {
        let Ok(search) = RateSearch::of(machine(capacity, reads));
        search
    }

    #[test]
    fn the_rate_found_is_just_below_what_the_machine_can_do() {
        for capacity in [0.7, 3.0, 9.9, 10.0, 33.0, 78.0, 300.0] {
            let found = search(capacity, f64::INFINITY);
            let rate = found.rate.unwrap();
            // Up to 1 % of the frames may be late.
            let most = capacity / 10.0 / (1.0 - LATE_SHARE);
            assert!(rate < most && rate > most / 1.1, "{capacity}: {rate}");
            assert!(found.trials.len() <= PLAYS);
            assert_eq!(found.limited_by, RateLimit::Drops);
            assert!((found.frames_per_s["depth"] - 10.0 * rate).abs() < 1e-9);
        }
    }

    #[test]
    fn a_recording_that_is_read_slowly_does_not_pass_for_a_fast_machine() {
        let found = search(500.0, 7.0);
        assert!((6.3..=7.4).contains(&found.rate.unwrap()), "{:?}", found.rate);
        assert_eq!(found.limited_by, RateLimit::Reading);
    }

    #[test]
    fn a_search_ends_whatever_the_machine_does() {
        let none = search(1e-6, f64::INFINITY);
        assert_eq!((none.rate, none.trials.len()), (None, PLAYS));
        assert!(none.frames_per_s.is_empty());
        let all = search(1e9, f64::INFINITY);
        assert_eq!((all.rate, all.limited_by), (Some(512.0), RateLimit::Unknown));
        let mut count = 0;
        let mut steady = machine(35.0, f64::INFINITY);
        let Ok(noisy) = RateSearch::of(|rate| {
            count += 1;
            steady(if count % 2 == 0 { 2.0 * rate } else { rate }).map(|trial| RateTrial { rate, ..trial })
        });
        assert!(noisy.trials.len() <= PLAYS && noisy.rate.is_some());
    }

    #[test]
    fn one_late_frame_of_few_is_too_many() {
        let node = |received, late| NodeTrial { received, late, frames_per_s: 10.0 };
        assert!(!node(0, 0).is_late() && !node(50, 0).is_late() && !node(101, 1).is_late());
        assert!(node(50, 1).is_late() && node(100, 1).is_late());
    }
}
