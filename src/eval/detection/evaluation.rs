//! All metrics over all sweeps.

use std::collections::BTreeMap;

use super::frame_figures::SURE_SCORE;
use super::kitti::{DevkitBoxes, Role};
use super::kitti_levels::{KittiFrame, KittiLevels};
use super::outcome::{Outcomes, Part};
use super::overlap::Overlaps;
use super::overlap_curve::overlap_curve;
use super::{
    Curve, DetectionFigures, DetectionReport, DetectionRow, EvalBox, EvalClass, EvalClasses, FrameRow,
    KittiLevelReports, KittiReport, WaymoReport, kitti, nuscenes, waymo,
};

/// What is kept of one class.
#[derive(Clone, Debug, Default)]
struct ClassData {
    outcomes: Outcomes,
    overlaps: Overlaps,
}

/// Takes sweep after sweep and gives the report.
#[derive(Clone, Debug, Default)]
pub struct DetectionEval {
    frames: u64,
    classes: Vec<ClassData>,
    kitti: KittiLevels,
    frame_rows: Vec<FrameRow>,
    detection_rows: Vec<DetectionRow>,
}

impl DetectionEval {
    /// Adds a sweep: the boxes that count, truth and detections in one frame. Detections without a finite score
    /// and boxes of unknown classes are passed over.
    pub fn add(
        &mut self,
        classes: &EvalClasses,
        truth: &[EvalBox],
        detections: &[EvalBox],
    ) -> DetectionFigures {
        self.frames += 1;
        self.frame_rows.clear();
        self.detection_rows.clear();
        for (number, class) in (0_u16..).zip(classes.iter()) {
            if self.classes.len() <= usize::from(number) {
                self.classes.push(ClassData::default());
            }
            let Some(data) = self.classes.get_mut(usize::from(number)) else { continue };
            let truth: Vec<&EvalBox> = truth.iter().filter(|b| b.class == number).collect();
            let scored = |b: &&EvalBox| b.class == number && b.score.is_finite();
            let detections: Vec<&EvalBox> = detections.iter().filter(scored).collect();
            if truth.is_empty() && detections.is_empty() {
                continue;
            }
            let found = data.outcomes.add(class, &truth, &detections);
            let overlaps = data.overlaps.add(class, &truth, &detections);
            let rows = data.outcomes.last(detections.len(), number).zip(overlaps);
            self.detection_rows.extend(rows.map(|(row, &overlap)| DetectionRow { overlap, ..row }));
            let sure = || found.iter().zip(&detections).filter(|(_, d)| d.score >= SURE_SCORE);
            let right = sure().filter(|(found, _)| found.is_some()).count() as u32;
            let figures = DetectionFigures {
                truth: truth.len() as u32,
                detections: detections.len() as u32,
                found: right,
                missed: truth.len() as u32 - right,
                wrong: sure().count() as u32 - right,
            };
            self.frame_rows.push(FrameRow { class: number, figures });
        }
        self.frame_rows.iter().fold(DetectionFigures::default(), |sum, row| sum.plus(&row.figures))
    }

    /// Adds what KITTI says of the difficulty of a sweep's objects.
    pub fn add_kitti(&mut self, frame: &KittiFrame) {
        self.kitti.add(frame);
    }

    /// The last sweep by class, without classes that are neither in the truth nor detected, and its detections.
    pub fn last(&self) -> (&[FrameRow], &[DetectionRow]) {
        (&self.frame_rows, &self.detection_rows)
    }

    /// Sweeps so far.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// Precision over recall of a class for one of [`super::MATCH_DISTANCES_M`], by index; `None` if nothing of
    /// the class was found.
    pub fn curve(&self, class: u16, distance: usize) -> Option<Curve> {
        let outcomes = &self.classes.get(usize::from(class))?.outcomes;
        outcomes.curve(&outcomes.ranking(), distance, Part::All)
    }

    /// Detections of all classes.
    pub fn detections(&self) -> u64 {
        self.classes.iter().map(|data| data.outcomes.detections()).sum()
    }

    /// How many detections are of classes that are not scored: the truth has none of them, and none is expected.
    pub fn other_classes(&self, classes: &EvalClasses) -> BTreeMap<String, u64> {
        let all = classes.iter().zip(&self.classes).enumerate();
        all.filter(|(index, (_, data))| !classes.is_configured(*index) && data.outcomes.truth(Part::All) == 0)
            .map(|(_, (class, data))| (class.name.clone(), data.outcomes.detections()))
            .filter(|(_, count)| *count > 0)
            .collect()
    }

    /// The metrics, over the configured classes and those that have a truth; without any sweep all are NaN.
    pub fn report(&self, classes: &EvalClasses) -> DetectionReport {
        let nothing = ClassData::default();
        let all: Vec<(&EvalClass, &ClassData)> = classes
            .iter()
            .enumerate()
            .map(|(index, class)| (index, class, self.classes.get(index).unwrap_or(&nothing)))
            .filter(|(index, _, data)| classes.is_configured(*index) || data.outcomes.truth(Part::All) > 0)
            .map(|(_, class, data)| (class, data))
            .collect();
        let outcomes: Vec<_> = all.iter().map(|(class, data)| (*class, &data.outcomes)).collect();
        let mut kitti_r40 = BTreeMap::new();
        let mut waymo_reports = BTreeMap::new();
        for (class, ClassData { outcomes, overlaps }) in &all {
            let (truth, scores) = (outcomes.truth(Part::All), outcomes.scores());
            let ranking = outcomes.ranking();
            let hits = overlaps.hits().iter();
            let bev = hits.clone().map(|hit| if hit.bev { 1.0 } else { f64::NAN });
            let bev = overlap_curve(bev, scores, &ranking);
            let volume = overlap_curve(hits.map(|hit| hit.heading_accuracy), scores, &ranking);
            let devkit = |pairs| {
                let boxes = DevkitBoxes { pairs, scores, counts: |_| true, role: |_| Role::Counted };
                kitti::average_precision_devkit(&boxes, truth)
            };
            let levels = self.kitti.reports(&class.name);
            // Levels may have truth that is too far away or without points for the other figures.
            if truth > 0 || levels != KittiLevelReports::default() {
                let figure = |value: Option<f64>| value.unwrap_or(f64::NAN);
                let report = KittiReport {
                    bev: figure(kitti::average_precision_r40(&bev, truth)),
                    volume: figure(kitti::average_precision_r40(&volume, truth)),
                    bev_devkit: figure(devkit(overlaps.bev())),
                    volume_devkit: figure(devkit(overlaps.volume())),
                    iou: class.iou,
                    levels,
                };
                kitti_r40.insert(class.name.clone(), report);
            }
            if let Some(found) = waymo::average_precision(&volume, truth) {
                let report = WaymoReport { ap: found.ap, aph: found.aph, iou: class.iou };
                waymo_reports.insert(class.name.clone(), report);
            }
        }
        DetectionReport {
            frames: self.frames,
            nuscenes: nuscenes::report(&outcomes),
            kitti_r40,
            waymo: waymo_reports,
        }
    }
}
