//! Sixty-four bytes, where a cache line begins.

use bytemuck::{Pod, Zeroable};

/// Columns of a panel: what one line holds of accumulators or of weights.
pub(crate) const COLUMNS: usize = 16;

/// A cache line of sixteen 32-bit words: loads of it never touch two lines.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Line(pub [u32; COLUMNS]);

// SAFETY: all bits zero are sixteen zeros.
unsafe impl Zeroable for Line {}
// SAFETY: sixteen words without padding, any bits are valid.
unsafe impl Pod for Line {}

impl Line {
    pub const ZERO: Self = Self([0; COLUMNS]);
}

/// Rows of `columns` 32-bit values, each padded with zeros to whole lines.
pub(crate) fn padded_rows<T: Pod>(values: &[T], columns: usize) -> Vec<Line> {
    const { assert!(size_of::<T>() == 4) }
    let panels = columns.div_ceil(COLUMNS);
    let mut lines = vec![Line::ZERO; values.len() / columns.max(1) * panels];
    for (row, line) in values.chunks_exact(columns.max(1)).zip(lines.chunks_exact_mut(panels.max(1))) {
        let words: &mut [T] = bytemuck::cast_slice_mut(line);
        words[..columns].copy_from_slice(row);
    }
    lines
}
