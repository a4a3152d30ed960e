//! `ablation.json`.

use serde::Serialize;

/// Which version of the file this is.
pub(super) const SCHEMA: u32 = 1;

/// Errors under all conditions. NaN (null in JSON) is what is not known; so are flags that too few frames decide.
#[derive(Clone, Debug, Serialize)]
pub struct Ablation {
    /// Version of the file.
    pub schema: u32,
    /// Version of this program.
    pub isobath: &'static str,
    /// Of the random numbers of the faults.
    pub seed: u64,
    /// The runs, as they were given.
    pub runs: Vec<String>,
    /// Model, precision and provider of each run.
    pub models: Vec<String>,
    /// Frames of the clean condition that have a figure.
    pub frames: u64,
    /// Of all intervals.
    pub confidence: f64,
    /// How often blocks are drawn.
    pub resamples: usize,
    /// Length of the blocks that are drawn, seconds.
    pub block_s: f64,
    /// How many there are.
    pub blocks: f64,
    /// What a reader of the figures should know.
    pub notes: Vec<String>,
    /// Whether the clean condition is better than no radar: the interval is wholly on its side.
    pub radar_helps: Option<bool>,
    /// Conditions that are better than their milder neighbour by more than chance.
    pub better_than_cleaner: Vec<&'static str>,
    /// How well the figures of the radar's influence tell that its returns are of another time; empty where the
    /// model gives none.
    pub influence: Vec<InfluenceScore>,
    /// By condition, in the order in which they were played.
    pub conditions: Vec<ConditionScore>,
}

impl Ablation {
    /// What the figures come to, in a sentence or two.
    pub fn verdict(&self) -> String {
        let helps = match self.radar_helps {
            Some(true) => "Depth is better with radar than without",
            Some(false) => "Depth is not surely better with radar than without",
            None => "Too few frames tell whether depth is better with radar than without",
        };
        let decided =
            self.conditions.iter().filter_map(|score| score.vs_cleaner.as_ref()?.better_than_cleaner);
        let steps = match (decided.count(), self.better_than_cleaner.as_slice()) {
            (0, _) => "too few frames tell whether a worse radar gives better depth.".to_owned(),
            (_, []) => "no worse radar gives better depth by more than chance.".to_owned(),
            (_, names) => format!("a worse radar gives better depth: {}.", names.join(", ")),
        };
        format!("{helps}; {steps}")
    }
}

/// How well a figure tells the clean condition from the shuffled one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InfluenceScore {
    /// Its column in `frames.parquet`.
    pub figure: &'static str,
    /// Area under the receiver operating characteristic of its mean over a second, as in `/diagnostics`.
    pub auroc: f64,
    /// Of single frames.
    pub auroc_frame: f64,
    /// Its mean in the clean condition.
    pub clean: f64,
    /// Its mean in the shuffled condition.
    pub shuffled: f64,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConditionScore {
    /// Its name.
    pub name: &'static str,
    /// Conditions of a family differ in how bad the same thing is.
    pub family: &'static str,
    /// Frames that have a figure.
    pub frames: u64,
    /// Mean over the frames, as in `report.json`.
    pub abs_rel: f64,
    /// Where it lies.
    pub abs_rel_ci: Option<[f64; 2]>,
    /// Mean over the frames, as in `report.json`.
    pub delta1: f64,
    /// Mean over the frames, as in `report.json`.
    pub coverage: f64,
    /// Frames at which the node would warn of its radar.
    pub warned: u64,
    /// Beside the milder neighbour; absent of the clean condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vs_cleaner: Option<VsCleaner>,
    /// Beside no radar; absent of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vs_dropped: Option<VsDropped>,
}

/// A condition beside its milder neighbour, over the frames that both have.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct VsCleaner {
    /// The neighbour.
    pub name: &'static str,
    /// `AbsRel` of the condition − that of the neighbour.
    pub delta: f64,
    /// Where it lies.
    pub ci: Option<[f64; 2]>,
    /// Whether the interval is wholly below 0, which it should not be.
    pub better_than_cleaner: Option<bool>,
}

/// A condition beside that without radar, over the frames that both have.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct VsDropped {
    /// `AbsRel` of the condition − that without radar.
    pub delta: f64,
    /// Where it lies.
    pub ci: Option<[f64; 2]>,
    /// Whether the interval is wholly below 0: a radar this bad is better than none.
    pub better_than_dropped: Option<bool>,
}
