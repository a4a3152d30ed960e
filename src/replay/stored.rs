//! The frames of a run that was stopped: they are played again, to bring intakes and transforms to where they
//! were, but not computed again.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use super::ReplayError;
use super::journal::{Entry, FrameNote, read_entries};
use crate::bag::{BagMessage, WrittenPrefix};
use crate::message::Stamp;

/// Frames whose outputs are on disk, the first of the run in the order of the recording.
#[derive(Default)]
pub(super) struct StoredFrames {
    path: PathBuf,
    count: u64,
    notes: BTreeMap<(usize, usize), VecDeque<FrameNote>>,
    messages: Option<WrittenPrefix>,
}

impl StoredFrames {
    /// Those of which both the note in `journal` and all messages in `outputs` can be read; `None` without a
    /// journal.
    pub fn read(journal: &Path, outputs: &Path) -> Result<Option<Self>, ReplayError> {
        let Some(entries) = read_entries(journal)? else { return Ok(None) };
        let mut messages = WrittenPrefix::open(outputs).map_err(ReplayError::Bag)?;
        let mut stored = Self { path: outputs.to_owned(), ..Self::default() };
        for Entry { bag, lane, frame } in entries {
            let time = log_time(Stamp(frame.stamp_ns));
            // A gap that a file system left would show here.
            let fits = |message: BagMessage| message.log_time == time;
            if !(0..frame.messages).all(|_| messages.next().is_some_and(fits)) {
                break;
            }
            stored.count += 1;
            stored.notes.entry((bag, lane)).or_default().push_back(frame);
        }
        stored.messages = Some(WrittenPrefix::open(outputs).map_err(ReplayError::Bag)?);
        Ok(Some(stored))
    }

    /// How many there are.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Takes out the notes of a lane on a bag, in the order of its frames.
    pub fn take_notes(&mut self, bag: usize, lane: usize) -> VecDeque<FrameNote> {
        self.notes.remove(&(bag, lane)).unwrap_or_default()
    }

    /// The recording they are in.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next message, which must be of a frame stamped `stamp`.
    pub fn next_message(&mut self, stamp: Stamp) -> Result<StoredMessage, ReplayError> {
        let refuse = |found: String| ReplayError::Stored {
            path: self.path.clone(),
            expected: format!("an output of the frame of {stamp}"),
            found,
        };
        let messages = self.messages.as_mut().ok_or_else(|| refuse("no recording".to_owned()))?;
        let message = messages.next().ok_or_else(|| refuse("its end".to_owned()))?;
        if message.log_time != log_time(stamp) {
            return Err(refuse(format!("one of {}", message.log_time)));
        }
        let topic = messages.topics().get(message.topic);
        let topic = topic.ok_or_else(|| refuse(format!("topic number {}", message.topic)))?;
        Ok(StoredMessage { topic: topic.name.clone(), data: message.data })
    }
}

/// An output on disk.
pub(super) struct StoredMessage {
    /// Name of its topic in the recording
    pub topic: String,
    /// Serialized message
    pub data: Vec<u8>,
}

/// The log time of outputs of a frame stamped `stamp`: one before the epoch is logged at the epoch.
pub(super) fn log_time(stamp: Stamp) -> Stamp {
    stamp.max(Stamp(0))
}
