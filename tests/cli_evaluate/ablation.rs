//! `--ablate`: a simulated recording played again with radars that fail.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::frames::live;
use crate::run::{Run, isobath};

/// Twelve images in six seconds: enough blocks for intervals.
const SCENE: &str = "layout: corridor\nsensors:\n  camera: {width: 96, height: 72, rate_hz: 2}\n  \
                     lidar: {model: vlp-16}\n  radars: [{model: awr1843}]\n";
/// The camera is a bit higher than tf says: numbers that have no short decimals.
const CALIBRATION: &str = "transforms:\n  - parent: base_link\n    child: radar_0\n    \
                           translation: [0.31, 0.0, 0.47]\n    rpy_deg: [1, 2, -3]\n";

fn simulate(folder: &Path) -> PathBuf {
    let (scene, bag) = (folder.join("scene.yaml"), folder.join("bag"));
    fs::write(&scene, SCENE).unwrap();
    let more = ["--frames", "12", "--seed", "900001", "--out"];
    isobath().arg("simulate").arg(&scene).args(more).arg(&bag).assert().success();
    bag
}

fn replay(bag: &Path, out: &Path, more: &[&str]) {
    isobath().arg("replay").arg(bag).arg("--out").arg(out).args(more).assert().success();
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn depth_of_a_radar_model_is_worse_the_worse_its_radar_is() {
    let temp = TempDir::new().unwrap();
    let bag = simulate(temp.path());
    let calibration = temp.path().join("calibration.yaml");
    fs::write(&calibration, CALIBRATION).unwrap();
    let run = temp.path().join("run");
    let more = ["--calibration", calibration.to_str().unwrap(), "--start", "0.2", "--duration", "6.5"];
    let set = ["model=depth_baseline", "radar_0.offset_ms=7.3", "record=all"];
    let set: Vec<String> = set.iter().flat_map(|set| ["--set".to_owned(), format!("depth.{set}")]).collect();
    let set: Vec<&str> = set.iter().map(String::as_str).collect();
    replay(&bag, &run, &[&more[..], &set].concat());

    let before = Run::of(&[&run], &[]);
    let plain = names(&run);
    let ablated = Run::of(&[&run], &["--ablate"]);
    assert_eq!(ablated.code, 0, "{}", ablated.stderr);
    assert!(ablated.stderr.contains("19 of 19, ghosts_30"), "{}", ablated.stderr);
    let left: Vec<String> = names(&run).into_iter().filter(|name| !plain.contains(name)).collect();
    assert_eq!(left, ["ablation.json"]);
    for section in ["depth", "detection", "runs"] {
        assert_eq!(ablated.report[section], before.report[section], "what else is reported is as it was");
    }
    let ablation = &ablated.report["ablation"];
    let written: Value = serde_json::from_slice(&fs::read(run.join("ablation.json")).unwrap()).unwrap();
    assert_eq!(&written, ablation);
    assert_eq!((&ablation["schema"], &ablation["seed"]), (&1.into(), &0.into()));

    let conditions = ablation["conditions"].as_array().unwrap();
    assert_eq!(conditions.len(), 19);
    let of = |name: &str| conditions.iter().find(|condition| condition["name"] == name).unwrap();
    let abs_rel = |name: &str| of(name)["abs_rel"].as_f64().unwrap();
    for figure in ["frames", "abs_rel", "delta1", "coverage"] {
        assert_eq!(of("none")[figure], ablated.report["depth"][figure], "{figure}: the run itself");
    }
    assert_eq!(ablation["radar_helps"], true, "{ablation}");
    // It tells no match, as it has learned nothing, and its depth is that of the returns, whosever they are.
    let influence = ablation["influence"].as_array().unwrap();
    assert_eq!(influence.len(), 2);
    // From scan to scan the difference shows.
    let persistence = &influence[0];
    assert_eq!(persistence["figure"], "radar_persistence");
    let share = |key: &str| persistence[key].as_f64().unwrap();
    assert!(share("clean") > share("shuffled") + 0.1 && share("auroc") > 0.9, "{persistence}");
    let told = ["figure", "clean", "shuffled", "auroc"].map(|key| influence[1][key].clone());
    assert_eq!(Value::from(told.to_vec()), serde_json::json!(["radar_agreement", 1.0, 1.0, 0.5]));
    // A model that fills in what lies between returns: few make it bad, more so than wrong ones.
    for (better, worse) in
        [("none", "sparser_50"), ("none", "sparser_20"), ("sparser_100", "sparser_20"), ("none", "dropped")]
    {
        assert!(abs_rel(better) < abs_rel(worse), "{better} {worse}: {ablation}");
    }
    for condition in conditions.iter().filter(|condition| condition["name"] != "none") {
        let step = &condition["vs_cleaner"];
        let delta = step["delta"].as_f64().unwrap();
        let expected = abs_rel(condition["name"].as_str().unwrap()) - abs_rel(step["name"].as_str().unwrap());
        assert!((delta - expected).abs() < 1e-9, "{condition}");
        let [low, high] = [0, 1].map(|end| step["ci"][end].as_f64().unwrap());
        assert!(low <= delta && delta <= high);
        assert_eq!(step["better_than_cleaner"], high < 0.0);
    }
    let differ = conditions.iter().filter(|condition| condition["abs_rel"] != of("none")["abs_rel"]).count();
    assert!(
        differ >= 17,
        "every fault does something, but leaving 100 returns where there are fewer: {ablation}"
    );

    assert!(fs::read_to_string(run.join("report.md")).unwrap().contains("| ghosts_30 |"));
    let page = fs::read_to_string(run.join("report.html")).unwrap();
    let document = crate::page::parsed(&page);
    let section = document.descendants().find(|node| node.attribute("id") == Some("ablation")).unwrap();
    let heads = section.descendants().filter(|node| node.has_tag_name("th"));
    assert!(heads.filter_map(|node| node.text()).any(|text| text == "ghosts_30"));

    let mut again = isobath();
    again.args(["evaluate", "--ablate"]).arg(&run).env("RAYON_NUM_THREADS", "1");
    let again = again.assert().success();
    let table = String::from_utf8(again.get_output().stdout.clone()).unwrap();
    assert!(
        table.contains("ghosts_30") && table.contains("Depth is better with radar than without"),
        "{table}"
    );
    let written: Value = serde_json::from_slice(&fs::read(run.join("ablation.json")).unwrap()).unwrap();
    assert_eq!(&written, ablation, "at any number of threads");
}

#[test]
fn what_has_no_radar_or_cannot_be_played_again_is_refused_and_leaves_nothing() {
    let temp = TempDir::new().unwrap();
    let recorded = live(3).write(&temp.path().join("recorded"));
    Run::of(&[&recorded], &["--ablate"]).fails(1, &["expected a folder that `isobath replay` wrote"]);
    assert!(Run::of(&[&recorded], &["--ablate-seed", "1"]).stderr.contains("--ablate"));

    let bag = simulate(temp.path());
    let (blind, boxes, deaf) =
        (temp.path().join("blind"), temp.path().join("boxes"), temp.path().join("deaf"));
    replay(&bag, &blind, &["--set", "depth.radars=0"]);
    replay(&bag, &boxes, &["--remap", "image:=/none"]);
    replay(&bag, &deaf, &["--remap", "radar_0/points:=/none"]);
    for (run, parts) in [
        (&blind, ["--ablate", "depth.radars of at least 1, found 0"]),
        (&boxes, ["--ablate", "expected a run with outputs of depth"]),
        (&deaf, ["--ablate", "expected bags with a topic of a radar that depth takes"]),
    ] {
        let before = names(run);
        Run::of(&[run], &["--ablate"]).fails(1, &parts);
        assert_eq!(names(run), before);
    }

    // Told to stop, it takes its temporary runs with it.
    let run = temp.path().join("run");
    replay(&bag, &run, &[]);
    let before = names(&run);
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("isobath"));
    command.args(["evaluate", "--ablate"]).arg(&run).current_dir(env!("CARGO_MANIFEST_DIR"));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    let is_playing = || {
        let folder = names(&run).into_iter().find(|name| name.starts_with(".ablation-"));
        folder.is_some_and(|folder| !names(&run.join(folder)).is_empty())
    };
    while !is_playing() {
        assert!(started.elapsed() < Duration::from_secs(50));
        std::thread::sleep(Duration::from_millis(2));
    }
    // SAFETY: `kill` only sends a signal; the process is ours and not waited for yet.
    unsafe { libc::kill(child.id().cast_signed(), libc::SIGINT) };
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(names(&run), before);
}
