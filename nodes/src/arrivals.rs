//! How regularly a topic's messages arrive, and how many seem to be lost on the way.

use std::time::{Duration, Instant};

use isobath::message::Stamp;

/// Stamp distances kept: three seconds of a 30 Hz camera.
const DISTANCES: usize = 90;

/// Fewer distances say nothing about a sensor's rate.
const MIN_DISTANCES: usize = 8;

/// What arrived on one topic.
#[derive(Debug)]
pub struct Arrivals {
    /// Messages
    pub messages: u64,
    /// Messages that found the process's own queue full
    pub lost: u64,
    since: Instant,
    newest: Option<Instant>,
    stamp: Option<Stamp>,
    distances: Vec<i64>,
    next: usize,
}

impl Arrivals {
    /// Nothing yet; counting starts `now`.
    pub fn new(now: Instant) -> Self {
        Self {
            messages: 0,
            lost: 0,
            since: now,
            newest: None,
            stamp: None,
            distances: Vec::with_capacity(DISTANCES),
            next: 0,
        }
    }

    /// A message with `stamp` (where the type has one) arrived.
    pub fn arrived(&mut self, stamp: Option<Stamp>, now: Instant) {
        self.messages += 1;
        self.newest = Some(now);
        if let (Some(stamp), Some(before)) = (stamp, self.stamp) {
            let distance = stamp.since_ns(before);
            // A restarted bag or a repeated message is no distance.
            if distance > 0 {
                if self.distances.len() < DISTANCES {
                    self.distances.push(distance);
                } else if let Some(slot) = self.distances.get_mut(self.next) {
                    *slot = distance;
                }
                self.next = (self.next + 1) % DISTANCES;
            }
        }
        self.stamp = stamp;
    }

    /// How long nothing has arrived.
    pub fn silent_for(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.newest.unwrap_or(self.since))
    }

    /// The sensor's own rate and the rate that arrives, both from the stamps; `None` while too little is
    /// known. A lost message doubles a distance, so the sensor's period is a low percentile of them.
    pub fn rates_hz(&self) -> Option<(f64, f64)> {
        if self.distances.len() < MIN_DISTANCES {
            return None;
        }
        let mut sorted = self.distances.clone();
        sorted.sort_unstable();
        let period = *sorted.get(sorted.len() / 5)?;
        let mean = sorted.iter().sum::<i64>() as f64 / sorted.len() as f64;
        Some((1e9 / period as f64, 1e9 / mean))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_show_in_the_stamps() {
        let now = Instant::now();
        let mut arrivals = Arrivals::new(now);
        assert!(arrivals.rates_hz().is_none());
        for frame in 0..200_i64 {
            if frame % 5 != 1 && frame % 5 != 2 {
                arrivals.arrived(Some(Stamp(frame * 33_000_000)), now);
            }
        }
        let (sensor, arriving) = arrivals.rates_hz().unwrap();
        assert!((29.0..31.0).contains(&sensor), "{sensor}");
        assert!((17.0..19.0).contains(&arriving), "{arriving}");
    }

    #[test]
    fn silence_counts_from_the_start_or_the_newest() {
        let start = Instant::now();
        let mut arrivals = Arrivals::new(start);
        let later = start + Duration::from_secs(4);
        assert_eq!(arrivals.silent_for(later), Duration::from_secs(4));
        arrivals.arrived(None, start + Duration::from_secs(3));
        assert_eq!(arrivals.silent_for(later), Duration::from_secs(1));
    }
}
