//! When messages are due while a bag is played at a factor of real time.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::message::Stamp;

/// The clock of one bag being played: what was logged a second apart is due 1/factor seconds apart.
#[derive(Debug)]
pub(super) struct PlayClock {
    factor: f64,
    start: Stamp,
    begin: OnceLock<Instant>,
}

impl PlayClock {
    /// A clock for what is played from log time `start` on, `factor` times as fast as it was recorded. It stands
    /// until [`PlayClock::begin`].
    pub const fn new(factor: f64, start: Stamp) -> Self {
        Self { factor, start, begin: OnceLock::new() }
    }

    /// Starts it, once.
    pub fn begin(&self) {
        self.begin.get_or_init(Instant::now);
    }

    /// Time since it was started.
    pub fn elapsed(&self) -> Duration {
        self.begin.get().map_or(Duration::ZERO, Instant::elapsed)
    }

    /// How long after the start a message logged at `logged` is due.
    pub fn due(&self, logged: Stamp) -> Duration {
        let recorded_s = logged.since_ns(self.start) as f64 / 1e9;
        if recorded_s <= 0.0 {
            return Duration::ZERO;
        }
        Duration::try_from_secs_f64(recorded_s / self.factor).unwrap_or(Duration::MAX)
    }

    /// How old an output is now that was made of a message with `stamp`, logged at `logged`, nanoseconds: what
    /// that message took to the recorder, and the time since it was due here. So old it would be of a sensor
    /// that runs `factor` times as fast.
    pub fn age_ns(&self, stamp: Stamp, logged: Stamp) -> i64 {
        age_ns(stamp, logged, self.due(logged), self.elapsed())
    }
}

fn age_ns(stamp: Stamp, logged: Stamp, due: Duration, elapsed: Duration) -> i64 {
    let ns = |time: Duration| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
    logged.since_ns(stamp).saturating_add(ns(elapsed).saturating_sub(ns(due)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_due_when_they_were_logged_times_the_factor() {
        let clock = PlayClock::new(4.0, Stamp(1_000_000_000));
        assert_eq!(clock.due(Stamp(3_000_000_000)), Duration::from_millis(500));
        assert_eq!(clock.due(Stamp(0)), Duration::ZERO, "what holds from before is due at once");
        assert_eq!(clock.elapsed(), Duration::ZERO, "it stands");
        let slow = PlayClock::new(1e-300, Stamp(0));
        assert_eq!(slow.due(Stamp(i64::MAX)), Duration::MAX);
    }

    #[test]
    fn the_age_is_the_way_to_the_recorder_and_the_time_since() {
        let ms = Duration::from_millis;
        let of = |stamp, logged, due, elapsed| age_ns(Stamp(stamp), Stamp(logged), due, elapsed);
        assert_eq!(of(1_000_000, 4_000_000, ms(100), ms(150)), 53_000_000);
        assert_eq!(of(4_000_000, 1_000_000, ms(100), ms(100)), -3_000_000, "a sensor clock that is ahead");
        assert_eq!(of(0, i64::MAX, ms(0), ms(9)), i64::MAX);
    }
}
