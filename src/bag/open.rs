//! Opening a recording: a rosbag2 folder with or without `metadata.yaml`, or one storage file.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    BagError, BagInfo, MessageStream, ReadFilter, StorageKind,
    info::TimeSpan,
    metadata::{self, Metadata},
    packed_file::{UnpackWatch, ZSTD_MAGIC},
    part::{Part, PartOptions},
    split::SplitStream,
    stream::FileFilter,
};
use crate::message::Stamp;

/// A recording open for reading. Opening reads indices only; a file without one is walked through, a
/// file that is compressed as a whole is decompressed to be looked at.
pub struct Bag {
    path: PathBuf,
    info: BagInfo,
    parts: Arc<Vec<Part>>,
    /// Whether the metadata says that each message is compressed.
    packed_messages: bool,
    custom_data: BTreeMap<String, String>,
}

impl Bag {
    /// Opens a rosbag2 folder or a single storage file. Files that are missing or cannot be read are
    /// told when the messages are read, unless there is no other.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, BagError> {
        Self::open_watched(path, None)
    }

    /// As [`Bag::open`]; `watch` hears of the decompression of files, now and while they are read.
    pub fn open_watched(path: impl AsRef<Path>, watch: Option<UnpackWatch>) -> Result<Self, BagError> {
        let path = path.as_ref();
        let found = std::fs::metadata(path).map_err(|e| BagError::io(path, e))?;
        let mut storage = None;
        let mut packed_messages = None;
        let mut hashes = Vec::new();
        let mut custom_data = BTreeMap::new();
        let files = if !found.is_dir() {
            vec![Ok(path.to_path_buf())]
        } else if path.join(metadata::FILE_NAME).exists() {
            let metadata = Metadata::read(path)?;
            storage = Some(metadata.storage);
            packed_messages = Some(metadata.packed_messages);
            hashes = metadata.type_hashes;
            custom_data = metadata.custom_data;
            metadata.files
        } else {
            storage_files(path)?.into_iter().map(Ok).collect()
        };

        // Space for one decompressed file is enough; a single one need not be decompressed twice.
        let options = PartOptions { packed_messages, keep: files.len() == 1, watch };
        let mut parts = Vec::with_capacity(files.len());
        let mut broken = Vec::new();
        for file in files {
            match file.and_then(|file| Part::open(&file, &mut storage, &options)) {
                Ok(part) => parts.push(part),
                Err(error) => broken.push(error),
            }
        }
        match (storage, broken.is_empty(), parts.is_empty()) {
            (Some(storage), _, false) => {
                parts.extend(broken.into_iter().map(Part::broken));
                let packed_messages = packed_messages.unwrap_or(false);
                Ok(Self { custom_data, ..Self::assemble(path, storage, parts, &hashes, packed_messages) })
            }
            (_, false, _) => Err(broken.swap_remove(0)),
            _ => Err(BagError::NoStorage { path: path.to_path_buf() }),
        }
    }

    /// Merges the files' topics and spans.
    fn assemble(
        path: &Path,
        storage: StorageKind,
        mut parts: Vec<Part>,
        hashes: &[(String, String)],
        packed_messages: bool,
    ) -> Self {
        let mut keys: Vec<(String, String)> = parts
            .iter()
            .flat_map(|part| part.info.topics.iter().map(|t| (t.name.clone(), t.type_name.clone())))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        let mut merged: Vec<Option<super::TopicInfo>> = vec![None; keys.len()];
        let mut span = None;
        let mut compressions: Vec<String> = Vec::new();
        let mut packings: Vec<&str> = Vec::new();
        for part in &mut parts {
            for topic in &part.info.topics {
                // Every topic is among the keys, so the search finds it.
                let key = (topic.name.as_str(), topic.type_name.as_str());
                let index = keys
                    .binary_search_by(|(name, type_name)| (name.as_str(), type_name.as_str()).cmp(&key))
                    .unwrap_or_else(|nearest| nearest);
                part.topics.push(index);
                match merged.get_mut(index) {
                    Some(Some(known)) => {
                        known.count += topic.count;
                        if known.type_hash.is_none() {
                            known.type_hash.clone_from(&topic.type_hash);
                        }
                    }
                    Some(slot) => *slot = Some(topic.clone()),
                    None => {}
                }
            }
            if let Some(of_file) = part.info.span {
                TimeSpan::extend(&mut span, of_file);
            }
            compressions.extend(part.info.compressions.iter().cloned());
            packings.extend(&part.packing);
        }
        let mut topics: Vec<super::TopicInfo> = merged.into_iter().flatten().collect();
        for topic in topics.iter_mut().filter(|topic| topic.type_hash.is_none()) {
            topic.type_hash = hashes.iter().find(|(name, _)| *name == topic.name).map(|(_, h)| h.clone());
        }
        let zero = TimeSpan::at(Stamp(0));
        let TimeSpan { first, last } = span.unwrap_or(zero);
        let compression = describe(compressions, packings);
        let info = BagInfo { topics, start: first, end: last, storage, compression };
        Self {
            path: path.to_path_buf(),
            info,
            parts: Arc::new(parts),
            packed_messages,
            custom_data: BTreeMap::new(),
        }
    }

    /// The path it was opened from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its storage files that can be opened.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.parts.iter().map(|part| part.path.as_path()).filter(|path| !path.as_os_str().is_empty())
    }

    /// What the recording holds.
    pub fn info(&self) -> &BagInfo {
        &self.info
    }

    /// What its maker had to say, from `metadata.yaml`.
    pub const fn custom_data(&self) -> &BTreeMap<String, String> {
        &self.custom_data
    }

    /// The messages that pass `filter`, in log-time order; equal times in the order of the file.
    /// Fails if the filter names a topic that is not there.
    pub fn messages(&self, filter: &ReadFilter) -> Result<MessageStream, BagError> {
        self.stream(filter, false)
    }

    /// As [`Bag::messages`], each MCAP file in the order in which it was written, where time may run back.
    pub fn messages_as_written(&self, filter: &ReadFilter) -> Result<MessageStream, BagError> {
        self.stream(filter, true)
    }

    fn stream(&self, filter: &ReadFilter, as_written: bool) -> Result<MessageStream, BagError> {
        let topics = self.info.topics.len();
        let mut wanted = vec![filter.topics.is_none(); topics];
        for &index in filter.topics.iter().flatten() {
            match wanted.get_mut(index) {
                Some(slot) => *slot = true,
                None => return Err(BagError::TopicIndex { index, topics }),
            }
        }
        let filter = FileFilter {
            topics: wanted,
            start: filter.start.map_or(i64::MIN, |stamp| stamp.0),
            end: filter.end.map_or(i64::MAX, |stamp| stamp.0),
            as_written,
        };
        Ok(MessageStream(SplitStream::new(Arc::clone(&self.parts), filter, self.packed_messages)))
    }

    /// First and last log time of each topic, parallel to [`BagInfo::topics`]; `None` for topics
    /// without messages. Reads message indices, and data only where a file has none.
    pub fn topic_spans(&self) -> Result<Vec<Option<TimeSpan>>, BagError> {
        let mut spans = vec![None; self.info.topics.len()];
        for part in self.parts.iter() {
            for (of_file, &topic) in part.topic_spans()?.into_iter().zip(&part.topics) {
                if let (Some(span), Some(of_file)) = (spans.get_mut(topic), of_file) {
                    TimeSpan::extend(span, of_file);
                }
            }
        }
        Ok(spans)
    }
}

/// All compressions of a recording in one line, `none` if there are none.
fn describe(mut chunks: Vec<String>, mut packings: Vec<&str>) -> String {
    chunks.sort();
    chunks.dedup();
    packings.sort_unstable();
    packings.dedup();
    let mut parts = vec![if chunks.is_empty() { "none".to_owned() } else { chunks.join("+") }];
    if !packings.is_empty() && parts == ["none"] {
        parts.clear();
    }
    parts.extend(packings.into_iter().map(str::to_owned));
    parts.join(", ")
}

/// The storage files of a folder without metadata, split parts in the order of their numbers.
fn storage_files(folder: &Path) -> Result<Vec<PathBuf>, BagError> {
    let mut mcap = Vec::new();
    let mut sqlite = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| BagError::io(folder, e))? {
        let file = entry.map_err(|e| BagError::io(folder, e))?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        // A file in a compression that is not read is listed, to be told of.
        let inner = match name.rsplit_once('.') {
            Some((inner, "zstd" | "zst" | "lz4" | "gz" | "bz2" | "xz" | "zip")) => inner,
            _ => name.as_str(),
        };
        let list = match inner.rsplit_once('.') {
            Some((_, "mcap")) => &mut mcap,
            Some((_, "db3")) => &mut sqlite,
            _ => continue,
        };
        list.push(file);
    }
    let mut files = match (mcap.is_empty(), sqlite.is_empty()) {
        (true, true) => return Err(BagError::NoStorage { path: folder.to_path_buf() }),
        (false, false) => return Err(BagError::MixedStorage { path: folder.to_path_buf() }),
        (false, true) => mcap,
        (true, false) => sqlite,
    };
    files.sort_by_key(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let stem = name.split_once('.').map_or(name.as_str(), |(stem, _)| stem);
        let number = stem.rsplit_once('_').and_then(|(_, number)| number.parse::<u64>().ok());
        (number, name)
    });
    Ok(files)
}

/// What a file of a recording is.
pub(super) enum FileKind {
    /// To be read as it is.
    Storage(StorageKind),
    /// A zstd file around it.
    Zstd,
}

/// The kind of a file by its first bytes; the name may lie.
pub(super) fn file_kind(file: &Path) -> Result<FileKind, BagError> {
    let mut start = Vec::with_capacity(16);
    File::open(file).and_then(|f| f.take(16).read_to_end(&mut start)).map_err(|e| BagError::io(file, e))?;
    if start.starts_with(&ZSTD_MAGIC) {
        return Ok(FileKind::Zstd);
    }
    let path = file.to_path_buf();
    // Formats that people compress files with; a recording inside is worth a better answer.
    let others: [(&str, &[u8]); 5] = [
        ("an lz4 file", &[0x04, 0x22, 0x4d, 0x18]),
        ("a gzip file", &[0x1f, 0x8b]),
        ("a bzip2 file", b"BZh"),
        ("an xz file", &[0xfd, b'7', b'z', b'X', b'Z']),
        ("a zip file", b"PK\x03\x04"),
    ];
    if let Some((found, _)) = others.iter().find(|(_, magic)| start.starts_with(magic)) {
        return Err(BagError::UnknownCompression { path, found: (*found).to_owned() });
    }
    content_kind(&start).map(FileKind::Storage).map_err(|found| BagError::UnknownStorage { path, found })
}

/// The storage whose content starts with `start`, else what starts so.
pub(super) fn content_kind(start: &[u8]) -> Result<StorageKind, String> {
    if start.starts_with(b"SQLite format 3\0") {
        Ok(StorageKind::Sqlite3)
    } else if start.starts_with(mcap::MAGIC) {
        Ok(StorageKind::Mcap)
    } else if start.is_empty() {
        Err("an empty file".to_owned())
    } else {
        let start = start.get(..16.min(start.len())).unwrap_or_default();
        Err(format!("a file that starts with '{}'", start.escape_ascii()))
    }
}
