//! `isobath inspect` through the binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]

#[path = "support/command.rs"]
mod command;

use std::fs;
use std::path::{Path, PathBuf};

use command::isobath;
use predicates::prelude::*;
use serde_json::Value;

/// The one JSON object that `inspect --json` prints.
fn json(path: &Path) -> Value {
    let output =
        isobath().arg("inspect").arg("--json").arg(path).assert().success().stderr("").get_output().clone();
    serde_json::from_slice(&output.stdout).expect("stdout is one JSON value")
}

fn real_bag() -> PathBuf {
    PathBuf::from("tests/data/real_sensors")
}

#[test]
fn a_bag_lists_its_topics() {
    let report = json(&real_bag());
    let topics = report["topics"].as_array().unwrap();
    assert!(!topics.is_empty());
    for topic in topics {
        assert!(topic["name"].as_str().unwrap().starts_with('/'), "{topic}");
        assert!(topic["type"].as_str().unwrap().contains("/msg/"), "{topic}");
        assert!(topic["count"].is_u64(), "{topic}");
        assert!(topic["rate_hz"].is_f64() || topic["rate_hz"].is_null(), "{topic}");
    }
    let total: u64 = topics.iter().map(|topic| topic["count"].as_u64().unwrap()).sum();
    assert_eq!(report["messages"], total);
}

#[test]
fn a_bag_and_its_file_are_the_same() {
    assert_eq!(json(&real_bag())["topics"], json(&real_bag().join("real_sensors.mcap"))["topics"]);
}

#[test]
fn text_is_a_table_with_every_topic() {
    let report = json(&real_bag());
    let mut assert = isobath().arg("inspect").arg(real_bag()).assert().success();
    for topic in report["topics"].as_array().unwrap() {
        assert = assert.stdout(predicate::str::contains(topic["name"].as_str().unwrap()));
    }
    // Columns line up: every type begins below the heading.
    let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    let mut table = text.lines().skip_while(|line| !line.starts_with("topic"));
    let column = table.next().unwrap().find("type").unwrap();
    for line in table {
        assert_eq!(line.as_bytes()[column - 1], b' ', "{line}");
        assert_ne!(line.as_bytes()[column], b' ', "{line}");
    }
}

#[test]
fn a_cut_off_bag_shows_what_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.mcap");
    let bytes =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(real_bag()).join("real_sensors.mcap")).unwrap();
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let output = isobath().args(["inspect", "--json"]).arg(&cut).assert().code(3).get_output().clone();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["topics"].is_array());
    assert!(report["damage"].as_str().unwrap().contains("cut.mcap"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cut.mcap"));
}

#[test]
fn a_model_folder_shows_tensors_manifest_and_custom_operators() {
    let report = json(Path::new("models/depth_baseline"));
    assert_eq!(report["manifest"]["kind"], "depth");
    assert_eq!(report["tensors"]["inputs"][0]["role"], "prior");
    assert_eq!(report["custom_ops"], Value::Array(vec![]));
    assert!(report["files"]["fp32"]["opsets"]["ai.onnx"].is_u64());
    isobath()
        .args(["inspect", "models/depth_baseline"])
        .assert()
        .success()
        .stdout(predicate::str::contains("1 × 1 × 240 × 320"));
}

#[test]
fn an_onnx_file_shows_its_tensors() {
    let report = json(Path::new("models/detection_baseline/model.onnx"));
    assert_eq!(report["tensors"]["inputs"][0]["name"], "bev");
    assert!(report["operators"].as_object().is_some_and(|operators| !operators.is_empty()));
    isobath()
        .args(["inspect", "models/detection_baseline/model.onnx"])
        .assert()
        .success()
        .stdout(predicate::str::contains("custom operators: none"));
}

#[test]
fn anything_else_says_what_was_expected() {
    for path in ["Cargo.toml", "src", "no/such/place"] {
        isobath().args(["inspect", path]).assert().code(2).stdout("").stderr(
            predicate::str::contains(path).and(predicate::str::contains("expected a rosbag2 folder")),
        );
    }
}

#[test]
fn a_damaged_onnx_file_is_unreadable_input() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.onnx");
    fs::write(&file, b"no protobuf at all").unwrap();
    isobath()
        .arg("inspect")
        .arg(&file)
        .assert()
        .code(2)
        .stderr(predicate::str::contains("expected an ONNX model"));
    // A folder of ONNX files without a manifest is explained.
    isobath()
        .arg("inspect")
        .arg(folder.path())
        .assert()
        .code(2)
        .stderr(predicate::str::contains("model.yaml"));
}
