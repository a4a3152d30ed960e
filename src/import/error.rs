//! Why a data set cannot be imported.

use std::path::{Path, PathBuf};

use crate::bag::{BagError, OutFolderError};

/// Why a data set cannot be imported.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ImportError {
    /// A folder is not laid out as the data set is
    #[error("'{path}': expected {expected}, found {found}")]
    Layout {
        /// The folder
        path: PathBuf,
        /// Files and folders that make the data set
        expected: String,
        /// What there is
        found: String,
    },
    /// A file that cannot be opened or read
    #[error("'{path}': {reason}")]
    Read {
        /// The file
        path: PathBuf,
        /// What the system said
        reason: String,
    },
    /// A file whose content is damaged or of another kind
    #[error("'{path}': {reason}")]
    File {
        /// The file
        path: PathBuf,
        /// What was expected and found
        reason: String,
    },
    /// A line of a text file that does not say what it should
    #[error("'{path}', line {line}: {reason}")]
    Line {
        /// The file
        path: PathBuf,
        /// Counted from 1
        line: usize,
        /// What was expected and found
        reason: String,
    },
    /// An option that does not fit the data set
    #[error("{name}: expected {expected}, found '{found}'")]
    Option {
        /// The option
        name: &'static str,
        /// What is allowed
        expected: String,
        /// What was given
        found: String,
    },
    /// The folder for the bag cannot take it
    #[error(transparent)]
    Out(#[from] OutFolderError),
    /// The bag cannot be written
    #[error(transparent)]
    Bag(#[from] BagError),
}

impl ImportError {
    /// Whether the data set is at fault, rather than what was asked for.
    pub const fn is_input(&self) -> bool {
        !matches!(self, Self::Option { .. } | Self::Out(_))
    }

    pub(super) fn read(path: &Path, error: &std::io::Error) -> Self {
        Self::Read { path: path.to_owned(), reason: error.to_string() }
    }

    pub(super) fn file(path: &Path, reason: impl Into<String>) -> Self {
        Self::File { path: path.to_owned(), reason: reason.into() }
    }

    pub(super) fn line(path: &Path, line: usize, reason: impl Into<String>) -> Self {
        Self::Line { path: path.to_owned(), line, reason: reason.into() }
    }
}
