//! Why a replay cannot start or go on.

use std::path::{Path, PathBuf};

use super::{CalibrationError, Difference};
use crate::bag::{BagError, OutFolderError};
use crate::pipeline::PipelineError;

/// Why a replay cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A bag cannot be read
    #[error(transparent)]
    Bag(BagError),
    /// A bag without a single message
    #[error("bag '{0}': expected messages, found none")]
    EmptyBag(PathBuf),
    /// The calibration file cannot be used
    #[error(transparent)]
    Calibration(#[from] CalibrationError),
    /// The section wanted begins behind the bag
    #[error("--start: expected at most the {seconds:.3} s of bag '{bag}', found {found}")]
    StartBehindEnd {
        /// Bag
        bag: PathBuf,
        /// How long it is
        seconds: f64,
        /// Where to start
        found: f64,
    },
    /// The results cannot be written
    #[error("cannot write '{path}': {reason}")]
    Write {
        /// File or folder
        path: PathBuf,
        /// What the system said
        reason: String,
    },
    /// A pipeline cannot be built
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The folder for the results holds something
    #[error("folder '{0}' is not empty; give another --out, or --resume to go on with an unfinished run")]
    OutNotEmpty(PathBuf),
    /// There is nothing to resume
    #[error(
        "--resume: expected a run of replay or an empty folder, found something else in '{0}'; give another --out"
    )]
    NotARun(PathBuf),
    /// Another run is in the folder
    #[error(
        "--resume: the run in '{out}' was started with {name} {was}, found {is}; give another --out, or what it was \
         started with",
        out = out.display(), name = difference.name, was = difference.was, is = difference.is
    )]
    OtherRun {
        /// Folder
        out: PathBuf,
        /// Where they differ
        difference: Difference,
    },
    /// Another process writes to the folder
    #[error("folder '{0}': another process is writing to it")]
    InUse(PathBuf),
    /// What an earlier attempt recorded is not what the run comes to
    #[error("'{path}': expected {expected}, found {found}; remove the folder and start again")]
    Stored {
        /// Recording of the earlier attempt
        path: PathBuf,
        /// What the run would record
        expected: String,
        /// What there is
        found: String,
    },
    /// The bag does not give the frames that an earlier attempt recorded
    #[error(
        "--resume: expected {expected} of node '{node}' as it was recorded before, found {found}; remove --out and start again"
    )]
    Unmatched {
        /// Node
        node: &'static str,
        /// Frame of the earlier attempt
        expected: String,
        /// What came now
        found: String,
    },
    /// A file cannot be read
    #[error("cannot read '{path}': {reason}")]
    Read {
        /// File
        path: PathBuf,
        /// What the system said
        reason: String,
    },
    /// A remapping that is none
    #[error("remapping '{0}': expected <from>:=<to> with a topic name on each side")]
    RemapSyntax(String),
    /// A remapping that names no input
    #[error("remapping '{0}': neither side is an input; the inputs are {1}")]
    RemapUnknown(String, String),
    /// A topic with another type than its input has
    #[error("bag '{bag}', topic '{topic}': expected type {expected} for input '{input}', found {found}")]
    TopicType {
        /// Bag
        bag: PathBuf,
        /// Topic in the bag
        topic: String,
        /// Input it serves
        input: String,
        /// Type of the input
        expected: &'static str,
        /// Type in the bag
        found: String,
    },
    /// A topic that is not CDR
    #[error("bag '{bag}', topic '{topic}': expected messages encoded as cdr, found '{found}'")]
    Encoding {
        /// Bag
        bag: PathBuf,
        /// Topic in the bag
        topic: String,
        /// Its encoding
        found: String,
    },
    /// Nothing in the bag triggers a pipeline
    #[error(
        "bag '{bag}' has none of the topics {expected}; --remap <input>:=<topic> names others, it has {found}"
    )]
    NoInput {
        /// Bag
        bag: PathBuf,
        /// Inputs that trigger a pipeline
        expected: String,
        /// Topics of the bag
        found: String,
    },
    /// A number that makes no sense
    #[error("{name}: expected {expected}, found {found}")]
    Option {
        /// Option
        name: &'static str,
        /// What is allowed
        expected: &'static str,
        /// What was given
        found: String,
    },
    /// A thread ended early
    #[error("the {0} thread ended before the replay did")]
    Thread(&'static str),
}

impl From<OutFolderError> for ReplayError {
    fn from(error: OutFolderError) -> Self {
        match error {
            OutFolderError::NotEmpty(path) => Self::OutNotEmpty(path),
            OutFolderError::IsFile(path) => Self::Write { path, reason: "it is a file".to_owned() },
            OutFolderError::Write { path, reason } => Self::Write { path, reason },
        }
    }
}

impl ReplayError {
    pub(super) fn write(path: &Path, error: &impl ToString) -> Self {
        Self::Write { path: path.to_owned(), reason: error.to_string() }
    }

    pub(super) fn read(path: &Path, error: &impl ToString) -> Self {
        Self::Read { path: path.to_owned(), reason: error.to_string() }
    }

    /// Whether the input is at fault, rather than the configuration.
    pub fn is_input(&self) -> bool {
        matches!(self, Self::Bag(_) | Self::EmptyBag(_) | Self::Encoding { .. })
    }
}
