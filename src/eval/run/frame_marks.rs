//! The order of frames over all runs, and those that found no partner.

use crate::eval::html::{Fate, FrameMark};
use crate::message::Stamp;

/// Numbers what comes of joining, in its order.
#[derive(Debug, Default)]
pub(super) struct FrameMarks {
    /// The run that is read.
    pub run: usize,
    next: u64,
    marks: Vec<FrameMark>,
}

impl FrameMarks {
    /// The number of the next frame.
    pub fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// A frame that will not be scored.
    pub fn note(&mut self, stamp: Stamp, fate: Fate) {
        let sequence = self.number();
        self.marks.push(FrameMark { sequence, run: self.run, stamp, fate });
    }

    /// These and those that were scored, in their order.
    pub fn with(self, scored: Vec<FrameMark>) -> Vec<FrameMark> {
        let mut all = self.marks;
        all.extend(scored);
        all.sort_unstable_by_key(|mark| mark.sequence);
        all
    }
}
