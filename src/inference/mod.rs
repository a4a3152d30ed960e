//! Models: folders with a manifest, ONNX Runtime, providers and sessions.
//!
//! In: a model folder and a request (precision, provider, threads). Out: a session whose golden
//! output was checked, or one error that says what was expected and found.
//!
//! The order of work is [`load_library`] (once per process, implied by the first session),
//! [`ModelFolder::find`], [`ModelSession::open`]. [`inspect_onnx`] reads a model file without the
//! library.

mod cache;
mod engine_cache;
mod error;
mod folder;
mod golden;
mod gpu;
mod inspect;
mod library;
mod manifest;
mod precision;
mod progress;
mod provider;
mod session;
mod sparse;
#[cfg(test)]
mod tests;

pub use cache::cache_folder;
pub use error::InferenceError;
pub use folder::{ModelFolder, model_roots};
pub use golden::GoldenFile;
pub use inspect::{FolderSummary, OnnxSummary, TensorSummary, inspect_folder, inspect_onnx};
pub use library::{LibraryInfo, load_library, search_paths};
pub use manifest::{
    DepthSettings, DetectionSettings, FusionRule, Golden, Manifest, ModelFile, ModelKind, OperatorSet,
    PriorEncoding, TensorSpec, Tolerance,
};
pub use precision::Precision;
pub use provider::Provider;
pub use session::{ModelSession, SessionOptions};
