//! The demo in numbers: a table and `summary.json`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use super::player::Played;
use super::watcher::Watched;

/// What the demo reports.
pub struct Summary {
    /// Outputs that did not arrive
    pub missing: Vec<String>,
    rows: Vec<Row>,
    report: Value,
}

struct Row {
    topic: String,
    count: u64,
    rate_hz: f64,
    latency_ms: Option<(f64, f64)>,
}

impl Summary {
    /// From the file that was played, what was sent and what arrived.
    pub fn new(source: &Path, played: &Played, watched: &Watched) -> Self {
        let rows: Vec<Row> = watched
            .topics
            .iter()
            .map(|(topic, arrivals)| Row {
                topic: (*topic).to_owned(),
                count: arrivals.count,
                rate_hz: arrivals.count as f64 / watched.seconds.max(1e-9),
                latency_ms: percentiles(&arrivals.latency_ms),
            })
            .collect();
        let mut missing: Vec<String> =
            rows.iter().filter(|row| row.count == 0).map(|row| row.topic.clone()).collect();
        if watched.diagnostics.is_empty() {
            missing.push("/diagnostics".to_owned());
        }
        let topics: Map<String, Value> = rows
            .iter()
            .map(|row| {
                let latency = row.latency_ms.map(|(p50, p99)| json!({ "p50": p50, "p99": p99 }));
                let value = json!({ "count": row.count, "rate_hz": row.rate_hz, "latency_ms": latency });
                (row.topic.clone(), value)
            })
            .collect();
        let report = json!({
            "bag": source.display().to_string(),
            "seconds": watched.seconds,
            "published": played.counts,
            "topics": topics,
            "drops": drops(watched),
            "missing": missing,
            "ok": missing.is_empty(),
        });
        Self { missing, rows, report }
    }

    /// Prints the table.
    pub fn print(&self) {
        println!("\n{:<22} {:>7} {:>8} {:>9} {:>9}", "output", "count", "Hz", "p50 ms", "p99 ms");
        for row in &self.rows {
            let (p50, p99) = row.latency_ms.map_or_else(
                || ("–".to_owned(), "–".to_owned()),
                |(p50, p99)| (format!("{p50:.1}"), format!("{p99:.1}")),
            );
            println!("{:<22} {:>7} {:>8.1} {p50:>9} {p99:>9}", row.topic, row.count, row.rate_hz);
        }
        if let Some(drops) = self.report["drops"].as_object() {
            for (node, reasons) in drops {
                println!("dropped by {node}: {reasons}");
            }
        }
        println!();
    }

    /// Writes `summary.json`.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(&self.report)?;
        std::fs::write(path, text + "\n").with_context(|| format!("cannot write '{}'", path.display()))
    }
}

/// Counts of the diagnostics whose key is `dropped.<reason>`, by node; from the start of the suite on.
fn drops(watched: &Watched) -> BTreeMap<&str, BTreeMap<&str, u64>> {
    watched
        .diagnostics
        .iter()
        .map(|(node, values)| {
            let reasons = values.iter().filter_map(|(key, value)| {
                let count = value.parse().ok().filter(|count| *count > 0)?;
                Some((key.strip_prefix("dropped.")?, count))
            });
            (node.as_str(), reasons.collect())
        })
        .collect()
}

/// Median and 99th percentile.
fn percentiles(values: &[f64]) -> Option<(f64, f64)> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| sorted.get(((sorted.len() - 1) as f64 * share).round() as usize).copied();
    if sorted.is_empty() { None } else { at(0.5).zip(at(0.99)) }
}

#[cfg(test)]
mod tests {
    use super::percentiles;

    #[test]
    fn percentiles_of_few_values() {
        assert_eq!(percentiles(&[]), None);
        assert_eq!(percentiles(&[3.0]), Some((3.0, 3.0)));
        assert_eq!(percentiles(&[3.0, 1.0, 2.0]), Some((2.0, 3.0)));
    }
}
