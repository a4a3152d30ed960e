//! The sweeps that came before, for networks that see several at once.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::geometry::SweepMotion;
use crate::message::{LendCloud, Stamp};

/// Sweeps longer before the newest than this say nothing about it, nanoseconds.
const MEMORY_NS: i64 = 2_000_000_000;

/// An earlier sweep, as the processor adds it to the newest.
pub struct EarlierSweep {
    /// The cloud
    pub cloud: Arc<dyn LendCloud>,
    /// Stamp of the cloud
    pub stamp: Stamp,
    /// From the LiDAR at the time of each point to the LiDAR at the stamp of the newest sweep
    pub motion: Box<SweepMotion>,
    /// From its stamp to that of the newest, seconds
    pub age_s: f32,
}

/// A sweep that was received.
#[derive(Clone)]
pub(super) struct Received {
    pub stamp: Stamp,
    pub frame_id: String,
    pub cloud: Arc<dyn LendCloud>,
    /// Seconds from the stamp to its first and its last point, as far as they are known
    pub span_s: Option<(f64, f64)>,
}

/// Sweeps in the order of their stamps. They stay whether or not the model had time for them.
pub(super) struct History {
    /// Sweeps before the newest that are wanted
    wanted: usize,
    /// Most sweeps that are kept: those wanted, and those that came since
    capacity: usize,
    received: VecDeque<Received>,
}

impl History {
    /// Keeps what is wanted before each of `waiting` sweeps.
    pub fn new(wanted: usize, waiting: usize) -> Self {
        Self { wanted, capacity: wanted + waiting, received: VecDeque::new() }
    }

    /// Whether sweeps see earlier ones at all.
    pub const fn is_on(&self) -> bool {
        self.wanted > 0
    }

    pub fn clear(&mut self) {
        self.received.clear();
    }

    /// Adds a sweep that is newer than all.
    pub fn add(&mut self, sweep: impl FnOnce() -> Received) {
        if self.is_on() {
            if self.received.len() >= self.capacity {
                self.received.pop_front();
            }
            self.received.push_back(sweep());
        }
    }

    /// Drops what is wanted neither beside the sweep at `stamp` nor beside later ones.
    pub fn forget_before(&mut self, stamp: Stamp) {
        let earlier = self.received.iter().take_while(|sweep| sweep.stamp < stamp).count();
        self.received.drain(..earlier.saturating_sub(self.wanted));
    }

    /// The sweeps wanted beside the one at `stamp`, the newest first.
    pub fn before(&self, stamp: Stamp) -> impl Iterator<Item = &Received> {
        let earlier = self.received.iter().rev().filter(move |sweep| sweep.stamp < stamp);
        earlier.take(self.wanted).take_while(move |sweep| stamp.since_ns(sweep.stamp) <= MEMORY_NS)
    }
}
