//! Tables of the data set: JSON arrays of rows that are too long to hold in memory.

use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::marker::PhantomData;
use std::path::Path;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _, SeqAccess, Visitor};

use crate::import::ImportError;

/// The key of a row: 32 hexadecimal digits in the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Token(pub u128);

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let value = if is_hex { u128::from_str_radix(&text, 16).ok() } else { None };
        value.map(Self).ok_or_else(|| {
            D::Error::custom(format_args!("expected a token of 32 hexadecimal digits, found '{text}'"))
        })
    }
}

/// Hands each row of the table `name` in `folder` to `take`, in the order of the file.
pub(super) fn each_row<T: DeserializeOwned>(
    folder: &Path,
    name: &str,
    take: impl FnMut(T),
) -> Result<(), ImportError> {
    let path = folder.join(name);
    let file = File::open(&path).map_err(|error| ImportError::read(&path, &error))?;
    let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(1 << 18, file));
    json.deserialize_seq(Rows { take, row: PhantomData }).and_then(|()| json.end()).map_err(|error| {
        let text = error.to_string();
        // It repeats the place.
        let reason = text.split(" at line ").next().unwrap_or(&text);
        ImportError::line(&path, error.line(), reason)
    })
}

struct Rows<T, F> {
    take: F,
    row: PhantomData<T>,
}

impl<'de, T: DeserializeOwned, F: FnMut(T)> Visitor<'de> for Rows<T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut rows: A) -> Result<(), A::Error> {
        while let Some(row) = rows.next_element()? {
            (self.take)(row);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_what_is_wrong_with_them() {
        #[derive(Deserialize)]
        struct Row {
            token: Token,
        }
        let folder = tempfile::tempdir().unwrap();
        let read = |text: &str| {
            std::fs::write(folder.path().join("t.json"), text).unwrap();
            let mut tokens = Vec::new();
            each_row(folder.path(), "t.json", |row: Row| tokens.push(row.token.0)).map(|()| tokens)
        };
        let row = |token: &str| format!("[\n{{\"token\": \"{token}\", \"more\": [1]}}\n]");
        assert_eq!(read(&row("0000000000000000000000000000002a")).unwrap(), [42]);
        assert!(read("[]").unwrap().is_empty());
        for (text, expected) in [
            (row("2a").as_str(), "line 2: expected a token of 32 hexadecimal digits, found '2a'"),
            ("[{}]", "line 1: missing field `token`"),
            ("[\n{\"token\":", "line 2: EOF"),
            ("{}", "expected a list of rows"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains("t.json") && error.contains(expected), "{error}");
        }
    }
}
