//! Why runs cannot be ablated.

use std::path::PathBuf;

use crate::eval::compare::CompareError;
use crate::eval::run::EvalError;
use crate::inference::InferenceError;
use crate::replay::ReplayError;

/// Why runs cannot be ablated.
#[derive(Debug, thiserror::Error)]
pub enum AblationError {
    /// Not something that can be played again.
    #[error("--ablate: '{}': {reason}", run.display())]
    NotAgain {
        /// As it was given.
        run: PathBuf,
        /// Expected and found.
        reason: String,
    },
    /// Its model or its bags have nothing to do with radars.
    #[error("--ablate: '{}': {reason}", run.display())]
    NoRadar {
        /// As it was given.
        run: PathBuf,
        /// Expected and found.
        reason: String,
    },
    /// Outputs cannot be scored.
    #[error(transparent)]
    Score(#[from] EvalError),
    /// A bag cannot be played.
    #[error("--ablate: {0}")]
    Replay(#[from] ReplayError),
    /// A model cannot be found.
    #[error("--ablate: {0}")]
    Model(#[from] InferenceError),
    /// Conditions cannot be compared.
    #[error("--ablate: {0}")]
    Compare(#[from] CompareError),
    /// A temporary folder cannot be tidied.
    #[error("cannot remove '{}': {reason}", path.display())]
    Remove {
        /// Folder.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
}

impl AblationError {
    /// Whether the input is at fault, rather than the configuration.
    pub fn is_input(&self) -> bool {
        match self {
            Self::Score(error) => error.is_input(),
            Self::Replay(error) => error.is_input(),
            Self::Compare(error) => error.is_input(),
            Self::NotAgain { .. } | Self::NoRadar { .. } | Self::Model(_) | Self::Remove { .. } => false,
        }
    }
}
