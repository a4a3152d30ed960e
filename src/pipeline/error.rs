//! What can go wrong in a pipeline, before the first frame and at one frame.

use crate::inference::InferenceError;
use crate::sync::DropReason;

/// A parameter that cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum ParameterError {
    /// No parameter of this name
    #[error("node '{node}' has no parameter '{name}'; the nearest is '{nearest}'")]
    Unknown {
        /// Node asked
        node: String,
        /// Name given
        name: String,
        /// Most similar declared name
        nearest: String,
    },
    /// A value of another type
    #[error("parameter '{name}' of node '{node}': expected a {expected}, found the {found} '{value}'")]
    Type {
        /// Node asked
        node: String,
        /// Parameter
        name: &'static str,
        /// Declared type
        expected: &'static str,
        /// Type given
        found: &'static str,
        /// Value given
        value: String,
    },
    /// A value outside its range
    #[error("parameter '{name}' of node '{node}': expected {expected}, found '{found}'")]
    Range {
        /// Node asked
        node: String,
        /// Parameter
        name: &'static str,
        /// What is allowed
        expected: String,
        /// Value given
        found: String,
    },
    /// Values that contradict each other
    #[error("parameters of node '{node}': expected {expected}, found {found}")]
    Together {
        /// Node asked
        node: String,
        /// Which values go together
        expected: String,
        /// Values given, with their names
        found: String,
    },
    /// Not `node.parameter=value`
    #[error("expected <node>.<parameter>=<value>, found '{0}'")]
    Assignment(String),
    /// No such node
    #[error("no node is called '{0}'; the nodes are depth and detection")]
    Node(String),
    /// A parameter file that cannot be read
    #[error("parameter file '{path}': {reason}")]
    File {
        /// File
        path: String,
        /// What is wrong, with the place where known
        reason: String,
    },
}

/// Why a pipeline could not be built.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// A parameter is wrong
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// The model or its runtime is not usable
    #[error(transparent)]
    Inference(#[from] InferenceError),
    /// A model of another kind or layout
    #[error("model '{model}' cannot serve node '{node}': {reason}")]
    Model {
        /// Model name
        model: String,
        /// Node that asked for it
        node: &'static str,
        /// Expected and found
        reason: String,
    },
}

/// Why a frame was dropped while it was processed.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub struct FrameError {
    /// The reason it is counted under
    pub reason: DropReason,
    /// One sentence: what was expected, what was found
    pub detail: String,
}

impl FrameError {
    /// A frame whose messages cannot be decoded.
    pub fn undecodable(error: impl std::fmt::Display) -> Self {
        Self { reason: DropReason::Undecodable, detail: error.to_string() }
    }

    /// A frame the model failed on.
    pub fn inference(error: impl std::fmt::Display) -> Self {
        Self { reason: DropReason::InferenceFailed, detail: error.to_string() }
    }
}
