//! A number of a scene file that every seed draws anew.

use serde::{Deserialize, Deserializer, de::Error};

use super::Random;

/// A closed interval; a single number in the file is an interval of no width.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The least value.
    pub low: f32,
    /// The greatest.
    pub high: f32,
}

impl Range {
    /// Between two values; they are put in order.
    pub const fn new(low: f32, high: f32) -> Self {
        if low <= high { Self { low, high } } else { Self { low: high, high: low } }
    }

    /// One value.
    pub const fn only(value: f32) -> Self {
        Self { low: value, high: value }
    }

    /// A value of it, all equally likely.
    pub fn draw(&self, random: &mut Random) -> f32 {
        random.between(self.low, self.high)
    }

    /// A whole number of it, both ends included.
    pub fn draw_count(&self, random: &mut Random) -> usize {
        let (low, high) = (self.low.max(0.0).round() as usize, self.high.max(0.0).round() as usize);
        low + random.below(high - low + 1)
    }
}

impl<'de> Deserialize<'de> for Range {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected a number or [low, high]")]
        enum Form {
            Only(f32),
            Both([f32; 2]),
        }
        let [low, high] = match Form::deserialize(deserializer)? {
            Form::Only(value) => [value, value],
            Form::Both(both) => both,
        };
        if !(low.is_finite() && high.is_finite()) {
            return Err(D::Error::custom(format!("expected finite numbers, found [{low}, {high}]")));
        }
        if low > high {
            return Err(D::Error::custom(format!(
                "expected [low, high] in this order, found [{low}, {high}]"
            )));
        }
        Ok(Self { low, high })
    }
}

/// A [`Range`] that must lie between two values.
pub fn within<'de, D: Deserializer<'de>>(deserializer: D, least: f32, most: f32) -> Result<Range, D::Error> {
    let range = Range::deserialize(deserializer)?;
    if range.low < least || range.high > most {
        let Range { low, high } = range;
        let expected = format!("expected numbers from {least} to {most}, found [{low}, {high}]");
        return Err(D::Error::custom(expected));
    }
    Ok(range)
}

/// A [`Range`] that must not reach below zero: sizes, counts, speeds.
pub fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Range, D::Error> {
    let range = Range::deserialize(deserializer)?;
    if range.low < 0.0 {
        return Err(D::Error::custom(format!("expected numbers of 0 or more, found {}", range.low)));
    }
    Ok(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct File {
        any: Option<Range>,
        #[serde(default, deserialize_with = "maybe_positive")]
        size: Option<Range>,
    }

    fn maybe_positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Range>, D::Error> {
        positive(deserializer).map(Some)
    }

    #[test]
    fn numbers_and_pairs_are_read_and_others_refused_with_their_line() {
        let read = |text: &str| serde_saphyr::from_str::<File>(text);
        assert_eq!(read("any: 2").unwrap().any, Some(Range::only(2.0)));
        assert_eq!(read("any: [-1, 2.5]").unwrap().any, Some(Range::new(-1.0, 2.5)));
        assert_eq!(read("size: [0, 1]").unwrap().size, Some(Range::new(0.0, 1.0)));
        for (text, expected) in [
            ("any: [3, 2]", "in this order"),
            ("any: .nan", "finite"),
            ("any: [1, .inf]", "finite"),
            ("any: many", "a number or [low, high]"),
            ("any: [1, 2, 3]", "a number or [low, high]"),
            ("any: 1\nsize: -0.5", "0 or more"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("line"), "{text}: {error}");
        }
    }

    #[test]
    fn counts_include_both_ends() {
        let mut random = Random::new(3, &[]);
        let mut seen = [0; 5];
        (0..1000).for_each(|_| seen[Range::new(1.0, 3.0).draw_count(&mut random)] += 1);
        assert_eq!((seen[0], seen[4]), (0, 0));
        assert!(seen[1..4].iter().all(|&count| count > 250), "{seen:?}");
    }
}
