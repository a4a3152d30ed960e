//! AVX2, AVX-512 and VNNI.

use std::arch::x86_64::{
    __m256, __m256i, __m512, __m512i, _mm256_add_epi32, _mm256_add_ps, _mm256_dpbusd_avx_epi32,
    _mm256_dpbusd_epi32, _mm256_fmadd_ps, _mm256_load_ps, _mm256_load_si256, _mm256_madd_epi16,
    _mm256_set1_epi32, _mm256_set1_ps, _mm256_store_ps, _mm256_store_si256, _mm512_add_epi32, _mm512_add_ps,
    _mm512_dpbusd_epi32, _mm512_fmadd_ps, _mm512_load_ps, _mm512_load_si512, _mm512_set1_epi32,
    _mm512_set1_ps, _mm512_store_ps, _mm512_store_si512,
};

use super::{Lanes, Tap, run};
use crate::line::Line;

/// Implements [`Lanes`] for registers that hold a whole line.
macro_rules! whole_lines {
    ($name:ident, $doc:literal, $register:ty, $scalar:ty, $word:ty, $load:ident, $store:ident, $set:ident, $add:ident,
     |$sum:ident, $weights:ident, $x:ident| $multiply_add:expr) => {
        #[doc = $doc]
        struct $name;

        // SAFETY: made of instructions that the functions at the end of this file are compiled for.
        unsafe impl Lanes for $name {
            type Sum = $register;
            type Weights = $register;
            type Word = $register;
            // 32 registers: 24 sums, 4 of weights, one word.
            const SUMS: usize = 24;

            #[inline(always)]
            unsafe fn load(line: *const Line) -> $register {
                // SAFETY: a whole line, aligned to 64 bytes.
                unsafe { $load(line.cast()) }
            }

            #[inline(always)]
            unsafe fn store(sum: $register, line: *mut Line) {
                // SAFETY: a whole line, aligned to 64 bytes.
                unsafe { $store(line.cast(), sum) }
            }

            #[inline(always)]
            unsafe fn add(a: $register, b: $register) -> $register {
                // SAFETY: the caller's promise.
                unsafe { $add(a, b) }
            }

            #[inline(always)]
            unsafe fn weights(line: *const Line) -> $register {
                // SAFETY: a whole line, aligned to 64 bytes.
                unsafe { $load(line.cast()) }
            }

            #[inline(always)]
            unsafe fn word(word: *const u8) -> $register {
                // SAFETY: the caller gives four bytes.
                unsafe { $set(word.cast::<$word>().read_unaligned()) }
            }

            #[inline(always)]
            unsafe fn multiply_add($sum: $register, $weights: $register, $x: $register) -> $register {
                // SAFETY: the caller's promise.
                unsafe { $multiply_add }
            }
        }
    };
}

/// Implements [`Lanes`] for two registers a line.
macro_rules! half_lines {
    ($name:ident, $doc:literal, $register:ty, $scalar:ty, $word:ty, $load:ident, $store:ident, $set:ident, $add:ident,
     |$sum:ident, $weights:ident, $x:ident| $multiply_add:expr) => {
        #[doc = $doc]
        struct $name;

        // SAFETY: made of instructions that the functions at the end of this file are compiled for.
        unsafe impl Lanes for $name {
            type Sum = [$register; 2];
            type Weights = [$register; 2];
            type Word = $register;
            // 16 registers: 12 of sums, 2 of weights, one word and one between.
            const SUMS: usize = 6;

            #[inline(always)]
            unsafe fn load(line: *const Line) -> [$register; 2] {
                let line = line.cast::<$scalar>();
                // SAFETY: two halves of a line, aligned to 32 bytes.
                unsafe { [$load(line.cast()), $load(line.add(8).cast())] }
            }

            #[inline(always)]
            unsafe fn store(sum: [$register; 2], line: *mut Line) {
                let line = line.cast::<$scalar>();
                // SAFETY: two halves of a line, aligned to 32 bytes.
                unsafe {
                    $store(line.cast(), sum[0]);
                    $store(line.add(8).cast(), sum[1]);
                }
            }

            #[inline(always)]
            unsafe fn add(a: [$register; 2], b: [$register; 2]) -> [$register; 2] {
                // SAFETY: the caller's promise.
                unsafe { [$add(a[0], b[0]), $add(a[1], b[1])] }
            }

            #[inline(always)]
            unsafe fn weights(line: *const Line) -> [$register; 2] {
                // SAFETY: the caller's promise.
                unsafe { <Self as Lanes>::load(line) }
            }

            #[inline(always)]
            unsafe fn word(word: *const u8) -> $register {
                // SAFETY: the caller gives four bytes.
                unsafe { $set(word.cast::<$word>().read_unaligned()) }
            }

            #[inline(always)]
            unsafe fn multiply_add(
                sum: [$register; 2],
                weights: [$register; 2],
                $x: $register,
            ) -> [$register; 2] {
                let half = |$sum: $register, $weights: $register| {
                    // SAFETY: the caller's promise.
                    unsafe { $multiply_add }
                };
                [half(sum[0], weights[0]), half(sum[1], weights[1])]
            }
        }
    };
}

whole_lines!(
    Float512,
    "Sixteen floats.",
    __m512,
    f32,
    f32,
    _mm512_load_ps,
    _mm512_store_ps,
    _mm512_set1_ps,
    _mm512_add_ps,
    |sum, weights, word| _mm512_fmadd_ps(weights, word, sum)
);
whole_lines!(
    Dot512,
    "Four products of 8 bits in each of sixteen sums, none of which saturates.",
    __m512i,
    i32,
    i32,
    _mm512_load_si512,
    _mm512_store_si512,
    _mm512_set1_epi32,
    _mm512_add_epi32,
    |sum, weights, word| _mm512_dpbusd_epi32(sum, word, weights)
);
half_lines!(
    Float256,
    "Eight floats.",
    __m256,
    f32,
    f32,
    _mm256_load_ps,
    _mm256_store_ps,
    _mm256_set1_ps,
    _mm256_add_ps,
    |sum, weights, word| _mm256_fmadd_ps(weights, word, sum)
);
half_lines!(
    Dot256,
    "As `Dot512` in half the width, encoded as AVX-512.",
    __m256i,
    i32,
    i32,
    _mm256_load_si256,
    _mm256_store_si256,
    _mm256_set1_epi32,
    _mm256_add_epi32,
    |sum, weights, word| _mm256_dpbusd_epi32(sum, word, weights)
);
half_lines!(
    DotAvx,
    "As `Dot256`, encoded as AVX.",
    __m256i,
    i32,
    i32,
    _mm256_load_si256,
    _mm256_store_si256,
    _mm256_set1_epi32,
    _mm256_add_epi32,
    |sum, weights, word| _mm256_dpbusd_avx_epi32(sum, word, weights)
);
half_lines!(
    Wide256,
    "Two products of 16 bits in each of eight sums; those of 8 bits would saturate.",
    __m256i,
    i32,
    i32,
    _mm256_load_si256,
    _mm256_store_si256,
    _mm256_set1_epi32,
    _mm256_add_epi32,
    |sum, weights, word| _mm256_add_epi32(sum, _mm256_madd_epi16(weights, word))
);

/// Compiles the loops of [`run`] for a set of instructions.
macro_rules! compiled_for {
    ($($name:ident, $lanes:ident, $features:literal, $doc:literal;)*) => {$(
        #[doc = $doc]
        ///
        /// # Safety
        ///
        /// See [`super::TapFn`].
        #[target_feature(enable = $features)]
        pub(crate) unsafe fn $name(tap: &Tap<'_>, acc: &mut [Line]) {
            // SAFETY: the caller's promise.
            unsafe { run::<$lanes>(tap, acc) }
        }
    )*};
}

compiled_for! {
    float_avx512, Float512, "avx512f", "Floats with AVX-512.";
    float_avx2, Float256, "avx2,fma", "Floats with AVX2 and FMA.";
    dot_avx512_vnni, Dot512, "avx512f,avx512vnni", "Groups of four 8-bit integers with AVX-512 VNNI.";
    dot_avx512_vnni_256, Dot256, "avx512f,avx512vl,avx512vnni", "The same in registers of 256 bits.";
    dot_avx_vnni, DotAvx, "avx2,avxvnni", "The same with AVX-VNNI.";
    wide_avx2, Wide256, "avx2", "Pairs of 16-bit integers with AVX2.";
}
