//! Two evaluated runs, both tasks.

use std::path::Path;

use serde_json::Value as Json;

use super::detection::DetectionPairs;
use super::evaluated_run::EvaluatedRun;
use super::pairing::{Pairing, common_recordings};
use super::{
    CONFIDENCE, CompareError, ComparedFigure, Comparison, Estimate, FailRule, GATE_CONFIDENCE, Gate,
    PairedFigures, PairedMeans, RESAMPLES, Resamples, TaskFrames,
};
use crate::eval::depth::DepthFigures;

/// Figures of detection that are taken from the reports as they are.
const OF_REPORT: [&str; 4] = ["nds3", "ate", "ase", "aoe"];
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
    let recordings = common_recordings(&of_a.recordings, &of_b.recordings)?;
    let mut work = Work { runs: &runs, recordings, notes: Vec::new(), figures: Vec::new() };
    if work.recordings.len() < of_a.recordings.len().max(of_b.recordings.len()) {
        work.notes.push(format!(
            "{} of {} recordings of A and {} of B are in both",
            work.recordings.len(),
            of_a.recordings.len(),
            of_b.recordings.len()
        ));
    }
    let depth = if work.has("depth")? { Some(work.depth()?) } else { None };
    let detection = if work.has("detection")? { Some(work.detection()?) } else { None };
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
    recordings: Vec<[i64; 2]>,
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

    fn depth(&mut self) -> Result<TaskFrames, CompareError> {
        let [a, b] = self.runs;
        let rows = [a.depth()?, b.depth()?];
        let pairing = Pairing::new("depth", &rows[0].frames, &rows[1].frames, &self.recordings)?;
        let of_pair = |values: [&[i64]; 2], pair: &[usize; 2]| {
            let [a, b] = values;
            (a.get(pair[0]).copied(), b.get(pair[1]).copied())
        };
        let pixels = [rows[0].pixels.as_slice(), rows[1].pixels.as_slice()];
        let different = |pair: &&[usize; 2]| {
            let (a, b) = of_pair(pixels, pair);
            a != b
        };
        let different = pairing.pairs.iter().filter(different).count() as u64;
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

    fn detection(&mut self) -> Result<TaskFrames, CompareError> {
        let task = "detection";
        let [a, b] = self.runs;
        let rows = [a.detection()?, b.detection()?];
        let pairing = Pairing::new(task, &rows[0].frames, &rows[1].frames, &self.recordings)?;
        let pairs = DetectionPairs::new([&rows[0], &rows[1]], &pairing);
        let counts = TaskFrames { other_truth: pairs.other_truth, ..pairing.counts };
        let (different, frames) = (pairs.other_truth, counts.frames);
        if 2 * different > frames {
            return Err(CompareError::OtherTruth { task, different, frames });
        }
        if different > 0 {
            // Which boxes have points depends on how the sweep was read, so that is no reason to give up.
            self.notes
                .push(format!("{task}: other truth boxes are scored in {different} of {frames} frames"));
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
        let of_detection = OF_REPORT.iter().map(|key| format!("detection.nuscenes.{key}"));
        let runs = self.runs[0].recordings.len();
        let of_replay =
            (0..runs).flat_map(|run| OF_REPLAY.iter().map(move |key| format!("runs.{run}.replay.{key}")));
        for key in of_detection.chain(of_replay).collect::<Vec<_>>() {
            if let Some(values) = self.plain(&key) {
                self.figures.push(ComparedFigure::plain(key, values));
            }
        }
    }
}

/// Whether less is better of a figure of frames.
fn is_better_lower(key: &str) -> bool {
    let figure = key.rsplit('.').next().unwrap_or(key);
    !matches!(figure, "coverage" | "delta1" | "delta2" | "delta3" | "map" | "ap" | "recall" | "precision")
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
