//! Counts, drops and times of the runs, from their `run.json`.

use serde_json::Value as Json;

use super::Page;
use super::svg::{Bar, bar_chart};
use super::table::Table;
use super::values::{number, short};

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
        html += &times(page, &nodes);
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
