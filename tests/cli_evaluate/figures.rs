//! What is reported of recordings whose figures are known.

use serde_json::json;
use tempfile::TempDir;

use crate::frames::{Frames, live};
use crate::recording::Recording;
use crate::run::{Run, isobath};

#[test]
fn a_live_recording_is_scored_with_what_is_in_it() {
    let temp = TempDir::new().unwrap();
    let bag = live(6).write(&temp.path().join("bag"));
    let run = Run::of(&[&bag], &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.is_near("/depth/frames", 6.0);
    run.is_near("/depth/coverage", 1.0);
    run.is_near("/depth/abs_rel", 0.1);
    run.is_near("/depth/sq_rel", 0.1);
    run.is_near("/depth/rmse", 1.0);
    run.is_near("/depth/rmse_log", 1.1_f64.ln());
    run.is_near("/depth/log10", 1.1_f64.log10());
    run.is_near("/depth/silog", 1.1_f64.ln() * 0.5_f64.sqrt());
    for delta in ["delta1", "delta2", "delta3"] {
        run.is_near(&format!("/depth/{delta}"), 1.0);
    }
    let [row] = run.report["depth"]["by_range"].as_array().unwrap().as_slice() else { panic!() };
    assert_eq!((&row["min_m"], &row["max_m"], &row["share"]), (&json!(10.0), &json!(15.0), &json!(1.0)));
    let [row] = run.report["depth"]["by_confidence"].as_array().unwrap().as_slice() else { panic!() };
    assert_eq!((&row["min"], &row["max"]), (&json!(0.7), &json!(0.8)));
    run.is_near("/depth/age_ms/p50", 30.0);

    // A car that is found and a pedestrian that is not; no point is on the car at 35 m.
    run.is_near("/detection/frames", 6.0);
    run.is_near("/detection/nuscenes/map", 0.5);
    run.is_near("/detection/nuscenes/map_devkit", 1.0 / 7.0);
    let car = |key: &str| format!("/detection/nuscenes/per_class/car/{key}");
    for (key, expected) in [("ap", 1.0), ("ate", 0.3), ("ase", 0.0), ("aoe", 0.0), ("truth", 6.0)] {
        run.is_near(&car(key), expected);
    }
    run.is_near("/detection/nuscenes/nds3", (5.0 * 0.5 + 1.0 - 0.65 + 0.5 + 0.5) / 8.0);
    run.is_near("/detection/truth_without_points", 6.0);
    run.is_near("/detection/kitti_r40/car/bev", 1.0);
    run.is_near("/detection/kitti_r40/car/3d", 1.0);
    run.is_near("/detection/waymo/car/aph", 1.0);
    assert_eq!(run.report["detection"]["other_classes"], json!({"tram": 6}));
    assert!(run.report["detection"]["nuscenes"]["per_class"]["tram"].is_null());
    assert_eq!(run.report["detection"]["matching"]["matched"], 6);

    let text = isobath().arg("evaluate").arg(&bag).assert().success();
    let text = String::from_utf8(text.get_output().stdout.clone()).unwrap();
    assert!(text.contains("depth: 6 frames scored") && text.contains("pedestrian"), "{text}");
}

#[test]
fn several_runs_are_one_score() {
    let temp = TempDir::new().unwrap();
    let good = live(4).write(&temp.path().join("good"));
    let mut far = Recording::default();
    (0..12).for_each(|i| far.depth_truth(i * 100, 10.0));
    (0..12).for_each(|i| far.depth(i * 100, 15.0));
    let far = far.write(&temp.path().join("far.mcap"));
    let run = Run::of(&[&good, &far], &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.is_near("/depth/frames", 16.0);
    run.is_near("/depth/abs_rel", (4.0 * 0.1 + 12.0 * 0.5) / 16.0);
    run.is_near("/detection/frames", 4.0);
    assert_eq!(run.report["runs"].as_array().unwrap().len(), 2);
    assert_eq!(run.report["depth"]["worst"][0]["run"], 1);
}

#[test]
fn the_truth_may_be_elsewhere_under_another_name() {
    let temp = TempDir::new().unwrap();
    let bag = live(3).without("/truth/depth").without("/truth/detections").write(&temp.path().join("bag"));
    let mut truth = Recording::default();
    truth.add_bytes::<isobath::message::Image<'_>>("/gt", 100, crate::frames::depth(104, "camera", 10.0));
    let truth = truth.write(&temp.path().join("truth.mcap"));
    let arguments = ["--truth", truth.to_str().unwrap(), "--depth-truth", "gt"];
    let run = Run::of(&[&bag], &arguments);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.is_near("/depth/frames", 1.0);
    run.notes(&["depth: 2 of 3 outputs have no truth"]);
    assert!(run.report["detection"].is_null());
    Run::of(&[&bag], &["--depth-truth", "/none"])
        .fails(1, &["'/none' (sensor_msgs/msg/Image)", "/depth/image"]);
}

#[test]
fn velocities_are_those_of_ids() {
    let temp = TempDir::new().unwrap();
    let mut recording = Recording::default();
    for i in 0..8 {
        let x = 5.0 + i as f64;
        recording.box_truth(i * 100, &[("car", x, 1.0, "3")]);
        // 11 m/s instead of 10.
        recording.detections(i * 100, &[("car", x + 0.1 * i as f64, 0.9, "a")]);
    }
    let bag = recording.write(&temp.path().join("bag"));
    Run::of(&[&bag], &[]).is_near("/detection/nuscenes/per_class/car/ave", 1.0);
}

#[test]
fn dropped_and_unknown_frames_are_counted() {
    let temp = TempDir::new().unwrap();
    let mut recording = Recording::default();
    for ms in [0, 100, 200, 300] {
        recording.depth_truth(ms, 10.0);
    }
    for ms in [100, 300, 400] {
        recording.depth(ms, 10.0);
    }
    let run = Run::of(&[&recording.write(&temp.path().join("bag"))], &[]);
    assert_eq!(run.code, 0);
    assert_eq!(
        run.report["depth"]["matching"],
        json!({"truth": 4, "outputs": 3, "matched": 2, "truth_without_output": 2, "outputs_without_truth": 1,
               "truth_time_jumps": 0, "output_time_jumps": 0})
    );
    run.notes(&["nothing was published for 2 of 4"]);
}
