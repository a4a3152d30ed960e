//! What cannot be scored, in part or at all.

use std::fs;
use std::path::Path;

use isobath::message::{Detection3DArray, Image, PointCloud2, TFMessage};
use serde_json::Value;
use tempfile::TempDir;

use crate::frames::{Frames, boxes, depth, live};
use crate::recording::{Recording, cloud, points, transform};
use crate::run::Run;

#[test]
fn without_truth_the_sections_are_absent() {
    let temp = TempDir::new().unwrap();
    let bag = live(2).without("/truth/depth").without("/truth/detections").write(&temp.path().join("bag"));
    let run = Run::of(&[&bag], &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.report.get("depth").is_none() && run.report.get("detection").is_none());
    run.notes(&["no truth", "/truth/depth", "/truth/detections", "--truth"]);
}

#[test]
fn a_bag_without_outputs_is_refused() {
    let temp = TempDir::new().unwrap();
    let bag = Recording::of_frames(1).write(&temp.path().join("bag"));
    Run::of(&[&bag], &[]).fails(1, &["expected topics '/depth/image' or '/detections'", "/lidar/points"]);
}

#[test]
fn truth_of_another_camera_is_refused() {
    let temp = TempDir::new().unwrap();
    let mut recording = live(2).without("/truth/depth");
    for ms in [0, 100] {
        recording.add_bytes::<Image<'_>>("/truth/depth", ms, depth(ms, "rear", 10.0));
    }
    let run = Run::of(&[&recording.write(&temp.path().join("bag"))], &[]);
    run.fails(1, &["frame 'camera', found frame 'rear'"]);
    run.notes(&["found frame 'rear'"]);
    assert!(run.report.get("depth").is_none());
    run.is_near("/detection/frames", 2.0);
}

#[test]
fn detections_come_into_the_frame_of_the_truth_or_are_refused() {
    let temp = TempDir::new().unwrap();
    let shifted = |frame: &str| {
        let mut recording = live(3).without("/detections");
        for i in 0..3 {
            let x = 10.3 + i as f64 + std::f64::consts::FRAC_1_SQRT_2;
            let found = boxes(i * 100, frame, &[("car", x, 0.9, "")]);
            recording.add_bytes::<Detection3DArray<'_>>("/detections", i * 100 + 20, found);
        }
        recording
    };
    let run = Run::of(&[&shifted("base").write(&temp.path().join("known"))], &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.is_near("/detection/nuscenes/per_class/car/ate", 0.3);
    let run = Run::of(&[&shifted("map").write(&temp.path().join("unknown"))], &[]);
    run.fails(1, &["detection truth in frame 'lidar', detections in 'map'"]);
    assert!(run.report.get("detection").is_none());
    run.is_near("/depth/frames", 3.0);
}

#[test]
fn a_topic_of_another_type_names_both() {
    let temp = TempDir::new().unwrap();
    let mut recording = live(1).without("/truth/depth");
    let data = points(&[[1.0; 4]]);
    recording.add::<PointCloud2<'_>>("/truth/depth", 0, &cloud("camera", 0, &data));
    let bag = recording.write(&temp.path().join("bag"));
    Run::of(&[&bag], &[])
        .fails(1, &["'/truth/depth'", "sensor_msgs/msg/Image", "sensor_msgs/msg/PointCloud2"]);
}

#[test]
fn a_clock_that_jumps_back_is_followed() {
    let temp = TempDir::new().unwrap();
    let mut recording = Recording::default();
    for i in 0..8 {
        // The stamps of the second half are those of the first, with other depths.
        let (stamp, log) = (i % 4 * 1000, i * 1000);
        let (truth, found) = if i < 4 { (10.0, 10.0) } else { (20.0, 22.0) };
        recording.add_bytes::<Image<'_>>("/truth/depth", log, depth(stamp, "camera", truth));
        recording.add_bytes::<Image<'_>>("/depth/image", log + 30, depth(stamp, "camera", found));
    }
    let run = Run::of(&[&recording.write(&temp.path().join("bag"))], &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.is_near("/depth/frames", 8.0);
    run.is_near("/depth/abs_rel", 0.05);
    run.notes(&["depth: time runs back 1 times"]);
}

#[test]
fn not_one_detection_is_zero() {
    let temp = TempDir::new().unwrap();
    let mut recording = live(4).without("/detections");
    (0..4).for_each(|i| recording.detections(i * 100, &[]));
    let run = Run::of(&[&recording.write(&temp.path().join("bag"))], &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for key in ["map", "map_devkit", "nds3", "nds_devkit"] {
        run.is_near(&format!("/detection/nuscenes/{key}"), 0.0);
    }
    run.is_near("/detection/kitti_r40/car/3d", 0.0);
    run.notes(&["not one detection"]);
}

/// A folder as `isobath replay` leaves it.
fn run_folder(temp: &TempDir, bag: &Path, outputs: &Recording, more: &str) -> std::path::PathBuf {
    let run = temp.path().join("run");
    fs::create_dir(&run).unwrap();
    outputs.write(&run.join("outputs.mcap"));
    let bag = serde_json::to_string(bag.to_str().unwrap()).unwrap();
    fs::write(run.join("run.json"), format!("{{\"bags\": [{bag}]{more}}}")).unwrap();
    run
}

#[test]
fn a_run_that_dropped_every_frame_has_no_figures() {
    let temp = TempDir::new().unwrap();
    let bag = live(4).write(&temp.path().join("bag"));
    let mut outputs = Recording::default();
    // Both topics, but no frame of this recording.
    outputs.depth(900_000, 3.0);
    outputs.detections(900_000, &[]);
    let nodes = r#", "nodes": {"depth": {"received": 4, "published": 0, "dropped": {"no_camera_info": 4}}}"#;
    let run = Run::of(&[&run_folder(&temp, &bag, &outputs, nodes)], &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.is_near("/depth/frames", 0.0);
    assert_eq!(run.report["depth"]["abs_rel"], Value::Null);
    assert_eq!(run.report["detection"]["nuscenes"]["map"], Value::Null);
    run.notes(&["depth: nothing was scored: 4 truth messages"]);
    run.is_near("/runs/0/replay/nodes/depth/dropped/no_camera_info", 4.0);
}

#[test]
fn a_run_without_any_output_has_no_figures() {
    let temp = TempDir::new().unwrap();
    let bag = live(2).write(&temp.path().join("bag"));
    let run = Run::of(&[&run_folder(&temp, &bag, &Recording::default(), "")], &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.notes(&["the run published nothing"]);
}

#[test]
fn what_is_missing_or_broken_is_exit_code_2() {
    let temp = TempDir::new().unwrap();
    let path = |name: &str| temp.path().join(name);
    Run::of(&[&path("none")], &[]).fails(2, &["none"]);
    let run = run_folder(&temp, &path("moved"), &live(1), "");
    Run::of(&[&run], &[]).fails(2, &["run.json", "moved", "--truth"]);
    fs::write(run.join("run.json"), "{").unwrap();
    Run::of(&[&run], &[]).fails(2, &["run.json"]);
}

#[test]
fn damage_is_told_and_the_rest_scored() {
    let temp = TempDir::new().unwrap();
    let bag = live(6).edit("/depth/image", |i, bytes| {
        if i == 2 {
            bytes.truncate(40);
        }
    });
    let run = Run::of(&[&bag.write(&temp.path().join("bag"))], &[]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(run.stderr.contains("'/depth/image'"), "{}", run.stderr);
    run.is_near("/depth/frames", 5.0);

    let whole = fs::read(live(40).write(&temp.path().join("whole.mcap"))).unwrap();
    let cut = temp.path().join("cut.mcap");
    fs::write(&cut, &whole[..whole.len() * 3 / 4]).unwrap();
    let run = Run::of(&[&cut], &[]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(run.stderr.contains("cut.mcap"), "{}", run.stderr);
}

#[test]
fn a_moving_lidar_is_followed_through_tf() {
    let temp = TempDir::new().unwrap();
    let mut recording = live(3).without("/tf_static");
    for ms in [0, 100, 200, 300] {
        let transforms = vec![transform("base", "lidar", ms)];
        recording.add("/tf", ms, &TFMessage { transforms });
    }
    let mut recording = recording.without("/detections");
    for i in 0..3 {
        let x = 10.0 + i as f64 + std::f64::consts::FRAC_1_SQRT_2;
        let found = boxes(i * 100, "/base", &[("car", x, 0.9, "")]);
        recording.add_bytes::<Detection3DArray<'_>>("/detections", i * 100 + 20, found);
    }
    let run = Run::of(&[&recording.write(&temp.path().join("bag"))], &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.is_near("/detection/nuscenes/per_class/car/ate", 0.0);
}
