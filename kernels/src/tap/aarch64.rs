//! NEON, with and without its dot product.

use std::{
    arch::{
        aarch64::{
            float32x4_t, int8x16_t, int16x8_t, int32x4_t, vaddq_f32, vaddq_s32, vdupq_n_f32, vdupq_n_s32,
            vfmaq_f32, vget_low_s16, vld1q_f32, vld1q_s8, vld1q_s16, vld1q_s32, vmull_high_s16, vmull_s16,
            vpaddq_s32, vreinterpretq_s8_s32, vreinterpretq_s16_s32, vst1q_f32, vst1q_s32,
        },
        asm,
    },
    array,
};

use super::{Lanes, Tap, run};
use crate::line::Line;

/// Implements [`Lanes`] for four registers a line.
macro_rules! quarter_lines {
    ($name:ident, $doc:literal, sums: $sum:ty, $scalar:ty, $load:ident, $store:ident, $add:ident;
     weights: $weights:ty, $weight:ty, $load_weights:ident; word: $word:ty, |$raw:ident| $spread:expr;
     |$s:ident, $w:ident, $x:ident| $multiply_add:expr) => {
        #[doc = $doc]
        struct $name;

        // SAFETY: made of instructions that the functions at the end of this file are compiled for.
        unsafe impl Lanes for $name {
            type Sum = [$sum; 4];
            type Weights = [$weights; 4];
            type Word = $weights;
            // 32 registers: 20 of sums, 4 of weights, one word and some between.
            const SUMS: usize = 5;

            #[inline(always)]
            unsafe fn load(line: *const Line) -> [$sum; 4] {
                let line = line.cast::<$scalar>();
                // SAFETY: four quarters of a line.
                unsafe { [$load(line), $load(line.add(4)), $load(line.add(8)), $load(line.add(12))] }
            }

            #[inline(always)]
            unsafe fn store(sum: [$sum; 4], line: *mut Line) {
                let line = line.cast::<$scalar>();
                // SAFETY: four quarters of a line.
                unsafe {
                    $store(line, sum[0]);
                    $store(line.add(4), sum[1]);
                    $store(line.add(8), sum[2]);
                    $store(line.add(12), sum[3]);
                }
            }

            #[inline(always)]
            unsafe fn add(a: [$sum; 4], b: [$sum; 4]) -> [$sum; 4] {
                // SAFETY: NEON is part of every 64-bit Arm processor.
                unsafe { [$add(a[0], b[0]), $add(a[1], b[1]), $add(a[2], b[2]), $add(a[3], b[3])] }
            }

            #[inline(always)]
            unsafe fn weights(line: *const Line) -> [$weights; 4] {
                let line = line.cast::<$weight>();
                const QUARTER: usize = 16 / size_of::<$weight>();
                // SAFETY: four quarters of a line.
                unsafe {
                    [
                        $load_weights(line),
                        $load_weights(line.add(QUARTER)),
                        $load_weights(line.add(2 * QUARTER)),
                        $load_weights(line.add(3 * QUARTER)),
                    ]
                }
            }

            #[inline(always)]
            unsafe fn word(word: *const u8) -> $weights {
                // SAFETY: the caller gives four bytes.
                unsafe {
                    let $raw = word.cast::<$word>().read_unaligned();
                    $spread
                }
            }

            #[inline(always)]
            unsafe fn multiply_add(sum: [$sum; 4], weights: [$weights; 4], $x: $weights) -> [$sum; 4] {
                array::from_fn(|quarter| {
                    let ($s, $w) = (sum[quarter], weights[quarter]);
                    // SAFETY: the caller's promise.
                    unsafe { $multiply_add }
                })
            }
        }
    };
}

quarter_lines!(
    Float, "Four floats.",
    sums: float32x4_t, f32, vld1q_f32, vst1q_f32, vaddq_f32;
    weights: float32x4_t, f32, vld1q_f32; word: f32, |word| vdupq_n_f32(word);
    |sum, weights, word| vfmaq_f32(sum, weights, word)
);
quarter_lines!(
    Dot, "Four products of 8 bits in each of four sums.",
    sums: int32x4_t, i32, vld1q_s32, vst1q_s32, vaddq_s32;
    weights: int8x16_t, i8, vld1q_s8; word: i32, |word| vreinterpretq_s8_s32(vdupq_n_s32(word));
    |sum, weights, word| sdot(sum, weights, word)
);
quarter_lines!(
    Wide, "Two products of 16 bits in each of four sums.",
    sums: int32x4_t, i32, vld1q_s32, vst1q_s32, vaddq_s32;
    weights: int16x8_t, i16, vld1q_s16; word: i32, |word| vreinterpretq_s16_s32(vdupq_n_s32(word));
    |sum, weights, word| {
        let low = vmull_s16(vget_low_s16(weights), vget_low_s16(word));
        vaddq_s32(sum, vpaddq_s32(low, vmull_high_s16(weights, word)))
    }
);

/// The dot product of four signed 8-bit integers in each lane, added to `sum`. The intrinsic is not in stable Rust.
#[inline(always)]
unsafe fn sdot(mut sum: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    // SAFETY: the caller promises the instruction, which touches registers only.
    unsafe {
        asm!(
            ".arch_extension dotprod",
            "sdot {sum:v}.4s, {a:v}.16b, {b:v}.16b",
            sum = inlateout(vreg) sum, a = in(vreg) a, b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sum
}

/// Floats with NEON.
///
/// # Safety
///
/// See [`super::TapFn`].
pub(crate) unsafe fn float_neon(tap: &Tap<'_>, acc: &mut [Line]) {
    // SAFETY: the caller's promise.
    unsafe { run::<Float>(tap, acc) }
}

/// Groups of four signed 8-bit integers with the dot product.
///
/// # Safety
///
/// See [`super::TapFn`].
pub(crate) unsafe fn dot_neon(tap: &Tap<'_>, acc: &mut [Line]) {
    // SAFETY: the caller's promise.
    unsafe { run::<Dot>(tap, acc) }
}

/// Pairs of 16-bit integers with NEON.
///
/// # Safety
///
/// See [`super::TapFn`].
pub(crate) unsafe fn wide_neon(tap: &Tap<'_>, acc: &mut [Line]) {
    // SAFETY: the caller's promise.
    unsafe { run::<Wide>(tap, acc) }
}
