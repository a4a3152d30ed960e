//! Plain Rust, for processors that nothing else is written for.

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

/// Two 16-bit integers a word.
struct Wide;

// SAFETY: needs no special instruction.
unsafe impl Lanes for Wide {
    type Sum = [i32; COLUMNS];
    type Weights = [i16; 2 * COLUMNS];
    type Word = [i16; 2];
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
            *a = a.wrapping_add(b);
        }
        a
    }

    #[inline(always)]
    unsafe fn weights(line: *const Line) -> Self::Weights {
        // SAFETY: the caller gives a whole line.
        unsafe { line.cast::<Self::Weights>().read() }
    }

    #[inline(always)]
    unsafe fn word(word: *const u8) -> [i16; 2] {
        // SAFETY: the caller gives four bytes.
        unsafe { word.cast::<[i16; 2]>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn multiply_add(mut sum: Self::Sum, weights: Self::Weights, [x0, x1]: [i16; 2]) -> Self::Sum {
        // Indices in this form are what the compiler makes one instruction of.
        for (column, sum) in sum.iter_mut().enumerate() {
            // At most 2 x 255 x 128: the products cannot overflow, and the sum was checked when the weights came.
            let (w0, w1) = (i32::from(weights[2 * column]), i32::from(weights[2 * column + 1]));
            *sum = sum.wrapping_add(w0 * i32::from(x0) + w1 * i32::from(x1));
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

/// Pairs of 16-bit integers.
///
/// # Safety
///
/// See [`super::TapFn`].
pub(crate) unsafe fn wide_portable(tap: &Tap<'_>, acc: &mut [Line]) {
    // SAFETY: the caller's promise.
    unsafe { run::<Wide>(tap, acc) }
}
