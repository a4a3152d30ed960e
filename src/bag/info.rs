//! What a recording holds, known before any message is read.

use super::qos::OfferedQos;
use crate::message::Stamp;

/// One topic of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicInfo {
    /// Full name, for example `/camera/image_raw`.
    pub name: String,
    /// ROS type, for example `sensor_msgs/msg/Image`.
    pub type_name: String,
    /// `RIHS01_…`, when the recorder stored it (Iron and later).
    pub type_hash: Option<String>,
    /// Encoding of the messages; `cdr` in every ROS 2 recording.
    pub encoding: String,
    /// Message definition with its dependencies, empty when the recorder stored none.
    pub definition: String,
    /// Quality of service its publishers offered, empty when not stored.
    pub offered_qos: Vec<OfferedQos>,
    /// How many messages are readable.
    pub count: u64,
}

/// How messages are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageKind {
    /// MCAP files.
    Mcap,
    /// SQLite databases.
    Sqlite3,
}

impl StorageKind {
    /// The identifier rosbag2 uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mcap => "mcap",
            Self::Sqlite3 => "sqlite3",
        }
    }
}

/// What a recording holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BagInfo {
    /// Topics sorted by name, so that the same recording has the same indices in every storage.
    pub topics: Vec<TopicInfo>,
    /// Log time of the first message; zero in an empty recording.
    pub start: Stamp,
    /// Log time of the last message; zero in an empty recording.
    pub end: Stamp,
    /// Storage of the files.
    pub storage: StorageKind,
    /// `none`, or for example `zstd` for chunks of MCAP (several joined by `+`), `zstd per message`,
    /// `zstd per file`.
    pub compression: String,
}

impl BagInfo {
    /// Readable messages of all topics.
    pub fn message_count(&self) -> u64 {
        self.topics.iter().map(|topic| topic.count).sum()
    }

    /// Index of the topic called `name`. Where a name was recorded with two types, the first.
    pub fn topic_index(&self, name: &str) -> Option<usize> {
        self.topics.iter().position(|topic| topic.name == name)
    }
}

/// First and last log time of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeSpan {
    /// Earliest log time.
    pub first: Stamp,
    /// Latest log time.
    pub last: Stamp,
}

impl TimeSpan {
    /// The span of one moment.
    pub(super) const fn at(stamp: Stamp) -> Self {
        Self { first: stamp, last: stamp }
    }

    /// The smallest span that holds both.
    pub(super) fn union(self, other: Self) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last) }
    }

    /// Adds `other` to an optional span.
    pub(super) fn extend(span: &mut Option<Self>, other: Self) {
        *span = Some(span.map_or(other, |s| s.union(other)));
    }
}

/// What one storage file holds; topics are local to the file.
#[derive(Clone, Debug)]
pub(super) struct FileInfo {
    /// Topics in the order of the file's own ids.
    pub topics: Vec<TopicInfo>,
    /// Span of all readable messages, `None` in an empty file.
    pub span: Option<TimeSpan>,
    /// Names of the chunk compressions met.
    pub compressions: Vec<String>,
}
