//! Rules of a gate, as `depth.abs_rel > +2%`.

use std::str::FromStr;

use super::CompareError;

/// On which side of a limit a rule fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `>`
    Above,
    /// `<`
    Below,
}

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// B − A, % of A: `> +2%`, `< -2%`
    Percent(f64),
    /// B − A, unit of the figure: `> +0.01`, `< -0.01`
    Difference(f64),
    /// B alone, unit of the figure: `> 0.15`
    Value(f64),
}

/// When a gate fails.
#[derive(Clone, Debug, PartialEq)]
pub struct FailRule {
    /// As it was given.
    pub text: String,
    /// Key of `report.json`, steps joined by dots.
    pub key: String,
    /// Above or below the limit.
    pub side: Side,
    /// The limit.
    pub limit: Limit,
}

impl FromStr for FailRule {
    type Err = CompareError;

    fn from_str(text: &str) -> Result<Self, CompareError> {
        let fail = |reason: String| CompareError::Rule { rule: text.to_owned(), reason };
        let Some((place, sign)) = text.char_indices().find(|(_, c)| matches!(c, '>' | '<')) else {
            return Err(fail("found neither > nor <".to_owned()));
        };
        let (key, limit) = (text.get(..place).unwrap_or_default(), text.get(place + 1..).unwrap_or_default());
        let (key, limit) = (key.trim(), limit.trim());
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err(fail(format!("found '{key}' where the key should be")));
        }
        let side = if sign == '>' { Side::Above } else { Side::Below };
        let (number, is_percent) = match limit.strip_suffix('%') {
            Some(number) => (number.trim_end(), true),
            None => (limit, false),
        };
        let value: f64 = match number.parse() {
            Ok(value) if f64::is_finite(value) => value,
            _ => return Err(fail(format!("found '{limit}' where the limit should be"))),
        };
        let is_signed = number.starts_with(['+', '-']);
        let limit = match (is_percent, is_signed) {
            (true, _) => Limit::Percent(value),
            (false, true) => Limit::Difference(value),
            (false, false) => Limit::Value(value),
        };
        let is_backward = match side {
            Side::Above => number.starts_with('-'),
            Side::Below => value > 0.0 || number.starts_with('+'),
        };
        if is_backward && !matches!(limit, Limit::Value(_)) {
            let side = if sign == '>' {
                "> allows a rise: its limit is +"
            } else {
                "< allows a fall: its limit is -"
            };
            return Err(fail(format!("found '{text}', but {side}…")));
        }
        Ok(Self { text: text.to_owned(), key: key.to_owned(), side, limit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_a_key_a_side_and_a_limit() {
        for (text, key, side, limit) in [
            ("depth.abs_rel > +2%", "depth.abs_rel", Side::Above, Limit::Percent(2.0)),
            ("depth.abs_rel>2 %", "depth.abs_rel", Side::Above, Limit::Percent(2.0)),
            (" detection.nuscenes.map < -1.5% ", "detection.nuscenes.map", Side::Below, Limit::Percent(-1.5)),
            ("depth.delta1 < -0.01", "depth.delta1", Side::Below, Limit::Difference(-0.01)),
            ("depth.delta1 < -0%", "depth.delta1", Side::Below, Limit::Percent(0.0)),
            ("depth.rmse > +1e-1", "depth.rmse", Side::Above, Limit::Difference(0.1)),
            ("depth.rmse > 0.5", "depth.rmse", Side::Above, Limit::Value(0.5)),
            ("depth.delta1 < 0.9", "depth.delta1", Side::Below, Limit::Value(0.9)),
        ] {
            let rule: FailRule = text.parse().unwrap();
            assert_eq!((rule.key.as_str(), rule.side, rule.limit), (key, side, limit), "{text}");
        }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for (text, part) in [
            ("depth.abs_rel + 2%", "neither"),
            ("> 2%", "''"),
            ("depth abs_rel > 2%", "'depth abs_rel'"),
            ("depth.abs_rel > two", "'two'"),
            ("depth.abs_rel >= 2%", "'= 2%'"),
            ("depth.abs_rel > nan", "'nan'"),
            ("depth.abs_rel > %", "'%'"),
            ("depth.abs_rel > -2%", "limit is +"),
            ("depth.delta1 < 2%", "limit is -"),
            ("depth.delta1 < +0.1", "limit is -"),
            ("", "neither"),
        ] {
            let error = text.parse::<FailRule>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
