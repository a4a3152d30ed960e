//! Lowest scores of single classes, which may rise with the distance.

use std::str::FromStr;

use super::{ClassTable, DetectionError};

/// What a detection of `class` needs from `from_m` on.
#[derive(Clone, Debug, PartialEq)]
struct Rule {
    class: String,
    from_m: f64,
    score: f32,
}

/// Lowest scores by class and distance; classes without a rule need none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClassThresholds {
    /// By class, then by distance
    rules: Vec<Rule>,
}

impl ClassThresholds {
    /// Whether a detection of `class` at `distance_m` may stay: of the rules for its class that begin no farther
    /// away, the farthest decides.
    pub fn admit(&self, class: &str, distance_m: f64, score: f32) -> bool {
        let rule = self.rules.iter().rfind(|rule| rule.class == class && rule.from_m <= distance_m);
        rule.is_none_or(|rule| score >= rule.score)
    }

    /// Whether there is nothing to ask.
    pub const fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// A class that has a rule and that `classes` lacks.
    pub fn unknown(&self, classes: &ClassTable) -> Option<&str> {
        self.rules.iter().map(|rule| rule.class.as_str()).find(|class| classes.id(class).is_none())
    }
}

impl FromStr for ClassThresholds {
    type Err = DetectionError;

    /// From `CLASS SCORE` and `CLASS METRES SCORE`, with commas between; nothing asks nothing.
    fn from_str(text: &str) -> Result<Self, DetectionError> {
        let refuse = |found: &str| DetectionError::Config {
            what: "class thresholds",
            expected: "'CLASS SCORE' or 'CLASS METRES SCORE', with commas between".to_owned(),
            found: format!("{found:?}"),
        };
        let mut rules = Vec::new();
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let words: Vec<&str> = part.split_whitespace().collect();
            let (class, from, score) = match *words.as_slice() {
                [class, score] => (class, "0", score),
                [class, from, score] => (class, from, score),
                _ => return Err(refuse(part)),
            };
            let from_m: f64 = from.parse().map_err(|_| refuse(part))?;
            let score: f32 = score.parse().map_err(|_| refuse(part))?;
            if !(from_m.is_finite() && from_m >= 0.0 && (0.0..=1.0).contains(&score)) {
                return Err(refuse(part));
            }
            rules.push(Rule { class: class.to_owned(), from_m, score });
        }
        rules.sort_by(|a, b| a.class.cmp(&b.class).then(a.from_m.total_cmp(&b.from_m)));
        let repeated =
            rules.windows(2).find(|two| two[0].class == two[1].class && two[0].from_m == two[1].from_m);
        match repeated {
            Some(two) => Err(refuse(&format!("{} twice", two[0].class))),
            None => Ok(Self { rules }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_farthest_rule_that_has_begun_decides() {
        let thresholds: ClassThresholds = "pedestrian 20 0.6, pedestrian 0.4,car 30 0.2".parse().unwrap();
        assert!(thresholds.admit("pedestrian", 5.0, 0.4) && !thresholds.admit("pedestrian", 5.0, 0.39));
        assert!(!thresholds.admit("pedestrian", 20.0, 0.5) && thresholds.admit("pedestrian", 19.9, 0.5));
        assert!(thresholds.admit("car", 29.0, 0.01) && !thresholds.admit("car", 31.0, 0.1));
        assert!(thresholds.admit("bus", 100.0, 0.0));
        assert!(
            "".parse::<ClassThresholds>().unwrap().is_empty() && " , ".parse::<ClassThresholds>().is_ok()
        );
    }

    #[test]
    fn what_is_no_threshold_is_refused_with_the_part_that_is_not() {
        for (text, part) in [
            ("car", "car"),
            ("car 0.3, bus 1.5", "bus 1.5"),
            ("car nan", "car nan"),
            ("car -1 0.3", "car -1 0.3"),
            ("car inf 0.3", "car inf 0.3"),
            ("car 1 2 3", "car 1 2 3"),
            ("car 0.3, car 0 0.4", "car twice"),
        ] {
            let error = text.parse::<ClassThresholds>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn classes_that_a_model_lacks_are_found() {
        let classes = ClassTable::new(["car", "pedestrian"]).unwrap();
        let unknown =
            |text: &str| text.parse::<ClassThresholds>().unwrap().unknown(&classes).map(str::to_owned);
        assert_eq!(unknown("car 0.3, pedestrian 10 0.5"), None);
        assert_eq!(unknown("car 0.3, tram 0.5"), Some("tram".into()));
    }
}
