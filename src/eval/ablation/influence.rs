//! How well a figure of single frames tells a radar that fits from one that does not.

/// Area under the receiver operating characteristic of a figure that is lower where the radar does not fit: how
/// often a frame of `clean` has a higher one than a frame of `shuffled`, ties counting half (Mann & Whitney 1947).
/// Values that are not finite are frames that do not tell; `None` where one side has no other.
pub(super) fn auroc(clean: &[f64], shuffled: &[f64]) -> Option<f64> {
    let known = |values: &[f64], is_clean| -> Vec<(f64, bool)> {
        // Adding nothing makes one zero of the two.
        values.iter().filter(|value| value.is_finite()).map(|value| (value + 0.0, is_clean)).collect()
    };
    let (mut all, shuffled) = (known(clean, true), known(shuffled, false));
    let pairs = all.len() as f64 * shuffled.len() as f64;
    if pairs == 0.0 {
        return None;
    }
    all.extend(shuffled);
    all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    // Twice the pairs that are in order, and half of that for those that are equal: whole numbers.
    let (mut lower, mut twice) = (0_u64, 0_u64);
    for equal in all.chunk_by(|a, b| a.0 == b.0) {
        let clean = equal.iter().filter(|(_, is_clean)| *is_clean).count() as u64;
        let shuffled = equal.len() as u64 - clean;
        twice += clean * (2 * lower + shuffled);
        lower += shuffled;
    }
    Some(twice as f64 / 2.0 / pairs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Random;

    #[test]
    fn known_values() {
        assert_eq!(auroc(&[3.0, 4.0], &[1.0, 2.0]), Some(1.0));
        assert_eq!(auroc(&[1.0, 2.0], &[3.0, 4.0]), Some(0.0));
        assert_eq!(auroc(&[1.0, 1.0, 1.0], &[1.0]), Some(0.5));
        assert_eq!(auroc(&[0.0], &[-0.0]), Some(0.5));
        // Of six pairs 3 > 1, 3 > 2, 2 > 1 and 2 = 2.
        assert_eq!(auroc(&[3.0, 2.0, 0.0], &[1.0, 2.0]), Some(3.5 / 6.0));
        assert_eq!(auroc(&[f64::NAN, 3.0], &[f64::NEG_INFINITY, 1.0]), Some(1.0));
        assert_eq!(auroc(&[f64::NAN], &[1.0]), None);
        assert_eq!(auroc(&[1.0], &[]), None);
    }

    #[test]
    fn it_is_the_share_of_the_pairs() {
        let mut random = Random::new(5, &[]);
        let mut draw = |count: usize, levels: usize| -> Vec<f64> {
            (0..count).map(|_| random.below(levels) as f64).collect()
        };
        for (clean, shuffled) in [(draw(40, 7), draw(23, 5)), (draw(11, 100), draw(60, 80))] {
            let mut sum = 0.0;
            for a in &clean {
                for b in &shuffled {
                    sum += if a > b { 1.0 } else { 0.0 } + if a == b { 0.5 } else { 0.0 };
                }
            }
            let expected = sum / (clean.len() * shuffled.len()) as f64;
            assert!((auroc(&clean, &shuffled).unwrap() - expected).abs() < 1e-12);
        }
    }
}
