//! Truth and detections of one class that overlap: what KITTI's and Waymo's metrics are made of.

use super::outcome::by_falling_score;
use super::{EvalBox, EvalClass};
use crate::geometry::{Box3d, iou_3d, rotated_iou_bev};

/// A truth box and a detection that overlap by more than the class asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pair {
    /// Number of the truth box in its class.
    pub truth: u32,
    /// Number of the detection in its class.
    pub detection: u32,
    /// Intersection over union.
    pub iou: f64,
    /// 1 − difference of the headings / π.
    pub heading_accuracy: f64,
}

/// What a detection found by overlap: by falling score, of equal ones the later first, each takes the truth box left
/// that it overlaps most, if that is enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverlapHit {
    /// Seen from above.
    pub bev: bool,
    /// In 3D: 1 − difference of the headings / π; NaN where it found nothing.
    pub heading_accuracy: f64,
}

impl OverlapHit {
    /// Whether it found something in 3D.
    pub const fn volume(&self) -> bool {
        !self.heading_accuracy.is_nan()
    }
}

impl Default for OverlapHit {
    /// Nothing found.
    fn default() -> Self {
        Self { bev: false, heading_accuracy: f64::NAN }
    }
}

/// All pairs of one class, by truth box, then by detection, and what came of each detection.
#[derive(Clone, Debug, Default)]
pub(super) struct Overlaps {
    truth: u32,
    bev: Vec<Pair>,
    volume: Vec<Pair>,
    hits: Vec<OverlapHit>,
}

impl Overlaps {
    /// Adds the boxes of one sweep, all of `class`. What each detection found.
    pub fn add(&mut self, class: &EvalClass, truth: &[&EvalBox], detections: &[&EvalBox]) -> &[OverlapHit] {
        let (first_bev, first_volume, first) = (self.bev.len(), self.volume.len(), self.hits.len());
        for (number, target) in (self.truth..).zip(truth) {
            for (index, detection) in (first as u32..).zip(detections) {
                let pair = |iou: f64| {
                    let turned = target.heading_difference(detection, std::f64::consts::TAU);
                    let heading_accuracy = 1.0 - turned / std::f64::consts::PI;
                    (iou > class.iou).then_some(Pair {
                        truth: number,
                        detection: index,
                        iou,
                        heading_accuracy,
                    })
                };
                let of = |iou: fn(&Box3d, &Box3d) -> f64| pair(iou(&target.box3d, &detection.box3d));
                if let Some(found) = of(rotated_iou_bev) {
                    self.bev.push(found);
                    // Who does not overlap from above does not in 3D, or less.
                    self.volume.extend(of(iou_3d));
                }
            }
        }
        let order =
            by_falling_score(detections.len(), |index| detections.get(index).map_or(0.0, |d| d.score));
        let order: Vec<u32> = order.into_iter().map(|index| (first + index) as u32).collect();
        let found = |pairs: &[Pair], first_pair: usize| {
            matched(pairs.get(first_pair..).unwrap_or_default(), &order, self.truth, truth.len())
        };
        let (bev, volume) = (found(&self.bev, first_bev), found(&self.volume, first_volume));
        self.hits.resize(first + detections.len(), OverlapHit::default());
        for pair in bev {
            if let Some(hit) = self.hits.get_mut(pair.detection as usize) {
                hit.bev = true;
            }
        }
        for pair in volume {
            if let Some(hit) = self.hits.get_mut(pair.detection as usize) {
                hit.heading_accuracy = pair.heading_accuracy;
            }
        }
        self.truth += truth.len() as u32;
        self.hits.get(first..).unwrap_or_default()
    }

    /// Pairs whose footprints overlap.
    pub fn bev(&self) -> &[Pair] {
        &self.bev
    }

    /// Pairs whose volumes overlap.
    pub fn volume(&self) -> &[Pair] {
        &self.volume
    }

    /// What each detection found.
    pub fn hits(&self) -> &[OverlapHit] {
        &self.hits
    }
}

/// The pairs of one sweep that come about when detections, in this `order`, take the truth box left that they
/// overlap most. Its truth boxes are `count` from number `first` on.
fn matched(pairs: &[Pair], order: &[u32], first: u32, count: usize) -> Vec<Pair> {
    let mut by_detection: Vec<&Pair> = pairs.iter().collect();
    by_detection.sort_by_key(|pair| pair.detection);
    let mut taken = vec![false; count];
    let mut found = Vec::new();
    for &detection in order {
        let start = by_detection.partition_point(|pair| pair.detection < detection);
        let own = by_detection.iter().skip(start).take_while(|pair| pair.detection == detection);
        let is_left = |pair: &&&Pair| taken.get((pair.truth - first) as usize).is_some_and(|taken| !taken);
        let best =
            own.filter(is_left).reduce(|best, pair| if pair.iou > best.iou { pair } else { best }).copied();
        if let Some(pair) = best {
            if let Some(taken) = taken.get_mut((pair.truth - first) as usize) {
                *taken = true;
            }
            found.push(*pair);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surest_chooses_first_and_the_closest() {
        let pair = |truth, detection, iou| Pair { truth, detection, iou, heading_accuracy: 1.0 };
        let pairs = [pair(7, 3, 0.6), pair(7, 4, 0.9), pair(8, 3, 0.8)];
        assert_eq!(matched(&pairs, &[3, 4], 7, 2), [pairs[2], pairs[1]]);
        assert_eq!(matched(&pairs[..2], &[3, 4], 7, 2), [pairs[0]], "the other is taken");
        assert_eq!(matched(&pairs[..2], &[4, 3], 7, 2), [pairs[1]]);
    }
}
