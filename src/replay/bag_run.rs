//! One bag through its lanes: the threads of player, lanes and recorder, and what is between them.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, sync_channel};

use super::calibration::Overlay;
use super::frame_table::FrameTable;
use super::journal::{Entry, FrameNote};
use super::lane::Yield;
use super::merge::Merge;
use super::node::AnyLane;
use super::play::{Entrance, Played, Player, Section};
use super::play_clock::PlayClock;
use super::recorder::Recorder;
use super::routing::Routes;
use super::stored::StoredFrames;
use super::{MessageFilter, Progress, Rate, ReplayError, ReplayOptions};
use crate::bag::Bag;
use crate::message::Stamp;
use crate::pipeline::FrameAccount;

/// Messages that wait for a lane in lockstep; bounds the memory.
const LOCKSTEP_QUEUE: usize = 8;
/// Messages that wait while a paced lane computes a frame.
const PACED_QUEUE: usize = 256;
/// Frames and moments that wait for the recorder: lanes that are faster than the disk wait for it.
const RECORDER_QUEUE: usize = 16;

/// A lane about to play a bag.
pub(super) struct PlayedLane {
    /// Node name
    pub name: &'static str,
    /// The lane
    pub lane: Box<dyn AnyLane>,
    /// What of the bag it is fed
    pub routes: Routes,
}

/// What lanes give, in the order of the recording.
enum Record {
    /// A frame and its messages; `None` where they are on disk
    Outputs(FrameNote, Option<Vec<(usize, Vec<u8>)>>),
    /// What became of frames
    Account(Vec<FrameAccount>),
}

/// A bag of a run.
pub(super) struct BagRun<'a> {
    /// Which of the run's bags
    pub number: usize,
    /// The bag
    pub bag: &'a Bag,
    /// Which part of it
    pub section: Section,
    /// How it is played
    pub options: &'a ReplayOptions,
}

impl BagRun<'_> {
    /// Plays the bag into `lanes` and records what they give, and in `frames` what became of each; frames that are
    /// `stored` are copied. Messages go through `filter` first.
    pub fn run(
        &self,
        lanes: Vec<PlayedLane>,
        recorder: &mut Recorder,
        frames: &mut FrameTable,
        stored: &mut StoredFrames,
        filter: Option<&mut dyn MessageFilter>,
        progress: &mut dyn Progress,
    ) -> Result<Played, ReplayError> {
        let options = self.options;
        let (clock, queue) = match options.rate {
            Rate::Max => (None, LOCKSTEP_QUEUE),
            Rate::Times(factor) => (Some(PlayClock::new(factor, self.section.start)), PACED_QUEUE),
        };
        let clock = clock.as_ref();
        let turn = Mutex::new(());
        let turn = (options.jobs == 1).then_some(&turn);
        let names: Vec<&'static str> = lanes.iter().map(|lane| lane.name).collect();
        let (out, results) = sync_channel(RECORDER_QUEUE);
        std::thread::scope(|scope| {
            let mut entrances = Vec::with_capacity(lanes.len());
            let mut workers = Vec::with_capacity(lanes.len());
            for (number, PlayedLane { lane, routes, .. }) in lanes.into_iter().enumerate() {
                let (feed, fed) = sync_channel(queue);
                entrances.push(Entrance { routes, feed });
                let out = out.clone();
                let notes = stored.take_notes(self.number, number);
                workers.push(scope.spawn(move || lane.run(number, &fed, &out, clock, turn, notes)));
            }
            drop(out);
            let names = names.as_slice();
            let writer = scope.spawn(move || self.record(names, &results, (recorder, frames), stored));
            let overlay = options.calibration.as_ref().map(Overlay::new);
            let player =
                Player { bag: self.bag, section: self.section, clock, lanes: &entrances, overlay, filter };
            let played = player.play(progress);
            drop(entrances);
            // What failed first is what the others failed of: the recorder, then a lane, then the player.
            let recorded = writer.join().map_err(|_| ReplayError::Thread("recorder"))?;
            let mut worked = Ok(());
            for worker in workers {
                worked = worked.and(worker.join().map_err(|_| ReplayError::Thread("pipeline"))?);
            }
            match (recorded, worked) {
                // A lane that ended early left the recorder without an end.
                (Err(ReplayError::Thread(_)), Err(error)) if !matches!(error, ReplayError::Thread(_)) => {
                    Err(error)
                }
                (recorded, worked) => recorded.and(worked).and(played),
            }
        })
    }

    fn record(
        &self,
        names: &[&'static str],
        results: &Receiver<(usize, Yield)>,
        (recorder, frames): (&mut Recorder, &mut FrameTable),
        stored: &mut StoredFrames,
    ) -> Result<(), ReplayError> {
        let mut merge = Merge::new(names.len());
        while let Ok((lane, result)) = results.recv() {
            match result {
                Yield::Frame { key, note, messages } => {
                    merge.push(lane, key, Record::Outputs(note, messages));
                }
                Yield::Account { key, frames } => merge.push(lane, key, Record::Account(frames)),
                Yield::Watermark(watermark) => merge.advance(lane, watermark),
                Yield::End => merge.end(lane),
            }
            while let Some((lane, record)) = merge.pop() {
                let (mut frame, messages) = match record {
                    Record::Outputs(frame, messages) => (frame, messages),
                    Record::Account(accounts) => {
                        frames.rows(names.get(lane).copied().unwrap_or_default(), &accounts)?;
                        continue;
                    }
                };
                let stamp = Stamp(frame.stamp_ns);
                let before = recorder.written();
                match messages {
                    Some(messages) => {
                        for (topic, bytes) in messages {
                            recorder.write(lane, topic, stamp, &bytes)?;
                        }
                    }
                    None => {
                        for _ in 0..frame.messages {
                            recorder.copy(lane, stamp, stored)?;
                        }
                    }
                }
                frame.messages = (recorder.written() - before) as u32;
                recorder.note(&Entry { bag: self.number, lane, frame })?;
            }
        }
        if merge.all_ended() { Ok(()) } else { Err(ReplayError::Thread("pipeline")) }
    }
}
