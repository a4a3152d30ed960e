//! Bags that are damaged, incomplete or none.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use isobath::bag::BagWriter;
use isobath::message::TFMessage;
use tempfile::TempDir;

use crate::recording::{Recording, transform};
use crate::run::{Run, isobath, replay};

const COUNT: u64 = 6;

/// A bag in three files, with its metadata.
fn split(folder: &Path) -> [PathBuf; 3] {
    fs::create_dir(folder).unwrap();
    let recording = Recording::of_frames(COUNT as i64);
    let files = [0, 1, 2].map(|part| folder.join(format!("bag_{part}.mcap")));
    for (part, file) in (0..).zip(&files) {
        recording.write_part(file, |ms| (part * 200..(part + 1) * 200).contains(&ms));
    }
    let text = "rosbag2_bagfile_information:\n  version: 5\n  storage_identifier: mcap\n  relative_file_paths:\n  \
                - bag_0.mcap\n  - bag_1.mcap\n  - bag_2.mcap\n  compression_format: ''\n  compression_mode: ''\n";
    fs::write(folder.join("metadata.yaml"), text).unwrap();
    files
}

#[test]
fn a_missing_file_of_a_split_bag_is_one_error_and_nothing_else_is_lost() {
    let temp = TempDir::new().unwrap();
    let files = split(&temp.path().join("bag"));
    let whole = Run::of(&temp.path().join("bag"), &[]);
    assert_eq!((whole.code, whole.counts("depth").1), (0, COUNT), "{}", whole.stderr);
    fs::remove_file(&files[1]).unwrap();
    let run = Run::of(&temp.path().join("bag"), &[]);
    run.tells_damage(&["metadata.yaml", "'bag_1.mcap', which is not there"]);
    for node in ["depth", "detection"] {
        assert_eq!(run.counts(node), (COUNT - 2, COUNT - 2, vec![]));
    }
    isobath()
        .args(["inspect", "--json"])
        .arg(temp.path().join("bag"))
        .assert()
        .code(3)
        .stderr(predicates::str::contains("bag_1.mcap"));
    for file in [&files[0], &files[2]] {
        fs::remove_file(file).unwrap();
    }
    Run::of(&temp.path().join("bag"), &[]).is_refused(2, &["'bag_0.mcap', which is not there"]);
}

#[test]
fn a_damaged_file_of_a_split_bag_costs_only_itself() {
    let temp = TempDir::new().unwrap();
    let files = split(&temp.path().join("bag"));
    let bytes = fs::read(&files[1]).unwrap();
    fs::write(&files[1], &bytes[..bytes.len() / 2]).unwrap();
    fs::write(&files[2], "").unwrap();
    let run = Run::of(&temp.path().join("bag"), &[]);
    run.tells_damage(&["bag_1.mcap: damaged at byte", "bag_2.mcap", "an empty file"]);
    assert!((2..COUNT - 2).contains(&run.counts("depth").1), "{:?}", run.counts("depth"));
}

#[test]
fn what_is_no_bag_is_refused() {
    let temp = TempDir::new().unwrap();
    let file = temp.path().join("notes.txt");
    fs::write(&file, "These are notes.").unwrap();
    Run::of(&file, &[])
        .is_refused(2, &["notes.txt", "expected an MCAP or SQLite3 recording", "These are notes"]);
    Run::of(&temp.path().join("absent"), &[]).is_refused(2, &["absent", "no such file or folder"]);
    let folder = temp.path().join("folder");
    fs::create_dir(&folder).unwrap();
    Run::of(&folder, &[]).is_refused(2, &["expected a rosbag2 folder", "neither metadata.yaml nor"]);
    fs::write(folder.join("metadata.yaml"), "rosbag2_bagfile_information: 3\n").unwrap();
    Run::of(&folder, &[]).is_refused(2, &["metadata.yaml"]);
}

#[test]
fn a_bag_without_messages_is_refused() {
    let temp = TempDir::new().unwrap();
    let path = temp.path().join("empty.mcap");
    BagWriter::create(&path).unwrap().finish().unwrap();
    Run::of(&path, &[]).is_refused(2, &["empty.mcap", "expected messages, found none"]);
    // What is left of a recording that was cut off before its first message.
    let cut = temp.path().join("cut.mcap");
    fs::write(&cut, &fs::read(&path).unwrap()[..20]).unwrap();
    Run::of(&cut, &[]).is_refused(2, &["cut.mcap", "damaged at byte"]);
}

#[test]
fn a_bag_that_must_not_be_read_is_refused() {
    let temp = TempDir::new().unwrap();
    let path = Recording::of_frames(1).write(&temp.path().join("secret.mcap"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&path).is_ok() {
        eprintln!("this user may read everything: permissions are not tried");
        return;
    }
    Run::of(&path, &[]).is_refused(2, &["secret.mcap", "ermission denied"]);
}

#[test]
fn a_topic_of_another_type_is_refused() {
    let temp = TempDir::new().unwrap();
    let mut recording = Recording::of_frames(1).without("/image");
    recording.add("/image", 0, &TFMessage { transforms: vec![transform("a", "b", 0)] });
    let bag = recording.write(&temp.path().join("bag"));
    Run::of(&bag, &[])
        .is_refused(1, &["/image", "expected type sensor_msgs/msg/Image", "tf2_msgs/msg/TFMessage"]);
}

#[test]
fn one_bad_bag_of_several_is_refused_before_anything_is_written() {
    let temp = TempDir::new().unwrap();
    let good = Recording::of_frames(1).write(&temp.path().join("good"));
    let absent = temp.path().join("absent");
    Run::of(&good, &[absent.to_str().unwrap()]).is_refused(2, &["absent"]);
}

#[test]
fn a_failed_replay_does_not_stand_in_the_way_of_the_next() {
    let temp = TempDir::new().unwrap();
    let bag = Recording::of_frames(1).write(&temp.path().join("bag"));
    let out = temp.path().join("out");
    for set in
        ["depth.model=no_such_model", "detection.model=models/depth_baseline", "depth.provider=tensorrt"]
    {
        replay(&bag, &out, &["--set", set]).code(1);
        assert!(!out.exists(), "{set}");
    }
    replay(&bag, &out, &[]).success();
    // Nor does it take away the results of the one before.
    let before = fs::read(out.join("run.json")).unwrap();
    replay(&bag, &out, &["--resume", "--set", "depth.model=no_such_model"]).code(1);
    assert_eq!(fs::read(out.join("run.json")).unwrap(), before);
}
