//! Which input row meets which output row, tap by tap.

use crate::KernelError;

/// An input row and the output row, counted within its block, that it adds to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pair {
    pub from: u32,
    pub to: u32,
}

/// The pairs of one block of output rows, one list a tap.
#[derive(Default)]
pub(crate) struct PairLists {
    pairs: Vec<Pair>,
    counts: Vec<usize>,
    rows: usize,
}

impl PairLists {
    /// Reads the `rows` of a table with `taps` entries each; `first_row` is the first one's number.
    /// An entry is the number of one of `sources` input rows, or -1.
    pub fn collect(
        &mut self,
        table: &[i32],
        taps: usize,
        first_row: usize,
        sources: usize,
    ) -> Result<(), KernelError> {
        let rows = table.len() / taps.max(1);
        self.reserve(rows, taps);
        let mut all_valid = true;
        for (tap, (list, count)) in self.pairs.chunks_exact_mut(rows.max(1)).zip(&mut self.counts).enumerate()
        {
            let mut len = 0;
            for (to, entries) in table.chunks_exact(taps).enumerate() {
                let entry = entries[tap];
                all_valid &= entry >= -1 && (i64::from(entry)) < sources as i64;
                // Written in any case and kept when there is a neighbour: whether there is one cannot be predicted.
                list[len] = Pair { from: entry as u32, to: to as u32 };
                len += usize::from(entry >= 0);
            }
            *count = len;
        }
        if all_valid {
            return Ok(());
        }
        let is_wrong = |&&entry: &&i32| entry < -1 || i64::from(entry) >= sources as i64;
        let (index, entry) = table.iter().enumerate().find(|(_, entry)| is_wrong(entry)).unwrap_or((0, &0));
        Err(KernelError::unexpected(
            "table",
            format!("entries from -1 to {}", sources as i64 - 1),
            format!("{entry} in row {}", first_row + index / taps.max(1)),
        ))
    }

    /// Each row alone: rows `first_row` and on of the input are those of the block.
    pub fn identity(&mut self, rows: usize, first_row: usize) {
        self.reserve(rows, 1);
        for (to, pair) in self.pairs.iter_mut().enumerate() {
            *pair = Pair { from: (first_row + to) as u32, to: to as u32 };
        }
        self.counts[0] = rows;
    }

    /// The pairs of `tap`, ascending in the output row.
    pub fn of(&self, tap: usize) -> &[Pair] {
        let start = tap * self.rows;
        self.counts.get(tap).and_then(|count| self.pairs.get(start..start + count)).unwrap_or_default()
    }

    fn reserve(&mut self, rows: usize, taps: usize) {
        self.rows = rows;
        self.pairs.resize(rows * taps, Pair::default());
        self.counts.clear();
        self.counts.resize(taps, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_neighbours_that_exist_make_pairs() {
        let mut lists = PairLists::default();
        lists.collect(&[0, -1, 3, 1, -1, 2], 2, 10, 4).unwrap();
        assert_eq!(lists.of(0), [Pair { from: 0, to: 0 }, Pair { from: 3, to: 1 }]);
        assert_eq!(lists.of(1), [Pair { from: 1, to: 1 }, Pair { from: 2, to: 2 }]);
        assert!(lists.of(2).is_empty());
    }

    #[test]
    fn an_entry_outside_is_named_with_its_row() {
        let mut lists = PairLists::default();
        for wrong in [4, -2, i32::MIN, i32::MAX] {
            let error = lists.collect(&[0, -1, 3, wrong], 2, 10, 4).unwrap_err().to_string();
            assert_eq!(error, format!("table: expected entries from -1 to 3, found {wrong} in row 11"));
        }
    }
}
