//! Whether one run is worse than another.
//!
//! In: two evaluated runs, `report.json` and the tables of frames beside it. Out: each figure of both, how far
//! they differ, and whether that is more than chance: a paired block bootstrap over the frames that both have.
//! A gate of rules turns that into a verdict for scripts.

mod block_bootstrap;
mod detection;
mod error;
mod evaluated_run;
mod frame_blocks;
mod gate;
mod interval;
mod means;
mod overlap_precision;
mod pairing;
mod ranked;
mod recall_walk;
mod recordings;
mod report;
mod rule;
mod runs;
mod true_positive_errors;

#[cfg(test)]
mod trial_tests;

pub(in crate::eval) use evaluated_run::FrameName;
pub(in crate::eval) use pairing::Pairing;

pub use block_bootstrap::{PairedFigures, RESAMPLES, Resamples};
pub use error::CompareError;
pub use frame_blocks::{FrameBlocks, MIN_BLOCKS};
pub use gate::{Gate, RuleOutcome};
pub use interval::{CONFIDENCE, Estimate, GATE_CONFIDENCE};
pub use means::PairedMeans;
pub use report::{ComparedFigure, Comparison, TaskFrames, Verdict};
pub use rule::{FailRule, Limit, Side};
pub use runs::compare;
