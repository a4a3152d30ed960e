//! Runs that are killed and resumed, and folders that cannot be resumed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use isobath::table::{ParquetColumns, TextColumn};
use serde_json::Value;
use tempfile::TempDir;

use crate::recording::Recording;
use crate::run::{isobath, replay};

/// A recording in which frames are dropped and sensors fail: what is counted must be counted once.
fn recording(frames: i64) -> Recording {
    let recording = (0..frames).fold(Recording::default(), |mut recording, i| {
        if i == 0 {
            recording.mount();
        }
        recording.camera(i * 100);
        if i % 7 != 3 {
            recording.radar(i * 100 + 10);
        }
        if i % 8 == 0 {
            recording.lidar(i * 100 + 20);
        }
        recording
    });
    recording.edit("/image", |i, bytes| bytes.truncate(if i % 9 == 4 { 100 } else { usize::MAX })).edit(
        "/radar_0/points",
        |i, bytes| {
            if i % 5 == 2 {
                let name = bytes.windows(6).position(|part| part == b"\x02\0\0\0x\0").unwrap();
                bytes[name + 4] = b'q';
            }
        },
    )
}

/// Part of such a recording cannot be decoded.
const ENDED: i32 = 3;

/// Clouds and previews are recorded too, so that there are chunks to be cut.
const MORE: [&str; 2] = ["--set", "depth.record=all"];

fn command(bags: &[PathBuf], out: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isobath"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).arg("replay").args(bags).arg("--out").arg(out);
    command.args(MORE).args(more).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// All of `run.json` but the times, and how many frames were resumed.
fn summary(out: &Path) -> (Value, u64) {
    let mut run: Value = serde_json::from_slice(&fs::read(out.join("run.json")).unwrap()).unwrap();
    let object = run.as_object_mut().unwrap();
    for key in ["load_s", "wall_s", "cpu_s", "max_rss_mb"] {
        assert!(object.remove(key).is_some(), "{key}");
    }
    let resumed = object.remove("resumed_frames").unwrap().as_u64().unwrap();
    for node in object["nodes"].as_object_mut().unwrap().values_mut() {
        let node = node.as_object_mut().unwrap();
        node.remove("latency_ms");
        node.remove("latency_histogram");
        let stages = node.remove("stages_ms").unwrap();
        node.insert("stages".into(), stages.as_object().unwrap().keys().cloned().collect());
    }
    (run, resumed)
}

fn listing(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    entries.filter(|path| path.is_file()).map(|path| (name(&path), fs::read(&path).unwrap())).collect()
}

/// What `frames.parquet` tells of each frame, apart from times that it took.
fn fates(out: &Path) -> Vec<(String, i64, i64, String, String)> {
    let table = ParquetColumns::open(&out.join("frames.parquet")).unwrap();
    let (nodes, fates) = (table.texts("node").unwrap(), table.texts("fate").unwrap());
    let (bags, stamps) = (table.integers("bag_index").unwrap(), table.integers("stamp_ns").unwrap());
    let name = |column: &TextColumn, row: usize| column.names[usize::from(column.rows[row])].clone();
    let radar = ["radar_returns", "radar_agreement", "radar_moved", "radar_match", "radar_persistence"]
        .map(|column| table.floats(column).unwrap());
    // As text, in which a figure that is not there equals itself.
    let radar = |row: usize| format!("{:?}", radar.each_ref().map(|column| column[row]));
    (0..stamps.len())
        .map(|row| (name(&nodes, row), bags[row], stamps[row], name(&fates, row), radar(row)))
        .collect()
}

#[test]
fn frames_that_depend_on_those_before_are_resumed_as_well() {
    let temp = TempDir::new().unwrap();
    let bags = [recording(60).write(&temp.path().join("bag"))];
    let smoothed = ["--set", "depth.smoothing=0.5", "--resume"];
    let whole = temp.path().join("whole");
    let start = Instant::now();
    assert_eq!(command(&bags, &whole, &smoothed).status().unwrap().code(), Some(ENDED));
    let seconds = start.elapsed().as_secs_f64();
    let out = temp.path().join("killed");
    for share in [0.6, 0.8] {
        let mut child = command(&bags, &out, &smoothed).spawn().unwrap();
        std::thread::sleep(Duration::from_secs_f64(seconds * share));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(matches!(command(&bags, &out, &smoothed).status().unwrap().code(), Some(0 | ENDED)));
    assert_eq!(summary(&out).0, summary(&whole).0);
    assert!(fs::read(out.join("outputs.mcap")).unwrap() == fs::read(whole.join("outputs.mcap")).unwrap());
    assert_eq!(fates(&out), fates(&whole));
}

#[test]
fn killed_at_any_moment_and_resumed_a_run_ends_as_if_nothing_had_happened() {
    let temp = TempDir::new().unwrap();
    let bags = [("a", 90), ("b", 60)].map(|(name, frames)| recording(frames).write(&temp.path().join(name)));
    let whole = temp.path().join("whole");
    let start = Instant::now();
    assert_eq!(command(&bags, &whole, &[]).status().unwrap().code(), Some(ENDED));
    let seconds = start.elapsed().as_secs_f64();
    let (expected, fresh) = summary(&whole);
    assert_eq!(fresh, 0);
    assert!(expected["nodes"]["depth"]["dropped"]["undecodable"].as_u64().unwrap() > 10, "{expected}");
    // The processor counts this one.
    assert!(expected["nodes"]["depth"]["degraded"]["radar_0: undecodable"].as_u64().unwrap() > 10);

    let out = temp.path().join("killed");
    let mut kills = 0;
    // Moments from before the first frame to behind the last, later from run to run.
    for share in [0.05, 0.5, 0.35, 0.7, 0.8, 0.99] {
        let mut child = command(&bags, &out, &["--resume", "--jobs", "1"]).spawn().unwrap();
        std::thread::sleep(Duration::from_secs_f64(seconds * share));
        child.kill().unwrap();
        let done = child.wait().unwrap();
        kills += u32::from(done.code().is_none());
        // One that was finished is left as it is.
        assert!(matches!(done.code(), None | Some(0 | ENDED)), "{done}");
        if !out.join("run.json").exists() && out.exists() {
            replay(&bags[0], &out, &[]).code(1).stderr(predicates::str::contains("--resume to go on"));
        }
    }
    assert!(kills >= 2, "{kills} kills");
    assert!(matches!(command(&bags, &out, &["--resume"]).status().unwrap().code(), Some(0 | ENDED)));
    let (found, resumed) = summary(&out);
    assert_eq!(found, expected);
    assert!(resumed > 0, "every attempt began anew");
    assert!(fs::read(out.join("outputs.mcap")).unwrap() == fs::read(whole.join("outputs.mcap")).unwrap());
    assert_eq!(fates(&out), fates(&whole));
    assert_eq!(fs::read_dir(&out).unwrap().count(), 3, "what was unfinished is gone");

    // A finished run stays as it is.
    let before = listing(&out);
    let again =
        isobath().arg("replay").args(&bags).arg("--out").arg(&out).args(MORE).arg("--resume").assert();
    again.success().stdout(predicates::str::contains("nothing to do"));
    assert_eq!(listing(&out), before);
}

/// Replays until something is stored, then kills.
fn kill_half_way(bags: &[PathBuf], out: &Path) {
    let journal = out.join("unfinished/journal.jsonl");
    let mut child = command(bags, out, &[]).spawn().unwrap();
    let notes = || fs::read_to_string(&journal).map_or(0, |text| text.lines().count());
    let start = Instant::now();
    // More than fill a chunk.
    while notes() < 100 {
        assert!(start.elapsed() < Duration::from_mins(1), "no frame in a minute");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!out.join("run.json").exists(), "killed too late");
}

#[test]
fn only_the_same_run_is_resumed() {
    let temp = TempDir::new().unwrap();
    let bag = recording(400).write(&temp.path().join("bag"));
    let other = recording(401).write(&temp.path().join("other"));
    let out = temp.path().join("out");
    kill_half_way(std::slice::from_ref(&bag), &out);
    let left = || -> Vec<_> {
        let folder = out.join("unfinished");
        listing(&folder).into_iter().collect()
    };
    let before = left();
    let cases: [(&Path, &[&str], &str); 5] = [
        (&bag, &["--set", "depth.radars=0"], "config.depth.radars 1, found 0"),
        (&bag, &["--start", "0.5"], "start_s 0.0, found 0.5"),
        (&bag, &["--rate", "5"], "rate \"max\", found \"5\""),
        (&bag, &["--remap", "lidar/points:=/elsewhere"], "remaps [], found"),
        (&other, &[], "inputs.0.0."),
    ];
    for (bag, more, expected) in cases {
        let more = [&MORE, more, &["--resume"]].concat();
        replay(bag, &out, &more).code(1).stderr(predicates::str::contains(expected));
        assert!(left() == before, "touched by {more:?}");
    }

    // What else is in the folder is left alone, and a copy of the bag serves as well.
    fs::write(out.join("mine.txt"), "mine").unwrap();
    let moved = temp.path().join("moved");
    fs::create_dir(&moved).unwrap();
    for (name, bytes) in listing(&bag) {
        fs::write(moved.join(name), bytes).unwrap();
    }
    replay(&moved, &out, &[&MORE[..], &["--resume"]].concat()).code(ENDED);
    assert!(summary(&out).1 > 0);
    assert_eq!(fs::read_to_string(out.join("mine.txt")).unwrap(), "mine");
    let finished = listing(&out);
    let more = [&MORE[..], &["--resume", "--set", "detection.score_threshold=0.3"]].concat();
    let text = "config.detection.score_threshold";
    replay(&moved, &out, &more).code(1).stderr(predicates::str::contains(text));
    assert!(listing(&out) == finished);
}

#[test]
fn a_folder_with_something_else_is_not_resumed() {
    let temp = TempDir::new().unwrap();
    let bag = Recording::of_frames(1).write(&temp.path().join("bag"));
    for (name, content) in [("mine.txt", "mine"), ("outputs.mcap", "x"), ("run.json", "{}")] {
        let out = temp.path().join(name.replace('.', "_"));
        fs::create_dir(&out).unwrap();
        fs::write(out.join(name), content).unwrap();
        replay(&bag, &out, &["--resume"]).code(1).stderr(predicates::str::contains("something else"));
        assert_eq!(listing(&out).into_iter().collect::<Vec<_>>(), [(name.to_owned(), content.into())]);
    }
    // Where nothing began, a run begins.
    let empty = temp.path().join("empty");
    fs::create_dir(&empty).unwrap();
    for out in [empty, temp.path().join("new")] {
        replay(&bag, &out, &["--resume"]).success();
        assert!(out.join("run.json").exists());
    }
}
