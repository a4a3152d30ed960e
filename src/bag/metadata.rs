//! `metadata.yaml` of a rosbag2 folder: versions 1 (Dashing) over 5 (Humble) and 7 (Iron) to 9 (Jazzy
//! and later). Fields by version: `rosbag2_storage/yaml.hpp` of rosbag2.
//!
//! Only what the storage files do not say themselves is taken from it; fields this reader does not
//! know are passed over, as later versions add some.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{BagError, StorageKind};

/// File name inside a bag folder.
pub const FILE_NAME: &str = "metadata.yaml";

/// The newest version whose fields this reader knows. One that is newer is read as long as it has the
/// fields needed: versions so far have added fields and never given one another meaning.
const NEWEST_VERSION: u32 = 9;

/// Ending of files that are compressed as a whole.
const ZSTD_ENDING: &str = ".zstd";

/// A recorder with thousands of topics writes about 1 MiB; a hundred times that is no metadata.
const MAX_BYTES: u64 = 128 << 20;

#[derive(Deserialize)]
struct Document {
    rosbag2_bagfile_information: Information,
}

#[derive(Deserialize)]
struct Information {
    version: u32,
    storage_identifier: String,
    relative_file_paths: Vec<String>,
    #[serde(default)]
    compression_format: Option<String>,
    #[serde(default)]
    compression_mode: Option<String>,
    #[serde(default)]
    topics_with_message_count: Vec<TopicWithCount>,
    #[serde(default)]
    custom_data: Option<CustomData>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum CustomData {
    /// What rosbag2 writes.
    Texts(BTreeMap<String, String>),
    /// Nothing a reader of messages has to fail for.
    Other(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
struct TopicWithCount {
    topic_metadata: TopicMetadata,
}

#[derive(Deserialize)]
struct TopicMetadata {
    name: String,
    #[serde(default)]
    type_description_hash: Option<String>,
}

/// What a bag folder's metadata says.
#[derive(Debug)]
pub struct Metadata {
    /// Storage of all files.
    pub storage: StorageKind,
    /// The storage files in recording order; an error for one that is not there.
    pub files: Vec<Result<PathBuf, BagError>>,
    /// Whether each message is compressed with zstd.
    pub packed_messages: bool,
    /// Topic name and type hash, for storages that do not carry the hash themselves.
    pub type_hashes: Vec<(String, String)>,
    /// What the recording's maker had to say.
    pub custom_data: BTreeMap<String, String>,
}

impl Metadata {
    /// Reads `folder/metadata.yaml`. Unknown storages and unknown compressions are errors.
    pub fn read(folder: &Path) -> Result<Self, BagError> {
        let path = folder.join(FILE_NAME);
        let size = std::fs::metadata(&path).map_err(|e| BagError::io(&path, e))?.len();
        if size > MAX_BYTES {
            return Err(bad(&path, format!("expected at most {MAX_BYTES} bytes, found {size}")));
        }
        let text = std::fs::read_to_string(&path).map_err(|e| BagError::io(&path, e))?;
        let document: Document =
            serde_saphyr::from_str(&text).map_err(|error| bad(&path, error.to_string()))?;
        let info = document.rosbag2_bagfile_information;

        if info.version == 0 {
            return Err(bad(&path, "version: expected a number from 1, found 0".into()));
        }
        if info.version > NEWEST_VERSION {
            tracing::warn!(
                "{}: version {} is newer than {NEWEST_VERSION}; what it adds is not looked at",
                path.display(),
                info.version
            );
        }
        let mode = info.compression_mode.unwrap_or_default().to_lowercase();
        let format = info.compression_format.unwrap_or_default();
        let packed_messages = match mode.as_str() {
            "file" | "message" if format != "zstd" => {
                let found = format!("compression_format '{format}' per {mode}");
                return Err(BagError::UnknownCompression { path, found });
            }
            "" | "none" | "file" => false,
            "message" => true,
            _ => {
                let found = format!("compression_mode '{mode}'");
                return Err(BagError::UnknownCompression { path, found });
            }
        };
        let storage = match info.storage_identifier.as_str() {
            "mcap" => StorageKind::Mcap,
            "sqlite3" => StorageKind::Sqlite3,
            other => {
                return Err(bad(
                    &path,
                    format!("storage_identifier: expected mcap or sqlite3, found '{other}'"),
                ));
            }
        };
        if info.relative_file_paths.is_empty() {
            return Err(bad(&path, "relative_file_paths: expected at least one file, found none".into()));
        }
        let files = info
            .relative_file_paths
            .into_iter()
            .map(|name| find(folder, &name).ok_or(BagError::MissingFile { path: path.clone(), file: name }))
            .collect();
        let type_hashes = info
            .topics_with_message_count
            .into_iter()
            .filter_map(|topic| {
                let TopicMetadata { name, type_description_hash } = topic.topic_metadata;
                type_description_hash.filter(|hash| !hash.is_empty()).map(|hash| (name, hash))
            })
            .collect();
        let custom_data = match info.custom_data {
            Some(CustomData::Texts(texts)) => texts,
            Some(CustomData::Other(_)) | None => BTreeMap::new(),
        };
        Ok(Self { storage, files, packed_messages, type_hashes, custom_data })
    }
}

/// The file that the metadata calls `name`. Before version 4, and in some bags of version 4, the name
/// has the bag's own folder in front; and people compress and decompress files by hand.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let base = Path::new(name).file_name().and_then(|base| base.to_str()).unwrap_or(name);
    [name, base].into_iter().find_map(|name| {
        let plain = name.strip_suffix(ZSTD_ENDING).unwrap_or(name);
        let candidates = [name.to_owned(), plain.to_owned(), format!("{plain}{ZSTD_ENDING}")];
        candidates.into_iter().map(|name| folder.join(name)).find(|file| file.is_file())
    })
}

fn bad(path: &Path, message: String) -> BagError {
    BagError::Metadata { path: path.to_path_buf(), message }
}
