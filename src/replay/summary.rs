//! `run.json`: what was replayed, with what, and what became of every frame.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::{Calibration, Identity, RateSearch};
use crate::pipeline::depth::RADAR_PROBLEM;
use crate::pipeline::{
    Accounting, JitterSummary, LatencyBucket, LatencySummary, NodeParameters, ParameterSet, Value,
};

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
    /// `max`, or how many times real time was asked for
    pub rate: String,
    /// How many times real time the messages came; less than asked for where the bag could not be read as fast.
    /// Absent in lockstep
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_reached: Option<f64>,
    /// How the rate was searched for, where it was
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_search: Option<RateSearch>,
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
    /// How they are distributed
    pub latency_histogram: Vec<LatencyBucket>,
    /// Milliseconds of each stage
    pub stages_ms: BTreeMap<&'static str, LatencySummary>,
    /// Milliseconds from the stamp to the publication. Absent in lockstep, and where stamps are of another clock
    /// than the log
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_ms: Option<LatencySummary>,
    /// How unevenly outputs come. Absent in lockstep
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter_ms: Option<JitterSummary>,
    /// What became of the budget, where there is one
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<BudgetSummary>,
    /// What the radar did, as means over the frames that have the figure, and `warned`, the frames at which it was
    /// of no use. Absent without radar
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub radar: BTreeMap<&'static str, f64>,
    /// Facts about the model
    pub model: BTreeMap<&'static str, String>,
}

/// How a node kept to its budget.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BudgetSummary {
    /// Milliseconds that a frame may take
    pub ms: f64,
    /// Published frames whose latency is longer
    pub misses: u64,
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
            latency_histogram: account.latency_distribution(),
            stages_ms: account.stages().collect(),
            age_ms: account.age_summary(),
            jitter_ms: account.jitter(),
            budget: account
                .budget()
                .map(|(budget, misses)| BudgetSummary { ms: budget.as_secs_f64() * 1e3, misses }),
            radar: radar(account),
            model: facts.into_iter().collect(),
        }
    }
}

fn radar(account: &Accounting) -> BTreeMap<&'static str, f64> {
    let mut radar: BTreeMap<_, _> = account.radar_influence().means().collect();
    if !radar.is_empty() {
        let warned = account.problems().get(RADAR_PROBLEM).map_or(0, |problem| problem.count);
        radar.insert("warned", warned as f64);
    }
    radar
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
