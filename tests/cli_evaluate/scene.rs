//! From a scene to a score, as a user goes.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::run::{Run, isobath};

fn simulate(folder: &Path, name: &str, seed: u64) -> PathBuf {
    let scene = folder.join("scene.yaml");
    let text = "layout: corridor\nsensors:\n  camera: {width: 96, height: 72}\n  lidar: {model: vlp-16}\n  \
                radars: [{model: awr1843}]\n";
    fs::write(&scene, text).unwrap();
    let out = folder.join(name);
    let seed = seed.to_string();
    let simulate = ["--frames", "4", "--seed", &seed, "--out"];
    isobath().arg("simulate").arg(&scene).args(simulate).arg(&out).assert().success();
    out
}

fn replay(bags: &[&Path], out: &Path) {
    isobath().arg("replay").args(bags).arg("--out").arg(out).assert().success();
}

/// The sections with figures.
fn figures(run: &Run) -> [Value; 2] {
    assert_eq!(run.code, 0, "{}", run.stderr);
    let mut sections = ["depth", "detection"].map(|section| run.report[section].clone());
    for section in &mut sections {
        section.as_object_mut().unwrap().remove("worst");
    }
    sections
}

#[test]
fn a_simulated_run_is_scored_the_same_at_any_number_of_threads_and_pooled_or_not() {
    let temp = TempDir::new().unwrap();
    let path = |name: &str| temp.path().join(name);
    let (a, b) = (simulate(temp.path(), "a", 1), simulate(temp.path(), "b", 2));
    // Simulated recordings have the same stamps, so that outputs of two bags are told apart by their order only.
    replay(&[&a, &b], &path("both"));
    replay(&[&a], &path("run_a"));
    replay(&[&b], &path("run_b"));

    let both = Run::of(&[&path("both")], &[]);
    let [depth, detection] = figures(&both);
    assert_eq!(depth["frames"], 8);
    assert!(depth["abs_rel"].as_f64().unwrap() > 0.0 && depth["coverage"].as_f64().unwrap() > 0.5, "{depth}");
    assert!(depth["near_returns"]["share"].as_f64().unwrap() > 0.0, "{depth}");
    assert!(detection["frames"].as_u64().unwrap() >= 6, "{detection}");
    assert!(both.report["runs"][0]["replay"]["nodes"]["depth"]["latency_ms"]["p99"].as_f64().unwrap() > 0.0);

    let apart = Run::of(&[&path("run_a"), &path("run_b")], &[]);
    assert_eq!(figures(&apart), [depth.clone(), detection.clone()]);

    for threads in ["1", "5"] {
        let output = isobath()
            .args(["evaluate", "--json"])
            .arg(path("both"))
            .env("RAYON_NUM_THREADS", threads)
            .assert()
            .success();
        let report: Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
        assert_eq!(report, both.report);
    }
}
