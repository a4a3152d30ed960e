//! Which depth image belongs to which colour image: the benchmark's cameras do not take them at once.

use std::collections::{BTreeMap, BTreeSet};

use crate::message::Stamp;

/// For indices of `first`, the index of `second` that belongs to it. Of all pairs less than `window_ns` apart, the
/// closest are taken first, and each image once; of equally close ones the earlier.
pub(super) fn associate(first: &[Stamp], second: &[Stamp], window_ns: i64) -> BTreeMap<usize, usize> {
    let mut order: Vec<usize> = (0..second.len()).collect();
    let time = |index: &usize| second.get(*index).copied().unwrap_or_default();
    order.sort_by_key(time);
    let mut near = Vec::new();
    for (index, stamp) in first.iter().enumerate() {
        let begin = order.partition_point(|other| time(other).since_ns(*stamp) <= -window_ns);
        let candidates = order.iter().skip(begin).map(|other| (time(other).since_ns(*stamp), *other));
        near.extend(
            candidates
                .take_while(|(apart_ns, _)| *apart_ns < window_ns)
                .map(|(apart_ns, other)| (apart_ns.abs(), *stamp, index, other)),
        );
    }
    near.sort_unstable();
    let mut taken = BTreeSet::new();
    let mut pairs = BTreeMap::new();
    for (_, _, index, other) in near {
        if !pairs.contains_key(&index) && taken.insert(other) {
            pairs.insert(index, other);
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_pairs_are_taken_first() {
        let at = |ms: &[i64]| ms.iter().map(|ms| Stamp(ms * 1_000_000)).collect::<Vec<_>>();
        let pairs = |first: &[i64], second: &[i64]| {
            associate(&at(first), &at(second), 20_000_000).into_iter().collect::<Vec<_>>()
        };
        assert_eq!(pairs(&[0, 33, 66], &[10, 40, 90]), [(0, 0), (1, 1)]);
        // 30 is nearer to 33 than to 15, which then takes what is left.
        assert_eq!(pairs(&[15, 33], &[30, 2]), [(0, 1), (1, 0)]);
        assert_eq!(pairs(&[0], &[20]), []);
        assert_eq!(pairs(&[0], &[19]), [(0, 0)]);
        assert_eq!(pairs(&[], &[19]), []);
    }
}
