//! `report.json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value as Json;

use super::markdown::Markdown;
use super::{EvalError, FateTimeline, Matching};
use crate::eval::ablation::Ablation;
use crate::eval::depth::DepthReport;
use crate::eval::detection::DetectionReport;
use crate::pipeline::LatencySummary;

/// Name of the file.
pub(in crate::eval) const REPORT_FILE: &str = "report.json";
/// Name of the file with the ablation alone.
const ABLATION_FILE: &str = "ablation.json";
/// Name of the file to be read.
const MARKDOWN_FILE: &str = "report.md";

/// Contents of `report.json`. What there is no truth for is left out.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Version of this program.
    pub isobath: &'static str,
    /// Largest difference of the stamps of truth and output, milliseconds.
    pub tolerance_ms: f64,
    /// What a reader of the figures should know.
    pub notes: Vec<String>,
    /// What was scored.
    pub runs: Vec<RunReport>,
    /// Depth over all runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth: Option<DepthSection>,
    /// Detection over all runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detection: Option<DetectionSection>,
    /// What bad radars do to depth; also in `ablation.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ablation: Option<Ablation>,
}

impl Report {
    /// Writes `report.json`, `report.md` and, where there is one, `ablation.json` into `folder`, each whole or not at
    /// all; the path of the first.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, EvalError> {
        write_whole(&folder.join(MARKDOWN_FILE), &Markdown(self).to_string())?;
        if let Some(ablation) = &self.ablation {
            write_json(&folder.join(ABLATION_FILE), ablation)?;
        }
        let path = folder.join(REPORT_FILE);
        write_json(&path, self)?;
        Ok(path)
    }
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), EvalError> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| EvalError::Write { path: path.to_owned(), reason: error.to_string() })?;
    write_whole(path, &(text + "\n"))
}

/// Written beside and renamed, so that nobody reads half of it.
fn write_whole(path: &Path, text: &str) -> Result<(), EvalError> {
    let fail = |error: std::io::Error| EvalError::Write { path: path.to_owned(), reason: error.to_string() };
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    std::fs::write(&partial, text).map_err(fail)?;
    std::fs::rename(&partial, path).map_err(fail)
}

/// One run.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    /// As it was given.
    pub path: String,
    /// Recordings that its truth was looked for in.
    pub truth: Vec<String>,
    /// `run.json` without its parameters: counts, times by stage and from end to end, memory. Left out for outputs
    /// that were recorded live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay: Option<Json>,
    /// What became of the frames over the time of the recordings, by node. Left out where replay left no table of
    /// them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timelines: Option<BTreeMap<String, FateTimeline>>,
}

/// Depth.
#[derive(Clone, Debug, Serialize)]
pub struct DepthSection {
    /// The figures.
    #[serde(flatten)]
    pub figures: DepthReport,
    /// How many frames had a truth.
    pub matching: Matching,
    /// Pairs whose images could not be compared.
    pub incomparable: u64,
    /// Milliseconds from the stamp to the arrival at the recorder, of outputs recorded live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_ms: Option<LatencySummary>,
    /// The frames with the largest AbsRel.
    pub worst: Vec<WorstFrame>,
}

/// Detection.
#[derive(Clone, Debug, Serialize)]
pub struct DetectionSection {
    /// The figures.
    #[serde(flatten)]
    pub figures: DetectionReport,
    /// How many frames had a truth.
    pub matching: Matching,
    /// Truth boxes within range that no LiDAR point is on: not scored.
    pub truth_without_points: u64,
    /// Frames without a sweep, in which all truth boxes are scored.
    pub frames_without_sweep: u64,
    /// Truth boxes and detections that are not finite or have no size or class: not scored.
    pub unusable_boxes: u64,
    /// Pairs whose frames no transform joins.
    pub without_transform: u64,
    /// Detections of classes that the truth does not know: not scored.
    pub other_classes: BTreeMap<String, u64>,
    /// Milliseconds from the stamp to the arrival at the recorder, of outputs recorded live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_ms: Option<LatencySummary>,
    /// The frames with the lowest F1 at 2 m and a score of 0.3.
    pub worst: Vec<WorstFrame>,
}

/// A frame to look at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WorstFrame {
    /// Index into the report's runs.
    pub run: usize,
    /// Stamp of the truth, seconds.
    pub stamp: String,
    /// What it is worst by.
    pub figure: f64,
}

/// Percentiles by the nearest rank; `None` without values.
pub(super) fn percentiles(mut values: Vec<f64>) -> Option<LatencySummary> {
    values.sort_unstable_by(f64::total_cmp);
    let max = *values.last()?;
    let at = |quantile: f64| {
        let rank = (quantile * values.len() as f64).ceil() as usize;
        values.get(rank.max(1) - 1).copied().unwrap_or(max)
    };
    Some(LatencySummary { p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), max })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        let expected = LatencySummary { p50: 100.0, p90: 180.0, p95: 190.0, p99: 198.0, max: 200.0 };
        assert_eq!(percentiles(values), Some(expected));
        assert_eq!(percentiles(vec![3.0]).unwrap().p50, 3.0);
        assert_eq!(percentiles(vec![]), None);
    }
}
