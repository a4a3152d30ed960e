//! Whether a depth model uses its radar, and what it makes of a bad one.
//!
//! In: runs of `isobath replay`. Their bags are played again into the node `depth` alone, once for each
//! [`Condition`], with a fault put into the messages of the radars on their way, and scored as the runs are. Out: the
//! error under each condition, and whether it is more than under a milder one by more than chance ([`Ablation`]).

mod condition;
mod derangement;
mod error;
mod frame_errors;
mod frame_influence;
mod influence;
mod play;
mod radar_filter;
mod recipe;
mod report;
mod run;
mod shuffle;
mod steps;

pub use condition::{CONDITIONS, Condition, Fault};
pub use error::AblationError;
pub use report::{Ablation, ConditionScore, InfluenceScore, VsCleaner, VsDropped};
pub use run::{AblationWatch, ablate};
