//! `isobath compare`.

use std::path::PathBuf;

use clap::Args;

use super::output::print;
use super::table::Table;
use super::{Failure, Status};
use crate::eval::compare::{ComparedFigure, Comparison, FailRule, TaskFrames, compare};

#[derive(Args)]
pub(super) struct CompareArguments {
    /// An evaluated run: the one to compare with
    a: PathBuf,
    /// An evaluated run of the same bags
    b: PathBuf,
    /// When to exit with 4: `depth.abs_rel > +2%`, `detection.nuscenes.map < -1%`, `depth.rmse > 0.5`; without it,
    /// when `depth.abs_rel` or `detection.nuscenes.map` is surely worse
    #[arg(long, value_name = "RULE")]
    fail_if: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &CompareArguments) -> Result<Status, Failure> {
    let rules =
        arguments.fail_if.iter().map(|text| text.parse::<FailRule>()).collect::<Result<Vec<_>, _>>()?;
    let comparison = compare(&arguments.a, &arguments.b, &rules)?;
    if arguments.json {
        let text = serde_json::to_string_pretty(&comparison)
            .map_err(|error| Failure::Configuration(error.to_string()))?;
        print(&(text + "\n"))?;
    } else {
        print(&tables(&comparison))?;
    }
    for rule in comparison.gate.rules.iter().filter(|rule| rule.failed != Some(false)) {
        let verb = if rule.failed.is_some() { "failed" } else { "cannot be decided" };
        eprintln!("isobath: gate '{}' {verb}: {}", rule.rule, rule.reason);
    }
    Ok(match (comparison.gate.failed, comparison.gate.undecided) {
        (true, _) => Status::GateFailed,
        (false, true) => Status::NotReady,
        (false, false) => Status::Fine,
    })
}

fn tables(comparison: &Comparison) -> String {
    let mut lines = vec![format!("A {}", comparison.a), format!("B {}", comparison.b)];
    for (task, frames) in [("depth", &comparison.depth), ("detection", &comparison.detection)] {
        let Some(TaskFrames { frames, only_a, only_b, .. }) = frames else { continue };
        lines.push(format!("{task}: {frames} frames in both, {only_a} in A alone, {only_b} in B alone"));
    }
    let interval = format!("{:.0} % interval", comparison.confidence * 100.0);
    let header = ["figure", "A", "B", "B − A, %", &interval, ""];
    let mut table = Table::new(header).right([1, 2, 3, 4]);
    for figure in &comparison.figures {
        table.row(row(figure));
    }
    lines.push(format!("\n{table}"));
    lines.extend(comparison.notes.iter().map(|note| format!("note: {note}")));
    for rule in &comparison.gate.rules {
        let state = match rule.failed {
            Some(true) => "FAILED",
            Some(false) => "passed",
            None => "cannot tell",
        };
        lines.push(format!("gate {}: {state}: {}", rule.rule, rule.reason));
    }
    lines.join("\n") + "\n"
}

fn row(figure: &ComparedFigure) -> [String; 6] {
    let number = |value: f64| if value.is_nan() { "–".to_owned() } else { format!("{value:.4}") };
    let percent = |value: f64| if value.is_finite() { format!("{value:+.2}") } else { "–".to_owned() };
    let interval = figure
        .percent_interval
        .map_or_else(String::new, |[low, high]| format!("{} to {}", percent(low), percent(high)));
    [
        figure.key.clone(),
        number(figure.a),
        number(figure.b),
        percent(figure.percent),
        interval,
        figure.verdict.as_str().to_owned(),
    ]
}
