//! Chunks of an MCAP file, decompressed at once into memory that is kept from one to the next: most of what
//! reading a recording costs is here.

use mcap::{
    records::{ChunkHeader, Record, op},
    sans_io::{LinearReadEvent, LinearReader, LinearReaderOptions},
};
use zstd::zstd_safe::{DCtx, get_error_name};

use super::{
    BagError,
    mcap_record::{HEAD_BYTES, McapFile, RECORD_LIMIT, RecordHead, parse_record},
};

/// Fixed bytes of a chunk record before its compressed data, without the compression's name.
const CHUNK_HEADER_BYTES: u64 = 40;

/// Memory beyond this is given back after a chunk. Recorders cut chunks at about 1 MiB.
const KEPT_BYTES: usize = 16 << 20;

/// Reads chunks.
#[derive(Default)]
pub struct ChunkReader {
    body: Vec<u8>,
    content: Vec<u8>,
    zstd: Option<DCtx<'static>>,
}

impl ChunkReader {
    /// Decompresses the chunk at `head`, checks its CRC, then hands each record inside to `visit` as
    /// opcode and body. Nothing is visited of a chunk whose stored CRC does not match.
    pub fn visit(
        &mut self,
        file: &McapFile,
        head: RecordHead,
        visit: impl FnMut(u8, &[u8]) -> Result<(), String>,
    ) -> Result<(), BagError> {
        file.read_body(head, &mut self.body)?;
        let result = self.visit_body(head, visit).map_err(|message| file.damage(head.offset, message));
        for buffer in [&mut self.body, &mut self.content] {
            if buffer.capacity() > KEPT_BYTES {
                *buffer = Vec::new();
            }
        }
        result
    }

    fn visit_body(
        &mut self,
        head: RecordHead,
        visit: impl FnMut(u8, &[u8]) -> Result<(), String>,
    ) -> Result<(), String> {
        let chunk = |error: String| format!("chunk: {error}");
        let Record::Chunk { header, data } = parse_record(op::CHUNK, &self.body).map_err(chunk)? else {
            return Err("expected a chunk".into());
        };
        // Bytes after the compressed data would let a record inside run past the chunk.
        let header_bytes = CHUNK_HEADER_BYTES + header.compression.len() as u64;
        if header_bytes.checked_add(header.compressed_size) != Some(head.length) {
            let claimed = header.compressed_size;
            return Err(format!("chunk of {} bytes claims {claimed} compressed ones", head.length));
        }
        if header.uncompressed_size > RECORD_LIMIT {
            let size = header.uncompressed_size;
            return Err(format!("chunk of {size} bytes, at most {RECORD_LIMIT} are accepted"));
        }
        if header.compression.is_empty() && header.uncompressed_size != header.compressed_size {
            return Err("uncompressed chunk with two different sizes".into());
        }
        match header.compression.as_str() {
            "" => visit_records(&header, &data, visit),
            "zstd" => {
                unpack(&mut self.zstd, &header, &data, &mut self.content).map_err(chunk)?;
                visit_records(&header, &self.content, visit)
            }
            _ => visit_streamed(&header, head, &self.body, visit),
        }
    }
}

/// Decompresses `data` into `content`. The size is known, so that zstd writes it there at once.
fn unpack(
    context: &mut Option<DCtx<'static>>,
    header: &ChunkHeader,
    data: &[u8],
    content: &mut Vec<u8>,
) -> Result<(), String> {
    if context.is_none() {
        *context = DCtx::try_create();
    }
    let context = context.as_mut().ok_or("no memory to decompress it")?;
    let expected = header.uncompressed_size as usize;
    content.clear();
    content.reserve_exact(expected);
    let found = context
        .decompress(content, data)
        .map_err(|code| format!("damaged zstd data: {}", get_error_name(code)))?;
    if found == expected {
        Ok(())
    } else {
        Err(format!("expected {expected} bytes of content, found {found}"))
    }
}

/// Visits the records in the `content` of a chunk, after its CRC was checked. A CRC of 0 is none.
fn visit_records(
    header: &ChunkHeader,
    content: &[u8],
    mut visit: impl FnMut(u8, &[u8]) -> Result<(), String>,
) -> Result<(), String> {
    let (expected, found) = (header.uncompressed_crc, crc32fast::hash(content));
    if expected != 0 && expected != found {
        return Err(format!("chunk: expected CRC {expected:08x}, found {found:08x}"));
    }
    let mut rest = content;
    while let Some((start, behind)) = rest.split_first_chunk::<{ HEAD_BYTES as usize }>() {
        let [opcode, length @ ..] = *start;
        let length = u64::from_le_bytes(length);
        let body = usize::try_from(length).ok().and_then(|length| behind.split_at_checked(length));
        let Some((body, next)) = body else {
            let left = behind.len();
            return Err(format!(
                "chunk: record {opcode:#04x} claims {length} bytes, the chunk has {left} more"
            ));
        };
        visit(opcode, body)?;
        rest = next;
    }
    if rest.is_empty() { Ok(()) } else { Err(format!("chunk: {} bytes behind its last record", rest.len())) }
}

/// As [`visit_records`] for the other compressions that `mcap` knows.
fn visit_streamed(
    header: &ChunkHeader,
    head: RecordHead,
    body: &[u8],
    mut visit: impl FnMut(u8, &[u8]) -> Result<(), String>,
) -> Result<(), String> {
    let limit = head.length.max(header.uncompressed_size) as usize;
    let mut reader = LinearReader::new_with_options(
        LinearReaderOptions::default()
            .with_skip_start_magic(true)
            .with_skip_end_magic(true)
            .with_prevalidate_chunk_crcs(true)
            .with_record_length_limit(limit),
    );
    let mut record = [0; HEAD_BYTES as usize];
    record[0] = op::CHUNK;
    record[1..].copy_from_slice(&head.length.to_le_bytes());
    feed(&mut reader, &record);
    let mut rest = body;
    while let Some(event) = reader.next_event() {
        match event.map_err(|error| format!("chunk: {error}"))? {
            LinearReadEvent::ReadRequest(wanted) => {
                let (now, later) = rest.split_at(wanted.min(rest.len()));
                feed(&mut reader, now);
                rest = later;
            }
            LinearReadEvent::Record { opcode, data } => visit(opcode, data)?,
        }
    }
    Ok(())
}

/// Gives the reader its next bytes; none mean the end.
fn feed(reader: &mut LinearReader, bytes: &[u8]) {
    let target = reader.insert(bytes.len());
    let count = bytes.len().min(target.len());
    target[..count].copy_from_slice(&bytes[..count]);
    reader.notify_read(count);
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, io::Cursor, path::Path, sync::Arc};

    use mcap::{Compression, WriteOptions, records::MessageHeader};

    use super::*;
    use crate::bag::read_at::ReadAt;

    struct Bytes(Vec<u8>);

    impl ReadAt for Bytes {
        fn size(&self) -> u64 {
            self.0.len() as u64
        }

        fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<()> {
            let from = offset as usize;
            buffer.copy_from_slice(
                self.0.get(from..from + buffer.len()).ok_or(std::io::ErrorKind::UnexpectedEof)?,
            );
            Ok(())
        }
    }

    fn recording(compression: Option<Compression>) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = WriteOptions::new().compression(compression).create(&mut bytes).unwrap();
        let channel = writer.add_channel(0, "/a", "cdr", &BTreeMap::default()).unwrap();
        for i in 0..20_u8 {
            let time = u64::from(i);
            let header =
                MessageHeader { channel_id: channel, sequence: 0, log_time: time, publish_time: time };
            writer.write_to_known_channel(&header, &vec![i; 100 + 50 * usize::from(i)]).unwrap();
        }
        writer.finish().unwrap();
        drop(writer);
        bytes.into_inner()
    }

    /// Payloads in the first chunk.
    fn read(bytes: Vec<u8>, chunks: &mut ChunkReader) -> Result<Vec<Vec<u8>>, BagError> {
        let file = McapFile { path: Path::new("a.mcap").to_owned(), bytes: Arc::new(Bytes(bytes)) };
        let mut head = file.head(mcap::MAGIC.len() as u64)?;
        while head.opcode != op::CHUNK {
            head = file.head(head.next_offset())?;
        }
        let mut found = Vec::new();
        chunks.visit(&file, head, |opcode, body| {
            if opcode == op::MESSAGE {
                found.push(body.get(22..).ok_or("short")?.to_vec());
            }
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn every_compression_gives_the_same_records_with_one_reader() {
        let mut chunks = ChunkReader::default();
        let expected: Vec<Vec<u8>> = (0..20_u8).map(|i| vec![i; 100 + 50 * usize::from(i)]).collect();
        for compression in [Some(Compression::Zstd), None, Some(Compression::Lz4), Some(Compression::Zstd)] {
            assert_eq!(read(recording(compression), &mut chunks).unwrap(), expected, "{compression:?}");
        }
    }

    #[test]
    fn a_chunk_with_any_byte_changed_gives_nothing_or_the_same() {
        let mut chunks = ChunkReader::default();
        for compression in [Some(Compression::Zstd), None] {
            let whole = recording(compression);
            let expected = read(whole.clone(), &mut chunks).unwrap();
            // Before the chunk is the header, behind it the message index.
            for at in (mcap::MAGIC.len()..whole.len()).step_by(3) {
                let mut changed = whole.clone();
                changed[at] ^= 0x10;
                if let Ok(found) = read(changed, &mut chunks) {
                    assert!(found == expected || found.is_empty(), "{compression:?}, byte {at}");
                }
            }
        }
    }
}
