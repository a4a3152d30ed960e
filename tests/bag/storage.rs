//! Both storages and every way to write MCAP give the same messages.

use isobath::{
    bag::{Bag, BagError, BagMessage, ReadFilter, StorageKind, inspect},
    message::Stamp,
};
use mcap::WriteOptions;
use tempfile::TempDir;

use crate::recordings::{drain, read, real_bag, small_mcap, to_sqlite, write_file};

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
