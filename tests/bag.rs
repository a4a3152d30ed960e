//! Recordings through the public interface: both storages, filters, damage, writing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use isobath::{
    bag::{Bag, BagError, BagMessage, BagWriter, OfferedQos, ReadFilter, StorageKind, inspect},
    message::Stamp,
};
use mcap::{WriteOptions, records::MessageHeader};
use proptest::prelude::*;
use rusqlite::{Connection, params};
use tempfile::TempDir;

fn real_bag() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/real_sensors")
}

/// All messages up to the first error.
fn read(path: &Path) -> (Vec<BagMessage>, Option<BagError>) {
    match Bag::open(path) {
        Ok(bag) => drain(&bag, &ReadFilter::default()),
        Err(error) => (Vec::new(), Some(error)),
    }
}

fn drain(bag: &Bag, filter: &ReadFilter) -> (Vec<BagMessage>, Option<BagError>) {
    let mut messages = Vec::new();
    let mut stream = bag.messages(filter).unwrap();
    while let Some(next) = stream.next() {
        match next {
            Ok(message) => messages.push(message),
            Err(error) => {
                assert!(stream.next().is_none(), "a stream ends after an error");
                return (messages, Some(error));
            }
        }
    }
    (messages, None)
}

/// The recording at `source` as a rosbag2 SQLite folder of schema 4.
fn to_sqlite(source: &Path, folder: &Path) -> PathBuf {
    fs::create_dir(folder).unwrap();
    let file = folder.join("bag_0.db3");
    let db = Connection::open(&file).unwrap();
    db.execute_batch(
        "CREATE TABLE schema(schema_version INTEGER PRIMARY KEY, ros_distro TEXT NOT NULL);
         CREATE TABLE metadata(id INTEGER PRIMARY KEY, metadata_version INTEGER NOT NULL, metadata TEXT NOT NULL);
         CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL,
           serialization_format TEXT NOT NULL, offered_qos_profiles TEXT NOT NULL,
           type_description_hash TEXT NOT NULL);
         CREATE TABLE message_definitions(id INTEGER PRIMARY KEY, topic_type TEXT NOT NULL, encoding TEXT NOT NULL,
           encoded_message_definition TEXT NOT NULL, type_description_hash TEXT NOT NULL);
         CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL, timestamp INTEGER NOT NULL,
           data BLOB NOT NULL);
         CREATE INDEX timestamp_idx ON messages (timestamp ASC);
         BEGIN;",
    )
    .unwrap();
    let bag = Bag::open(source).unwrap();
    // Ids against the alphabet, so that nothing depends on their order.
    let id = |topic: usize| 1000 - topic as i64;
    for (i, topic) in bag.info().topics.iter().enumerate() {
        db.execute(
            "INSERT INTO topics VALUES (?1, ?2, ?3, 'cdr', ?4, ?5)",
            params![
                id(i),
                topic.name,
                topic.type_name,
                OfferedQos::list_to_yaml(&topic.offered_qos, 0),
                topic.type_hash.as_deref().unwrap_or_default()
            ],
        )
        .unwrap();
        db.execute(
            "INSERT INTO message_definitions(topic_type, encoding, encoded_message_definition, \
             type_description_hash) SELECT ?1, 'ros2msg', ?2, '' WHERE NOT EXISTS \
             (SELECT 1 FROM message_definitions WHERE topic_type = ?1)",
            params![topic.type_name, topic.definition],
        )
        .unwrap();
    }
    for message in bag.messages(&ReadFilter::default()).unwrap() {
        let message = message.unwrap();
        db.execute(
            "INSERT INTO messages(topic_id, timestamp, data) VALUES (?1, ?2, ?3)",
            params![id(message.topic), message.log_time.0, message.data],
        )
        .unwrap();
    }
    db.execute_batch("COMMIT").unwrap();
    file
}

/// An MCAP file of `count` messages of 200 bytes on three channels, two of which share a topic.
/// Log times go up and down so that chunks overlap, and repeat so that ties occur.
fn small_mcap(count: u32, options: WriteOptions) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut writer = options.profile("ros2").chunk_size(Some(2000)).create(&mut bytes).unwrap();
    let schema = writer.add_schema("std_msgs/msg/String", "ros2msg", b"string data").unwrap();
    let channels: Vec<u16> = [("/a", "1"), ("/b", "1"), ("/a", "2")]
        .iter()
        .map(|(topic, publisher)| {
            let metadata = BTreeMap::from([("publisher".to_owned(), (*publisher).to_owned())]);
            writer.add_channel(schema, topic, "cdr", &metadata).unwrap()
        })
        .collect();
    for i in 0..count {
        let log_time = 1_000_000 + u64::from(i / 2 * 2) * 100 + u64::from(i % 7) * 300;
        let header = MessageHeader {
            channel_id: channels[i as usize % 3],
            sequence: i,
            log_time,
            publish_time: log_time,
        };
        let data: Vec<u8> = (0..200).map(|k| (k * i % 251) as u8).collect();
        writer.write_to_known_channel(&header, &data).unwrap();
    }
    writer.finish().unwrap();
    drop(writer);
    bytes.into_inner()
}

fn write_file(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn the_real_bag_is_described() {
    let bag = Bag::open(real_bag()).unwrap();
    let info = bag.info();
    assert_eq!(info.storage, StorageKind::Mcap);
    assert_eq!(info.start, Stamp(1_700_000_000_000_000_000));
    assert_eq!(info.end.since_ns(info.start), 200_000_000);
    let found: Vec<(&str, u64)> = info.topics.iter().map(|t| (t.name.as_str(), t.count)).collect();
    let expected = [
        ("/camera/camera_info", 2),
        ("/camera/depth/image_rect_raw", 2),
        ("/camera/image_raw", 2),
        ("/camera/image_raw/compressed", 2),
        ("/lidar_qt64/points", 1),
        ("/lidar_vlp16/points", 1),
        ("/radar_ars548/points", 1),
        ("/tf_static", 1),
    ];
    assert_eq!(found, expected);
    let tf = &info.topics[info.topic_index("/tf_static").unwrap()];
    assert_eq!(
        tf.type_hash.as_deref(),
        Some("RIHS01_e369d0f05a23ae52508854b66f6aa0437f3449d652e8cbf22d5abe85d020f087")
    );
    assert!(tf.definition.contains("TransformStamped"), "{}", tf.definition);

    let report = serde_json::to_value(inspect(&bag).unwrap()).unwrap();
    assert_eq!(report["storage"], "mcap");
    assert_eq!(report["compression"], "zstd");
    assert_eq!(report["messages"], 12);
    assert_eq!(report["topics"][2]["name"], "/camera/image_raw");
    assert_eq!(report["topics"][2]["type"], "sensor_msgs/msg/Image");
    assert_eq!(report["topics"][2]["rate_hz"], 10.0);
    assert!(report["topics"][7]["rate_hz"].is_null());
}

#[test]
fn both_storages_give_the_same_sequence() {
    let temp = TempDir::new().unwrap();
    let small = write_file(&temp, "small.mcap", &small_mcap(500, WriteOptions::new()));
    for (name, source, count) in [("real", real_bag(), 12), ("small", small, 500)] {
        let folder = temp.path().join(name);
        let file = to_sqlite(&source, &folder);
        let mcap = Bag::open(&source).unwrap();
        let (expected, error) = drain(&mcap, &ReadFilter::default());
        assert!(error.is_none() && expected.len() == count, "{error:?}");
        assert!(expected.is_sorted_by_key(|message| message.log_time));
        for path in [folder.as_path(), file.as_path()] {
            let sqlite = Bag::open(path).unwrap();
            assert_eq!(sqlite.info().storage, StorageKind::Sqlite3);
            assert_eq!(sqlite.info().topics, mcap.info().topics);
            assert_eq!((sqlite.info().start, sqlite.info().end), (mcap.info().start, mcap.info().end));
            assert_eq!(sqlite.topic_spans().unwrap(), mcap.topic_spans().unwrap());
            let (found, error) = drain(&sqlite, &ReadFilter::default());
            assert!(error.is_none(), "{error:?}");
            assert!(found == expected, "{name}: sequences differ");
        }
    }
}

#[test]
fn every_way_to_store_mcap_reads_the_same() {
    let temp = TempDir::new().unwrap();
    let base = small_mcap(300, WriteOptions::new());
    let indexed = write_file(&temp, "indexed.mcap", &base);
    let (expected, error) = read(&indexed);
    assert!(error.is_none() && expected.len() == 300);
    let expected_info = Bag::open(&indexed).unwrap();
    let ways = [
        ("plain", WriteOptions::new().compression(None)),
        ("lz4", WriteOptions::new().compression(Some(mcap::Compression::Lz4))),
        ("unchunked", WriteOptions::new().use_chunks(false)),
        ("no_summary", WriteOptions::new().emit_summary_records(false).emit_summary_offsets(false)),
        ("no_chunk_index", WriteOptions::new().emit_chunk_indexes(false)),
        ("no_message_index", WriteOptions::new().emit_message_indexes(false)),
        ("no_channels", WriteOptions::new().repeat_channels(false)),
        ("no_statistics", WriteOptions::new().emit_statistics(false)),
    ];
    for (name, options) in ways {
        let path = write_file(&temp, &format!("{name}.mcap"), &small_mcap(300, options));
        let bag = Bag::open(&path).unwrap();
        assert_eq!(bag.info().topics, expected_info.info().topics, "{name}");
        assert_eq!(bag.info().end, expected_info.info().end, "{name}");
        assert_eq!(bag.topic_spans().unwrap(), expected_info.topic_spans().unwrap(), "{name}");
        let (found, error) = drain(&bag, &ReadFilter::default());
        assert!(error.is_none(), "{name}: {error:?}");
        assert!(found == expected, "{name}: sequences differ");
    }
}

#[test]
fn filters_select_topics_and_a_half_open_time_range() {
    let temp = TempDir::new().unwrap();
    let mcap = write_file(&temp, "small.mcap", &small_mcap(300, WriteOptions::new()));
    let sqlite = to_sqlite(&mcap, &temp.path().join("sqlite"));
    let (all, _) = read(&mcap);
    let start = all[100].log_time;
    let end = all[200].log_time;
    for path in [mcap, sqlite] {
        let bag = Bag::open(path).unwrap();
        for topics in [None, Some(vec![]), Some(vec![1]), Some(vec![0, 1])] {
            for (start, end) in
                [(None, None), (Some(start), Some(end)), (Some(end), None), (Some(end), Some(start))]
            {
                let filter = ReadFilter { topics: topics.clone(), start, end };
                let (found, error) = drain(&bag, &filter);
                let expected: Vec<&BagMessage> = all
                    .iter()
                    .filter(|m| topics.as_ref().is_none_or(|t| t.contains(&m.topic)))
                    .filter(|m| start.is_none_or(|s| m.log_time >= s) && end.is_none_or(|e| m.log_time < e))
                    .collect();
                assert!(error.is_none());
                assert!(found.iter().eq(expected), "{filter:?}");
            }
        }
        let filter = ReadFilter { topics: Some(vec![2]), ..ReadFilter::default() };
        assert!(matches!(bag.messages(&filter), Err(BagError::TopicIndex { index: 2, topics: 2 })));
    }
}

/// Where the file is cut, a prefix arrives and then one error with the file's name.
fn check_cuts(bytes: &[u8], cuts: impl Iterator<Item = usize>) {
    let temp = TempDir::new().unwrap();
    let whole = write_file(&temp, "whole.mcap", bytes);
    let (mut expected, _) = read(&whole);
    // In the order of the file, since a cut hides the rest of the file, not the rest of the time.
    let mut most = 0;
    expected.sort_by_key(|message| message.log_time);
    for cut in cuts {
        let path = write_file(&temp, "cut.mcap", &bytes[..cut]);
        let (found, error) = read(&path);
        let text = error.expect("a cut file is told").to_string();
        assert!(text.contains("cut.mcap"), "{text}");
        assert!(found.is_sorted_by_key(|message| message.log_time));
        let mut left = expected.iter();
        assert!(
            found
                .iter()
                .all(|message| left.any(|e| e.log_time == message.log_time && e.data == message.data)),
            "cut at {cut}: a message that was never recorded"
        );
        assert!(found.len() >= most, "cut at {cut}: fewer messages than with less of the file");
        most = found.len();
    }
    assert!(most > 0 || expected.is_empty());
}

#[test]
fn a_cut_real_bag_delivers_what_is_there() {
    let bytes = fs::read(real_bag().join("real_sensors.mcap")).unwrap();
    check_cuts(&bytes, (0..100).map(|percent| bytes.len() * percent / 100));
}

#[test]
fn a_small_bag_cut_anywhere_delivers_what_is_there() {
    for options in
        [WriteOptions::new(), WriteOptions::new().compression(None), WriteOptions::new().use_chunks(false)]
    {
        let bytes = small_mcap(60, options);
        check_cuts(&bytes, (0..bytes.len()).step_by(7));
    }
}

#[test]
fn a_flipped_bit_in_a_chunk_ends_the_stream_there() {
    let temp = TempDir::new().unwrap();
    let bytes = small_mcap(300, WriteOptions::new().compression(None));
    let whole = write_file(&temp, "whole.mcap", &bytes);
    let (expected, _) = read(&whole);
    let mut broken = bytes.clone();
    let middle = bytes.len() / 3;
    broken[middle] ^= 1;
    let path = write_file(&temp, "broken.mcap", &broken);
    let (found, error) = read(&path);
    assert!(!found.is_empty() && found.len() < expected.len());
    assert!(expected.starts_with(&found), "a prefix arrives");
    match error {
        Some(BagError::Mcap { path: told, offset, message }) => {
            assert_eq!(told, path);
            assert!((offset as usize) < middle && middle - (offset as usize) < 4000, "{offset} {middle}");
            assert!(message.contains("CRC"), "{message}");
        }
        other => panic!("{other:?}"),
    }
}

/// A database and its messages.
static SMALL_SQLITE: LazyLock<(Vec<u8>, Vec<BagMessage>)> = LazyLock::new(|| {
    let temp = TempDir::new().unwrap();
    let source = write_file(&temp, "small.mcap", &small_mcap(200, WriteOptions::new()));
    let file = to_sqlite(&source, &temp.path().join("sqlite"));
    (fs::read(&file).unwrap(), read(&file).0)
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn corrupt_mcap_never_panics(
        kind in 0..4usize,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let options = [
            WriteOptions::new(),
            WriteOptions::new().compression(None),
            WriteOptions::new().use_chunks(false),
            WriteOptions::new().compression(None).calculate_chunk_crcs(false).calculate_summary_section_crc(false),
        ];
        let mut bytes = small_mcap(40, options[kind].clone());
        for (at, value) in &flips {
            let at = at.index(bytes.len());
            bytes[at] = *value;
        }
        let temp = TempDir::new().unwrap();
        let path = write_file(&temp, "corrupt.mcap", &bytes);
        let _ = read(&path);
        if let Ok(bag) = Bag::open(&path) {
            let _ = inspect(&bag);
        }
    }

    #[test]
    fn corrupt_sqlite_never_panics(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
        keep in 0.01..1.0f64,
    ) {
        let temp = TempDir::new().unwrap();
        let (whole, expected) = &*SMALL_SQLITE;
        let mut bytes = whole.clone();
        for (at, value) in &flips {
            let at = at.index(bytes.len());
            bytes[at] = *value;
        }
        let corrupt = write_file(&temp, "corrupt.db3", &bytes);
        let _ = read(&corrupt);
        let cut = write_file(&temp, "cut.db3", &whole[..(whole.len() as f64 * keep) as usize]);
        let (found, error) = read(&cut);
        let text = error.expect("a cut database is told").to_string();
        prop_assert!(text.contains("cut.db3"), "{}", text);
        prop_assert!(expected.starts_with(&found));
    }
}

#[test]
fn parts_of_a_split_bag_are_merged() {
    let temp = TempDir::new().unwrap();
    let whole = write_file(&temp, "whole.mcap", &small_mcap(300, WriteOptions::new()));
    let (expected, _) = read(&whole);
    let bag = Bag::open(&whole).unwrap();
    let folder = temp.path().join("split");
    fs::create_dir(&folder).unwrap();
    // Twelve parts, so that the order of names is not the order of numbers.
    for (part, messages) in expected.chunks(25).enumerate() {
        let mut writer = BagWriter::create(folder.join(format!("split_{part}.mcap"))).unwrap();
        for message in messages {
            let topic = &bag.info().topics[message.topic];
            let id = writer
                .add_topic(&topic.name, &topic.type_name, None, &topic.definition, &topic.offered_qos)
                .unwrap();
            writer.write(id, message.log_time, &message.data).unwrap();
        }
        writer.finish().unwrap();
    }
    let (found, error) = read(&folder);
    assert!(error.is_none(), "{error:?}");
    assert!(found == expected);
    assert_eq!(Bag::open(&folder).unwrap().info(), bag.info());
}

fn copy(source: &Bag, target: &Path) {
    let mut writer = BagWriter::create(target).unwrap();
    let ids: Vec<_> = source
        .info()
        .topics
        .iter()
        .map(|topic| {
            let qos = [OfferedQos::sensor_data()];
            let hash = topic.type_hash.as_deref();
            writer.add_topic(&topic.name, &topic.type_name, hash, &topic.definition, &qos).unwrap()
        })
        .collect();
    for message in source.messages(&ReadFilter::default()).unwrap() {
        let message = message.unwrap();
        writer.write(ids[message.topic], message.log_time, &message.data).unwrap();
    }
    writer.finish().unwrap();
}

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

/// Folder, its files with their content, what the error says.
type Case = (&'static str, &'static [(&'static str, &'static str)], &'static str);

#[test]
fn what_is_no_readable_bag_is_said_in_one_sentence() {
    let temp = TempDir::new().unwrap();
    let cases: [Case; 9] = [
        ("nothing", &[("readme.txt", "hi")], "neither metadata.yaml nor .mcap or .db3"),
        ("mixed", &[("a_0.mcap", ""), ("a_0.db3", "")], "one storage kind"),
        ("text", &[("a_0.mcap", "hello, this is no bag")], "starts with 'hello, this is n'"),
        ("hollow", &[("a_0.mcap", "")], "an empty file"),
        ("zstd", &[("a_0.db3.zstd", "x")], "compressed with 'zstd' per file"),
        ("yaml", &[("metadata.yaml", "rosbag2_bagfile_information:\n  version: nine\n")], "metadata.yaml"),
        (
            "message",
            &[(
                "metadata.yaml",
                "rosbag2_bagfile_information:\n  version: 5\n  storage_identifier: sqlite3\n  \
                relative_file_paths: [a.db3]\n  compression_format: zstd\n  compression_mode: MESSAGE\n",
            )],
            "compressed with 'zstd' per message",
        ),
        (
            "old",
            &[(
                "metadata.yaml",
                "rosbag2_bagfile_information:\n  version: 3\n  storage_identifier: sqlite3\n  \
                relative_file_paths: [a.db3]\n",
            )],
            "version: expected 4 to 9, found 3",
        ),
        (
            "missing",
            &[(
                "metadata.yaml",
                "rosbag2_bagfile_information:\n  version: 9\n  storage_identifier: mcap\n  \
                relative_file_paths: [a.mcap]\n  something_new: {a: 1}\n",
            )],
            "names 'a.mcap', which is not there",
        ),
    ];
    for (name, files, expected) in cases {
        let folder = temp.path().join(name);
        fs::create_dir(&folder).unwrap();
        for (file, content) in files {
            fs::write(folder.join(file), content).unwrap();
        }
        let text = Bag::open(&folder).err().expect(name).to_string();
        assert!(text.contains(expected), "{name}: {text}");
    }
    assert!(matches!(Bag::open(temp.path().join("absent")), Err(BagError::NotFound { .. })));
}
