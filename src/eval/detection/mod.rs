//! How good 3D detections are.
//!
//! In: the truth boxes and the detections of one sweep after another, in one frame, filtered by
//! [`EvalClasses::counts`]. Out: the metrics of the field over all of them: nuScenes (mean average precision
//! over centre distances, true-positive errors, NDS), KITTI (40 recall points, overlap from above and in
//! 3D), Waymo (average precision weighted by heading). What is kept of a sweep is a few bytes a detection.
//!
//! Sweeps are added in a fixed order, and equal scores are ranked by it, so results do not depend on threads.

mod boxes;
mod class;
mod curve;
mod evaluation;
mod frame_figures;
mod kitti;
mod kitti_levels;
mod nuscenes;
mod outcome;
mod overlap;
mod overlap_curve;
mod points;
mod report;
mod velocity;
mod waymo;

pub use boxes::EvalBox;
pub use class::{EvalClass, EvalClasses, Heading};
pub use curve::{Curve, RECALL_POINTS};
pub(in crate::eval) use curve::{MIN_PRECISION, MIN_RECALL_INDEX, recall_at};
pub use evaluation::DetectionEval;
pub(in crate::eval) use frame_figures::SURE_SCORE;
pub use frame_figures::{DetectionFigures, DetectionRow, FrameRow};
pub use kitti_levels::{KittiClass, KittiDetection, KittiFrame, KittiTruth};
pub use nuscenes::MATCH_DISTANCES_M;
pub(in crate::eval) use nuscenes::nds3;
pub use overlap::OverlapHit;
pub use points::has_point;
pub use report::{
    ClassReport, DetectionReport, KittiLevelReport, KittiLevelReports, KittiReport, NuScenesReport,
    RangeReport, WaymoReport,
};
pub use velocity::VelocityById;

#[cfg(test)]
mod golden_tests;
