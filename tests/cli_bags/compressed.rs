//! Bags that rosbag2 compressed.

use std::fs;
use std::path::{Path, PathBuf};

use isobath::bag::{Bag, BagWriter, ReadFilter};
use tempfile::TempDir;

use crate::recording::Recording;
use crate::run::{Run, isobath};
use crate::storages::to_sqlite;

/// The messages of `source`, compressed one by one and `edit`ed, as rosbag2 writes them.
fn per_message(source: &Path, folder: &Path, edit: impl Fn(usize, &mut Vec<u8>)) -> PathBuf {
    let source = Bag::open(source).unwrap();
    let mut writer = BagWriter::create(folder).unwrap();
    for (i, message) in source.messages(&ReadFilter::default()).unwrap().enumerate() {
        let message = message.unwrap();
        let topic = &source.info().topics[message.topic];
        let id = writer.add_topic(&topic.name, &topic.type_name, None, "", &[]).unwrap();
        let mut frame = zstd::bulk::compress(&message.data, 1).unwrap();
        edit(i, &mut frame);
        writer.write(id, message.log_time, &frame).unwrap();
    }
    writer.finish().unwrap();
    let metadata = folder.join("metadata.yaml");
    let text = fs::read_to_string(&metadata).unwrap();
    let text = text.replace("compression_format: \"\"", "compression_format: zstd");
    fs::write(&metadata, text.replace("compression_mode: \"\"", "compression_mode: MESSAGE")).unwrap();
    folder.to_path_buf()
}

/// `file`, compressed as a whole in a folder of its own.
fn per_file(file: &Path, folder: &Path) -> PathBuf {
    fs::create_dir(folder).unwrap();
    let name = file.file_name().unwrap().to_string_lossy();
    let packed = zstd::bulk::compress(&fs::read(file).unwrap(), 1).unwrap();
    fs::write(folder.join(format!("{name}.zstd")), packed).unwrap();
    folder.to_path_buf()
}

fn bag(temp: &TempDir) -> PathBuf {
    Recording::of_frames(3).write(&temp.path().join("bag.mcap"))
}

#[test]
fn every_way_to_store_a_bag_gives_the_same_outputs() {
    let temp = TempDir::new().unwrap();
    let plain = bag(&temp);
    let expected = Run::of(&plain, &[]).json["outputs_sha256"].clone();
    assert!(expected.is_string());
    let sqlite = to_sqlite(&plain, &temp.path().join("sqlite"));
    let folder = |name| temp.path().join(name);
    for (path, compression) in [
        (sqlite.clone(), "none"),
        (per_file(&plain, &folder("file_mcap")), "zstd, zstd per file"),
        (per_file(&sqlite, &folder("file_sqlite")), "zstd per file"),
        (per_message(&plain, &folder("message_mcap"), |_, _| {}), "zstd, zstd per message"),
    ] {
        let run = Run::of(&path, &[]);
        assert_eq!(run.code, 0, "{}: {}", path.display(), run.stderr);
        assert_eq!(run.json["outputs_sha256"], expected, "{}", path.display());
        let assert = isobath().args(["inspect", "--json"]).arg(&path).assert().success();
        let report: serde_json::Value = serde_json::from_slice(&assert.get_output().stdout).unwrap();
        assert_eq!(report["compression"], compression, "{}", path.display());
    }
}

#[test]
fn nothing_is_left_where_temporary_files_go() {
    let temp = TempDir::new().unwrap();
    let plain = bag(&temp);
    let sqlite = to_sqlite(&plain, &temp.path().join("sqlite"));
    let scratch = TempDir::new().unwrap();
    for (name, file) in [("a", &plain), ("b", &sqlite)] {
        let packed = per_file(file, &temp.path().join(name));
        isobath().arg("inspect").arg(&packed).env("TMPDIR", scratch.path()).assert().success();
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
        let nowhere = scratch.path().join("nowhere");
        isobath()
            .arg("inspect")
            .arg(&packed)
            .env("TMPDIR", &nowhere)
            .assert()
            .code(2)
            .stderr(predicates::str::contains(nowhere.to_str().unwrap()));
    }
}

#[test]
fn a_corrupt_message_costs_only_itself() {
    let temp = TempDir::new().unwrap();
    let plain = bag(&temp);
    let topics: Vec<String> = {
        let bag = Bag::open(&plain).unwrap();
        let name = |message: isobath::bag::BagMessage| bag.info().topics[message.topic].name.clone();
        bag.messages(&ReadFilter::default()).unwrap().map(|message| name(message.unwrap())).collect()
    };
    let second = topics.iter().enumerate().filter(|(_, topic)| *topic == "/image").nth(1).unwrap().0;
    let folder = per_message(&plain, &temp.path().join("corrupt"), |i, frame| {
        if i == second {
            frame.truncate(frame.len() / 2);
        }
    });
    let run = Run::of(&folder, &[]);
    run.tells_damage(&["topic '/image'", "zstd frame", "cut off"]);
    assert_eq!(run.counts("depth"), (2, 2, vec![]));
    assert_eq!(run.counts("detection"), (3, 3, vec![]));
}

#[test]
fn a_corrupt_file_is_told() {
    let temp = TempDir::new().unwrap();
    let folder = per_file(&bag(&temp), &temp.path().join("packed"));
    let file = folder.join("bag.mcap.zstd");
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() - 30]).unwrap();
    let run = Run::of(&folder, &[]);
    assert!(run.code == 3 || run.code == 2, "{}", run.stderr);
    assert!(run.stderr.contains("bag.mcap.zstd") && run.stderr.contains("cut off"), "{}", run.stderr);
    fs::write(&file, &bytes[..12]).unwrap();
    Run::of(&folder, &[]).is_refused(2, &["bag.mcap.zstd", "damaged zstd data", "cut off"]);
}

#[test]
fn unknown_compression_is_refused() {
    let temp = TempDir::new().unwrap();
    let folder = per_message(&bag(&temp), &temp.path().join("bag"), |_, _| {});
    let metadata = folder.join("metadata.yaml");
    let text =
        fs::read_to_string(&metadata).unwrap().replace("compression_format: zstd", "compression_format: lz4");
    fs::write(&metadata, text).unwrap();
    Run::of(&folder, &[])
        .is_refused(2, &["expected no compression or zstd", "found compression_format 'lz4'"]);
}
