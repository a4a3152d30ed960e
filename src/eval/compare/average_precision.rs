//! Average precision over frames that count several times.
//!
//! As [`crate::eval::detection::Curve`] computes it, but from detections whose frames were drawn, in one pass and
//! without memory of its own.

use crate::eval::detection::{MATCH_DISTANCES_M, MIN_PRECISION, MIN_RECALL_INDEX, RECALL_POINTS, recall_at};

/// Match distances.
const DISTANCES: usize = MATCH_DISTANCES_M.len();

/// One detection of a class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Detected {
    /// As it came.
    pub score: f64,
    /// Index into the frames that are compared.
    pub frame: u32,
    /// Whether it found something, by match distance.
    pub found: [bool; DISTANCES],
}

/// Detections of one class by falling score, of equal ones the later first.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranked(Vec<Detected>);

impl Ranked {
    /// From detections in the order in which they came.
    pub fn new(mut detections: Vec<Detected>) -> Self {
        detections.reverse();
        // Adding nothing makes one zero of the two.
        detections.sort_by(|a, b| (b.score + 0.0).total_cmp(&(a.score + 0.0)));
        Self(detections)
    }

    /// Mean average precision over the match distances, among `truth` boxes; 0 where nothing was found.
    pub fn average_precision(&self, truth: u64, times: &[u32]) -> f64 {
        let mut curves = [Walk::default(); DISTANCES];
        let mut count = 0;
        for detection in &self.0 {
            let times = times.get(detection.frame as usize).copied().map_or(0, u64::from);
            if times == 0 {
                continue;
            }
            for (curve, found) in curves.iter_mut().zip(detection.found) {
                if found {
                    (0..times).for_each(|earlier| curve.find(count + earlier, truth as f64));
                }
            }
            count += times;
        }
        curves.iter().map(|curve| curve.finish(count, truth as f64)).sum::<f64>() / DISTANCES as f64
    }
}

/// A walk along precision over recall.
#[derive(Clone, Copy, Debug, Default)]
struct Walk {
    found: u64,
    /// The first recall point that is not behind.
    point: usize,
    /// Precision above the least that counts, over the points behind.
    sum: f64,
}

impl Walk {
    /// The next detection finds something; `before` came earlier.
    fn find(&mut self, before: u64, truth: f64) {
        let (recall, precision) = (self.found as f64 / truth, self.found as f64 / before as f64);
        self.found += 1;
        let (next, of_next) = (self.found as f64 / truth, self.found as f64 / (before + 1) as f64);
        while self.point < RECALL_POINTS && recall_at(self.point) < next {
            let at = recall_at(self.point);
            let value = if before == 0 {
                of_next
            } else if at == recall {
                precision
            } else {
                (of_next - precision) / (next - recall) * (at - recall) + precision
            };
            self.pass(value);
        }
    }

    fn pass(&mut self, precision: f64) {
        if self.point > MIN_RECALL_INDEX {
            self.sum += (precision - MIN_PRECISION).max(0.0);
        }
        self.point += 1;
    }

    /// The average, after `count` detections.
    fn finish(mut self, count: u64, truth: f64) -> f64 {
        if self.found == 0 {
            return 0.0;
        }
        if self.point < RECALL_POINTS && recall_at(self.point) == self.found as f64 / truth {
            self.pass(self.found as f64 / count as f64);
        }
        let points = (RECALL_POINTS - MIN_RECALL_INDEX - 1) as f64;
        (self.sum / points / (1.0 - MIN_PRECISION)).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{Point3, Vector3};

    use super::*;
    use crate::eval::detection::{DetectionEval, EvalBox, EvalClasses};
    use crate::geometry::Box3d;
    use crate::sim::Random;

    fn car(x: f64, score: f64) -> EvalBox {
        let box3d = Box3d { center: Point3::new(x, 0.0, 0.0), size: Vector3::new(4.0, 2.0, 1.5), yaw: 0.0 };
        EvalBox { class: 0, box3d, score, velocity_mps: [f64::NAN; 2], range_m: x.abs() }
    }

    #[test]
    fn it_is_that_of_the_report_also_of_frames_that_count_twice() {
        let classes = EvalClasses::new(["car"]);
        for case in 0..60 {
            let mut random = Random::new(case, &[]);
            let (mut once, mut twice) = (DetectionEval::default(), DetectionEval::default());
            let (mut rows, mut truth_boxes) = (Vec::new(), Vec::new());
            let frames = 1 + random.below(12) as u32;
            let mut times = vec![1; frames as usize];
            for frame in 0..frames {
                let truth: Vec<EvalBox> = (0..random.below(5)).map(|i| car(8.0 * i as f64, 0.0)).collect();
                let mut detections: Vec<EvalBox> = Vec::new();
                for number in 0..random.below(8) {
                    let x = 8.0 * random.below(5) as f64 + f64::from(random.between(-3.0, 3.0));
                    // Few different scores: ties. Those of a frame differ, or its copies would be ranked in turn.
                    let apart =
                        if case % 2 == 0 { 0.0 } else { 1e-3 * f64::from(frame) + 1e-5 * number as f64 };
                    detections.push(car(x, random.below(6) as f64 / 5.0 + apart));
                }
                once.add(&classes, &truth, &detections);
                rows.extend(once.last().1.iter().map(|row| Detected {
                    score: row.score,
                    frame,
                    found: row.found,
                }));
                truth_boxes.push(truth.len() as u64);
                for _ in 0..=frame % 2 {
                    twice.add(&classes, &truth, &detections);
                }
            }
            let of_report = |eval: &DetectionEval| eval.report(&classes).nuscenes.per_class["car"].ap;
            let ranked = Ranked::new(rows);
            let found = ranked.average_precision(truth_boxes.iter().sum(), &times);
            assert!((found - of_report(&once)).abs() < 1e-12, "{case}: {found}");
            if case % 2 == 1 {
                let drawn = (0_u32..).zip(&mut times).map(|(frame, times)| {
                    *times += frame % 2;
                    u64::from(*times)
                });
                let truth = drawn.zip(&truth_boxes).map(|(times, boxes)| times * boxes).sum();
                let found = ranked.average_precision(truth, &times);
                assert!((found - of_report(&twice)).abs() < 1e-12, "{case}: {found}");
            }
        }
    }
}
