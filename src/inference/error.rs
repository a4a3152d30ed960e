//! What can go wrong between a model's name and its output.

use std::path::PathBuf;

use super::{Precision, Provider};

/// One sentence each: where, what was expected, what was found.
#[derive(Debug, thiserror::Error)]
pub enum InferenceError {
    /// No ONNX Runtime library in any of the places.
    #[error(
        "ONNX Runtime was not found: looked at {}; run `cargo xtask setup` or set ISOBATH_ORT_LIBRARY to a libonnxruntime.so",
        join_paths(.looked_at)
    )]
    LibraryMissing {
        /// Every path tried, in order.
        looked_at: Vec<PathBuf>,
    },
    /// The library a user named is not a file.
    #[error("{named_by} names {path}, expected a libonnxruntime.so, found no such file", path = .path.display())]
    LibraryNamedMissing {
        /// The environment variable, or what else named it.
        named_by: &'static str,
        /// The path it named.
        path: PathBuf,
    },
    /// The file is there but is no loadable ONNX Runtime.
    #[error("{}: expected an ONNX Runtime library, found: {reason}", .path.display())]
    LibraryUnusable {
        /// The library file.
        path: PathBuf,
        /// What the loader said.
        reason: String,
    },
    /// The library lacks the API level this program needs.
    #[error("{}: expected ONNX Runtime 1.{required} or newer, found {found}", .path.display())]
    LibraryTooOld {
        /// The library file.
        path: PathBuf,
        /// Lowest usable minor version.
        required: u32,
        /// Version string of the library.
        found: String,
    },
    /// A process can hold one library only.
    #[error("{} was asked for, but this process already uses {}", .asked.display(), .loaded.display())]
    LibraryAlreadyLoaded {
        /// The library asked for now.
        asked: PathBuf,
        /// The library loaded before.
        loaded: PathBuf,
    },
    /// No folder of that name on the search path.
    #[error(
        "model {name:?} was not found in {}{}; models there: {}",
        join_paths(.looked_in),
        .nearest.as_ref().map(|n| format!(", did you mean {n:?}?")).unwrap_or_default(),
        join_names(.available)
    )]
    ModelNotFound {
        /// The name asked for.
        name: String,
        /// Folders searched, in order.
        looked_in: Vec<PathBuf>,
        /// Names of the models found there.
        available: Vec<String>,
        /// The most similar of them.
        nearest: Option<String>,
    },
    /// A folder without `model.yaml`.
    #[error("{}: expected a model.yaml in the model folder, found {}", .path.display(), join_names(.found))]
    NoManifest {
        /// The folder.
        path: PathBuf,
        /// File names in it.
        found: Vec<String>,
    },
    /// The manifest is not what the schema says.
    #[error("{}: {reason}", .path.display())]
    Manifest {
        /// The manifest file.
        path: PathBuf,
        /// Field, expected and found.
        reason: String,
    },
    /// A file could not be read.
    #[error("{}: expected a readable {what}, found: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A file's content is not what the manifest promises.
    #[error("{}: expected SHA-256 {expected}, found {found}", .path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// From the manifest, lower-case hex.
        expected: String,
        /// Of the file, lower-case hex.
        found: String,
    },
    /// A file that is no ONNX model, or a damaged one.
    #[error("{}: expected an ONNX model, found: {reason}", .path.display())]
    NotOnnx {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
    /// A tensor differs between manifest and model.
    #[error("{}: {side} tensor {name:?}: expected {expected}, found {found}", .path.display())]
    Tensor {
        /// The model file.
        path: PathBuf,
        /// `input` or `output`.
        side: &'static str,
        /// Name of the tensor.
        name: String,
        /// From the manifest.
        expected: String,
        /// In the model.
        found: String,
    },
    /// The folder has no file of that precision.
    #[error("{}: expected a model file of precision {asked}, found {}", .path.display(), join_names(.found))]
    PrecisionMissing {
        /// The model folder.
        path: PathBuf,
        /// The precision asked for.
        asked: Precision,
        /// The precisions present.
        found: Vec<String>,
    },
    /// The library was built without the named provider.
    #[error(
        "{}: expected provider {provider}, found ONNX Runtime {version} at {} with {} alone; set ISOBATH_ORT_LIBRARY to a build with it",
        .path.display(), .library.display(), .built_with
    )]
    ProviderNotBuiltIn {
        /// The model file.
        path: PathBuf,
        /// The provider asked for.
        provider: Provider,
        /// The library in use.
        library: PathBuf,
        /// Its version.
        version: String,
        /// The providers it has.
        built_with: String,
    },
    /// The named provider cannot run this model here.
    #[error("{}: expected provider {provider} to run the whole model, found: {reason}", .path.display())]
    ProviderUnavailable {
        /// The model file.
        path: PathBuf,
        /// The provider asked for.
        provider: Provider,
        /// What ONNX Runtime said.
        reason: String,
    },
    /// A word that names no provider or precision.
    #[error("unknown {what} {found:?}, expected one of {expected}")]
    UnknownName {
        /// `provider` or `precision`.
        what: &'static str,
        /// The word found.
        found: String,
        /// All words that would do.
        expected: String,
    },
    /// ONNX Runtime refused the model.
    #[error("{}: ONNX Runtime could not make a session: {reason}", .path.display())]
    Session {
        /// The model file.
        path: PathBuf,
        /// What ONNX Runtime said.
        reason: String,
    },
    /// ONNX Runtime failed on a frame.
    #[error("{}: inference failed: {reason}", .path.display())]
    Run {
        /// The model file.
        path: PathBuf,
        /// What ONNX Runtime said.
        reason: String,
    },
    /// A run of no rows, or of more than the manifest allows.
    #[error("{}: expected 1 to {most} rows of {rows}, found {found}", .path.display())]
    Rows {
        /// The model file.
        path: PathBuf,
        /// Their name.
        rows: String,
        /// From the manifest.
        most: usize,
        /// Rows asked for.
        found: usize,
    },
    /// Values for an input that holds another number of them.
    #[error("{}: input {role:?}: expected {expected} values, found {found}", .path.display())]
    InputLength {
        /// The model file.
        path: PathBuf,
        /// Role of the input.
        role: String,
        /// Values that it holds now; 0 when the model has no such input.
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// The golden file lacks an array, or one has another shape.
    #[error("{}: array {array:?}: expected {expected}, found {found}", .path.display())]
    GoldenArray {
        /// The golden file.
        path: PathBuf,
        /// Name of the array.
        array: String,
        /// Type and shape from the manifest.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The manifest states no tolerance for this precision and provider.
    #[error("{}: expected golden.tolerance.{precision}.{provider}, found none", .path.display())]
    NoTolerance {
        /// The manifest file.
        path: PathBuf,
        /// The precision asked for.
        precision: Precision,
        /// The provider asked for.
        provider: Provider,
    },
    /// The model computes something else here than where it was made.
    #[error(
        "{}: output {role:?} differs from the golden output on {provider}: expected within abs {abs:e} + rel {rel:e}, found max abs error {max_abs:e}, max rel error {max_rel:e} in {count} of {total} values",
        .path.display()
    )]
    GoldenMismatch {
        /// The model file.
        path: PathBuf,
        /// Role of the output.
        role: String,
        /// Provider in use.
        provider: Provider,
        /// Absolute tolerance.
        abs: f32,
        /// Relative tolerance.
        rel: f32,
        /// Largest absolute error; infinite when only one of the two is finite.
        max_abs: f32,
        /// Largest relative error where the golden value is not 0.
        max_rel: f32,
        /// Values outside the tolerance.
        count: usize,
        /// Values compared.
        total: usize,
    },
    /// Its golden output is within the tolerance value by value, but further off in the mean.
    #[error(
        "{}: output {role:?} differs from the golden output on {provider}: expected a mean abs error of at most {mean:e}, found {mean_abs:e}",
        .path.display()
    )]
    GoldenMean {
        /// The model file.
        path: PathBuf,
        /// Role of the output.
        role: String,
        /// Provider in use.
        provider: Provider,
        /// Most that was allowed.
        mean: f32,
        /// What it is.
        mean_abs: f64,
    },
}

fn join_paths(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
    join_names(&names)
}

fn join_names(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
