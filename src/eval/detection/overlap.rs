//! Truth and detections of one class that overlap: what KITTI's and Waymo's metrics are made of.

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

/// All pairs of one class, by truth box, then by detection.
#[derive(Clone, Debug, Default)]
pub(super) struct Overlaps {
    truth: u32,
    detections: u32,
    bev: Vec<Pair>,
    volume: Vec<Pair>,
}

impl Overlaps {
    /// Adds the boxes of one sweep, all of `class`.
    pub fn add(&mut self, class: &EvalClass, truth: &[&EvalBox], detections: &[&EvalBox]) {
        for (number, target) in (self.truth..).zip(truth) {
            for (index, detection) in (self.detections..).zip(detections) {
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
        self.truth += truth.len() as u32;
        self.detections += detections.len() as u32;
    }

    /// Pairs whose footprints overlap.
    pub fn bev(&self) -> &[Pair] {
        &self.bev
    }

    /// Pairs whose volumes overlap.
    pub fn volume(&self) -> &[Pair] {
        &self.volume
    }
}
