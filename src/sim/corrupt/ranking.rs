//! Which k of n: a uniform sample without replacement that does not depend on the order of the n, and
//! whose smaller samples lie within the larger ones.

use super::draw::Draws;

/// Ranks items by a random number each. Keeps its memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranking {
    ranked: Vec<(u64, u32)>,
}

impl Ranking {
    /// A share of `items`, rounded to a whole number of them.
    pub fn share(&mut self, items: impl Iterator<Item = usize>, share: f64, draws: Draws) -> &[(u64, u32)] {
        self.rank(items, draws);
        let count = (share.clamp(0.0, 1.0) * self.ranked.len() as f64).round() as usize;
        self.first(count)
    }

    /// So many of `items`; all where there are fewer.
    pub fn lowest(
        &mut self,
        items: impl Iterator<Item = usize>,
        count: usize,
        draws: Draws,
    ) -> &[(u64, u32)] {
        self.rank(items, draws);
        self.first(count)
    }

    fn rank(&mut self, items: impl Iterator<Item = usize>, draws: Draws) {
        self.ranked.clear();
        self.ranked.extend(items.map(|item| (draws.at(item).bits(), item as u32)));
    }

    fn first(&mut self, count: usize) -> &[(u64, u32)] {
        if count < self.ranked.len() {
            self.ranked.select_nth_unstable(count);
        }
        self.ranked.get(..count).unwrap_or(&self.ranked)
    }
}

/// The items of a [`Ranking::share`] or [`Ranking::lowest`].
pub(super) fn items(chosen: &[(u64, u32)]) -> impl Iterator<Item = usize> + '_ {
    chosen.iter().map(|&(_, item)| item as usize)
}

/// Which messages of a topic: exactly a share of them.
#[derive(Debug, Default)]
pub(super) struct MessageShare {
    chosen: Option<Vec<u64>>,
}

impl MessageShare {
    /// Whether the message of `draws` is among those of `share`; the topic has `count`.
    pub fn holds(&mut self, count: u64, share: f64, draws: Draws) -> bool {
        let chosen = self.chosen.get_or_insert_with(|| {
            let mut ranking = Ranking::default();
            let chosen = items(ranking.share(0..count as usize, share, draws.lasting()));
            let mut chosen: Vec<u64> = chosen.map(|message| message as u64).collect();
            chosen.sort_unstable();
            chosen
        });
        chosen.binary_search(&draws.message()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::draw::TopicDraws;
    use super::*;

    fn chosen(count: usize, share: f64, message: u64) -> BTreeSet<usize> {
        let draws = TopicDraws::new(3, "kind", "/topic").message(message);
        items(Ranking::default().share(0..count, share, draws)).collect()
    }

    #[test]
    fn as_many_as_asked_for_and_nested() {
        let sizes = [0.0, 0.25, 0.5, 0.999, 1.0, 7.0].map(|share| chosen(1000, share, 0).len());
        assert_eq!(sizes, [0, 250, 500, 999, 1000, 1000]);
        assert!(chosen(1000, 0.25, 0).is_subset(&chosen(1000, 0.5, 0)));
        assert!(chosen(0, 0.5, 0).is_empty());
    }

    #[test]
    fn every_item_is_as_likely_as_any_other() {
        let trials = 4000;
        let mut hits = [0_u32; 20];
        for message in 0..trials {
            for item in chosen(20, 0.3, message) {
                hits[item] += 1;
            }
        }
        // Each item is in 30 % of the samples; four standard deviations of a binomial count.
        let limit = 4.0 * (trials as f64 * 0.3 * 0.7).sqrt();
        for count in hits {
            assert!((f64::from(count) - trials as f64 * 0.3).abs() < limit, "{hits:?}");
        }
    }
}
