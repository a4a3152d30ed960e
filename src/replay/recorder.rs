//! Writes the outputs in order and remembers their digest.

use std::fmt::Write as _;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::ReplayError;
use crate::bag::{BagWriter, OfferedQos, TopicId};
use crate::message::Stamp;
use crate::pipeline::{OutputTopic, WantedTopics};

/// Queue depth that the nodes offer for their outputs.
const OFFERED_DEPTH: u64 = 5;

/// Writes `outputs.mcap`.
pub(super) struct Recorder {
    writer: BagWriter,
    lanes: Vec<Vec<Option<(TopicId, &'static OutputTopic)>>>,
    digest: Sha256,
    written: u64,
}

impl Recorder {
    /// A recording at `path` without topics.
    pub fn create(path: &Path) -> Result<Self, ReplayError> {
        let writer = BagWriter::create(path).map_err(ReplayError::Bag)?;
        Ok(Self { writer, lanes: Vec::new(), digest: Sha256::new(), written: 0 })
    }

    /// Adds the recorded topics of the next lane.
    pub fn add_lane(
        &mut self,
        outputs: &'static [OutputTopic],
        wanted: WantedTopics,
    ) -> Result<(), ReplayError> {
        let mut topics = Vec::with_capacity(outputs.len());
        for (index, output) in outputs.iter().enumerate() {
            topics.push(if wanted.has(index) {
                let name = format!("/{}", output.name);
                let qos = [OfferedQos::reliable(OFFERED_DEPTH)];
                let id = self
                    .writer
                    .add_topic(&name, output.type_name, Some(output.type_hash), output.definition, &qos)
                    .map_err(ReplayError::Bag)?;
                Some((id, output))
            } else {
                None
            });
        }
        self.lanes.push(topics);
        Ok(())
    }

    /// Messages so far.
    pub const fn written(&self) -> u64 {
        self.written
    }

    /// Writes one message. A trigger stamped before the epoch is logged at the epoch.
    pub fn write(
        &mut self,
        lane: usize,
        topic: usize,
        stamp: Stamp,
        bytes: &[u8],
    ) -> Result<(), ReplayError> {
        let Some(Some((id, output))) = self.lanes.get(lane).and_then(|topics| topics.get(topic)) else {
            return Ok(());
        };
        let log_time = stamp.max(Stamp(0));
        self.writer.write(*id, log_time, bytes).map_err(ReplayError::Bag)?;
        self.written += 1;
        // Lengths in front, so that no two sequences of messages have the same digest input.
        for part in [format!("/{}", output.name).as_bytes(), output.type_name.as_bytes()] {
            self.digest.update((part.len() as u64).to_le_bytes());
            self.digest.update(part);
        }
        self.digest.update(log_time.0.to_le_bytes());
        self.digest.update((bytes.len() as u64).to_le_bytes());
        self.digest.update(bytes);
        Ok(())
    }

    /// Closes the file; the digest over topic, type, log time and bytes of every message, in hex.
    pub fn finish(self) -> Result<String, ReplayError> {
        self.writer.finish().map_err(ReplayError::Bag)?;
        let digest = self.digest.finalize();
        Ok(digest.iter().fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        }))
    }
}
