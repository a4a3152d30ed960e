//! One pipeline on one thread: offers what it is fed, processes what is ready, hands on what comes out.

use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::ReplayError;
use super::play_clock::PlayClock;
use crate::message::Stamp;
use crate::pipeline::{
    Accounting, FrameAccount, Intake, Model, Pacing, ParameterSet, Pipeline, PipelineError, Processor,
    SensorInput, WantedTopics, recorded_topics,
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
        /// Stamp of the trigger
        stamp: Stamp,
        /// Topic numbers and messages
        messages: Vec<(usize, Vec<u8>)>,
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
    /// computed, so that no more pipelines compute at once than were asked for.
    pub fn run(
        mut self,
        number: usize,
        feed: &Receiver<Feed>,
        out: &Sender<(usize, Yield)>,
        clock: Option<&PlayClock>,
        turn: Option<&Mutex<()>>,
    ) -> Result<(), ReplayError> {
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
                if let Some(done) = self.process(&frame, clock, turn) {
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
            if let Some(done) = self.process(&frame, clock, turn) {
                out.send((number, done)).map_err(gone)?;
            }
        }
        self.tell(number, out)?;
        out.send((number, Yield::End)).map_err(gone)
    }

    /// Hands on what became of the frames that are through.
    fn tell(&self, number: usize, out: &Sender<(usize, Yield)>) -> Result<(), ReplayError> {
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

    fn process(
        &mut self,
        frame: &<P::Processor as Processor>::Frame,
        clock: Option<&PlayClock>,
        turn: Option<&Mutex<()>>,
    ) -> Option<Yield> {
        let _turn = turn.map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner));
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
                Some(Yield::Frame { key: self.watermark, stamp, messages })
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
