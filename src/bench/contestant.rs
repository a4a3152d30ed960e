//! One model with one precision, ready to compute frame after frame.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::BenchError;
use super::input::Input;
use crate::pipeline::{
    Accounting, Model, Pacing, ParameterSet, Pipeline, Processor, WantedTopics, recorded_topics,
};
use crate::replay::Remap;
use crate::sync::DropReason;

/// Different frames that are held: enough that no cache remembers them all.
pub(super) const MOST_FRAMES: usize = 16;

/// A [`Contestant`] of any pipeline.
pub(super) trait AnyContestant {
    /// Computes a frame; numbers beyond the last frame begin anew.
    fn compute(&mut self, number: u64) -> Result<(), BenchError>;
    /// Forgets all times so far.
    fn forget(&mut self);
    /// A third of the frames is done.
    fn end_third(&mut self);
    /// Times of each third that has ended.
    fn thirds(&self) -> &[Accounting];
    /// Facts about the model.
    fn describe(&self) -> Vec<(&'static str, String)>;
    /// Median share of the grid's cells that had points; `None` for a model without a grid.
    fn occupancy(&self) -> Option<f64>;
}

/// A model with its sensor's processor and the frames for it.
pub(super) struct Contestant<P: Pipeline> {
    name: String,
    model: P::Model,
    processor: P::Processor,
    frames: Vec<<P::Processor as Processor>::Frame>,
    wanted: WantedTopics,
    accounting: Arc<Mutex<Accounting>>,
    thirds: Vec<Accounting>,
    shares: Vec<f64>,
}

impl<P: Pipeline> Contestant<P> {
    /// Loads the model and reads at most `frames` frames for it.
    pub fn new(
        name: &str,
        parameters: &ParameterSet,
        input: &Input,
        remaps: &[Remap],
        frames: usize,
    ) -> Result<Self, BenchError> {
        let accounting = Arc::new(Mutex::new(Accounting::default()));
        let model = P::load(parameters)?;
        let (mut intake, processor) =
            P::attach(&model, parameters, Pacing::Lockstep, Arc::clone(&accounting))?;
        let frames = input.frames::<P>(parameters, remaps, &mut intake, frames)?;
        Ok(Self {
            name: name.to_owned(),
            model,
            processor,
            frames,
            wanted: recorded_topics::<P>(parameters),
            accounting,
            thirds: Vec::new(),
            shares: Vec::new(),
        })
    }

    fn take_times(&self) -> Accounting {
        std::mem::take(&mut *self.accounting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<P: Pipeline> AnyContestant for Contestant<P> {
    fn compute(&mut self, number: u64) -> Result<(), BenchError> {
        let index = (number % self.frames.len().max(1) as u64) as usize;
        let Some(frame) = self.frames.get(index) else { return Ok(()) };
        let start = Instant::now();
        let result = self.processor.process(&mut self.model, frame, self.wanted, &mut |message| {
            std::hint::black_box(message.bytes);
        });
        let elapsed = start.elapsed();
        result.map_err(|error| BenchError::Frame {
            model: self.name.clone(),
            reason: error.to_string(),
            is_input: error.reason != DropReason::InferenceFailed,
        })?;
        let stamp = P::Processor::stamp(frame);
        self.accounting.lock().unwrap_or_else(PoisonError::into_inner).publish(stamp, elapsed);
        self.shares.extend(self.model.active_share());
        Ok(())
    }

    fn forget(&mut self) {
        self.take_times();
        self.thirds.clear();
        self.shares.clear();
    }

    fn end_third(&mut self) {
        let times = self.take_times();
        self.thirds.push(times);
    }

    fn thirds(&self) -> &[Accounting] {
        &self.thirds
    }

    fn describe(&self) -> Vec<(&'static str, String)> {
        self.model.describe()
    }

    fn occupancy(&self) -> Option<f64> {
        let mut shares = self.shares.clone();
        shares.sort_by(f64::total_cmp);
        shares.get(shares.len() / 2).copied()
    }
}
