//! Plays one bag into the lanes.

use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use super::lane::Feed;
use super::routing::{Payload, Routes};
use super::{Progress, Rate, ReplayError};
use crate::bag::{Bag, BagError, ReadFilter};
use crate::message::Stamp;

/// Which part of a bag is played.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section {
    /// Log time of the first message wanted
    pub start: Stamp,
    /// Log time at which it ends; the bag's end is included when absent
    pub end: Option<Stamp>,
}

impl Section {
    /// `start_s` into `bag`, for `duration_s`.
    pub fn new(bag: &Bag, start_s: f64, duration_s: Option<f64>) -> Self {
        let start = bag.info().start.offset_ns((start_s * 1e9) as i64);
        Self { start, end: duration_s.map(|seconds| start.offset_ns((seconds * 1e9) as i64)) }
    }

    /// Seconds of recording in it.
    pub fn seconds(&self, bag: &Bag) -> f64 {
        let end = self.end.map_or(bag.info().end, |end| end.min(bag.info().end));
        end.since_ns(self.start).max(0) as f64 / 1e9
    }
}

/// A lane's entrance and what it takes.
pub(super) struct Entrance {
    /// Its topics
    pub routes: Routes,
    /// Its channel
    pub feed: SyncSender<Feed>,
}

/// Feeds the messages of a section to the lanes. Damage in the bag ends it and is returned, beside
/// whether any message came before it.
pub(super) fn play(
    bag: &Bag,
    section: Section,
    rate: Rate,
    lanes: &[Entrance],
    progress: &mut dyn Progress,
) -> Result<Option<(BagError, bool)>, ReplayError> {
    // Transforms that hold for the whole recording are often logged once, before the section.
    let mut topics: Vec<usize> = lanes.iter().flat_map(|lane| lane.routes.topics()).collect();
    topics.sort_unstable();
    topics.dedup();
    let filter = ReadFilter { topics: Some(topics), start: None, end: section.end };
    let stream = match bag.messages(&filter) {
        Ok(stream) => stream,
        Err(error) => return Ok(Some((error, false))),
    };
    let begin = Instant::now();
    let mut any = false;
    for message in stream {
        let message = match message {
            Ok(message) => message,
            Err(error) => return Ok(Some((error, any))),
        };
        let now = message.log_time;
        let early = now < section.start;
        let kinds: Vec<_> = lanes.iter().flat_map(|lane| lane.routes.of(message.topic)).copied().collect();
        if early && !kinds.iter().all(|kind| kind.is_static()) {
            continue;
        }
        let elapsed_s = now.since_ns(section.start).max(0) as f64 / 1e9;
        if let Rate::Times(factor) = rate {
            let due = Duration::try_from_secs_f64(elapsed_s / factor).unwrap_or(Duration::MAX);
            std::thread::sleep(due.saturating_sub(begin.elapsed()));
        }
        any = true;
        progress.at(elapsed_s);
        let now = now.max(section.start);
        let payload = Payload::new(message.data, &kinds);
        for lane in lanes {
            let mut fed = false;
            for kind in lane.routes.of(message.topic) {
                if let Some(input) = payload.input(*kind) {
                    fed = true;
                    lane.feed.send(Feed::Message(input, now)).map_err(|_| ReplayError::Thread("pipeline"))?;
                }
            }
            if !fed {
                lane.feed.send(Feed::Tick(now)).map_err(|_| ReplayError::Thread("pipeline"))?;
            }
        }
    }
    Ok(None)
}
