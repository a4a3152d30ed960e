//! Running the binary and what it leaves.

#[path = "../support/command.rs"]
mod command;

use std::path::Path;

pub use command::isobath;
use serde_json::Value;

/// A finished evaluation.
pub struct Run {
    pub code: i32,
    pub stderr: String,
    /// What `--json` printed; null if nothing
    pub report: Value,
}

impl Run {
    /// Evaluates `paths` with further arguments. What is printed must be what is written.
    pub fn of(paths: &[&Path], more: &[&str]) -> Self {
        let output = isobath().arg("evaluate").args(paths).arg("--json").args(more).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("panicked"), "{stderr}");
        let report = match output.stdout.as_slice() {
            [] => Value::Null,
            text => serde_json::from_slice(text).unwrap(),
        };
        if report.is_object() {
            let folder = if paths[0].is_dir() { paths[0] } else { paths[0].parent().unwrap() };
            let written = std::fs::read(folder.join("report.json")).unwrap();
            assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), report);
        }
        Self { code: output.status.code().unwrap(), stderr, report }
    }

    /// A number of the report.
    #[track_caller]
    pub fn number(&self, pointer: &str) -> f64 {
        let value = self.report.pointer(pointer);
        value.and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer}: {value:?}\n{}", self.stderr))
    }

    /// Asserts that a number is near another.
    #[track_caller]
    pub fn is_near(&self, pointer: &str, expected: f64) {
        let found = self.number(pointer);
        assert!((found - expected).abs() < 1e-6, "{pointer}: expected {expected}, found {found}");
    }

    /// Asserts that a note has all `parts`.
    #[track_caller]
    pub fn notes(&self, parts: &[&str]) {
        let notes = self.report["notes"].as_array().unwrap();
        let has = |note: &Value| parts.iter().all(|part| note.as_str().unwrap().contains(part));
        assert!(notes.iter().any(has), "{parts:?}: {notes:?}");
    }

    /// Asserts an error: the exit code and one line with all `parts`.
    #[track_caller]
    pub fn fails(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, code, "{}", self.stderr);
        let lines: Vec<&str> = self.stderr.lines().filter(|line| line.starts_with("isobath: ")).collect();
        assert_eq!(lines.len(), 1, "{}", self.stderr);
        for part in parts {
            assert!(lines[0].contains(part), "expected '{part}' in: {}", lines[0]);
        }
    }
}
