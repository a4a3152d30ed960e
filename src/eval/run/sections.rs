//! What a task's scores say in the report, and what a reader should know beside them.

use super::depth_score::DepthScores;
use super::detection_score::DetectionScores;
use super::reading::Damages;
use super::report::percentiles;
use super::tasks::Scored;
use super::{DepthSection, DetectionSection, Matching, TOLERANCE_NS};

/// What is worth a note in the matching of one task.
fn matching_notes(task: &str, matching: &Matching, notes: &mut Vec<String>) {
    if matching.matched == 0 {
        notes.push(format!(
            "{task}: nothing was scored: {} truth messages and {} outputs, none of which are within {} ms of each other",
            matching.truth,
            matching.outputs,
            TOLERANCE_NS / 1_000_000
        ));
    } else if matching.truth_without_output > 0 {
        notes.push(format!(
            "{task}: nothing was published for {} of {} truth messages; the figures are over the others",
            matching.truth_without_output, matching.truth
        ));
    }
    if matching.outputs_without_truth > 0 && matching.matched > 0 {
        notes.push(format!(
            "{task}: {} of {} outputs have no truth",
            matching.outputs_without_truth, matching.outputs
        ));
    }
    let (of_truth, of_outputs) = (matching.truth_time_jumps, matching.output_time_jumps);
    if of_truth > 0 || of_outputs > 0 {
        let matched =
            if of_truth == of_outputs { "" } else { ": frames about the jumps may be matched wrongly" };
        notes.push(format!(
            "{task}: time runs back {of_truth} times in the truth and {of_outputs} times in the outputs{matched}"
        ));
    }
}

/// `None`, with the reason among `refused`, where nothing could be compared though both were there.
pub(super) fn depth_section(
    scored: Scored<DepthScores>,
    notes: &mut Vec<String>,
    refused: &mut Vec<String>,
    damages: &mut Damages,
) -> Option<DepthSection> {
    let Scored { scores, matching, damages: of_reading, .. } = scored;
    damages.merge(of_reading);
    damages.merge(scores.damages);
    matching_notes("depth", &matching, notes);
    let incomparable = scores.incomparable.as_ref().map_or(0, |(count, _)| *count);
    if let Some((count, why)) = scores.incomparable {
        if count == matching.matched {
            refused.push(why);
            return None;
        }
        notes.push(format!("{count} of {} pairs of depth images were not compared: {why}", matching.matched));
    }
    Some(DepthSection {
        figures: scores.average.report(),
        matching,
        incomparable,
        age_ms: percentiles(scores.ages_ms),
        worst: scores.worst.into_frames(),
    })
}

/// `None`, with the reason among `refused`, where nothing could be compared though both were there.
pub(super) fn detection_section(
    scored: Scored<DetectionScores>,
    notes: &mut Vec<String>,
    refused: &mut Vec<String>,
    damages: &mut Damages,
) -> Option<DetectionSection> {
    let Scored { scores, matching, counts, damages: of_reading, has_sweeps, .. } = scored;
    damages.merge(of_reading);
    damages.merge(scores.damages);
    matching_notes("detection", &matching, notes);
    let without_transform = counts.without_transform.as_ref().map_or(0, |(count, _)| *count);
    if let Some((count, why)) = counts.without_transform {
        if count == matching.matched {
            refused.push(why);
            return None;
        }
        notes.push(format!("{count} of {} frames were not scored: {why}", matching.matched));
    }
    if let Some((count, why)) = counts.without_difficulty {
        notes.push(format!(
            "detection: {count} of {} frames are left out of KITTI's easy, moderate and hard: {why}",
            matching.matched
        ));
    }
    if !has_sweeps {
        notes.push(
            "detection: no sweeps on 'lidar/points' beside the truth: boxes without LiDAR points are scored too, \
             distances are from the origin of the truth's frame; --remap lidar/points:=<topic> names another"
                .to_owned(),
        );
    } else if scores.frames_without_sweep > 0 {
        notes.push(format!(
            "detection: {} of {} frames have no sweep: boxes without LiDAR points are scored there too",
            scores.frames_without_sweep, matching.matched
        ));
    }
    if scores.eval.frames() > 0 && scores.eval.detections() == 0 {
        notes.push("detection: there is not one detection within range".to_owned());
    }
    let other_classes = scores.eval.other_classes(&scores.classes);
    Some(DetectionSection {
        figures: scores.eval.report(&scores.classes),
        matching,
        truth_without_points: scores.without_points,
        frames_without_sweep: scores.frames_without_sweep,
        unusable_boxes: counts.unusable,
        without_transform,
        other_classes,
        age_ms: percentiles(scores.ages_ms),
        worst: scores.worst.into_frames(),
    })
}
