//! What can be read of a recording whose writer was stopped in the middle.

use std::path::Path;

use super::stream::FileFilter;
use super::{BagError, BagMessage, TopicInfo, mcap_reader::McapReader, mcap_reader::McapStream};

/// The messages of an MCAP file up to its first damage, in the order in which they were written. Each comes
/// from a chunk that is there as a whole and whose checksum fits.
pub struct WrittenPrefix {
    topics: Vec<TopicInfo>,
    stream: Option<McapStream>,
}

impl WrittenPrefix {
    /// Opens the file at `path`. One that is not there, or ends within its first bytes, has no messages.
    pub fn open(path: &Path) -> Result<Self, BagError> {
        match McapReader::open(path) {
            Ok(reader) => {
                let topics = reader.info().topics;
                let filter = FileFilter { as_written: true, ..FileFilter::all(topics.len()) };
                Ok(Self { topics, stream: Some(reader.messages(filter)) })
            }
            Err(BagError::NotFound { .. } | BagError::Mcap { .. }) => {
                Ok(Self { topics: Vec::new(), stream: None })
            }
            Err(error) => Err(error),
        }
    }

    /// Topics, by the number that messages carry.
    pub fn topics(&self) -> &[TopicInfo] {
        &self.topics
    }
}

impl Iterator for WrittenPrefix {
    type Item = BagMessage;

    fn next(&mut self) -> Option<BagMessage> {
        let message = self.stream.as_mut()?.next().and_then(Result::ok);
        if message.is_none() {
            self.stream = None;
        }
        message
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::bag::BagWriter;
    use crate::message::Stamp;

    #[test]
    fn a_file_cut_anywhere_gives_the_first_messages() {
        let temp = tempfile::tempdir().unwrap();
        let whole = temp.path().join("whole.mcap");
        let mut writer = BagWriter::create(&whole).unwrap();
        let topic = writer.add_topic("/a", "std_msgs/msg/String", None, "string data", &[]).unwrap();
        // Noise, so that the file has several chunks.
        let mut state = 1_u32;
        let payloads: Vec<Vec<u8>> = (0..12)
            .map(|_| {
                let noise = std::iter::repeat_with(|| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8
                });
                noise.take(400_000).collect()
            })
            .collect();
        for (index, payload) in payloads.iter().enumerate() {
            // Not in the order of time.
            writer.write(topic, Stamp(100 - index as i64), payload).unwrap();
        }
        writer.finish().unwrap();
        let bytes = fs::read(&whole).unwrap();
        let cut = temp.path().join("cut.mcap");
        let mut counts = Vec::new();
        for tenth in 0..=10 {
            let mut part = bytes[..bytes.len() * tenth / 10].to_vec();
            for tail in [0, 5000] {
                // A file system that lost power may leave zeros.
                part.resize(part.len() + tail, 0);
                fs::write(&cut, &part).unwrap();
                let prefix = WrittenPrefix::open(&cut).unwrap();
                let found: Vec<_> = prefix.map(|message| message.data).collect();
                assert_eq!(found, payloads[..found.len()]);
                counts.push(found.len());
            }
        }
        assert!(counts.is_sorted(), "{counts:?}");
        assert_eq!((counts[0], counts[20]), (0, 12));
        assert!(counts[10] >= 3 && counts[10] <= 6, "{counts:?}");

        let mut flipped = bytes.clone();
        flipped[bytes.len() / 2] ^= 1;
        fs::write(&cut, &flipped).unwrap();
        let found = WrittenPrefix::open(&cut).unwrap().count();
        assert!((3..=6).contains(&found), "{found} messages before the damage");
        assert_eq!(WrittenPrefix::open(&temp.path().join("none.mcap")).unwrap().count(), 0);
    }
}
