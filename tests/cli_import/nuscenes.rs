//! nuScenes in the layout of v1.0-mini.

use std::f64::consts::FRAC_PI_2;
use std::fs;
use std::path::Path;

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bag::assert_near;
use crate::{floats, imported, isobath, png, refused, write};

/// Microseconds.
const START: i64 = 1_532_402_927_000_000;

fn token(number: u64) -> String {
    format!("{number:032x}")
}

/// A quarter turn to the left, w x y z.
const LEFT: [f64; 4] = [std::f64::consts::FRAC_1_SQRT_2, 0.0, 0.0, std::f64::consts::FRAC_1_SQRT_2];
const NONE: [f64; 4] = [1.0, 0.0, 0.0, 0.0];

/// One scene of two samples half a second apart. The car is at (100, 200), looks north, and drives north.
fn tables() -> Vec<(&'static str, Value)> {
    let sensors = ["LIDAR_TOP", "CAM_FRONT", "RADAR_FRONT", "CAM_BACK"];
    let sensor =
        |(i, channel): (usize, &&str)| json!({"token": token(i as u64), "channel": channel, "modality": ""});
    // x right, y forward, as the data set's LiDAR; an optical frame; x forward.
    let mounts = [
        (0, [0.0, 0.0, 2.0], [LEFT[0], 0.0, 0.0, -LEFT[3]], json!([])),
        (
            1,
            [1.0, 0.0, 2.0],
            [0.5, -0.5, 0.5, -0.5],
            json!([[10.0, 0.0, 4.0], [0.0, 10.0, 3.0], [0.0, 0.0, 1.0]]),
        ),
        (2, [3.0, 0.0, 0.5], NONE, json!([])),
        (3, [0.0, 0.0, 2.0], NONE, json!([[10.0, 0.0, 4.0], [0.0, 10.0, 3.0], [0.0, 0.0, 1.0]])),
    ];
    let mount = |(i, translation, rotation, k): (u64, [f64; 3], [f64; 4], Value)| {
        json!({"token": token(10 + i), "sensor_token": token(i), "translation": translation, "rotation": rotation,
               "camera_intrinsic": k})
    };
    // Sensor, sample, microseconds from the start, whether it is a key frame.
    let readings = [
        (0, 20, 0, true),
        (1, 20, 10_000, true),
        (2, 20, -20_000, true),
        (3, 20, 0, true),
        (0, 20, 250_000, false),
        (1, 20, 250_000, false),
        (0, 21, 500_000, true),
        (1, 21, 510_000, true),
        (2, 21, 480_000, true),
    ];
    let data = |(i, (sensor, sample, us, key)): (usize, (u64, u64, i64, bool))| {
        let ending = ["pcd.bin", "jpg", "pcd", "jpg"][sensor as usize];
        json!({"token": token(100 + i as u64), "sample_token": token(sample), "ego_pose_token": token(200 + i as u64),
               "calibrated_sensor_token": token(10 + sensor), "timestamp": START + us, "is_key_frame": key,
               "fileformat": ending, "filename": format!("samples/{}/{i}.{ending}", sensors[sensor as usize]),
               "prev": "", "next": ""})
    };
    // 10 m/s to the north.
    let pose = |(i, (_, _, us, _)): (usize, (u64, u64, i64, bool))| {
        json!({"token": token(200 + i as u64), "timestamp": START + us, "rotation": LEFT,
               "translation": [100.0, 200.0 + 1e-5 * us as f64, 0.0]})
    };
    let annotation = |number: u64, instance: u64, x: f64, rotation: [f64; 4], points: u64| {
        json!({"token": token(number), "sample_token": token(20), "instance_token": token(instance),
               "visibility_token": "4", "attribute_tokens": [token(50)], "translation": [x, 210.0, 1.0],
               "size": [2.0, 4.5, 1.6], "rotation": rotation, "num_lidar_pts": points, "num_radar_pts": 1})
    };
    vec![
        ("sensor", sensors.iter().enumerate().map(sensor).collect()),
        ("calibrated_sensor", mounts.into_iter().map(mount).collect()),
        ("scene", json!([{"token": token(30), "name": "scene-0061", "nbr_samples": 2}])),
        (
            "sample",
            json!([{"token": token(20), "scene_token": token(30), "timestamp": START},
                          {"token": token(21), "scene_token": token(30), "timestamp": START + 500_000}]),
        ),
        ("sample_data", readings.into_iter().enumerate().map(data).collect()),
        ("ego_pose", readings.into_iter().enumerate().map(pose).collect()),
        (
            "category",
            json!([{"token": token(40), "name": "vehicle.car"},
                            {"token": token(41), "name": "movable_object.barrier"}]),
        ),
        ("attribute", json!([{"token": token(50), "name": "vehicle.moving"}])),
        (
            "instance",
            json!([{"token": token(60), "category_token": token(40)},
                            {"token": token(61), "category_token": token(41)}]),
        ),
        ("sample_annotation", json!([annotation(70, 60, 97.0, LEFT, 7), annotation(71, 61, 103.0, NONE, 9)])),
    ]
}

/// A radar file with these points: x y vx vy, dynamic property, validity, ambiguity.
fn pcd(points: &[([f32; 4], i8, i8, i8)]) -> Vec<u8> {
    let mut file = format!(
        "# .PCD v0.7 - Point Cloud Data file format\nVERSION 0.7\nFIELDS x y z dyn_prop id rcs vx vy \
         invalid_state ambig_state\nSIZE 4 4 4 1 2 4 4 4 1 1\nTYPE F F F I I F F F I I\nCOUNT 1 1 1 1 1 1 1 1 1 1\n\
         WIDTH {n}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {n}\nDATA binary\n",
        n = points.len()
    )
    .into_bytes();
    for ([x, y, vx, vy], motion, invalid, ambiguity) in points {
        file.extend([x.to_le_bytes(), y.to_le_bytes(), 0f32.to_le_bytes()].concat());
        file.push(*motion as u8);
        file.extend([7, 0]);
        file.extend([12.5f32.to_le_bytes(), vx.to_le_bytes(), vy.to_le_bytes()].concat());
        file.extend([*invalid as u8, *ambiguity as u8]);
    }
    file
}

fn write_tables(folder: &Path, tables: &[(&str, Value)]) {
    for (name, rows) in tables {
        let path = folder.join(format!("v1.0-mini/{name}.json"));
        write(&path, serde_json::to_string_pretty(rows).unwrap());
    }
}

fn data_set() -> TempDir {
    let folder = TempDir::new().unwrap();
    write_tables(folder.path(), &tables());
    let samples = folder.path().join("samples");
    for i in [0, 6] {
        // In the LiDAR's frame 10 m ahead and 1 m below, in its laser 5.
        floats(&samples.join(format!("LIDAR_TOP/{i}.pcd.bin")), &[0.0, 10.0, 0.0, 99.0, 5.0]);
    }
    for i in [1, 7] {
        let png_file = samples.join("CAM_FRONT/x.png");
        png(&png_file, 8, 6, [50, 100, 150]);
        image::open(&png_file).unwrap().save(samples.join(format!("CAM_FRONT/{i}.jpg"))).unwrap();
        fs::remove_file(png_file).unwrap();
    }
    for i in [2, 8] {
        let points = [
            ([3.0, 4.0, -5.0, 0.0], 0, 0, 3),
            ([9.0, 0.0, 1.0, 0.0], 7, 0, 3),
            ([9.0, 0.0, 1.0, 0.0], 0, 4, 3),
            ([9.0, 0.0, 1.0, 0.0], 0, 0, 1),
        ];
        write(&samples.join(format!("RADAR_FRONT/{i}.pcd")), pcd(&points));
    }
    folder
}

#[test]
fn key_frames_become_a_bag_with_truth() {
    let folder = data_set();
    let bag = imported("nuscenes", folder.path());
    let at = |us: &[i64]| us.iter().map(|us| (START + us) * 1000).collect::<Vec<_>>();
    assert_eq!(bag.stamps("/lidar/points"), at(&[0, 500_000]));
    assert_eq!(bag.stamps("/image"), at(&[10_000, 510_000]));
    assert_eq!(bag.stamps("/radar_0/points"), at(&[-20_000, 480_000]));
    assert_eq!(bag.stamps("/truth/detections"), bag.stamps("/lidar/points"));
    assert_eq!(bag.stamps("/truth/depth"), bag.stamps("/image"));

    let points = bag.cloud("/lidar/points", 0, ["x", "y", "z", "intensity", "ring"]);
    assert_eq!(points, [[0.0, 10.0, 0.0, 99.0, 5.0]]);
    // 5 m away, and of its 5 m/s towards the car 3/5 are along the line of sight.
    assert_eq!(bag.cloud("/radar_0/points", 0, ["x", "y", "range_rate", "rcs"]), [[3.0, 4.0, -3.0, 12.5]]);
    assert_eq!(bag.info(0).k[0], 10.0);
    assert_eq!((bag.image("/image", 0).width, bag.image("/image", 0).encoding), (8, "rgb8"));
    // The camera is 1 m before the LiDAR, and drove 0.1 m until its image.
    let (_, depth) = bag.depth(0);
    let seen: Vec<_> = (0..).zip(&depth).filter(|(_, m)| !m.is_nan()).collect();
    assert!(matches!(seen.as_slice(), [(28, m)] if (**m - 8.9).abs() < 1e-5), "{seen:?}");

    let boxes = bag.boxes(0);
    let [car] = boxes.as_slice() else { panic!("{boxes:?}") };
    // 3 m west of a car that looks north is to its left: -x of a LiDAR with x to the right.
    assert_eq!((car.class.as_str(), &car.id), ("car", &token(60)));
    assert_near(car.center, [-3.0, 10.0, -1.0]);
    assert_near(car.size, [4.5, 2.0, 1.6]);
    assert_near([car.yaw], [FRAC_PI_2]);
    assert!(bag.boxes(1).is_empty());
    let said = bag.annotations(0);
    assert_eq!(
        (said["scene"].as_str(), said["sample"].as_str()),
        (Some("scene-0061"), Some(token(20).as_str()))
    );
    let object = &said["objects"][0];
    assert_eq!(
        (object["lidar_points"].as_i64(), object["category"].as_str()),
        (Some(7), Some("vehicle.car"))
    );
    assert_eq!(object["attributes"], json!(["vehicle.moving"]));

    // All poses of key frames of the three, and of the LiDAR between them.
    let (parent, t, q) = bag.transform("/tf", "base_link", 3);
    assert_eq!(parent, "odom");
    assert_near(t, [100.0, 202.5, 0.0]);
    assert_near(q, [0.0, 0.0, LEFT[3], LEFT[0]]);
    let (parent, t, _) = bag.transform("/tf", "radar_0", 0);
    assert_eq!(parent, "base_link");
    assert_near(t, [3.0, 0.0, 0.5]);
}

#[test]
fn one_scene_can_be_chosen_and_the_tables_folder_given() {
    let folder = data_set();
    let run = |scene: &str, out: &str| {
        isobath()
            .args(["import", "nuscenes", "--scene", scene])
            .arg(folder.path().join("v1.0-mini"))
            .arg("--out")
            .arg(folder.path().join(out))
            .assert()
    };
    run("scene-0061", "a").success().stdout(contains("left out: movable_object.barrier 1"));
    run("scene-0062", "b").code(1).stderr(contains("scene-0061").and(contains("scene-0062")));
}

#[test]
fn a_version_without_annotations_has_no_truth_boxes() {
    let folder = data_set();
    write(&folder.path().join("v1.0-mini/sample_annotation.json"), "[]");
    let bag = imported("nuscenes", folder.path());
    assert!(!bag.topics().contains(&"/truth/detections"));
}

#[test]
fn damaged_files_are_named_with_their_line() {
    let damage = |file: &str, from: &str, to: &str, expected: &[&str]| {
        let folder = data_set();
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file}");
        write(&path, text.replacen(from, to, 1));
        refused("nuscenes", folder.path(), expected);
    };
    damage("v1.0-mini/ego_pose.json", "100.0", "true", &["ego_pose.json', line", "boolean"]);
    damage("v1.0-mini/ego_pose.json", &token(201), &token(999), &["ego_pose.json", &token(201)]);
    damage("v1.0-mini/sample.json", "scene_token", "token_of_scene", &["sample.json', line", "scene_token"]);
    damage("v1.0-mini/sample_data.json", &token(20), "20", &["sample_data.json', line", "32 hexadecimal"]);
    damage("v1.0-mini/sample_annotation.json", "4.5", "-4.5", &["sample_annotation.json", "edges above 0"]);
    damage("v1.0-mini/sample_annotation.json", &token(60), &token(66), &[&token(66), "instance.json"]);

    let cut = |file: &str, length: usize, expected: &[&str]| {
        let folder = data_set();
        let path = folder.path().join(file);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len().min(length)]).unwrap();
        refused("nuscenes", folder.path(), expected);
    };
    cut("v1.0-mini/sample_data.json", 300, &["sample_data.json', line", "EOF"]);
    cut("samples/LIDAR_TOP/6.pcd.bin", 19, &["LIDAR_TOP/6.pcd.bin", "20 bytes", "found 19"]);
    cut("samples/RADAR_FRONT/8.pcd", 300, &["RADAR_FRONT/8.pcd", "cut off"]);
    cut("samples/RADAR_FRONT/8.pcd", 80, &["RADAR_FRONT/8.pcd', line 3", "header"]);
    cut("samples/CAM_FRONT/7.jpg", 100, &["CAM_FRONT/7.jpg"]);

    let folder = data_set();
    let path = folder.path().join("samples/RADAR_FRONT/2.pcd");
    let text = String::from_utf8_lossy(&pcd(&[])).replace("DATA binary", "DATA ascii");
    fs::write(&path, text).unwrap();
    refused("nuscenes", folder.path(), &["2.pcd', line 11", "expected DATA binary, found 'ascii'"]);
    fs::write(&path, String::from_utf8_lossy(&pcd(&[])).replace("rcs", "snr")).unwrap();
    refused("nuscenes", folder.path(), &["2.pcd", "expected a field 'rcs'"]);
    fs::remove_file(&path).unwrap();
    refused("nuscenes", folder.path(), &["2.pcd"]);
}
