//! `report.md`: the report to be read.

use std::fmt::{self, Display, Formatter};

use serde_json::Value as Json;

use super::run_timing::{self, Figure};
use super::{DepthSection, DetectionSection, Matching, Report, RunReport};
use crate::eval::ablation::Ablation;
use crate::eval::depth::DepthFigures;
use crate::eval::detection::DetectionReport;

/// A report as Markdown.
pub(super) struct Markdown<'a>(pub &'a Report);

impl Display for Markdown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Report { isobath, notes, runs, depth, detection, ablation, .. } = self.0;
        writeln!(f, "# Evaluation\n")?;
        for note in notes {
            writeln!(f, "- {note}")?;
        }
        if let Some(depth) = depth {
            write_depth(f, depth)?;
        }
        if let Some(detection) = detection {
            write_detection(f, detection)?;
        }
        if let Some(ablation) = ablation {
            write_ablation(f, ablation)?;
        }
        for run in runs {
            write_run(f, run)?;
        }
        writeln!(f, "\nisobath {isobath}; definitions of all figures: docs/evaluation.md")
    }
}

fn write_matching(f: &mut Formatter<'_>, frames: u64, matching: &Matching) -> fmt::Result {
    let Matching { truth, outputs, truth_without_output, outputs_without_truth, .. } = matching;
    writeln!(
        f,
        "{frames} frames scored. {truth} truth messages, {truth_without_output} of them without an output; \
         {outputs} outputs, {outputs_without_truth} of them without truth.\n"
    )
}

fn write_depth(f: &mut Formatter<'_>, depth: &DepthSection) -> fmt::Result {
    let report = &depth.figures;
    writeln!(f, "\n## Depth\n")?;
    write_matching(f, report.frames, &depth.matching)?;
    writeln!(f, "| | share | {} |", DepthFigures::NAMES.join(" | "))?;
    writeln!(f, "|---|---|{}", "---|".repeat(DepthFigures::NAMES.len()))?;
    let parts = [("near radar returns", report.near_returns), ("away from them", report.away_from_returns)];
    let parts = parts.iter().filter_map(|(name, part)| part.map(|part| (*name, part.share, part.figures)));
    for (name, share, figures) in [("all pixels", 1.0, report.figures)].into_iter().chain(parts) {
        write!(f, "| {name} | {}", Figure(share))?;
        for value in figures.values() {
            write!(f, " | {}", Figure(value))?;
        }
        writeln!(f, " |")?;
    }
    writeln!(f, "\n| range of the truth | share | coverage | abs_rel |\n|---|---|---|---|")?;
    for row in &report.by_range {
        let (share, coverage, abs_rel) = (Figure(row.share), Figure(row.coverage), Figure(row.abs_rel));
        writeln!(f, "| {:.0} to {:.0} m | {share} | {coverage} | {abs_rel} |", row.min_m, row.max_m)?;
    }
    if !report.by_confidence.is_empty() {
        writeln!(f, "\n| confidence | share | coverage | abs_rel |\n|---|---|---|---|")?;
    }
    for row in &report.by_confidence {
        let (share, coverage, abs_rel) = (Figure(row.share), Figure(row.coverage), Figure(row.abs_rel));
        writeln!(f, "| {:.1} to {:.1} | {share} | {coverage} | {abs_rel} |", row.min, row.max)?;
    }
    Ok(())
}

fn write_ablation(f: &mut Formatter<'_>, ablation: &Ablation) -> fmt::Result {
    writeln!(
        f,
        "\n## Ablation of the radars\n\n{} {} frames, seed {}.\n",
        ablation.verdict(),
        ablation.frames,
        ablation.seed
    )?;
    for note in &ablation.notes {
        writeln!(f, "- {note}")?;
    }
    writeln!(
        f,
        "\n| radar | abs_rel | 95 % interval | delta1 | coverage | − milder | 95 % interval | − dropped | 95 % interval |"
    )?;
    writeln!(f, "|{}", "---|".repeat(9))?;
    for score in &ablation.conditions {
        let (cleaner, dropped) = (score.vs_cleaner, score.vs_dropped);
        writeln!(
            f,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            score.name,
            Figure(score.abs_rel),
            Range(score.abs_rel_ci),
            Figure(score.delta1),
            Figure(score.coverage),
            Figure(cleaner.map_or(f64::NAN, |step| step.delta)),
            Range(cleaner.and_then(|step| step.ci)),
            Figure(dropped.map_or(f64::NAN, |step| step.delta)),
            Range(dropped.and_then(|step| step.ci)),
        )?;
    }
    Ok(())
}

/// An interval in a cell.
struct Range(Option<[f64; 2]>);

impl Display for Range {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some([low, high]) => write!(f, "{} to {}", Figure(low), Figure(high)),
            None => f.write_str("–"),
        }
    }
}

fn write_detection(f: &mut Formatter<'_>, detection: &DetectionSection) -> fmt::Result {
    let report = &detection.figures;
    let nuscenes = &report.nuscenes;
    writeln!(f, "\n## Detection\n")?;
    write_matching(f, report.frames, &detection.matching)?;
    writeln!(
        f,
        "mAP **{}** over classes with truth, {} over all; NDS {} of three errors, {} as the devkit has it. {} truth \
         boxes without a LiDAR point are not scored.\n",
        Figure(nuscenes.map),
        Figure(nuscenes.map_devkit),
        Figure(nuscenes.nds3),
        Figure(nuscenes.nds_devkit),
        detection.truth_without_points
    )?;
    writeln!(
        f,
        "| class | truth | detections | AP | ATE m | ASE | AOE rad | AVE m/s | R40 BEV | R40 3D | Waymo AP | APH |"
    )?;
    writeln!(f, "|{}", "---|".repeat(12))?;
    for (name, class) in &nuscenes.per_class {
        write!(f, "| {name} | {} | {}", class.truth, class.detections)?;
        let kitti = report.kitti_r40.get(name).map_or([f64::NAN; 2], |found| [found.bev, found.volume]);
        let waymo = report.waymo.get(name).map_or([f64::NAN; 2], |found| [found.ap, found.aph]);
        let errors = [class.ap, class.ate, class.ase, class.aoe, class.ave.unwrap_or(f64::NAN)];
        for value in errors.into_iter().chain(kitti).chain(waymo) {
            write!(f, " | {}", Figure(value))?;
        }
        writeln!(f, " |")?;
    }
    write_levels(f, report)?;
    writeln!(f, "\n| distance from the LiDAR | truth | mAP |\n|---|---|---|")?;
    for row in &nuscenes.by_range {
        writeln!(f, "| {:.0} to {:.0} m | {} | {} |", row.min_m, row.max_m, row.truth, Figure(row.map))?;
    }
    Ok(())
}

/// By KITTI's difficulty, where the truth tells it.
fn write_levels(f: &mut Formatter<'_>, report: &DetectionReport) -> fmt::Result {
    for (number, (name, level, found)) in report.kitti_levels().enumerate() {
        if number == 0 {
            writeln!(f, "\n| KITTI | difficulty | truth | R40 BEV | R40 3D |\n|---|---|---|---|---|")?;
        }
        let (bev, volume) = (Figure(found.bev), Figure(found.volume));
        writeln!(f, "| {name} | {level} | {} | {bev} | {volume} |", found.truth)?;
    }
    Ok(())
}

fn write_run(f: &mut Formatter<'_>, run: &RunReport) -> fmt::Result {
    writeln!(f, "\n## {}\n", run.path)?;
    let nodes = run.replay.as_ref().and_then(|replay| replay.get("nodes")).and_then(Json::as_object);
    let Some(nodes) = nodes else { return writeln!(f, "Recorded live.") };
    writeln!(f, "| node | received | published | dropped | p50 ms | p90 | p95 | p99 | max |")?;
    writeln!(f, "|{}", "---|".repeat(9))?;
    for (name, node) in nodes {
        let dropped: Vec<String> = node["dropped"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(reason, count)| format!("{reason} {count}"))
            .collect();
        let dropped = if dropped.is_empty() { "0".to_owned() } else { dropped.join(", ") };
        write!(f, "| {name} | {} | {} | {dropped}", node["received"], node["published"])?;
        for percentile in ["p50", "p90", "p95", "p99", "max"] {
            write!(f, " | {}", Figure(node["latency_ms"][percentile].as_f64().unwrap_or(f64::NAN)))?;
        }
        writeln!(f, " |")?;
    }
    writeln!(f, "\n| node | stage | p50 ms | p90 | p95 | p99 | max |\n|{}", "---|".repeat(7))?;
    for (name, node) in nodes {
        for (stage, times) in node["stages_ms"].as_object().into_iter().flatten() {
            write!(f, "| {name} | {stage}")?;
            for percentile in ["p50", "p90", "p95", "p99", "max"] {
                write!(f, " | {}", Figure(times[percentile].as_f64().unwrap_or(f64::NAN)))?;
            }
            writeln!(f, " |")?;
        }
    }
    run_timing::write(f, run)
}
