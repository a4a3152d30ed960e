//! Average precision at the recalls 1/40, 2/40, … 1 (Simonelli et al. 2019), as KITTI has it since: by its definition,
//! and as KITTI's devkit computes it. Its degrees of difficulty are in [`super::kitti_levels`].

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

/// What a detection is for the devkit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It finds a truth box or is wrong.
    Counted,
    /// It may take a truth box, which then is neither found nor missed, and is not wrong.
    Ignored,
    /// It is not there.
    Absent,
}

/// Truth and detections of one class.
pub(super) struct DevkitBoxes<'a, T, D> {
    /// Those that overlap enough, by truth box in the order of the sweeps.
    pub pairs: &'a [Pair],
    /// Of all detections.
    pub scores: &'a [f64],
    /// Whether a truth box counts, by its number; a detection of one that does not is neither right nor wrong.
    pub counts: T,
    /// What a detection is, by its number.
    pub role: D,
}

/// The same as KITTI's devkit computes it. Precisions are taken at the scores at which the recalls are had most
/// nearly, and at each of them truth boxes choose their detections anew. Of n truth boxes below 40 there are n
/// such scores at most, and the result cannot be above (n − 1)/40. `truth` is how many boxes count.
pub(super) fn average_precision_devkit<T: Fn(u32) -> bool, D: Fn(u32) -> Role>(
    boxes: &DevkitBoxes<'_, T, D>,
    truth: u64,
) -> Option<f64> {
    if truth == 0 {
        return None;
    }
    let DevkitBoxes { pairs, scores, counts, role } = boxes;
    let role = |pair: &Pair| role(pair.detection);
    let score = |pair: &Pair| scores.get(pair.detection as usize).copied().unwrap_or(0.0);
    let is_right = |pair: &&Pair| counts(pair.truth) && role(pair) == Role::Counted;
    // For each truth box the surest detection: their scores tell at which score each recall is had.
    let mut taken = vec![0_u8; scores.len()];
    let is_there = |pair: &Pair| role(pair) != Role::Absent;
    let found = matched(pairs, &mut taken, 1, is_there, |best, pair| score(pair) > score(best));
    let mut found: Vec<f64> = found.iter().filter(is_right).map(score).collect();
    found.sort_unstable_by(|a, b| b.total_cmp(a));
    let counted = (0..).zip(scores.iter()).filter(|(number, _)| (boxes.role)(*number) == Role::Counted);
    let mut sorted: Vec<f64> = counted.map(|(_, score)| *score).collect();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));

    let mut precision = [0.0; RECALL_STEPS + 1];
    for (step, (precision, threshold)) in precision.iter_mut().zip(thresholds(&found, truth)).enumerate() {
        // For each truth box the closest detection of those that are sure enough, one that counts before any other.
        let mark = u8::try_from(step + 2).unwrap_or(u8::MAX);
        let kept = |pair: &Pair| score(pair) >= threshold && is_there(pair);
        let better = |best: &Pair, pair: &Pair| {
            role(pair) == Role::Counted && (role(best) != Role::Counted || pair.iou > best.iou)
        };
        let found = matched(pairs, &mut taken, mark, kept, better);
        let right = found.iter().filter(is_right).count();
        let spared = found.iter().filter(|pair| role(pair) == Role::Counted).count() - right;
        let all = sorted.partition_point(|score| *score >= threshold) - spared;
        *precision = if all > 0 { right as f64 / all as f64 } else { 0.0 };
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

    fn all_counted(pairs: &[Pair], scores: &[f64], truth: u64) -> Option<f64> {
        let boxes = DevkitBoxes { pairs, scores, counts: |_| true, role: |_| Role::Counted };
        average_precision_devkit(&boxes, truth)
    }

    #[test]
    fn finding_all_is_one_and_nothing_zero() {
        let scores: Vec<f64> = (0..50).map(|i| 1.0 - f64::from(i) * 0.01).collect();
        let pairs: Vec<Pair> = (0..50).map(|i| pair(i, i, 0.9)).collect();
        assert_eq!(all_counted(&pairs, &scores, 50), Some(1.0));
        assert_eq!(all_counted(&[], &scores, 50), Some(0.0));
        assert_eq!(all_counted(&[], &scores, 0), None);
        let all = |found| Point { found, weighted: found as f64, detections: found };
        assert_eq!(average_precision_r40(&[all(1), all(2), all(3)], 3), Some(1.0));
        assert_eq!(average_precision_r40(&[all(1)], 2), Some(0.5));
        assert_eq!(average_precision_r40(&[], 2), Some(0.0));
        assert_eq!(average_precision_r40(&[], 0), None);
    }

    #[test]
    fn a_detection_finds_one_truth_box() {
        let pairs = [pair(0, 0, 0.8), pair(1, 0, 0.9)];
        let one = all_counted(&pairs[..1], &[0.5], 2);
        assert_eq!(all_counted(&pairs, &[0.5], 2), one);
    }

    #[test]
    fn what_is_ignored_is_neither_right_nor_wrong() {
        // 50 boxes are found; of 50 more detections half find boxes that do not count, half do not count themselves.
        let pairs: Vec<Pair> = (0..75).map(|i| pair(i, i, 0.9)).collect();
        let scores: Vec<f64> = (0..100).map(|i| 1.0 - f64::from(i % 50) * 0.01).collect();
        let role = |detection| if detection < 75 { Role::Counted } else { Role::Ignored };
        let boxes = DevkitBoxes { pairs: &pairs, scores: &scores, counts: |truth| truth < 50, role };
        assert_eq!(average_precision_devkit(&boxes, 50), Some(1.0));
    }

    #[test]
    fn of_two_detections_the_surer_tells_the_score_and_the_one_that_counts_takes_the_box() {
        let pairs: Vec<Pair> = (0..50).flat_map(|i| [pair(i, 2 * i, 0.9), pair(i, 2 * i + 1, 0.8)]).collect();
        let role = |detection| if detection % 2 == 1 { Role::Counted } else { Role::Ignored };
        for (of_ignored, expected) in [(0.0, 1.0), (0.005, 0.0)] {
            let scores: Vec<f64> = (0..50)
                .map(|i| 1.0 - f64::from(i) * 0.01)
                .flat_map(|score| [score - 0.002 + of_ignored, score])
                .collect();
            let boxes = DevkitBoxes { pairs: &pairs, scores: &scores, counts: |_| true, role };
            assert_eq!(average_precision_devkit(&boxes, 50), Some(expected), "{of_ignored}");
        }
    }
}
