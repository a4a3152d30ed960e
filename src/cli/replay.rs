//! `isobath replay`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::bag_progress::BagProgress;
use super::output::print;
use super::{Failure, Status, unpack_progress};
use crate::bag::UnpackWatch;
use crate::pipeline::NodeParameters;
use crate::replay::{
    Calibration, Outcome, Progress, Rate, RateLimit, RateSearch, RateTrial, Remap, ReplayError,
    ReplayOptions, RunSummary, replay, search_rate,
};

#[derive(Args)]
pub(super) struct ReplayArguments {
    /// Bags: rosbag2 folders, .mcap or .db3 files, also compressed with zstd
    #[arg(required = true)]
    bags: Vec<PathBuf>,
    /// Folder for outputs.mcap, run.json and frames.parquet
    #[arg(long)]
    out: PathBuf,
    /// ROS parameter file for the nodes depth and detection
    #[arg(long)]
    config: Option<PathBuf>,
    /// One parameter, over what the file says
    #[arg(long = "set", value_name = "NODE.PARAM=VALUE")]
    set: Vec<String>,
    /// Topic of the bag for an input, as in `image:=/camera/image_raw`
    #[arg(long, value_name = "FROM:=TO")]
    remap: Vec<String>,
    /// Transforms and cameras that the bag lacks or has wrong; see config/calibration.example.yaml
    #[arg(long, value_name = "YAML")]
    calibration: Option<PathBuf>,
    /// max for lockstep as fast as it goes; a factor of real time with drops as live; search for the highest factor
    /// with less than 1 % of the frames late, in at most 10 plays of 15 s
    #[arg(long, default_value = "max", value_name = "max|FACTOR|search")]
    rate: String,
    /// Milliseconds that a frame may take; run.json counts those that take longer
    #[arg(long, value_name = "MS", allow_negative_numbers = true)]
    budget: Option<f64>,
    /// Seconds to skip
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    start: f64,
    /// Seconds to play
    #[arg(long, allow_negative_numbers = true)]
    duration: Option<f64>,
    /// Pipelines that may compute at once
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Go on with an unfinished run in --out
    #[arg(long)]
    resume: bool,
}

pub(super) fn run(arguments: &ReplayArguments) -> Result<Status, Failure> {
    let mut parameters = NodeParameters::default();
    if let Some(path) = &arguments.config {
        parameters.load(path)?;
    }
    for assignment in &arguments.set {
        parameters.assign(assignment)?;
    }
    let rate = match arguments.rate.as_str() {
        "max" | "search" => Rate::Max,
        factor => Rate::Times(factor.parse().map_err(|_| {
            Failure::Configuration(format!("--rate: expected max, a number or search, found '{factor}'"))
        })?),
    };
    let remaps = arguments.remap.iter().map(|text| text.parse::<Remap>()).collect::<Result<_, _>>()?;
    let calibration = arguments.calibration.as_deref().map(Calibration::load).transpose();
    let options = ReplayOptions {
        calibration: calibration.map_err(ReplayError::from)?,
        bags: arguments.bags.clone(),
        out: arguments.out.clone(),
        parameters,
        remaps,
        rate,
        start_s: arguments.start,
        duration_s: arguments.duration,
        budget_ms: arguments.budget,
        jobs: arguments.jobs,
        resume: arguments.resume,
    };
    let mut progress = BagProgress::new("replaying");
    let outcome = match arguments.rate.as_str() {
        "search" => search_rate(&options, &mut progress)?,
        _ => replay(&options, &mut progress)?,
    };
    progress.done();
    let Outcome::Replayed { summary, unreadable } = outcome else {
        let out = options.out.display();
        print(&format!("the run in {out} is finished, nothing to do\n"))?;
        return Ok(Status::Fine);
    };
    print(&table(&summary, &options.out))?;
    if let Some(search) = &summary.rate_search {
        print(&found(search))?;
    }
    if let Some(damage) = unreadable {
        eprintln!("isobath: part of the input could not be read: {damage}");
        return Ok(Status::PartlyDecoded);
    }
    Ok(Status::Fine)
}

impl Progress for BagProgress {
    fn unpacking(&self) -> Option<UnpackWatch> {
        Some(unpack_progress::watch())
    }

    fn bag(&mut self, name: &str, seconds: f64) {
        self.start(name, seconds);
    }

    fn at(&mut self, seconds: f64) {
        self.show(seconds);
    }

    fn trial(&mut self, trial: &RateTrial) {
        self.done();
        let nodes: Vec<String> = trial
            .nodes
            .iter()
            .map(|(name, node)| {
                format!("{name} {:.1}/s, {} of {} late", node.frames_per_s, node.late, node.received)
            })
            .collect();
        let slow = match trial.rate_reached / trial.rate {
            share if share < 0.95 => format!("; read only {:.2}×", trial.rate_reached),
            _ => String::new(),
        };
        eprintln!("  {:.2}×: {}{slow}", trial.rate, nodes.join("; "));
    }
}

/// The rate that was searched for.
fn found(search: &RateSearch) -> String {
    let plays = search.trials.len();
    let Some(rate) = search.rate else {
        let slowest = search.trials.last().map_or(1.0, |trial| trial.rate);
        return format!(
            "no rate with less than 1 % of the frames late in {plays} plays down to {slowest:.3}×\n"
        );
    };
    let nodes: Vec<String> =
        search.frames_per_s.iter().map(|(name, per_s)| format!("{name} {per_s:.1}/s")).collect();
    let above = match search.limited_by {
        RateLimit::Drops => "above it more are",
        RateLimit::Reading => "above it the bag is not read as fast",
        RateLimit::Unknown => "the search ended there",
    };
    let nodes = nodes.join(", ");
    format!(
        "highest rate with less than 1 % of the frames late: {rate:.2}× real time ({nodes}); {above}; {plays} plays\n"
    )
}

/// The table of nodes and where the outputs are.
fn table(summary: &RunSummary, out: &Path) -> String {
    let mut lines = vec!["node        received  published  dropped   p50 ms   p99 ms  model".to_owned()];
    for (name, node) in &summary.nodes {
        let fact = |key| node.model.get(key).map_or("", String::as_str);
        lines.push(format!(
            "{name:<10}  {:>8}  {:>9}  {:>7}  {:>7.2}  {:>7.2}  {} ({}, {})",
            node.received,
            node.published,
            node.dropped.values().sum::<u64>(),
            node.latency_ms.p50,
            node.latency_ms.p99,
            fact("model"),
            fact("precision"),
            fact("provider"),
        ));
        lines.extend(node.dropped.iter().map(|(reason, n)| format!("            dropped {n}: {reason}")));
        lines.extend(node.degraded.iter().map(|(what, n)| format!("            {n} frames with {what}")));
    }
    if summary.resumed_frames > 0 {
        lines.push(format!("{} frames were computed before the run was stopped", summary.resumed_frames));
    }
    lines.push(format!(
        "{:.1} s of recording in {:.2} s ({:.1}× real time); outputs in {}\n",
        summary.bag_s,
        summary.wall_s,
        summary.bag_s / summary.wall_s.max(1e-9),
        out.display()
    ));
    lines.join("\n")
}
