//! What can be wrong with a recording, said so that its owner can act on it.

use std::path::{Path, PathBuf};

/// Everything that reading or writing a recording can fail with.
#[derive(Debug, thiserror::Error)]
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
        source: std::io::Error,
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
    /// rosbag2's own file or message compression (chunk compression inside MCAP is supported).
    #[error("{}: compressed with '{format}' per {mode}, which is not supported yet: \
             decompress it with `ros2 bag convert`", path.display())]
    Compressed {
        /// The bag or its metadata.
        path: PathBuf,
        /// `file` or `message`.
        mode: String,
        /// For example `zstd`.
        format: String,
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

impl BagError {
    /// An I/O failure at `path`.
    pub(super) fn io(path: &Path, source: std::io::Error) -> Self {
        if source.kind() == std::io::ErrorKind::NotFound {
            return Self::NotFound { path: path.to_path_buf() };
        }
        Self::Io { path: path.to_path_buf(), source }
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
