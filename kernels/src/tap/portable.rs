//! Plain Rust, for processors that nothing else is written for.

use std::slice;

use super::{Lanes, Tap, run};
use crate::line::{COLUMNS, Line};

/// One float a word.
struct Float;

// SAFETY: needs no special instruction.
unsafe impl Lanes for Float {
    type Sum = [f32; COLUMNS];
    type Weights = [f32; COLUMNS];
    type Word = f32;
    const SUMS: usize = 2;

    #[inline(always)]
    unsafe fn load(line: *const Line) -> Self::Sum {
        // SAFETY: the caller gives a whole line.
        unsafe { line.cast::<Self::Sum>().read() }
    }

    #[inline(always)]
    unsafe fn store(sum: Self::Sum, line: *mut Line) {
        // SAFETY: the caller gives a whole line.
        unsafe { line.cast::<Self::Sum>().write(sum) }
    }

    #[inline(always)]
    unsafe fn add(mut a: Self::Sum, b: Self::Sum) -> Self::Sum {
        for (a, b) in a.iter_mut().zip(b) {
            *a += b;
        }
        a
    }

    #[inline(always)]
    unsafe fn weights(line: *const Line) -> Self::Weights {
        // SAFETY: the caller gives a whole line.
        unsafe { line.cast::<Self::Weights>().read() }
    }

    #[inline(always)]
    unsafe fn word(word: *const u8) -> f32 {
        // SAFETY: the caller gives four bytes.
        unsafe { word.cast::<f32>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn multiply_add(mut sum: Self::Sum, weights: Self::Weights, word: f32) -> Self::Sum {
        for (sum, w) in sum.iter_mut().zip(weights) {
            *sum += w * word;
        }
        sum
    }
}

/// Floats.
///
/// # Safety
///
/// See [`super::TapFn`].
pub(crate) unsafe fn float_portable(tap: &Tap<'_>, acc: &mut [Line]) {
    // SAFETY: the caller's promise.
    unsafe { run::<Float>(tap, acc) }
}

/// Pairs of 16-bit integers. Loops of their own: in this form the compiler finds the instruction that multiplies and
/// adds pairs, in that of [`run`] it does not.
///
/// # Safety
///
/// See [`super::TapFn`].
pub(crate) unsafe fn wide_portable(tap: &Tap<'_>, acc: &mut [Line]) {
    let weights: &[[i16; 2 * COLUMNS]] = bytemuck::cast_slice(tap.weights);
    let acc: &mut [[i32; COLUMNS]] = bytemuck::cast_slice_mut(acc);
    for pair in tap.pairs {
        // SAFETY: the caller promises the row.
        let row = unsafe {
            let start = tap.x.add(pair.from as usize * tap.words * 4);
            slice::from_raw_parts(start.cast::<[u8; 4]>(), tap.words)
        };
        for panel in 0..tap.panels {
            let line = &mut acc[pair.to as usize * tap.panels + panel];
            let mut sums = *line;
            if let Some(offset) = tap.offset {
                for (sum, offset) in sums.iter_mut().zip(offset[panel].0) {
                    *sum = sum.wrapping_add(offset as i32);
                }
            }
            for (word, w) in row.iter().zip(weights[panel..].iter().step_by(tap.panels)) {
                let [a, b, c, d] = *word;
                let (x0, x1) = (i16::from_ne_bytes([a, b]), i16::from_ne_bytes([c, d]));
                for (column, sum) in sums.iter_mut().enumerate() {
                    // At most 2 x 255 x 128: the products cannot overflow, and the sum was checked when the weights
                    // came.
                    let (w0, w1) = (i32::from(w[2 * column]), i32::from(w[2 * column + 1]));
                    *sum = sum.wrapping_add(w0 * i32::from(x0) + w1 * i32::from(x1));
                }
            }
            *line = sums;
        }
    }
}
