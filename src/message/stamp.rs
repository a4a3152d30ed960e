//! A point in time as ROS messages carry it.

use std::fmt;

/// Nanoseconds since the Unix epoch, or since the start of a simulation.
///
/// Signed so that differences and offsets stay plain arithmetic. A zero stamp means that the
/// sender set none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(pub i64);

impl Stamp {
    /// From `builtin_interfaces/Time`. Nanoseconds beyond one second carry over.
    pub const fn from_parts(sec: i32, nanosec: u32) -> Self {
        Self(sec as i64 * 1_000_000_000 + nanosec as i64)
    }

    /// As `builtin_interfaces/Time`. Beyond the range of its seconds the nanoseconds take what they can,
    /// so that every stamp that was read is written as the same time.
    pub fn to_parts(self) -> (i32, u32) {
        let sec = self.0.div_euclid(1_000_000_000).clamp(i32::MIN as i64, i32::MAX as i64);
        let nanosec = self.0.saturating_sub(sec * 1_000_000_000).clamp(0, u32::MAX as i64);
        (sec as i32, nanosec as u32)
    }

    /// Whether the sender left the stamp unset.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// This stamp moved by `ns` nanoseconds, saturating.
    pub const fn offset_ns(self, ns: i64) -> Self {
        Self(self.0.saturating_add(ns))
    }

    /// `self - other` in nanoseconds, saturating.
    pub const fn since_ns(self, other: Self) -> i64 {
        self.0.saturating_sub(other.0)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.0.div_euclid(1_000_000_000), self.0.rem_euclid(1_000_000_000))
    }
}

#[cfg(test)]
mod tests {
    use super::Stamp;

    #[test]
    fn parts_round_trip_before_and_after_the_epoch() {
        for ns in [0, 1, 999_999_999, 1_000_000_000, 1_763_900_000_123_456_789, -1, -1_000_000_001] {
            let (sec, nanosec) = Stamp(ns).to_parts();
            assert_eq!(Stamp::from_parts(sec, nanosec), Stamp(ns));
        }
    }

    #[test]
    fn whatever_was_read_is_written_as_the_same_time() {
        for (sec, nanosec) in [(i32::MAX, u32::MAX), (i32::MIN, u32::MAX), (i32::MIN, 0), (-1, 4_000_000_000)]
        {
            let stamp = Stamp::from_parts(sec, nanosec);
            let (sec, nanosec) = stamp.to_parts();
            assert_eq!(Stamp::from_parts(sec, nanosec), stamp);
        }
        assert_eq!(Stamp(i64::MIN).to_parts(), (i32::MIN, 0));
        assert_eq!(Stamp(i64::MAX).to_parts(), (i32::MAX, u32::MAX));
    }

    #[test]
    fn display_is_seconds_with_nine_digits() {
        assert_eq!(Stamp(1_500_000_000).to_string(), "1.500000000");
        assert_eq!(Stamp(-500_000_000).to_string(), "-1.500000000");
    }
}
