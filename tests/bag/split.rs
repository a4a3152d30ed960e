//! Recordings of several files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use isobath::bag::{Bag, BagError, BagMessage, BagWriter, ReadFilter};
use mcap::WriteOptions;
use tempfile::TempDir;

use crate::recordings::{drain, read, small_mcap, write_file};

/// A folder with the messages of `whole`, 25 in each file.
fn split(whole: &Path, folder: &Path) -> Vec<PathBuf> {
    let (messages, _) = read(whole);
    let bag = Bag::open(whole).unwrap();
    fs::create_dir(folder).unwrap();
    let write = |(part, messages): (usize, &[BagMessage])| {
        let file = folder.join(format!("split_{part}.mcap"));
        let mut writer = BagWriter::create(&file).unwrap();
        for message in messages {
            let topic = &bag.info().topics[message.topic];
            let id = writer
                .add_topic(&topic.name, &topic.type_name, None, &topic.definition, &topic.offered_qos)
                .unwrap();
            writer.write(id, message.log_time, &message.data).unwrap();
        }
        writer.finish().unwrap();
        file
    };
    messages.chunks(25).enumerate().map(write).collect()
}

fn metadata(folder: &Path, files: &[PathBuf]) {
    let names: Vec<_> = files.iter().map(|file| file.file_name().unwrap().to_string_lossy()).collect();
    let text = format!(
        "rosbag2_bagfile_information:\n  version: 9\n  storage_identifier: mcap\n  relative_file_paths: [{}]\n",
        names.join(", ")
    );
    fs::write(folder.join("metadata.yaml"), text).unwrap();
}

#[test]
fn parts_of_a_split_bag_are_merged() {
    let temp = TempDir::new().unwrap();
    let whole = write_file(&temp, "whole.mcap", &small_mcap(300, WriteOptions::new()));
    let (expected, _) = read(&whole);
    let bag = Bag::open(&whole).unwrap();
    let folder = temp.path().join("split");
    // Twelve parts, so that the order of names is not the order of numbers.
    assert_eq!(split(&whole, &folder).len(), 12);
    let (found, error) = read(&folder);
    assert!(error.is_none(), "{error:?}");
    assert!(found == expected);
    assert_eq!(Bag::open(&folder).unwrap().info(), bag.info());
}

#[test]
fn a_missing_or_damaged_part_costs_only_itself() {
    let temp = TempDir::new().unwrap();
    let whole = write_file(&temp, "whole.mcap", &small_mcap(300, WriteOptions::new()));
    let (expected, _) = read(&whole);
    let folder = temp.path().join("split");
    let files = split(&whole, &folder);
    metadata(&folder, &files);
    fs::remove_file(&files[3]).unwrap();
    fs::write(&files[7], "").unwrap();
    fs::write(&files[8], "no recording at all").unwrap();
    let bag = Bag::open(&folder).unwrap();
    let mut stream = bag.messages(&ReadFilter::default()).unwrap();
    let found: Vec<BagMessage> = stream.by_ref().map_while(Result::ok).collect();
    let readable: Vec<BagMessage> = expected
        .chunks(25)
        .enumerate()
        .filter(|(part, _)| ![3, 7, 8].contains(part))
        .flat_map(|(_, m)| m.to_vec())
        .collect();
    assert!(found == readable);
    // The first error ended `map_while`; two more follow, and each names its file.
    let rest: Vec<String> = stream.map(|next| next.unwrap_err().to_string()).collect();
    assert_eq!(rest.len(), 2, "{rest:?}");
    let errors: Vec<String> = bag
        .messages(&ReadFilter::default())
        .unwrap()
        .filter_map(Result::err)
        .map(|error| error.to_string())
        .collect();
    for (error, (name, what)) in errors.iter().zip([
        ("split_3.mcap", "which is not there"),
        ("split_7.mcap", "an empty file"),
        ("split_8.mcap", "starts with 'no recording at"),
    ]) {
        assert!(error.contains(name) && error.contains(what), "{error}");
    }
    assert_eq!(errors.len(), 3);
    assert_eq!(drain(&Bag::open(&files[0]).unwrap(), &ReadFilter::default()).0.len(), 25);
}

#[test]
fn a_bag_of_which_nothing_can_be_read_is_refused() {
    let temp = TempDir::new().unwrap();
    let files = [temp.path().join("a_0.mcap"), temp.path().join("a_1.mcap")];
    metadata(temp.path(), &files);
    fs::write(&files[1], "").unwrap();
    match Bag::open(temp.path()).err() {
        Some(BagError::MissingFile { file, .. }) => assert_eq!(file, "a_0.mcap"),
        other => panic!("{other:?}"),
    }
}
