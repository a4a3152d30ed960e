//! Several storage files of one recording, merged in time order.

use std::sync::Arc;

use super::{
    BagError, BagMessage,
    packed_message::{MessageUnpacker, is_packed},
    part::Part,
    stream::{FileFilter, FileStream},
};

/// A part that is being read: its next message waits in `head`.
struct Active {
    part: usize,
    stream: FileStream,
    head: BagMessage,
}

/// What is wrong with one part.
struct Damage {
    part: usize,
    first: BagError,
    more: u64,
    /// Whether what else is found wrong follows from this.
    explains_all: bool,
}

/// Merges the parts; a part is opened when its first message may be the next. Damage costs the
/// messages it lies on: all others are delivered, then the damage of each part is told.
pub struct SplitStream {
    parts: Arc<Vec<Part>>,
    filter: FileFilter,
    /// Whether every message is a zstd frame; those that look like one are decompressed anyway.
    packed_messages: bool,
    unpacker: Option<MessageUnpacker>,
    /// Parts not opened yet, by their start, the earliest last.
    waiting: Vec<usize>,
    active: Vec<Active>,
    damages: Vec<Damage>,
}

impl SplitStream {
    /// Messages of `parts` that pass `filter`, whose topics are those of the recording.
    pub fn new(parts: Arc<Vec<Part>>, filter: FileFilter, packed_messages: bool) -> Self {
        // Parts without a readable message are opened too: they may have damage to report.
        let mut waiting: Vec<usize> = (0..parts.len()).collect();
        waiting.sort_by_key(|&i| std::cmp::Reverse((part_start(&parts, i), i)));
        Self {
            parts,
            filter,
            packed_messages,
            unpacker: None,
            waiting,
            active: Vec::new(),
            damages: Vec::new(),
        }
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

    fn open(&mut self, part: usize) {
        let Some(source) = self.parts.get(part) else { return };
        let filter = FileFilter {
            topics: source.topics.iter().map(|&topic| self.filter.wants(topic)).collect(),
            start: self.filter.start,
            end: self.filter.end,
            as_written: self.filter.as_written,
        };
        match source.messages(filter) {
            Ok((stream, damage)) => {
                self.damages.extend(damage.map(|first| Damage { part, first, more: 0, explains_all: true }));
                self.advance(part, stream);
            }
            Err(error) => self.note(part, error),
        }
    }

    /// Puts `stream` back with its next readable message, or drops it at its end.
    fn advance(&mut self, part: usize, mut stream: FileStream) {
        while let Some(next) = stream.next() {
            match next.and_then(|message| self.unpacked(part, message)) {
                Ok(mut head) => {
                    if let Some(&topic) = self.parts.get(part).and_then(|p| p.topics.get(head.topic)) {
                        head.topic = topic;
                    }
                    return self.active.push(Active { part, stream, head });
                }
                Err(error) => self.note(part, error),
            }
        }
    }

    /// `message` without rosbag2's compression; its topic is the part's.
    fn unpacked(&mut self, part: usize, mut message: BagMessage) -> Result<BagMessage, BagError> {
        let Some(source) = self.parts.get(part) else { return Ok(message) };
        let Some(topic) = source.info.topics.get(message.topic) else { return Ok(message) };
        if !(self.packed_messages || topic.encoding == "cdr" && is_packed(&message.data)) {
            return Ok(message);
        }
        if self.unpacker.is_none() {
            self.unpacker = MessageUnpacker::new();
        }
        let unpacker = self.unpacker.as_mut().ok_or_else(|| "no memory to decompress it".to_owned());
        match unpacker.and_then(|unpacker| unpacker.unpack(&message.data)) {
            Ok(data) => {
                message.data = data;
                Ok(message)
            }
            Err(reason) => Err(BagError::Message {
                path: source.path.clone(),
                topic: topic.name.clone(),
                log_time: message.log_time,
                message: reason,
            }),
        }
    }

    fn note(&mut self, part: usize, error: BagError) {
        match self.damages.iter_mut().find(|damage| damage.part == part) {
            Some(known) => known.more += u64::from(!known.explains_all),
            None => self.damages.push(Damage { part, first: error, more: 0, explains_all: false }),
        }
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
        loop {
            let earliest = self.earliest();
            let now = earliest.and_then(|i| self.active.get(i)).map(|active| active.head.log_time.0);
            if let Some(&part) = self.waiting.last()
                && now.is_none_or(|now| part_start(&self.parts, part) <= now)
            {
                self.waiting.pop();
                self.open(part);
                continue;
            }
            if let Some(earliest) = earliest {
                let Active { part, stream, head } = self.active.swap_remove(earliest);
                self.advance(part, stream);
                return Some(Ok(head));
            }
            if self.damages.is_empty() {
                return None;
            }
            let Damage { first, more, .. } = self.damages.remove(0);
            return Some(Err(match more {
                0 => first,
                more => BagError::Several { first: Box::new(first), more },
            }));
        }
    }
}
