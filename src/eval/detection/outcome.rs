//! What became of the detections of one class: a few bytes each, from which every curve is made.

use super::nuscenes::{MATCH_DISTANCES_M, TP_DISTANCE};
use super::{Curve, DetectionRow, EvalBox, EvalClass, OverlapHit};

/// Width of a range bin, metres.
pub(super) const RANGE_BIN_M: f64 = 10.0;
/// Range bins; the last has all that is farther.
pub(super) const RANGE_BINS: usize = 5;
/// In place of a truth's range bin: no truth was found.
const MISS: u8 = u8::MAX;

/// Errors of a detection that found its truth within 2 m.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TruePositive {
    /// Which detection.
    pub detection: u32,
    /// Of the centres seen from above, metres.
    pub translation_m: f64,
    /// 1 − overlap of the sizes.
    pub scale: f64,
    /// Of the headings, radians; NaN where the class has none.
    pub orientation: f64,
    /// Of the velocities, m/s; NaN where one is not known.
    pub velocity_mps: f64,
}

/// All detections of one class, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcomes {
    truth: [u64; RANGE_BINS],
    scores: Vec<f64>,
    ranges_m: Vec<f32>,
    /// The range bin of the truth it found, by match distance.
    found_bin: Vec<[u8; MATCH_DISTANCES_M.len()]>,
    true_positives: Vec<TruePositive>,
}

/// Which detections and truth boxes are looked at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    All,
    /// Truth of this range bin, the detections that found it, and those in the bin that found nothing.
    Range(usize),
}

impl Outcomes {
    /// Matches the boxes of one sweep, all of `class`, greedily by falling score, of equal ones the
    /// later first: each takes the closest truth that is left, if that is closer than the match
    /// distance. Gives, for each detection, the truth that it found within 2 m.
    pub fn add(
        &mut self,
        class: &EvalClass,
        truth: &[&EvalBox],
        detections: &[&EvalBox],
    ) -> Vec<Option<usize>> {
        for target in truth {
            if let Some(count) = self.truth.get_mut(range_bin(target.range_m)) {
                *count += 1;
            }
        }
        let first = self.scores.len();
        self.scores.extend(detections.iter().map(|detection| detection.score));
        self.ranges_m.extend(detections.iter().map(|detection| detection.range_m as f32));
        self.found_bin.resize(self.scores.len(), [MISS; MATCH_DISTANCES_M.len()]);

        let order =
            by_falling_score(detections.len(), |index| detections.get(index).map_or(0.0, |d| d.score));
        let mut found_at_2m = vec![None; detections.len()];
        let mut taken = vec![false; truth.len()];
        for (threshold, &limit_m) in MATCH_DISTANCES_M.iter().enumerate() {
            taken.fill(false);
            for &index in &order {
                let Some(detection) = detections.get(index) else { continue };
                let mut closest: Option<(f64, usize)> = None;
                for (number, target) in truth.iter().enumerate() {
                    let distance_m = target.center_distance_m(detection);
                    if !taken.get(number).is_some_and(|taken| *taken)
                        && closest.is_none_or(|(least, _)| distance_m < least)
                    {
                        closest = Some((distance_m, number));
                    }
                }
                let Some((_, number)) = closest.filter(|(distance_m, _)| *distance_m < limit_m) else {
                    continue;
                };
                let Some((target, taken)) = truth.get(number).zip(taken.get_mut(number)) else { continue };
                *taken = true;
                if let Some(found) =
                    self.found_bin.get_mut(first + index).and_then(|found| found.get_mut(threshold))
                {
                    *found = range_bin(target.range_m) as u8;
                }
                if limit_m == TP_DISTANCE {
                    if let Some(found) = found_at_2m.get_mut(index) {
                        *found = Some(number);
                    }
                    self.true_positives.push(errors(class, target, detection, (first + index) as u32));
                }
            }
        }
        found_at_2m
    }

    /// The last `count` detections, of class number `class`.
    pub fn last(&self, count: usize, class: u16) -> impl Iterator<Item = DetectionRow> + '_ {
        let first = self.scores.len().saturating_sub(count);
        // True positives of a sweep come in no order of their own, but behind those of the sweeps before.
        let recent = self.true_positives.iter().rev().take_while(move |tp| tp.detection as usize >= first);
        let recent: Vec<&TruePositive> = recent.collect();
        (first..self.scores.len()).map(move |index| {
            let found = self.found_bin.get(index).copied().unwrap_or([MISS; MATCH_DISTANCES_M.len()]);
            let errors = recent.iter().find(|tp| tp.detection as usize == index);
            DetectionRow {
                class,
                score: self.score(index),
                range_m: self.ranges_m.get(index).copied().unwrap_or(f32::NAN).into(),
                found: found.map(|bin| bin != MISS),
                errors: errors.map_or([f64::NAN; 4], |tp| {
                    [tp.translation_m, tp.scale, tp.orientation, tp.velocity_mps]
                }),
                overlap: OverlapHit::default(),
            }
        })
    }

    /// Truth boxes.
    pub fn truth(&self, part: Part) -> u64 {
        match part {
            Part::All => self.truth.iter().sum(),
            Part::Range(bin) => self.truth.get(bin).copied().unwrap_or(0),
        }
    }

    /// Detections.
    pub fn detections(&self) -> u64 {
        self.scores.len() as u64
    }

    /// Scores in the order in which they came.
    pub fn scores(&self) -> &[f64] {
        &self.scores
    }

    /// Whether any velocity could be compared.
    pub fn knows_velocity(&self) -> bool {
        self.true_positives.iter().any(|found| !found.velocity_mps.is_nan())
    }

    /// Indices by falling score, of equal ones the later first.
    pub fn ranking(&self) -> Vec<usize> {
        by_falling_score(self.scores.len(), |index| self.score(index))
    }

    /// Precision over recall for one of the match distances.
    pub fn curve(&self, ranking: &[usize], threshold: usize, part: Part) -> Option<Curve> {
        let detections = ranking.iter().filter_map(|&index| {
            let found = *self.found_bin.get(index)?.get(threshold)?;
            let hit = found != MISS;
            if let Part::Range(bin) = part {
                let own = || self.ranges_m.get(index).map(|range_m| range_bin(f64::from(*range_m)));
                if (if hit { usize::from(found) } else { own()? }) != bin {
                    return None;
                }
            }
            Some((self.score(index), hit))
        });
        Curve::new(detections, self.truth(part))
    }

    /// Scores and errors of the detections that found their truth within 2 m, by falling score.
    pub fn hits(&self, error: impl Fn(&TruePositive) -> f64) -> Vec<(f64, f64)> {
        let scored = |found: &TruePositive| (self.score(found.detection as usize), found.detection);
        let mut order: Vec<&TruePositive> = self.true_positives.iter().collect();
        order.sort_unstable_by(|a, b| {
            let ((a, first), (b, second)) = (scored(a), scored(b));
            b.total_cmp(&a).then(second.cmp(&first))
        });
        order.into_iter().map(|found| (scored(found).0, error(found))).collect()
    }

    fn score(&self, index: usize) -> f64 {
        self.scores.get(index).copied().unwrap_or(0.0)
    }
}

/// Indices by falling score, of equal ones the later first.
pub(super) fn by_falling_score(count: usize, score: impl Fn(usize) -> f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    // Adding nothing makes one zero of the two.
    order.sort_unstable_by(|&a, &b| (score(b) + 0.0).total_cmp(&(score(a) + 0.0)).then(b.cmp(&a)));
    order
}

fn errors(class: &EvalClass, target: &EvalBox, detection: &EvalBox, index: u32) -> TruePositive {
    let [vx, vy] = target.velocity_mps;
    let [ux, uy] = detection.velocity_mps;
    TruePositive {
        detection: index,
        translation_m: target.center_distance_m(detection),
        scale: 1.0 - target.size_iou(detection),
        orientation: class
            .heading
            .period()
            .map_or(f64::NAN, |period| target.heading_difference(detection, period)),
        velocity_mps: if class.has_velocity { (ux - vx).hypot(uy - vy) } else { f64::NAN },
    }
}

/// Which range bin a distance is in.
fn range_bin(range_m: f64) -> usize {
    // A cast of a float saturates.
    ((range_m / RANGE_BIN_M) as usize).min(RANGE_BINS - 1)
}
