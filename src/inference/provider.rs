//! Where a session computes.

use std::{fmt, path::Path, str::FromStr};

use ort::ep::{CUDA, ExecutionProvider, ExecutionProviderDispatch, TensorRT};
use serde::{Deserialize, Serialize};

use super::{InferenceError, Precision, load_library, shape_profile::ShapeProfile};

/// An execution provider of ONNX Runtime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// The processor: always there.
    #[default]
    Cpu,
    /// NVIDIA CUDA.
    Cuda,
    /// NVIDIA TensorRT; what it cannot run goes to CUDA.
    TensorRt,
}

impl Provider {
    /// All, in the order of documentation.
    pub const ALL: [Self; 3] = [Self::Cpu, Self::Cuda, Self::TensorRt];

    /// The word used in manifests and parameters.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::TensorRt => "tensorrt",
        }
    }

    /// Whether the loaded ONNX Runtime was built with this provider. Only opening a session tells
    /// whether it also runs here: its own libraries and the device may still be missing.
    pub fn is_built_in(self) -> Result<bool, InferenceError> {
        let library = load_library(None)?;
        match self {
            Self::Cpu => Ok(true),
            Self::Cuda => CUDA::is_available(),
            Self::TensorRt => TensorRT::is_available(),
        }
        .map_err(|e| InferenceError::LibraryUnusable { path: library.path, reason: e.to_string() })
    }

    /// Precisions from most to least preferred when the user leaves the choice open.
    pub(super) const fn preference(self) -> &'static [Precision] {
        match self {
            Self::Cpu => &[Precision::SparseInt8, Precision::Int8, Precision::SparseFp32, Precision::Fp32],
            Self::Cuda => &[Precision::Fp16, Precision::Fp32],
            Self::TensorRt => &[Precision::Int8Sym, Precision::Fp16, Precision::Fp32],
        }
    }

    /// What to register. Each entry fails loudly: ONNX Runtime would otherwise use the CPU unasked.
    /// `engines` is the folder where TensorRT keeps what it builds, `profile` the shapes that they serve.
    pub(super) fn dispatch(
        self,
        precision: Precision,
        engines: Option<&Path>,
        profile: Option<&ShapeProfile>,
    ) -> Vec<ExecutionProviderDispatch> {
        match self {
            Self::Cpu => Vec::new(),
            Self::Cuda => vec![CUDA::default().build().error_on_failure()],
            Self::TensorRt => {
                let mut tensorrt = TensorRT::default()
                    .with_fp16(matches!(precision, Precision::Fp16 | Precision::Int8Sym))
                    .with_int8(matches!(precision, Precision::Int8Sym));
                if let Some(ShapeProfile { min, usual, max }) = profile {
                    tensorrt = tensorrt
                        .with_profile_min_shapes(min)
                        .with_profile_opt_shapes(usual)
                        .with_profile_max_shapes(max);
                }
                if let Some(folder) = engines {
                    let folder = folder.to_string_lossy();
                    tensorrt = tensorrt
                        .with_engine_cache(true)
                        .with_engine_cache_path(&folder)
                        .with_timing_cache(true)
                        .with_timing_cache_path(&folder);
                }
                vec![tensorrt.build().error_on_failure(), CUDA::default().build().error_on_failure()]
            }
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Provider {
    type Err = InferenceError;

    fn from_str(word: &str) -> Result<Self, InferenceError> {
        Self::ALL.into_iter().find(|p| p.as_str() == word).ok_or_else(|| InferenceError::UnknownName {
            what: "provider",
            found: word.to_owned(),
            expected: Self::ALL.map(Self::as_str).join(", "),
        })
    }
}
