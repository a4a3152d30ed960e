//! What a message can have wrong: it is counted, told once, and nothing else is lost.

use isobath::message::{CameraInfo, Image, PointCloud2, Stamp, TFMessage, from_cdr};
use tempfile::TempDir;

use crate::recording::{Recording, SIZE, at, camera_info, cloud, encode, image, points, transform};
use crate::run::Run;

const COUNT: u64 = 4;

fn replay(recording: &Recording, more: &[&str]) -> Run {
    let temp = TempDir::new().unwrap();
    Run::of(&recording.write(&temp.path().join("bag")), more)
}

fn frames() -> Recording {
    Recording::of_frames(COUNT as i64)
}

/// Only the camera, with its radar.
fn camera() -> Recording {
    frames().without("/lidar/points")
}

/// Only the LiDAR.
fn lidar() -> Recording {
    frames().without("/image").without("/camera_info").without("/radar_0/points")
}

#[test]
fn a_sound_recording_loses_nothing() {
    let run = replay(&frames(), &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for node in ["depth", "detection"] {
        assert_eq!(run.counts(node), (COUNT, COUNT, vec![]));
        assert_eq!(run.json["nodes"][node]["degraded"], serde_json::json!({}), "{node}");
        assert_eq!(run.json["nodes"][node]["problems"], serde_json::json!({}), "{node}");
    }
}

#[test]
fn a_message_shorter_than_its_header_says() {
    let cut = |i: usize, bytes: &mut Vec<u8>| {
        if i == 1 {
            bytes.truncate(bytes.len() - 100);
        }
    };
    let run = replay(&frames().edit("/image", cut).edit("/lidar/points", cut), &[]);
    run.tells_damage(&["image: sensor_msgs/msg/Image", "lidar/points: sensor_msgs/msg/PointCloud2", "data"]);
    for node in ["depth", "detection"] {
        assert_eq!(run.counts(node), (COUNT, COUNT - 1, vec!["undecodable 1".to_owned()]));
    }
    // No message at all is the shortest.
    let run =
        replay(&lidar().edit("/lidar/points", |i, bytes| bytes.truncate(if i == 0 { 0 } else { 9999 })), &[]);
    run.tells_damage(&["lidar/points"]);
    assert_eq!(run.counts("detection").1, COUNT - 1);
}

#[test]
fn a_radar_that_cannot_be_read_costs_the_radar_alone() {
    let run = replay(&camera().edit("/radar_0/points", |_, bytes| bytes.truncate(60)), &[]);
    run.tells_damage(&["radar_0/points"]);
    assert_eq!(run.counts("depth"), (COUNT, COUNT, vec![]));
    assert!(run.json["nodes"]["depth"]["degraded"].to_string().contains("radar_0"));
}

#[test]
fn a_camera_info_or_transform_that_cannot_be_read() {
    let run = replay(
        &camera().edit("/camera_info", |i, bytes| bytes.truncate(if i == 0 { 50 } else { 9999 })),
        &[],
    );
    run.tells_damage(&["camera_info: sensor_msgs/msg/CameraInfo"]);
    assert_eq!(run.counts("depth").0, COUNT);
    assert!(run.counts("depth").1 >= COUNT - 1);

    let run = replay(&camera().edit("/tf_static", |_, bytes| bytes.truncate(50)), &[]);
    run.tells_damage(&["tf: tf2_msgs/msg/TFMessage"]);
    assert_eq!(run.counts("depth"), (COUNT, COUNT, vec![]));
}

#[test]
fn a_step_that_is_too_small() {
    let short = |i: usize, bytes: &mut Vec<u8>| {
        if i == 2 {
            *bytes = encode(&Image { step: 10, ..image(200) });
        }
    };
    let run = replay(&camera().edit("/image", short), &[]);
    run.tells_damage(&["image step: expected at least 192 bytes a row, found 10"]);
    assert_eq!(run.counts("depth"), (COUNT, COUNT - 1, vec!["undecodable 1".to_owned()]));
}

#[test]
fn an_encoding_that_is_not_read() {
    let run = replay(
        &camera().edit("/image", |_, bytes| {
            *bytes = {
                let stamp = from_cdr::<Image<'_>>(bytes).unwrap().header.stamp;
                let mut other = Image { encoding: "yuv1234", ..image(0) };
                other.header.stamp = stamp;
                encode(&other)
            }
        }),
        &[],
    );
    run.tells_damage(&["rgb8", "yuv1234", "×4"]);
    assert_eq!(run.counts("depth"), (COUNT, 0, vec!["undecodable 4".to_owned()]));
}

#[test]
fn a_cloud_whose_size_overflows() {
    let data = points(&[[5.0, 0.0, 0.0, 1.0]]);
    let huge = |i: usize, bytes: &mut Vec<u8>| {
        let sound = cloud("lidar", 20 + 100 * i as i64, &data);
        *bytes = encode(&match i {
            0 => PointCloud2 { width: u32::MAX, height: u32::MAX, row_step: u32::MAX, ..sound },
            1 => PointCloud2 { width: u32::MAX, height: 2, ..sound },
            2 => PointCloud2 { point_step: u32::MAX, width: u32::MAX, ..sound },
            _ => sound,
        });
    };
    let run = replay(&lidar().edit("/lidar/points", huge), &[]);
    run.tells_damage(&["point cloud", "expected at least", "×3"]);
    assert_eq!(run.counts("detection"), (COUNT, 1, vec!["undecodable 3".to_owned()]));
}

#[test]
fn points_that_are_no_numbers_are_left_out() {
    let values =
        [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, f32::MIN_POSITIVE, 0.0, 1e30];
    let mut all = Vec::new();
    for x in values {
        all.extend(values.iter().flat_map(|&y| values.iter().map(move |&z| [x, y, z, f32::NAN])));
    }
    let data = points(&all);
    let run = replay(
        &frames()
            .edit("/lidar/points", |i, bytes| *bytes = encode(&cloud("lidar", 20 + 100 * i as i64, &data)))
            .edit("/radar_0/points", |i, bytes| *bytes = encode(&cloud("radar", 10 + 100 * i as i64, &data))),
        &[],
    );
    assert_eq!(run.code, 0, "{}", run.stderr);
    for node in ["depth", "detection"] {
        assert_eq!(run.counts(node), (COUNT, COUNT, vec![]));
    }
}

#[test]
fn stamps_that_are_not_set() {
    let unstamped = |i: usize, bytes: &mut Vec<u8>| {
        if i == 1 {
            // The stamp follows the encapsulation.
            bytes[4..12].fill(0);
        }
    };
    let run = replay(&frames().edit("/image", unstamped).edit("/lidar/points", unstamped), &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for node in ["depth", "detection"] {
        assert_eq!(run.counts(node), (COUNT, COUNT - 1, vec!["zero_stamp 1".to_owned()]));
    }
    assert!(run.stderr.contains("header.stamp"), "{}", run.stderr);
    let run = replay(&camera().edit("/radar_0/points", |_, bytes| bytes[4..12].fill(0)), &[]);
    assert_eq!(run.counts("depth"), (COUNT, COUNT, vec![]));
    assert!(run.json["nodes"]["depth"]["degraded"]["radar_0: absent"] == COUNT, "{}", run.json);
}

#[test]
fn stamps_at_the_ends_of_time() {
    let far = |i: usize, bytes: &mut Vec<u8>| {
        let (sec, nanosec) = [(i32::MAX, u32::MAX), (i32::MIN, 0), (0, 1), (1, 0)][i];
        bytes[4..8].copy_from_slice(&sec.to_le_bytes());
        bytes[8..12].copy_from_slice(&nanosec.to_le_bytes());
    };
    let run =
        replay(&frames().edit("/image", far).edit("/lidar/points", far).edit("/radar_0/points", far), &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(run.counts("depth").0, COUNT);
    assert_eq!(run.counts("detection").0, COUNT);
}

#[test]
fn a_camera_info_of_another_size() {
    let other = |i: usize, bytes: &mut Vec<u8>| {
        if i == 2 {
            *bytes = encode(&CameraInfo { width: SIZE.0 * 2, ..camera_info(200) });
        }
    };
    let run = replay(&camera().edit("/camera_info", other), &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(run.counts("depth"), (COUNT, COUNT - 1, vec!["camera_info_mismatch 1".to_owned()]));
    assert!(run.stderr.contains("expected a camera info for a 64×48 image, found one for 128×48"));
}

#[test]
fn a_camera_info_that_is_missing_or_uncalibrated() {
    let run = replay(&camera().without("/camera_info"), &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(run.counts("depth"), (COUNT, 0, vec![format!("no_camera_info {COUNT}")]));
    let zeros = |i: usize, bytes: &mut Vec<u8>| {
        *bytes = encode(&CameraInfo { k: [0.0; 9], ..camera_info(i as i64 * 100) });
    };
    let run = replay(&camera().edit("/camera_info", zeros), &[]);
    run.tells_damage(&[
        "camera_info: camera k: expected nine finite numbers with the focal lengths k[0], k[4] > 0, found",
    ]);
}

#[test]
fn transforms_that_are_missing() {
    let run = replay(&frames().without("/tf_static"), &["--set", "detection.output_frame=base"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(run.counts("depth"), (COUNT, COUNT, vec![]));
    assert_eq!(run.json["nodes"]["depth"]["degraded"]["radar_0: no_transform"], COUNT);
    assert_eq!(run.counts("detection"), (COUNT, 0, vec![format!("no_transform {COUNT}")]));
    for frame in ["camera", "lidar"] {
        assert!(run.stderr.contains(frame), "{}", run.stderr);
    }
    let with = replay(&frames(), &["--set", "detection.output_frame=base"]);
    assert_eq!(with.counts("detection"), (COUNT, COUNT, vec![]));
}

#[test]
fn transforms_that_make_no_pose() {
    let mut recording = camera().without("/tf_static");
    let mut broken = transform("base", "radar", 0);
    broken.transform.rotation.w = f64::NAN;
    let mut own = transform("camera", "camera", 0);
    own.child_frame_id = "camera";
    let transforms = vec![broken, own, transform("base", "camera", 0)];
    recording.add("/tf_static", 0, &TFMessage { transforms });
    let run = replay(&recording, &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(run.json["nodes"]["depth"]["degraded"]["radar_0: no_transform"], COUNT);
    assert!(run.stderr.contains("base → radar"), "{}", run.stderr);
}

#[test]
fn time_that_jumps_back_in_a_recording() {
    // A recording of a bag that was played in a loop: the log goes on, the stamps start anew.
    let mut recording = frames();
    for i in 0..COUNT as i64 {
        let log_ms = 5000 + i * 100;
        recording.add("/camera_info", log_ms, &camera_info(i * 100 - 3000));
        recording.add("/image", log_ms, &image(i * 100 - 3000));
        let data = points(&[[5.0, 0.0, 0.0, 0.1]]);
        recording.add("/radar_0/points", log_ms + 10, &cloud("radar", i * 100 - 2990, &data));
        recording.add("/lidar/points", log_ms + 20, &cloud("lidar", i * 100 - 2980, &data));
    }
    let temp = TempDir::new().unwrap();
    let bag = recording.write(&temp.path().join("bag"));
    let runs = [Run::of(&bag, &["--jobs", "1"]), Run::of(&bag, &["--jobs", "2"])];
    for run in &runs {
        assert_eq!(run.code, 0, "{}", run.stderr);
        for node in ["depth", "detection"] {
            let (received, published, dropped) = run.counts(node);
            assert_eq!(received, 2 * COUNT);
            assert!(published >= received - 1, "{node}: {dropped:?}");
            assert!(dropped.iter().all(|reason| reason.starts_with("time_jump")), "{node}: {dropped:?}");
        }
    }
    assert_eq!(runs[0].json["outputs_sha256"], runs[1].json["outputs_sha256"]);
}

#[test]
fn stamps_that_repeat_are_counted() {
    let same = |_: usize, bytes: &mut Vec<u8>| {
        let (sec, nanosec) = at(0).to_parts();
        bytes[4..8].copy_from_slice(&sec.to_le_bytes());
        bytes[8..12].copy_from_slice(&nanosec.to_le_bytes());
    };
    assert_eq!(at(0), Stamp(1_700_000_000_000_000_000));
    let run = replay(&frames().edit("/image", same).edit("/lidar/points", same), &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for node in ["depth", "detection"] {
        assert_eq!(run.counts(node), (COUNT, 1, vec![format!("out_of_order {}", COUNT - 1)]));
    }
}

#[test]
fn frames_with_names_of_any_kind() {
    // As long as a header can make it, and with characters that a terminal would obey.
    let strange = format!("{}\u{1b}[31m\n", "x".repeat(5000));
    let data = points(&[[5.0, 0.0, 0.0, 1.0]]);
    let run = replay(
        &lidar()
            .edit("/lidar/points", |i, bytes| *bytes = encode(&cloud(&strange, 20 + 100 * i as i64, &data))),
        &["--set", "detection.output_frame=base"],
    );
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(run.counts("detection"), (COUNT, 0, vec![format!("no_transform {COUNT}")]));
}
