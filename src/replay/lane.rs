//! One pipeline on one thread: offers what it is fed, processes what is ready, hands on what comes out.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::ReplayError;
use super::journal::FrameNote;
use super::play_clock::PlayClock;
use crate::message::Stamp;
use crate::pipeline::{
    Accounting, FrameAccount, Intake, Model, Pacing, ParameterSet, Pipeline, PipelineError, Processor,
    SensorInput, Stage, WantedTopics, recorded_topics,
};

/// How far a sensor's stamps may lag behind the recorder before its outputs are written later than
/// their stamp says, nanoseconds. The time an input may wait for its companions is added.
const STAMP_LAG_NS: i64 = 500_000_000;

/// What a lane is fed, with the bag's time.
pub(super) enum Feed {
    /// A message
    Message(SensorInput, Stamp),
    /// Time went on
    Tick(Stamp),
}

/// What a lane gives.
pub(super) enum Yield {
    /// The encoded outputs of one frame: topic number and bytes
    Frame {
        /// Position in the recording; never decreases within a lane
        key: Stamp,
        /// What is remembered of it
        note: FrameNote,
        /// Topic numbers and messages; `None` where they are on disk
        messages: Option<Vec<(usize, Vec<u8>)>>,
    },
    /// What became of frames
    Account {
        /// As of frames
        key: Stamp,
        /// In the order in which they were through
        frames: Vec<FrameAccount>,
    },
    /// No frame with a smaller key will come
    Watermark(Stamp),
    /// The lane is through
    End,
}

/// A pipeline ready to be fed.
pub(super) struct Lane<P: Pipeline> {
    intake: P::Intake,
    model: P::Model,
    processor: P::Processor,
    accounting: Arc<Mutex<Accounting>>,
    pacing: Pacing,
    wanted: WantedTopics,
    lag_ns: i64,
    watermark: Stamp,
    /// Frames so far
    frames: u64,
    /// Frames whose outputs are on disk
    stored: VecDeque<FrameNote>,
}

impl<P: Pipeline> Lane<P> {
    /// Loads the model and gets ready. Frames that take longer than `budget` are counted.
    pub fn new(
        parameters: &ParameterSet,
        pacing: Pacing,
        budget: Option<Duration>,
    ) -> Result<Self, PipelineError> {
        let accounting = Arc::new(Mutex::new(Accounting::frame_by_frame(budget)));
        let model = P::load(parameters)?;
        let (intake, processor) = P::attach(&model, parameters, pacing, Arc::clone(&accounting))?;
        Ok(Self {
            intake,
            model,
            processor,
            accounting,
            pacing,
            wanted: recorded_topics::<P>(parameters),
            lag_ns: STAMP_LAG_NS + parameters.integer("sync_timeout_ms") * 1_000_000,
            watermark: Stamp(i64::MIN),
            frames: 0,
            stored: VecDeque::new(),
        })
    }

    /// Facts about the model.
    pub fn describe(&self) -> Vec<(&'static str, String)> {
        self.model.describe()
    }

    /// The counts of this lane, valid after [`Self::run`].
    pub fn accounting(&self) -> Arc<Mutex<Accounting>> {
        Arc::clone(&self.accounting)
    }

    /// Works until the feed ends. `clock` is that of the player, if it has one. `turn` is held while a frame is
    /// computed, so that no more pipelines compute at once than were asked for. Frames that are `stored` are not
    /// computed.
    pub fn run(
        mut self,
        number: usize,
        feed: &Receiver<Feed>,
        out: &SyncSender<(usize, Yield)>,
        clock: Option<&PlayClock>,
        turn: Option<&Mutex<()>>,
        stored: VecDeque<FrameNote>,
    ) -> Result<(), ReplayError> {
        self.stored = stored;
        let gone = |_| ReplayError::Thread("recorder");
        while let Ok(first) = feed.recv() {
            let mut now = self.take(first);
            if self.pacing == Pacing::KeepLatest {
                // All that came while a frame was computed: newer images replace older ones.
                while let Ok(more) = feed.try_recv() {
                    now = self.take(more);
                }
            }
            while let Some(frame) = self.intake.poll(now) {
                if let Some(done) = self.frame(&frame, clock, turn)? {
                    out.send((number, done)).map_err(gone)?;
                }
                if self.pacing == Pacing::KeepLatest {
                    break;
                }
            }
            self.tell(number, out)?;
            self.watermark = self.watermark.max(now.offset_ns(-self.lag_ns));
            out.send((number, Yield::Watermark(self.watermark))).map_err(gone)?;
        }
        while let Some(frame) = self.intake.flush() {
            if let Some(done) = self.frame(&frame, clock, turn)? {
                out.send((number, done)).map_err(gone)?;
            }
        }
        self.tell(number, out)?;
        if let Some(note) = self.stored.front() {
            return Err(unmatched::<P>(note, "the end of the bag"));
        }
        out.send((number, Yield::End)).map_err(gone)
    }

    /// Hands on what became of the frames that are through.
    fn tell(&self, number: usize, out: &SyncSender<(usize, Yield)>) -> Result<(), ReplayError> {
        let frames = self.accounting.lock().unwrap_or_else(PoisonError::into_inner).take_frames();
        if frames.is_empty() {
            return Ok(());
        }
        let told = Yield::Account { key: self.watermark, frames };
        out.send((number, told)).map_err(|_| ReplayError::Thread("recorder"))
    }

    fn take(&mut self, feed: Feed) -> Stamp {
        match feed {
            Feed::Message(input, now) => {
                self.intake.offer(input, now);
                now
            }
            Feed::Tick(now) => now,
        }
    }

    /// The next frame from disk, or computed.
    fn frame(
        &mut self,
        frame: &<P::Processor as Processor>::Frame,
        clock: Option<&PlayClock>,
        turn: Option<&Mutex<()>>,
    ) -> Result<Option<Yield>, ReplayError> {
        let number = self.frames;
        self.frames += 1;
        if self.stored.front().is_some_and(|note| note.number == number)
            && let Some(note) = self.stored.pop_front()
        {
            if P::Processor::stamp(frame).0 != note.stamp_ns {
                return Err(unmatched::<P>(&note, &format!("that of {}", P::Processor::stamp(frame))));
            }
            if !self.processor.remembers() {
                return Ok(Some(self.skip(frame, note)));
            }
            let _turn = turn.map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner));
            // Computed for what comes after it; its outputs are on disk.
            return Ok(self.process(frame, number, clock).map(|done| match done {
                Yield::Frame { key, note, .. } => Yield::Frame { key, note, messages: None },
                other => other,
            }));
        }
        let _turn = turn.map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(self.process(frame, number, clock))
    }

    fn skip(&mut self, frame: &<P::Processor as Processor>::Frame, note: FrameNote) -> Yield {
        let stamp = P::Processor::stamp(frame);
        self.processor.skip(frame, note.radar);
        let mut account = self.accounting.lock().unwrap_or_else(PoisonError::into_inner);
        for (stage, time_us) in Stage::ALL.iter().zip(&note.stages_us).filter(|(_, time_us)| **time_us > 0) {
            account.stage(*stage, Duration::from_micros(u64::from(*time_us)));
        }
        account.publish(stamp, Duration::from_micros(u64::from(note.latency_us)));
        self.watermark = self.watermark.max(stamp);
        Yield::Frame { key: self.watermark, note, messages: None }
    }

    fn process(
        &mut self,
        frame: &<P::Processor as Processor>::Frame,
        number: u64,
        clock: Option<&PlayClock>,
    ) -> Option<Yield> {
        let start = Instant::now();
        let mut messages = Vec::new();
        let result = self.processor.process(&mut self.model, frame, self.wanted, &mut |message| {
            messages.push((message.topic, message.bytes.to_vec()));
        });
        let latency = start.elapsed();
        let stamp = P::Processor::stamp(frame);
        let mut account = self.accounting.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(()) => {
                if let (Some(clock), Some(logged)) = (clock, account.arrival(stamp)) {
                    account.age(stamp, clock.age_ns(stamp, logged));
                }
                account.publish(stamp, latency);
                self.watermark = self.watermark.max(stamp);
                let (stages, radar) = account.newest();
                let stages = stages.map(|time| time.map_or(0, microseconds));
                let note = FrameNote {
                    number,
                    stamp_ns: stamp.0,
                    messages: messages.len() as u32,
                    latency_us: microseconds(latency),
                    stages_us: stages.into(),
                    radar,
                };
                Some(Yield::Frame { key: self.watermark, note, messages: Some(messages) })
            }
            Err(error) => {
                account.drop_frame(stamp, error.reason);
                let undecodable = error.reason == crate::sync::DropReason::Undecodable;
                if account.problem(P::NODE, error.to_string(), undecodable) {
                    tracing::warn!("{}: {error}", P::NODE);
                }
                None
            }
        }
    }
}

/// At least one, as 0 stands for nothing timed.
fn microseconds(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX).max(1)
}

fn unmatched<P: Pipeline>(note: &FrameNote, found: &str) -> ReplayError {
    ReplayError::Unmatched {
        node: P::NODE,
        expected: format!("frame {} of {}", note.number, Stamp(note.stamp_ns)),
        found: found.to_owned(),
    }
}
