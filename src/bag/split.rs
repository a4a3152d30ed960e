//! Several storage files of one recording, merged in time order.

use std::sync::Arc;

use super::{
    BagError, BagMessage,
    info::{FileInfo, TimeSpan},
    mcap_reader::McapReader,
    sqlite_reader::SqliteReader,
    stream::{FileFilter, FileStream},
};

/// An open storage file.
pub enum Reader {
    /// An MCAP file.
    Mcap(McapReader),
    /// An SQLite file.
    Sqlite(SqliteReader),
}

impl Reader {
    /// The messages that pass `filter`.
    fn messages(&self, filter: FileFilter) -> Result<FileStream, BagError> {
        match self {
            Self::Mcap(reader) => Ok(FileStream::Mcap(reader.messages(filter))),
            Self::Sqlite(reader) => reader.messages(&filter).map(FileStream::Sqlite),
        }
    }

    /// First and last log time of each topic of the file.
    pub fn topic_spans(&self) -> Result<Vec<Option<TimeSpan>>, BagError> {
        match self {
            Self::Mcap(reader) => reader.topic_spans(),
            Self::Sqlite(reader) => Ok(reader.topic_spans()),
        }
    }
}

/// A storage file and how its topics map to those of the recording.
pub struct Part {
    /// What it holds.
    pub info: FileInfo,
    /// The open file.
    pub reader: Reader,
    /// Index in the recording of each of the file's topics.
    pub topics: Vec<usize>,
}

/// A part that is being read: its next message waits in `head`.
struct Active {
    part: usize,
    stream: FileStream,
    head: BagMessage,
}

/// Merges the parts; a part is opened when its first message may be the next.
pub struct SplitStream {
    parts: Arc<Vec<Part>>,
    filter: FileFilter,
    /// Parts not opened yet, by their start, the earliest last.
    waiting: Vec<usize>,
    active: Vec<Active>,
    failure: Option<BagError>,
    ended: bool,
}

impl SplitStream {
    /// Messages of `parts` that pass `filter`, whose topics are those of the recording.
    pub fn new(parts: Arc<Vec<Part>>, filter: FileFilter) -> Self {
        // Parts without a readable message are opened too: they may have damage to report.
        let mut waiting: Vec<usize> = (0..parts.len()).collect();
        waiting.sort_by_key(|&i| std::cmp::Reverse((part_start(&parts, i), i)));
        Self { parts, filter, waiting, active: Vec::new(), failure: None, ended: false }
    }

    /// Payload bytes read but not delivered.
    pub fn pending_bytes(&self) -> usize {
        let of = |active: &Active| {
            active.head.data.len()
                + match &active.stream {
                    FileStream::Mcap(stream) => stream.pending_bytes(),
                    FileStream::Sqlite(_) => 0,
                }
        };
        self.active.iter().map(of).sum()
    }

    fn open(&mut self, part: usize) -> Result<(), BagError> {
        let Some(source) = self.parts.get(part) else { return Ok(()) };
        let filter = FileFilter {
            topics: source.topics.iter().map(|&topic| self.filter.wants(topic)).collect(),
            start: self.filter.start,
            end: self.filter.end,
        };
        let stream = source.reader.messages(filter)?;
        self.advance(part, stream)
    }

    /// Puts `stream` back with its next message, or drops it at its end.
    fn advance(&mut self, part: usize, mut stream: FileStream) -> Result<(), BagError> {
        let Some(message) = stream.next() else { return Ok(()) };
        let mut head = message?;
        if let Some(&topic) = self.parts.get(part).and_then(|p| p.topics.get(head.topic)) {
            head.topic = topic;
        }
        self.active.push(Active { part, stream, head });
        Ok(())
    }

    /// The active part whose head is earliest; equal times in the order of the parts.
    fn earliest(&self) -> Option<usize> {
        (0..self.active.len()).min_by_key(|&i| self.active.get(i).map(|a| (a.head.log_time, a.part)))
    }
}

fn part_start(parts: &[Part], part: usize) -> i64 {
    parts.get(part).and_then(|p| p.info.span).map_or(i64::MAX, |span| span.first.0)
}

impl Iterator for SplitStream {
    type Item = Result<BagMessage, BagError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            if let Some(error) = self.failure.take() {
                self.ended = true;
                return Some(Err(error));
            }
            let earliest = self.earliest();
            let now = earliest.and_then(|i| self.active.get(i)).map(|active| active.head.log_time.0);
            if let Some(&part) = self.waiting.last()
                && now.is_none_or(|now| part_start(&self.parts, part) <= now)
            {
                self.waiting.pop();
                self.failure = self.open(part).err();
                continue;
            }
            let Some(earliest) = earliest else {
                self.ended = true;
                break;
            };
            let Active { part, stream, head } = self.active.swap_remove(earliest);
            self.failure = self.advance(part, stream).err();
            return Some(Ok(head));
        }
        None
    }
}
