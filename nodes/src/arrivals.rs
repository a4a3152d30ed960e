//! How regularly a topic's messages arrive, and how many seem to be lost on the way.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use isobath::message::Stamp;

/// Stamp distances kept: three seconds of a 30 Hz camera.
const DISTANCES: usize = 90;

/// Fewer distances say nothing about a sensor's rate.
const MIN_DISTANCES: usize = 8;

/// Times of arrival kept: enough to tell a rate below [`TRICKLE_HZ`] and the usual pause between messages.
const TIMES: usize = 16;

/// Fewer times of arrival say nothing about the usual pause.
const MIN_TIMES: usize = 5;

/// Start-up and slow sensors are no reason to complain.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// Hiccups of a busy machine are none either.
const MIN_PATIENCE: Duration = Duration::from_millis(400);

/// So many usual pauses without a message are silence.
const SILENT_PAUSES: u32 = 3;

/// Whole sensors are faster.
pub const TRICKLE_HZ: f64 = 2.0;

/// What arrived on one topic.
#[derive(Debug)]
pub struct Arrivals {
    /// Messages
    pub messages: u64,
    /// Messages that found the process's own queue full
    pub lost: u64,
    /// Size of the newest message's data, bytes
    pub bytes: usize,
    since: Instant,
    times: VecDeque<Instant>,
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
            bytes: 0,
            since: now,
            times: VecDeque::with_capacity(TIMES),
            stamp: None,
            distances: Vec::with_capacity(DISTANCES),
            next: 0,
        }
    }

    /// A message with `stamp` (where the type has one) and `bytes` of data arrived.
    pub fn arrived(&mut self, stamp: Option<Stamp>, bytes: usize, now: Instant) {
        // Of a sensor that was off nothing was lost on the way.
        let was_off = self.silent_for(now) > self.patience();
        self.messages += 1;
        self.bytes = bytes;
        if self.times.len() == TIMES {
            self.times.pop_front();
        }
        self.times.push_back(now);
        if let (Some(stamp), Some(before)) = (stamp, self.stamp) {
            let distance = stamp.since_ns(before);
            // A restarted bag or a repeated message is no distance.
            if distance > 0 && !was_off {
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
        now.saturating_duration_since(self.times.back().copied().unwrap_or(self.since))
    }

    /// How long this sensor may be silent: three times its usual pause, which is a high percentile, as
    /// messages may come in bursts; 0.4 to 3 s. 3 s while too little is known.
    pub fn patience(&self) -> Duration {
        if self.times.len() < MIN_TIMES {
            return PATIENCE;
        }
        let mut pauses = [Duration::ZERO; TIMES];
        let pairs = self.times.iter().zip(self.times.iter().skip(1));
        for (pause, (earlier, later)) in pauses.iter_mut().zip(pairs) {
            *pause = later.saturating_duration_since(*earlier);
        }
        let known = pauses.get_mut(..self.times.len() - 1).unwrap_or_default();
        known.sort_unstable();
        let usual = known.get(known.len() * 4 / 5).copied().unwrap_or(PATIENCE);
        usual.saturating_mul(SILENT_PAUSES).clamp(MIN_PATIENCE, PATIENCE)
    }

    /// Whether messages came, but no more than [`TRICKLE_HZ`] in the last [`PATIENCE`].
    pub fn trickles(&self, now: Instant) -> bool {
        let recent = self.times.iter().filter(|time| now.saturating_duration_since(**time) < PATIENCE);
        let expected = TRICKLE_HZ * PATIENCE.as_secs_f64();
        self.messages > 0 && (recent.count() as f64) < expected
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

    const MS: Duration = Duration::from_millis(1);

    /// Messages at these milliseconds after the start.
    fn arrivals(times_ms: impl IntoIterator<Item = u32>) -> (Arrivals, Instant) {
        let start = Instant::now();
        let mut arrivals = Arrivals::new(start);
        for ms in times_ms {
            arrivals.arrived(None, 1, start + MS * ms);
        }
        (arrivals, start)
    }

    #[test]
    fn losses_show_in_the_stamps() {
        let now = Instant::now();
        let mut arrivals = Arrivals::new(now);
        assert!(arrivals.rates_hz().is_none());
        for frame in 0..200_i64 {
            if frame % 5 != 1 && frame % 5 != 2 {
                arrivals.arrived(Some(Stamp(frame * 33_000_000)), 1, now);
            }
        }
        let (sensor, arriving) = arrivals.rates_hz().unwrap();
        assert!((29.0..31.0).contains(&sensor), "{sensor}");
        assert!((17.0..19.0).contains(&arriving), "{arriving}");
    }

    #[test]
    fn a_sensor_that_was_off_has_lost_nothing() {
        let start = Instant::now();
        let mut arrivals = Arrivals::new(start);
        for ms in (0..1000).step_by(100).chain((5000..6000).step_by(100)) {
            arrivals.arrived(Some(Stamp(i64::from(ms) * 1_000_000)), 1, start + MS * ms);
        }
        assert_eq!(arrivals.rates_hz(), Some((10.0, 10.0)));
    }

    #[test]
    fn silence_counts_from_the_start_or_the_newest() {
        let (mut arrivals, start) = arrivals([]);
        assert_eq!(arrivals.silent_for(start + MS * 4000), MS * 4000);
        arrivals.arrived(None, 1, start + MS * 3000);
        assert_eq!(arrivals.silent_for(start + MS * 4000), MS * 1000);
    }

    #[test]
    fn patience_follows_the_rate_of_the_sensor() {
        assert_eq!(arrivals([0, 100, 200]).0.patience(), PATIENCE, "too little is known");
        assert_eq!(arrivals((0..10).map(|n| n * 33)).0.patience(), MIN_PATIENCE);
        assert_eq!(arrivals((0..10).map(|n| n * 200)).0.patience(), MS * 600);
        assert_eq!(arrivals((0..10).map(|n| n * 2000)).0.patience(), PATIENCE);
        // Two messages at once, 5 times a second; one long gap is forgiven.
        assert_eq!(arrivals((0..20).map(|n| n / 2 * 200)).0.patience(), MS * 600);
        assert_eq!(arrivals((0..15).map(|n| n * 200 + if n > 7 { 9000 } else { 0 })).0.patience(), MS * 600);
    }

    #[test]
    fn a_trickle_is_what_comes_below_2_hz() {
        let (quiet, start) = arrivals([]);
        assert!(!quiet.trickles(start + MS * 5000), "that is silence");
        let (few, start) = arrivals([0, 900, 1800, 2500, 3300]);
        assert!(few.trickles(start + MS * 3400));
        let (enough, start) = arrivals((0..40).map(|n| n * 400));
        assert!(!enough.trickles(start + MS * 39 * 400));
        assert!(enough.trickles(start + MS * 39 * 400 + MS * 1000), "they stopped coming");
    }
}
