//! Times as data sets write them, to the nanosecond.

use crate::message::Stamp;

/// Seconds since the epoch as decimal digits, as `1305031102.175304`; more than nine decimals are cut off.
pub(super) fn from_seconds(text: &str) -> Option<Stamp> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = digits(whole)?;
    let nanoseconds = seconds.checked_mul(1_000_000_000)?.checked_add(fraction_ns(decimals)?)?;
    Some(Stamp(nanoseconds))
}

/// Date and time of day as `2011-09-26 13:02:25.594360375`, taken for UTC.
pub(super) fn from_date(text: &str) -> Option<Stamp> {
    let (date, time) = text.trim().split_once(' ')?;
    let mut date = date.splitn(3, '-');
    let (year, month, day) = (digits(date.next()?)?, digits(date.next()?)?, digits(date.next()?)?);
    let mut time = time.splitn(3, ':');
    let (hour, minute, second) = (digits(time.next()?)?, digits(time.next()?)?, time.next()?);
    let (second, decimals) = second.split_once('.').unwrap_or((second, ""));
    let second = digits(second)?;
    let is_date = (1970..2200).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !is_date || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days_since_epoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some(Stamp(seconds * 1_000_000_000 + fraction_ns(decimals)?))
}

/// Days from 1970-01-01 in the Gregorian calendar: whole years before, whole months before, days.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let years: i64 = (1970..year).map(|year| 365 + i64::from(is_leap(year))).sum();
    let months: i64 = (1..month)
        .map(|month| match month {
            2 => 28 + i64::from(is_leap(year)),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        })
        .sum();
    years + months + day - 1
}

/// A number without sign.
fn digits(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// Digits behind the point as nanoseconds.
fn fraction_ns(decimals: &str) -> Option<i64> {
    if !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nine = decimals.bytes().chain(std::iter::repeat(b'0')).take(9);
    Some(nine.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_keep_every_digit() {
        assert_eq!(from_seconds("1305031102.175304"), Some(Stamp(1_305_031_102_175_304_000)));
        assert_eq!(from_seconds("12.1234567899"), Some(Stamp(12_123_456_789)));
        assert_eq!(from_seconds("7"), Some(Stamp(7_000_000_000)));
        for bad in ["", "-1.0", "1.5e3", "nan", "1.x", ".5", "99999999999999999999"] {
            assert_eq!(from_seconds(bad), None, "{bad}");
        }
    }

    #[test]
    fn dates_are_utc() {
        // `date -u -d '2011-09-26 13:02:25' +%s` is 1317042145.
        let stamp = Some(Stamp(1_317_042_145_594_360_375));
        assert_eq!(from_date("2011-09-26 13:02:25.594360375"), stamp);
        // A leap day, and the first day after it: 951782400 and 951868800.
        assert_eq!(from_date("2000-02-29 00:00:00"), Some(Stamp(951_782_400_000_000_000)));
        assert_eq!(from_date("2000-03-01 00:00:00"), Some(Stamp(951_868_800_000_000_000)));
        for bad in ["2011-09-26", "2011-13-26 13:02:25", "2011-09-26 25:02:25", "x-09-26 13:02:25", ""] {
            assert_eq!(from_date(bad), None, "{bad}");
        }
    }
}
