//! Number formats a model folder can offer.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::InferenceError;

/// The number format of a model file, and whether its convolutions are sparse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32-bit float, dense.
    Fp32,
    /// 16-bit float weights; inputs and outputs stay 32-bit.
    Fp16,
    /// Unsigned 8-bit activations, signed weights: for CPUs.
    Int8,
    /// Signed 8-bit activations and weights: for TensorRT.
    Int8Sym,
    /// 32-bit float on active cells only.
    SparseFp32,
    /// 8-bit integers on active cells only.
    SparseInt8,
}

impl Precision {
    /// All, in the order of documentation.
    pub const ALL: [Self; 6] =
        [Self::Fp32, Self::Fp16, Self::Int8, Self::Int8Sym, Self::SparseFp32, Self::SparseInt8];

    /// The word used in manifests and parameters.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fp32 => "fp32",
            Self::Fp16 => "fp16",
            Self::Int8 => "int8",
            Self::Int8Sym => "int8_sym",
            Self::SparseFp32 => "sparse_fp32",
            Self::SparseInt8 => "sparse_int8",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Precision {
    type Err = InferenceError;

    fn from_str(word: &str) -> Result<Self, InferenceError> {
        Self::ALL.into_iter().find(|p| p.as_str() == word).ok_or_else(|| InferenceError::UnknownName {
            what: "precision",
            found: word.to_owned(),
            expected: Self::ALL.map(Self::as_str).join(", "),
        })
    }
}
