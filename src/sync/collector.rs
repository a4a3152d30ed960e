//! Camera-triggered collection of one image and the nearest message of each radar.
//!
//! - The stamp of an image is the trigger. A radar's stamp is corrected by its offset first.
//! - Of each radar the message nearest to the trigger within that radar's window belongs to the frame;
//!   of two equally near ones the older.
//! - The oldest waiting image is ready when the nearest message of every radar worth waiting for is
//!   certain, which it is once that radar has a message at or after the trigger, or when the timeout
//!   since the image's arrival is over. Worth waiting for is a radar heard from in the last second,
//!   or one never heard from while the collector is younger than the start-up time, unless it was
//!   absent from the last three frames: then it is back with a message that some frame could use.
//! - An image not newer than the last one is dropped; when it is more than a second older, time has
//!   jumped (a bag that loops, a simulation that restarts): all waiting images are dropped and
//!   collection starts anew with it. `now` going back by more than a second means the same.
//! - A full collector drops its oldest waiting image in favour of the new one.
//!
//! Every image offered comes out exactly once: in a frame or with a reason.

use std::collections::VecDeque;

use super::DropReason;
use crate::message::Stamp;

/// The most radars one camera is fused with.
pub const MAX_RADARS: usize = 4;
/// The most messages kept of one radar.
const HISTORY: usize = 64;
/// A step back further than this is a restart, not reordering.
const JUMP_NS: i64 = 1_000_000_000;
/// A radar silent for longer is not waited for.
const ALIVE_NS: i64 = 1_000_000_000;
/// A radar absent from so many frames in a row is not waited for.
const MAX_ABSENCES: u32 = 3;
/// How long after the start a radar never heard from is waited for.
const STARTUP_NS: i64 = 3_000_000_000;
/// Radar messages are kept this much longer than window and timeout ask, for images that arrive late.
const LATE_IMAGE_NS: i64 = 1_000_000_000;

/// What a [`Collector`] waits for and how long.
#[derive(Clone, Debug)]
pub struct CollectorConfig {
    /// How many radars belong to a frame, at most [`MAX_RADARS`]; more are taken as that.
    pub radars: usize,
    /// Largest distance between the trigger and each radar's corrected stamp.
    pub window_ns: [i64; MAX_RADARS],
    /// Longest time an image waits for radars after it arrived.
    pub timeout_ns: i64,
    /// Added to each radar's stamps: its clock's or driver's delay, negated.
    pub radar_offset_ns: [i64; MAX_RADARS],
    /// How many images may wait: 1 keeps the latest; 0 is taken as 1.
    pub pending: usize,
}

/// What belongs together.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameSet<I, R> {
    /// The trigger: the image's stamp.
    pub stamp: Stamp,
    /// The image's payload.
    pub image: I,
    /// Each radar's corrected stamp and payload, `None` where it had none in the window.
    pub radars: [Option<(Stamp, R)>; MAX_RADARS],
}

#[derive(Debug)]
struct Waiting<I> {
    stamp: Stamp,
    image: I,
    arrival: Stamp,
}

#[derive(Debug)]
struct Radar<R> {
    /// Ascending by corrected stamp.
    history: VecDeque<(Stamp, R)>,
    heard: Option<Stamp>,
    /// Frames in a row without it, since a message that could have been in one
    absences: u32,
}

/// The state machine; see the module for its rules.
#[derive(Debug)]
pub struct Collector<I, R> {
    config: CollectorConfig,
    waiting: VecDeque<Waiting<I>>,
    dropped: VecDeque<(Stamp, I, DropReason)>,
    radars: [Radar<R>; MAX_RADARS],
    last_trigger: Option<Stamp>,
    started: Option<Stamp>,
    now: Stamp,
    jump: Option<(Stamp, Stamp)>,
}

impl<I, R: Clone> Collector<I, R> {
    /// An empty collector. Negative window and timeout are taken as 0.
    pub fn new(mut config: CollectorConfig) -> Self {
        config.radars = config.radars.min(MAX_RADARS);
        config.pending = config.pending.max(1);
        config.window_ns = config.window_ns.map(|window_ns| window_ns.max(0));
        config.timeout_ns = config.timeout_ns.max(0);
        Self {
            config,
            waiting: VecDeque::new(),
            dropped: VecDeque::new(),
            radars: std::array::from_fn(|_| Radar { history: VecDeque::new(), heard: None, absences: 0 }),
            last_trigger: None,
            started: None,
            now: Stamp(0),
            jump: None,
        }
    }

    /// Changes windows, timeout and offsets for what waits and what comes; the numbers of radars and of
    /// waiting images stay. Negative windows and timeout are taken as 0.
    pub fn retime(
        &mut self,
        window_ns: [i64; MAX_RADARS],
        timeout_ns: i64,
        radar_offset_ns: [i64; MAX_RADARS],
    ) {
        self.config.window_ns = window_ns.map(|window_ns| window_ns.max(0));
        self.config.timeout_ns = timeout_ns.max(0);
        let offsets = self.config.radar_offset_ns.iter_mut().zip(radar_offset_ns);
        for (radar, (offset, new)) in self.radars.iter_mut().zip(offsets) {
            // All by the same amount, so that the order stays.
            for (stamp, _) in &mut radar.history {
                *stamp = stamp.offset_ns(new.saturating_sub(*offset));
            }
            *offset = new;
        }
    }

    /// Takes an image that arrived at `now`. Returns an image that will be in no frame, which may be
    /// this one or one that waited. A time jump can drop several: further ones come with later calls,
    /// or at once from [`Self::next_drop`].
    #[must_use = "a dropped image must be counted"]
    pub fn offer_image(&mut self, stamp: Stamp, image: I, now: Stamp) -> Option<(Stamp, I, DropReason)> {
        self.advance(now);
        match self.last_trigger {
            _ if stamp.is_zero() => self.dropped.push_back((stamp, image, DropReason::ZeroStamp)),
            Some(last) if stamp <= last && last.since_ns(stamp) <= JUMP_NS => {
                self.dropped.push_back((stamp, image, DropReason::OutOfOrder));
            }
            last => {
                if let Some(last) = last.filter(|last| stamp < *last) {
                    self.restart(last, stamp);
                }
                if self.is_full()
                    && let Some(oldest) = self.waiting.pop_front()
                {
                    self.dropped.push_back((oldest.stamp, oldest.image, DropReason::Superseded));
                }
                self.last_trigger = Some(stamp);
                self.waiting.push_back(Waiting { stamp, image, arrival: self.now });
            }
        }
        // One in, one out: waiting and dropped images together never exceed the configured number.
        self.next_drop()
    }

    /// Takes a message of radar `index` that arrived at `now`. Returns why it cannot be used:
    /// `ZeroStamp` for an unset stamp. A radar that is not configured is ignored.
    pub fn offer_radar(&mut self, index: usize, stamp: Stamp, radar: R, now: Stamp) -> Option<DropReason> {
        self.advance(now);
        let (Some(slot), Some(&offset), Some(&window_ns)) = (
            self.radars[..self.config.radars].get_mut(index),
            self.config.radar_offset_ns.get(index),
            self.config.window_ns.get(index),
        ) else {
            return None;
        };
        let keep_ns = window_ns.saturating_add(self.config.timeout_ns).saturating_add(LATE_IMAGE_NS);
        if stamp.is_zero() {
            return Some(DropReason::ZeroStamp);
        }
        slot.heard = Some(self.now);
        let stamp = stamp.offset_ns(offset);
        if self.last_trigger.is_none_or(|last| last.since_ns(stamp) <= window_ns) {
            slot.absences = 0;
        }
        if slot.history.back().is_some_and(|(newest, _)| newest.since_ns(stamp) > JUMP_NS) {
            slot.history.clear();
        }
        let position = slot.history.partition_point(|(other, _)| *other <= stamp);
        slot.history.insert(position, (stamp, radar));
        if let Some(&(newest, _)) = slot.history.back() {
            while slot.history.len() > HISTORY
                || slot.history.front().is_some_and(|(oldest, _)| newest.since_ns(*oldest) > keep_ns)
            {
                slot.history.pop_front();
            }
        }
        None
    }

    /// The next frame that is ready at `now`; call until `None`.
    pub fn poll(&mut self, now: Stamp) -> Option<FrameSet<I, R>> {
        self.advance(now);
        let oldest = self.waiting.front()?;
        let timed_out = self.now.since_ns(oldest.arrival) >= self.config.timeout_ns;
        let ready = timed_out || !self.configured().any(|radar| self.worth_waiting(radar, oldest.stamp));
        if ready { self.flush() } else { None }
    }

    /// The oldest waiting image with what has arrived so far, ready or not: call until `None` at the
    /// end of the input.
    pub fn flush(&mut self) -> Option<FrameSet<I, R>> {
        let Waiting { stamp, image, .. } = self.waiting.pop_front()?;
        let mut radars = [const { None }; MAX_RADARS];
        let configured = self.radars.iter_mut().zip(self.config.window_ns).take(self.config.radars);
        for (found, (radar, window_ns)) in radars.iter_mut().zip(configured) {
            // The first of equal minima is the older message.
            *found = radar
                .history
                .iter()
                .min_by_key(|(other, _)| other.since_ns(stamp).saturating_abs())
                .filter(|(other, _)| other.since_ns(stamp).saturating_abs() <= window_ns)
                .cloned();
            radar.absences = if found.is_some() { 0 } else { radar.absences.saturating_add(1) };
        }
        Some(FrameSet { stamp, image, radars })
    }

    /// An image dropped by a time jump that no [`Self::offer_image`] has returned yet. Call until
    /// `None` at the end of the input.
    pub fn next_drop(&mut self) -> Option<(Stamp, I, DropReason)> {
        self.dropped.pop_front()
    }

    /// The last jump of time that no call of this has returned yet: from when to when.
    pub fn take_jump(&mut self) -> Option<(Stamp, Stamp)> {
        self.jump.take()
    }

    /// The trigger of the oldest waiting image.
    pub fn pending_stamp(&self) -> Option<Stamp> {
        self.waiting.front().map(|oldest| oldest.stamp)
    }

    /// When, on the clock of `now`, the oldest waiting image is ready at the latest.
    pub fn deadline(&self) -> Option<Stamp> {
        self.waiting.front().map(|oldest| oldest.arrival.offset_ns(self.config.timeout_ns))
    }

    /// Whether the next image would supersede a waiting one.
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= self.config.pending
    }

    fn configured(&self) -> impl Iterator<Item = &Radar<R>> {
        self.radars.iter().take(self.config.radars)
    }

    fn worth_waiting(&self, radar: &Radar<R>, trigger: Stamp) -> bool {
        if radar.history.back().is_some_and(|(newest, _)| *newest >= trigger) {
            return false;
        }
        if radar.absences >= MAX_ABSENCES {
            return false;
        }
        match (radar.heard, self.started) {
            (Some(heard), _) => self.now.since_ns(heard) <= ALIVE_NS,
            (None, Some(started)) => self.now.since_ns(started) <= STARTUP_NS,
            (None, None) => false,
        }
    }

    fn advance(&mut self, now: Stamp) {
        if self.started.is_none() {
            self.now = now;
        } else if self.now.since_ns(now) > JUMP_NS {
            self.restart(self.now, now);
            self.now = now;
        }
        self.now = self.now.max(now);
        self.started.get_or_insert(now);
    }

    fn restart(&mut self, before: Stamp, after: Stamp) {
        self.jump = Some((before, after));
        let jumped = self.waiting.drain(..).map(|old| (old.stamp, old.image, DropReason::TimeJump));
        self.dropped.extend(jumped);
        for radar in &mut self.radars {
            radar.history.clear();
            radar.heard = None;
            radar.absences = 0;
        }
        self.last_trigger = None;
        self.started = None;
    }
}

#[cfg(test)]
#[path = "collector_tests.rs"]
mod tests;
