//! `isobath doctor` through the binary, in environments made for the purpose.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use predicates::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

/// The command without what the caller's environment says about ROS and models.
fn doctor() -> Command {
    let mut command = Command::cargo_bin("isobath").unwrap();
    command.current_dir(env!("CARGO_MANIFEST_DIR")).arg("doctor");
    for name in [
        "ROS_DISTRO",
        "AMENT_PREFIX_PATH",
        "RMW_IMPLEMENTATION",
        "FASTRTPS_DEFAULT_PROFILES_FILE",
        "FASTDDS_DEFAULT_PROFILES_FILE",
        "ISOBATH_MODEL_PATH",
    ] {
        command.env_remove(name);
    }
    command
}

/// What `doctor --json` prints, checked against its exit code.
fn report(command: &mut Command) -> Value {
    let output = command.arg("--json").output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).expect("stdout is one JSON value");
    assert_eq!(output.status.code(), Some(i32::from(report["ok"] != true)), "{report:#}");
    report
}

fn finding<'a>(report: &'a Value, subject: &str) -> &'a Value {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["subject"] == subject).unwrap_or_else(|| {
        panic!("no finding on {subject} in {findings:#?}");
    })
}

/// A prefix that looks like an installed ROS 2 with this middleware.
fn prefix(middleware: &str) -> TempDir {
    let prefix = tempfile::tempdir().unwrap();
    fs::create_dir(prefix.path().join("lib")).unwrap();
    fs::write(prefix.path().join(format!("lib/lib{middleware}.so")), b"").unwrap();
    prefix
}

#[test]
fn bundled_models_pass_without_ros() {
    let report = report(&mut doctor());
    assert_eq!(report["ok"], true, "{report:#}");
    assert_eq!(finding(&report, "ROS 2")["level"], "warning");
    assert_eq!(finding(&report, "ONNX Runtime")["level"], "ok");
    let models = report["facts"]["models"].as_array().unwrap();
    for name in ["depth_baseline", "detection_baseline"] {
        let model = models.iter().find(|model| model["name"] == name).expect(name);
        let file = model["files"].as_array().unwrap().iter().find(|file| file["provider"] == "cpu").unwrap();
        assert!(file["outcome"]["passed"]["load_ms"].is_u64(), "{file}");
    }
}

#[test]
fn text_ends_with_the_verdict() {
    doctor().assert().success().stdout(
        predicate::str::contains("replay works").and(predicate::str::contains("\nReady: 0 error(s)")),
    );
}

#[test]
fn a_missing_library_is_an_error() {
    let report = report(doctor().env("ISOBATH_ORT_LIBRARY", "/no/such/libonnxruntime.so"));
    assert_eq!(report["ok"], false);
    let finding = finding(&report, "ONNX Runtime");
    assert_eq!(finding["level"], "error");
    assert!(finding["text"].as_str().unwrap().contains("/no/such/libonnxruntime.so"));
    assert!(finding["advice"].as_str().unwrap().contains("ISOBATH_ORT_LIBRARY"));
}

#[test]
fn fast_dds_needs_the_shipped_profile() {
    let prefix = prefix("rmw_fastrtps_cpp");
    let sourced = || {
        let mut command = doctor();
        command.env("ROS_DISTRO", "jazzy").env("AMENT_PREFIX_PATH", prefix.path());
        command
    };
    let without = report(&mut sourced());
    let warning = finding(&without, "Fast DDS profile");
    assert_eq!(warning["level"], "warning");
    // The advice works when it is followed.
    let advice = warning["advice"].as_str().unwrap();
    let (variable, path) = advice.split_once("export ").unwrap().1.split_once('=').unwrap();
    let with = report(sourced().env(variable, path));
    assert_eq!(finding(&with, "Fast DDS profile")["level"], "ok", "{with:#}");
}

#[test]
fn an_unsupported_distribution_is_an_error() {
    let prefix = prefix("rmw_cyclonedds_cpp");
    let report = report(doctor().env("ROS_DISTRO", "kilted").env("AMENT_PREFIX_PATH", prefix.path()));
    assert_eq!(finding(&report, "ROS 2")["level"], "error");
    assert_eq!(finding(&report, "middleware")["level"], "ok");
    assert!(finding(&report, "receive buffer")["text"].as_str().unwrap().contains("net.core.rmem_max"));
}

#[test]
fn a_model_whose_file_changed_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("tampered");
    fs::create_dir(&folder).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/depth_baseline");
    for name in ["model.yaml", "golden.npz", "model.onnx"] {
        fs::copy(source.join(name), folder.join(name)).unwrap();
    }
    let mut bytes = fs::read(folder.join("model.onnx")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(folder.join("model.onnx"), bytes).unwrap();
    let report = report(doctor().env("ISOBATH_MODEL_PATH", root.path()));
    let finding = finding(&report, "model");
    assert_eq!(finding["level"], "error", "{finding}");
    assert!(finding["text"].as_str().unwrap().starts_with("tampered: fp32 on cpu"), "{finding}");
}
