//! KITTI's degrees of difficulty, by the rules of its development kit (`evaluate_object.cpp`).
//!
//! At each level a class is looked at alone. Objects of the class that are harder than the level, and those of its
//! neighbour (vans beside cars, people sitting beside pedestrians), are ignored: whoever finds them is neither right
//! nor wrong. So are detections that are lower in the image than the level asks for, whatever their class. Regions
//! that were not labelled have no place in space, and the kit does not look at them either.

use super::kitti::{DevkitBoxes, Role, average_precision_devkit};
use super::overlap::Pair;
use super::{EvalClass, KittiLevelReport, KittiLevelReports};
use crate::geometry::{Box3d, iou_3d, rotated_iou_bev};
use crate::import::Difficulty;

/// The classes of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KittiClass {
    /// Beside vans.
    Car,
    /// Beside people sitting.
    Pedestrian,
    /// Without a neighbour.
    Cyclist,
}

impl KittiClass {
    /// All, with this project's name, KITTI's and that of the neighbour.
    const NAMES: [(Self, &'static str, &'static str, &'static str); 3] = [
        (Self::Car, "car", "Car", "Van"),
        (Self::Pedestrian, "pedestrian", "Pedestrian", "Person_sitting"),
        (Self::Cyclist, "bicycle", "Cyclist", ""),
    ];

    /// The class that this project calls `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, own, ..)| *own == name).map(|(class, ..)| *class)
    }

    /// The class that an object of KITTI's `kind` is looked at with, and whether it is one of it, not of its
    /// neighbour.
    pub fn of_kind(kind: &str) -> Option<(Self, bool)> {
        let found = Self::NAMES.iter().find(|(.., own, neighbour)| kind == *own || kind == *neighbour);
        found.filter(|_| !kind.is_empty()).map(|(class, _, own, _)| (*class, kind == *own))
    }
}

/// An object that KITTI labelled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KittiTruth {
    /// The class that it is looked at with.
    pub class: KittiClass,
    /// In the frame of truth and detections.
    pub box3d: Box3d,
    /// The easiest level at which it counts; `None` where it counts at none, as the neighbours of a class.
    pub level: Option<Difficulty>,
}

/// A detection that is in the image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KittiDetection {
    /// `None` for classes that KITTI does not evaluate.
    pub class: Option<KittiClass>,
    /// In the frame of truth and detections.
    pub box3d: Box3d,
    /// Finite, higher is surer.
    pub score: f64,
    /// Of its box in the image, pixels.
    pub height_px: f64,
}

/// One sweep.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KittiFrame {
    /// In the order of the labels.
    pub truth: Vec<KittiTruth>,
    /// In the order in which they came.
    pub detections: Vec<KittiDetection>,
}

/// What is kept of a detection.
#[derive(Clone, Copy, Debug)]
struct Detected {
    height_px: f64,
    is_own: bool,
}

impl Detected {
    fn role(self, level: Difficulty) -> Role {
        match (self.height_px < level.min_height_px(), self.is_own) {
            (true, _) => Role::Ignored,
            (false, true) => Role::Counted,
            (false, false) => Role::Absent,
        }
    }
}

/// All sweeps of one class.
#[derive(Clone, Debug, Default)]
struct OfClass {
    truth: Vec<Option<Difficulty>>,
    scores: Vec<f64>,
    detections: Vec<Detected>,
    bev: Vec<Pair>,
    volume: Vec<Pair>,
}

impl OfClass {
    fn add(&mut self, class: KittiClass, least_iou: f64, frame: &KittiFrame) {
        let (first_bev, first_volume) = (self.bev.len(), self.volume.len());
        let truth: Vec<&KittiTruth> = frame.truth.iter().filter(|truth| truth.class == class).collect();
        let first = self.truth.len() as u32;
        self.truth.extend(truth.iter().map(|truth| truth.level));
        let tallest_ignored = Difficulty::all().map(Difficulty::min_height_px).fold(0.0, f64::max);
        for detection in &frame.detections {
            let is_own = detection.class == Some(class);
            if !detection.score.is_finite() || !is_own && detection.height_px >= tallest_ignored {
                continue;
            }
            let number = self.detections.len() as u32;
            let pairs_before = self.bev.len();
            for (truth, number_of_truth) in truth.iter().zip(first..) {
                let pair = |iou: fn(&Box3d, &Box3d) -> f64| {
                    let iou = iou(&truth.box3d, &detection.box3d);
                    let pair = Pair { truth: number_of_truth, detection: number, iou, heading_accuracy: 1.0 };
                    (iou > least_iou).then_some(pair)
                };
                if let Some(found) = pair(rotated_iou_bev) {
                    self.bev.push(found);
                    self.volume.extend(pair(iou_3d));
                }
            }
            // Of another class, it matters only for what it takes.
            if is_own || self.bev.len() > pairs_before {
                self.scores.push(detection.score);
                self.detections.push(Detected { height_px: detection.height_px, is_own });
            }
        }
        for (pairs, first) in [(&mut self.bev, first_bev), (&mut self.volume, first_volume)] {
            pairs.get_mut(first..).unwrap_or_default().sort_by_key(|pair| pair.truth);
        }
    }

    fn report(&self, level: Difficulty) -> Option<KittiLevelReport> {
        let counts = |truth: Option<Difficulty>| truth.is_some_and(|easiest| easiest <= level);
        let truth = self.truth.iter().filter(|truth| counts(**truth)).count() as u64;
        let precision = |pairs: &[Pair]| {
            let boxes = DevkitBoxes {
                pairs,
                scores: &self.scores,
                counts: |truth| counts(self.truth.get(truth as usize).copied().flatten()),
                role: |detection| {
                    self.detections.get(detection as usize).map_or(Role::Absent, |d| d.role(level))
                },
            };
            average_precision_devkit(&boxes, truth)
        };
        Some(KittiLevelReport { bev: precision(&self.bev)?, volume: precision(&self.volume)?, truth })
    }
}

/// Takes sweep after sweep and gives the figures by difficulty.
#[derive(Clone, Debug, Default)]
pub(super) struct KittiLevels([OfClass; KittiClass::NAMES.len()]);

impl KittiLevels {
    /// Adds a sweep.
    pub fn add(&mut self, frame: &KittiFrame) {
        for (of_class, (class, name, ..)) in self.0.iter_mut().zip(KittiClass::NAMES) {
            of_class.add(class, EvalClass::named(name).iou, frame);
        }
    }

    /// The figures of the class that this project calls `name`.
    pub fn reports(&self, name: &str) -> KittiLevelReports {
        let of_class = self.0.iter().zip(KittiClass::NAMES).find(|(_, (_, own, ..))| *own == name);
        let report = |level| of_class.and_then(|(of_class, _)| of_class.report(level));
        KittiLevelReports {
            easy: report(Difficulty::Easy),
            moderate: report(Difficulty::Moderate),
            hard: report(Difficulty::Hard),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_of_a_class_or_of_its_neighbour() {
        assert_eq!(KittiClass::of_kind("Car"), Some((KittiClass::Car, true)));
        assert_eq!(KittiClass::of_kind("Van"), Some((KittiClass::Car, false)));
        assert_eq!(KittiClass::of_kind("Person_sitting"), Some((KittiClass::Pedestrian, false)));
        assert_eq!(KittiClass::of_kind("Cyclist"), Some((KittiClass::Cyclist, true)));
        assert_eq!((KittiClass::of_kind("Truck"), KittiClass::of_kind("")), (None, None));
        assert_eq!(
            (KittiClass::named("bicycle"), KittiClass::named("truck")),
            (Some(KittiClass::Cyclist), None)
        );
    }
}
