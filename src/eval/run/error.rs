//! Why runs cannot be scored.

use std::path::PathBuf;

use crate::bag::BagError;
use crate::replay::ReplayError;

/// Why runs cannot be scored.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// A bag cannot be read.
    #[error(transparent)]
    Bag(#[from] BagError),
    /// A bag that `run.json` names is not there.
    #[error("{}: names bag '{bag}', which is not there; --truth <bag> names the one with the truth", run.display())]
    MovedBag {
        /// `run.json`.
        run: PathBuf,
        /// As it is named there.
        bag: String,
    },
    /// `run.json` cannot be used.
    #[error("{}: {reason}", path.display())]
    RunFile {
        /// The file.
        path: PathBuf,
        /// Expected and found.
        reason: String,
    },
    /// A remapping that is none.
    #[error(transparent)]
    Remap(#[from] ReplayError),
    /// A topic that was asked for is not there.
    #[error("bag '{}': expected a topic '{topic}' ({type_name}), found {found}", bag.display())]
    NoTopic {
        /// Bag.
        bag: PathBuf,
        /// As asked for.
        topic: String,
        /// Its type.
        type_name: &'static str,
        /// Topics of the bag.
        found: String,
    },
    /// A topic has another type.
    #[error("bag '{}', topic '{topic}': expected type {expected}, found {found}", bag.display())]
    TopicType {
        /// Bag.
        bag: PathBuf,
        /// Topic.
        topic: String,
        /// Expected type.
        expected: &'static str,
        /// Its type.
        found: String,
    },
    /// A bag without outputs.
    #[error("bag '{}': expected topics '{depth}' or '{detections}' as the nodes publish them, found {found}", bag.display())]
    NoOutputs {
        /// Bag.
        bag: PathBuf,
        /// Depth topic.
        depth: String,
        /// Detection topic.
        detections: String,
        /// Topics of the bag.
        found: String,
    },
    /// Outputs of several bags that cannot be told apart.
    #[error(
        "{}: expected outputs_per_bag for its {bags} bags, found {found}; replay them again, or each into a folder \
         of its own", run.display()
    )]
    BagsOfRun {
        /// `run.json`.
        run: PathBuf,
        /// How many bags it names.
        bags: usize,
        /// What it says of them.
        found: String,
    },
    /// Truth and outputs cannot be compared.
    #[error("{0}")]
    Incomparable(String),
    /// The report cannot be written.
    #[error("cannot write '{}': {reason}", path.display())]
    Write {
        /// File.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A thread ended early.
    #[error("the thread that scores {0} ended before its work did")]
    Thread(&'static str),
}

impl EvalError {
    /// Whether the input is at fault, rather than the configuration.
    pub const fn is_input(&self) -> bool {
        matches!(self, Self::Bag(_) | Self::MovedBag { .. } | Self::RunFile { .. })
    }
}
