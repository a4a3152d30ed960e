//! What became of each frame, one by one.

use std::collections::VecDeque;
use std::time::Duration;

use super::Stage;
use crate::depth::RadarInfluence;
use crate::message::Stamp;
use crate::sync::DropReason;

/// One image or sweep that was received.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameAccount {
    /// Its stamp; 0 where it could not be read
    pub stamp: Stamp,
    /// When it came in: `now` of the intake, which is the log time in replay
    pub arrival: Stamp,
    /// What became of it
    pub fate: FrameFate,
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FrameFate {
    /// It was published
    Published {
        /// From its start to its outputs
        latency: Duration,
        /// The stages it went through, in the order of [`Stage::ALL`]
        stages: [Option<Duration>; Stage::COUNT],
        /// From the stamp to its publication, nanoseconds, where there is a clock to tell
        age_ns: Option<i64>,
        /// What the radar did to it, where that is told
        radar: Option<RadarInfluence>,
    },
    /// It was not
    Dropped(DropReason),
}

/// Frames that are under way, and those that are through and wait to be taken.
#[derive(Clone, Debug, Default)]
pub(super) struct FrameLog {
    open: VecDeque<(Stamp, Stamp)>,
    closed: Vec<FrameAccount>,
    /// Of the frame that is computed
    stages: [Option<Duration>; Stage::COUNT],
    age_ns: Option<i64>,
    radar: Option<RadarInfluence>,
}

impl FrameLog {
    /// A frame came in.
    pub fn open(&mut self, stamp: Stamp, arrival: Stamp) {
        self.open.push_back((stamp, arrival));
    }

    /// When the frame under way with `stamp` came in; of several the newest.
    pub fn arrival(&self, stamp: Stamp) -> Option<Stamp> {
        self.open.iter().rev().find(|(of, _)| *of == stamp).map(|(_, arrival)| *arrival)
    }

    /// A stage of the frame that is computed.
    pub fn stage(&mut self, stage: Stage, time: Duration) {
        if let Some(slot) = Stage::ALL.iter().position(|of| *of == stage).and_then(|i| self.stages.get_mut(i))
        {
            *slot = Some(time);
        }
    }

    /// The age of the frame that is computed.
    pub fn age(&mut self, age_ns: i64) {
        self.age_ns = Some(age_ns);
    }

    /// What the radar did to the frame that is computed.
    pub fn radar(&mut self, influence: RadarInfluence) {
        self.radar = Some(influence);
    }

    /// The frame that was computed is published.
    pub fn publish(&mut self, stamp: Stamp, latency: Duration) {
        let (stages, age_ns) = (std::mem::take(&mut self.stages), self.age_ns.take());
        let radar = self.radar.take();
        self.close(stamp, FrameFate::Published { latency, stages, age_ns, radar });
    }

    /// A frame is dropped.
    pub fn drop_frame(&mut self, stamp: Stamp, reason: DropReason) {
        self.close(stamp, FrameFate::Dropped(reason));
    }

    /// Of two frames with one stamp the newer is closed first: that is the one that is refused as a duplicate.
    fn close(&mut self, stamp: Stamp, fate: FrameFate) {
        let place = self.open.iter().rposition(|(of, _)| *of == stamp);
        let arrival = place.and_then(|place| self.open.remove(place)).map_or(stamp, |(_, arrival)| arrival);
        self.closed.push(FrameAccount { stamp, arrival, fate });
    }

    /// The stages of the last frame and what the radar did to it, if it was published and is not taken yet.
    pub fn newest(&self) -> ([Option<Duration>; Stage::COUNT], Option<RadarInfluence>) {
        match self.closed.last().map(|frame| frame.fate) {
            Some(FrameFate::Published { stages, radar, .. }) => (stages, radar),
            _ => ([None; Stage::COUNT], None),
        }
    }

    /// The frames that are through since the last call, in the order in which they got there.
    pub fn take(&mut self) -> Vec<FrameAccount> {
        std::mem::take(&mut self.closed)
    }
}
