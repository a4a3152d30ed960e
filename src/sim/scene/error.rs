//! What can be wrong with a scene file.

use std::fmt;
use std::path::{Path, PathBuf};

use serde_saphyr::Error as YamlError;

/// One thing that is wrong with a scene file or a mesh it names: where, what was expected, what was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct SceneError {
    /// The file.
    pub path: PathBuf,
    /// Line in it, from 1; `None` when the file as a whole is meant.
    pub line: Option<u64>,
    /// Key, expected, found.
    pub message: String,
}

impl fmt::Display for SceneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "scene file '{}'", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl SceneError {
    /// `message` about `path` as a whole.
    pub(super) fn whole(path: &Path, message: impl fmt::Display) -> Self {
        Self { path: path.to_path_buf(), line: None, message: message.to_string() }
    }

    /// `message` about a key on a line.
    pub(super) fn at(path: &Path, line: u64, key: &str, message: impl fmt::Display) -> Self {
        Self {
            path: path.to_path_buf(),
            line: Some(line).filter(|line| *line > 0),
            message: format!("{key}: {message}"),
        }
    }

    /// YAML that does not parse into what is expected.
    pub(super) fn yaml(path: &Path, text: &str, error: &YamlError) -> Self {
        let error = error.without_snippet();
        let location = error.location();
        let line = location.map(|location| location.line()).filter(|line| *line > 0);
        let message = match error {
            YamlError::SerdeUnknownField { field, expected, .. } => {
                unknown("key", field, expected.iter().copied())
            }
            YamlError::SerdeUnknownVariant { variant, expected, .. } => {
                unknown("value", variant, expected.iter().copied())
            }
            other => {
                let message = other.to_string().replace('\n', " ");
                let key = location.and_then(|location| key_before(text, location.line(), location.column()));
                match key {
                    Some(key) if !message.contains(key) => format!("{key}: {message}"),
                    _ => message,
                }
            }
        };
        Self { path: path.to_path_buf(), line, message }
    }
}

/// What is not known, and what may have been meant.
fn unknown<'a>(what: &str, found: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let likeness = |name: &str| strsim::jaro_winkler(name, found);
    match known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b))) {
        Some(nearest) if likeness(nearest) > 0.7 => {
            format!("unknown {what} '{found}', did you mean '{nearest}'?")
        }
        _ => format!("unknown {what} '{found}', expected one of {}", known.join(", ")),
    }
}

/// The last key that starts before a place in the file, line and column from 1. A value may begin on a
/// later line than its key.
fn key_before(text: &str, line: u64, column: u64) -> Option<&str> {
    let lines: Vec<&str> = text.lines().take(usize::try_from(line).ok()?).collect();
    let (last, before) = lines.split_last()?;
    let end = last.char_indices().nth(column.saturating_sub(1) as usize).map_or(last.len(), |(end, _)| end);
    let parts = last.get(..end).into_iter().chain(before.iter().rev().copied());
    parts.map(|part| part.split('#').next().unwrap_or(part)).find_map(last_key)
}

/// The last `key:` in a piece of a line.
fn last_key(part: &str) -> Option<&str> {
    let (before, _) = part.rsplit_once(':')?;
    let start = before.rfind(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(0, |last| last + 1);
    before.get(start..).filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_place_is_found() {
        let text = "a: 1\nsensors:\n  radars: [{height_m: -1}]\nlist:\n# note: no\n- 3\n";
        assert_eq!(key_before(text, 1, 4), Some("a"));
        assert_eq!(key_before(text, 3, 23), Some("height_m"));
        assert_eq!(key_before(text, 6, 3), Some("list"));
        assert_eq!(key_before("3", 1, 1), None);
        assert_eq!(key_before(text, 99, 99), Some("list"));
    }

    #[test]
    fn the_nearest_name_is_suggested() {
        let known = ["people", "pallets"];
        assert_eq!(
            unknown("key", "peopel", known.into_iter()),
            "unknown key 'peopel', did you mean 'people'?"
        );
        assert_eq!(
            unknown("key", "xyz", known.into_iter()),
            "unknown key 'xyz', expected one of people, pallets"
        );
    }
}
