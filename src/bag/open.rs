//! Opening a recording: a rosbag2 folder with or without `metadata.yaml`, or one storage file.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    BagError, BagInfo, MessageStream, ReadFilter, StorageKind,
    info::{FileInfo, TimeSpan},
    mcap_reader::McapReader,
    metadata::{self, Metadata},
    split::{Part, Reader, SplitStream},
    sqlite_reader::SqliteReader,
    stream::FileFilter,
};
use crate::message::Stamp;

/// A recording open for reading. Opening reads indices only; a file without one is walked through.
pub struct Bag {
    path: PathBuf,
    info: BagInfo,
    parts: Arc<Vec<Part>>,
}

impl Bag {
    /// Opens a rosbag2 folder or a single `.mcap` or `.db3` file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, BagError> {
        let path = path.as_ref();
        let found = std::fs::metadata(path).map_err(|e| BagError::io(path, e))?;
        let (files, hashes, mut storage) = if !found.is_dir() {
            (vec![path.to_path_buf()], Vec::new(), None)
        } else if path.join(metadata::FILE_NAME).exists() {
            let metadata = Metadata::read(path)?;
            (metadata.files, metadata.type_hashes, Some(metadata.storage))
        } else {
            (storage_files(path)?, Vec::new(), None)
        };

        let mut opened = Vec::with_capacity(files.len());
        for file in files {
            let kind = storage_kind(&file)?;
            let expected = *storage.get_or_insert(kind);
            if expected != kind {
                let (expected, found) = (expected.as_str(), kind.as_str());
                return Err(BagError::StorageMismatch { path: file, expected, found });
            }
            let (info, reader) = match kind {
                StorageKind::Mcap => {
                    let reader = McapReader::open(&file)?;
                    (reader.info(), Reader::Mcap(reader))
                }
                StorageKind::Sqlite3 => {
                    let reader = SqliteReader::open(&file)?;
                    (reader.info(), Reader::Sqlite(reader))
                }
            };
            opened.push((info, reader));
        }
        let Some(storage) = storage else { return Err(BagError::NoStorage { path: path.to_path_buf() }) };
        Ok(Self::assemble(path, storage, opened, &hashes))
    }

    /// Merges the files' topics and spans.
    fn assemble(
        path: &Path,
        storage: StorageKind,
        opened: Vec<(FileInfo, Reader)>,
        hashes: &[(String, String)],
    ) -> Self {
        let mut keys: Vec<(&str, &str)> = opened
            .iter()
            .flat_map(|(info, _)| info.topics.iter().map(|t| (t.name.as_str(), t.type_name.as_str())))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        let mut merged: Vec<Option<super::TopicInfo>> = vec![None; keys.len()];
        let mut span = None;
        let mut compressions: Vec<String> = Vec::new();
        let mut maps = Vec::with_capacity(opened.len());
        for (info, _) in &opened {
            let mut map = Vec::with_capacity(info.topics.len());
            for topic in &info.topics {
                // Every topic is among the keys, so the search finds it.
                let index = keys
                    .binary_search(&(topic.name.as_str(), topic.type_name.as_str()))
                    .unwrap_or_else(|nearest| nearest);
                map.push(index);
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
            maps.push(map);
            if let Some(of_file) = info.span {
                TimeSpan::extend(&mut span, of_file);
            }
            compressions.extend(info.compressions.iter().cloned());
        }
        let mut topics: Vec<super::TopicInfo> = merged.into_iter().flatten().collect();
        for topic in topics.iter_mut().filter(|topic| topic.type_hash.is_none()) {
            topic.type_hash = hashes.iter().find(|(name, _)| *name == topic.name).map(|(_, h)| h.clone());
        }
        compressions.sort();
        compressions.dedup();
        if compressions.is_empty() {
            compressions.push("none".into());
        }
        let zero = TimeSpan::at(Stamp(0));
        let TimeSpan { first, last } = span.unwrap_or(zero);
        let info = BagInfo { topics, start: first, end: last, storage, compression: compressions.join("+") };
        let parts = opened
            .into_iter()
            .zip(maps)
            .map(|((info, reader), topics)| Part { info, reader, topics })
            .collect();
        Self { path: path.to_path_buf(), info, parts: Arc::new(parts) }
    }

    /// The path it was opened from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the recording holds.
    pub fn info(&self) -> &BagInfo {
        &self.info
    }

    /// The messages that pass `filter`, in log-time order; equal times in the order of the file.
    /// Fails if the filter names a topic that is not there or a file went away.
    pub fn messages(&self, filter: &ReadFilter) -> Result<MessageStream, BagError> {
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
        };
        Ok(MessageStream(SplitStream::new(Arc::clone(&self.parts), filter)))
    }

    /// First and last log time of each topic, parallel to [`BagInfo::topics`]; `None` for topics
    /// without messages. Reads message indices, and data only where a file has none.
    pub fn topic_spans(&self) -> Result<Vec<Option<TimeSpan>>, BagError> {
        let mut spans = vec![None; self.info.topics.len()];
        for part in self.parts.iter() {
            for (of_file, &topic) in part.reader.topic_spans()?.into_iter().zip(&part.topics) {
                if let (Some(span), Some(of_file)) = (spans.get_mut(topic), of_file) {
                    TimeSpan::extend(span, of_file);
                }
            }
        }
        Ok(spans)
    }
}

/// The storage files of a folder without metadata, split parts in the order of their numbers.
fn storage_files(folder: &Path) -> Result<Vec<PathBuf>, BagError> {
    let mut mcap = Vec::new();
    let mut sqlite = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| BagError::io(folder, e))? {
        let file = entry.map_err(|e| BagError::io(folder, e))?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("mcap") => mcap.push(file),
            Some("db3") => sqlite.push(file),
            Some(format) if name.ends_with(".mcap.zstd") || name.ends_with(".db3.zstd") => {
                let (mode, format) = ("file".into(), format.to_owned());
                return Err(BagError::Compressed { path: file, mode, format });
            }
            _ => {}
        }
    }
    let mut files = match (mcap.is_empty(), sqlite.is_empty()) {
        (true, true) => return Err(BagError::NoStorage { path: folder.to_path_buf() }),
        (false, false) => return Err(BagError::MixedStorage { path: folder.to_path_buf() }),
        (false, true) => mcap,
        (true, false) => sqlite,
    };
    files.sort_by_key(|file| {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let number = stem.rsplit_once('_').and_then(|(_, number)| number.parse::<u64>().ok());
        (number, stem)
    });
    Ok(files)
}

/// The storage kind by the first bytes; the name may lie.
fn storage_kind(file: &Path) -> Result<StorageKind, BagError> {
    let mut start = Vec::with_capacity(16);
    File::open(file).and_then(|f| f.take(16).read_to_end(&mut start)).map_err(|e| BagError::io(file, e))?;
    let path = file.to_path_buf();
    if start.starts_with(b"SQLite format 3\0") {
        Ok(StorageKind::Sqlite3)
    } else if start.starts_with(mcap::MAGIC) {
        Ok(StorageKind::Mcap)
    } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Err(BagError::Compressed { path, mode: "file".into(), format: "zstd".into() })
    } else if start.is_empty() {
        Err(BagError::UnknownStorage { path, found: "an empty file".into() })
    } else {
        let found = format!("a file that starts with '{}'", start.escape_ascii());
        Err(BagError::UnknownStorage { path, found })
    }
}
