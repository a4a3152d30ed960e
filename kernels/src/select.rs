//! Kernels, and which of them this processor runs.

use crate::{
    KernelError,
    finish::{self, FinishFns},
    tap::{self, TapFn},
};

/// Instructions that convolve floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatKernel {
    /// AVX-512F: x86-64.
    Avx512,
    /// AVX2 and FMA: x86-64.
    Avx2,
    /// NEON: 64-bit Arm.
    Neon,
    /// Plain Rust.
    Portable,
}

/// Instructions that convolve 8-bit integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Int8Kernel {
    /// AVX-512 VNNI: x86-64.
    Avx512Vnni,
    /// VNNI in registers of 256 bits, as AVX-VNNI or as AVX-512 has it: x86-64.
    AvxVnni,
    /// AVX2 with products widened to 16 bits: x86-64.
    Avx2,
    /// NEON with the dot product: 64-bit Arm.
    NeonDot,
    /// NEON with products widened to 16 bits: 64-bit Arm.
    Neon,
    /// Plain Rust.
    Portable,
}

/// What a word of an input row holds for a kernel of integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// Four unsigned values as they are.
    Unsigned4,
    /// Four values less 128, signed.
    Signed4,
    /// Two values less the zero point, 16 bits each.
    Wide2,
}

impl FloatKernel {
    /// All, the fastest of each architecture first.
    pub const ALL: [Self; 4] = [Self::Avx512, Self::Avx2, Self::Neon, Self::Portable];

    /// A word for reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Neon => "neon",
            Self::Portable => "portable",
        }
    }

    /// The fastest that runs here.
    pub fn best() -> Self {
        Self::ALL.into_iter().find(|kernel| kernel.is_available()).unwrap_or(Self::Portable)
    }

    /// Whether this processor has the instructions.
    pub fn is_available(self) -> bool {
        self.functions().is_ok()
    }

    #[cfg(target_arch = "x86_64")]
    pub(crate) fn functions(self) -> Result<(TapFn, FinishFns), KernelError> {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        match self {
            Self::Avx512 if has_avx512() => Ok((tap::float_avx512, finish::AVX512)),
            Self::Avx2 if avx2 => Ok((tap::float_avx2, finish::AVX2)),
            Self::Portable => Ok((tap::float_portable, finish::PORTABLE)),
            _ => Err(KernelError::KernelUnavailable { kernel: self.as_str() }),
        }
    }

    #[cfg(target_arch = "aarch64")]
    pub(crate) fn functions(self) -> Result<(TapFn, FinishFns), KernelError> {
        match self {
            Self::Neon => Ok((tap::float_neon, finish::PORTABLE)),
            Self::Portable => Ok((tap::float_portable, finish::PORTABLE)),
            _ => Err(KernelError::KernelUnavailable { kernel: self.as_str() }),
        }
    }

    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    pub(crate) fn functions(self) -> Result<(TapFn, FinishFns), KernelError> {
        match self {
            Self::Portable => Ok((tap::float_portable, finish::PORTABLE)),
            _ => Err(KernelError::KernelUnavailable { kernel: self.as_str() }),
        }
    }
}

impl Int8Kernel {
    /// All, the fastest of each architecture first.
    pub const ALL: [Self; 6] =
        [Self::Avx512Vnni, Self::AvxVnni, Self::Avx2, Self::NeonDot, Self::Neon, Self::Portable];

    /// A word for reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Avx512Vnni => "avx512vnni",
            Self::AvxVnni => "avxvnni",
            Self::Avx2 => "avx2",
            Self::NeonDot => "neon_dotprod",
            Self::Neon => "neon",
            Self::Portable => "portable",
        }
    }

    /// The fastest that runs here.
    pub fn best() -> Self {
        Self::ALL.into_iter().find(|kernel| kernel.is_available()).unwrap_or(Self::Portable)
    }

    /// Whether this processor has the instructions.
    pub fn is_available(self) -> bool {
        self.functions().is_ok()
    }

    pub(crate) fn word(self) -> Word {
        match self {
            Self::Avx512Vnni | Self::AvxVnni => Word::Unsigned4,
            Self::NeonDot => Word::Signed4,
            Self::Avx2 | Self::Neon | Self::Portable => Word::Wide2,
        }
    }

    #[cfg(target_arch = "x86_64")]
    pub(crate) fn functions(self) -> Result<(TapFn, FinishFns), KernelError> {
        let avx512_vnni = has_avx512() && is_x86_feature_detected!("avx512vnni");
        let avx2 = is_x86_feature_detected!("avx2");
        match self {
            Self::Avx512Vnni if avx512_vnni => Ok((tap::dot_avx512_vnni, finish::AVX512)),
            Self::AvxVnni if avx2 && is_x86_feature_detected!("avxvnni") => {
                Ok((tap::dot_avx_vnni, finish::AVX2))
            }
            Self::AvxVnni if avx2 && avx512_vnni => Ok((tap::dot_avx512_vnni_256, finish::AVX2)),
            Self::Avx2 if avx2 => Ok((tap::wide_avx2, finish::AVX2)),
            Self::Portable => Ok((tap::wide_portable, finish::PORTABLE)),
            _ => Err(KernelError::KernelUnavailable { kernel: self.as_str() }),
        }
    }

    #[cfg(target_arch = "aarch64")]
    pub(crate) fn functions(self) -> Result<(TapFn, FinishFns), KernelError> {
        match self {
            Self::NeonDot if std::arch::is_aarch64_feature_detected!("dotprod") => {
                Ok((tap::dot_neon, finish::PORTABLE))
            }
            Self::Neon => Ok((tap::wide_neon, finish::PORTABLE)),
            Self::Portable => Ok((tap::wide_portable, finish::PORTABLE)),
            _ => Err(KernelError::KernelUnavailable { kernel: self.as_str() }),
        }
    }

    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    pub(crate) fn functions(self) -> Result<(TapFn, FinishFns), KernelError> {
        match self {
            Self::Portable => Ok((tap::wide_portable, finish::PORTABLE)),
            _ => Err(KernelError::KernelUnavailable { kernel: self.as_str() }),
        }
    }
}

/// The parts of AVX-512 that every processor with VNNI or better has.
#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
}
