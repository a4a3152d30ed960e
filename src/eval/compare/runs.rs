//! Two evaluated runs, both tasks.

use std::path::Path;

use serde_json::Value as Json;

use super::detection::DetectionPairs;
use super::evaluated_run::{DepthRows, DetectionRows, EvaluatedRun};
use super::pairing::{Pairing, TruthFrames};
use super::recordings::common_recordings;
use super::{
    CONFIDENCE, CompareError, ComparedFigure, Comparison, Estimate, FailRule, GATE_CONFIDENCE, Gate,
    PairedFigures, PairedMeans, RESAMPLES, Resamples, TaskFrames,
};
use crate::eval::depth::DepthFigures;

/// What is compared of each replay.
const OF_REPLAY: [&str; 5] = [
    "nodes.depth.latency_ms.p50",
    "nodes.depth.latency_ms.p99",
    "nodes.detection.latency_ms.p50",
    "nodes.detection.latency_ms.p99",
    "max_rss_mb",
];

/// Compares two evaluated runs and judges `rules`, or without any the headline figures.
pub fn compare(a: &Path, b: &Path, rules: &[FailRule]) -> Result<Comparison, CompareError> {
    let runs = [EvaluatedRun::open(a)?, EvaluatedRun::open(b)?];
    let [of_a, of_b] = &runs;
    let mut work = Work { runs: &runs, recordings: Vec::new(), notes: Vec::new(), figures: Vec::new() };
    let depth = if work.has("depth")? { Some([of_a.depth()?, of_b.depth()?]) } else { None };
    let detection = if work.has("detection")? { Some([of_a.detection()?, of_b.detection()?]) } else { None };
    work.pair_recordings(depth.as_ref(), detection.as_ref())?;
    let depth = depth.map(|rows| work.depth(&rows)).transpose()?;
    let detection = detection.map(|rows| work.detection(&rows)).transpose()?;
    if depth.is_none() && detection.is_none() {
        let sections = |run: &EvaluatedRun| {
            let scored: Vec<&str> =
                ["depth", "detection"].into_iter().filter(|task| run.frames(task) > 0).collect();
            if scored.is_empty() { "none".to_owned() } else { scored.join(" and ") }
        };
        return Err(CompareError::NothingInCommon { a: sections(of_a), b: sections(of_b) });
    }
    let gate = Gate::judge(&work.figures, rules, |key| work.plain(key))?;
    work.add_plain();
    let Work { notes, figures, .. } = work;
    Ok(Comparison {
        isobath: env!("CARGO_PKG_VERSION"),
        a: a.display().to_string(),
        b: b.display().to_string(),
        confidence: CONFIDENCE,
        gate_confidence: GATE_CONFIDENCE,
        resamples: RESAMPLES,
        notes,
        depth,
        detection,
        figures,
        gate,
    })
}

struct Work<'a> {
    runs: &'a [EvaluatedRun; 2],
    /// Those that both runs have, by index
    recordings: Vec<[u32; 2]>,
    notes: Vec<String>,
    figures: Vec<ComparedFigure>,
}

impl Work<'_> {
    /// Whether both runs have figures of `task`. It is an error if B lost it: that is no better than being worse.
    fn has(&mut self, task: &'static str) -> Result<bool, CompareError> {
        let [a, b] = self.runs.each_ref().map(|run| run.frames(task));
        match (a, b) {
            (1.., 1..) => Ok(true),
            (1.., 0) => Err(CompareError::NoCommonFrames { task, a, b }),
            (0, 1..) => {
                self.notes.push(format!("{task}: scored in B alone"));
                Ok(false)
            }
            (0, 0) => Ok(false),
        }
    }

    /// Finds the recordings that both runs have.
    fn pair_recordings(
        &mut self,
        depth: Option<&[DepthRows; 2]>,
        detection: Option<&[DetectionRows; 2]>,
    ) -> Result<(), CompareError> {
        let of_depth = depth.map(|rows| rows.each_ref().map(|r| TruthFrames::new(&r.frames, &r.truth_crc32)));
        let of_boxes =
            detection.map(|rows| rows.each_ref().map(|r| TruthFrames::new(&r.frames, &r.truth_crc32)));
        let truth: Vec<[TruthFrames; 2]> = of_depth.into_iter().chain(of_boxes).collect();
        let recordings = self.runs.each_ref().map(|run| run.recordings.as_slice());
        self.recordings = common_recordings(recordings, &truth)?;
        let [a, b] = recordings;
        for [in_a, in_b] in &self.recordings {
            if let (Some(a), Some(b)) = (a.get(*in_a as usize), b.get(*in_b as usize))
                && a.bag != b.bag
            {
                self.notes.push(format!("'{}' of A and '{}' of B have the same truth", a.bag, b.bag));
            }
        }
        let both = self.recordings.len();
        if both < a.len().max(b.len()) {
            let (a, b) = (a.len(), b.len());
            self.notes.push(format!("{both} of {a} recordings of A and {b} of B are in both"));
        }
        Ok(())
    }

    fn depth(&mut self, rows: &[DepthRows; 2]) -> Result<TaskFrames, CompareError> {
        let pairing = Pairing::new("depth", &rows[0].frames, &rows[1].frames, &self.recordings)?;
        let different = pairing.different(&rows[0].truth_crc32, &rows[1].truth_crc32);
        if different > 0 {
            let frames = pairing.counts.frames;
            return Err(CompareError::OtherTruth { task: "depth", different, frames });
        }
        let column = |values: &Vec<f64>, side: usize| -> Vec<f64> {
            let value = |pair: &[usize; 2]| {
                pair.get(side).and_then(|row| values.get(*row)).copied().unwrap_or(f64::NAN)
            };
            pairing.pairs.iter().map(value).collect()
        };
        let both = rows[0].figures.iter().zip(&rows[1].figures);
        let means = PairedMeans::new(both.map(|(a, b)| (column(a, 0), column(b, 1))));
        let keys = DepthFigures::NAMES.map(str::to_owned);
        Ok(self.estimate("depth", &pairing, &means, &keys, pairing.counts))
    }

    fn detection(&mut self, rows: &[DetectionRows; 2]) -> Result<TaskFrames, CompareError> {
        let task = "detection";
        let pairing = Pairing::new(task, &rows[0].frames, &rows[1].frames, &self.recordings)?;
        let frames = pairing.counts.frames;
        let different = pairing.different(&rows[0].truth_crc32, &rows[1].truth_crc32);
        if different > 0 {
            return Err(CompareError::OtherTruth { task, different, frames });
        }
        let pairs = DetectionPairs::new([&rows[0], &rows[1]], &pairing);
        let counts = TaskFrames { other_truth: pairs.other_truth, ..pairing.counts };
        if pairs.other_truth > 0 {
            // Which boxes have points depends on the sweep, so that is no reason to give up.
            let other = pairs.other_truth;
            self.notes.push(format!(
                "{task}: in {other} of {frames} frames other boxes of the truth are scored, as other boxes have points"
            ));
        }
        Ok(self.estimate(task, &pairing, &pairs, &pairs.keys(), counts))
    }

    /// Adds the figures of a task.
    fn estimate(
        &mut self,
        task: &str,
        pairing: &Pairing,
        figures: &dyn PairedFigures,
        keys: &[String],
        counts: TaskFrames,
    ) -> TaskFrames {
        let TaskFrames { frames, only_a, only_b, .. } = counts;
        if only_a > 0 || only_b > 0 {
            self.notes.push(format!(
                "{task}: figures are over the {frames} frames that both runs have; {only_a} are in A alone, \
                 {only_b} in B alone"
            ));
        }
        let resamples = Resamples::draw(&pairing.blocks, figures);
        let estimates = Estimate::of_all(&pairing.blocks, &resamples);
        for (key, estimate) in keys.iter().zip(estimates) {
            self.figures.push(ComparedFigure::new(format!("{task}.{key}"), &estimate, is_better_lower(key)));
        }
        counts
    }

    /// A number that both reports have.
    fn plain(&self, key: &str) -> Option<[f64; 2]> {
        let [a, b] = self.runs.each_ref().map(|run| lookup(&run.report, key).and_then(Json::as_f64));
        Some([a?, b?])
    }

    /// Adds figures of the reports that are not made of frames.
    fn add_plain(&mut self) {
        let runs = self.runs[0].report.get("runs").and_then(Json::as_array).map_or(0, Vec::len);
        let of_replay =
            (0..runs).flat_map(|run| OF_REPLAY.iter().map(move |key| format!("runs.{run}.replay.{key}")));
        for key in of_replay.collect::<Vec<_>>() {
            if let Some(values) = self.plain(&key) {
                self.figures.push(ComparedFigure::plain(key, values));
            }
        }
    }
}

/// Whether less is better of a figure of frames.
fn is_better_lower(key: &str) -> bool {
    let figure = key.rsplit('.').next().unwrap_or(key);
    let of_depth = matches!(figure, "coverage" | "delta1" | "delta2" | "delta3");
    let of_boxes = matches!(figure, "map" | "nds3" | "ap" | "aph" | "bev" | "3d" | "recall" | "precision");
    !of_depth && !of_boxes
}

/// What `key` names, steps joined by dots. Names may have dots of their own.
fn lookup<'a>(value: &'a Json, key: &str) -> Option<&'a Json> {
    let mut ends = key.match_indices('.').map(|(place, _)| place).chain([key.len()]);
    ends.find_map(|end| {
        let name = key.get(..end)?;
        let inner = match value {
            Json::Object(members) => members.get(name)?,
            Json::Array(items) => items.get(name.parse::<usize>().ok()?)?,
            _ => return None,
        };
        match key.get(end + 1..) {
            Some(rest) => lookup(inner, rest),
            None => Some(inner),
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_steps_through_objects_lists_and_names_with_dots() {
        let report =
            json!({"runs": [{"p": 1}, {"p": 2}], "per_class": {"vehicle.car": {"ap": 0.5}, "vehicle": 3}});
        let number = |key| lookup(&report, key).and_then(Json::as_f64);
        assert_eq!(number("runs.1.p"), Some(2.0));
        assert_eq!(number("per_class.vehicle.car.ap"), Some(0.5));
        assert_eq!(number("per_class.vehicle"), Some(3.0));
        for key in ["", ".", "runs", "runs.2.p", "runs.x", "runs.1.p.q", "per_class."] {
            assert_eq!(number(key), None, "{key}");
        }
    }
}
