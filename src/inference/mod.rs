//! Models: folders with a manifest, ONNX Runtime, providers and sessions.
//!
//! In: a model folder and a request (precision, provider, threads). Out: a session whose golden
//! output was checked, or one error that says what was expected and found.
//!
//! The order of work is [`load_library`] (once per process, implied by the first session),
//! [`ModelFolder::find`], [`ModelSession::open`]. [`inspect_onnx`] reads a model file without the
//! library.

mod cache;
mod detection_settings;
mod engine_cache;
mod error;
mod folder;
mod golden;
mod gpu;
mod inspect;
mod library;
mod manifest;
mod model_file;
mod precision;
mod progress;
mod provider;
#[cfg(test)]
mod row_tests;
mod session;
mod shape_profile;
mod sparse;
mod tensor_buffer;
mod tensor_spec;
#[cfg(test)]
mod tests;

pub use cache::cache_folder;
pub use detection_settings::{
    AnchorSettings, DetectionInterface, DetectionSettings, DirectionSettings, Placement, SuppressionRule,
};
pub use error::InferenceError;
pub use folder::{ModelFolder, model_roots};
pub use golden::GoldenFile;
pub use inspect::{FolderSummary, OnnxSummary, TensorSummary, inspect_folder, inspect_onnx};
pub use library::{LibraryInfo, load_library, search_paths};
pub use manifest::{
    DepthSettings, EncoderTensors, FusionRule, Golden, Manifest, ModelFile, ModelKind, OperatorSet,
    PriorEncoding, Tolerance,
};
pub use precision::Precision;
pub use provider::Provider;
pub use session::{ModelSession, SessionOptions};
pub use sparse::SparseKernels;
pub use tensor_spec::{Dimension, ElementType, TensorSpec};
