//! `metadata.yaml` of a rosbag2 folder, versions 4 (Humble) to 9 (Jazzy and later).
//!
//! Only what the storage files do not say themselves is taken from it; fields this reader does not
//! know are passed over, as later versions add some.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{BagError, StorageKind};

/// File name inside a bag folder.
pub const FILE_NAME: &str = "metadata.yaml";

/// Versions whose fields this reader knows.
const VERSIONS: std::ops::RangeInclusive<u32> = 4..=9;

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
    /// The storage files in recording order, as paths that exist.
    pub files: Vec<PathBuf>,
    /// Topic name and type hash, for storages that do not carry the hash themselves.
    pub type_hashes: Vec<(String, String)>,
}

impl Metadata {
    /// Reads `folder/metadata.yaml`. Compressed bags, unknown storages and missing files are errors.
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

        if !VERSIONS.contains(&info.version) {
            let message = format!("version: expected 4 to 9, found {}", info.version);
            return Err(bad(&path, message));
        }
        let mode = info.compression_mode.unwrap_or_default().to_lowercase();
        if mode == "file" || mode == "message" {
            let format = info.compression_format.unwrap_or_default();
            return Err(BagError::Compressed { path, mode, format });
        }
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
        let mut files = Vec::with_capacity(info.relative_file_paths.len());
        for name in info.relative_file_paths {
            let file = folder.join(&name);
            if !file.is_file() {
                return Err(BagError::MissingFile { path, file: name });
            }
            files.push(file);
        }
        if files.is_empty() {
            return Err(bad(&path, "relative_file_paths: expected at least one file, found none".into()));
        }
        let type_hashes = info
            .topics_with_message_count
            .into_iter()
            .filter_map(|topic| {
                let TopicMetadata { name, type_description_hash } = topic.topic_metadata;
                type_description_hash.filter(|hash| !hash.is_empty()).map(|hash| (name, hash))
            })
            .collect();
        Ok(Self { storage, files, type_hashes })
    }
}

fn bad(path: &Path, message: String) -> BagError {
    BagError::Metadata { path: path.to_path_buf(), message }
}
