//! One bag through its lanes: the threads of player, lanes and recorder, and what is between them.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, sync_channel};

use super::calibration::Overlay;
use super::journal::Entry;
use super::lane::Yield;
use super::merge::Merge;
use super::node::AnyLane;
use super::play::{Entrance, Played, Player, Section};
use super::recorder::Recorder;
use super::routing::Routes;
use super::stored::StoredFrames;
use super::{Progress, Rate, ReplayError, ReplayOptions};
use crate::bag::Bag;
use crate::message::Stamp;

/// Messages that wait for a lane in lockstep; bounds the memory.
const LOCKSTEP_QUEUE: usize = 8;
/// Messages that wait while a paced lane computes a frame.
const PACED_QUEUE: usize = 256;
/// Frames and moments that wait for the recorder: lanes that are faster than the disk wait for it.
const RECORDER_QUEUE: usize = 16;

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
    /// Plays the bag into `lanes` and records what they give; frames that are `stored` are copied.
    pub fn run(
        &self,
        lanes: Vec<(Box<dyn AnyLane>, Routes)>,
        recorder: &mut Recorder,
        stored: &mut StoredFrames,
        progress: &mut dyn Progress,
    ) -> Result<Played, ReplayError> {
        let options = self.options;
        let queue = if options.rate == Rate::Max { LOCKSTEP_QUEUE } else { PACED_QUEUE };
        let turn = Mutex::new(());
        let turn = (options.jobs == 1).then_some(&turn);
        let count = lanes.len();
        let (out, results) = sync_channel(RECORDER_QUEUE);
        std::thread::scope(|scope| {
            let mut entrances = Vec::with_capacity(count);
            let mut workers = Vec::with_capacity(count);
            for (number, (lane, routes)) in lanes.into_iter().enumerate() {
                let (feed, fed) = sync_channel(queue);
                entrances.push(Entrance { routes, feed });
                let out = out.clone();
                let notes = stored.take_notes(self.number, number);
                workers.push(scope.spawn(move || lane.run(number, &fed, &out, turn, notes)));
            }
            drop(out);
            let writer = scope.spawn(move || self.record(count, &results, recorder, stored));
            let overlay = options.calibration.as_ref().map(Overlay::new);
            let player = Player {
                bag: self.bag,
                section: self.section,
                rate: options.rate,
                lanes: &entrances,
                overlay,
            };
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
        lanes: usize,
        results: &Receiver<(usize, Yield)>,
        recorder: &mut Recorder,
        stored: &mut StoredFrames,
    ) -> Result<(), ReplayError> {
        let mut merge = Merge::new(lanes);
        while let Ok((lane, result)) = results.recv() {
            match result {
                Yield::Frame { key, note, messages } => merge.push(lane, key, (note, messages)),
                Yield::Watermark(watermark) => merge.advance(lane, watermark),
                Yield::End => merge.end(lane),
            }
            while let Some((lane, (mut frame, messages))) = merge.pop() {
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
