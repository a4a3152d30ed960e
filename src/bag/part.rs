//! One storage file of a recording: plain or compressed as a whole, open or to be opened in its turn.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    BagError, StorageKind,
    info::{FileInfo, TimeSpan},
    mcap_reader::McapReader,
    open::{FileKind, file_kind},
    packed_file::{Content, UnpackWatch, Unpacked, unpack},
    packed_message::is_packed,
    read_at::SizedFile,
    sqlite_reader::SqliteReader,
    stream::{FileFilter, FileStream},
};

/// An open storage file.
enum Reader {
    Mcap(McapReader),
    Sqlite(SqliteReader),
}

impl Reader {
    fn open(path: &Path, kind: StorageKind) -> Result<Self, BagError> {
        match kind {
            StorageKind::Mcap => McapReader::open(path).map(Self::Mcap),
            StorageKind::Sqlite3 => SqliteReader::open(path).map(Self::Sqlite),
        }
    }

    /// Decompressed content; `path` is what it came from.
    fn open_content(path: &Path, content: Content) -> Result<Self, BagError> {
        match content {
            Content::Unnamed(file) => Self::from_file(path, file),
            // The name goes with `file` at the end, when the database is open.
            Content::Named(file) => SqliteReader::open_at(file.path(), path).map(Self::Sqlite),
        }
    }

    fn from_file(path: &Path, file: File) -> Result<Self, BagError> {
        let file = SizedFile::new(file).map_err(|e| BagError::io(path, e))?;
        McapReader::new(path, Arc::new(file)).map(Self::Mcap)
    }

    fn info(&self) -> FileInfo {
        match self {
            Self::Mcap(reader) => reader.info(),
            Self::Sqlite(reader) => reader.info(),
        }
    }

    fn topic_spans(&self) -> Result<Vec<Option<TimeSpan>>, BagError> {
        match self {
            Self::Mcap(reader) => reader.topic_spans(),
            Self::Sqlite(reader) => Ok(reader.topic_spans()),
        }
    }

    fn messages(&self, filter: FileFilter) -> FileStream {
        match self {
            Self::Mcap(reader) => FileStream::Mcap(reader.messages(filter)),
            Self::Sqlite(reader) => FileStream::Sqlite(reader.messages(&filter)),
        }
    }
}

/// A file that can be read, perhaps not to its end.
struct OpenFile {
    reader: Reader,
    kind: StorageKind,
    packed: bool,
    /// What is wrong with the compression around it.
    damage: Option<BagError>,
}

impl OpenFile {
    fn open(path: &Path, watch: Option<&UnpackWatch>) -> Result<Self, BagError> {
        match file_kind(path)? {
            FileKind::Storage(kind) => {
                Ok(Self { reader: Reader::open(path, kind)?, kind, packed: false, damage: None })
            }
            FileKind::Zstd => {
                let Unpacked { kind, content, damage } = unpack(path, watch)?;
                match (Reader::open_content(path, content), damage) {
                    (Ok(reader), damage) => Ok(Self { reader, kind, packed: true, damage }),
                    // What the content lacks follows from what the compressed file lacks.
                    (Err(_), Some(damage)) => Err(damage),
                    (Err(error), None) => Err(error),
                }
            }
        }
    }
}

enum Source {
    Open(OpenFile),
    /// To be decompressed when it is read: what it holds is known, its content was given up so that
    /// only the files being read take space.
    Packed {
        spans: Vec<Option<TimeSpan>>,
    },
    Broken(BagError),
}

/// A storage file and how its topics map to those of the recording.
pub struct Part {
    /// The file.
    pub path: PathBuf,
    /// What it holds.
    pub info: FileInfo,
    /// How it is compressed beside what its storage does, for people.
    pub packing: Vec<&'static str>,
    /// Index in the recording of each of the file's topics.
    pub topics: Vec<usize>,
    source: Source,
    watch: Option<UnpackWatch>,
}

/// How a [`Part`] is opened.
pub struct PartOptions {
    /// Whether messages are compressed one by one; `None` has a look.
    pub packed_messages: Option<bool>,
    /// Whether the content of a compressed file is kept until the part is dropped.
    pub keep: bool,
    /// Who hears of decompression.
    pub watch: Option<UnpackWatch>,
}

impl Part {
    /// Opens `path` and reads what it holds. `storage` is the bag's, set by the first file opened.
    pub fn open(
        path: &Path,
        storage: &mut Option<StorageKind>,
        options: &PartOptions,
    ) -> Result<Self, BagError> {
        let file = OpenFile::open(path, options.watch.as_ref())?;
        let (expected, found) = (*storage.get_or_insert(file.kind), file.kind);
        if expected != found {
            let (expected, found) = (expected.as_str(), found.as_str());
            return Err(BagError::StorageMismatch { path: path.to_path_buf(), expected, found });
        }
        let info = file.reader.info();
        let mut packing = Vec::new();
        if options.packed_messages.unwrap_or_else(|| starts_packed(&file.reader, &info)) {
            packing.push("zstd per message");
        }
        if file.packed {
            packing.push("zstd per file");
        }
        let source = if file.packed && !options.keep {
            Source::Packed { spans: file.reader.topic_spans()? }
        } else {
            Source::Open(file)
        };
        Ok(Self {
            path: path.to_path_buf(),
            info,
            packing,
            topics: Vec::new(),
            source,
            watch: options.watch.clone(),
        })
    }

    /// A file that cannot be read at all; reading it gives `error`.
    pub fn broken(error: BagError) -> Self {
        Self {
            path: PathBuf::new(),
            info: FileInfo { topics: Vec::new(), span: None, compressions: Vec::new() },
            packing: Vec::new(),
            topics: Vec::new(),
            source: Source::Broken(error),
            watch: None,
        }
    }

    /// First and last log time of each topic of the file.
    pub fn topic_spans(&self) -> Result<Vec<Option<TimeSpan>>, BagError> {
        match &self.source {
            Source::Open(file) => file.reader.topic_spans(),
            Source::Packed { spans } => Ok(spans.clone()),
            Source::Broken(_) => Ok(Vec::new()),
        }
    }

    /// The messages that pass `filter`, and what is wrong with the file around them.
    pub fn messages(&self, filter: FileFilter) -> Result<(FileStream, Option<BagError>), BagError> {
        match &self.source {
            Source::Open(file) => Ok((file.reader.messages(filter), file.damage.clone())),
            Source::Packed { .. } => {
                let file = OpenFile::open(&self.path, self.watch.as_ref())?;
                Ok((file.reader.messages(filter), file.damage))
            }
            Source::Broken(error) => Err(error.clone()),
        }
    }
}

/// Whether the first message is a zstd frame.
fn starts_packed(reader: &Reader, info: &FileInfo) -> bool {
    let first = reader.messages(FileFilter::all(info.topics.len())).find_map(Result::ok);
    first.is_some_and(|message| is_packed(&message.data))
}
