//! Running the binary and what it leaves.

#[path = "../support/command.rs"]
mod command;

use std::collections::BTreeMap;
use std::path::Path;

use assert_cmd::assert::Assert;
pub use command::isobath;
use isobath::table::ParquetColumns;
use serde_json::Value;
use tempfile::TempDir;

/// A finished replay.
pub struct Run {
    pub code: i32,
    pub stderr: String,
    /// `run.json`, null if there is none
    pub json: Value,
    out: TempDir,
}

impl Run {
    /// Replays `bag` with further arguments. Every frame must be accounted for.
    pub fn of(bag: &Path, more: &[&str]) -> Self {
        let out = TempDir::new().unwrap();
        let assert = replay(bag, out.path(), more);
        let output = assert.get_output();
        let json = std::fs::read(out.path().join("run.json"))
            .map_or(Value::Null, |text| serde_json::from_slice(&text).unwrap());
        let stderr = String::from_utf8(output.stderr.clone()).unwrap();
        assert!(!stderr.contains("panicked"), "{stderr}");
        for (node, counts) in json["nodes"].as_object().into_iter().flatten() {
            let dropped: u64 =
                counts["dropped"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
            let published = counts["published"].as_u64().unwrap();
            assert_eq!(counts["received"].as_u64().unwrap(), published + dropped, "{node}: {counts}");
        }
        if json.is_object() {
            frames_add_up(out.path(), &json);
        }
        Self { code: output.status.code().unwrap(), stderr, json, out }
    }

    /// The folder of the results.
    pub fn out(&self) -> &Path {
        self.out.path()
    }

    /// Received, published, and drops as `reason count`.
    pub fn counts(&self, node: &str) -> (u64, u64, Vec<String>) {
        let counts = &self.json["nodes"][node];
        let number = |key: &str| counts[key].as_u64().unwrap_or_else(|| panic!("{node}: {}", self.stderr));
        let dropped = counts["dropped"].as_object().unwrap();
        let dropped = dropped.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
        (number("received"), number("published"), dropped)
    }

    /// Asserts a refusal: the exit code, one line with all `parts`, and no result.
    pub fn is_refused(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, code, "{}", self.stderr);
        let lines: Vec<&str> = self.stderr.lines().filter(|line| line.starts_with("isobath: ")).collect();
        assert_eq!(lines.len(), 1, "{}", self.stderr);
        for part in parts {
            assert!(lines[0].contains(part), "expected '{part}' in: {}", lines[0]);
        }
        assert_eq!(std::fs::read_dir(self.out()).unwrap().count(), 0, "a refused replay leaves nothing");
    }

    /// Asserts that part of the input was unreadable: exit code 3 and one line with all `parts`.
    pub fn tells_damage(&self, parts: &[&str]) {
        assert_eq!(self.code, 3, "{}", self.stderr);
        let line = self.stderr.lines().find(|line| line.starts_with("isobath: part of the input")).unwrap();
        for part in parts {
            assert!(line.contains(part), "expected '{part}' in: {line}");
        }
    }
}

/// Asserts that the table of frames has each frame of `run.json` once, with its node and its fate.
fn frames_add_up(out: &Path, json: &Value) {
    let mut expected = BTreeMap::new();
    for (node, counts) in json["nodes"].as_object().unwrap() {
        let fates = counts["dropped"].as_object().unwrap().iter();
        for (fate, frames) in
            fates.map(|(fate, n)| (fate.as_str(), n)).chain([("published", &counts["published"])])
        {
            expected.insert((node.clone(), fate.to_owned()), frames.as_u64().unwrap());
        }
    }
    expected.retain(|_, frames| *frames > 0);
    let table = ParquetColumns::open(&out.join("frames.parquet")).unwrap();
    let (nodes, fates) = (table.texts("node").unwrap(), table.texts("fate").unwrap());
    let mut found = BTreeMap::new();
    for (node, fate) in nodes.rows.iter().zip(&fates.rows) {
        let key = (nodes.names[usize::from(*node)].clone(), fates.names[usize::from(*fate)].clone());
        *found.entry(key).or_insert(0) += 1;
    }
    assert_eq!(found, expected);
}

/// Starts a replay.
pub fn replay(bag: &Path, out: &Path, more: &[&str]) -> Assert {
    isobath().arg("replay").arg(bag).arg("--out").arg(out).args(more).assert()
}
