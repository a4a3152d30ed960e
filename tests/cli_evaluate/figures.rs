//! What is reported of recordings whose figures are known.

use std::collections::BTreeMap;
use std::fs::{self, File};

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::json;
use tempfile::TempDir;

use crate::frames::{Frames, live};
use crate::recording::{Recording, at};
use crate::run::{Run, isobath};

/// A row's values by name.
fn columns(row: &Row) -> BTreeMap<&str, &Field> {
    row.get_column_iter().map(|(name, field)| (name.as_str(), field)).collect()
}

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
fn every_frame_and_detection_is_in_a_table() {
    let temp = TempDir::new().unwrap();
    let bag = live(6).write(&temp.path().join("bag"));
    assert_eq!(Run::of(&[&bag], &[]).code, 0);
    let rows = |name: &str| -> Vec<Row> {
        let reader = SerializedFileReader::new(File::open(bag.join(name)).unwrap()).unwrap();
        reader.get_row_iter(None).unwrap().map(Result::unwrap).collect()
    };
    let depth = rows("depth_frames.parquet");
    assert_eq!(depth.len(), 6);
    for (i, row) in (0..).zip(&depth) {
        let figures = columns(row);
        assert_eq!((figures["run"], figures["stamp_ns"]), (&Field::Long(0), &Field::Long(at(100 * i).0)));
        assert!(matches!(figures["abs_rel"], Field::Double(value) if (value - 0.1).abs() < 1e-6), "{row}");
    }
    let detections = rows("detections.parquet");
    assert_eq!(detections.len(), 12);
    for row in &detections {
        let row = columns(row);
        let (Field::Str(class), Field::Bool(found), Field::Double(ate)) =
            (row["class"], row["found_1m"], row["ate"])
        else {
            panic!("{row:?}")
        };
        // The car is 4 m long and 0.3 m off: 3.7 of 4.3 m are common.
        let Field::Double(accuracy) = row["heading_accuracy"] else { panic!("{row:?}") };
        assert_eq!((row["found_bev"], row["found_3d"]), (&Field::Bool(*found), &Field::Bool(*found)));
        match class.as_str() {
            "car" => assert!(*found && (ate - 0.3).abs() < 1e-6 && (accuracy - 1.0).abs() < 1e-6),
            _ => assert!(!*found && ate.is_nan() && accuracy.is_nan()),
        }
    }
    // A car and a pedestrian in the truth, a car and a tram detected.
    let sweeps = rows("detection_frames.parquet");
    assert_eq!(sweeps.len(), 18);
    for row in depth.iter().chain(&detections).chain(&sweeps) {
        assert_eq!(columns(row)["bag"], &Field::Str("bag".to_owned()));
    }
    let text = fs::read_to_string(bag.join("report.md")).unwrap();
    assert!(
        text.contains("| all pixels | 1.0000 | 1.0000 | 0.1000 |") && text.contains("| car | 6 |"),
        "{text}"
    );

    // What is not scored any more leaves no table behind.
    let without = live(6).without("/truth/depth").write(&temp.path().join("without"));
    fs::copy(bag.join("depth_frames.parquet"), without.join("depth_frames.parquet")).unwrap();
    assert_eq!(Run::of(&[&without], &[]).code, 0);
    assert!(!without.join("depth_frames.parquet").exists() && without.join("detections.parquet").exists());
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
fn truth_that_is_rarer_than_sweeps_finds_its_own() {
    let temp = TempDir::new().unwrap();
    let mut recording = Recording::default();
    for i in 0..60 {
        let ms = i * 50;
        let x = 10.0 + i as f64 * 0.05;
        if i % 20 == 0 {
            recording.box_truth(ms, &[("car", x, 1.0, "1"), ("car", 35.0, 1.0, "2")]);
        } else {
            recording.lidar(ms);
        }
        recording.detections(ms, &[("car", x, 0.9, "")]);
    }
    let run = Run::of(&[&recording.write(&temp.path().join("bag"))], &[]);
    run.is_near("/detection/frames", 3.0);
    run.is_near("/detection/frames_without_sweep", 0.0);
    run.is_near("/detection/truth_without_points", 3.0);
    run.is_near("/detection/nuscenes/map", 1.0);
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
