//! How bad it is: 1 to 5.

use std::str::FromStr;

use super::CorruptError;

/// A severity. Robo3D's light, moderate and heavy are 1, 3 and 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Severity(u8);

impl Severity {
    /// Every severity, the mildest first.
    pub const ALL: [Self; 5] = [Self(1), Self(2), Self(3), Self(4), Self(5)];

    /// 1 to 5; anything else is an error.
    pub fn new(level: u8) -> Result<Self, CorruptError> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.0 == level)
            .ok_or_else(|| CorruptError::Severity { found: level.to_string() })
    }

    /// The number.
    pub const fn level(self) -> u8 {
        self.0
    }

    /// The value of this severity in a table of all.
    pub(super) const fn of<T: Copy>(self, [one, two, three, four, five]: [T; 5]) -> T {
        match self.0 {
            ..=1 => one,
            2 => two,
            3 => three,
            4 => four,
            5.. => five,
        }
    }
}

impl FromStr for Severity {
    type Err = CorruptError;

    fn from_str(text: &str) -> Result<Self, CorruptError> {
        let wrong = |_| CorruptError::Severity { found: text.to_owned() };
        text.parse::<u8>().map_err(wrong).and_then(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::Severity;

    #[test]
    fn only_one_to_five() {
        for text in ["0", "6", "", "-1", "1.5", "heavy", "256"] {
            let error = text.parse::<Severity>().unwrap_err().to_string();
            assert!(error.contains("from 1 to 5") && error.contains(&format!("'{text}'")), "{error}");
        }
        let values = Severity::ALL.map(|severity| severity.of([10, 20, 30, 40, 50]));
        assert_eq!(values, [10, 20, 30, 40, 50]);
        assert_eq!("4".parse::<Severity>().unwrap().level(), 4);
    }
}
