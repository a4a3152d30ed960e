//! Why two depth images cannot be compared.

use crate::sensor::SensorError;

/// Why two depth images cannot be compared.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DepthEvalError {
    /// An image is damaged or of an encoding that is no depth.
    #[error("{which}: {source}")]
    Image {
        /// Truth, prediction or confidence.
        which: &'static str,
        /// What is wrong with it.
        source: SensorError,
    },
    /// Truth and prediction show different fields of view.
    #[error(
        "depth truth: expected the proportions of the prediction, {}x{}, found {}x{}", expected.0, expected.1,
        found.0, found.1
    )]
    Proportions {
        /// Columns and rows of the prediction.
        expected: (u32, u32),
        /// Columns and rows of the truth.
        found: (u32, u32),
    },
    /// An image that goes with the prediction has another size.
    #[error(
        "{which}: expected the size of the prediction, {}x{}, found {}x{}", expected.0, expected.1, found.0,
        found.1
    )]
    Size {
        /// Which image.
        which: &'static str,
        /// Columns and rows of the prediction.
        expected: (u32, u32),
        /// Its own.
        found: (u32, u32),
    },
}
