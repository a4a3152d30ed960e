//! A convolution in blocks of output rows: what floats and integers have in common.

use std::{
    ops::Range,
    sync::{Mutex, PoisonError},
};

use crate::{
    KernelError, Parallel,
    line::{COLUMNS, Line},
    pairs::PairLists,
    parallel::try_run,
    tap::{Tap, TapFn},
};

/// Most output rows of a block: their accumulators fit into a second-level cache with the weights of a tap.
const MAX_BLOCK: usize = 256;

/// Fewest: below, the weights are read too often.
const MIN_BLOCK: usize = 32;

/// Blocks to make of few rows, so that several threads have work.
const BLOCKS: usize = 8;

/// Sizes of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvShape {
    /// Entries of the kernel window, which is a row of the table.
    pub taps: usize,
    /// Channels of an input row.
    pub inputs: usize,
    /// Channels of an output row.
    pub outputs: usize,
}

impl ConvShape {
    /// Checks the lengths of weights, rows `tap * inputs + input` of `outputs` values, and of what there is one of for
    /// each output channel.
    pub(crate) fn check(
        &self,
        weights: usize,
        per_output: &[(&'static str, usize)],
    ) -> Result<(), KernelError> {
        let Self { taps, inputs, outputs } = *self;
        if taps == 0 || inputs == 0 || outputs == 0 {
            return Err(KernelError::unexpected("w", "taps and channels of at least 1", format!("{self:?}")));
        }
        let expected = taps.checked_mul(inputs).and_then(|rows| rows.checked_mul(outputs));
        KernelError::check_len("w", expected.unwrap_or(usize::MAX), weights)?;
        per_output.iter().try_for_each(|(name, len)| KernelError::check_len(name, outputs, *len))
    }

    /// Panels of an output row.
    pub(crate) fn panels(&self) -> usize {
        self.outputs.div_ceil(COLUMNS)
    }

    /// Checks the tensors of a run and gives the numbers of input and output rows.
    pub(crate) fn check_run(
        &self,
        x: usize,
        table: Option<usize>,
        add: Option<usize>,
        y: usize,
    ) -> Result<(usize, usize), KernelError> {
        if !x.is_multiple_of(self.inputs) {
            return Err(KernelError::unexpected("x", format!("rows of {} values", self.inputs), x));
        }
        if !y.is_multiple_of(self.outputs) {
            return Err(KernelError::unexpected("y", format!("rows of {} values", self.outputs), y));
        }
        let (sources, rows) = (x / self.inputs, y / self.outputs);
        if sources > i32::MAX as usize || rows > i32::MAX as usize {
            return Err(KernelError::unexpected("x and y", "rows that 31 bits can count", sources.max(rows)));
        }
        match table {
            Some(table) => KernelError::check_len("table", rows * self.taps, table)?,
            None if self.taps != 1 => {
                return Err(KernelError::unexpected(
                    "table",
                    format!("rows of {} entries", self.taps),
                    "none",
                ));
            }
            None => KernelError::check_len("y", sources * self.outputs, y)?,
        }
        if let Some(add) = add {
            KernelError::check_len("add", y, add)?;
        }
        Ok((sources, rows))
    }
}

/// Memory of one block, kept for the next.
#[derive(Default)]
struct Scratch {
    acc: Vec<Line>,
    pairs: PairLists,
}

/// As many [`Scratch`] as ever worked at once.
#[derive(Default)]
pub(crate) struct ScratchPool(Mutex<Vec<Scratch>>);

impl ScratchPool {
    fn with<T>(&self, work: impl FnOnce(&mut Scratch) -> T) -> T {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let free = lock().pop();
        let mut scratch = free.unwrap_or_default();
        let result = work(&mut scratch);
        lock().push(scratch);
        result
    }
}

/// One run of a convolution over words and lines, whatever they hold.
pub(crate) struct BlockedConv<'a> {
    pub tap: TapFn,
    /// Input rows of `words` words.
    pub x: &'a [u8],
    pub words: usize,
    /// Lines for each tap, word and panel.
    pub weights: &'a [Line],
    /// Lines for each tap and panel, see [`Tap::offset`].
    pub offsets: Option<&'a [Line]>,
    /// What accumulators begin with, a line a panel.
    pub bias: &'a [Line],
    pub taps: usize,
    /// Rows of `taps` entries; none pairs each row with itself.
    pub table: Option<&'a [i32]>,
    /// Output rows.
    pub rows: usize,
}

impl BlockedConv<'_> {
    /// Computes all blocks and gives each to `finish`: its rows and their accumulators.
    pub fn run(
        &self,
        pool: &ScratchPool,
        parallel: &dyn Parallel,
        finish: impl Fn(Range<usize>, &[Line]) + Sync,
    ) -> Result<(), KernelError> {
        let block = self.rows.div_ceil(BLOCKS).clamp(MIN_BLOCK, MAX_BLOCK);
        try_run(parallel, self.rows.div_ceil(block), |index| {
            let rows = index * block..((index + 1) * block).min(self.rows);
            pool.with(|scratch| {
                self.run_block(rows.clone(), scratch)?;
                finish(rows, &scratch.acc);
                Ok(())
            })
        })
    }

    fn run_block(&self, rows: Range<usize>, scratch: &mut Scratch) -> Result<(), KernelError> {
        let panels = self.bias.len();
        let row_bytes = self.words * 4;
        let sources = self.x.len() / row_bytes.max(1);
        let Scratch { acc, pairs } = scratch;
        match self.table {
            Some(table) => {
                let entries = table.get(rows.start * self.taps..rows.end * self.taps).unwrap_or_default();
                pairs.collect(entries, self.taps, rows.start, sources)?;
            }
            None => pairs.identity(rows.len(), rows.start),
        }
        acc.resize(rows.len() * panels, Line::ZERO);
        for row in acc.chunks_exact_mut(panels) {
            row.copy_from_slice(self.bias);
        }
        let lines = self.words * panels;
        for (tap, weights) in self.weights.chunks_exact(lines).take(self.taps).enumerate() {
            let offset = self.offsets.and_then(|offsets| offsets.get(tap * panels..(tap + 1) * panels));
            let tap =
                Tap { pairs: pairs.of(tap), x: self.x.as_ptr(), words: self.words, weights, offset, panels };
            if !tap.pairs.is_empty() {
                // SAFETY: the pairs were checked against the rows of `x` or are those of a block of as many rows
                // (`ConvShape::check_run`), `acc` has a row for each row of the block, the slices of weights and
                // offsets have the lengths asked for, and the kernel was chosen among those of this processor.
                unsafe { (self.tap)(&tap, acc) }
            }
        }
        Ok(())
    }
}
