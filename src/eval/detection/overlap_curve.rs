//! What is found by overlap, from the surest detection on.

use super::overlap::Pair;

/// All detections down to one score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    /// Truth boxes that they found.
    pub found: u64,
    /// The same, each counting 1 − |Δθ|/π.
    pub weighted: f64,
    /// How many they are.
    pub detections: u64,
}

/// A point for each score there is. Detections take, by `ranking`, the truth box left that they overlap most.
pub(super) fn overlap_curve(pairs: &[Pair], scores: &[f64], ranking: &[usize]) -> Vec<Point> {
    let mut by_detection: Vec<&Pair> = pairs.iter().collect();
    by_detection.sort_by_key(|pair| pair.detection);
    let truth_boxes = pairs.iter().map(|pair| pair.truth as usize + 1).max().unwrap_or(0);
    let mut taken = vec![false; truth_boxes];
    let mut point = Point { found: 0, weighted: 0.0, detections: 0 };
    let mut curve = Vec::new();
    for (next, &index) in (1..).zip(ranking) {
        let start = by_detection.partition_point(|pair| (pair.detection as usize) < index);
        let own = by_detection.iter().skip(start).take_while(|pair| pair.detection as usize == index);
        let best = own
            .filter(|pair| taken.get(pair.truth as usize).is_some_and(|taken| !taken))
            .reduce(|best, pair| if pair.iou > best.iou { pair } else { best });
        point.detections += 1;
        if let Some(pair) = best {
            if let Some(taken) = taken.get_mut(pair.truth as usize) {
                *taken = true;
            }
            point.found += 1;
            point.weighted += pair.heading_accuracy;
        }
        let score = |index: Option<&usize>| index.and_then(|index| scores.get(*index));
        if score(Some(&index)) != score(ranking.get(next)) {
            curve.push(point);
        }
    }
    curve
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_scores_are_one_point() {
        let pairs = [Pair { truth: 0, detection: 0, iou: 0.9, heading_accuracy: 0.5 }];
        for ranking in [[0, 1], [1, 0]] {
            let expected = [Point { found: 1, weighted: 0.5, detections: 2 }];
            assert_eq!(overlap_curve(&pairs, &[0.5, 0.5], &ranking), expected);
        }
    }

    #[test]
    fn the_surest_chooses_first_and_the_closest() {
        let pair = |truth, detection, iou| Pair { truth, detection, iou, heading_accuracy: 1.0 };
        let pairs = [pair(0, 0, 0.6), pair(0, 1, 0.9), pair(1, 0, 0.8)];
        let found: Vec<u64> = overlap_curve(&pairs, &[0.9, 0.8], &[0, 1]).iter().map(|p| p.found).collect();
        assert_eq!(found, [1, 2]);
        let found: Vec<u64> =
            overlap_curve(&pairs[..2], &[0.9, 0.8], &[0, 1]).iter().map(|p| p.found).collect();
        assert_eq!(found, [1, 1], "the other is taken");
    }
}
