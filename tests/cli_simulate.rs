//! `isobath simulate` as its users run it: equal recordings from equal seeds, the counts it promises, and one
//! sentence for every scene file that is wrong.

#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

#[path = "support/command.rs"]
mod command;

use std::fs;
use std::path::{Path, PathBuf};

use command::isobath;
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;
use tempfile::TempDir;

const FRAMES: u64 = 3;

/// A scene that is quick to simulate.
fn small_scene(folder: &TempDir, more: &str) -> PathBuf {
    let path = folder.path().join("scene.yaml");
    let text = "layout: corridor\nsensors:\n  camera: {width: 96, height: 72}\n  lidar: {model: vlp-16}\n  \
                radars: [{model: awr1843}]\n";
    fs::write(&path, format!("{text}{more}")).unwrap();
    path
}

fn simulate(scene: &Path, out: &Path, seed: u64, threads: usize) {
    isobath()
        .arg("simulate")
        .arg(scene)
        .args(["--frames", &FRAMES.to_string(), "--seed", &seed.to_string(), "--out"])
        .arg(out)
        .env("RAYON_NUM_THREADS", threads.to_string())
        .assert()
        .success();
}

fn counts(bag: &Path) -> Vec<(String, u64)> {
    let output = isobath().args(["inspect", "--json"]).arg(bag).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let topic = |t: &Value| (t["name"].as_str().unwrap().to_owned(), t["count"].as_u64().unwrap());
    report["topics"].as_array().unwrap().iter().map(topic).collect()
}

#[test]
fn equal_seeds_give_equal_recordings_at_any_number_of_threads() {
    let folder = TempDir::new().unwrap();
    let scene = small_scene(&folder, "");
    let recording = |name: &str, seed, threads| {
        // The folder's name is in the file's name and in the metadata, so it must be the same.
        let out = folder.path().join(name).join("bag");
        fs::create_dir(folder.path().join(name)).unwrap();
        simulate(&scene, &out, seed, threads);
        (fs::read(out.join("bag_0.mcap")).unwrap(), fs::read(out.join("metadata.yaml")).unwrap())
    };
    let first = recording("a", 5, 1);
    assert!(first == recording("b", 5, 3), "the same seed");
    assert!(first.0 != recording("c", 6, 3).0, "another seed");
    let metadata = String::from_utf8(first.1).unwrap();
    assert!(metadata.contains("isobath_seed: \"5\"") && metadata.contains("layout: corridor"), "{metadata}");

    let counts = counts(&folder.path().join("a/bag"));
    let count = |name: &str| counts.iter().find(|(topic, _)| topic == name).map(|(_, count)| *count);
    for topic in ["/image", "/camera_info", "/truth/depth"] {
        assert_eq!(count(topic), Some(FRAMES), "{topic}");
    }
    for topic in ["/lidar/points", "/truth/detections", "/radar_0/points"] {
        assert!(count(topic).is_some_and(|n| n.abs_diff(FRAMES) <= 1), "{topic}: {counts:?}");
    }
    for topic in ["/tf", "/odom", "/clock"] {
        assert!(count(topic).is_some_and(|n| n > 30), "{topic}: {counts:?}");
    }
    assert_eq!(count("/tf_static"), Some(1));
}

#[test]
fn a_simulated_recording_goes_through_the_pipelines() {
    let folder = TempDir::new().unwrap();
    let bag = folder.path().join("bag");
    simulate(&small_scene(&folder, ""), &bag, 1, 2);
    let out = folder.path().join("run");
    isobath().arg("replay").arg(&bag).arg("--out").arg(&out).assert().success();
    let run: Value = serde_json::from_str(&fs::read_to_string(out.join("run.json")).unwrap()).unwrap();
    for node in ["depth", "detection"] {
        assert!(run["nodes"][node]["published"].as_u64().unwrap() + 1 >= FRAMES, "{}", run["nodes"][node]);
    }
}

#[test]
fn arrays_hold_only_the_sensors_asked_for() {
    let folder = TempDir::new().unwrap();
    let scene = small_scene(&folder, "");
    let out = folder.path().join("arrays");
    let run = |out: &Path| {
        isobath()
            .arg("simulate")
            .args([&scene, &scene])
            .args(["--arrays", "--sensors", "camera,radar", "--image-size", "32x24"])
            .args(["--frames", "5", "--frames-per-scene", "2", "--seed", "3", "--out"])
            .arg(out)
            .assert()
    };
    run(&out).success().stdout(contains("5 frames"));
    let image: ndarray::Array4<u8> = ndarray_npy::read_npy(out.join("image.npy")).unwrap();
    assert_eq!(image.shape(), [5, 24, 32, 3]);
    let frames: ndarray::Array2<i64> = ndarray_npy::read_npy(out.join("frames.npy")).unwrap();
    // Three scenes, the two files in turn, seeds counted on.
    assert_eq!(frames.column(0).to_vec(), [0, 0, 1, 1, 0]);
    assert_eq!(frames.column(1).to_vec(), [3, 3, 4, 4, 5]);
    assert_eq!(frames.column(2).to_vec(), [0, 5, 0, 5, 0]);
    assert!(out.join("radar.npy").exists() && !out.join("lidar.npy").exists());
    run(&out).failure().code(1).stderr(contains("expected an empty or new folder"));
}

#[test]
fn wrong_scenes_and_arguments_give_one_sentence() {
    let folder = TempDir::new().unwrap();
    let bag = folder.path().join("bag");
    let refused = |path: &Path, expected: &[&str]| {
        let mut assert = isobath()
            .arg("simulate")
            .arg(path)
            .args(["--seed", "1", "--out"])
            .arg(&bag)
            .assert()
            .code(1)
            .stderr(predicate::function(|text: &str| text.trim_end().lines().count() == 1));
        for text in expected {
            assert = assert.stderr(contains(*text));
        }
        drop(assert);
        assert!(!bag.exists(), "{}", path.display());
    };
    for (more, expected) in [
        ("wdith_m: 3\n", &["scene.yaml", "line 6", "wdith_m", "width_m"][..]),
        ("width_m: -3\n", &["line 6", "width_m", "-3"]),
        ("width_m: .nan\n", &["line 6", "finite"]),
        ("width_m: [9, 3]\n", &["line 6", "in this order"]),
    ] {
        refused(&small_scene(&folder, more), expected);
    }
    let scene = folder.path().join("scene.yaml");
    for (text, expected) in [
        ("layout: palace\n", &["line 1", "palace", "warehouse"][..]),
        ("layout: mesh\nmesh: {file: nowhere.glb, robot_path: [[0, 0, 0], [5, 0, 0]]}\n", &["nowhere.glb"]),
        ("layout: hall\nsensors: {camera: {width: 4000000000}}\n", &["line 2", "8192", "4000000000"]),
        ("layout: hall\nsensors: {camera: {rate_hz: 0}}\n", &["line 2", "0.1 to 200"]),
        ("layout: hall\nsensors: {camera: {hfov_deg: [60, 180]}}\n", &["line 2", "5 to 150", "180"]),
        ("layout: street\nsensors: {lidar: {model: vlp-17}}\n", &["sensors.lidar.model", "vlp-16", "vlp-17"]),
    ] {
        fs::write(&scene, text).unwrap();
        refused(&scene, expected);
    }
    refused(&folder.path().join("nothing.yaml"), &["nothing.yaml"]);
    isobath().args(["simulate", "--seed", "1", "--out", "x"]).assert().code(1);
}
