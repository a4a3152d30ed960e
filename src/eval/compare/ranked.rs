//! Detections of one class whose frames count several times: one walk along their ranking gives the figures that
//! [`crate::eval::detection`] computes of frames that count once.

use super::overlap_precision::{OverlapPoint, OverlapPrecision, overlap_precision};
use super::recall_walk::PrecisionWalk;
use super::true_positive_errors::{Confidence, ERRORS, Hit, mean_errors};
use crate::eval::detection::{MATCH_DISTANCES_M, OverlapHit, RECALL_POINTS};

/// Match distances.
const DISTANCES: usize = MATCH_DISTANCES_M.len();
/// The one at which errors of true positives are taken: 2 m.
const AT_2M: usize = 2;
/// Bits of [`Ranked::found`] behind those of the distances: found something by overlap.
const BEV: u8 = 1 << DISTANCES;
const VOLUME: u8 = 1 << (DISTANCES + 1);

/// One detection of a class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Detected {
    /// As it came.
    pub score: f64,
    /// Index into the frames that are compared.
    pub frame: u32,
    /// Whether it found something, by match distance.
    pub found: [bool; DISTANCES],
    /// Whether it found something by overlap.
    pub overlap: OverlapHit,
    /// Translation (m), scale and orientation (rad) beside what it found within 2 m; NaN where there is none.
    pub errors: [f64; ERRORS],
}

/// Figures of one class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ClassFigures {
    /// Mean average precision over the match distances.
    pub ap: f64,
    /// ATE, ASE and AOE.
    pub errors: [f64; ERRORS],
    /// Average precision by overlap.
    pub overlap: OverlapPrecision,
}

/// Detections of one class by falling score, of equal ones the later first. Columns lie apart: a walk looks at most
/// detections only to see that they are drawn and found nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranked {
    frames: Vec<u32>,
    /// A bit for each match distance, and two for overlaps.
    found: Vec<u8>,
    scores: Vec<f64>,
    heading_accuracies: Vec<f64>,
    /// Those that found something within 2 m.
    hits: Vec<Hit>,
    /// How many found something by overlap.
    overlapping: usize,
}

impl Ranked {
    /// From detections in the order in which they came.
    pub fn new(mut detections: Vec<Detected>) -> Self {
        detections.reverse();
        // Adding nothing makes one zero of the two.
        detections.sort_by(|a, b| (b.score + 0.0).total_cmp(&(a.score + 0.0)));
        let bits = |detection: &Detected| {
            let distances = (0..).zip(detection.found).map(|(bit, found)| u8::from(found) << bit);
            let overlap = [(BEV, detection.overlap.bev), (VOLUME, detection.overlap.volume())];
            let overlap = overlap.into_iter().map(|(bit, found)| if found { bit } else { 0 });
            distances.chain(overlap).fold(0, |bits, bit| bits | bit)
        };
        let found: Vec<u8> = detections.iter().map(bits).collect();
        let hits = detections.iter().filter(|detection| detection.found[AT_2M]);
        Self {
            frames: detections.iter().map(|detection| detection.frame).collect(),
            overlapping: found.iter().filter(|bits| *bits & (BEV | VOLUME) != 0).count(),
            found,
            scores: detections.iter().map(|detection| detection.score).collect(),
            heading_accuracies: detections.iter().map(|d| d.overlap.heading_accuracy).collect(),
            hits: hits.map(|d| Hit::new(d.score, d.frame, d.errors)).collect(),
        }
    }

    /// The figures among `truth` boxes, at least one, over frames that count as often as `times` says.
    pub fn figures(&self, truth: u64, times: &[u32]) -> ClassFigures {
        let mut curves = [PrecisionWalk::new(truth); DISTANCES];
        let mut confidence: Confidence = [0.0; RECALL_POINTS];
        let mut points = Vec::with_capacity(self.overlapping);
        let mut found_so_far = OverlapPoint::default();
        // Where the last drawn detection is, and the score of a point that is not complete yet.
        let (mut last, mut open, mut count) = (None, None, 0);
        for (index, (&frame, &found)) in self.frames.iter().zip(&self.found).enumerate() {
            let times = times_of(frame, times);
            if times == 0 {
                continue;
            }
            if found != 0 || open.is_some() {
                let score = self.score(index);
                if open.is_some_and(|open| open != score) {
                    points.push(OverlapPoint { detections: count, ..found_so_far });
                    open = None;
                }
                for (bit, curve) in curves.iter_mut().enumerate() {
                    if found >> bit & 1 == 0 {
                        continue;
                    }
                    curve.find(times, count, |crossing| {
                        let before = last.filter(|_| crossing.copy == 0);
                        let before = before.map_or(score, |before| self.score(before));
                        if let Some(slot) = confidence.get_mut(crossing.point).filter(|_| bit == AT_2M) {
                            *slot = (score - before) * crossing.share + before;
                        }
                    });
                }
                if found & (BEV | VOLUME) != 0 {
                    open = Some(score);
                }
                if found & BEV != 0 {
                    found_so_far.bev += times;
                }
                if found & VOLUME != 0 {
                    found_so_far.volume += times;
                    let accuracy = self.heading_accuracies.get(index).copied().unwrap_or(0.0);
                    found_so_far.weighted += times as f64 * accuracy;
                }
            }
            count += times;
            last = Some(index);
        }
        if open.is_some() {
            points.push(OverlapPoint { detections: count, ..found_so_far });
        }
        if let Some(slot) = curves[AT_2M].recall.end().and_then(|point| confidence.get_mut(point)) {
            *slot = last.map_or(0.0, |last| self.score(last));
        }
        let sum: f64 = curves.iter().map(|curve| curve.finish(count)).sum();
        ClassFigures {
            ap: sum / DISTANCES as f64,
            errors: mean_errors(&self.hits, &confidence, times),
            overlap: overlap_precision(&points, truth),
        }
    }

    fn score(&self, index: usize) -> f64 {
        self.scores.get(index).copied().unwrap_or(0.0)
    }
}

/// How often a frame counts.
pub(super) fn times_of(frame: u32, times: &[u32]) -> u64 {
    times.get(frame as usize).copied().map_or(0, u64::from)
}

#[cfg(test)]
mod tests {
    use nalgebra::{Point3, Vector3};

    use super::*;
    use crate::eval::detection::{DetectionEval, EvalBox, EvalClasses};
    use crate::geometry::Box3d;
    use crate::sim::Random;

    fn car(center: [f64; 2], size_m: f64, yaw: f64, score: f64) -> EvalBox {
        let [x, y] = center;
        let box3d = Box3d { center: Point3::new(x, y, 0.0), size: Vector3::new(4.0 * size_m, 2.0, 1.5), yaw };
        EvalBox { class: 0, box3d, score, velocity_mps: [f64::NAN; 2], range_m: x.abs() }
    }

    /// What the report says of the class.
    fn reported(eval: &DetectionEval, classes: &EvalClasses) -> [f64; 8] {
        let report = eval.report(classes);
        let class = &report.nuscenes.per_class["car"];
        let (kitti, waymo) = (report.kitti_r40["car"], report.waymo["car"]);
        [class.ap, class.ate, class.ase, class.aoe, kitti.bev, kitti.volume, waymo.ap, waymo.aph]
    }

    fn all(figures: &ClassFigures) -> [f64; 8] {
        let ([ate, ase, aoe], overlap) = (figures.errors, figures.overlap);
        [figures.ap, ate, ase, aoe, overlap.bev, overlap.volume, overlap.ap, overlap.aph]
    }

    #[test]
    fn they_are_those_of_the_report_also_of_frames_that_count_twice() {
        let classes = EvalClasses::new(["car"]);
        let mut seen = [false; 8];
        for case in 0..80 {
            let mut random = Random::new(case, &[]);
            let (mut once, mut twice) = (DetectionEval::default(), DetectionEval::default());
            let (mut rows, mut truth_boxes) = (Vec::new(), Vec::new());
            let frames = 1 + random.below(12) as u32;
            let mut times = vec![1; frames as usize];
            for frame in 0..frames {
                let own = |i: u64| car([8.0 * i as f64, 0.0], 1.0, 0.3, 0.0);
                let truth: Vec<EvalBox> = (0..=random.below(5) as u64).map(own).collect();
                let mut detections: Vec<EvalBox> = Vec::new();
                for number in 0..random.below(8) {
                    let wide = if random.below(2) == 0 { 0.2 } else { 2.5 };
                    let mut off = || f64::from(random.between(-1.0, 1.0));
                    let (x, y, size, yaw) = (wide * off(), 0.1 * off(), 1.0 + 0.1 * off(), 0.3 + 0.1 * off());
                    let x = x + 8.0 * random.below(5) as f64;
                    // Few different scores: ties. Those of a frame differ, or its copies would be ranked in turn.
                    let apart =
                        if case % 2 == 0 { 0.0 } else { 1e-3 * f64::from(frame) + 1e-5 * number as f64 };
                    detections.push(car([x, y], size, yaw, random.below(6) as f64 / 5.0 + apart));
                }
                once.add(&classes, &truth, &detections);
                rows.extend(once.last().1.iter().map(|row| Detected {
                    score: row.score,
                    frame,
                    found: row.found,
                    overlap: row.overlap,
                    errors: [row.errors[0], row.errors[1], row.errors[2]],
                }));
                truth_boxes.push(truth.len() as u64);
                for _ in 0..=frame % 2 {
                    twice.add(&classes, &truth, &detections);
                }
            }
            let ranked = Ranked::new(rows);
            let compared = |eval: &DetectionEval, truth: u64, times: &[u32]| {
                let (found, expected) = (all(&ranked.figures(truth, times)), reported(eval, &classes));
                for (found, expected) in found.iter().zip(expected) {
                    assert!((found - expected).abs() < 1e-12, "{case}: {found:?}, {expected:?}");
                }
                found
            };
            let found = compared(&once, truth_boxes.iter().sum(), &times);
            for (seen, found) in seen.iter_mut().zip(found) {
                *seen |= found > 0.0 && found < 1.0;
            }
            if case % 2 == 1 {
                let drawn = (0_u32..).zip(&mut times).map(|(frame, times)| {
                    *times += frame % 2;
                    u64::from(*times)
                });
                let truth = drawn.zip(&truth_boxes).map(|(times, boxes)| times * boxes).sum();
                compared(&twice, truth, &times);
            }
        }
        assert_eq!(seen, [true; 8], "cases that tell something of every figure");
    }
}
