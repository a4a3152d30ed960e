//! What can be wrong with a recording, said so that its owner can act on it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::OutFolderError;
use crate::message::Stamp;

/// Everything that reading or writing a recording can fail with.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BagError {
    /// Nothing is at the path.
    #[error("{}: no such file or folder", path.display())]
    NotFound {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: Arc<std::io::Error>,
    },
    /// A folder that holds no recording.
    #[error("{}: expected a rosbag2 folder, found neither metadata.yaml nor .mcap or .db3 files", path.display())]
    NoStorage {
        /// The folder.
        path: PathBuf,
    },
    /// A folder without `metadata.yaml` that holds both storage kinds, so which is meant is unclear.
    #[error(
        "{}: expected one storage kind where metadata.yaml is missing, found .mcap and .db3 files", path.display()
    )]
    MixedStorage {
        /// The folder.
        path: PathBuf,
    },
    /// A storage file is not of the kind that the metadata or the files before it say.
    #[error("{}: expected {expected} storage as the rest of the bag, found {found}", path.display())]
    StorageMismatch {
        /// The file.
        path: PathBuf,
        /// The bag's storage.
        expected: &'static str,
        /// The file's storage.
        found: &'static str,
    },
    /// A file whose content is neither MCAP nor SQLite.
    #[error("{}: expected an MCAP or SQLite3 recording, found {found}", path.display())]
    UnknownStorage {
        /// The file.
        path: PathBuf,
        /// What it starts with.
        found: String,
    },
    /// `metadata.yaml` does not parse or misses a field.
    #[error("{}: {message}", path.display())]
    Metadata {
        /// The metadata file.
        path: PathBuf,
        /// Field, expected and found.
        message: String,
    },
    /// A file that `metadata.yaml` lists is missing.
    #[error("{}: relative_file_paths names '{file}', which is not there", path.display())]
    MissingFile {
        /// The metadata file.
        path: PathBuf,
        /// The listed name.
        file: String,
    },
    /// A compression that is not read.
    #[error("{}: expected no compression or zstd per file or per message, found {found}; \
             `ros2 bag convert` writes the bag without it", path.display())]
    UnknownCompression {
        /// The file or its metadata.
        path: PathBuf,
        /// What the metadata, the name or the first bytes say.
        found: String,
    },
    /// A compressed storage file is damaged; what lies before was readable.
    #[error("{}: damaged zstd data behind byte {offset} of its content: {message}", path.display())]
    Packed {
        /// The compressed file.
        path: PathBuf,
        /// How much of the content could be decompressed.
        offset: u64,
        /// What is wrong.
        message: String,
    },
    /// The content of a compressed storage file does not fit where temporary files go.
    #[error("{}: decompressing it needs {} in '{}', which has {} free; TMPDIR names another folder",
            path.display(), Size(*needed), folder.display(), Size(Some(*free)))]
    NoSpace {
        /// The compressed file.
        path: PathBuf,
        /// Where temporary files go.
        folder: PathBuf,
        /// Size of the content, bytes, where the file says it.
        needed: Option<u64>,
        /// Free there, bytes.
        free: u64,
    },
    /// One message cannot be decompressed; the others are.
    #[error("{}: message of topic '{topic}' logged at {log_time}: {message}", path.display())]
    Message {
        /// The storage file.
        path: PathBuf,
        /// Its topic.
        topic: String,
        /// Its log time.
        log_time: Stamp,
        /// What was expected and what was found.
        message: String,
    },
    /// A file has more than one damage.
    #[error("{first}; {more} more of the kind in this file")]
    Several {
        /// The first in reading order.
        first: Box<BagError>,
        /// How many follow.
        more: u64,
    },
    /// An MCAP file is damaged; what lies before was readable.
    #[error("{}: damaged at byte {offset}: {message}", path.display())]
    Mcap {
        /// The file.
        path: PathBuf,
        /// Where the damaged record starts.
        offset: u64,
        /// What was expected and what was found.
        message: String,
    },
    /// An SQLite file is damaged or no rosbag2; what lies before was readable.
    #[error("{}: {message}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// The step that failed and what SQLite says.
        message: String,
    },
    /// A filter names a topic the bag does not have.
    #[error("topic index {index} is out of range: the bag has {topics} topics")]
    TopicIndex {
        /// The index asked for.
        index: usize,
        /// How many topics there are.
        topics: usize,
    },
    /// The target of a new recording is already there.
    #[error("{}: already exists, a recording is never overwritten", path.display())]
    Exists {
        /// The target.
        path: PathBuf,
    },
    /// Writing failed.
    #[error("{}: writing failed: {message}", path.display())]
    Write {
        /// The file being written.
        path: PathBuf,
        /// What went wrong.
        message: String,
    },
}

impl From<OutFolderError> for BagError {
    fn from(error: OutFolderError) -> Self {
        match error {
            OutFolderError::NotEmpty(path) | OutFolderError::IsFile(path) => Self::Exists { path },
            OutFolderError::Write { path, reason } => Self::Write { path, message: reason },
        }
    }
}

impl BagError {
    /// An I/O failure at `path`.
    pub(super) fn io(path: &Path, source: std::io::Error) -> Self {
        if source.kind() == std::io::ErrorKind::NotFound {
            return Self::NotFound { path: path.to_path_buf() };
        }
        Self::Io { path: path.to_path_buf(), source: Arc::new(source) }
    }

    /// Damage of an MCAP file at byte `offset`.
    pub(super) fn mcap(path: &Path, offset: u64, message: impl Into<String>) -> Self {
        Self::Mcap { path: path.to_path_buf(), offset, message: message.into() }
    }

    /// A failure of SQLite while doing `step`.
    pub(super) fn sqlite(path: &Path, step: &str, source: &rusqlite::Error) -> Self {
        Self::Sqlite { path: path.to_path_buf(), message: format!("{step}: {source}") }
    }
}

/// Bytes for people.
struct Size(Option<u64>);

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(bytes) => write!(f, "{:.1} MiB", bytes as f64 / f64::from(1 << 20)),
            None => f.write_str("more room than there is"),
        }
    }
}
