//! From accumulators to the values of an output row.
//!
//! Written once in plain Rust and compiled for several sets of instructions: each operation rounds once, none is
//! fused, so all give the same bits.

#![allow(
    clippy::inline_always,
    reason = "what is not inlined is not compiled for the instructions of its caller"
)]

use bytemuck::Pod;

use crate::line::{COLUMNS, Line};

/// What follows the sum of an integer convolution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Requantize {
    /// Zero point of `add`.
    pub add_zero: i32,
    /// Scale of `add`.
    pub add_scale: f32,
    /// Zero point of the output.
    pub y_zero: i32,
    /// Whether values below zero become zero.
    pub relu: bool,
}

/// Functions over the rows of a block. Rows of sums are lines, `outputs` values and then padding; all else is packed.
#[derive(Clone, Copy)]
pub(crate) struct FinishFns {
    /// Sums, number of outputs, what is added, whether values below zero become zero, output.
    pub floats: FloatsFn,
    /// Sums, a scale for each output, what is added, output.
    pub to_bytes: ToFn<u8>,
    /// The same to floats.
    pub to_floats: ToFn<f32>,
}

/// See [`FinishFns`].
pub(crate) type FloatsFn = unsafe fn(&[Line], usize, Option<&[f32]>, bool, &mut [f32]);

/// See [`FinishFns`].
pub(crate) type ToFn<T> = unsafe fn(&[Line], &[f32], Option<&[u8]>, &Requantize, &mut [T]);

/// The rows of sums, each cut to its `outputs` values.
#[inline(always)]
fn rows_of<T: Pod>(sums: &[Line], outputs: usize) -> impl Iterator<Item = &[T]> {
    sums.chunks_exact(outputs.div_ceil(COLUMNS)).map(move |row| &bytemuck::cast_slice(row)[..outputs])
}

#[inline(always)]
fn floats(sums: &[Line], outputs: usize, add: Option<&[f32]>, relu: bool, y: &mut [f32]) {
    // NaN is not below zero and stays.
    let activate = |value: f32| if relu & (value < 0.0) { 0.0 } else { value };
    let rows = y.chunks_exact_mut(outputs).zip(rows_of::<f32>(sums, outputs));
    match add {
        Some(add) => {
            for ((y, sums), add) in rows.zip(add.chunks_exact(outputs)) {
                for ((y, sum), add) in y.iter_mut().zip(sums).zip(add) {
                    *y = activate(sum + add);
                }
            }
        }
        None => {
            for (y, sums) in rows {
                for (y, sum) in y.iter_mut().zip(sums) {
                    *y = activate(*sum);
                }
            }
        }
    }
}

#[inline(always)]
fn rescale<T>(
    sums: &[Line],
    scale: &[f32],
    add: Option<&[u8]>,
    rule: &Requantize,
    y: &mut [T],
    convert: impl Fn(f32) -> T,
) {
    let outputs = scale.len();
    let rows = y.chunks_exact_mut(outputs).zip(rows_of::<i32>(sums, outputs));
    match add {
        Some(add) => {
            for ((y, sums), add) in rows.zip(add.chunks_exact(outputs)) {
                for (((y, sum), scale), add) in y.iter_mut().zip(sums).zip(scale).zip(add) {
                    let value = *sum as f32 * scale;
                    let add = (i32::from(*add) - rule.add_zero) as f32 * rule.add_scale;
                    *y = convert(value + add);
                }
            }
        }
        None => {
            for (y, sums) in rows {
                for ((y, sum), scale) in y.iter_mut().zip(sums).zip(scale) {
                    *y = convert(*sum as f32 * scale);
                }
            }
        }
    }
}

#[inline(always)]
fn to_bytes(sums: &[Line], scale: &[f32], add: Option<&[u8]>, rule: &Requantize, y: &mut [u8]) {
    let y_zero = rule.y_zero;
    let lowest = if rule.relu { 0.0 } else { -(y_zero as f32) };
    let highest = (255 - y_zero) as f32;
    rescale(sums, scale, add, rule, y, |value| {
        let value = value.round_ties_even();
        // NaN, which only two opposite infinities could make, fails the first comparison and becomes the lowest value.
        let value = if value > lowest { value } else { lowest };
        let value = if value < highest { value } else { highest };
        // SAFETY: between -255 and 255.
        (unsafe { value.to_int_unchecked::<i32>() } + y_zero) as u8
    });
}

#[inline(always)]
fn to_floats(sums: &[Line], scale: &[f32], add: Option<&[u8]>, rule: &Requantize, y: &mut [f32]) {
    let relu = rule.relu;
    rescale(sums, scale, add, rule, y, |value| if relu & (value < 0.0) { 0.0 } else { value });
}

/// Compiles the functions above for a set of instructions.
macro_rules! finish_for {
    ($name:ident, $module:ident, $doc:literal $(, $features:literal)?) => {
        #[doc = $doc]
        pub(crate) const $name: FinishFns = FinishFns {
            floats: $module::floats,
            to_bytes: $module::to_bytes,
            to_floats: $module::to_floats,
        };

        mod $module {
            use super::{Line, Requantize};

            $(#[target_feature(enable = $features)])?
            pub(super) fn floats(sums: &[Line], outputs: usize, add: Option<&[f32]>, relu: bool, y: &mut [f32]) {
                super::floats(sums, outputs, add, relu, y);
            }

            $(#[target_feature(enable = $features)])?
            pub(super) fn to_bytes(
                sums: &[Line],
                scale: &[f32],
                add: Option<&[u8]>,
                rule: &Requantize,
                y: &mut [u8],
            ) {
                super::to_bytes(sums, scale, add, rule, y);
            }

            $(#[target_feature(enable = $features)])?
            pub(super) fn to_floats(
                sums: &[Line],
                scale: &[f32],
                add: Option<&[u8]>,
                rule: &Requantize,
                y: &mut [f32],
            ) {
                super::to_floats(sums, scale, add, rule, y);
            }
        }
    };
}

finish_for!(PORTABLE, portable, "For any processor of the architecture.");
#[cfg(target_arch = "x86_64")]
finish_for!(AVX2, avx2, "For AVX2.", "avx2");
#[cfg(target_arch = "x86_64")]
finish_for!(AVX512, avx512, "For AVX-512.", "avx512f,avx512bw,avx512dq,avx512vl");
