//! Smoothing of one camera's stream, if that is wanted.

use crate::depth::{DepthError, TemporalSmoothing};
use crate::message::Stamp;
use crate::pipeline::ParameterSet;

/// Frames further apart than this are not smoothed, nanoseconds.
const FARTHEST_NS: i64 = 500_000_000;

/// A [`TemporalSmoothing`] that notices where a stream begins.
pub(super) struct Smoother {
    smoothing: TemporalSmoothing,
    /// Of the depth before in the next; 0 is off
    share: f32,
    last: Option<Stamp>,
}

impl Smoother {
    pub fn new(parameters: &ParameterSet) -> Self {
        Self { smoothing: TemporalSmoothing::default(), share: share(parameters), last: None }
    }

    /// Takes a changed share over.
    pub fn update(&mut self, parameters: &ParameterSet) {
        self.share = share(parameters);
    }

    /// Whether it does anything.
    pub fn is_on(&self) -> bool {
        self.share > 0.0
    }

    /// What comes next is of another camera.
    pub fn forget(&mut self) {
        self.last = None;
    }

    /// Blends the depth at the network's size with that of the frame before, if it is of the same stream.
    pub fn apply(&mut self, stamp: Stamp, depth_m: &mut [f32]) -> Result<(), DepthError> {
        if !self.is_on() {
            self.last = None;
            return Ok(());
        }
        let since_ns = self.last.replace(stamp).map(|last| stamp.since_ns(last));
        if !since_ns.is_some_and(|since_ns| (1..=FARTHEST_NS).contains(&since_ns)) {
            self.smoothing.forget();
        }
        self.smoothing.apply(self.share, depth_m)
    }
}

fn share(parameters: &ParameterSet) -> f32 {
    parameters.double("smoothing") as f32
}
