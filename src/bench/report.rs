//! What was measured.

use std::collections::BTreeMap;

use serde::Serialize;

use super::contestant::AnyContestant;
use super::setup::{Entry, Skipped};
use crate::pipeline::{Accounting, LatencySummary};

/// Everything that was measured.
#[derive(Clone, Debug, Serialize)]
pub struct BenchReport {
    /// The recording
    pub input: String,
    /// Median share of the cells of the first detection model's grid that had points, 0 to 1
    pub occupancy: Option<f64>,
    /// One for each model and precision
    pub runs: Vec<RunReport>,
    /// Models without one of the precisions
    pub skipped: Vec<Skipped>,
}

/// One model with one precision.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    /// Its name
    pub model: String,
    /// Which of its files ran
    pub precision: String,
    /// Where it ran: all of it, as a provider that cannot run everything is refused
    pub provider: String,
    /// Threads of its session
    pub threads: usize,
    /// Version of ONNX Runtime
    pub onnxruntime: String,
    /// Counted frames
    pub frames: u64,
    /// Milliseconds of each stage and, as `total`, of the whole frame
    pub stages_ms: BTreeMap<&'static str, LatencySummary>,
    /// Medians of `total` in the first, second and last third of the frames, milliseconds
    pub total_p50_by_third_ms: Vec<f64>,
    /// Largest resident memory of a process that runs this alone, MB
    pub max_rss_mb: f64,
}

impl RunReport {
    /// By how much the last third was slower than the first: 0.1 is 10 %.
    pub fn drift(&self) -> f64 {
        match (self.total_p50_by_third_ms.first(), self.total_p50_by_third_ms.last()) {
            (Some(first), Some(last)) if *first > 0.0 => last / first - 1.0,
            _ => 0.0,
        }
    }
}

/// What one of them took.
pub(super) fn run(entry: &Entry, contestant: &dyn AnyContestant, max_rss_mb: f64) -> RunReport {
    let mut all = Accounting::default();
    contestant.thirds().iter().for_each(|third| all.merge(third));
    let facts: BTreeMap<_, _> = contestant.describe().into_iter().collect();
    let fact = |name| facts.get(name).cloned().unwrap_or_default();
    let mut stages_ms: BTreeMap<_, _> = all.stages().collect();
    stages_ms.insert("total", all.latency());
    RunReport {
        model: entry.name.clone(),
        precision: fact("precision"),
        provider: fact("provider"),
        threads: entry.threads,
        onnxruntime: fact("onnxruntime"),
        frames: all.published(),
        stages_ms,
        total_p50_by_third_ms: contestant.thirds().iter().map(|third| third.latency().p50).collect(),
        max_rss_mb,
    }
}
