//! What can be wrong with a calibration file.

use std::fmt;
use std::path::{Path, PathBuf};

/// One thing that is wrong with a calibration file: where, what was expected, what was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct CalibrationError {
    /// The file
    pub path: PathBuf,
    /// Line in it, from 1; `None` when the file as a whole is meant
    pub line: Option<u64>,
    /// Field, expected, found
    pub message: String,
}

impl fmt::Display for CalibrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "calibration file '{}'", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl CalibrationError {
    /// `message` about `path` as a whole.
    pub(super) fn whole(path: &Path, message: impl Into<String>) -> Self {
        Self { path: path.to_path_buf(), line: None, message: message.into() }
    }

    /// YAML that does not parse into what is expected.
    pub(super) fn yaml(path: &Path, error: &serde_saphyr::Error) -> Self {
        let message = error.without_snippet().to_string().replace('\n', " ");
        let line = error.location().map(|location| location.line()).filter(|line| *line > 0);
        Self { path: path.to_path_buf(), line, message }
    }

    /// Reads a text file, the size of which a calibration may have.
    pub(super) fn read(path: &Path) -> Result<String, Self> {
        /// A calibration has some dozens of lines.
        const MAX_BYTES: u64 = 1 << 20;
        let size = std::fs::metadata(path).map_err(|error| Self::whole(path, error.to_string()))?.len();
        if size > MAX_BYTES {
            return Err(Self::whole(path, format!("expected at most {MAX_BYTES} bytes, found {size}")));
        }
        std::fs::read_to_string(path).map_err(|error| Self::whole(path, error.to_string()))
    }
}
