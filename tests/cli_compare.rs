//! `isobath compare` as its users run it: evaluated recordings, what it says of them and how it exits.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]

#[path = "cli_evaluate/frames.rs"]
#[allow(dead_code, reason = "shared with the tests of evaluate")]
mod frames;
#[allow(dead_code, reason = "shared with the tests of replay")]
#[path = "cli_bags/recording.rs"]
mod recording;
#[allow(dead_code, reason = "shared with the tests of evaluate")]
#[path = "cli_evaluate/run.rs"]
mod run;

use std::fs;
use std::path::{Path, PathBuf};

use frames::Frames;
use recording::Recording;
use run::{Run, isobath};
use serde_json::Value;
use tempfile::TempDir;

/// Frames of 0.1 s; odd, so that the rates below are no multiples of each other.
const COUNT: i64 = 83;

/// What a run does wrong.
#[derive(Clone, Copy)]
struct Faults {
    /// Depth errors are larger by this
    depth: f32,
    /// Detections are missing in every frame whose number this divides
    lost: i64,
    /// From this frame on
    first: i64,
    frames: i64,
    /// Where the pedestrian of the truth is named otherwise
    walker: &'static str,
    /// Name of the bag
    bag: &'static str,
    /// The sweep has points in the pedestrian
    seen: bool,
}

const GOOD: Faults = Faults {
    depth: 1.0,
    lost: 1000,
    first: 0,
    frames: COUNT,
    walker: "pedestrian",
    bag: "street",
    seen: true,
};

/// Records and evaluates a run.
fn evaluated(folder: &Path, faults: Faults) -> PathBuf {
    let mut recording = Recording::default();
    recording.mount();
    for i in 0..COUNT {
        let ms = i * 100;
        recording.depth_truth(ms, 10.0);
        let truth = [("car", 12.0, 1.0, "7"), (faults.walker, 20.0, 1.0, "8")];
        recording.box_truth_seen(ms, &truth, if faults.seen { 30.0 } else { 15.0 });
        if !(faults.first..faults.first + faults.frames).contains(&i) {
            continue;
        }
        // An error that depends on the scene, and a little of the run's own.
        let own = 0.002 * (i as f32 * 1.9 * faults.depth).sin();
        recording.depth(ms, 10.0 * (1.0 + faults.depth * (0.1 + 0.03 * (i as f32 * 0.2).sin()) + own));
        let car = ("car", 12.3, 0.9, "");
        let all = [car, ("pedestrian", 20.2, 0.8, "")];
        recording.detections(ms, if i % faults.lost == 0 && i > 0 { &all[1..] } else { &all });
    }
    fs::create_dir_all(folder).unwrap();
    let bag = recording.write(&folder.join(faults.bag));
    assert_eq!(Run::of(&[&bag], &[]).code, 0);
    bag
}

struct Compared {
    code: i32,
    stderr: String,
    json: Value,
}

impl Compared {
    fn figure(&self, key: &str) -> &Value {
        let figures = self.json["figures"].as_array().unwrap();
        figures.iter().find(|figure| figure["key"] == key).unwrap_or_else(|| panic!("{key}: {}", self.json))
    }

    #[track_caller]
    fn fails(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, code, "{}", self.stderr);
        assert_eq!(self.stderr.lines().count(), 1, "{}", self.stderr);
        for part in parts {
            assert!(self.stderr.contains(part), "expected '{part}' in: {}", self.stderr);
        }
    }
}

fn compare(a: &Path, b: &Path, rules: &[&str]) -> Compared {
    let mut command = isobath();
    command.arg("compare").arg(a).arg(b).arg("--json");
    for rule in rules {
        command.args(["--fail-if", rule]);
    }
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!stderr.contains("panicked"), "{stderr}");
    let json = serde_json::from_slice(&output.stdout).unwrap_or_default();
    Compared { code: output.status.code().unwrap(), stderr, json }
}

#[test]
fn a_worse_run_fails_the_gate_and_the_same_run_does_not() {
    let temp = TempDir::new().unwrap();
    let a = evaluated(&temp.path().join("a"), GOOD);
    let worse = Faults { depth: 1.05, lost: 3, frames: COUNT - 2, ..GOOD };
    let b = evaluated(&temp.path().join("b"), worse);

    let found = compare(&a, &b, &[]);
    assert_eq!(found.code, 4, "{}", found.stderr);
    assert_eq!(found.stderr.lines().count(), 2, "{}", found.stderr);
    let depth = &found.json["depth"];
    assert_eq!((&depth["frames"], &depth["only_a"], &depth["only_b"]), (&81.into(), &2.into(), &0.into()));
    let abs_rel = found.figure("depth.abs_rel");
    assert!((abs_rel["percent"].as_f64().unwrap() - 5.0).abs() < 1.0, "{abs_rel}");
    let ends = &abs_rel["percent_interval"];
    assert!(ends[0].as_f64().unwrap() > 3.0 && ends[1].as_f64().unwrap() < 7.0, "{abs_rel}");
    assert_eq!(abs_rel["verdict"], "worse");
    assert_eq!(found.figure("depth.coverage")["verdict"], "no_difference_seen");
    assert_eq!(found.figure("detection.nuscenes.map")["verdict"], "worse");
    assert_eq!(found.figure("detection.nuscenes.per_class.pedestrian.ap")["difference"], 0.0);
    let lost = found.figure("detection.sure.recall")["difference"].as_f64().unwrap();
    assert!((lost + 26.0 / 162.0).abs() < 1e-9, "{lost}");
    // A third of the cars is lost, all others are found with the same errors.
    let nds3 = found.figure("detection.nuscenes.nds3");
    assert_eq!(nds3["verdict"], "worse", "{nds3}");
    let map = found.figure("detection.nuscenes.map")["difference"].as_f64().unwrap();
    assert!((nds3["difference"].as_f64().unwrap() - 5.0 / 8.0 * map).abs() < 1e-9, "{nds3}");
    assert_eq!(found.figure("detection.nuscenes.ate")["verdict"], "no_difference_seen");
    for key in ["kitti_r40.car.bev", "kitti_r40.car.3d", "waymo.car.ap", "waymo.car.aph"] {
        assert_eq!(found.figure(&format!("detection.{key}"))["verdict"], "worse", "{key}");
    }
    assert_eq!(compare(&a, &b, &[]).json, found.json);

    let back = compare(&b, &a, &[]);
    assert_eq!(back.code, 0, "{}", back.stderr);
    assert_eq!(back.figure("depth.abs_rel")["verdict"], "better");
    let same = compare(&a, &a, &[]);
    assert_eq!((same.code, same.stderr.as_str()), (0, ""));
    // Over all frames, figures are those of the report.
    let report: Value = serde_json::from_slice(&fs::read(a.join("report.json")).unwrap()).unwrap();
    for key in [
        "depth.abs_rel",
        "depth.silog",
        "detection.nuscenes.map",
        "detection.nuscenes.nds3",
        "detection.nuscenes.ate",
        "detection.nuscenes.ase",
        "detection.nuscenes.aoe",
        "detection.nuscenes.per_class.car.ap",
        "detection.kitti_r40.car.bev",
        "detection.kitti_r40.pedestrian.3d",
        "detection.waymo.car.ap",
        "detection.waymo.car.aph",
    ] {
        let figure = same.figure(key);
        let reported = report.pointer(&format!("/{}", key.replace('.', "/"))).unwrap().as_f64().unwrap();
        assert!((figure["a"].as_f64().unwrap() - reported).abs() < 1e-12, "{key}: {figure} {reported}");
        assert_eq!((&figure["difference"], &figure["verdict"]), (&0.0.into(), &"no_difference_seen".into()));
    }

    let text = isobath().arg("compare").arg(&a).arg(&b).assert().code(4);
    let text = String::from_utf8(text.get_output().stdout.clone()).unwrap();
    assert!(text.contains("depth.abs_rel") && text.contains("worse") && text.contains("FAILED"), "{text}");

    for (rules, code) in [
        (&["depth.abs_rel > +2%"][..], 4),
        (&["depth.abs_rel > +10%"], 0),
        (&["depth.abs_rel > +10%", "detection.nuscenes.map < -1%"], 4),
        (&["depth.abs_rel > 0.2"], 0),
        (&["depth.frames < -1%"], 4),
        (&["depth.by_range.0.abs_rel > +0.5"], 0),
    ] {
        assert_eq!(compare(&a, &b, rules).code, code, "{rules:?}");
    }
    compare(&a, &b, &["depth.absrel > +1%"]).fails(1, &["'depth.absrel'", "'depth.abs_rel'"]);
    compare(&a, &b, &["depth.abs_rel > two"]).fails(1, &["'depth.abs_rel > two'", "'two'"]);
}

#[test]
fn copies_of_a_bag_are_known_by_their_truth() {
    let temp = TempDir::new().unwrap();
    let path = |name: &str| temp.path().join(name);
    let clean = evaluated(&path("a"), GOOD);
    let worse = Faults { depth: 1.05, frames: COUNT - 2, bag: "street_fog", seen: false, ..GOOD };
    let foggy = evaluated(&path("b"), worse);
    let found = compare(&clean, &foggy, &[]);
    assert_eq!((found.code, found.json["depth"]["frames"].as_u64()), (4, Some(81)), "{}", found.stderr);
    let boxes = &found.json["detection"];
    assert_eq!((boxes["frames"].as_u64(), boxes["other_truth"].as_u64()), (Some(81), Some(81)));
    let notes = found.json["notes"].to_string();
    for part in ["'street' of A and 'street_fog' of B have the same truth", "other boxes have points"] {
        assert!(notes.contains(part), "expected '{part}' in: {notes}");
    }

    // By name first; who is left over has no partner.
    let both = |first: &Path, second: &Path| {
        assert_eq!(Run::of(&[first, second], &[]).code, 0);
        first.to_owned()
    };
    let both_b = both(&evaluated(&path("c"), worse), &clean);
    let found = compare(&clean, &both_b, &["depth.abs_rel > +2%"]);
    assert_eq!(found.code, 0, "{}", found.stderr);
    assert!(found.json["notes"].to_string().contains("1 of 1 recordings of A and 2 of B"));
    let other_copy = evaluated(&path("d"), Faults { bag: "street_rain", ..worse });
    let copies = both(&other_copy, &foggy);
    compare(&clean, &copies, &[]).fails(1, &["'street' of A", "'street_rain', 'street_fog' of B"]);

    let renamed = evaluated(&path("e"), Faults { walker: "bicycle", bag: "field", ..GOOD });
    compare(&clean, &renamed, &[]).fails(1, &["same bags", "'street' in A", "'field' in B"]);
}

#[test]
fn what_cannot_be_compared_is_told() {
    let temp = TempDir::new().unwrap();
    let path = |name: &str| temp.path().join(name);
    let a = evaluated(&path("a"), Faults { frames: 40, ..GOOD });
    let later = evaluated(&path("later"), Faults { first: 41, frames: 40, ..GOOD });
    compare(&a, &later, &[]).fails(1, &["depth: expected frames that both runs have", "40 of A and 40 of B"]);
    compare(&a, &path("none"), &[]).fails(1, &["report.json", "`isobath evaluate "]);
    let renamed = evaluated(&path("renamed"), Faults { walker: "bicycle", ..GOOD });
    compare(&a, &renamed, &[]).fails(1, &["detection: expected the same truth", "40 of 40 frames"]);
    // Four seconds tell nothing.
    let short = compare(&a, &a, &[]);
    assert_eq!((short.code, short.json["gate"]["undecided"].as_bool()), (1, Some(true)));
    assert!(short.stderr.contains("cannot be decided") && short.stderr.contains("5 s"), "{}", short.stderr);

    let report = fs::read_to_string(a.join("report.json")).unwrap();
    let copy = |name: &str| {
        let folder = path(name);
        fs::create_dir(&folder).unwrap();
        for file in ["report.json", "depth_frames.parquet", "detection_frames.parquet", "detections.parquet"]
        {
            fs::copy(a.join(file), folder.join(file)).unwrap();
        }
        folder
    };
    let other = copy("other");
    fs::write(other.join("report.json"), report.replace("street", "field")).unwrap();
    compare(&a, &other, &[]).fails(2, &["depth_frames.parquet, row 0", "report.json names", "'street'"]);
    fs::write(other.join("report.json"), "{\"runs\": 3}").unwrap();
    compare(&a, &other, &[]).fails(2, &["report.json"]);
    let damaged = copy("damaged");
    fs::remove_file(damaged.join("depth_frames.parquet")).unwrap();
    compare(&a, &damaged, &[]).fails(1, &["depth_frames.parquet", "`isobath evaluate "]);
    fs::copy(a.join("detections.parquet"), damaged.join("depth_frames.parquet")).unwrap();
    compare(&a, &damaged, &[]).fails(2, &["depth_frames.parquet", "'truth_crc32'"]);
    fs::write(damaged.join("depth_frames.parquet"), "PAR1").unwrap();
    compare(&a, &damaged, &[]).fails(2, &["depth_frames.parquet"]);
}
