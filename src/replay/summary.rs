//! `run.json`: what was replayed, with what, and what became of every frame.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::{Calibration, Identity};
use crate::pipeline::{Accounting, LatencySummary, NodeParameters, ParameterSet, Value};

/// Contents of `run.json`.
#[derive(Clone, Debug, Serialize)]
pub struct RunSummary {
    /// Bags in the order they were played
    pub bags: Vec<String>,
    /// What the run was made from
    #[serde(flatten)]
    pub identity: Identity,
    /// Execution provider in use, by node
    pub providers: BTreeMap<&'static str, String>,
    /// Counts and times, by node
    pub nodes: BTreeMap<&'static str, NodeSummary>,
    /// Frames that an earlier attempt computed, which was stopped; `load_s`, `wall_s`, `cpu_s` and `max_rss_mb` are
    /// of the last attempt alone
    pub resumed_frames: u64,
    /// Seconds of recording
    pub bag_s: f64,
    /// Seconds until the models were loaded and checked
    pub load_s: f64,
    /// Seconds of the whole run
    pub wall_s: f64,
    /// CPU seconds of all threads
    pub cpu_s: f64,
    /// Largest resident set, 2^20 bytes
    pub max_rss_mb: f64,
    /// SHA-256 over topic, type, log time and bytes of every output, in their order
    pub outputs_sha256: String,
    /// Messages in `outputs.mcap` that came of each bag; those of a bag follow those of the one before
    pub outputs_per_bag: Vec<u64>,
}

/// One node's part of `run.json`. `received = published + Σ dropped`.
#[derive(Clone, Debug, Serialize)]
pub struct NodeSummary {
    /// Triggers
    pub received: u64,
    /// Frames with outputs
    pub published: u64,
    /// Triggers without, by reason
    pub dropped: BTreeMap<&'static str, u64>,
    /// Frames published without something they could have had
    pub degraded: BTreeMap<String, u64>,
    /// What was wrong with the input, by source
    pub problems: BTreeMap<String, String>,
    /// Milliseconds from a complete frame to its encoded outputs
    pub latency_ms: LatencySummary,
    /// Milliseconds of each stage
    pub stages_ms: BTreeMap<&'static str, StageSummary>,
    /// Facts about the model
    pub model: BTreeMap<&'static str, String>,
}

/// Milliseconds of one stage.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct StageSummary {
    /// Median
    pub p50: f64,
    /// 99th percentile
    pub p99: f64,
}

impl NodeSummary {
    /// From a pipeline's counts and its model's facts.
    pub fn new(account: &Accounting, facts: Vec<(&'static str, String)>) -> Self {
        Self {
            received: account.received(),
            published: account.published(),
            dropped: account.dropped().clone(),
            degraded: account.degraded().clone(),
            problems: account.problems().iter().map(|(source, p)| (source.clone(), p.to_string())).collect(),
            latency_ms: account.latency(),
            stages_ms: account
                .stages()
                .map(|(stage, times)| (stage, StageSummary { p50: times.p50, p99: times.p99 }))
                .collect(),
            model: facts.into_iter().collect(),
        }
    }
}

/// All parameters as JSON, by node, and what of the bags' calibration was replaced.
pub(super) fn config(parameters: &NodeParameters, calibration: Option<&Calibration>) -> Json {
    let node = |set: &ParameterSet| {
        let values = set.iter().map(|(name, value)| {
            let value = match value {
                Value::Bool(value) => json!(value),
                Value::Integer(value) => json!(value),
                Value::Double(value) => json!(value),
                Value::String(value) => json!(value),
            };
            (name.to_owned(), value)
        });
        Json::Object(values.collect::<Map<_, _>>())
    };
    let mut config = json!({ "depth": node(&parameters.depth), "detection": node(&parameters.detection) });
    if let Some(calibration) = calibration {
        config["calibration"] = json!(calibration);
    }
    config
}
