//! An MCAP file as a stream in log-time order, one chunk after the other.

use std::{cmp::Reverse, collections::BinaryHeap, fs::File, path::Path, sync::Arc};

use mcap::records::{Record, op};

use super::{
    BagError, BagMessage,
    info::{FileInfo, TimeSpan},
    mcap_chunk::ChunkReader,
    mcap_index::{Block, Index},
    mcap_record::{McapFile, RecordHead, parse_message, parse_record},
    read_at::{ReadAt, SizedFile},
    stream::FileFilter,
};
use crate::message::Stamp;

/// Messages held back to be sorted. Chunks of a recording overlap by a few messages; a file whose
/// chunks all claim the same time would otherwise be loaded as a whole.
const PENDING_LIMIT_BYTES: usize = 1 << 30;

/// An MCAP file with its index.
pub struct McapReader {
    file: McapFile,
    index: Arc<Index>,
}

impl McapReader {
    /// Opens `path` and reads its index.
    pub fn open(path: &Path) -> Result<Self, BagError> {
        let file = File::open(path).and_then(SizedFile::new).map_err(|e| BagError::io(path, e))?;
        Self::new(path, Arc::new(file))
    }

    /// Reads the index of `bytes`; `path` is for error messages.
    pub fn new(path: &Path, bytes: Arc<dyn ReadAt>) -> Result<Self, BagError> {
        let file = McapFile { path: path.to_path_buf(), bytes };
        let index = Arc::new(Index::read(&file)?);
        Ok(Self { file, index })
    }

    /// What the file holds.
    pub fn info(&self) -> FileInfo {
        let mut span = None;
        for block in self.index.blocks.iter().filter(|block| block.start != 0 || block.end != 0) {
            TimeSpan::extend(&mut span, TimeSpan { first: Stamp(block.start), last: Stamp(block.end) });
        }
        if span.is_none() && !self.index.blocks.is_empty() {
            span = Some(TimeSpan::at(Stamp(0)));
        }
        FileInfo { topics: self.index.topics.clone(), span, compressions: self.index.compressions.clone() }
    }

    /// The messages that pass `filter`.
    pub fn messages(&self, filter: FileFilter) -> McapStream {
        let wanted = |block: &&Block| {
            block.end >= filter.start
                && block.start < filter.end
                && (block.channels.is_empty()
                    || block.channels.iter().any(|(channel, _)| {
                        self.index.channels.get(channel).is_some_and(|&topic| filter.wants(topic))
                    }))
        };
        let mut blocks: Vec<(i64, u64)> =
            self.index.blocks.iter().filter(wanted).map(|block| (block.start, block.offset)).collect();
        if filter.as_written {
            blocks.sort_unstable_by_key(|(_, offset)| *offset);
        } else {
            blocks.sort_unstable();
        }
        McapStream {
            file: self.file.clone(),
            chunks: ChunkReader::default(),
            index: Arc::clone(&self.index),
            filter,
            blocks: blocks.into_iter(),
            pending: BinaryHeap::new(),
            pending_bytes: 0,
            told: false,
        }
    }

    /// First and last log time of each topic, from the message indices where the file has them.
    pub fn topic_spans(&self) -> Result<Vec<Option<TimeSpan>>, BagError> {
        if let Some(spans) = &self.index.spans {
            let mut spans = spans.clone();
            spans.resize(self.index.topics.len(), None);
            return Ok(spans);
        }
        let mut spans = vec![None; self.index.topics.len()];
        if self.index.blocks.iter().any(|block| block.channels.is_empty() && block.end != 0) {
            // Damage is told by whoever reads the messages.
            for message in self.messages(FileFilter::all(self.index.topics.len())).flatten() {
                if let Some(span) = spans.get_mut(message.topic) {
                    TimeSpan::extend(span, TimeSpan::at(message.log_time));
                }
            }
            return Ok(spans);
        }
        // From either end of the time line, until a chunk can no longer widen a topic's span.
        let mut by_start: Vec<&Block> = self.index.blocks.iter().collect();
        by_start.sort_by_key(|block| block.start);
        let mut by_end: Vec<&Block> = self.index.blocks.iter().collect();
        by_end.sort_by_key(|block| Reverse(block.end));
        for block in by_start {
            self.widen(block, &mut spans, |span| block.start < span.first.0)?;
        }
        for block in by_end {
            self.widen(block, &mut spans, |span| block.end > span.last.0)?;
        }
        Ok(spans)
    }

    /// Adds the message indices of `block` to the spans for which `useful` says that it may help.
    fn widen(
        &self,
        block: &Block,
        spans: &mut [Option<TimeSpan>],
        useful: impl Fn(TimeSpan) -> bool,
    ) -> Result<(), BagError> {
        for &(channel, offset) in &block.channels {
            let Some(span) = self.index.channels.get(&channel).and_then(|&topic| spans.get_mut(topic)) else {
                continue;
            };
            if span.is_some_and(|span| !useful(span)) {
                continue;
            }
            let head = self.file.head(offset)?;
            let body = self.file.body(head)?;
            let parsed = parse_record(head.opcode, &body)
                .map_err(|e| self.file.damage(offset, format!("message index: {e}")))?;
            let Record::MessageIndex(entries) = parsed else {
                return Err(self.file.damage(offset, "expected a message index"));
            };
            for entry in entries.records {
                // Times a stream would refuse are refused there, with the message's position.
                let time = i64::try_from(entry.log_time).unwrap_or(i64::MAX);
                TimeSpan::extend(span, TimeSpan::at(Stamp(time)));
            }
        }
        Ok(())
    }
}

/// A message waiting for its turn, ordered by log time where that is wanted, then by position in the file.
struct Pending {
    /// Log time, or 0 where the position alone decides
    turn: i64,
    log_time: i64,
    block: u64,
    number: u32,
    topic: usize,
    data: Vec<u8>,
}

impl Pending {
    fn key(&self) -> (i64, u64, u32) {
        (self.turn, self.block, self.number)
    }
}

impl PartialEq for Pending {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Pending {}

impl PartialOrd for Pending {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Pending {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// Messages of one MCAP file; holds the chunks that overlap the current moment, no more. A chunk that
/// cannot be read is an error among the messages; the stream goes on behind it.
pub struct McapStream {
    file: McapFile,
    chunks: ChunkReader,
    index: Arc<Index>,
    filter: FileFilter,
    /// Start and position of the blocks still to be read, in the order of their start.
    blocks: std::vec::IntoIter<(i64, u64)>,
    pending: BinaryHeap<Reverse<Pending>>,
    pending_bytes: usize,
    /// Whether the damage that the index found is told.
    told: bool,
}

impl McapStream {
    /// Payload bytes read but not yet delivered.
    pub fn pending_bytes(&self) -> usize {
        self.pending_bytes
    }

    /// Reads the block at `offset` into `pending`.
    fn load(&mut self, offset: u64) -> Result<(), BagError> {
        let head: RecordHead = self.file.head(offset)?;
        let mut number = 0;
        let mut drafts: Vec<Pending> = Vec::new();
        let mut bytes = self.pending_bytes;
        let mut take = |data: &[u8]| {
            let (channel, log_time, payload) = parse_message(data)?;
            let Some(&topic) = self.index.channels.get(&channel) else {
                return Err(format!("message of channel {channel}, which is not defined"));
            };
            number += 1;
            if self.filter.wants(topic) && (self.filter.start..self.filter.end).contains(&log_time) {
                bytes += payload.len();
                let turn = if self.filter.as_written { 0 } else { log_time };
                drafts.push(Pending { turn, log_time, block: offset, number, topic, data: payload.to_vec() });
            }
            Ok(())
        };
        match head.opcode {
            op::CHUNK => self.chunks.visit(&self.file, head, |opcode, data| {
                if opcode == op::MESSAGE { take(data) } else { Ok(()) }
            })?,
            op::MESSAGE => {
                let body = self.file.body(head)?;
                take(&body).map_err(|message| self.file.damage(offset, message))?;
            }
            other => {
                let message = format!("expected a chunk, found record {other:#04x}");
                return Err(self.file.damage(offset, message));
            }
        }
        if bytes > PENDING_LIMIT_BYTES {
            let message = format!("chunks overlap in time by more than {PENDING_LIMIT_BYTES} bytes");
            return Err(self.file.damage(offset, message));
        }
        self.pending_bytes = bytes;
        self.pending.extend(drafts.into_iter().map(Reverse));
        Ok(())
    }
}

impl Iterator for McapStream {
    type Item = Result<BagMessage, BagError>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(&(start, offset)) = self.blocks.as_slice().first() {
            // A block that starts at the same time may come earlier in the file.
            let as_written = self.filter.as_written;
            if self.pending.peek().is_some_and(|Reverse(message)| as_written || message.log_time < start) {
                break;
            }
            self.blocks.next();
            if let Err(error) = self.load(offset) {
                return Some(Err(error));
            }
        }
        if let Some(Reverse(message)) = self.pending.pop() {
            self.pending_bytes -= message.data.len();
            return Some(Ok(BagMessage {
                topic: message.topic,
                log_time: Stamp(message.log_time),
                data: message.data,
            }));
        }
        let damage = self.index.damage.as_ref().filter(|_| !self.told);
        self.told = true;
        damage.map(|(offset, message)| Err(self.file.damage(*offset, message.clone())))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        io::Cursor,
        path::Path,
        sync::{
            Arc,
            atomic::{AtomicU64, Ordering},
        },
    };

    use mcap::{WriteOptions, records::MessageHeader};

    use super::{FileFilter, McapReader, ReadAt};

    /// Bytes that count how many of them were read.
    struct Counting {
        bytes: Vec<u8>,
        read: AtomicU64,
    }

    impl ReadAt for Counting {
        fn size(&self) -> u64 {
            self.bytes.len() as u64
        }

        fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<()> {
            self.read.fetch_add(buffer.len() as u64, Ordering::Relaxed);
            let from = offset as usize;
            let source =
                self.bytes.get(from..from + buffer.len()).ok_or(std::io::ErrorKind::UnexpectedEof)?;
            buffer.copy_from_slice(source);
            Ok(())
        }
    }

    const CHUNK: u64 = 10_000;
    const MESSAGE: u64 = 1000;
    const COUNT: u64 = 1000;

    fn recording() -> Arc<Counting> {
        let mut bytes = Cursor::new(Vec::new());
        let mut writer =
            WriteOptions::new().compression(None).chunk_size(Some(CHUNK)).create(&mut bytes).unwrap();
        let channel = writer.add_channel(0, "/a", "cdr", &BTreeMap::default()).unwrap();
        for i in 0..COUNT {
            let header = MessageHeader { channel_id: channel, sequence: 0, log_time: i, publish_time: i };
            writer.write_to_known_channel(&header, &[7; MESSAGE as usize]).unwrap();
        }
        writer.finish().unwrap();
        drop(writer);
        Arc::new(Counting { bytes: bytes.into_inner(), read: AtomicU64::new(0) })
    }

    #[test]
    fn reading_holds_two_chunks_at_most() {
        let source = recording();
        let reader = McapReader::new(Path::new("a.mcap"), Arc::clone(&source) as Arc<dyn ReadAt>).unwrap();
        let opened = source.read.load(Ordering::Relaxed);
        assert!(opened < source.size() / 20, "opening read {opened} of {} bytes", source.size());
        let mut stream = reader.messages(FileFilter::all(1));
        let mut delivered = 0;
        while let Some(message) = stream.next() {
            delivered += message.unwrap().data.len() as u64;
            let ahead = (source.read.load(Ordering::Relaxed) - opened).saturating_sub(delivered);
            assert!(ahead < delivered / 10 + 3 * CHUNK, "{ahead} bytes read ahead");
            assert!(stream.pending_bytes() as u64 <= 2 * (CHUNK + MESSAGE));
        }
        assert_eq!(delivered, COUNT * MESSAGE);
    }

    #[test]
    fn the_order_of_the_file_is_kept_on_request() {
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = WriteOptions::new().chunk_size(Some(50)).create(&mut bytes).unwrap();
        let channel = writer.add_channel(0, "/a", "cdr", &BTreeMap::default()).unwrap();
        let times = [5_u64, 6, 7, 6, 5, 9, 1, 2, 6];
        for time in times {
            let header =
                MessageHeader { channel_id: channel, sequence: 0, log_time: time, publish_time: time };
            writer.write_to_known_channel(&header, &[7; 30]).unwrap();
        }
        writer.finish().unwrap();
        drop(writer);
        let source = Arc::new(Counting { bytes: bytes.into_inner(), read: AtomicU64::new(0) });
        let reader = McapReader::new(Path::new("a.mcap"), source as Arc<dyn ReadAt>).unwrap();
        let read = |filter| {
            reader.messages(filter).map(|message| message.unwrap().log_time.0 as u64).collect::<Vec<_>>()
        };
        assert_eq!(read(FileFilter { as_written: true, ..FileFilter::all(1) }), times);
        let mut sorted = times;
        sorted.sort_unstable();
        assert_eq!(read(FileFilter::all(1)), sorted);
    }

    #[test]
    fn spans_and_late_starts_do_not_read_the_data() {
        let source = recording();
        let reader = McapReader::new(Path::new("a.mcap"), Arc::clone(&source) as Arc<dyn ReadAt>).unwrap();
        let span = reader.topic_spans().unwrap()[0].unwrap();
        assert_eq!((span.first.0, span.last.0), (0, COUNT as i64 - 1));
        let late = FileFilter { start: COUNT as i64 - 5, ..FileFilter::all(1) };
        assert_eq!(reader.messages(late).count(), 5);
        let read = source.read.load(Ordering::Relaxed);
        assert!(read < source.size() / 10, "read {read} of {} bytes", source.size());
    }
}
