//! Why nothing can be measured.

use std::path::PathBuf;

use crate::bag::BagError;
use crate::inference::InferenceError;
use crate::pipeline::{ParameterError, PipelineError};
use crate::replay::ReplayError;
use crate::sim::{SceneError, SimulationError};

/// Why nothing can be measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A model folder cannot be used
    #[error(transparent)]
    Model(#[from] InferenceError),
    /// A model cannot be loaded into its pipeline
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// A parameter does not fit
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// None of the models has a precision that was asked for
    #[error("--precision {asked}: expected one that a model has ({found}), found none with it")]
    NoPrecision {
        /// What was asked for
        asked: String,
        /// What there is
        found: String,
    },
    /// An option outside its range
    #[error("{name}: expected {expected}, found {found}")]
    Option {
        /// The option
        name: &'static str,
        /// What is allowed
        expected: &'static str,
        /// What was given
        found: String,
    },
    /// The recording cannot be read, or has topics of another type
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The recording cannot be read
    #[error(transparent)]
    Bag(#[from] BagError),
    /// The recording has nothing for a model
    #[error(
        "bag '{bag}': expected frames for {node} on topic '{topic}', found none; --remap <input>:=<topic> names \
         another, it has {found}"
    )]
    NoFrames {
        /// The recording
        bag: PathBuf,
        /// The pipeline
        node: &'static str,
        /// The topic that starts its frames
        topic: String,
        /// Topics of the recording
        found: String,
    },
    /// A frame could not be computed
    #[error("model '{model}': {reason}")]
    Frame {
        /// The model
        model: String,
        /// Why
        reason: String,
        /// Whether the input is at fault
        is_input: bool,
    },
    /// The input could not be simulated
    #[error("simulating an input failed: {0}")]
    Simulation(#[from] SimulationError),
    /// The input's scene could not be built
    #[error(transparent)]
    Scene(#[from] SceneError),
    /// The process that measures memory failed
    #[error("measuring memory failed: {0}")]
    Memory(String),
    /// A temporary file cannot be written
    #[error("temporary folder: {0}")]
    Temporary(#[from] std::io::Error),
}

impl BenchError {
    /// Whether the input is at fault, rather than the configuration.
    pub fn is_input(&self) -> bool {
        match self {
            Self::Bag(_) => true,
            Self::Replay(error) => error.is_input(),
            Self::Frame { is_input, .. } => *is_input,
            _ => false,
        }
    }
}
