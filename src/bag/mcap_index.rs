//! What an MCAP file holds and where: from its summary, or from a walk through the whole file when
//! the summary is missing (recording cut off) or does not fit.

use std::collections::HashMap;

use mcap::{
    MAGIC,
    records::{self, Record, op},
    sans_io::{LinearReadEvent, LinearReader, LinearReaderOptions},
};

use super::{
    BagError, TopicInfo,
    info::TimeSpan,
    mcap_chunk::ChunkReader,
    mcap_record::{HEAD_BYTES, McapFile, RecordHead, parse_message, parse_record},
    qos::OfferedQos,
};
use crate::message::Stamp;

/// Footer record (9 + 20 bytes) and end magic.
const FOOTER_BYTES: u64 = HEAD_BYTES + 20 + MAGIC.len() as u64;

/// A data-end record: opcode, length, CRC.
const DATA_END_BYTES: u64 = HEAD_BYTES + 4;

/// A run of messages that is read at once: a chunk, or a message outside of chunks.
#[derive(Clone, Debug)]
pub struct Block {
    /// Earliest log time inside, ns.
    pub start: i64,
    /// Latest log time inside, ns.
    pub end: i64,
    /// Position of its record.
    pub offset: u64,
    /// Channels inside and where the message index of each is; empty when not known.
    pub channels: Box<[(u16, u64)]>,
}

/// Contents of an MCAP file.
#[derive(Default)]
pub struct Index {
    /// Blocks in file order.
    pub blocks: Vec<Block>,
    /// Topics in order of their channels.
    pub topics: Vec<TopicInfo>,
    /// Channel id to index into `topics`.
    pub channels: HashMap<u16, usize>,
    /// First and last log time of each topic, when a walk found them.
    pub spans: Option<Vec<Option<TimeSpan>>>,
    /// Names of chunk compressions, `none` for uncompressed ones.
    pub compressions: Vec<String>,
    /// What is wrong with the file behind the last block.
    pub damage: Option<(u64, String)>,
    schemas: HashMap<u16, (String, String)>,
}

impl Index {
    /// Reads the index of `file`. Fails only if it is no MCAP file at all; damage is kept in the
    /// index, with what lies before it.
    pub fn read(file: &McapFile) -> Result<Self, BagError> {
        let mut magic = [0; MAGIC.len()];
        file.read(&mut magic, 0)?;
        if magic != *MAGIC {
            return Err(file.damage(0, "expected the MCAP magic bytes"));
        }
        match Self::from_summary(file) {
            Ok(Some(index)) => Ok(index),
            Ok(None) => Self::walk(file, None),
            Err(BagError::Mcap { offset, message, .. }) => Self::walk(file, Some((offset, message))),
            Err(other) => Err(other),
        }
    }

    /// The index as the summary states it; `None` if the file is sound but its summary says too
    /// little to read by.
    fn from_summary(file: &McapFile) -> Result<Option<Self>, BagError> {
        let size = file.bytes.size();
        let Some(footer_at) = size.checked_sub(FOOTER_BYTES) else {
            return Err(file.damage(size, "the file ends before its footer: recording cut off"));
        };
        let mut footer = [0; FOOTER_BYTES as usize];
        file.read(&mut footer, footer_at)?;
        if !footer.ends_with(MAGIC) || footer[0] != op::FOOTER {
            return Err(file.damage(size, "the file ends without a footer: recording cut off"));
        }
        let [_, _, _, _, _, _, _, _, _, a, b, c, d, e, f, g, h, ..] = footer;
        let summary_at = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        if summary_at == 0 {
            return Ok(None);
        }
        let fits = summary_at.checked_sub(DATA_END_BYTES).filter(|_| summary_at <= footer_at);
        let Some(from) = fits else {
            return Err(
                file.damage(footer_at, format!("summary at byte {summary_at} is outside of the file"))
            );
        };

        let mut index = Self::default();
        let mut statistics = None;
        index.read_summary(file, from, &mut statistics)?;

        // Blocks that overlap or lie outside of the data would be read twice or not at all.
        index.blocks.sort_by_key(|block| block.offset);
        let mut free_from = MAGIC.len() as u64;
        for block in &index.blocks {
            if block.offset < free_from || block.offset >= summary_at || block.end < block.start {
                return Err(file.damage(summary_at, "chunk index that does not fit the file"));
            }
            free_from = block.offset + HEAD_BYTES;
        }
        let Some(statistics) = statistics else { return Ok(None) };
        if statistics.chunk_count as usize != index.blocks.len()
            || (statistics.message_count > 0 && index.blocks.is_empty())
        {
            return Ok(None);
        }
        for (channel, count) in &statistics.channel_message_counts {
            let Some(topic) = index.channels.get(channel).and_then(|&i| index.topics.get_mut(i)) else {
                return Ok(None);
            };
            topic.count = topic.count.saturating_add(*count);
        }
        Ok(Some(index))
    }

    /// Reads the records of the summary section, whose CRC is checked where one is stored. `from` is
    /// the data-end record in front of it, where the reader starts to compute that CRC.
    fn read_summary(
        &mut self,
        file: &McapFile,
        from: u64,
        statistics: &mut Option<records::Statistics>,
    ) -> Result<(), BagError> {
        let size = file.bytes.size();
        let head = file.head(from)?;
        if head.opcode != op::DATA_END || head.length != 4 {
            return Err(file.damage(from, "expected the end of the data section"));
        }
        let mut reader = LinearReader::new_with_options(
            LinearReaderOptions::default()
                .with_skip_start_magic(true)
                .with_emit_chunks(true)
                .with_validate_summary_section_crc(true)
                .with_record_length_limit((size - from) as usize),
        );
        let mut position = from;
        while let Some(event) = reader.next_event() {
            match event.map_err(|e| file.damage(position, format!("summary: {e}")))? {
                LinearReadEvent::ReadRequest(wanted) => {
                    let count = (wanted as u64).min(size - position) as usize;
                    let target = reader.insert(count);
                    file.read(&mut target[..count], position)?;
                    reader.notify_read(count);
                    position += count as u64;
                }
                LinearReadEvent::Record { opcode, data } => {
                    self.summary_record(opcode, data, statistics)
                        .map_err(|message| file.damage(position, format!("summary: {message}")))?;
                }
            }
        }
        Ok(())
    }

    fn summary_record(
        &mut self,
        opcode: u8,
        data: &[u8],
        statistics: &mut Option<records::Statistics>,
    ) -> Result<(), String> {
        match opcode {
            op::STATISTICS => {
                if let Record::Statistics(found) = parse_record(opcode, data)? {
                    *statistics = Some(found);
                }
                Ok(())
            }
            op::CHUNK_INDEX => {
                let Record::ChunkIndex(chunk) = parse_record(opcode, data)? else { return Ok(()) };
                self.note_compression(&chunk.compression);
                self.blocks.push(Block {
                    start: log_time(chunk.message_start_time)?,
                    end: log_time(chunk.message_end_time)?,
                    offset: chunk.chunk_start_offset,
                    channels: chunk.message_index_offsets.into_iter().collect(),
                });
                Ok(())
            }
            _ => self.definition_record(opcode, data),
        }
    }

    /// Takes in a schema or channel; other records are passed over.
    fn definition_record(&mut self, opcode: u8, data: &[u8]) -> Result<(), String> {
        if opcode != op::SCHEMA && opcode != op::CHANNEL {
            return Ok(());
        }
        match parse_record(opcode, data)? {
            Record::Schema { header, data } => {
                let definition = String::from_utf8_lossy(&data).into_owned();
                self.schemas.insert(header.id, (header.name, definition));
            }
            Record::Channel(channel) => self.add_channel(channel)?,
            _ => {}
        }
        Ok(())
    }

    fn add_channel(&mut self, channel: records::Channel) -> Result<(), String> {
        let (type_name, definition) = match self.schemas.get(&channel.schema_id) {
            Some((name, definition)) => (name.clone(), definition.clone()),
            None if channel.schema_id == 0 => Default::default(),
            None => return Err(format!("channel '{}' names no known schema", channel.topic)),
        };
        let known = self.topics.iter().position(|t| t.name == channel.topic && t.type_name == type_name);
        let topic = known.unwrap_or(self.topics.len());
        if self.channels.insert(channel.id, topic).is_some_and(|before| before != topic) {
            return Err(format!("channel {} is defined twice", channel.id));
        }
        if known.is_none() {
            let stored = channel.metadata.get("offered_qos_profiles").map_or("", String::as_str);
            let offered_qos = OfferedQos::parse_list(stored).unwrap_or_else(|error| {
                tracing::warn!(topic = channel.topic, error, "offered_qos_profiles is not understood");
                Vec::new()
            });
            self.topics.push(TopicInfo {
                name: channel.topic,
                type_name,
                type_hash: channel.metadata.get("topic_type_hash").filter(|hash| !hash.is_empty()).cloned(),
                encoding: channel.message_encoding,
                definition,
                offered_qos,
                count: 0,
            });
        }
        Ok(())
    }

    fn note_compression(&mut self, name: &str) {
        let name = if name.is_empty() { "none" } else { name };
        if !self.compressions.iter().any(|known| known == name) {
            self.compressions.push(name.to_owned());
        }
    }

    /// Builds the index from the data itself, up to the first damage. `problem` is what was wrong
    /// with the summary, reported behind the last message if the data shows nothing worse.
    fn walk(file: &McapFile, problem: Option<(u64, String)>) -> Result<Self, BagError> {
        let mut index = Self { spans: Some(Vec::new()), ..Self::default() };
        let mut chunks = ChunkReader::default();
        let mut offset = MAGIC.len() as u64;
        while offset < file.bytes.size() {
            let step = file.head(offset).and_then(|head| {
                if head.opcode == op::DATA_END || head.opcode == op::FOOTER {
                    return Ok(None);
                }
                index.walk_record(file, head, &mut chunks)?;
                Ok(Some(head.next_offset()))
            });
            match step {
                Ok(Some(next)) => offset = next,
                Ok(None) => break,
                Err(BagError::Mcap { offset, message, .. }) => {
                    index.damage = Some((offset, message));
                    return Ok(index);
                }
                Err(other) => return Err(other),
            }
        }
        index.damage = problem;
        Ok(index)
    }

    fn walk_record(
        &mut self,
        file: &McapFile,
        head: RecordHead,
        chunks: &mut ChunkReader,
    ) -> Result<(), BagError> {
        match head.opcode {
            op::CHUNK => {
                // Into a draft first: a chunk that turns out damaged half-way adds no counts.
                let mut seen: Vec<(u16, i64)> = Vec::new();
                let mut compression = vec![0; 4];
                chunks.visit(file, head, |opcode, data| {
                    if opcode != op::MESSAGE {
                        return self.definition_record(opcode, data);
                    }
                    let (channel, time, _) = parse_message(data)?;
                    if !self.channels.contains_key(&channel) {
                        return Err(format!("message of channel {channel}, which is not defined"));
                    }
                    seen.push((channel, time));
                    Ok(())
                })?;
                // start, end, size, CRC, then the name's length and the name
                file.read(&mut compression, head.offset + HEAD_BYTES + 28)?;
                let length = compression.iter().rev().fold(0usize, |sum, &byte| sum << 8 | byte as usize);
                compression.resize(length.min(head.length as usize), 0);
                file.read(&mut compression, head.offset + HEAD_BYTES + 32)?;
                self.note_compression(&String::from_utf8_lossy(&compression));
                self.add_block(head.offset, &seen);
                Ok(())
            }
            op::MESSAGE => {
                let mut start = [0; 22];
                let count = start.len().min(head.length as usize);
                file.read(&mut start[..count], head.offset + HEAD_BYTES)?;
                let (channel, time, _) =
                    parse_message(&start[..count]).map_err(|message| file.damage(head.offset, message))?;
                if !self.channels.contains_key(&channel) {
                    let message = format!("message of channel {channel}, which is not defined");
                    return Err(file.damage(head.offset, message));
                }
                self.note_compression("");
                self.add_block(head.offset, &[(channel, time)]);
                Ok(())
            }
            op::SCHEMA | op::CHANNEL => {
                let body = file.body(head)?;
                self.definition_record(head.opcode, &body)
                    .map_err(|message| file.damage(head.offset, message))
            }
            _ => Ok(()),
        }
    }

    fn add_block(&mut self, offset: u64, messages: &[(u16, i64)]) {
        let mut span: Option<TimeSpan> = None;
        let spans = self.spans.get_or_insert_default();
        spans.resize(self.topics.len(), None);
        for (channel, time) in messages {
            let moment = TimeSpan::at(Stamp(*time));
            TimeSpan::extend(&mut span, moment);
            let Some(&topic) = self.channels.get(channel) else { continue };
            if let Some(info) = self.topics.get_mut(topic) {
                info.count += 1;
            }
            if let Some(of_topic) = spans.get_mut(topic) {
                TimeSpan::extend(of_topic, moment);
            }
        }
        if let Some(TimeSpan { first, last }) = span {
            self.blocks.push(Block { start: first.0, end: last.0, offset, channels: Box::default() });
        }
    }
}

fn log_time(time: u64) -> Result<i64, String> {
    i64::try_from(time).map_err(|_| format!("log time {time} ns is beyond the year 2262"))
}
