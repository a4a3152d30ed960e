//! Findings as lines for people and as one JSON object for scripts.

use std::fmt::Write as _;

use serde_json::json;

use super::facts::Facts;
use super::findings::{Finding, Level};
use crate::cli::Failure;

/// Columns of text before a line is broken.
const WIDTH: usize = 100;

/// One JSON object: `ok`, `findings`, `facts`.
pub(super) fn json(facts: &Facts, findings: &[Finding]) -> Result<String, Failure> {
    let is_ok = findings.iter().all(|finding| finding.level != Level::Error);
    serde_json::to_value(facts)
        .and_then(|facts| {
            serde_json::to_string_pretty(&json!({ "ok": is_ok, "findings": findings, "facts": facts }))
        })
        .map_err(|error| Failure::Configuration(format!("the facts cannot be written as JSON: {error}")))
}

/// One paragraph a finding, its advice below it, and a last line that sums up.
pub(super) fn text(findings: &[Finding]) -> String {
    let subject_width = findings.iter().map(|finding| finding.subject.chars().count()).max().unwrap_or(0);
    let indent = 9 + subject_width + 2;
    let mut out = String::new();
    for finding in findings {
        let level = match finding.level {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Error => "error",
        };
        // Writing to a String cannot fail.
        let _ = write!(out, "{level:<9}{:<subject_width$}  ", finding.subject);
        wrap(&mut out, &finding.text, indent);
        if let Some(advice) = &finding.advice {
            let _ = write!(out, "{:indent$}", "");
            wrap(&mut out, &format!("→ {advice}"), indent + 2);
        }
    }
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let (errors, warnings) = (count(Level::Error), count(Level::Warning));
    let verdict = if errors > 0 { "Not ready" } else { "Ready" };
    let _ = writeln!(out, "\n{verdict}: {errors} error(s), {warnings} warning(s).");
    out
}

/// Appends `text` and a line feed; the cursor stands at column `indent`, as further lines do.
fn wrap(out: &mut String, text: &str, indent: usize) {
    let mut column = indent;
    for (index, word) in text.split_whitespace().enumerate() {
        let width = word.chars().count();
        if index > 0 && column + 1 + width > WIDTH {
            let _ = write!(out, "\n{:indent$}", "");
            column = indent;
        } else if index > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_stands_below_its_finding() {
        let findings = [
            Finding { level: Level::Ok, subject: "CPU", text: "4 cores".to_owned(), advice: None },
            Finding {
                level: Level::Error,
                subject: "models",
                text: "none".to_owned(),
                advice: Some("get one".to_owned()),
            },
        ];
        let expected = "ok       CPU     4 cores\nerror    models  none\n                 → get one\n\n\
                        Not ready: 1 error(s), 0 warning(s).\n";
        assert_eq!(text(&findings), expected);
    }

    #[test]
    fn long_lines_break_at_words() {
        let long = "word ".repeat(60);
        let findings = [Finding { level: Level::Warning, subject: "x", text: long, advice: None }];
        let shown = text(&findings);
        assert!(shown.lines().all(|line| line.chars().count() <= WIDTH), "{shown}");
        assert_eq!(shown.matches("word").count(), 60);
    }
}
