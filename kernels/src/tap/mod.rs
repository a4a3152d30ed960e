//! The inner loops: the rows that one tap adds to a block of output rows.
//!
//! All kernels share one geometry. A *word* is the 4 bytes of an input row that one step reads: a float, four 8-bit
//! values or two 16-bit ones. A *panel* is 16 output columns; for each word it has one [`Line`] of weights, and one
//! of accumulators for each row of the block. A kernel says with [`Lanes`] how a word meets a line; the loops around
//! it are here, once.

#![allow(
    clippy::inline_always,
    reason = "what is not inlined is not compiled for the instructions of its caller"
)]

#[cfg(target_arch = "aarch64")]
mod aarch64;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86_64;

use crate::{line::Line, pairs::Pair};

#[cfg(target_arch = "aarch64")]
pub(crate) use aarch64::{dot_neon, float_neon, wide_neon};
pub(crate) use portable::{float_portable, wide_portable};
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::{
    dot_avx_vnni, dot_avx512_vnni, dot_avx512_vnni_256, float_avx2, float_avx512, wide_avx2,
};

/// Most rows of which accumulators are in registers at once: each has a pointer in a register of its own.
const MAX_ROWS: usize = 6;

/// One tap of one block.
#[derive(Clone, Copy)]
pub(crate) struct Tap<'a> {
    /// Rows to multiply and where to add them.
    pub pairs: &'a [Pair],
    /// Input rows of `words` words each, one after the other.
    pub x: *const u8,
    /// Words of a row.
    pub words: usize,
    /// Weights: a line for each panel of each word.
    pub weights: &'a [Line],
    /// Added once to every row with a pair; a line a panel, or none.
    pub offset: Option<&'a [Line]>,
    /// Lines of a row of accumulators, and of a word of weights.
    pub panels: usize,
}

/// Adds a tap to the accumulators of a block, rows of panels.
///
/// # Safety
///
/// The processor has the kernel's instructions. For every pair `x` holds a row `from` and `acc` a row `to`;
/// `weights` has `words` times `panels` lines, and `offset` at least `panels`.
pub(crate) type TapFn = unsafe fn(&Tap<'_>, &mut [Line]);

/// How a word of an input row meets a line of weights.
///
/// # Safety
///
/// All functions may be called only where the processor has the instructions they are made of, with pointers to
/// whole lines or words.
pub(crate) unsafe trait Lanes {
    /// The accumulators of one row and panel.
    type Sum: Copy;
    /// The weights of one word and panel.
    type Weights: Copy;
    /// One word, in every lane.
    type Word: Copy;
    /// How many [`Self::Sum`] fit into registers beside the rest.
    const SUMS: usize;

    unsafe fn load(line: *const Line) -> Self::Sum;
    unsafe fn store(sum: Self::Sum, line: *mut Line);
    unsafe fn add(a: Self::Sum, b: Self::Sum) -> Self::Sum;
    unsafe fn weights(line: *const Line) -> Self::Weights;
    unsafe fn word(word: *const u8) -> Self::Word;
    unsafe fn multiply_add(sum: Self::Sum, weights: Self::Weights, word: Self::Word) -> Self::Sum;
}

/// Adds `tap` to `acc`; to be inlined into a function compiled for the instructions of `L`.
///
/// # Safety
///
/// As [`TapFn`] says.
#[inline(always)]
unsafe fn run<L: Lanes>(tap: &Tap<'_>, acc: &mut [Line]) {
    let rows_of_one = MAX_ROWS.min(L::SUMS);
    let wanted = tap.pairs.len().min(rows_of_one);
    let mut panel = 0;
    while panel < tap.panels {
        // As many panels at once as leave registers for the rows there are.
        let mut width = (L::SUMS / wanted.max(1)).clamp(1, 4).min(tap.panels - panel);
        // SAFETY: the caller's promise; panels from `panel` to `panel + width` exist.
        unsafe {
            match width {
                4 => rows::<L, 4>(tap, panel, acc),
                3 => rows::<L, 3>(tap, panel, acc),
                2 => rows::<L, 2>(tap, panel, acc),
                _ => {
                    width = 1;
                    rows::<L, 1>(tap, panel, acc);
                }
            }
        }
        panel += width;
    }
}

/// All pairs for `P` panels, in groups of nearly equal size.
#[inline(always)]
unsafe fn rows<L: Lanes, const P: usize>(tap: &Tap<'_>, panel: usize, acc: &mut [Line]) {
    let max_rows = MAX_ROWS.min(L::SUMS / P).max(1);
    let mut pairs = tap.pairs;
    let mut groups = pairs.len().div_ceil(max_rows);
    while groups > 0 {
        let (group, rest) = pairs.split_at(pairs.len() / groups);
        // SAFETY: the caller's promise.
        unsafe {
            match *group {
                [a] => registers::<L, P, 1>(tap, panel, [a], acc),
                [a, b] => registers::<L, P, 2>(tap, panel, [a, b], acc),
                [a, b, c] => registers::<L, P, 3>(tap, panel, [a, b, c], acc),
                [a, b, c, d] => registers::<L, P, 4>(tap, panel, [a, b, c, d], acc),
                [a, b, c, d, e] => registers::<L, P, 5>(tap, panel, [a, b, c, d, e], acc),
                [a, b, c, d, e, f] => registers::<L, P, 6>(tap, panel, [a, b, c, d, e, f], acc),
                _ => {}
            }
        }
        (pairs, groups) = (rest, groups - 1);
    }
}

/// `R` rows times `P` panels in registers.
#[inline(always)]
unsafe fn registers<L: Lanes, const P: usize, const R: usize>(
    tap: &Tap<'_>,
    panel: usize,
    pairs: [Pair; R],
    acc: &mut [Line],
) {
    // Never asked for; without the code that would spill registers the compiler has less to do.
    if R > 1 && R * P > L::SUMS {
        return;
    }
    let row_bytes = tap.words * 4;
    // SAFETY: the caller promises that the rows exist and that there are lines for all words and panels.
    unsafe {
        let x = pairs.map(|pair| tap.x.add(pair.from as usize * row_bytes));
        let acc = acc.as_mut_ptr().add(panel);
        let lines = pairs.map(|pair| acc.add(pair.to as usize * tap.panels));
        let mut sums = [[L::load(lines[0]); P]; R];
        for (sums, line) in sums.iter_mut().zip(lines) {
            for (p, sum) in sums.iter_mut().enumerate() {
                *sum = L::load(line.add(p));
            }
        }
        if let Some(offset) = tap.offset {
            let offset = offset.as_ptr().add(panel);
            for sums in &mut sums {
                for (p, sum) in sums.iter_mut().enumerate() {
                    *sum = L::add(*sum, L::load(offset.add(p)));
                }
            }
        }
        let mut weights = tap.weights.as_ptr().add(panel);
        let mut at = 0;
        while at < row_bytes {
            let mut w = [L::weights(weights); P];
            for (p, w) in w.iter_mut().enumerate() {
                *w = L::weights(weights.add(p));
            }
            for (sums, x) in sums.iter_mut().zip(x) {
                let word = L::word(x.add(at));
                for (sum, w) in sums.iter_mut().zip(w) {
                    *sum = L::multiply_add(*sum, w, word);
                }
            }
            weights = weights.add(tap.panels);
            at += 4;
        }
        for (sums, line) in sums.iter().zip(lines) {
            for (p, sum) in sums.iter().enumerate() {
                L::store(*sum, line.add(p));
            }
        }
    }
}
