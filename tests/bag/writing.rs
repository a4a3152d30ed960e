//! What [`BagWriter`] writes, `rosbags` and this library read.

use std::{fs, path::Path};

use isobath::{
    bag::{Bag, BagError, BagWriter, OfferedQos, ReadFilter, inspect},
    message::Stamp,
};
use tempfile::TempDir;

use crate::recordings::{copy, drain, read, real_bag};

#[test]
fn what_is_written_reads_back_and_is_the_same_each_time() {
    let temp = TempDir::new().unwrap();
    let source = Bag::open(real_bag()).unwrap();
    let folder = temp.path().join("copy");
    let plain = temp.path().join("outputs.mcap");
    copy(&source, &folder);
    copy(&source, &plain);
    assert_eq!(fs::read(folder.join("copy_0.mcap")).unwrap(), fs::read(&plain).unwrap());
    let mut expected = source.info().clone();
    for topic in &mut expected.topics {
        topic.offered_qos = vec![OfferedQos::sensor_data()];
    }
    for path in [&folder, &plain] {
        let bag = Bag::open(path).unwrap();
        assert_eq!(*bag.info(), expected);
        let (found, error) = drain(&bag, &ReadFilter::default());
        assert!(error.is_none() && found == read(&real_bag()).0);
    }
    insta::assert_snapshot!(fs::read_to_string(folder.join("metadata.yaml")).unwrap());
    assert!(matches!(BagWriter::create(&folder), Err(BagError::Exists { .. })));
    assert!(matches!(BagWriter::create(&plain), Err(BagError::Exists { .. })));
}

/// `ISOBATH_TEST_PYTHON` names a Python that has `rosbags`; without it there is no second reader to ask.
#[test]
fn rosbags_reads_what_is_written() {
    let Some(python) = std::env::var_os("ISOBATH_TEST_PYTHON") else {
        eprintln!("ISOBATH_TEST_PYTHON is not set: not compared with rosbags");
        return;
    };
    let temp = TempDir::new().unwrap();
    let source = Bag::open(real_bag()).unwrap();
    let targets = [temp.path().join("copy"), temp.path().join("outputs.mcap")];
    for target in &targets {
        copy(&source, target);
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/read_with_rosbags.py");
    let output = std::process::Command::new(python).arg(script).args(&targets).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(
        printed.matches("/camera/image_raw sensor_msgs/msg/Image 2 BEST_EFFORT").count(),
        2,
        "{printed}"
    );
}

#[test]
fn an_empty_recording_is_one() {
    let temp = TempDir::new().unwrap();
    let folder = temp.path().join("empty");
    let mut writer = BagWriter::create(&folder).unwrap();
    let id = writer.add_topic("/a", "std_msgs/msg/String", None, "string data", &[]).unwrap();
    assert!(matches!(writer.write(id, Stamp(-1), &[]), Err(BagError::Write { .. })));
    writer.finish().unwrap();
    let bag = Bag::open(&folder).unwrap();
    assert_eq!(bag.info().message_count(), 0);
    assert_eq!(inspect(&bag).unwrap().topics[0].rate_hz, None);
    assert!(read(&folder).1.is_none());
}

#[test]
fn a_large_message_has_a_chunk_of_its_own() {
    let temp = TempDir::new().unwrap();
    let path = temp.path().join("bag.mcap");
    let mut writer = BagWriter::create(&path).unwrap();
    let mut add = |name| writer.add_topic(name, "std_msgs/msg/String", None, "string data", &[]).unwrap();
    let (small, large) = (add("/small"), add("/large"));
    for i in 0..40 {
        writer.write(small, Stamp(i), &[1; 100]).unwrap();
        if i % 10 == 5 {
            writer.write(large, Stamp(i), &vec![2; 400_000]).unwrap();
        }
    }
    writer.finish().unwrap();
    let summary = mcap::Summary::read(&fs::read(&path).unwrap()).unwrap().unwrap();
    let topics = |chunk: &mcap::records::ChunkIndex| chunk.message_index_offsets.len();
    assert_eq!(summary.chunk_indexes.iter().map(topics).collect::<Vec<_>>(), [1; 9]);
}
