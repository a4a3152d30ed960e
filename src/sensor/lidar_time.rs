//! When within its sweep each point of a cloud was measured.
//!
//! In: the time field of a cloud, in whatever unit and from whatever start its driver counts. Out:
//! seconds from the header's stamp, negative before it.

use std::str::FromStr;

use super::{FieldReader, PointCloudView, SensorError, lidar::is_return};
use crate::message::Stamp;

/// Points looked at to find the extremes of a sweep's times: some thousands cost microseconds and miss no more
/// than that share of the sweep at its ends.
const SAMPLES: usize = 4096;
/// The longest sweep, seconds: scanners turn at 5 to 20 Hz, solid-state ones are slower at times.
pub(super) const MAX_SWEEP_S: f64 = 1.0;
/// The shortest sweep whose unit can be told from its times. Below a factor of 1000 to the longest, so that at
/// most one unit fits.
const MIN_SWEEP_S: f64 = 0.002;
/// Times farther than this from the stamp are on another clock, seconds.
const SAME_CLOCK_S: f64 = 2.0;
/// Seconds, milliseconds, microseconds, nanoseconds.
const UNITS_S: [f64; 4] = [1.0, 1e-3, 1e-6, 1e-9];

/// Where in the sweep the header's stamp lies, when the times count from the sweep's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum StampAt {
    /// Times count from the stamp, as drivers publish them; negative ones are before it.
    #[default]
    Start,
    /// Halfway between the first and the last point
    Middle,
    /// At the last point
    End,
}

impl FromStr for StampAt {
    type Err = SensorError;

    fn from_str(name: &str) -> Result<Self, SensorError> {
        match name {
            "start" => Ok(Self::Start),
            "middle" => Ok(Self::Middle),
            "end" => Ok(Self::End),
            other => Err(SensorError::UnknownPreset {
                what: "stamp_at",
                expected: "start middle end".to_owned(),
                found: other.to_owned(),
            }),
        }
    }
}

/// What a time field counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeBase {
    /// The start of the sweep, or the header's stamp
    Sweep,
    /// The zero of the clock that also gives the header's stamp
    Clock,
}

/// A time field and what its numbers mean.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeMeaning {
    /// Seconds in one unit; `None` takes the one unit in which the sweep has a usual length
    pub unit_s: Option<f64>,
    /// `None` takes the one that the values are near to
    pub base: Option<TimeBase>,
}

/// The times of one cloud's points.
#[derive(Clone, Copy, Debug)]
pub struct PointTimes<'a> {
    field: FieldReader<'a>,
    unit_s: f64,
    base_s: f64,
    first_s: f64,
    last_s: f64,
}

impl<'a> PointTimes<'a> {
    /// The times in `field`; `None` when they do not differ, so that there is nothing to learn from them.
    ///
    /// Fails with their span, in the field's unit, when it is more than a sweep can last in every unit that
    /// `meaning` allows.
    pub(super) fn new(
        view: &PointCloudView<'a>,
        field: FieldReader<'a>,
        meaning: TimeMeaning,
        stamp: Stamp,
        stamp_at: StampAt,
    ) -> Result<Option<Self>, f64> {
        let Some((min, max)) = extremes(view, field).filter(|(min, max)| min < max) else {
            return Ok(None);
        };
        let span = max - min;
        let unit_s = match meaning.unit_s {
            Some(unit_s) => Some(unit_s).filter(|unit_s| span * unit_s <= MAX_SWEEP_S),
            None => UNITS_S.into_iter().find(|unit| (MIN_SWEEP_S..=MAX_SWEEP_S).contains(&(span * unit))),
        };
        let unit_s = unit_s.ok_or(span)?;
        let base_s = base_s([min * unit_s, max * unit_s], meaning.base, stamp.0 as f64 * 1e-9, stamp_at);
        let [first_s, last_s] = [min, max].map(|value| value * unit_s - base_s);
        Ok(Some(Self { field, unit_s, base_s, first_s, last_s }))
    }

    /// Seconds from the header's stamp to point `i`, negative before it; NaN beyond the last point.
    #[inline]
    pub fn offset_s(&self, i: usize) -> f64 {
        self.field.f64(i) * self.unit_s - self.base_s
    }

    /// Seconds from the stamp to the first point in time, found among some thousand of them.
    pub const fn first_s(&self) -> f64 {
        self.first_s
    }

    /// Seconds from the stamp to the last point in time, found among some thousand of them.
    pub const fn last_s(&self) -> f64 {
        self.last_s
    }
}

/// Smallest and largest value among a sample of the valid returns.
fn extremes(view: &PointCloudView<'_>, field: FieldReader<'_>) -> Option<(f64, f64)> {
    let last = view.len().checked_sub(1)?;
    // Odd, so that every column of an organised cloud, of which there are 2^n, has its turn in some row.
    let stride = (view.len() / SAMPLES) | 1;
    (0..last)
        .step_by(stride)
        .chain([last])
        .filter(|&i| is_return(view.xyz(i)))
        .map(|i| field.f64(i))
        .filter(|value| value.is_finite())
        .fold(None, |range, value| match range {
            None => Some((value, value)),
            Some((min, max)) => Some((value.min(min), value.max(max))),
        })
}

/// What to subtract from times of `range_s` to get seconds from the stamp.
fn base_s(range_s: [f64; 2], base: Option<TimeBase>, stamp_s: f64, stamp_at: StampAt) -> f64 {
    let [first_s, last_s] = range_s;
    let on_clock = (first_s - stamp_s).abs() <= SAME_CLOCK_S;
    let on_sweep = first_s.abs() <= SAME_CLOCK_S;
    let middle_s = f64::midpoint(first_s, last_s);
    match base {
        Some(TimeBase::Clock) | None if on_clock => stamp_s,
        Some(TimeBase::Sweep) | None if on_sweep => at(stamp_at, 0.0, middle_s, last_s),
        // The sensor's clock and the stamp's are not the same: only the differences count.
        _ => at(stamp_at, first_s, middle_s, last_s),
    }
}

const fn at(stamp_at: StampAt, start: f64, middle: f64, end: f64) -> f64 {
    match stamp_at {
        StampAt::Start => start,
        StampAt::Middle => middle,
        StampAt::End => end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(range_s: [f64; 2], base: Option<TimeBase>, stamp_s: f64, at: StampAt) -> f64 {
        base_s(range_s, base, stamp_s, at)
    }

    #[test]
    fn times_that_count_from_the_sweep_keep_their_sign() {
        let sweep = Some(TimeBase::Sweep);
        assert_eq!(base([0.0, 0.1], sweep, 1e9, StampAt::Start), 0.0);
        assert_eq!(base([-0.1, 0.0], sweep, 1e9, StampAt::Start), 0.0, "the driver stamps the end");
        assert_eq!(base([0.0, 0.1], sweep, 1e9, StampAt::Middle), 0.05);
        assert_eq!(base([0.0, 0.1], sweep, 1e9, StampAt::End), 0.1);
        assert_eq!(base([-0.1, 0.0], sweep, 1e9, StampAt::End), 0.0);
        assert_eq!(base([3000.0, 3000.1], sweep, 1e9, StampAt::Start), 3000.0, "since the full hour");
    }

    #[test]
    fn times_of_a_clock_ignore_where_the_stamp_is_said_to_be() {
        for at in [StampAt::Start, StampAt::Middle, StampAt::End] {
            assert_eq!(base([1e9, 1e9 + 0.1], Some(TimeBase::Clock), 1e9 + 0.1, at), 1e9 + 0.1);
            assert_eq!(base([1e9, 1e9 + 0.1], None, 1e9, at), 1e9);
        }
        let uptime = [5000.0, 5000.5];
        assert_eq!(base(uptime, Some(TimeBase::Clock), 1e9, StampAt::Start), 5000.0);
        assert_eq!(base(uptime, None, 1e9, StampAt::End), 5000.5);
        assert_eq!(base([0.5, 0.6], Some(TimeBase::Clock), 0.5, StampAt::Start), 0.5, "a simulation's clock");
    }

    #[test]
    fn places_of_the_stamp_are_named() {
        assert_eq!("end".parse(), Ok(StampAt::End));
        assert_eq!("middle".parse(), Ok(StampAt::Middle));
        assert!("centre".parse::<StampAt>().is_err());
    }
}
