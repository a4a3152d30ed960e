//! Recordings written as rosbag2 writes them: MCAP with profile `ros2`, in a folder with
//! `metadata.yaml` or as a plain file. Equal input gives equal bytes: nothing of the clock, the
//! machine or the number of its cores goes in.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use mcap::{
    Compression, WriteOptions, Writer,
    records::{MessageHeader, Metadata},
};

use super::{
    BagError, TopicInfo,
    info::TimeSpan,
    metadata,
    metadata_writer::{Recorded, metadata_yaml},
    qos::OfferedQos,
};
use crate::message::Stamp;

/// Messages are gathered until a chunk holds this much before it is compressed: small enough to
/// seek by, large enough to compress well.
const CHUNK_BYTES: u64 = 1 << 20;

/// A message from this size on gets a chunk of its own: who reads other topics need not decompress it.
const LARGE_BYTES: usize = 1 << 18;

/// Name of the MCAP metadata record that repeats the custom data of `metadata.yaml`.
const CUSTOM_DATA: &str = "custom_data";

/// A topic of a [`BagWriter`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicId(usize);

struct WrittenTopic {
    info: TopicInfo,
    channel: u16,
}

/// Writes a recording. [`BagWriter::finish`] must be called, or it has no metadata.
pub struct BagWriter {
    file: PathBuf,
    /// The folder that gets the metadata; `None` for a plain file.
    folder: Option<PathBuf>,
    writer: Writer<BufWriter<File>>,
    topics: Vec<WrittenTopic>,
    span: Option<TimeSpan>,
    sequence: u32,
    custom_data: BTreeMap<String, String>,
}

impl BagWriter {
    /// Starts a recording at `path`: a plain file if it ends in `.mcap`, else a new folder. The
    /// parent folder must be there, the target must not (an empty folder is taken).
    pub fn create(path: impl AsRef<Path>) -> Result<Self, BagError> {
        let path = path.as_ref();
        let plain = path.extension().is_some_and(|extension| extension == "mcap");
        let (file, folder) = if plain {
            (path.to_path_buf(), None)
        } else {
            match std::fs::read_dir(path).map(|mut entries| entries.next().is_some()) {
                Ok(true) => return Err(BagError::Exists { path: path.to_path_buf() }),
                Ok(false) => {}
                Err(_) => std::fs::create_dir(path).map_err(|e| BagError::io(path, e))?,
            }
            let absolute = path.canonicalize().map_err(|e| BagError::io(path, e))?;
            let name = absolute.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (path.join(format!("{name}_0.mcap")), Some(path.to_path_buf()))
        };
        let output = File::create_new(&file).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => BagError::Exists { path: file.clone() },
            _ => BagError::io(&file, error),
        })?;
        let writer = WriteOptions::new()
            .profile("ros2")
            .library("isobath")
            .compression(Some(Compression::Zstd))
            // The fastest: noise in images does not get smaller with more effort.
            .compression_level(1)
            .compression_threads(0)
            .chunk_size(Some(CHUNK_BYTES))
            .create(BufWriter::new(output))
            .map_err(|error| failed(&file, &error))?;
        Ok(Self {
            file,
            folder,
            writer,
            topics: Vec::new(),
            span: None,
            sequence: 0,
            custom_data: BTreeMap::new(),
        })
    }

    /// Adds a topic. `definition` is the ros2msg (or IDL) text with its dependencies, empty if it is not
    /// known. A topic that is there already with the same type is returned as it is.
    pub fn add_topic(
        &mut self,
        name: &str,
        type_name: &str,
        type_hash: Option<&str>,
        definition: &str,
        qos: &[OfferedQos],
    ) -> Result<TopicId, BagError> {
        let known = |t: &WrittenTopic| t.info.name == name && t.info.type_name == type_name;
        if let Some(index) = self.topics.iter().position(known) {
            return Ok(TopicId(index));
        }
        let encoding = match definition {
            "" => "",
            // The mark that rosbag2 puts in front of IDL definitions.
            text if text.starts_with(&format!("{}\nIDL: ", "=".repeat(80))) => "ros2idl",
            _ => "ros2msg",
        };
        let mut channel_metadata =
            BTreeMap::from([("offered_qos_profiles".to_owned(), OfferedQos::list_to_yaml(qos, 0))]);
        if let Some(hash) = type_hash {
            channel_metadata.insert("topic_type_hash".to_owned(), hash.to_owned());
        }
        let channel = self
            .writer
            .add_schema(type_name, encoding, definition.as_bytes())
            .and_then(|schema| self.writer.add_channel(schema, name, "cdr", &channel_metadata))
            .map_err(|error| failed(&self.file, &error))?;
        let info = TopicInfo {
            name: name.to_owned(),
            type_name: type_name.to_owned(),
            type_hash: type_hash.map(str::to_owned),
            encoding: "cdr".to_owned(),
            definition: String::new(),
            offered_qos: qos.to_vec(),
            count: 0,
        };
        self.topics.push(WrittenTopic { info, channel });
        Ok(TopicId(self.topics.len() - 1))
    }

    /// Says something about the recording: `custom_data` of `metadata.yaml`, and a metadata record of the
    /// MCAP file. A later value of the same key replaces the earlier.
    pub fn set_custom_data(&mut self, key: &str, value: &str) {
        self.custom_data.insert(key.to_owned(), value.to_owned());
    }

    /// Appends a serialized message, encapsulation included. `log_time` must not lie before the epoch.
    pub fn write(&mut self, id: TopicId, log_time: Stamp, data: &[u8]) -> Result<(), BagError> {
        let topics = self.topics.len();
        let Some(topic) = self.topics.get_mut(id.0) else {
            return Err(BagError::TopicIndex { index: id.0, topics });
        };
        let Ok(time) = u64::try_from(log_time.0) else {
            let message = format!("log time {log_time} s lies before the epoch, MCAP cannot hold it");
            return Err(BagError::Write { path: self.file.clone(), message });
        };
        self.sequence = self.sequence.wrapping_add(1);
        let header = MessageHeader {
            channel_id: topic.channel,
            sequence: self.sequence,
            log_time: time,
            publish_time: time,
        };
        let is_large = data.len() >= LARGE_BYTES;
        if is_large {
            self.writer.flush().map_err(|error| failed(&self.file, &error))?;
        }
        self.writer.write_to_known_channel(&header, data).map_err(|error| failed(&self.file, &error))?;
        if is_large {
            self.writer.flush().map_err(|error| failed(&self.file, &error))?;
        }
        topic.info.count += 1;
        TimeSpan::extend(&mut self.span, TimeSpan::at(log_time));
        Ok(())
    }

    /// Writes summary and footer, and `metadata.yaml` into a folder.
    pub fn finish(mut self) -> Result<(), BagError> {
        if !self.custom_data.is_empty() {
            let record = Metadata { name: CUSTOM_DATA.to_owned(), metadata: self.custom_data.clone() };
            self.writer.write_metadata(&record).map_err(|error| failed(&self.file, &error))?;
        }
        self.writer.finish().map_err(|error| failed(&self.file, &error))?;
        self.writer.into_inner().flush().map_err(|e| BagError::io(&self.file, e))?;
        if let Some(folder) = &self.folder {
            let path = folder.join(metadata::FILE_NAME);
            let topics: Vec<TopicInfo> = self.topics.into_iter().map(|topic| topic.info).collect();
            let file = self.file.file_name().unwrap_or_default().to_string_lossy();
            let text = metadata_yaml(&Recorded {
                file: &file,
                topics: &topics,
                span: self.span,
                custom_data: &self.custom_data,
            });
            std::fs::write(&path, text).map_err(|e| BagError::io(&path, e))?;
        }
        Ok(())
    }
}

fn failed(path: &Path, error: &mcap::McapError) -> BagError {
    let message = match error {
        // The text of this variant does not say what the system said.
        mcap::McapError::Io(source) => source.to_string(),
        other => other.to_string(),
    };
    BagError::Write { path: path.to_path_buf(), message }
}
