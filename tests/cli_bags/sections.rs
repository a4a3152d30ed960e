//! `--start` and `--duration`.

use isobath::message::TFMessage;
use tempfile::TempDir;

use crate::recording::{Recording, camera_info, image, transform};
use crate::run::Run;
use crate::storages::to_sqlite;

/// 14 s with an image every half second; calibration and mounting were sent once, at the start, but for
/// the radar, which moves.
fn long() -> Recording {
    let mut recording = Recording::default();
    let fixed = vec![transform("base", "camera", 0)];
    recording.add("/tf_static", 0, &TFMessage { transforms: fixed });
    recording.add("/camera_info", 1, &camera_info(1));
    for i in 0..28 {
        let ms = i * 500;
        recording.add("/tf", ms, &TFMessage { transforms: vec![transform("base", "radar", ms)] });
        recording.add("/image", ms + 100, &image(ms + 100));
        recording.radar(ms + 110);
    }
    recording
}

#[test]
fn what_was_sent_before_the_section_still_holds() {
    let temp = TempDir::new().unwrap();
    let mcap = long().write(&temp.path().join("bag.mcap"));
    let sqlite = to_sqlite(&mcap, &temp.path().join("sqlite"));
    let mut digests = Vec::new();
    for bag in [&mcap, &sqlite] {
        // The first radar cloud lies between a transform before the section and one in it.
        let run = Run::of(bag, &["--start", "12.05", "--duration", "1.2"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert_eq!(run.counts("depth"), (3, 3, vec![]));
        // Only the last image has no transform behind it any more.
        let degraded = run.json["nodes"]["depth"]["degraded"].to_string();
        assert_eq!(degraded, r#"{"radar_0: no_transform":1}"#, "{}", run.stderr);
        assert!((run.json["bag_s"].as_f64().unwrap() - 1.2).abs() < 1e-6);
        digests.push(run.json["outputs_sha256"].clone());
    }
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn sections_are_counted_from_the_start_of_the_bag() {
    let temp = TempDir::new().unwrap();
    let bag = long().write(&temp.path().join("bag.mcap"));
    for (arguments, images) in [
        (&["--duration", "2"][..], 4),
        (&["--start", "2"], 24),
        (&["--start", "13.6"], 1),
        (&["--start", "13", "--duration", "100"], 2),
    ] {
        let run = Run::of(&bag, arguments);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert_eq!(run.counts("depth").0, images, "{arguments:?}");
    }
}

#[test]
fn a_section_without_images_has_no_frames() {
    let temp = TempDir::new().unwrap();
    let bag = long().write(&temp.path().join("bag.mcap"));
    let run = Run::of(&bag, &["--start", "0.2", "--duration", "0.1"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(run.counts("depth"), (0, 0, vec![]));
}

#[test]
fn a_section_behind_the_bag_or_of_no_length_is_refused() {
    let temp = TempDir::new().unwrap();
    let bag = long().write(&temp.path().join("bag.mcap"));
    Run::of(&bag, &["--start", "20"]).is_refused(1, &["--start", "13.610 s of bag", "found 20"]);
    Run::of(&bag, &["--start", "-1"]).is_refused(1, &["--start"]);
    Run::of(&bag, &["--start", "inf"]).is_refused(1, &["--start", "found inf"]);
    Run::of(&bag, &["--duration", "0"]).is_refused(1, &["--duration", "seconds above 0"]);
    Run::of(&bag, &["--duration", "nan"]).is_refused(1, &["--duration", "found NaN"]);
}
