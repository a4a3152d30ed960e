//! What is damaged is told, and costs nothing but itself.

use std::{fs, sync::LazyLock};

use isobath::bag::{Bag, BagError, BagMessage, inspect};
use mcap::WriteOptions;
use proptest::prelude::*;
use tempfile::TempDir;

use crate::recordings::{read, real_bag, small_mcap, to_sqlite, write_file};

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
fn a_flipped_bit_costs_its_chunk_and_nothing_else() {
    let temp = TempDir::new().unwrap();
    let bytes = small_mcap(300, WriteOptions::new().compression(None));
    let whole = write_file(&temp, "whole.mcap", &bytes);
    let (expected, _) = read(&whole);
    let mut broken = bytes.clone();
    let middle = bytes.len() / 3;
    broken[middle] ^= 1;
    let path = write_file(&temp, "broken.mcap", &broken);
    let (found, error) = read(&path);
    // A chunk of 2000 bytes has ten messages of 200.
    assert!((expected.len() - 12..expected.len()).contains(&found.len()), "{}", found.len());
    let mut left = expected.iter();
    assert!(found.iter().all(|message| left.any(|e| e == message)), "in order, and only what was recorded");
    match error {
        Some(BagError::Mcap { path: told, offset, message }) => {
            assert_eq!(told, path);
            assert!((offset as usize) < middle && middle - (offset as usize) < 4000, "{offset} {middle}");
            assert!(message.contains("CRC"), "{message}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn several_damages_of_a_file_are_one_error() {
    let temp = TempDir::new().unwrap();
    let mut bytes = small_mcap(300, WriteOptions::new().compression(None));
    for third in [1, 2] {
        let at = bytes.len() * third / 4;
        bytes[at] ^= 1;
    }
    let path = write_file(&temp, "broken.mcap", &bytes);
    match read(&path).1 {
        Some(BagError::Several { first, more: 1 }) => assert!(matches!(*first, BagError::Mcap { .. })),
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
