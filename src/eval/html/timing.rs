//! Counts, drops and times of the runs, from their `run.json`.

use serde_json::Value as Json;

use super::fate_lanes::fate_lanes;
use super::latency_plot::latency_plot;
use super::svg::{Bar, bar_chart};
use super::table::Table;
use super::values::{number, short};
use super::{Page, escape};

/// Most nodes whose stages are plotted.
const PLOTS: usize = 6;
/// Most runs in a table.
const RUNS: usize = 50;
/// Stages in the order of a frame; others come after them.
const ORDER: [&str; 5] = ["decode", "preprocess", "inference", "postprocess", "encode"];
/// Most stages of a node: they are few, and what another program wrote may have any number.
const STAGES: usize = 24;

/// The part of times.
pub(super) fn part(page: &Page<'_>) -> String {
    let mut html = "<section id=\"times\"><h2>Frames and times of the runs</h2>\n".to_owned();
    let nodes: Vec<(usize, &String, &Json)> = page
        .report
        .runs
        .iter()
        .enumerate()
        .filter_map(|(index, run)| Some((index, run.replay.as_ref()?.get("nodes")?.as_object()?)))
        .flat_map(|(index, nodes)| nodes.iter().map(move |(name, node)| (index, name, node)))
        .collect();
    if nodes.is_empty() {
        html += "<p>No run says what it dropped and how long it took: its outputs were recorded live, or its \
                 run.json has no nodes.</p>\n";
    } else {
        html += &frames(page, &nodes);
        html += &fates(page, &nodes);
        html += &times(page, &nodes);
        html += &punctuality(page, &nodes);
        html += &searches(page);
    }
    html += &ages(page);
    html + "</section>\n"
}

fn frames(page: &Page<'_>, nodes: &[(usize, &String, &Json)]) -> String {
    let caption = "What became of the frames: received = published + dropped";
    let mut table = Table::new(caption, &["node", "received", "published", "dropped", "reasons", "degraded"]);
    for (run, name, node) in nodes.iter().take(RUNS) {
        let integer =
            |key| node.get(key).and_then(Json::as_u64).map_or_else(|| "–".to_owned(), |n| n.to_string());
        let dropped: u64 = counts(node, "dropped").map(|(_, count)| count).sum();
        let listed = |key| {
            let parts: Vec<String> =
                counts(node, key).map(|(reason, count)| format!("{reason} {count}")).collect();
            if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
        };
        let cells = [
            integer("received"),
            integer("published"),
            dropped.to_string(),
            listed("dropped"),
            listed("degraded"),
        ];
        table.row(&page.of_run(*run, name), cells);
    }
    table.finish() + &more(nodes.len())
}

fn times(page: &Page<'_>, nodes: &[(usize, &String, &Json)]) -> String {
    let caption = "Milliseconds from a complete frame to its encoded outputs, as replay measured them";
    let mut table = Table::new(caption, &["node", "p50", "p90", "p95", "p99", "max"]);
    let mut plots = String::new();
    for (index, (run, name, node)) in nodes.iter().enumerate() {
        let label = page.of_run(*run, name);
        let Some(latency) = node.get("latency_ms") else { continue };
        if index < RUNS {
            table.row(&label, ["p50", "p90", "p95", "p99", "max"].map(|key| short(number(latency, key))));
        }
        let bar = |name: &str, times: &Json| Bar {
            name: name.to_owned(),
            value: number(times, "p50"),
            high: number(times, "p99"),
        };
        let stages = node.get("stages_ms").and_then(Json::as_object).into_iter().flatten();
        let mut bars: Vec<Bar> = stages.take(STAGES).map(|(stage, times)| bar(stage, times)).collect();
        bars.sort_by_key(|bar| ORDER.iter().position(|stage| *stage == bar.name).unwrap_or(ORDER.len()));
        bars.push(bar("end to end", latency));
        if index < PLOTS {
            plots += &latency_plot(&label, node);
        }
        if index < PLOTS && bars.iter().any(|bar| bar.value > 0.0) {
            let caption = "Bar: median. Line: to the 99th percentile. Numbers: both.";
            plots += &bar_chart(&format!("Latency of {label}"), caption, "ms", &bars);
        }
    }
    if plots.is_empty() {
        plots += "<p>No frame went through, so no stage has a time.</p>\n";
    }
    format!("{}{}<div class=\"plots\">\n{plots}</div>\n", table.finish(), more(nodes.len()))
}

/// What became of the frames over time, of the runs whose tables of frames were found.
fn fates(page: &Page<'_>, nodes: &[(usize, &String, &Json)]) -> String {
    let (mut plots, mut without) = (String::new(), Vec::new());
    for (run, name, _) in nodes.iter().take(PLOTS) {
        match page.report.runs.get(*run).and_then(|of| of.timelines.as_ref()?.get(*name)) {
            Some(timeline) => plots += &fate_lanes(&page.of_run(*run, name), timeline),
            None => without.push(page.of_run(*run, name)),
        }
    }
    let mut html = String::new();
    if !plots.is_empty() {
        put!(html, "<div class=\"plots\">\n{plots}</div>\n");
    }
    if !without.is_empty() {
        put!(
            html,
            "<p>When frames were dropped is not known of {}: its run has no table of frames that can be read: \
             replay writes frames.parquet beside run.json.</p>\n",
            escape::clipped(&without.join(", "), 400)
        );
    }
    html
}

/// Age, jitter and budget.
fn punctuality(page: &Page<'_>, nodes: &[(usize, &String, &Json)]) -> String {
    let caption = "Age at publication, from the stamp: milliseconds. Jitter: by how much the interval of two outputs \
                   differs from that of their stamps. Misses: published frames with more latency than the budget";
    let heads =
        ["node", "age p50", "p90", "p95", "p99", "max", "jitter std", "jitter p99", "budget ms", "misses"];
    let mut table = Table::new(caption, &heads);
    let (mut any, mut unpaced) = (false, false);
    for (run, name, node) in nodes.iter().take(RUNS) {
        let of = |key: &str| node.get(key).unwrap_or(&Json::Null);
        let (age, jitter, budget) = (of("age_ms"), of("jitter_ms"), of("budget"));
        unpaced |= age.is_null() && jitter.is_null();
        if age.is_null() && jitter.is_null() && budget.is_null() {
            continue;
        }
        any = true;
        let mut cells: Vec<String> =
            ["p50", "p90", "p95", "p99", "max"].map(|key| short(number(age, key))).to_vec();
        cells.extend([
            short(number(jitter, "std")),
            short(number(jitter, "p99")),
            short(number(budget, "ms")),
        ]);
        let misses = budget.get("misses").and_then(Json::as_u64);
        cells.push(misses.map_or_else(|| "–".to_owned(), |misses| misses.to_string()));
        table.row(&page.of_run(*run, name), cells);
    }
    let mut html = if any { table.finish() } else { String::new() };
    if unpaced {
        html += "<p class=\"note\">Age and jitter are told of runs at a pace (replay --rate 1), not of those as fast \
                 as it goes.</p>\n";
    }
    html
}

/// The searches for the highest rate.
fn searches(page: &Page<'_>) -> String {
    let mut html = String::new();
    for (index, run) in page.report.runs.iter().enumerate().take(PLOTS) {
        let Some(search) = run.replay.as_ref().and_then(|replay| replay.get("rate_search")) else { continue };
        let found = match number(search, "rate") {
            rate if rate.is_finite() => format!("{} × real time", short(rate)),
            _ => "none".to_owned(),
        };
        let what = page.of_run(index, "Highest rate with less than 1 % of the frames late");
        let caption = format!("{what}: {found}. All plays of the search");
        let mut table = Table::new(&caption, &["asked ×", "reached ×", "frames/s", "late", "keeps up"]);
        let trials = search.get("trials").and_then(Json::as_array).into_iter().flatten();
        for trial in trials.take(RUNS) {
            let nodes = || trial.get("nodes").and_then(Json::as_object).into_iter().flatten().take(PLOTS);
            let each = |tell: &dyn Fn(&Json) -> String| -> String {
                let told: Vec<String> =
                    nodes().map(|(name, node)| format!("{name} {}", tell(node))).collect();
                told.join(", ")
            };
            let integer = |node: &Json, key| node.get(key).and_then(Json::as_u64).unwrap_or(0);
            let cells = [
                short(number(trial, "rate_reached")),
                each(&|node| short(number(node, "frames_per_s"))),
                each(&|node| format!("{} of {}", integer(node, "late"), integer(node, "received"))),
                if trial.get("keeps_up") == Some(&Json::Bool(true)) { "yes" } else { "no" }.to_owned(),
            ];
            table.row(&short(number(trial, "rate")), cells);
        }
        html += &table.finish();
    }
    html
}

fn ages(page: &Page<'_>) -> String {
    let of_depth = page.report.depth.as_ref().and_then(|section| section.age_ms);
    let of_detection = page.report.detection.as_ref().and_then(|section| section.age_ms);
    if of_depth.is_none() && of_detection.is_none() {
        return String::new();
    }
    let caption = "Milliseconds from the stamp to the arrival at the recorder, of outputs recorded live";
    let mut table = Table::new(caption, &["output", "p50", "p90", "p95", "p99", "max"]);
    for (name, age) in [("depth", of_depth), ("detections", of_detection)] {
        if let Some(age) = age {
            table.row(name, [age.p50, age.p90, age.p95, age.p99, age.max].map(short));
        }
    }
    table.finish()
}

fn counts<'a>(node: &'a Json, key: &str) -> impl Iterator<Item = (&'a String, u64)> {
    let counts = node.get(key).and_then(Json::as_object).into_iter().flatten();
    counts.filter_map(|(reason, count)| Some((reason, count.as_u64()?)))
}

fn more(nodes: usize) -> String {
    match nodes.checked_sub(RUNS) {
        Some(rest) if rest > 0 => format!("<p class=\"note\">{rest} more are in report.json.</p>\n"),
        _ => String::new(),
    }
}
