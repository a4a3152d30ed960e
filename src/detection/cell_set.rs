//! Which cells of a grid have points, one bit each.

/// A set of cells, which gives them back in ascending order: the order in which points came leaves no trace.
#[derive(Clone, Debug)]
pub(super) struct CellSet {
    words: Vec<u64>,
}

impl CellSet {
    /// None of `cells`.
    pub(super) fn new(cells: usize) -> Self {
        Self { words: vec![0; cells.div_ceil(64)] }
    }

    /// Adds a cell, which is one of those that the set was made for.
    #[inline]
    pub(super) fn insert(&mut self, cell: u32) {
        self.words[cell as usize / 64] |= 1 << (cell % 64);
    }

    pub(super) fn clear(&mut self) {
        self.words.fill(0);
    }

    /// Ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        (0..).zip(&self.words).flat_map(|(at, &word)| {
            let mut bits = word;
            std::iter::from_fn(move || {
                let bit = bits.trailing_zeros();
                bits &= bits.wrapping_sub(1);
                (bit < u64::BITS).then_some(64 * at + bit)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn gives_back_what_was_put_in(cells in prop::collection::btree_set(0_u32..200, 0..200)) {
            let mut set = CellSet::new(200);
            for &cell in cells.iter().rev() {
                set.insert(cell);
                set.insert(cell);
            }
            prop_assert_eq!(set.iter().collect::<Vec<_>>(), cells.into_iter().collect::<Vec<_>>());
            set.clear();
            prop_assert_eq!(set.iter().collect::<BTreeSet<_>>(), BTreeSet::new());
        }
    }
}
