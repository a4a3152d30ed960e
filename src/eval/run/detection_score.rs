//! Finds out which truth boxes have points, on all cores, and adds up the metrics.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use rayon::prelude::*;

use super::EvalError;
use super::boxes::moved;
use super::depth_score::Worst;
use super::detection_frames::DetectionPair;
use super::frame_tables::{DetectionTables, FrameId};
use super::reading::Damages;
use super::report::WorstFrame;
use crate::eval::detection::{DetectionEval, DetectionFigures, EvalBox, EvalClasses, has_point};
use crate::eval::html::{Fate, FrameMark, SweepView, WorstViews};
use crate::geometry::Pose;
use crate::pipeline::detection::DetectionFrame;
use crate::sensor::{LidarPoints, LidarPreset, PointCloudView, StampAt};

/// Most pairs that are looked at once: bounds the memory.
const BATCH: usize = 8;

/// A pair and the run that it is of.
pub(super) type OfRun = (usize, DetectionPair);

/// How the sweeps of a run are read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SweepLayout {
    pub preset: LidarPreset,
    pub stamp_at: StampAt,
    /// Whether log times are those of arrival.
    pub live: bool,
}

/// What came of all pairs.
#[derive(Debug, Default)]
pub(super) struct DetectionScores {
    pub eval: DetectionEval,
    pub classes: Arc<EvalClasses>,
    pub worst: Worst,
    /// What is shown of the worst
    pub views: WorstViews<SweepView>,
    /// What became of each pair
    pub marks: Vec<FrameMark>,
    /// Truth boxes within range that no point is on
    pub without_points: u64,
    /// Frames where that is not known
    pub frames_without_sweep: u64,
    pub damages: Damages,
    /// Milliseconds from the stamp to the arrival, of outputs recorded live
    pub ages_ms: Vec<f64>,
}

/// Takes pairs until their sender is gone. `layouts` is by run. What came of each sweep goes into `tables`.
pub(super) fn score(
    pairs: &Receiver<OfRun>,
    layouts: &[SweepLayout],
    mut tables: DetectionTables,
) -> Result<DetectionScores, EvalError> {
    let mut scores = DetectionScores::default();
    while let Some(batch) = super::tasks::batch(pairs, BATCH) {
        let layout = |run: usize| layouts.get(run).copied().unwrap_or_default();
        let seen: Vec<_> =
            batch.par_iter().map(|(run, pair)| boxes_with_points(pair, layout(*run))).collect();
        for ((run, pair), seen) in batch.into_iter().zip(seen) {
            if layout(run).live {
                scores.ages_ms.push(pair.age_ns as f64 * 1e-6);
            }
            let truth: Vec<EvalBox> = match seen {
                Ok(Some(seen)) => {
                    let with_points = pair.truth.iter().zip(&seen).filter(|(_, seen)| **seen);
                    with_points.map(|(found, _)| *found).collect()
                }
                Ok(None) => {
                    scores.frames_without_sweep += 1;
                    pair.truth.clone()
                }
                Err(error) => {
                    scores.frames_without_sweep += 1;
                    scores.damages.note("lidar/points", &error);
                    pair.truth.clone()
                }
            };
            scores.without_points += (pair.truth.len() - truth.len()) as u64;
            let figures = scores.eval.add(&pair.classes, &truth, &pair.detections);
            if let Some(kitti) = &pair.kitti {
                scores.eval.add_kitti(kitti);
            }
            let (frames, detections) = scores.eval.last();
            let DetectionPair { stamp, truth_crc32, .. } = pair;
            let frame = FrameId { run, bag: &pair.bag, stamp, truth_crc32 };
            tables.rows(frame, &pair.classes, frames, detections)?;
            if figures.missed + figures.wrong > 0 {
                let frame = WorstFrame { run, stamp: pair.stamp.to_string(), figure: figures.f1() };
                scores.worst.insert(frame, |a, b| a < b);
                scores.views.offer(-figures.f1(), || Some(view((run, figures), &pair, &truth, layout(run))));
            }
            let fate = Fate::Scored(figures.f1());
            scores.marks.push(FrameMark { sequence: pair.sequence, run, stamp: pair.stamp, fate });
            scores.classes = pair.classes;
        }
    }
    tables.finish()?;
    Ok(scores)
}

/// For each truth box whether a point is inside; `None` without a sweep. Points are moved to where they
/// would have been measured at the stamp, as the detector sees them.
fn boxes_with_points(pair: &DetectionPair, layout: SweepLayout) -> Result<Option<Vec<bool>>, String> {
    let Some(sweep) = &pair.sweep else { return Ok(None) };
    let seen = |points: LidarPoints<'_, '_>| has_point(&pair.truth_in_sweep, points.map(|p| [p.x, p.y, p.z]));
    with_points(sweep, layout, seen).map(Some)
}

/// What `look` makes of the points of a sweep.
fn with_points<T>(
    sweep: &DetectionFrame,
    layout: SweepLayout,
    look: impl FnOnce(LidarPoints<'_, '_>) -> T,
) -> Result<T, String> {
    let cloud = sweep.cloud.cloud().map_err(|error| error.to_string())?;
    let view = PointCloudView::new(&cloud).map_err(|error| error.to_string())?;
    let layout =
        layout.preset.layout(&view, sweep.stamp, layout.stamp_at).map_err(|error| error.to_string())?;
    let mut points = layout.points(&view);
    if let Some((motion, times)) = sweep.motion.as_deref().zip(layout.times()) {
        points = points.deskewed(motion, times);
    }
    Ok(look(points))
}

/// What is shown of a pair: in the sweep's frame, where that is known.
fn view(
    (run, figures): (usize, DetectionFigures),
    pair: &DetectionPair,
    truth: &[EvalBox],
    layout: SweepLayout,
) -> SweepView {
    let pose = pair.t_sweep_truth.unwrap_or_else(Pose::identity);
    let turned = |boxes: &[EvalBox]| -> Vec<EvalBox> {
        boxes.iter().map(|of| EvalBox { box3d: moved(&of.box3d, &pose), ..*of }).collect()
    };
    let of = (run, pair.stamp, figures);
    let mut view = SweepView::new(of, &pair.classes, &turned(truth), &turned(&pair.detections));
    if let Some(sweep) = &pair.sweep {
        // A sweep that cannot be read was told when its boxes were looked at.
        let _ = with_points(sweep, layout, |points| view.set_points(points.map(|p| [p.x, p.y])));
    }
    view
}
