//! What was evaluated, with what, and how it was set.

use serde_json::Value as Json;

use super::table::Table;
use super::values::{number, short};
use super::{Escaped, Page, escape};

/// Most runs that are listed.
const RUNS: usize = 20;
/// Longest configuration that is shown, characters.
const CONFIG: usize = 20_000;

/// The part of the environment.
pub(super) fn part(page: &Page<'_>) -> String {
    let report = page.report;
    let mut html = "<section id=\"environment\"><h2>Environment and configuration</h2>\n".to_owned();
    put!(
        html,
        "<p>Evaluated by isobath {}; stamps of truth and outputs matched within {} ms.</p>\n",
        escape::name(report.isobath),
        report.tolerance_ms
    );
    for (index, run) in report.runs.iter().enumerate().take(RUNS) {
        put!(html, "<details{}><summary>", if index == 0 { " open=\"open\"" } else { "" });
        put!(html, "Run {}: {}</summary>\n", index + 1, escape::name(&run.path));
        let truth: Vec<&str> = run.truth.iter().take(RUNS).map(String::as_str).collect();
        let mut table = Table::new("The run", &["", ""]);
        table.row("truth from", [truth.join(", ")]);
        match &run.replay {
            Some(replay) => facts(&mut table, replay),
            None => table.row("outputs", ["recorded live"]),
        }
        html += &table.finish();
        html += &config(page.configs.get(index).copied().flatten());
        html += "</details>\n";
    }
    if report.runs.len() > RUNS {
        put!(html, "<p>{} more runs are in report.json.</p>\n", report.runs.len() - RUNS);
    }
    html + "</section>\n"
}

fn facts(table: &mut Table, replay: &Json) {
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let seconds = |key| format!("{} s", short(number(replay, key)));
    table.row("replayed by isobath", [replay.get("isobath").map(text).unwrap_or_default()]);
    table.row("recording", [seconds("bag_s")]);
    if let Some(rate) = replay.get("rate") {
        table.row("rate", [text(rate)]);
    }
    table.row("loading models", [seconds("load_s")]);
    table.row("whole run", [seconds("wall_s")]);
    table.row("CPU time", [seconds("cpu_s")]);
    table.row("peak memory", [format!("{} MiB", short(number(replay, "max_rss_mb")))]);
    let nodes = replay.get("nodes").and_then(Json::as_object).into_iter().flatten();
    for (name, node) in nodes.take(RUNS) {
        let provider = replay.pointer(&format!("/providers/{name}")).map(text).unwrap_or_default();
        let model = node.get("model").and_then(Json::as_object).into_iter().flatten();
        let facts: Vec<String> =
            model.take(RUNS).map(|(fact, value)| format!("{fact} {}", text(value))).collect();
        table.row(&format!("{name}: provider"), [provider]);
        table.row(&format!("{name}: model"), [facts.join(", ")]);
        let problems = node.get("problems").and_then(Json::as_object).into_iter().flatten();
        for (source, problem) in problems.take(RUNS) {
            table.row(&format!("{name}: {source}"), [text(problem)]);
        }
    }
    table.row("SHA-256 of the outputs", [replay.get("outputs_sha256").map(text).unwrap_or_default()]);
}

fn config(config: Option<&Json>) -> String {
    let Some(config) = config else {
        return "<p>Parameters are not known: the outputs were recorded live.</p>\n".to_owned();
    };
    let Ok(text) = serde_json::to_string_pretty(config) else { return String::new() };
    let (shown, rest) = match text.char_indices().nth(CONFIG) {
        Some((end, _)) => (text.get(..end).unwrap_or_default(), "\n… the rest is in run.json"),
        None => (text.as_str(), ""),
    };
    format!(
        "<details><summary>Parameters</summary><pre tabindex=\"0\">{}{rest}</pre></details>\n",
        Escaped(shown)
    )
}
