//! What became of one frame.

use crate::message::Stamp;

/// What became of one truth message or output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fate {
    /// It was scored; `AbsRel` of depth, F1 at 2 m of detections.
    Scored(f64),
    /// Truth and output could not be compared, or there was too little truth.
    NotCompared,
    /// Nothing was published for this truth.
    NotPublished,
    /// An output without truth.
    WithoutTruth,
}

/// A frame of one task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameMark {
    /// Its place among all truth messages and outputs of all runs, in the order in which they were joined.
    pub sequence: u64,
    /// Index into the report's runs.
    pub run: usize,
    /// Stamp of the truth, or of the output where there is no truth.
    pub stamp: Stamp,
    /// What became of it.
    pub fate: Fate,
}
