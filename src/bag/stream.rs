//! Messages of a recording and which of them are wanted.

use super::{BagError, mcap_reader::McapStream, split::SplitStream, sqlite_reader::SqliteStream};
use crate::message::Stamp;

/// One recorded message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BagMessage {
    /// Index into [`super::BagInfo::topics`].
    pub topic: usize,
    /// When the recorder received it.
    pub log_time: Stamp,
    /// Serialized message with its 4 encapsulation bytes.
    pub data: Vec<u8>,
}

/// Which messages are read. The default is all.
#[derive(Clone, Debug, Default)]
pub struct ReadFilter {
    /// Indices into [`super::BagInfo::topics`]; `None` means every topic.
    pub topics: Option<Vec<usize>>,
    /// Log time of the earliest message wanted.
    pub start: Option<Stamp>,
    /// Log time before which the wanted messages end: one logged at `end` is not delivered.
    pub end: Option<Stamp>,
}

/// A [`ReadFilter`] in the terms of one storage file.
#[derive(Clone, Debug)]
pub(super) struct FileFilter {
    /// Whether each topic of the file is wanted.
    pub topics: Vec<bool>,
    /// First nanosecond wanted.
    pub start: i64,
    /// First nanosecond not wanted.
    pub end: i64,
    /// Whether messages come in the order of the file instead of log time.
    pub as_written: bool,
}

impl FileFilter {
    /// Every message of a file with `topics` topics.
    pub fn all(topics: usize) -> Self {
        Self { topics: vec![true; topics], start: i64::MIN, end: i64::MAX, as_written: false }
    }

    /// Whether messages of `topic` are wanted.
    pub fn wants(&self, topic: usize) -> bool {
        self.topics.get(topic).copied().unwrap_or(false)
    }
}

/// Messages of one storage file, errors among them.
pub(super) enum FileStream {
    Mcap(McapStream),
    Sqlite(SqliteStream),
}

impl Iterator for FileStream {
    type Item = Result<BagMessage, BagError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Mcap(stream) => stream.next(),
            Self::Sqlite(stream) => stream.next(),
        }
    }
}

/// Messages in log-time order, equal times in the order of the file. Messages that cannot be read are
/// passed over; behind the last message comes one error for each file that is damaged or missing.
pub struct MessageStream(pub(super) SplitStream);

impl MessageStream {
    /// Payload bytes held in memory: read, decompressed, not yet delivered.
    pub fn pending_bytes(&self) -> usize {
        self.0.pending_bytes()
    }
}

impl Iterator for MessageStream {
    type Item = Result<BagMessage, BagError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}
