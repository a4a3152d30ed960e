//! rosbag2 recordings: MCAP and SQLite in, MCAP out, one message at a time.
//!
//! [`Bag::open`] takes a bag folder (with `metadata.yaml` or without) or one storage file and knows
//! at once what is in it; [`Bag::messages`] streams raw messages in log-time order, the same for
//! both storages, holding a chunk or two in memory. Files and messages that rosbag2 compressed are
//! decompressed on the way. What is damaged or missing is told after everything that can be read was
//! delivered. [`BagWriter`] writes what `ros2 bag` reads. Message contents are not looked at.

mod error;
mod info;
mod inspect;
mod mcap_chunk;
mod mcap_index;
mod mcap_reader;
mod mcap_record;
mod metadata;
mod metadata_writer;
mod open;
mod out_folder;
mod packed_file;
mod packed_message;
mod part;
mod prefix;
mod qos;
mod read_at;
mod split;
mod sqlite_reader;
mod stream;
mod writer;

pub use error::BagError;
pub use info::{BagInfo, StorageKind, TimeSpan, TopicInfo};
pub use inspect::{BagReport, TopicReport, inspect};
pub use open::Bag;
pub use out_folder::{OutFolder, OutFolderError};
pub use packed_file::UnpackWatch;
pub use prefix::WrittenPrefix;
pub use qos::{OfferedQos, QosDuration};
pub use stream::{BagMessage, MessageStream, ReadFilter};
pub use writer::{BagWriter, TopicId};
