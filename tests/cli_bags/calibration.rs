//! `--calibration` for bags that lack transforms or camera info, or have them wrong.

use std::fs;
use std::path::PathBuf;

use isobath::bag::{Bag, ReadFilter};
use isobath::message::{CameraInfo, from_cdr};
use tempfile::TempDir;

use crate::recording::{Recording, at};
use crate::run::Run;

const FILE: &str = "transforms:
- {parent: base, child: camera, translation: [0.1, 0, 0.3], rpy_deg: [-90, 0, -90]}
- {parent: base, child: radar, translation: [0.2, 0, 0.3]}
- {parent: base, child: lidar, translation: [0, 0, 0.5], rotation: [0, 0, 0, 1]}
cameras:
  camera: {width: 64, height: 48, fx: 60, fy: 61, cx: 31, cy: 23}
";

fn write(temp: &TempDir, text: &str) -> PathBuf {
    let path = temp.path().join("calibration.yaml");
    fs::write(&path, text).unwrap();
    path
}

/// K of the `depth/camera_info` of a run, with their stamps.
fn published(run: &Run) -> Vec<(isobath::message::Stamp, [f64; 9])> {
    let bag = Bag::open(run.out().join("outputs.mcap")).unwrap();
    let topic = bag.info().topic_index("/depth/camera_info").unwrap();
    let messages = bag.messages(&ReadFilter { topics: Some(vec![topic]), ..ReadFilter::default() }).unwrap();
    let read =
        |data: &[u8]| from_cdr::<CameraInfo<'_>>(data).map(|info| (info.header.stamp, info.k)).unwrap();
    messages.map(|message| read(&message.unwrap().data)).collect()
}

#[test]
fn a_file_gives_what_the_bag_lacks() {
    let temp = TempDir::new().unwrap();
    let recording = Recording::of_frames(3).without("/tf_static").without("/camera_info");
    let bag = recording.write(&temp.path().join("bag"));
    let frame = ["--set", "detection.output_frame=base"];
    let without = Run::of(&bag, &frame);
    assert_eq!(without.counts("depth"), (3, 0, vec!["no_camera_info 3".to_owned()]));
    assert_eq!(without.counts("detection"), (3, 0, vec!["no_transform 3".to_owned()]));
    assert!(without.json["config"]["calibration"].is_null());

    let file = write(&temp, FILE);
    let arguments = ["--calibration", file.to_str().unwrap(), frame[0], frame[1]];
    let run = Run::of(&bag, &arguments);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(!run.stderr.contains("calibration"), "nothing of the bag was replaced: {}", run.stderr);
    for node in ["depth", "detection"] {
        assert_eq!(run.counts(node), (3, 3, vec![]));
        assert_eq!(run.json["nodes"][node]["degraded"], serde_json::json!({}));
    }
    let k = [60.0, 0.0, 31.0, 0.0, 61.0, 23.0, 0.0, 0.0, 1.0];
    assert_eq!(published(&run), [0, 100, 200].map(|ms| (at(ms), k)));
    let used = &run.json["config"]["calibration"];
    assert_eq!(used["cameras"]["camera"]["k"], serde_json::json!(k));
    assert_eq!(used["transforms"][1]["child"], "radar");
    assert_eq!(used["transforms"][1]["rotation"], serde_json::json!([0.0, 0.0, 0.0, 1.0]));

    let again = Run::of(&bag, &[&arguments[..], &["--jobs", "1"]].concat());
    assert_eq!(again.json["outputs_sha256"], run.json["outputs_sha256"]);
    // Also where the section starts later.
    let later = Run::of(&bag, &[&arguments[..], &["--start", "0.15"]].concat());
    assert_eq!(later.counts("depth"), (1, 1, vec![]));
}

#[test]
fn the_file_holds_instead_of_the_bag_and_says_so_once() {
    let temp = TempDir::new().unwrap();
    let bag = Recording::of_frames(3).write(&temp.path().join("bag"));
    let file = write(&temp, FILE);
    let run = Run::of(&bag, &["--calibration", file.to_str().unwrap()]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(run.counts("depth"), (3, 3, vec![]));
    assert!(published(&run).iter().all(|(_, k)| k[0] == 60.0));
    for what in ["camera info of 'camera'", "transform to 'radar'", "transform to 'lidar'"] {
        assert_eq!(run.stderr.matches(what).count(), 1, "{what}: {}", run.stderr);
    }
    // What it does not speak of is the bag's.
    let file = write(&temp, "transforms:\n- {parent: base, child: radar, translation: [1, 0, 0]}\n");
    let run = Run::of(&bag, &["--calibration", file.to_str().unwrap()]);
    assert!(published(&run).iter().all(|(_, k)| k[0] == 50.0));
    assert_eq!(run.json["nodes"]["depth"]["degraded"], serde_json::json!({}));
}

#[test]
fn frames_that_the_file_does_not_name_are_told() {
    let temp = TempDir::new().unwrap();
    let bag = Recording::of_frames(2).without("/camera_info").write(&temp.path().join("bag"));
    let file = write(&temp, &FILE.replace("  camera: {", "  camera_link: {"));
    let run = Run::of(&bag, &["--calibration", file.to_str().unwrap()]);
    assert_eq!(run.counts("depth"), (2, 0, vec!["no_camera_info 2".to_owned()]));
    assert!(
        run.stderr.contains("expected a camera info in frame 'camera', found 'camera_link'"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_wrong_file_is_one_error_with_its_line() {
    let temp = TempDir::new().unwrap();
    let bag = Recording::of_frames(1).write(&temp.path().join("bag"));
    let file = write(&temp, &FILE.replace("[0.2, 0, 0.3]", "[0.2, 0]"));
    Run::of(&bag, &["--calibration", file.to_str().unwrap()]).is_refused(
        1,
        &["calibration.yaml', line 3", "transforms[1].translation: expected 3 numbers", "found 2"],
    );
    Run::of(&bag, &["--calibration", "no/such.yaml"]).is_refused(1, &["no/such.yaml"]);
}
