//! Files of data sets: found, read whole and with a limit, as bytes or as text with line numbers.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::ImportError;

/// The largest file that is read whole: far above any image, sweep or label file.
const MAX_BYTES: u64 = 1 << 28;

/// All bytes of a file.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, ImportError> {
    let fail = |error: &std::io::Error| ImportError::read(path, error);
    let file = File::open(path).map_err(|error| fail(&error))?;
    let size = file.metadata().map_err(|error| fail(&error))?.len();
    let too_large =
        |found: u64| ImportError::file(path, format!("expected at most {MAX_BYTES} bytes, found {found}"));
    if size > MAX_BYTES {
        return Err(too_large(size));
    }
    let mut data = Vec::with_capacity(size as usize);
    // A file that grows meanwhile, or a pipe that does not end.
    file.take(MAX_BYTES + 1).read_to_end(&mut data).map_err(|error| fail(&error))?;
    if data.len() as u64 > MAX_BYTES { Err(too_large(data.len() as u64)) } else { Ok(data) }
}

/// The text of a file.
pub(super) fn text(path: &Path) -> Result<String, ImportError> {
    String::from_utf8(bytes(path)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        ImportError::file(path, format!("expected UTF-8 text, found other bytes at byte {at}"))
    })
}

/// As [`text`], or `None` where there is no such file.
pub(super) fn text_if_there(path: &Path) -> Result<Option<String>, ImportError> {
    if path.try_exists().map_err(|error| ImportError::read(path, &error))? {
        return text(path).map(Some);
    }
    Ok(None)
}

/// Lines that say something, with their numbers from 1: not empty, and no comment after `#`.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines()).filter(|(_, line)| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#')
    })
}

/// Exactly `N` finite numbers.
pub(super) fn numbers<'a, const N: usize>(
    path: &Path,
    line: usize,
    fields: impl Iterator<Item = &'a str>,
) -> Result<[f64; N], ImportError> {
    let mut values = [0.0; N];
    let mut found = 0;
    for field in fields {
        if let Some(value) = values.get_mut(found) {
            *value = number(path, line, field)?;
        }
        found += 1;
    }
    if found != N {
        return Err(ImportError::line(path, line, format!("expected {N} numbers, found {found}")));
    }
    Ok(values)
}

/// A finite number.
pub(super) fn number(path: &Path, line: usize, field: &str) -> Result<f64, ImportError> {
    field
        .parse()
        .ok()
        .filter(|value: &f64| value.is_finite())
        .ok_or_else(|| ImportError::line(path, line, format!("expected a finite number, found '{field}'")))
}

/// The files of a folder whose name is a number and ends in one of `endings`, by that number; empty where
/// there is no such folder.
pub(super) fn numbered(folder: &Path, endings: &[&str]) -> Result<BTreeMap<u64, PathBuf>, ImportError> {
    let mut files = BTreeMap::new();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(files),
        Err(error) => return Err(ImportError::read(folder, &error)),
    };
    for entry in entries {
        let path = entry.map_err(|error| ImportError::read(folder, &error))?.path();
        let ends = path.extension().is_some_and(|found| endings.iter().any(|ending| found == *ending));
        let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        if let (true, Some(number)) = (ends, number)
            && let Some(other) = files.insert(number, path.clone())
        {
            let reason = format!("expected one file of this number, found '{}' too", other.display());
            return Err(ImportError::file(&path, reason));
        }
    }
    Ok(files)
}

/// The names in a folder, for an error that says what was found instead.
pub(super) fn names(folder: &Path) -> String {
    /// More would bury the sentence.
    const MOST: usize = 12;
    let mut names: Vec<String> = match std::fs::read_dir(folder) {
        Ok(entries) => entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect(),
        Err(error) => return error.to_string(),
    };
    if names.is_empty() {
        return "an empty folder".to_owned();
    }
    names.sort();
    let more = names.len().saturating_sub(MOST);
    names.truncate(MOST);
    let names = names.join(", ");
    if more > 0 { format!("{names} and {more} more") } else { names }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_counted_and_checked() {
        let path = Path::new("a.txt");
        let read = |text: &str| numbers::<2>(path, 7, text.split_whitespace());
        assert_eq!(read("1 -2.5e1").unwrap(), [1.0, -25.0]);
        for (text, expected) in [
            ("1", "'a.txt', line 7: expected 2 numbers, found 1"),
            ("1 2 3", "'a.txt', line 7: expected 2 numbers, found 3"),
            ("1 x", "'a.txt', line 7: expected a finite number, found 'x'"),
            ("nan 1", "'a.txt', line 7: expected a finite number, found 'nan'"),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn numbered_files_are_found_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["000010.png", "000002.png", "readme.png", "000003.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found: Vec<u64> = numbered(folder.path(), &["png", "jpg"]).unwrap().into_keys().collect();
        assert_eq!(found, [2, 10]);
        assert!(numbered(&folder.path().join("none"), &["png"]).unwrap().is_empty());
        std::fs::write(folder.path().join("2.jpg"), "").unwrap();
        assert!(numbered(folder.path(), &["png", "jpg"]).is_err());
    }
}
