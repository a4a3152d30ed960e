//! Numbers as text.

use serde_json::Value as Json;

/// A figure of 0 to 1 or so; a dash for what nothing tells.
pub(super) fn figure(value: f64) -> String {
    if value.is_finite() { format!("{value:.4}") } else { "–".to_owned() }
}

/// A share as percent.
pub(super) fn percent(value: f64) -> String {
    if value.is_finite() { format!("{:.1} %", value * 100.0) } else { "–".to_owned() }
}

/// Three digits or so, for times and sizes.
pub(super) fn short(value: f64) -> String {
    let decimals = match value.abs() {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        _ => 2,
    };
    if value.is_finite() { format!("{value:.decimals$}") } else { "–".to_owned() }
}

/// `count` of something: `1 frame`, `2 frames`.
pub(super) fn count(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// A number of a JSON object; NaN where there is none.
pub(super) fn number(object: &Json, key: &str) -> f64 {
    object.get(key).and_then(Json::as_f64).unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_help() {
        assert_eq!([0.004, 9.996, 99.96, 1234.5].map(short), ["0.00", "10.0", "100", "1234"]);
        assert_eq!([figure(f64::NAN), percent(f64::INFINITY), short(f64::NAN)], ["–"; 3]);
        assert_eq!((percent(0.5), count(1, "frame", "frames")), ("50.0 %".to_owned(), "1 frame".to_owned()));
    }
}
