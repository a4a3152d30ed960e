//! Permutations in which everything goes far away.

use crate::sim::Random;

/// How far messages go, nanoseconds.
const FAR_NS: i64 = 2_000_000_000;
/// Exchanges that are tried for each item: enough that nothing is left of the order to start from.
const EXCHANGES: usize = 16;

/// A permutation of the items of `times_ns`, which do not decrease: item `i` gets what was at `result[i]`. None gets
/// anything of within two seconds of its own time, where the items are spread over more than four; of shorter
/// recordings none within half their length.
pub(super) fn far_away(times_ns: &[i64], random: &mut Random) -> Vec<usize> {
    let count = times_ns.len();
    let time = |i: usize| times_ns.get(i).copied().unwrap_or(0);
    let apart = |i: usize, j: usize| time(i).abs_diff(time(j));
    let half = apart(0, count.saturating_sub(1)) / 2;
    let is_near = |i: usize, j: usize| apart(i, j) <= (FAR_NS as u64).min(half.saturating_sub(1));
    // At an even rate half a turn brings everything as far as all can go together.
    let mut from: Vec<usize> = (0..count).map(|i| (i + count / 2) % count).collect();
    for _ in 0..EXCHANGES {
        for i in 0..count {
            let j = random.below(count);
            let (Some(&of_i), Some(&of_j)) = (from.get(i), from.get(j)) else { continue };
            let near = |a: bool, b: bool| u8::from(a) + u8::from(b);
            // At an uneven one some are near at first, and must become fewer.
            if near(is_near(i, of_j), is_near(j, of_i)) <= near(is_near(i, of_i), is_near(j, of_j)) {
                from.swap(i, j);
            }
        }
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    /// Permutes messages at these times; how many came from how near, and whether it is a permutation.
    fn permuted(times_ms: &[i64], seed: u64) -> Vec<usize> {
        let times: Vec<i64> = times_ms.iter().map(|ms| ms * MS).collect();
        let from = far_away(&times, &mut Random::new(seed, &[]));
        let mut sorted = from.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..times.len()).collect::<Vec<_>>());
        from
    }

    fn least_ms(times_ms: &[i64], from: &[usize]) -> u64 {
        (0..from.len()).map(|i| times_ms[i].abs_diff(times_ms[from[i]])).min().unwrap()
    }

    #[test]
    fn nothing_comes_from_within_two_seconds() {
        for (count, gap_ms) in [(83, 50), (84, 50), (600, 50), (41, 100), (400, 77), (9, 600)] {
            for seed in 0..20 {
                let times: Vec<i64> = (0..count).map(|i| i * gap_ms).collect();
                let from = permuted(&times, seed);
                assert!(least_ms(&times, &from) > 2000 || count * gap_ms < 4200, "{count} {gap_ms} {seed}");
                assert!(least_ms(&times, &from) >= 1999, "{count} {gap_ms} {seed}");
            }
        }
    }

    #[test]
    fn uneven_rates_make_no_exception() {
        for seed in 0..20 {
            let mut random = Random::new(seed, &[1]);
            let mut now = 0;
            // A gap of five seconds in the middle, and bursts.
            let times: Vec<i64> = (0..300)
                .map(|i| {
                    now += if i == 150 { 5000 } else { (random.below(4) * 40) as i64 };
                    now
                })
                .collect();
            assert!(least_ms(&times, &permuted(&times, seed)) > 2000, "{seed}");
        }
    }

    #[test]
    fn of_a_short_recording_everything_goes_as_far_as_it_can() {
        let times: Vec<i64> = (0..20).map(|i| i * 50).collect();
        for seed in 0..10 {
            let from = permuted(&times, seed);
            assert!(least_ms(&times, &from) >= 450, "{seed}: {from:?}");
        }
        assert_eq!(permuted(&[0, 50], 1), [1, 0]);
        assert_eq!(permuted(&[7], 1), [0]);
        assert!(permuted(&[], 1).is_empty());
        permuted(&[5, 5, 5], 1);
    }

    #[test]
    fn seeds_give_other_orders_that_keep_no_neighbours() {
        let times: Vec<i64> = (0..400).map(|i| i * 50).collect();
        let from = permuted(&times, 1);
        assert_eq!(from, permuted(&times, 1));
        assert_ne!(from, permuted(&times, 2));
        let neighbours = from.windows(2).filter(|pair| pair[1] == pair[0] + 1).count();
        assert!(neighbours < 10, "{neighbours}");
        // Half a turn is no longer where things come from.
        let half = from.iter().enumerate().filter(|(i, from)| **from == (i + 200) % 400).count();
        assert!(half < 10, "{half}");
    }
}
