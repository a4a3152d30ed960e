//! `isobath bench`.

use std::path::PathBuf;
use std::process::Command;

use clap::Args;
use serde_json::json;

use super::doctor::CpuFacts;
use super::output::print;
use super::steps::Steps;
use super::table::Table;
use super::{Failure, Status};
use crate::bench::{
    BenchError, BenchOptions, BenchReport, LoneRun, RunReport, WARM_UP, bench, peak_memory_mb,
};
use crate::inference::{Precision, Provider};
use crate::pipeline::LatencySummary;
use crate::replay::Remap;

#[derive(Args)]
pub(super) struct BenchArguments {
    /// Model folders, or names of bundled models; they take turns frame by frame
    #[arg(required = true)]
    models: Vec<String>,
    /// Precisions to compare, as fp32,int8; without it the one that suits the provider
    #[arg(long, value_delimiter = ',')]
    precision: Vec<String>,
    /// cpu, cuda or tensorrt; one that cannot run the whole model is an error
    #[arg(long, default_value = "cpu")]
    provider: String,
    /// Threads of each model's session
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Frames that are counted, after some that are not
    #[arg(long, default_value_t = 100)]
    frames: u64,
    /// A bag to take the frames from; without it a warehouse is simulated
    #[arg(long)]
    input: Option<PathBuf>,
    /// Name a topic of the bag: <input>:=<topic of the bag> or the other way round
    #[arg(long = "remap", value_name = "FROM:=TO")]
    remap: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Print the memory that the first model takes alone, in MB: how the command asks itself
    #[arg(long, hide = true)]
    memory_alone: bool,
}

pub(super) fn run(arguments: &BenchArguments) -> Result<Status, Failure> {
    let options = options(arguments)?;
    if arguments.memory_alone {
        print(&format!("{}\n", peak_memory_mb(&options)?))?;
        return Ok(Status::Fine);
    }
    let mut steps: Option<Steps> = None;
    let result = bench(&options, &mut |run| memory_alone(run, arguments), &mut |done, of| {
        steps.get_or_insert_with(|| Steps::new("frames", of)).at(done);
    });
    drop(steps);
    let report = result?;
    for skipped in &report.skipped {
        eprintln!("isobath: model '{}' has no precision {}: skipped", skipped.model, skipped.precision);
    }
    let cpu = CpuFacts::collect();
    print(&if arguments.json { to_json(&report, &cpu)? + "\n" } else { to_text(&report, &cpu) })?;
    Ok(Status::Fine)
}

fn options(arguments: &BenchArguments) -> Result<BenchOptions, Failure> {
    let mut precisions: Vec<Precision> = Vec::new();
    for text in &arguments.precision {
        let precision = text.parse()?;
        if !precisions.contains(&precision) {
            precisions.push(precision);
        }
    }
    Ok(BenchOptions {
        models: arguments.models.clone(),
        precisions,
        provider: arguments.provider.parse::<Provider>()?,
        threads: arguments.threads,
        frames: arguments.frames,
        input: arguments.input.clone(),
        remaps: arguments.remap.iter().map(|text| text.parse::<Remap>()).collect::<Result<_, _>>()?,
    })
}

/// Has another process run one model and tell its memory: what this one holds of others would count too.
fn memory_alone(run: &LoneRun<'_>, arguments: &BenchArguments) -> Result<f64, BenchError> {
    let fail = |reason: String| BenchError::Memory(reason);
    let this = std::env::current_exe().map_err(|error| fail(error.to_string()))?;
    let mut command = Command::new(this);
    command.args(["bench", "--memory-alone", "--precision", run.entry.precision.as_str()]);
    command.args(["--provider", run.options.provider.as_str()]);
    command.args(["--threads", &run.options.threads.to_string()]);
    command.arg("--input").arg(run.input);
    for remap in &arguments.remap {
        command.args(["--remap", remap]);
    }
    let output = command.args(["--", &run.entry.model]).output().map_err(|error| fail(error.to_string()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    said.trim().parse().map_err(|_| {
        let errors = String::from_utf8_lossy(&output.stderr);
        let error = errors.lines().last().unwrap_or_default();
        fail(format!("expected a number from 'isobath bench', found '{said}' ({}) {error}", output.status))
    })
}

/// Which of the project's own vector code runs here.
fn kernels(cpu: &CpuFacts) -> &'static str {
    if cpu.features.contains(&"avx2") { "avx2" } else { "portable" }
}

fn to_json(report: &BenchReport, cpu: &CpuFacts) -> Result<String, Failure> {
    let value = json!({
        "isobath": env!("CARGO_PKG_VERSION"),
        "cpu": cpu.name,
        "cores": cpu.cores,
        "cpu_features": cpu.features,
        "kernels": kernels(cpu),
        "sparse_kernels": { "f32": cpu.sparse_f32, "int8": cpu.sparse_int8 },
        "input": report.input,
        "warm_up": WARM_UP,
        "occupancy": report.occupancy,
        "runs": report.runs,
        "skipped": report.skipped,
    });
    serde_json::to_string_pretty(&value)
        .map_err(|error| Failure::Configuration(format!("the report cannot be written as JSON: {error}")))
}

/// Stages in the order of a frame.
const STAGES: [&str; 6] = ["decode", "preprocess", "inference", "postprocess", "encode", "total"];

fn to_text(report: &BenchReport, cpu: &CpuFacts) -> String {
    let mut stages = Table::new(["model", "precision", "stage", "p50 ms", "p90", "p95", "p99", "max"])
        .right([3, 4, 5, 6, 7]);
    let mut runs = Table::new([
        "model",
        "precision",
        "provider",
        "threads",
        "frames/s",
        "last third against first",
        "memory MB",
    ])
    .right([3, 4, 5, 6]);
    for run in &report.runs {
        for stage in STAGES {
            let Some(times) = run.stages_ms.get(stage) else { continue };
            let LatencySummary { p50, p90, p95, p99, max } = *times;
            let [p50, p90, p95, p99, max] = [p50, p90, p95, p99, max].map(|ms| format!("{ms:.2}"));
            let (model, precision) = (run.model.clone(), run.precision.clone());
            stages.row([model, precision, stage.to_owned(), p50, p90, p95, p99, max]);
        }
        runs.row(summary(run));
    }
    let features = cpu.features.join(" ");
    let occupancy = report.occupancy.map_or_else(String::new, |share| {
        format!("; {:.2} % of the grid's cells have points", share * 100.0)
    });
    let library = report.runs.first().map_or("", |run| run.onnxruntime.as_str());
    format!(
        "{}, {} cores ({features}); own kernels: {}, of sparse networks {} in f32 and {} in \
         int8; ONNX Runtime {library}\n{}{occupancy}; {} frames each after {} \
         that do not count\n\n{stages}\n{runs}",
        cpu.name,
        cpu.cores,
        kernels(cpu),
        cpu.sparse_f32,
        cpu.sparse_int8,
        report.input,
        report.runs.first().map_or(0, |run| run.frames),
        WARM_UP,
    )
}

fn summary(run: &RunReport) -> [String; 7] {
    let total = run.stages_ms.get("total").map_or(0.0, |times| times.p50);
    [
        run.model.clone(),
        run.precision.clone(),
        run.provider.clone(),
        run.threads.to_string(),
        format!("{:.1}", 1e3 / total.max(1e-3)),
        format!("{:+.1} %", run.drift() * 100.0),
        format!("{:.0}", run.max_rss_mb),
    ]
}

impl From<BenchError> for Failure {
    fn from(error: BenchError) -> Self {
        if error.is_input() { Self::Input(error.to_string()) } else { Self::Configuration(error.to_string()) }
    }
}
