//! How many frames had a truth.

use serde::Serialize;

/// What became of truth and outputs of one task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Matching {
    /// Truth messages.
    pub truth: u64,
    /// Output messages.
    pub outputs: u64,
    /// Pairs of both, by stamp.
    pub matched: u64,
    /// Truth messages for which nothing was published.
    pub truth_without_output: u64,
    /// Outputs that nothing is known about.
    pub outputs_without_truth: u64,
    /// How often the stamps of the truth ran back.
    pub truth_time_jumps: u64,
    /// How often those of the outputs did.
    pub output_time_jumps: u64,
}

impl Matching {
    /// Adds those of another recording.
    pub fn merge(&mut self, other: &Self) {
        self.truth += other.truth;
        self.outputs += other.outputs;
        self.matched += other.matched;
        self.truth_without_output += other.truth_without_output;
        self.outputs_without_truth += other.outputs_without_truth;
        self.truth_time_jumps += other.truth_time_jumps;
        self.output_time_jumps += other.output_time_jumps;
    }
}
