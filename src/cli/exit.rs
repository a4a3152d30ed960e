//! Exit codes: the one place where errors become numbers.

use std::io::IsTerminal;
use std::process::ExitCode;

use crate::bag::BagError;
use crate::eval::compare::CompareError;
use crate::eval::run::EvalError;
use crate::import::ImportError;
use crate::inference::InferenceError;
use crate::pipeline::{ParameterError, PipelineError};
use crate::replay::ReplayError;
use crate::sim::corrupt::CorruptError;

/// How a command ended that did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// 0
    Fine,
    /// 1: what was asked for cannot work as configured
    NotReady,
    /// 3: finished, but part of the input could not be decoded
    PartlyDecoded,
    /// 4: `compare` found that a rule is broken
    GateFailed,
}

impl Status {
    /// The process's exit code.
    pub fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Fine => 0,
            Self::NotReady => 1,
            Self::PartlyDecoded => 3,
            Self::GateFailed => 4,
        })
    }
}

/// Why a command gave up.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// 1: usage or configuration
    #[error("{0}")]
    Configuration(String),
    /// 2: unreadable input
    #[error("{0}")]
    Input(String),
}

impl Failure {
    /// The process's exit code.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Configuration(_) => 1,
            Self::Input(_) => 2,
        })
    }
}

impl From<BagError> for Failure {
    fn from(error: BagError) -> Self {
        Self::Input(error.to_string())
    }
}

impl From<ParameterError> for Failure {
    fn from(error: ParameterError) -> Self {
        Self::Configuration(error.to_string())
    }
}

impl From<PipelineError> for Failure {
    fn from(error: PipelineError) -> Self {
        Self::Configuration(error.to_string())
    }
}

impl From<InferenceError> for Failure {
    fn from(error: InferenceError) -> Self {
        Self::Configuration(error.to_string())
    }
}

impl From<ReplayError> for Failure {
    fn from(error: ReplayError) -> Self {
        if error.is_input() { Self::Input(error.to_string()) } else { Self::Configuration(error.to_string()) }
    }
}

impl From<EvalError> for Failure {
    fn from(error: EvalError) -> Self {
        if error.is_input() { Self::Input(error.to_string()) } else { Self::Configuration(error.to_string()) }
    }
}

impl From<CompareError> for Failure {
    fn from(error: CompareError) -> Self {
        if error.is_input() { Self::Input(error.to_string()) } else { Self::Configuration(error.to_string()) }
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        if error.is_input() { Self::Input(error.to_string()) } else { Self::Configuration(error.to_string()) }
    }
}

impl From<CorruptError> for Failure {
    fn from(error: CorruptError) -> Self {
        if error.is_input() { Self::Input(error.to_string()) } else { Self::Configuration(error.to_string()) }
    }
}

/// Warnings to stderr, and how far the build of a TensorRT engine is; `RUST_LOG` asks for more.
pub(super) fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,isobath::inference=info,ort=error"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .without_time()
        .with_target(false)
        .init();
}
