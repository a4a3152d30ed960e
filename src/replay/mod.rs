//! Bags through the pipelines: the same stages as live, with the bag's clock.
//!
//! In: bags, parameters, remappings, a calibration file. Out: `outputs.mcap` with everything the nodes would have
//! published, `run.json` with every frame accounted for, and `frames.parquet` with each of them. Each pipeline is a
//! *lane* on its own thread; the recorder merges what they give by trigger time, so that the file is the same however
//! the threads ran.
//!
//! A run that was stopped is played again from its start, but frames whose outputs are on disk are not computed
//! again: intakes, transforms and counts come to where they were by the same messages, whatever state they have.

mod attempt;
mod bag_run;
mod calibration;
mod error;
mod frame_table;
mod identity;
mod journal;
mod lane;
mod merge;
mod message_filter;
mod node;
mod play;
mod play_clock;
mod progress;
mod rate_search;
mod recorder;
mod resources;
mod routing;
mod run;
mod stored;
mod summary;

use std::path::PathBuf;

pub use calibration::{Calibration, CalibrationError, CameraCalibration, FixedTransform};
pub use error::ReplayError;
pub use frame_table::{FRAMES_FILE, PUBLISHED};
pub use identity::{Difference, FileIdentity, Identity, ModelIdentity};
pub(crate) use message_filter::MessageFilter;
pub use progress::{Progress, Silent};
pub use rate_search::{NodeTrial, RateLimit, RateSearch, RateTrial, search_rate};
pub(crate) use resources::peak_memory_mb;
pub(crate) use routing::{Payload, Routes};
pub use routing::{Remap, source as source_topic};
pub(crate) use run::replay_filtered;
pub use run::{Outcome, replay};
pub use summary::{BudgetSummary, NodeSummary, RunSummary};

use crate::pipeline::NodeParameters;

/// How fast bags are played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rate {
    /// As fast as it goes, in lockstep: no frame is dropped for being late
    Max,
    /// That many times real time, with keep-latest drops as live
    Times(f64),
}

/// What to replay, and how.
#[derive(Clone, Debug)]
pub struct ReplayOptions {
    /// Bags, one after the other
    pub bags: Vec<PathBuf>,
    /// Folder for the results
    pub out: PathBuf,
    /// Parameters of the nodes
    pub parameters: NodeParameters,
    /// Topic names of the bag
    pub remaps: Vec<Remap>,
    /// Mounting and intrinsics that hold instead of what the bags say
    pub calibration: Option<Calibration>,
    /// How fast
    pub rate: Rate,
    /// Seconds skipped at the start of each bag
    pub start_s: f64,
    /// Seconds played of each bag; all of it when absent
    pub duration_s: Option<f64>,
    /// Milliseconds that a frame may take; those that take longer are counted
    pub budget_ms: Option<f64>,
    /// How many pipelines may compute at once
    pub jobs: usize,
    /// Whether an unfinished run in `out` goes on, and a finished one is left as it is
    pub resume: bool,
}
