//! How far a replay is, for whoever watches.

use super::RateTrial;
use crate::bag::UnpackWatch;

/// Hears about the progress of a replay.
pub trait Progress {
    /// A bag of `seconds` begins.
    fn bag(&mut self, name: &str, seconds: f64);
    /// `seconds` of it are read.
    fn at(&mut self, seconds: f64);
    /// A play of a search for the highest rate is over.
    fn trial(&mut self, _trial: &RateTrial) {}
    /// Who hears of the decompression of files.
    fn unpacking(&self) -> Option<UnpackWatch> {
        None
    }
}

/// Nobody watches.
pub struct Silent;

impl Progress for Silent {
    fn bag(&mut self, _name: &str, _seconds: f64) {}
    fn at(&mut self, _seconds: f64) {}
}
