//! Suppression of boxes that repeat better ones, as published detectors do it.
//!
//! All rules are greedy: the best box stays and removes what it makes superfluous, the best of those that are
//! left stays, and so on.

use std::cmp::Ordering;

use super::Detection3d;
use crate::geometry::rotated_iou_bev;

/// Most boxes that are compared with each other; of more, those with the best scores. Bounds the time of a
/// frame when a network answers everywhere.
pub const MAX_CANDIDATES: usize = 4096;

/// One pass over the boxes.
#[derive(Clone, Debug, PartialEq)]
pub enum SuppressionStep {
    /// A box falls when the centre of a kept one of any class is closer in BEV; metres.
    Circle {
        /// Distance, exclusive
        radius_m: f32,
    },
    /// A box falls when its footprint overlaps that of a kept one by more.
    Iou {
        /// Intersection over union, 0..1
        threshold: f32,
        /// Whether boxes of other classes count too
        across_classes: bool,
    },
    /// A box falls when a kept one of its class is within the class's radius in BEV; metres, one per class.
    ClassDistance {
        /// Distance by class, inclusive
        radius_m: Vec<f32>,
    },
}

impl SuppressionStep {
    /// Whether `kept` makes `next` superfluous.
    fn removes(&self, kept: &Detection3d, next: &Detection3d) -> bool {
        let distance_squared = || (kept.box3d.center.xy() - next.box3d.center.xy()).norm_squared();
        match self {
            Self::Circle { radius_m } => distance_squared() < f64::from(*radius_m).powi(2),
            Self::Iou { threshold, across_classes } => {
                (*across_classes || kept.class == next.class)
                    && rotated_iou_bev(&kept.box3d, &next.box3d) > f64::from(*threshold)
            }
            Self::ClassDistance { radius_m } => {
                let radius = radius_m.get(usize::from(next.class)).copied().unwrap_or(0.0);
                kept.class == next.class && distance_squared() <= f64::from(radius).powi(2)
            }
        }
    }
}

/// Applies `steps` in turn to `detections`, which are in descending order of their scores, and keeps at most
/// `max` of them. Costs at most the square of their number a step.
pub fn suppress_boxes(detections: &mut Vec<Detection3d>, steps: &[SuppressionStep], max: usize) {
    for step in steps {
        let mut kept = 0;
        for next in 0..detections.len() {
            let candidate = detections[next];
            if detections[..kept].iter().all(|better| !step.removes(better, &candidate)) {
                detections[kept] = candidate;
                kept += 1;
            }
        }
        detections.truncate(kept);
    }
    detections.truncate(max);
}

/// A place of a head whose score is high enough, before its box is computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ranked {
    pub score: f32,
    pub class: u16,
    /// Index of the cell, or of the anchor.
    pub place: u32,
}

impl Ranked {
    /// Descending score, then ascending class, then ascending place: total, so results repeat.
    fn order(&self, other: &Self) -> Ordering {
        other
            .score
            .total_cmp(&self.score)
            .then(self.class.cmp(&other.class))
            .then(self.place.cmp(&other.place))
    }
}

/// Sorts `ranked` and keeps the best [`MAX_CANDIDATES`] of them.
pub(super) fn keep_best(ranked: &mut Vec<Ranked>) {
    if ranked.len() > MAX_CANDIDATES {
        ranked.select_nth_unstable_by(MAX_CANDIDATES, Ranked::order);
        ranked.truncate(MAX_CANDIDATES);
    }
    ranked.sort_unstable_by(Ranked::order);
}

/// A logit below which no score reaches `threshold`: it spares most places of a head the exponential.
pub(super) fn logit_floor(threshold: f32) -> f32 {
    // From 16 on the logistic function is 1 in f32, and near the exact value its rounding matters.
    ((threshold / (1.0 - threshold)).ln() - 0.01).min(16.0)
}

/// The logistic function: a network's logit as a probability.
pub(super) fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

#[cfg(test)]
mod tests {
    use nalgebra::{Point3, Vector3};

    use super::*;
    use crate::geometry::Box3d;

    fn detection(x: f64, class: u16) -> Detection3d {
        let box3d = Box3d { center: Point3::new(x, 0.0, 0.0), size: Vector3::new(2.0, 1.0, 1.0), yaw: 0.0 };
        Detection3d { box3d, class, score: 0.5 }
    }

    fn kept(boxes: &[(f64, u16)], steps: &[SuppressionStep], max: usize) -> Vec<(f64, u16)> {
        let mut detections = boxes.iter().map(|&(x, class)| detection(x, class)).collect();
        suppress_boxes(&mut detections, steps, max);
        detections.iter().map(|d| (d.box3d.center.x, d.class)).collect()
    }

    #[test]
    fn each_rule_removes_what_it_says() {
        let boxes = [(0.0, 0), (0.4, 1), (1.0, 0), (1.5, 1), (9.0, 0)];
        let circle = SuppressionStep::Circle { radius_m: 1.0 };
        assert_eq!(kept(&boxes, std::slice::from_ref(&circle), 9), [(0.0, 0), (1.0, 0), (9.0, 0)]);
        // 0 and 0.4 overlap by 2/3, 0 and 1 by 1/3, 0 and 1.5 by 1/7, 0.4 and 1.5 by 9/31.
        let iou = |threshold, across_classes| SuppressionStep::Iou { threshold, across_classes };
        assert_eq!(kept(&boxes, &[iou(0.3, true)], 9), [(0.0, 0), (1.5, 1), (9.0, 0)]);
        assert_eq!(kept(&boxes, &[iou(0.3, false)], 9), [(0.0, 0), (0.4, 1), (1.5, 1), (9.0, 0)]);
        let classes = SuppressionStep::ClassDistance { radius_m: vec![1.0, 1.1] };
        assert_eq!(kept(&boxes, &[classes], 9), [(0.0, 0), (0.4, 1), (9.0, 0)]);
        assert_eq!(kept(&boxes, &[circle, iou(0.3, true)], 9), [(0.0, 0), (9.0, 0)]);
        assert_eq!(kept(&boxes, &[], 2), [(0.0, 0), (0.4, 1)]);
    }

    /// A chain: the first removes the second, which therefore does not remove the third.
    #[test]
    fn a_removed_box_removes_none() {
        let chain = [(0.0, 0), (0.9, 0), (1.8, 0)];
        assert_eq!(kept(&chain, &[SuppressionStep::Circle { radius_m: 1.0 }], 9), [(0.0, 0), (1.8, 0)]);
    }

    #[test]
    fn the_floor_is_below_every_logit_that_scores() {
        for threshold in [0.0, 1e-6, 0.05, 0.5, 0.9, 0.999_999, 1.0] {
            let floor = logit_floor(threshold);
            for step in -3000..3000_i16 {
                let logit = f32::from(step) * 0.01;
                assert!(
                    sigmoid(logit) < threshold || logit >= floor,
                    "{logit} for {threshold}, floor {floor}"
                );
            }
        }
        assert!(logit_floor(0.5) > -0.02, "and not far below");
    }

    #[test]
    fn the_best_places_are_kept_in_a_total_order() {
        let mut ranked: Vec<Ranked> = (0..2 * MAX_CANDIDATES as u32)
            .map(|place| Ranked { score: if place % 3 == 0 { 0.9 } else { 0.1 }, class: 0, place })
            .collect();
        keep_best(&mut ranked);
        assert_eq!(ranked.len(), MAX_CANDIDATES);
        let good = 2 * MAX_CANDIDATES / 3 + 1;
        assert!(ranked[..good].iter().enumerate().all(|(i, r)| r.place == 3 * i as u32 && r.score == 0.9));
        assert_eq!((ranked[good].place, ranked[good + 1].place, ranked[good + 2].place), (1, 2, 4));
    }
}
