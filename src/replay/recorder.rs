//! Writes the outputs in order and remembers their digest.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::ReplayError;
use super::identity::hex;
use super::journal::{Entry, Journal};
use super::stored::{StoredFrames, log_time};
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
    journal: Journal,
}

impl Recorder {
    /// A recording at `path` without topics, whose frames are noted in `journal`.
    pub fn create(path: &Path, journal: Journal) -> Result<Self, ReplayError> {
        let writer = BagWriter::create(path).map_err(ReplayError::Bag)?;
        Ok(Self { writer, lanes: Vec::new(), digest: Sha256::new(), written: 0, journal })
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
        let log_time = log_time(stamp);
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

    /// Writes the next of the `stored` messages, an output of `lane` for a trigger of `stamp`.
    pub fn copy(&mut self, lane: usize, stamp: Stamp, stored: &mut StoredFrames) -> Result<(), ReplayError> {
        let message = stored.next_message(stamp)?;
        let named = |topic: &Option<(TopicId, &OutputTopic)>| {
            topic.is_some_and(|(_, output)| message.topic.strip_prefix('/') == Some(output.name))
        };
        match self.lanes.get(lane).and_then(|topics| topics.iter().position(named)) {
            Some(topic) => self.write(lane, topic, stamp, &message.data),
            None => Err(ReplayError::Stored {
                path: stored.path().to_owned(),
                expected: format!("an output of the frame of {stamp}"),
                found: format!("a message on {}", message.topic),
            }),
        }
    }

    /// Notes a frame whose messages are written.
    pub fn note(&mut self, entry: &Entry) -> Result<(), ReplayError> {
        self.journal.note(entry)
    }

    /// Closes the file; the digest over topic, type, log time and bytes of every message, in hex.
    pub fn finish(self) -> Result<String, ReplayError> {
        self.writer.finish().map_err(ReplayError::Bag)?;
        Ok(hex(&self.digest.finalize()))
    }
}
