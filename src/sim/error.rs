//! What can go wrong in a simulation.

use std::path::{Path, PathBuf};

use crate::bag::BagError;
use crate::geometry::CameraError;

/// Why a scene could not be simulated.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SimulationError {
    /// The scene file's camera cannot be.
    #[error("sensors.camera: {0}")]
    Camera(CameraError),
    /// The scene file names a sensor that is not there.
    #[error("{key}: expected one of {expected}, found '{found}'")]
    UnknownModel {
        /// Where in the scene file.
        key: &'static str,
        /// The names there are.
        expected: String,
        /// The name found.
        found: String,
    },
    /// The recording could not be written.
    #[error(transparent)]
    Bag(#[from] BagError),
    /// A file of the results could not be written.
    #[error("{}: writing failed: {reason}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The folder for the results holds something.
    #[error("{}: expected an empty or new folder for the results", .0.display())]
    OutNotEmpty(PathBuf),
    /// Nothing was asked for.
    #[error("expected at least one frame to export")]
    NoFrames,
    /// The thread that writes has ended early.
    #[error("writing the recording ended early")]
    WriterGone,
}

impl SimulationError {
    pub(super) fn unknown_model(key: &'static str, names: &[&str], found: &str) -> Self {
        Self::UnknownModel { key, expected: names.join(" "), found: found.to_owned() }
    }

    pub(super) fn write(path: &Path, error: &std::io::Error) -> Self {
        Self::Write { path: path.to_owned(), reason: error.to_string() }
    }
}
