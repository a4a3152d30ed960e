//! Plays one bag into the lanes.

use std::collections::BTreeMap;
use std::sync::mpsc::SyncSender;

use super::calibration::Overlay;
use super::lane::Feed;
use super::play_clock::PlayClock;
use super::routing::{Payload, Routes};
use super::{MessageFilter, Progress, ReplayError};
use crate::bag::{Bag, BagError, BagMessage, ReadFilter};
use crate::message::Stamp;
use crate::pipeline::InputKind;

/// How far before a section moving transforms and camera infos are looked for first. Transforms are
/// kept that long, and who publishes camera info more than once does so more often.
const LOOK_BACK_NS: i64 = 10_000_000_000;

/// Which part of a bag is played.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section {
    /// Log time of the first message wanted
    pub start: Stamp,
    /// Log time at which it ends; the bag's end is included when absent
    pub end: Option<Stamp>,
}

impl Section {
    /// `start_s` into `bag`, for `duration_s`. A section behind the end of the bag is an error.
    pub fn new(bag: &Bag, start_s: f64, duration_s: Option<f64>) -> Result<Self, ReplayError> {
        let info = bag.info();
        let start = info.start.offset_ns((start_s * 1e9) as i64);
        if start > info.end {
            return Err(ReplayError::StartBehindEnd {
                bag: bag.path().to_owned(),
                seconds: info.end.since_ns(info.start) as f64 / 1e9,
                found: start_s,
            });
        }
        Ok(Self { start, end: duration_s.map(|seconds| start.offset_ns((seconds * 1e9) as i64)) })
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

/// What came of playing a section.
#[derive(Debug, Default)]
pub(super) struct Played {
    /// Whether any message was read
    pub any: bool,
    /// What could not be read
    pub damages: Vec<BagError>,
    /// Seconds of recording up to the last message, and the seconds that they took; 0 without a clock
    pub paced_s: (f64, f64),
}

impl Played {
    /// Keeps `error` unless it is known: a file that is read twice tells its damage twice.
    fn note(&mut self, error: BagError) {
        let text = error.to_string();
        if self.damages.iter().all(|known| known.to_string() != text) {
            self.damages.push(error);
        }
    }
}

/// Plays sections of a bag.
pub(super) struct Player<'a, 'f> {
    /// The bag
    pub bag: &'a Bag,
    /// Which part of it
    pub section: Section,
    /// When messages are due; as soon as the lanes take them when absent
    pub clock: Option<&'a PlayClock>,
    /// Who gets the messages
    pub lanes: &'a [Entrance],
    /// What is put over the bag's own calibration
    pub overlay: Option<Overlay<'a>>,
    /// Who changes messages on their way
    pub filter: Option<&'f mut dyn MessageFilter>,
}

impl Player<'_, '_> {
    /// Feeds the messages of the section to the lanes, and before them what was logged earlier and
    /// still holds.
    pub fn play(mut self, progress: &mut dyn Progress) -> Result<Played, ReplayError> {
        let mut played = Played::default();
        let start = self.section.start;
        if let Some(filter) = &mut self.filter {
            let inputs: Vec<_> = self.lanes.iter().flat_map(|lane| lane.routes.inputs()).collect();
            filter.begin(self.bag, &inputs, (start, self.section.end)).map_err(ReplayError::Bag)?;
        }
        for input in self.overlay.iter().flat_map(Overlay::opening) {
            for lane in self.lanes {
                send(lane, Feed::Message(input.clone(), start))?;
            }
        }
        if start > self.bag.info().start {
            for message in self.held(&mut played) {
                self.deliver(message, start)?;
            }
        }
        let filter =
            ReadFilter { topics: Some(self.topics(|_| true)), start: Some(start), end: self.section.end };
        self.clock.inspect(|clock| clock.begin());
        for message in self.read(&filter, &mut played) {
            let message = match message {
                Ok(message) => message,
                Err(error) => {
                    played.note(error);
                    continue;
                }
            };
            let now = message.log_time;
            let elapsed_s = now.since_ns(start) as f64 / 1e9;
            if let Some(clock) = self.clock {
                std::thread::sleep(clock.due(now).saturating_sub(clock.elapsed()));
                played.paced_s = (elapsed_s, clock.elapsed().as_secs_f64());
            }
            played.any = true;
            progress.at(elapsed_s);
            self.deliver(message, now)?;
        }
        Ok(played)
    }

    /// Topics that feed an input of a wanted kind.
    fn topics(&self, wanted: impl Fn(InputKind) -> bool) -> Vec<usize> {
        let of_lane = |lane: &'_ Entrance| -> Vec<usize> {
            lane.routes
                .topics()
                .filter(|&topic| lane.routes.of(topic).iter().any(|kind| wanted(*kind)))
                .collect()
        };
        let mut topics: Vec<usize> = self.lanes.iter().flat_map(of_lane).collect();
        topics.sort_unstable();
        topics.dedup();
        topics
    }

    fn read(
        &self,
        filter: &ReadFilter,
        played: &mut Played,
    ) -> impl Iterator<Item = Result<BagMessage, BagError>> + use<> {
        let stream = self.bag.messages(filter);
        stream.map_err(|error| played.note(error)).ok().into_iter().flatten()
    }

    /// What was logged before the section and holds in it, in the order of the log: static transforms,
    /// moving ones of the last seconds, the newest camera info of each topic.
    fn held(&self, played: &mut Played) -> Vec<BagMessage> {
        let start = self.section.start;
        let mut held = Vec::new();
        let mut infos: BTreeMap<usize, BagMessage> = BTreeMap::new();
        let info_topics = self.topics(|kind| kind == InputKind::CameraInfo);
        let moving = self.topics(|kind| kind == InputKind::Transforms);
        let recent = start.offset_ns(-LOOK_BACK_NS);
        let passes = [
            (self.topics(InputKind::is_static), None, start),
            (moving.iter().chain(&info_topics).copied().collect(), Some(recent), start),
        ];
        for (topics, from, to) in passes {
            let filter = ReadFilter { topics: Some(topics), start: from, end: Some(to) };
            for message in self.read(&filter, played) {
                match message {
                    Ok(message) if info_topics.contains(&message.topic) => {
                        infos.insert(message.topic, message);
                    }
                    Ok(message) => held.push(message),
                    Err(error) => played.note(error),
                }
            }
        }
        // A camera info that was sent once, long ago.
        let unseen = info_topics.into_iter().filter(|topic| !infos.contains_key(topic)).collect::<Vec<_>>();
        if !unseen.is_empty() {
            let filter = ReadFilter { topics: Some(unseen), start: None, end: Some(recent) };
            for message in self.read(&filter, played) {
                match message {
                    Ok(message) => drop(infos.insert(message.topic, message)),
                    Err(error) => played.note(error),
                }
            }
        }
        held.extend(infos.into_values());
        held.sort_by_key(|message| message.log_time);
        held
    }

    /// Feeds one message to the lanes at `now`; those it is not for are told the time.
    fn deliver(&mut self, message: BagMessage, now: Stamp) -> Result<(), ReplayError> {
        let kinds: Vec<_> =
            self.lanes.iter().flat_map(|lane| lane.routes.of(message.topic)).copied().collect();
        let mut data = Some(message.data);
        if let Some(filter) = &mut self.filter {
            data = data.and_then(|data| filter.message(message.topic, data));
        }
        if let Some(overlay) = &mut self.overlay {
            data = data.and_then(|data| overlay.filter(&kinds, data));
        }
        let payload = data.map(|data| Payload::new(data, &kinds));
        for lane in self.lanes {
            let mut fed = false;
            for kind in lane.routes.of(message.topic) {
                let Some(input) = payload.as_ref().and_then(|payload| payload.input(*kind)) else { continue };
                if let (Some(overlay), Some(Payload::Big(image))) = (&self.overlay, &payload)
                    && let Some(info) = overlay.before(*kind, &image.0)
                {
                    send(lane, Feed::Message(info, now))?;
                }
                fed = true;
                send(lane, Feed::Message(input, now))?;
            }
            if !fed {
                send(lane, Feed::Tick(now))?;
            }
        }
        Ok(())
    }
}

fn send(lane: &Entrance, feed: Feed) -> Result<(), ReplayError> {
    lane.feed.send(feed).map_err(|_| ReplayError::Thread("pipeline"))
}
