//! MCAP files that get past the first checks: records of right lengths and any content.
//! Format: <https://mcap.dev/spec>.

use arbitrary::Arbitrary;

const MAGIC: &[u8] = b"\x89MCAP0\r\n";

/// A file: records, then a summary or what is left of one.
#[derive(Arbitrary, Debug, Default)]
pub struct Recording<'a> {
    data: Vec<Part<'a>>,
    tail: Tail,
}

#[derive(Arbitrary, Debug)]
enum Part<'a> {
    Record(Plain<'a>),
    Chunk { start: Time, end: Time, size_error: u8, compression: Compression, records: Vec<Plain<'a>> },
}

#[derive(Arbitrary, Debug)]
enum Plain<'a> {
    Schema { id: u8, name: &'a str },
    Channel { id: u8, schema: u8, topic: &'a str, qos: &'a str },
    Message { channel: u8, time: Time, data: &'a [u8] },
    Index { channel: u8, times: Vec<Time> },
    Other { opcode: u8, body: &'a [u8] },
}

#[derive(Arbitrary, Debug)]
enum Compression {
    None,
    /// Names a codec the bytes are not in.
    Lz4,
    Zstd,
}

/// Times that are near each other, and any.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Time {
    Near(u8),
    Any(u64),
}

#[derive(Arbitrary, Debug, Default)]
enum Tail {
    CutOff,
    #[default]
    NoSummary,
    Summary {
        /// What is wrong with the position of each chunk, in turn.
        offset_errors: Vec<i8>,
        chunk_count_error: i8,
        counts: Vec<(u8, u64)>,
        repeats_definitions: bool,
    },
}

impl Time {
    fn ns(self) -> u64 {
        match self {
            Self::Near(ns) => ns.into(),
            Self::Any(ns) => ns,
        }
    }
}

/// A record's body.
#[derive(Default)]
struct Body(Vec<u8>);

impl Body {
    fn number(mut self, value: u64, bytes: usize) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes()[..bytes]);
        self
    }

    /// Bytes after their 32-bit count.
    fn counted(self, bytes: &[u8]) -> Self {
        self.number(bytes.len() as u64, 4).raw(bytes)
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn append(&self, opcode: u8, out: &mut Vec<u8>) {
        out.push(opcode);
        out.extend_from_slice(&(self.0.len() as u64).to_le_bytes());
        out.extend_from_slice(&self.0);
    }
}

impl Plain<'_> {
    fn append(&self, out: &mut Vec<u8>) {
        let body = Body::default();
        match *self {
            Self::Schema { id, name } => {
                body.number(id.into(), 2)
                    .counted(name.as_bytes())
                    .counted(b"ros2msg")
                    .counted(b"")
                    .append(3, out);
            }
            Self::Channel { id, schema, topic, qos } => {
                let entry = Body::default().counted(b"offered_qos_profiles").counted(qos.as_bytes());
                let body = body.number(id.into(), 2).number(schema.into(), 2).counted(topic.as_bytes());
                body.counted(b"cdr").counted(&entry.0).append(4, out);
            }
            Self::Message { channel, time, data } => {
                let body = body.number(channel.into(), 2).number(0, 4);
                body.number(time.ns(), 8).number(time.ns(), 8).raw(data).append(5, out);
            }
            Self::Index { channel, ref times } => {
                let entries = times.iter().fold(Body::default(), |b, t| b.number(t.ns(), 8).number(0, 8));
                body.number(channel.into(), 2).counted(&entries.0).append(7, out);
            }
            Self::Other { opcode, body: bytes } => body.raw(bytes).append(opcode, out),
        }
    }
}

impl Recording<'_> {
    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        Body::default().counted(b"ros2").counted(b"").append(1, &mut out);
        let mut chunks = Vec::new();
        for part in &self.data {
            match part {
                Part::Record(record) => record.append(&mut out),
                Part::Chunk { start, end, size_error, compression, records } => {
                    let mut inner = Vec::new();
                    records.iter().for_each(|record| record.append(&mut inner));
                    let name: &[u8] = match compression {
                        Compression::None => b"",
                        Compression::Lz4 => b"lz4",
                        Compression::Zstd => b"zstd",
                    };
                    let size = inner.len() as u64 + u64::from(*size_error);
                    chunks.push((out.len() as u64, start.ns(), end.ns(), name, inner.len() as u64, size));
                    let body = Body::default().number(start.ns(), 8).number(end.ns(), 8).number(size, 8);
                    let body = body.number(0, 4).counted(name).number(inner.len() as u64, 8).raw(&inner);
                    body.append(6, &mut out);
                }
            }
        }
        if matches!(self.tail, Tail::CutOff) {
            return out;
        }
        Body::default().number(0, 4).append(15, &mut out);
        let mut summary_at = 0;
        if let Tail::Summary { offset_errors, chunk_count_error, counts, repeats_definitions } = &self.tail {
            summary_at = out.len() as u64;
            for part in &self.data {
                match part {
                    Part::Record(record @ (Plain::Schema { .. } | Plain::Channel { .. }))
                        if *repeats_definitions =>
                    {
                        record.append(&mut out);
                    }
                    _ => {}
                }
            }
            let count = chunks.len() as u64;
            for (i, (offset, start, end, name, packed, size)) in chunks.into_iter().enumerate() {
                let error = offset_errors.get(i).copied().unwrap_or(0);
                let body = Body::default().number(start, 8).number(end, 8);
                let body = body.number(offset.wrapping_add_signed(error.into()), 8).number(packed + 57, 8);
                let body = body.counted(b"").number(0, 8).counted(name).number(packed, 8).number(size, 8);
                body.append(8, &mut out);
            }
            let map =
                counts.iter().fold(Body::default(), |b, (id, n)| b.number((*id).into(), 2).number(*n, 8));
            let total = counts.iter().fold(0, |sum: u64, (_, n)| sum.wrapping_add(*n));
            let claimed = count.wrapping_add_signed((*chunk_count_error).into());
            let body = Body::default().number(total, 8).number(0, 2).number(0, 4).number(0, 4).number(0, 4);
            body.number(claimed, 4).number(0, 8).number(0, 8).counted(&map.0).append(11, &mut out);
        }
        Body::default().number(summary_at, 8).number(0, 8).number(0, 4).append(2, &mut out);
        out.extend_from_slice(MAGIC);
        out
    }
}
