//! Which messages make a frame, and why one did not.
//!
//! State machines over explicit time: every method takes `now`; nothing here reads a clock, waits
//! or spawns. Whatever goes in comes out as part of a frame or as a drop reason.

mod collector;
mod reason;
mod slot;

pub use collector::{Collector, CollectorConfig, FrameSet, MAX_RADARS};
pub use reason::DropReason;
pub use slot::KeepLatest;
