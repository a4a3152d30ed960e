//! Why a recording cannot be corrupted as asked for.

use std::path::PathBuf;

use super::Kind;
use crate::bag::{BagError, OutFolderError};

/// Why a recording cannot be corrupted as asked for.
#[derive(Debug, thiserror::Error)]
pub enum CorruptError {
    /// The recording cannot be read, or the new one not be written
    #[error(transparent)]
    Bag(#[from] BagError),
    /// The folder for the new recording cannot take it
    #[error(transparent)]
    Out(#[from] OutFolderError),
    /// No kind was asked for
    #[error("--kind: expected at least one kind, found none; --kind help lists them")]
    NoKind,
    /// A kind that is none
    #[error("--kind: expected a kind of corruption, found '{found}'{}", suggestion(nearest.as_ref()))]
    UnknownKind {
        /// What was given
        found: String,
        /// The kind whose name is near
        nearest: Option<String>,
    },
    /// A kind that was asked for twice
    #[error("--kind: expected each kind once, found {0} twice")]
    Twice(Kind),
    /// A severity that is none
    #[error("--severity: expected a whole number from 1 to 5, found '{found}'")]
    Severity {
        /// What was given
        found: String,
    },
    /// Nothing to corrupt
    #[error("--kind {kind}: expected {expected} in bag '{bag}', found {found}")]
    NoTopic {
        /// The kind
        kind: Kind,
        /// What it corrupts
        expected: &'static str,
        /// The bag
        bag: PathBuf,
        /// Its topics
        found: String,
    },
    /// A topic that the bag lacks
    #[error("--topic: expected a topic of bag '{bag}' ({expected}), found '{found}'")]
    UnknownTopic {
        /// The bag
        bag: PathBuf,
        /// Its topics
        expected: String,
        /// What was given
        found: String,
    },
    /// A topic that no kind may touch
    #[error("--topic {topic}: expected a topic that {kinds} can corrupt, found {found}")]
    WrongTopic {
        /// The topic
        topic: String,
        /// The kinds asked for
        kinds: String,
        /// What it is
        found: String,
    },
    /// Points that do not tell what a kind goes by
    #[error("--kind {kind}: expected clouds with an intensity, found fields {found} on topic '{topic}'")]
    NoIntensity {
        /// The kind
        kind: Kind,
        /// The topic
        topic: String,
        /// Fields of its first cloud
        found: String,
    },
    /// Messages that are not CDR
    #[error("bag '{bag}', topic '{topic}': expected messages encoded as cdr, found '{found}'")]
    Encoding {
        /// The bag
        bag: PathBuf,
        /// The topic
        topic: String,
        /// Its encoding
        found: String,
    },
}

impl CorruptError {
    /// Whether the input is at fault, rather than what was asked for.
    pub const fn is_input(&self) -> bool {
        matches!(self, Self::Bag(_) | Self::Encoding { .. })
    }
}

fn suggestion(nearest: Option<&String>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean {name}?"))
}
