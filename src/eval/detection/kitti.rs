//! Average precision at the recalls 1/40, 2/40, … 1 (Simonelli et al. 2019), as KITTI has it since, without its
//! degrees of difficulty, which need the image: by its definition, and as KITTI's devkit computes it.

use super::overlap::Pair;
use super::overlap_curve::Point;

/// Recalls at which precision is taken, beside 0.
const RECALL_STEPS: usize = 40;

/// Average precision, 0..=1, of one class: mean over the recalls of the best precision at that recall or a higher
/// one. `None` without truth.
pub(super) fn average_precision_r40(curve: &[Point], truth: u64) -> Option<f64> {
    if truth == 0 {
        return None;
    }
    let best = |step: u64| {
        // found / truth ≥ step / 40, without rounding.
        let reached = curve.iter().filter(|point| point.found * RECALL_STEPS as u64 >= step * truth);
        reached.map(|point| point.found as f64 / point.detections as f64).fold(0.0, f64::max)
    };
    let sum: f64 = (1..=RECALL_STEPS as u64).map(best).sum();
    Some(sum / RECALL_STEPS as f64)
}

/// The same as KITTI's devkit computes it. Precisions are taken at the scores at which the recalls are had most
/// nearly, and at each of them truth boxes choose their detections anew. Of n truth boxes below 40 there are n
/// such scores at most, and the result cannot be above (n − 1)/40.
///
/// `pairs` are those that overlap enough, by truth box in the order of the sweeps; `scores` those of all
/// detections.
pub(super) fn average_precision_devkit(pairs: &[Pair], scores: &[f64], truth: u64) -> Option<f64> {
    if truth == 0 {
        return None;
    }
    let score = |pair: &Pair| scores.get(pair.detection as usize).copied().unwrap_or(0.0);
    // For each truth box the surest detection: their scores tell at which score each recall is had.
    let mut taken = vec![0_u8; scores.len()];
    let found = matched(pairs, &mut taken, 1, |_| true, |best, pair| score(pair) > score(best));
    let mut found: Vec<f64> = found.iter().map(score).collect();
    found.sort_unstable_by(|a, b| b.total_cmp(a));
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));

    let mut precision = [0.0; RECALL_STEPS + 1];
    for (step, (precision, threshold)) in precision.iter_mut().zip(thresholds(&found, truth)).enumerate() {
        // For each truth box the closest detection of those that are sure enough.
        let mark = u8::try_from(step + 2).unwrap_or(u8::MAX);
        let kept = |pair: &Pair| score(pair) >= threshold;
        let right = matched(pairs, &mut taken, mark, kept, |best, pair| pair.iou > best.iou).len();
        let all = sorted.partition_point(|score| *score >= threshold);
        *precision = right as f64 / all as f64;
    }
    // Precision at a recall is the best at that recall or a higher one.
    let mut best = 0.0_f64;
    for precision in precision.iter_mut().rev() {
        best = best.max(*precision);
        *precision = best;
    }
    Some(precision.iter().skip(1).sum::<f64>() / RECALL_STEPS as f64)
}

/// The pair of each truth box that found one: of its `kept` pairs whose detection is not taken yet, the
/// first that no later is `better` than. A detection is taken where its place in `taken` holds `mark`.
fn matched(
    pairs: &[Pair],
    taken: &mut [u8],
    mark: u8,
    kept: impl Fn(&Pair) -> bool,
    better: impl Fn(&Pair, &Pair) -> bool,
) -> Vec<Pair> {
    let mut found = Vec::new();
    for of_truth in pairs.chunk_by(|a, b| a.truth == b.truth) {
        let free = |pair: &&Pair| taken.get(pair.detection as usize).is_some_and(|taken| *taken != mark);
        let best = of_truth
            .iter()
            .filter(|pair| kept(pair))
            .filter(free)
            .reduce(|best, pair| if better(best, pair) { pair } else { best });
        if let Some(best) = best {
            if let Some(taken) = taken.get_mut(best.detection as usize) {
                *taken = mark;
            }
            found.push(*best);
        }
    }
    found
}

/// The scores at which the recalls 0, 1/40, … are had most nearly; fewer where recall ends before 1. `found`
/// are the scores of the detections that found a truth box, falling.
fn thresholds(found: &[f64], truth: u64) -> Vec<f64> {
    let mut thresholds = Vec::with_capacity(RECALL_STEPS + 1);
    let mut wanted = 0.0;
    for (index, &score) in found.iter().enumerate() {
        let is_last = index + 1 == found.len();
        let recall = (index + 1) as f64 / truth as f64;
        let next = if is_last { recall } else { (index + 2) as f64 / truth as f64 };
        if !is_last && next - wanted < wanted - recall {
            continue;
        }
        thresholds.push(score);
        wanted += 1.0 / RECALL_STEPS as f64;
    }
    thresholds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(truth: u32, detection: u32, iou: f64) -> Pair {
        Pair { truth, detection, iou, heading_accuracy: 1.0 }
    }

    #[test]
    fn finding_all_is_one_and_nothing_zero() {
        let scores: Vec<f64> = (0..50).map(|i| 1.0 - f64::from(i) * 0.01).collect();
        let pairs: Vec<Pair> = (0..50).map(|i| pair(i, i, 0.9)).collect();
        assert_eq!(average_precision_devkit(&pairs, &scores, 50), Some(1.0));
        assert_eq!(average_precision_devkit(&[], &scores, 50), Some(0.0));
        assert_eq!(average_precision_devkit(&[], &scores, 0), None);
        let all = |found| Point { found, weighted: found as f64, detections: found };
        assert_eq!(average_precision_r40(&[all(1), all(2), all(3)], 3), Some(1.0));
        assert_eq!(average_precision_r40(&[all(1)], 2), Some(0.5));
        assert_eq!(average_precision_r40(&[], 2), Some(0.0));
        assert_eq!(average_precision_r40(&[], 0), None);
    }

    #[test]
    fn a_detection_finds_one_truth_box() {
        let pairs = [pair(0, 0, 0.8), pair(1, 0, 0.9)];
        let one = average_precision_devkit(&pairs[..1], &[0.5], 2);
        assert_eq!(average_precision_devkit(&pairs, &[0.5], 2), one);
    }
}
