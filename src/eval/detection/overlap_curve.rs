//! What is found by overlap, from the surest detection on.

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

/// A point for each score there is. `hits` tells of each detection what its true positive counts; NaN where it found
/// nothing.
pub(super) fn overlap_curve(
    hits: impl ExactSizeIterator<Item = f64>,
    scores: &[f64],
    ranking: &[usize],
) -> Vec<Point> {
    let hits: Vec<f64> = hits.collect();
    let mut point = Point { found: 0, weighted: 0.0, detections: 0 };
    let mut curve = Vec::new();
    for (next, &index) in (1..).zip(ranking) {
        point.detections += 1;
        if let Some(weight) = hits.get(index).filter(|weight| !weight.is_nan()) {
            point.found += 1;
            point.weighted += weight;
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
        for ranking in [[0, 1], [1, 0]] {
            let expected = [Point { found: 1, weighted: 0.5, detections: 2 }];
            assert_eq!(overlap_curve([0.5, f64::NAN].into_iter(), &[0.5, 0.5], &ranking), expected);
        }
    }
}
