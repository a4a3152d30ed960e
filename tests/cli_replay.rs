//! `isobath replay` as its users run it: the binary, a bag, what it writes and how it exits.

#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

#[path = "support/command.rs"]
mod command;
#[path = "support/real_sensors.rs"]
mod real_sensors;

use std::fs;
use std::path::Path;

use command::isobath;
use predicates::prelude::*;
use predicates::str::contains;
use real_sensors::{REMAPS, bag};
use serde_json::Value;
use tempfile::TempDir;

fn replay(bag: &Path, out: &Path, more: &[&str]) -> assert_cmd::assert::Assert {
    isobath().arg("replay").arg(bag).arg("--out").arg(out).args(REMAPS).args(more).assert()
}

fn run_json(out: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(out.join("run.json")).unwrap()).unwrap()
}

#[test]
fn every_frame_is_accounted_for_and_runs_are_equal() {
    let folder = TempDir::new().unwrap();
    let mut digests = Vec::new();
    for (name, more) in [("a", &[][..]), ("b", &["--jobs", "1"]), ("c", &["--jobs", "2"])] {
        let out = folder.path().join(name);
        replay(&bag(), &out, more).success();
        let run = run_json(&out);
        for node in ["depth", "detection"] {
            let counts = &run["nodes"][node];
            let dropped: u64 =
                counts["dropped"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
            let published = counts["published"].as_u64().unwrap();
            assert_eq!(counts["received"].as_u64().unwrap(), published + dropped, "{node}: {counts}");
            assert!(published > 0, "{node}: {counts}");
            assert!(counts["latency_ms"]["p99"].as_f64().unwrap() > 0.0);
            assert!(counts["stages_ms"]["inference"]["p50"].as_f64().unwrap() > 0.0);
        }
        for key in
            ["isobath", "bags", "config", "providers", "bag_s", "load_s", "wall_s", "cpu_s", "max_rss_mb"]
        {
            assert!(!run[key].is_null(), "{key}");
        }
        digests.push((run["outputs_sha256"].clone(), fs::read(out.join("outputs.mcap")).unwrap()));
    }
    assert!(digests.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn every_lidar_layout_runs_through() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("qt64");
    isobath()
        .arg("replay")
        .arg(bag())
        .arg("--out")
        .arg(&out)
        .args(["--remap", "/lidar_qt64/points:=/lidar/points"])
        .assert()
        .success();
    assert_eq!(run_json(&out)["nodes"]["detection"]["published"], 1);
    assert!(run_json(&out)["nodes"]["depth"].is_null(), "no image was mapped");
}

#[test]
fn a_pace_drops_or_publishes_every_frame() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("paced");
    replay(&bag(), &out, &["--rate", "1.0"]).success();
    let depth = run_json(&out)["nodes"]["depth"].clone();
    let dropped: u64 = depth["dropped"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(depth["received"], 2);
    assert_eq!(depth["published"].as_u64().unwrap() + dropped, 2);
}

#[test]
fn clouds_and_previews_are_recorded_on_request() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("all");
    replay(&bag(), &out, &["--set", "depth.record=all"]).success();
    isobath().args(["inspect", "--json"]).arg(out.join("outputs.mcap")).assert().success().stdout(
        contains("/depth/points").and(contains("/depth/preview")).and(contains("/detections/markers")),
    );
}

#[test]
fn wrong_configuration_is_one_sentence_and_exit_code_1() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let cases: [(&[&str], &str); 8] = [
        (&["--set", "depth.modle=x"], "nearest is 'model'"),
        (&["--set", "depht.model=x"], "the nodes are depth and detection"),
        (&["--set", "depth.threads=many"], "expected a integer"),
        (&["--set", "depth.radars=9"], "from 0 to 4"),
        (&["--set", "depth.model=no_such_model"], "no_such_model"),
        (&["--set", "depth.provider=tensorrt"], "tensorrt"),
        (&["--remap", "imgae:=/camera/image_raw"], "the inputs are"),
        (&["--rate", "fast"], "--rate"),
    ];
    for (more, expected) in cases {
        replay(&bag(), &out, more).code(1).stderr(contains(expected));
        fs::remove_dir_all(&out).ok();
    }
    isobath().args(["replay", "--out", "x"]).assert().code(1);
}

#[test]
fn a_topic_of_another_type_names_both_types() {
    let folder = TempDir::new().unwrap();
    isobath()
        .arg("replay")
        .arg(bag())
        .arg("--out")
        .arg(folder.path().join("out"))
        .args(["--remap", "image:=/lidar_vlp16/points"])
        .assert()
        .code(1)
        .stderr(contains("sensor_msgs/msg/Image").and(contains("sensor_msgs/msg/PointCloud2")));
}

#[test]
fn a_bag_without_any_input_says_what_it_has() {
    let folder = TempDir::new().unwrap();
    isobath()
        .arg("replay")
        .arg(bag())
        .arg("--out")
        .arg(folder.path().join("out"))
        .assert()
        .code(1)
        .stderr(contains("/camera/image_raw").and(contains("--remap")));
}

#[test]
fn results_are_not_overwritten() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("mine.txt"), "mine").unwrap();
    replay(&bag(), folder.path(), &[]).code(1).stderr(contains("not empty"));
    replay(&bag(), folder.path(), &["--resume"]).success();
    assert_eq!(fs::read_to_string(folder.path().join("mine.txt")).unwrap(), "mine");
}

#[test]
fn a_missing_bag_is_exit_code_2_and_a_truncated_one_3() {
    let folder = TempDir::new().unwrap();
    replay(&folder.path().join("none"), &folder.path().join("out"), &[]).code(2).stderr(contains("none"));

    let whole = fs::read(
        fs::read_dir(bag())
            .unwrap()
            .find_map(|entry| {
                let path = entry.unwrap().path();
                (path.extension()? == "mcap").then_some(path)
            })
            .unwrap(),
    )
    .unwrap();
    let cut = folder.path().join("cut.mcap");
    fs::write(&cut, &whole[..whole.len() * 9 / 10]).unwrap();
    replay(&cut, &folder.path().join("cut"), &[]).code(3).stderr(contains("cut.mcap"));
}

#[test]
fn models_that_do_not_match_their_manifest_are_refused() {
    let folder = TempDir::new().unwrap();
    let model = folder.path().join("tampered");
    fs::create_dir(&model).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/depth_baseline");
    for entry in fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, model.join(path.file_name().unwrap())).unwrap();
    }
    let onnx = model.join("model.onnx");
    let mut bytes = fs::read(&onnx).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&onnx, bytes).unwrap();
    let set = format!("depth.model={}", model.display());
    replay(&bag(), &folder.path().join("out"), &["--set", &set]).code(1).stderr(contains("expected SHA-256"));
    fs::remove_file(model.join("model.yaml")).unwrap();
    replay(&bag(), &folder.path().join("out2"), &["--set", &set]).code(1).stderr(contains("model.yaml"));
}

#[test]
fn a_missing_runtime_says_how_to_get_it() {
    let folder = TempDir::new().unwrap();
    isobath()
        .arg("replay")
        .arg(bag())
        .arg("--out")
        .arg(folder.path().join("out"))
        .args(REMAPS)
        .env("ISOBATH_ORT_LIBRARY", "/nowhere/libonnxruntime.so")
        .assert()
        .code(1)
        .stderr(contains("/nowhere/libonnxruntime.so"));
}
