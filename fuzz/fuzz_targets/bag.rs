//! Recordings: MCAP, SQLite and `metadata.yaml`, as bytes and as records or rows of any content.

#![no_main]

use std::{fs, path::Path};

use arbitrary::Arbitrary;
use isobath::bag::{Bag, ReadFilter, inspect};
use isobath_fuzz::{
    mcap_file::Recording,
    sqlite_file::{Database, EMPTY},
    with_file,
};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Mcap(&'a [u8]),
    Sqlite(&'a [u8]),
    Metadata(&'a str),
    Records(Recording<'a>),
    Rows(Database<'a>),
}

/// Reads all there is, twice where the second reading may differ.
fn read(path: &Path) {
    let Ok(bag) = Bag::open(path) else { return };
    let topics = bag.info().topics.len();
    let (first, last) = (bag.info().start, bag.info().end);
    let _ = bag.topic_spans();
    let _ = inspect(&bag);
    let part = ReadFilter { start: Some(first.offset_ns(1)), end: Some(last), topics: None };
    for filter in [ReadFilter::default(), part] {
        let Ok(mut messages) = bag.messages(&filter) else { continue };
        let mut latest = None;
        for message in messages.by_ref() {
            let Ok(message) = message else { break };
            assert!(message.topic < topics);
            assert!(latest <= Some(message.log_time), "{latest:?} before {:?}", message.log_time);
            assert!(filter.start.is_none_or(|start| start <= message.log_time));
            assert!(filter.end.is_none_or(|end| message.log_time < end));
            latest = Some(message.log_time);
        }
        assert!(messages.next().is_none(), "a stream goes on after its end or an error");
    }
}

fuzz_target!(|input: Input<'_>| {
    match input {
        Input::Mcap(bytes) => with_file("fuzz.mcap", bytes, read),
        Input::Sqlite(bytes) => with_file("fuzz.db3", bytes, read),
        Input::Records(recording) => with_file("fuzz.mcap", &recording.to_bytes(), read),
        Input::Rows(database) => with_file("fuzz.db3", EMPTY, |path| {
            database.write(path);
            read(path);
        }),
        Input::Metadata(text) => with_file("metadata.yaml", text.as_bytes(), |path| {
            let folder = path.parent().unwrap_or(path);
            // What a metadata file may name is there.
            fs::write(folder.join("bag_0.mcap"), Recording::default().to_bytes()).expect("space for a bag");
            read(folder);
        }),
    }
});
