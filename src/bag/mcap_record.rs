//! Records of an MCAP file by position, every length checked against the file before memory is
//! taken for it. Format: <https://mcap.dev/spec>.

use std::{path::PathBuf, sync::Arc};

use mcap::records::{Record, op};

use super::{BagError, read_at::ReadAt};

/// Opcode and length in front of each record.
pub const HEAD_BYTES: u64 = 9;

/// Largest record or decompressed chunk accepted. Recorders cut chunks at about 1 MiB; one chunk
/// holds at least one message, and no sensor message comes near half a GiB. A corrupt length must not
/// make the reader take more memory than this.
pub(super) const RECORD_LIMIT: u64 = 512 << 20;

/// An MCAP file open for positioned reads.
#[derive(Clone)]
pub struct McapFile {
    /// For error messages.
    pub path: PathBuf,
    /// The content.
    pub bytes: Arc<dyn ReadAt>,
}

/// Where a record is and what it claims to be.
#[derive(Clone, Copy, Debug)]
pub struct RecordHead {
    /// Kind of record.
    pub opcode: u8,
    /// Position of the opcode.
    pub offset: u64,
    /// Bytes after opcode and length.
    pub length: u64,
}

impl RecordHead {
    /// Position of the next record.
    pub const fn next_offset(self) -> u64 {
        self.offset + HEAD_BYTES + self.length
    }
}

impl McapFile {
    /// Damage at byte `offset` of this file.
    pub fn damage(&self, offset: u64, message: impl Into<String>) -> BagError {
        BagError::mcap(&self.path, offset, message)
    }

    /// Reads `buffer.len()` bytes at `offset`.
    pub fn read(&self, buffer: &mut [u8], offset: u64) -> Result<(), BagError> {
        let size = self.bytes.size();
        if offset.checked_add(buffer.len() as u64).is_none_or(|end| end > size) {
            let message = format!("expected {} bytes, the file ends at byte {size}", buffer.len());
            return Err(self.damage(offset, message));
        }
        self.bytes.read_exact_at(buffer, offset).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => {
                self.damage(offset, "the file became shorter while it was read")
            }
            _ => BagError::io(&self.path, error),
        })
    }

    /// The record that starts at `offset`, which must lie inside the file as a whole.
    pub fn head(&self, offset: u64) -> Result<RecordHead, BagError> {
        let mut head = [0; HEAD_BYTES as usize];
        self.read(&mut head, offset)?;
        let [opcode, length @ ..] = head;
        let length = u64::from_le_bytes(length);
        let left = self.bytes.size() - offset - HEAD_BYTES;
        if length > left {
            let message = format!(
                "record {opcode:#04x} claims {length} bytes, the file has {left} more: cut off or corrupt"
            );
            return Err(self.damage(offset, message));
        }
        Ok(RecordHead { opcode, offset, length })
    }

    /// The bytes of a record, without opcode and length.
    pub fn body(&self, head: RecordHead) -> Result<Vec<u8>, BagError> {
        let mut body = Vec::new();
        self.read_body(head, &mut body)?;
        Ok(body)
    }

    /// As [`McapFile::body`], into memory that may have been used before.
    pub fn read_body(&self, head: RecordHead, body: &mut Vec<u8>) -> Result<(), BagError> {
        if head.length > RECORD_LIMIT {
            let message = format!("record of {} bytes, at most {RECORD_LIMIT} are accepted", head.length);
            return Err(self.damage(head.offset, message));
        }
        // Only what is new is filled with zeros.
        body.resize(head.length as usize, 0);
        self.read(body, head.offset + HEAD_BYTES)
    }
}

/// Parses a record. The parser takes memory as a record's counts claim it, so they are checked first
/// against the bytes that are there.
pub fn parse_record(opcode: u8, body: &[u8]) -> Result<Record<'_>, String> {
    counts_fit(opcode, body).ok_or("a name or a list that is longer than its record")?;
    mcap::parse_record(opcode, body).map_err(|error| error.to_string())
}

/// Walks over the strings and lists of the records that are read here.
fn counts_fit(opcode: u8, body: &[u8]) -> Option<()> {
    // Bytes in front of each 32-bit count; as many bytes as it says follow.
    let gaps: &[usize] = match opcode {
        op::SCHEMA => &[2, 0, 0],
        op::CHANNEL => &[4, 0, 0],
        op::CHUNK => &[28],
        op::MESSAGE_INDEX => &[2],
        op::CHUNK_INDEX => &[32, 8],
        op::STATISTICS => &[42],
        _ => &[],
    };
    let (mut counted, mut rest): (&[u8], &[u8]) = (&[], body);
    for &gap in gaps {
        (counted, rest) = split_counted(rest.get(gap..)?)?;
    }
    // The last list of a channel is one of strings.
    while opcode == op::CHANNEL && !counted.is_empty() {
        (_, counted) = split_counted(counted)?;
    }
    Some(())
}

fn split_counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (count, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u32::from_le_bytes(*count) as usize)
}

/// A message record: channel, log time, payload.
pub fn parse_message(body: &[u8]) -> Result<(u16, i64, &[u8]), String> {
    // channel id u16, sequence u32, log time u64, publish time u64, then the payload
    let Some((head, payload)) = body.split_first_chunk::<22>() else {
        return Err(format!("message record of {} bytes, expected at least 22", body.len()));
    };
    let channel = u16::from_le_bytes([head[0], head[1]]);
    let [_, _, _, _, _, _, a, b, c, d, e, f, g, h, ..] = *head;
    let log_time = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
    let log_time =
        i64::try_from(log_time).map_err(|_| format!("log time {log_time} ns is beyond the year 2262"))?;
    Ok((channel, log_time, payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record's body with `gap` zeros, then a string of one byte, after each the next gap.
    fn body(gaps: &[usize]) -> Vec<u8> {
        let part = |&gap: &usize| [vec![0; gap], vec![1, 0, 0, 0, b'a']].concat();
        gaps.iter().flat_map(part).collect()
    }

    #[test]
    fn a_claim_of_4_gib_takes_no_memory() {
        let records: [(u8, &[usize]); 4] =
            [(op::SCHEMA, &[2, 0]), (op::CHANNEL, &[4, 0]), (op::CHUNK, &[]), (op::CHUNK_INDEX, &[])];
        for (opcode, gaps) in records {
            let gap = match opcode {
                op::CHUNK => 28,
                op::CHUNK_INDEX => 32,
                _ => 0,
            };
            let forged = [body(gaps), vec![0; gap], vec![0xff; 4], vec![0; 100]].concat();
            let error = parse_record(opcode, &forged).unwrap_err();
            assert!(error.contains("longer than its record"), "{opcode:#04x}: {error}");
        }
        // A channel's list fits, the name in it does not.
        let list = [vec![8, 0, 0, 0], vec![0xf0; 8]].concat();
        assert!(parse_record(op::CHANNEL, &[body(&[4, 0]), list].concat()).is_err());
    }

    #[test]
    fn what_fits_is_parsed() {
        let list = [vec![10, 0, 0, 0], body(&[0, 0])].concat();
        let channel = [body(&[4, 0]), list].concat();
        let Ok(Record::Channel(channel)) = parse_record(op::CHANNEL, &channel) else { panic!("no channel") };
        assert_eq!((channel.topic.as_str(), channel.metadata.len()), ("a", 1));
    }
}
