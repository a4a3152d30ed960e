//! The thread that compresses and writes while the next frame is rendered.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::bag::{BagWriter, TopicId};
use crate::message::{Message, Stamp, to_cdr};
use crate::sim::SimulationError;

/// Messages that may wait, and buffers that are kept: a frame's worth of images and clouds.
const WAITING: usize = 8;

struct Serialized {
    topic: TopicId,
    log: Stamp,
    bytes: Vec<u8>,
}

pub(super) struct Writing {
    sender: SyncSender<Serialized>,
    /// Buffers that were written and can be filled again.
    spare: Receiver<Vec<u8>>,
    thread: JoinHandle<Result<(), SimulationError>>,
}

impl Writing {
    pub fn start(mut writer: BagWriter) -> Self {
        let (sender, messages) = sync_channel::<Serialized>(WAITING);
        let (give_back, spare) = sync_channel(WAITING);
        let thread = std::thread::spawn(move || {
            for Serialized { topic, log, bytes } in messages {
                writer.write(topic, log, &bytes)?;
                // A buffer too many is dropped.
                let _ = give_back.try_send(bytes);
            }
            Ok(writer.finish()?)
        });
        Self { sender, spare, thread }
    }

    pub fn send<'a, M: Message<'a>>(
        &mut self,
        topic: TopicId,
        log: Stamp,
        message: &M,
    ) -> Result<(), SimulationError> {
        let mut bytes = self.spare.try_recv().unwrap_or_default();
        to_cdr(message, &mut bytes);
        // The thread's own error is told by `finish`.
        self.sender.send(Serialized { topic, log, bytes }).map_err(|_| SimulationError::WriterGone)
    }

    /// Waits until all is written. Its error is the first one, so ask even after `send` has failed.
    pub fn finish(self) -> Result<(), SimulationError> {
        drop(self.sender);
        self.thread.join().unwrap_or(Err(SimulationError::WriterGone))
    }
}
