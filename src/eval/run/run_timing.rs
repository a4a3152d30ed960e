//! How punctual a run was, and when it dropped frames: the part of `report.md`.

use std::fmt::{self, Display, Formatter};

use serde_json::Value as Json;

use super::RunReport;
use crate::replay::PUBLISHED;

/// Most steps with drops that are listed.
const DROPS: usize = 40;

/// A figure in a cell; what nothing tells is a dash.
pub(super) struct Figure(pub f64);

impl Display for Figure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.is_nan() { f.write_str("–") } else { write!(f, "{:.4}", self.0) }
    }
}

/// Writes what `run` tells of age, jitter, budget and drops over time.
pub(super) fn write(f: &mut Formatter<'_>, run: &RunReport) -> fmt::Result {
    let Some(replay) = &run.replay else { return Ok(()) };
    write_punctuality(f, replay)?;
    write_search(f, replay)?;
    write_drops(f, run)
}

fn number(value: &Json) -> Figure {
    Figure(value.as_f64().unwrap_or(f64::NAN))
}

fn write_punctuality(f: &mut Formatter<'_>, replay: &Json) -> fmt::Result {
    let told = |node: &Json| ["age_ms", "jitter_ms", "budget"].iter().any(|key| !node[*key].is_null());
    let nodes = replay["nodes"].as_object().into_iter().flatten().filter(|(_, node)| told(node));
    for (index, (name, node)) in nodes.enumerate() {
        if index == 0 {
            writeln!(
                f,
                "\n| node | age p50 ms | p99 | max | jitter std ms | p99 | budget ms | misses |\n|{}",
                "---|".repeat(8)
            )?;
        }
        let (age, jitter, budget) = (&node["age_ms"], &node["jitter_ms"], &node["budget"]);
        let figures = [&age["p50"], &age["p99"], &age["max"], &jitter["std"], &jitter["p99"], &budget["ms"]];
        write!(f, "| {name}")?;
        for figure in figures {
            write!(f, " | {}", number(figure))?;
        }
        match budget["misses"].as_u64() {
            Some(misses) => writeln!(f, " | {misses} |")?,
            None => writeln!(f, " | – |")?,
        }
    }
    Ok(())
}

fn write_search(f: &mut Formatter<'_>, replay: &Json) -> fmt::Result {
    let search = &replay["rate_search"];
    if search.is_null() {
        return Ok(());
    }
    let Some(rate) = search["rate"].as_f64() else {
        return writeln!(f, "\nAt no rate that was played were less than 1 % of the frames late.");
    };
    let nodes = search["frames_per_s"].as_object().into_iter().flatten();
    let each: Vec<String> = nodes.map(|(name, per_s)| format!("{name} {}", number(per_s))).collect();
    writeln!(
        f,
        "\nHighest rate with less than 1 % of the frames late: {rate:.3} × real time ({} frames a second).",
        each.join(", ")
    )
}

fn write_drops(f: &mut Formatter<'_>, run: &RunReport) -> fmt::Result {
    let Some(timelines) = &run.timelines else {
        return writeln!(f, "\nWhen frames were dropped is not known: the run has no table of frames.");
    };
    let drops = timelines.iter().flat_map(|(node, timeline)| {
        let of_step = timeline.steps.iter().flat_map(|step| {
            step.fates.iter().map(move |(fate, frames)| (step.at_s, fate.as_str(), *frames))
        });
        of_step.filter(|(_, fate, _)| *fate != PUBLISHED).map(move |drop| (node, drop))
    });
    let mut more = 0;
    for (index, (node, (at_s, reason, frames))) in drops.enumerate() {
        if index == 0 {
            writeln!(f, "\n| node | dropped at s of recording | reason | frames |\n|---|---|---|---|")?;
        }
        if index < DROPS {
            writeln!(f, "| {node} | {at_s:.2} | {reason} | {frames} |")?;
        } else {
            more += frames;
        }
    }
    if more > 0 { writeln!(f, "\n{more} more drops are in report.json.") } else { Ok(()) }
}
