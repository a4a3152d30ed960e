//! Which kernels the operators run on.

use std::env;

use isobath_kernels::{FloatKernel, Int8Kernel};

/// Names the instructions to use at most, to compare them; the fastest of the processor where it is not set.
const VARIABLE: &str = "ISOBATH_SPARSE_KERNELS";

/// The kernels of sparse convolutions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SparseKernels {
    /// In floats
    pub float: FloatKernel,
    /// In 8 bits
    pub int8: Int8Kernel,
}

impl SparseKernels {
    /// The fastest that run here, or those that `ISOBATH_SPARSE_KERNELS` names: a kernel of
    /// [`Int8Kernel::ALL`] or [`FloatKernel::ALL`], with the one of the other kind that goes with it. Fails on
    /// names of none, and of one that this processor lacks.
    pub fn choose() -> Result<Self, String> {
        match env::var(VARIABLE) {
            Err(_) => Ok(Self { float: FloatKernel::best(), int8: Int8Kernel::best() }),
            Ok(name) => Self::named(&name).map_err(|expected| {
                format!("{VARIABLE}: expected one of {expected} of this processor, found '{name}'")
            }),
        }
    }

    /// The pair that `name` tells; the names of all that run here, if it is none of them.
    fn named(name: &str) -> Result<Self, String> {
        use {FloatKernel as F, Int8Kernel as I};
        let pairs = [
            ("avx512", F::Avx512, I::Avx512Vnni),
            ("avx512vnni", F::Avx512, I::Avx512Vnni),
            ("avxvnni", F::Avx2, I::AvxVnni),
            ("avx2", F::Avx2, I::Avx2),
            ("neon_dotprod", F::Neon, I::NeonDot),
            ("neon", F::Neon, I::Neon),
            ("portable", F::Portable, I::Portable),
        ];
        let mut here =
            pairs.into_iter().filter(|(_, float, int8)| float.is_available() && int8.is_available());
        match here.clone().find(|(known, ..)| *known == name) {
            Some((_, float, int8)) => Ok(Self { float, int8 }),
            None => Err(here.by_ref().map(|(known, ..)| known).collect::<Vec<_>>().join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_chooses_both_kernels_or_is_told_what_there_is() {
        let portable = SparseKernels { float: FloatKernel::Portable, int8: Int8Kernel::Portable };
        assert_eq!(SparseKernels::named("portable"), Ok(portable));
        let expected = SparseKernels::named("avx3").unwrap_err();
        assert!(expected.contains("portable"), "{expected}");
        let foreign = if cfg!(target_arch = "x86_64") { "neon" } else { "avx2" };
        assert!(!expected.contains(foreign) && SparseKernels::named(foreign).is_err(), "{expected}");
    }
}
