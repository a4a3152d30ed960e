//! `isobath corrupt` through the binary, on a recording of real sensors.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use isobath::bag::{Bag, BagMessage, BagWriter, ReadFilter};
use isobath::message::{Image, Message, PointCloud2, Stamp, TFMessage, from_cdr, to_cdr};
use isobath::sensor::PointCloudView;
use tempfile::TempDir;

const VLP16: &str = "/lidar_vlp16/points";
const QT64: &str = "/lidar_qt64/points";
const ARS548: &str = "/radar_ars548/points";
const IMAGE: &str = "/camera/image_raw";
const COMPRESSED: &str = "/camera/image_raw/compressed";

/// Every kind with the topics of the recording that it changes. The QT64 sees nothing farther than 12 m and
/// tells no intensity: there is nothing in it that fog or water could weaken.
const KINDS: [(&str, &[&str]); 26] = [
    ("fog", &[VLP16]),
    ("snow", &[VLP16, QT64]),
    ("rain", &[VLP16, QT64]),
    ("missing-beams", &[VLP16, QT64]),
    ("crosstalk", &[VLP16, QT64]),
    ("incomplete-echo", &[VLP16]),
    ("motion-blur", &[VLP16, QT64]),
    ("jitter", &[VLP16, QT64]),
    ("density-drop", &[VLP16, QT64]),
    ("cut-out", &[VLP16, QT64]),
    ("limited-fov", &[VLP16, QT64]),
    ("lidar-time-shift", &[VLP16, QT64]),
    ("lidar-misalignment", &["/tf_static"]),
    ("low-light", &[IMAGE, COMPRESSED]),
    ("over-exposure", &[IMAGE, COMPRESSED]),
    ("blur", &[IMAGE, COMPRESSED]),
    ("camera-noise", &[IMAGE, COMPRESSED]),
    ("lens-dirt", &[IMAGE, COMPRESSED]),
    ("occlusion", &[IMAGE, COMPRESSED]),
    ("frame-loss", &[IMAGE, COMPRESSED]),
    ("radar-dropout", &[ARS548]),
    ("ghosts", &[ARS548]),
    ("azimuth-bias", &[ARS548]),
    ("doppler-sign", &[ARS548]),
    ("radar-time-shift", &[ARS548]),
    ("interference", &[ARS548]),
];

fn real() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/real_sensors")
}

/// A finished run.
struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

fn run(arguments: &[&str]) -> Run {
    let output = Command::cargo_bin("isobath").unwrap().arg("corrupt").args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let run =
        Run { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) };
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    run
}

fn corrupt(bag: &Path, out: &Path, kinds: &[&str], severity: &str, more: &[&str]) -> Run {
    let mut arguments = vec![bag.to_str().unwrap(), "--out", out.to_str().unwrap(), "--severity", severity];
    for kind in kinds {
        arguments.extend(["--kind", kind]);
    }
    arguments.extend(more);
    run(&arguments)
}

/// The recording of real sensors, corrupted.
fn corrupted(folder: &TempDir, name: &str, kinds: &[&str], severity: &str, more: &[&str]) -> PathBuf {
    let out = folder.path().join(name);
    let run = corrupt(&real(), &out, kinds, severity, more);
    assert_eq!(run.code, 0, "{kinds:?}: {}", run.stderr);
    out
}

fn messages(bag: &Path) -> BTreeMap<String, Vec<BagMessage>> {
    let bag = Bag::open(bag).unwrap();
    let mut topics: BTreeMap<String, Vec<BagMessage>> = BTreeMap::new();
    for message in bag.messages(&ReadFilter::default()).unwrap() {
        let message = message.unwrap();
        topics.entry(bag.info().topics[message.topic].name.clone()).or_default().push(message);
    }
    topics
}

#[test]
fn every_kind_changes_its_sensor_and_nothing_else() {
    let temp = TempDir::new().unwrap();
    let before = messages(&real());
    for (kind, changed) in KINDS {
        // At 5, also what affects a share of few messages affects some.
        let more: &[&str] = if kind == "incomplete-echo" { &["--topic", VLP16] } else { &[] };
        let after = messages(&corrupted(&temp, kind, &[kind], "5", more));
        for (topic, old) in &before {
            let new = after.get(topic).cloned().unwrap_or_default();
            assert_eq!(new != *old, changed.contains(&topic.as_str()), "{kind} {topic}");
            let times = |messages: &[BagMessage]| messages.iter().map(|m| m.log_time).collect::<Vec<_>>();
            if kind != "frame-loss" {
                assert_eq!(times(&new), times(old), "{kind}");
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let temp = TempDir::new().unwrap();
    let kinds = ["fog", "jitter", "camera-noise", "ghosts"];
    let file = |name: &str, seed: &str| {
        let folder = corrupted(&temp, name, &kinds, "3", &["--seed", seed]);
        std::fs::read(folder.join(format!("{name}_0.mcap"))).unwrap()
    };
    let first = file("a", "1");
    assert_eq!(first, file("b", "1"));
    assert_ne!(first, file("c", "2"));
}

#[test]
fn other_kinds_and_topics_do_not_change_what_is_drawn() {
    let temp = TempDir::new().unwrap();
    let alone = messages(&corrupted(&temp, "alone", &["jitter"], "3", &["--topic", VLP16]));
    let all = messages(&corrupted(&temp, "all", &["low-light", "jitter"], "3", &[]));
    assert_eq!(alone[VLP16], all[VLP16]);
    assert_eq!(alone[QT64], messages(&real())[QT64], "only the topic that was named");
}

#[test]
fn the_new_bag_says_what_was_done_and_is_otherwise_alike() {
    let temp = TempDir::new().unwrap();
    let once = corrupted(&temp, "once", &["fog", "blur"], "2", &["--seed", "9"]);
    let (old, new) = (Bag::open(real()).unwrap(), Bag::open(&once).unwrap());
    assert_eq!(old.info().topics, new.info().topics);
    let said = &new.custom_data()["isobath.corruption"];
    assert!(said.starts_with("fog blur of severity 2 with seed 9 on ") && said.contains(VLP16), "{said}");
    let twice = temp.path().join("twice");
    assert_eq!(corrupt(&once, &twice, &["ghosts"], "1", &[]).code, 0);
    let both = Bag::open(&twice).unwrap().custom_data()["isobath.corruption"].clone();
    assert!(both.starts_with(said.as_str()) && both.contains("; ghosts of severity 1"), "{both}");
    let file = std::fs::read(twice.join("twice_0.mcap")).unwrap();
    let summary = mcap::Summary::read(&file).unwrap().unwrap();
    assert_eq!(summary.metadata_indexes.len(), 1);
    assert_eq!(summary.metadata_indexes[0].name, "custom_data");
}

#[test]
fn a_wrong_calibration_is_in_the_transforms() {
    let temp = TempDir::new().unwrap();
    let before = messages(&real());
    let after = messages(&corrupted(&temp, "out", &["lidar-misalignment"], "3", &[]));
    assert_eq!(before[VLP16], after[VLP16]);
    let moved = |messages: &[BagMessage]| {
        let tf: TFMessage<'_> = from_cdr(&messages[0].data).unwrap();
        let of = |t: &isobath::message::TransformStamped<'_>| (t.child_frame_id.to_owned(), t.transform);
        tf.transforms.iter().map(of).collect::<BTreeMap<_, _>>()
    };
    let (old, new) = (moved(&before["/tf_static"]), moved(&after["/tf_static"]));
    let differing: Vec<&str> =
        old.keys().filter(|frame| old[*frame] != new[*frame]).map(String::as_str).collect();
    let frame = |topic: &str| {
        let cloud: PointCloud2<'_> = from_cdr(&before[topic][0].data).unwrap();
        cloud.header.frame_id.to_owned()
    };
    let mut lidars = vec![frame(VLP16), frame(QT64)];
    lidars.sort();
    assert_eq!(differing, lidars);
}

#[test]
fn points_move_where_no_transform_can_be_wrong() {
    let temp = TempDir::new().unwrap();
    let bag = temp.path().join("bag");
    rewrite(&bag, |topic, _| topic != "/tf_static");
    let out = temp.path().join("out");
    assert_eq!(corrupt(&bag, &out, &["lidar-misalignment"], "3", &[]).code, 0);
    assert_ne!(messages(&bag)[VLP16], messages(&out)[VLP16]);
}

/// The recording of real sensors at `path`, with messages edited or left out.
fn rewrite(path: &Path, mut keep: impl FnMut(&str, &mut Vec<u8>) -> bool) {
    let bag = Bag::open(real()).unwrap();
    let mut writer = BagWriter::create(path).unwrap();
    for message in bag.messages(&ReadFilter::default()).unwrap() {
        let mut message = message.unwrap();
        let topic = &bag.info().topics[message.topic];
        if keep(&topic.name, &mut message.data) {
            let id = writer.add_topic(&topic.name, &topic.type_name, None, "", &topic.offered_qos).unwrap();
            writer.write(id, message.log_time, &message.data).unwrap();
        }
    }
    writer.finish().unwrap();
}

#[test]
fn late_sensors_are_late_by_their_stamps() {
    let temp = TempDir::new().unwrap();
    let after = messages(&corrupted(&temp, "out", &["lidar-time-shift"], "4", &[]));
    let stamp = |message: &BagMessage| from_cdr::<PointCloud2<'_>>(&message.data).unwrap().header.stamp;
    for (old, new) in messages(&real())[VLP16].iter().zip(&after[VLP16]) {
        assert_eq!(stamp(new), Stamp(stamp(old).0 + 100_000_000));
        assert_eq!((old.log_time, &old.data[12..]), (new.log_time, &new.data[12..]));
    }
}

#[test]
fn fog_leaves_weaker_points_within_its_sight() {
    let temp = TempDir::new().unwrap();
    let sweep = |messages: &BTreeMap<String, Vec<BagMessage>>| {
        let cloud: PointCloud2<'_> = from_cdr(&messages[VLP16][0].data).unwrap();
        let view = PointCloudView::new(&cloud).unwrap();
        let range = |[x, y, z]: [f32; 3]| (x * x + y * y + z * z).sqrt();
        let ranges = view.points().map(range).filter(|range| *range > 0.0).collect::<Vec<f32>>();
        (ranges.len(), ranges.into_iter().fold(0.0, f32::max))
    };
    let clear = sweep(&messages(&real()));
    let mut last = clear;
    for severity in ["1", "3", "5"] {
        let foggy = sweep(&messages(&corrupted(&temp, severity, &["fog"], severity, &[])));
        assert!(foggy.0 <= last.0 && foggy.1 <= last.1, "{severity}: {foggy:?} {last:?}");
        last = foggy;
    }
    assert!(last.0 > 0 && last.1 < clear.1.min(30.0), "{last:?} of {clear:?}");
}

#[test]
fn kinds_are_listed_and_slips_are_told() {
    let list = run(&["--kind", "help"]);
    assert_eq!((list.code, list.stdout.lines().count()), (0, KINDS.len()));
    for ((kind, _), line) in KINDS.iter().zip(list.stdout.lines()) {
        assert!(line.starts_with(kind), "{line}");
    }
    let temp = TempDir::new().unwrap();
    let wrong = corrupt(&real(), &temp.path().join("out"), &["radar-ghosts"], "3", &[]);
    assert_eq!(wrong.code, 1);
    let mut lines = wrong.stderr.lines();
    let first = lines.next().unwrap();
    assert!(first.ends_with("found 'radar-ghosts'; did you mean radar-dropout?"), "{first}");
    assert_eq!(lines.count(), KINDS.len());
}

/// Bag, out, kinds, severity, further arguments, exit code, what the error says.
type Case<'a> = (&'a Path, &'a Path, &'a [&'a str], &'a str, &'a [&'a str], i32, &'a [&'a str]);

#[test]
fn what_cannot_be_is_refused_in_one_sentence() {
    let temp = TempDir::new().unwrap();
    let full = temp.path().join("full");
    std::fs::create_dir(&full).unwrap();
    std::fs::write(full.join("mine.txt"), "mine").unwrap();
    let no_camera = temp.path().join("no_camera");
    rewrite(&no_camera, |topic, _| !topic.starts_with("/camera"));
    let (real, out) = (real(), temp.path().join("out"));
    let none = temp.path().join("none");
    let file = temp.path().join("out.mcap");
    let cases: [Case<'_>; 12] = [
        (&real, &out, &["fog"], "0", &[], 1, &["--severity", "from 1 to 5", "'0'"]),
        (&real, &out, &["fog"], "6", &[], 1, &["--severity", "from 1 to 5", "'6'"]),
        (&real, &out, &["fog"], "heavy", &[], 1, &["--severity", "'heavy'"]),
        (&real, &out, &[], "3", &[], 1, &["--kind", "at least one"]),
        (&real, &out, &["fog", "fog"], "3", &[], 1, &["fog twice"]),
        (&real, &full, &["fog"], "3", &[], 1, &["not empty", "--out"]),
        (&real, &file, &["fog"], "3", &[], 1, &["--out", "folder"]),
        (&none, &out, &["fog"], "3", &[], 2, &["no such file or folder"]),
        (&no_camera, &out, &["blur"], "3", &[], 1, &["--kind blur", "a camera's", "a LiDAR", "a radar"]),
        (&real, &out, &["fog"], "3", &["--topic", "/nothing"], 1, &["--topic", "'/nothing'", VLP16]),
        (&real, &out, &["incomplete-echo"], "3", &[], 1, &["an intensity", "fields x y z", QT64]),
        (&real, &out, &["blur"], "3", &["--topic", "/camera/depth/image_rect_raw"], 1, &["blur", "depth"]),
    ];
    for (bag, target, kinds, severity, more, code, parts) in cases {
        let run = corrupt(bag, target, kinds, severity, more);
        assert_eq!(run.code, code, "{}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
        for part in parts {
            assert!(run.stderr.contains(part), "expected '{part}' in: {}", run.stderr);
        }
        assert!(!out.exists(), "a refused command leaves nothing");
    }
    assert_eq!(std::fs::read_dir(&full).unwrap().count(), 1);
}

#[test]
fn a_name_overrules_what_a_cloud_was_taken_for_and_never_touches_truth() {
    let temp = TempDir::new().unwrap();
    let out = temp.path().join("lidar");
    let run = corrupt(&real(), &out, &["jitter"], "3", &["--topic", ARS548]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_ne!(messages(&out)[ARS548], messages(&real())[ARS548]);

    let bag = temp.path().join("truth");
    let mut writer = BagWriter::create(&bag).unwrap();
    let pixels = [90; 8 * 6 * 3];
    let image = Image { width: 8, height: 6, encoding: "rgb8", step: 24, data: &pixels, ..Image::default() };
    let mut bytes = Vec::new();
    to_cdr(&image, &mut bytes);
    for topic in ["/truth/image", "/image"] {
        let id = writer.add_topic(topic, Image::TYPE_NAME, None, "", &[]).unwrap();
        writer.write(id, Stamp(1), &bytes).unwrap();
    }
    writer.finish().unwrap();
    let out = temp.path().join("out");
    assert_eq!(corrupt(&bag, &out, &["over-exposure"], "1", &[]).code, 0);
    let after = messages(&out);
    assert_eq!(after["/truth/image"][0].data, bytes);
    assert_ne!(after["/image"][0].data, bytes);
    let run = corrupt(&bag, &temp.path().join("none"), &["blur"], "1", &["--topic", "/truth/image"]);
    assert!(run.code == 1 && run.stderr.contains("truth"), "{}", run.stderr);
}

#[test]
fn a_message_that_cannot_be_read_stays_and_is_told() {
    let temp = TempDir::new().unwrap();
    let bag = temp.path().join("bag");
    let mut images = 0;
    rewrite(&bag, |topic, bytes| {
        if topic == IMAGE {
            images += 1;
            if images == 2 {
                bytes.truncate(bytes.len() - 1000);
            }
        }
        true
    });
    let out = temp.path().join("out");
    let run = corrupt(&bag, &out, &["over-exposure"], "3", &[]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(
        run.stderr.contains("could not be read: /camera/image_raw: sensor_msgs/msg/Image"),
        "{}",
        run.stderr
    );
    let (before, after) = (messages(&bag), messages(&out));
    assert_ne!(before[IMAGE][0].data, after[IMAGE][0].data);
    assert_eq!(before[IMAGE][1].data, after[IMAGE][1].data);
}
