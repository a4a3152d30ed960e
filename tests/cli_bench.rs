//! `isobath bench` as its users run it: both bundled models, precisions in turn, what the report holds and how it
//! exits.

#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

#[path = "support/command.rs"]
mod command;
#[path = "support/real_sensors.rs"]
mod real_sensors;

use std::fs;
use std::path::{Path, PathBuf};

use command::isobath;
use predicates::prelude::*;
use predicates::str::contains;
use real_sensors::{REMAPS, bag};
use serde_json::Value;
use tempfile::TempDir;

const MODELS: [&str; 2] = ["models/depth_baseline", "detection_baseline"];

fn bench(models: &[&str], more: &[&str]) -> assert_cmd::assert::Assert {
    isobath().arg("bench").args(models).args(more).assert()
}

fn on_the_bag(models: &[&str], more: &[&str]) -> assert_cmd::assert::Assert {
    let bag = bag();
    bench(models, &[&["--input", bag.to_str().unwrap()], &REMAPS[..], more].concat())
}

fn report(assert: assert_cmd::assert::Assert) -> Value {
    serde_json::from_slice(&assert.success().get_output().stdout).unwrap()
}

/// The depth baseline with its file under a second precision.
fn two_precisions(folder: &TempDir) -> PathBuf {
    let model = folder.path().join("depth_twice");
    fs::create_dir(&model).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/depth_baseline");
    for file in ["model.onnx", "golden.npz", "model.yaml"] {
        fs::copy(source.join(file), model.join(file)).unwrap();
    }
    let manifest = fs::read_to_string(model.join("model.yaml")).unwrap();
    // Of the file, and of its tolerance.
    let of_fp32 = |indent: &str| {
        let lines = manifest.split_inclusive('\n').skip_while(|line| *line != format!("{indent}fp32:\n"));
        let deeper = format!("{indent}  ");
        lines
            .enumerate()
            .take_while(|(i, line)| *i == 0 || line.starts_with(&deeper))
            .map(|(_, l)| l)
            .collect()
    };
    let mut twice = manifest.clone();
    for indent in ["  ", "    "] {
        let block: String = of_fp32(indent);
        twice = twice.replacen(&block, &format!("{block}{}", block.replacen("fp32", "int8", 1)), 1);
    }
    fs::write(model.join("model.yaml"), twice).unwrap();
    model
}

#[test]
fn both_models_are_measured_on_a_simulated_input() {
    let report = report(bench(&MODELS, &["--frames", "7", "--json"]));
    assert!(report["input"].as_str().unwrap().contains("warehouse"), "{report}");
    for key in ["cpu", "kernels"] {
        assert!(!report[key].as_str().unwrap().is_empty(), "{key}");
    }
    for key in ["f32", "int8"] {
        assert!(!report["sparse_kernels"][key].as_str().unwrap().is_empty(), "{key}");
    }
    // A warehouse fills some of a hundred metres square.
    let occupancy = report["occupancy"].as_f64().unwrap();
    assert!(occupancy > 0.001 && occupancy < 0.5, "{occupancy}");
    let runs = report["runs"].as_array().unwrap();
    let names: Vec<_> = runs.iter().map(|run| run["model"].as_str().unwrap()).collect();
    assert_eq!(names, ["depth_baseline", "detection_baseline"]);
    for run in runs {
        assert_eq!((run["precision"].as_str(), run["provider"].as_str()), (Some("fp32"), Some("cpu")));
        assert_eq!((run["frames"].as_u64(), run["threads"].as_u64()), (Some(7), Some(1)));
        let total = &run["stages_ms"]["total"];
        for stage in ["preprocess", "inference", "postprocess"] {
            let times = &run["stages_ms"][stage];
            let rising: Vec<f64> =
                ["p50", "p90", "p95", "p99", "max"].iter().map(|key| times[*key].as_f64().unwrap()).collect();
            assert!(rising[0] > 0.0 && rising.is_sorted(), "{stage}: {times}");
            assert!(rising[0] <= total["max"].as_f64().unwrap(), "{stage}: {times} {total}");
        }
        assert_eq!(run["total_p50_by_third_ms"].as_array().unwrap().len(), 3);
        // A process with ONNX Runtime in it, and not one with everything.
        let memory = run["max_rss_mb"].as_f64().unwrap();
        assert!(memory > 10.0 && memory < 4096.0, "{memory}");
    }
}

#[test]
fn precisions_take_turns_and_what_a_model_lacks_is_skipped() {
    let folder = TempDir::new().unwrap();
    let twice = two_precisions(&folder);
    let models = [twice.to_str().unwrap(), MODELS[1]];
    let assert = on_the_bag(&models, &["--precision", "int8,fp32,int8", "--frames", "3", "--json"]);
    let assert = assert.stderr(contains("'detection_baseline' has no precision int8: skipped"));
    let report = report(assert);
    let runs: Vec<_> = report["runs"].as_array().unwrap().iter().map(|run| &run["precision"]).collect();
    assert_eq!(runs, ["int8", "fp32", "fp32"]);
    assert_eq!(report["skipped"][0]["model"], "detection_baseline");
    on_the_bag(&MODELS, &["--precision", "fp32,int8"])
        .code(1)
        .stderr(contains("--precision int8").and(contains("fp32")));
}

#[test]
fn people_get_a_table() {
    on_the_bag(&MODELS[1..], &["--frames", "3"])
        .success()
        .stdout(contains("inference").and(contains("cells have points")).and(contains("memory MB")));
}

#[test]
fn wrong_input_and_configuration_is_one_sentence() {
    for (more, expected) in [
        (&["--precision", "fp31"][..], "fp31"),
        (&["--provider", "npu"], "npu"),
        (&["--frames", "2"], "--frames"),
        (&["--threads", "0"], "threads"),
        (&["--remap", "image"], "remap"),
    ] {
        bench(&MODELS[..1], more).code(1).stderr(
            contains(expected).and(predicate::function(|text: &str| text.trim_end().lines().count() == 1)),
        );
    }
    bench(&["no_such_model"], &[]).code(1).stderr(contains("no_such_model"));
    bench(&MODELS[..1], &["--input", "/no/such/bag"]).code(2).stderr(contains("/no/such/bag"));
    // Without remappings the bag has no image for the model.
    let bag = bag();
    bench(&MODELS[..1], &["--input", bag.to_str().unwrap()])
        .code(1)
        .stderr(contains("'/image'").and(contains("/camera/image_raw")));
}
