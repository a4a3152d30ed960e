//! `isobath evaluate`.

use std::path::PathBuf;

use clap::Args;

use super::bag_progress::BagProgress;
use super::output::print;
use super::table::Table;
use super::{Failure, Status, evaluate_ablation, unpack_progress};
use crate::bag::UnpackWatch;
use crate::eval::run::{
    DepthSection, DetectionSection, EvaluateOptions, EvaluateWatch, Evaluation, Matching, evaluate,
};
use crate::replay::Remap;

#[derive(Args)]
pub(super) struct EvaluateArguments {
    /// Folders that `isobath replay` wrote, or bags recorded live with the nodes' outputs; scored together
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// Bag with the truth; without it, the bags that the runs were made of, or the recording itself
    #[arg(long, value_name = "BAG")]
    truth: Option<PathBuf>,
    /// Topic of the depth truth, an image in metres or millimetres; truth/depth if there is one
    #[arg(long, value_name = "TOPIC")]
    depth_truth: Option<String>,
    /// Topic of the detection truth, a `Detection3DArray`; truth/detections if there is one
    #[arg(long, value_name = "TOPIC")]
    detection_truth: Option<String>,
    /// Topic that a node publishes or takes under another name, as in `detections:=/front/detections`
    #[arg(long, value_name = "FROM:=TO")]
    remap: Vec<String>,
    /// Also tell whether depth uses its radars: play the bags of the runs again with radars that fail in 18 ways, and
    /// write ablation.json
    #[arg(long)]
    ablate: bool,
    /// Of the random numbers of --ablate
    #[arg(long, value_name = "SEED", default_value_t = 0, requires = "ablate")]
    ablate_seed: u64,
    /// Print report.json instead of tables
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &EvaluateArguments) -> Result<Status, Failure> {
    let remaps = arguments.remap.iter().map(|text| text.parse::<Remap>()).collect::<Result<_, _>>()?;
    let mut options = EvaluateOptions {
        runs: arguments.runs.clone(),
        truth: arguments.truth.clone(),
        depth_truth: arguments.depth_truth.clone(),
        detection_truth: arguments.detection_truth.clone(),
        remaps,
        ablation: None,
    };
    if arguments.ablate {
        options.ablation = Some(evaluate_ablation::run(&options, arguments.ablate_seed)?);
    }
    let mut watch = Watch { progress: BagProgress::new("evaluating"), started: false };
    let result = evaluate(&options, &mut watch);
    watch.progress.done();
    let evaluation = result?;
    if arguments.json {
        let text = serde_json::to_string_pretty(&evaluation.report)
            .map_err(|error| Failure::Configuration(error.to_string()))?;
        print(&(text + "\n"))?;
    } else {
        print(&tables(&evaluation))?;
    }
    for refused in &evaluation.refused {
        eprintln!("isobath: {refused}");
    }
    if !evaluation.damage.is_empty() {
        eprintln!("isobath: part of the input could not be read: {}", evaluation.damage.join("; "));
    }
    Ok(match (evaluation.refused.is_empty(), evaluation.damage.is_empty()) {
        (false, _) => Status::NotReady,
        (true, false) => Status::PartlyDecoded,
        (true, true) => Status::Fine,
    })
}

struct Watch {
    progress: BagProgress,
    started: bool,
}

impl EvaluateWatch for Watch {
    fn at(&mut self, seconds: f64, of: f64) {
        if !std::mem::replace(&mut self.started, true) {
            self.progress.start("truth and outputs", of);
        }
        self.progress.show(seconds);
    }

    fn unpacking(&self) -> Option<UnpackWatch> {
        Some(unpack_progress::watch())
    }
}

fn tables(evaluation: &Evaluation) -> String {
    let report = &evaluation.report;
    let mut parts = Vec::new();
    parts.extend(report.depth.as_ref().map(depth_table));
    parts.extend(report.detection.as_ref().map(detection_tables));
    parts.extend(report.ablation.as_ref().map(evaluate_ablation::table));
    if !report.notes.is_empty() {
        let notes: Vec<String> = report.notes.iter().map(|note| format!("note: {note}")).collect();
        parts.push(notes.join("\n") + "\n");
    }
    let (report, page) = (evaluation.path.display(), evaluation.page.display());
    parts.push(format!("report in {report}, to look at in {page}\n"));
    parts.join("\n")
}

/// A figure in a table; what nothing tells is a dash.
fn figure(value: f64) -> String {
    if value.is_nan() { "–".to_owned() } else { format!("{value:.4}") }
}

fn frames(task: &str, frames: u64, matching: &Matching) -> String {
    format!(
        "{task}: {frames} frames scored; {} truth messages, {} outputs, {} without truth\n",
        matching.truth, matching.outputs, matching.outputs_without_truth
    )
}

fn depth_table(depth: &DepthSection) -> String {
    let report = &depth.figures;
    let mut table = Table::new(["", "coverage", "AbsRel", "RMSE m", "δ1", "share"]).right([1, 2, 3, 4, 5]);
    let all = &report.figures;
    table.row([
        "all pixels".to_owned(),
        figure(all.coverage),
        figure(all.abs_rel),
        figure(all.rmse),
        figure(all.delta1),
        String::new(),
    ]);
    let parts = [("near radar returns", report.near_returns), ("away from them", report.away_from_returns)];
    for (name, part) in parts {
        let Some(part) = part else { continue };
        table.row([
            name.to_owned(),
            figure(part.figures.coverage),
            figure(part.figures.abs_rel),
            figure(part.figures.rmse),
            figure(part.figures.delta1),
            figure(part.share),
        ]);
    }
    for row in &report.by_range {
        table.row([
            format!("{:.0} to {:.0} m", row.min_m, row.max_m),
            figure(row.coverage),
            figure(row.abs_rel),
            String::new(),
            String::new(),
            figure(row.share),
        ]);
    }
    format!("{}{table}", frames("depth", report.frames, &depth.matching))
}

fn detection_tables(detection: &DetectionSection) -> String {
    let report = &detection.figures;
    let nuscenes = &report.nuscenes;
    let header = ["class", "truth", "AP", "ATE m", "ASE", "AOE", "R40 BEV", "R40 3D", "APH"];
    let mut table = Table::new(header).right([1, 2, 3, 4, 5, 6, 7, 8]);
    for (name, class) in &nuscenes.per_class {
        let kitti = report.kitti_r40.get(name);
        let waymo = report.waymo.get(name);
        table.row([
            name.clone(),
            class.truth.to_string(),
            figure(class.ap),
            figure(class.ate),
            figure(class.ase),
            figure(class.aoe),
            figure(kitti.map_or(f64::NAN, |found| found.bev)),
            figure(kitti.map_or(f64::NAN, |found| found.volume)),
            figure(waymo.map_or(f64::NAN, |found| found.aph)),
        ]);
    }
    format!(
        "{}mAP {} over classes with truth, {} over all; NDS of three errors {}\n{table}",
        frames("detection", report.frames, &detection.matching),
        figure(nuscenes.map),
        figure(nuscenes.map_devkit),
        figure(nuscenes.nds3),
    )
}
