//! Recordings to test with, and reading them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use isobath::bag::{Bag, BagError, BagMessage, BagWriter, OfferedQos, ReadFilter};
use mcap::{WriteOptions, records::MessageHeader};
use rusqlite::{Connection, params};
use tempfile::TempDir;

pub fn real_bag() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/real_sensors")
}

/// All messages up to the first error.
pub fn read(path: &Path) -> (Vec<BagMessage>, Option<BagError>) {
    match Bag::open(path) {
        Ok(bag) => drain(&bag, &ReadFilter::default()),
        Err(error) => (Vec::new(), Some(error)),
    }
}

pub fn drain(bag: &Bag, filter: &ReadFilter) -> (Vec<BagMessage>, Option<BagError>) {
    let mut messages = Vec::new();
    let mut stream = bag.messages(filter).unwrap();
    while let Some(next) = stream.next() {
        match next {
            Ok(message) => messages.push(message),
            Err(error) => {
                assert!(stream.next().is_none(), "one file has one error, behind all messages");
                return (messages, Some(error));
            }
        }
    }
    (messages, None)
}

/// The recording at `source` as a rosbag2 SQLite folder of schema 4.
pub fn to_sqlite(source: &Path, folder: &Path) -> PathBuf {
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
pub fn small_mcap(count: u32, options: WriteOptions) -> Vec<u8> {
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

pub fn write_file(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

pub fn copy(source: &Bag, target: &Path) {
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
