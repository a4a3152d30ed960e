//! rosbag2's own compression, of whole files and of single messages.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use isobath::bag::{Bag, BagError, ReadFilter, StorageKind};
use mcap::WriteOptions;
use rusqlite::{Connection, params};
use tempfile::TempDir;

use crate::recordings::{drain, read, small_mcap, to_sqlite, write_file};

/// Recordings that `rosbags` compressed; see `make_compressed_bags.py`.
fn made_by_rosbags(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/compressed").join(name)
}

/// The text of a serialized `std_msgs/String`.
fn text(cdr: &[u8]) -> &str {
    let length = u32::from_le_bytes(cdr[4..8].try_into().unwrap()) as usize;
    std::str::from_utf8(&cdr[8..8 + length - 1]).unwrap()
}

#[test]
fn what_rosbags_compresses_is_read() {
    let cases = [
        ("file_mcap", StorageKind::Mcap, "zstd per file"),
        ("file_sqlite3", StorageKind::Sqlite3, "zstd per file"),
        ("message_mcap", StorageKind::Mcap, "zstd per message"),
        ("message_sqlite3", StorageKind::Sqlite3, "zstd per message"),
    ];
    for (name, storage, compression) in cases {
        let folder = made_by_rosbags(name);
        let file = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| !path.ends_with("metadata.yaml"))
            .unwrap();
        // Without its metadata a recording is recognised by what is in it.
        for path in [folder, file] {
            let bag = Bag::open(&path).unwrap();
            assert_eq!(bag.info().storage, storage, "{name}");
            assert!(bag.info().compression.ends_with(compression), "{name}: {}", bag.info().compression);
            let spans = bag.topic_spans().unwrap();
            assert_eq!(spans[1].unwrap().last.0, 1_700_000_000_390_000_000, "{name}");
            let (messages, error) = drain(&bag, &ReadFilter::default());
            assert!(error.is_none(), "{name}: {error:?}");
            assert_eq!(messages.len(), 40, "{name}");
            for (i, message) in messages.iter().enumerate() {
                assert_eq!(text(&message.data), format!("message {i}"), "{name}");
                assert_eq!(message.topic, i % 2, "{name}");
                assert_eq!(message.log_time.0, 1_700_000_000_000_000_000 + i as i64 * 10_000_000, "{name}");
            }
        }
    }
}

/// Compresses a whole file, with its size in the frame's header as rosbag2 writes it.
fn pack(file: &Path) -> PathBuf {
    let packed = PathBuf::from(format!("{}.zstd", file.display()));
    fs::write(&packed, zstd::bulk::compress(&fs::read(file).unwrap(), 1).unwrap()).unwrap();
    fs::remove_file(file).unwrap();
    packed
}

fn metadata(folder: &Path, storage: &str, files: &[&str], mode: &str) {
    let text = format!(
        "rosbag2_bagfile_information:\n  version: 5\n  storage_identifier: {storage}\n  relative_file_paths: \
         [{}]\n  compression_format: zstd\n  compression_mode: {mode}\n",
        files.join(", ")
    );
    fs::write(folder.join("metadata.yaml"), text).unwrap();
}

#[test]
fn parts_are_decompressed_in_their_turn() {
    let temp = TempDir::new().unwrap();
    let whole = write_file(&temp, "whole.mcap", &small_mcap(300, WriteOptions::new()));
    let (expected, _) = read(&whole);
    let folder = temp.path().join("split");
    fs::create_dir(&folder).unwrap();
    for part in 0..3 {
        let file = to_sqlite(&whole, &temp.path().join(part.to_string()));
        let db = Connection::open(&file).unwrap();
        let (from, to) = (part * 100, (part + 1) * 100);
        db.execute(
            "DELETE FROM messages WHERE id NOT IN \
             (SELECT id FROM messages ORDER BY timestamp, id LIMIT ?2 - ?1 OFFSET ?1)",
            params![from, to],
        )
        .unwrap();
        drop(db);
        let target = folder.join(format!("split_{part}.db3"));
        fs::rename(&file, &target).unwrap();
        pack(&target);
    }
    metadata(&folder, "sqlite3", &["split_0.db3.zstd", "split_1.db3.zstd", "split_2.db3.zstd"], "FILE");

    let heard = Arc::new(AtomicU64::new(0));
    let total = Arc::clone(&heard);
    let bag = Bag::open_watched(
        &folder,
        Some(Arc::new(move |path: &Path, done, of| {
            assert!(path.to_string_lossy().ends_with(".db3.zstd") && done <= of);
            total.fetch_add(1, Ordering::Relaxed);
        })),
    )
    .unwrap();
    assert_eq!(heard.load(Ordering::Relaxed), 3);
    let mut stream = bag.messages(&ReadFilter::default()).unwrap();
    assert!(stream.next().unwrap().is_ok());
    assert!(heard.load(Ordering::Relaxed) < 6, "parts are not decompressed before they are needed");
    let (found, error) = drain(&bag, &ReadFilter::default());
    assert!(error.is_none(), "{error:?}");
    assert!(found == expected);
    assert!(bag.topic_spans().unwrap() == Bag::open(&whole).unwrap().topic_spans().unwrap());
}

#[test]
fn files_compressed_or_decompressed_by_hand_are_found() {
    let temp = TempDir::new().unwrap();
    let file = write_file(&temp, "bag_0.mcap", &small_mcap(50, WriteOptions::new()));
    let (expected, _) = read(&file);
    // The metadata says that it is compressed, and it is not any more.
    metadata(temp.path(), "mcap", &["bag_0.mcap.zstd"], "FILE");
    assert!(read(temp.path()).0 == expected);
    metadata(temp.path(), "mcap", &["bag_0.mcap"], "NONE");
    pack(&file);
    assert!(read(temp.path()).0 == expected);
    // Some recorders of version 4 and all before put the folder's name in front.
    metadata(temp.path(), "mcap", &["some_folder/bag_0.mcap.zstd"], "FILE");
    assert!(read(temp.path()).0 == expected);
}

#[test]
fn a_cut_compressed_mcap_delivers_what_is_there() {
    let temp = TempDir::new().unwrap();
    let file = write_file(&temp, "bag.mcap", &small_mcap(3000, WriteOptions::new().compression(None)));
    let (expected, _) = read(&file);
    let whole = fs::read(pack(&file)).unwrap();
    let mut most = 0;
    for percent in [10, 50, 90, 99] {
        let cut = write_file(&temp, "cut.mcap.zstd", &whole[..whole.len() * percent / 100]);
        let (found, error) = read(&cut);
        // The messages overlap in time, so that a cut of the file is no cut in time.
        let mut left = expected.iter();
        assert!(found.iter().all(|message| left.any(|e| e == message)));
        assert!(found.len() >= most);
        most = found.len();
        match error {
            Some(BagError::Packed { path, message, .. }) => {
                assert_eq!(path, cut);
                assert!(message.contains("cut off"), "{message}");
            }
            other => panic!("{percent} %: {other:?}"),
        }
    }
    assert!(most > 2000, "{most}");
}

#[test]
fn a_cut_compressed_database_is_one_error() {
    let temp = TempDir::new().unwrap();
    let source = write_file(&temp, "bag.mcap", &small_mcap(500, WriteOptions::new()));
    let packed = pack(&to_sqlite(&source, &temp.path().join("sqlite")));
    let whole = fs::read(&packed).unwrap();
    fs::write(&packed, &whole[..whole.len() - 50]).unwrap();
    let (found, error) = read(&packed);
    assert!(found.is_empty());
    assert!(matches!(error, Some(BagError::Packed { .. })), "{error:?}");
}

#[test]
fn damaged_messages_cost_only_themselves() {
    let temp = TempDir::new().unwrap();
    for storage in ["mcap", "sqlite3"] {
        let folder = temp.path().join(storage);
        fs::create_dir(&folder).unwrap();
        let source = made_by_rosbags(&format!("message_{storage}"));
        for entry in fs::read_dir(source).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
        }
        if storage == "sqlite3" {
            let db = Connection::open(folder.join("message_sqlite3.db3")).unwrap();
            db.execute("UPDATE messages SET data = substr(data, 1, length(data) - 2) WHERE id = 11", [])
                .unwrap();
            db.execute("UPDATE messages SET data = x'0001000004000000616263' WHERE id = 21", []).unwrap();
        } else {
            let file = folder.join("message_mcap.mcap");
            let mut bytes = fs::read(&file).unwrap();
            for name in ["message 10", "message 20"] {
                // Frames this short hold their text as it is; the checks around them are not stored.
                let at = bytes.windows(name.len()).position(|window| window == name.as_bytes()).unwrap();
                let frame =
                    bytes[..at].windows(4).rposition(|window| window == [0x28, 0xb5, 0x2f, 0xfd]).unwrap();
                bytes[frame + 4] ^= 0x3f;
            }
            fs::write(&file, bytes).unwrap();
        }
        let (found, error) = read(&folder);
        let found: Vec<&str> = found.iter().map(|message| text(&message.data)).collect();
        let expected: Vec<String> =
            (0..40).filter(|i| ![10, 20].contains(i)).map(|i| format!("message {i}")).collect();
        assert_eq!(found, expected, "{storage}");
        let told = error.unwrap().to_string();
        for part in ["/even", "1700000000.100000000", "zstd frame", "1 more"] {
            assert!(told.contains(part), "{storage}: {told}");
        }
    }
}

#[test]
fn unknown_compressions_are_named() {
    let temp = TempDir::new().unwrap();
    let told = |path: &Path| Bag::open(path).err().expect("refused").to_string();
    let yaml = |format: &str, mode: &str| {
        format!(
            "rosbag2_bagfile_information:\n  version: 9\n  storage_identifier: mcap\n  relative_file_paths: \
             [a.mcap]\n  compression_format: {format}\n  compression_mode: {mode}\n"
        )
    };
    for (format, mode, expected) in [
        ("lz4", "FILE", "compression_format 'lz4' per file"),
        ("brotli", "MESSAGE", "compression_format 'brotli' per message"),
        ("zstd", "CHUNK", "compression_mode 'chunk'"),
    ] {
        fs::write(temp.path().join("metadata.yaml"), yaml(format, mode)).unwrap();
        let text = told(temp.path());
        assert!(text.contains(expected) && text.contains("zstd per file or per message"), "{text}");
    }
    fs::remove_file(temp.path().join("metadata.yaml")).unwrap();
    let lz4 = write_file(&temp, "a.mcap.lz4", &[0x04, 0x22, 0x4d, 0x18, 1, 2, 3]);
    assert!(told(&lz4).contains("an lz4 file"));
    assert!(told(temp.path()).contains("an lz4 file"));
    fs::write(&lz4, zstd::bulk::compress(b"no recording", 1).unwrap()).unwrap();
    assert!(told(&lz4).contains("zstd around a file that starts with 'no recording'"));
}

#[test]
fn content_without_room_is_refused_before_it_is_written() {
    let temp = TempDir::new().unwrap();
    // Magic, descriptor (8 bytes of size, single segment), an exbibyte.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0xe0];
    frame.extend((1_u64 << 60).to_le_bytes());
    frame.extend([1, 0, 0]);
    let file = write_file(&temp, "bag_0.mcap.zstd", &frame);
    match Bag::open(&file).err() {
        Some(error @ BagError::NoSpace { .. }) => {
            let text = error.to_string();
            assert!(text.contains("bag_0.mcap.zstd") && text.contains("TMPDIR"), "{text}");
        }
        other => panic!("{other:?}"),
    }
}
