//! What models cost on this machine: their latency, stage by stage, through the processors of the pipelines.
//!
//! In: models, precisions, a recording or nothing. Out: a [`BenchReport`]. All models and precisions take turns,
//! frame by frame, so that whatever slows the machine down slows all of them.

mod contestant;
mod error;
mod input;
mod lone;
mod report;
mod setup;

use std::path::PathBuf;

pub use error::BenchError;
pub use lone::peak_memory_mb;
pub use report::{BenchReport, RunReport};
pub use setup::{Entries, Entry, Skipped, check};

use self::contestant::AnyContestant;
use self::input::Input;
use crate::inference::{Precision, Provider};
use crate::replay::Remap;

/// Frames that everything computes before anything is counted.
pub const WARM_UP: u64 = 5;

/// What to measure, and how.
#[derive(Clone, Debug)]
pub struct BenchOptions {
    /// Model folders, or names of models
    pub models: Vec<String>,
    /// Precisions; empty for each model's favourite on the provider
    pub precisions: Vec<Precision>,
    /// Where to compute
    pub provider: Provider,
    /// Threads of each session
    pub threads: usize,
    /// Counted frames of each
    pub frames: u64,
    /// A recording; without it a warehouse is simulated
    pub input: Option<PathBuf>,
    /// Topic names of the recording
    pub remaps: Vec<Remap>,
}

/// Measures. `memory` tells the peak memory of a process that runs one model alone on a recording, in MB;
/// `progress` is called with how many of how many frames are done.
pub fn bench(
    options: &BenchOptions,
    memory: &mut dyn FnMut(&LoneRun<'_>) -> Result<f64, BenchError>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<BenchReport, BenchError> {
    let Entries { entries, skipped } = check(options)?;
    let input = Input::new(options.input.as_deref())?;
    let mut contestants = Vec::with_capacity(entries.len());
    for entry in &entries {
        contestants.push(entry.load(&input, &options.remaps, contestant::MOST_FRAMES)?);
    }
    let mut memories = Vec::with_capacity(entries.len());
    for entry in &entries {
        memories.push(memory(&LoneRun { entry, input: input.bag(), options })?);
    }
    take_turns(&mut contestants, options.frames, progress)?;
    let runs = entries.iter().zip(&contestants).zip(memories);
    let runs = runs.map(|((entry, contestant), memory)| report::run(entry, contestant.as_ref(), memory));
    Ok(BenchReport {
        input: input.name(),
        occupancy: contestants.iter().find_map(|contestant| contestant.occupancy()),
        runs: runs.collect(),
        skipped,
    })
}

/// One model with one precision, for a process of its own.
pub struct LoneRun<'a> {
    /// The model and how it runs
    pub entry: &'a Entry,
    /// The recording, also where it was simulated
    pub input: &'a std::path::Path,
    /// What all runs share
    pub options: &'a BenchOptions,
}

/// Who begins changes from frame to frame: none is always the one whose data another has pushed out of the caches.
fn take_turns(
    contestants: &mut [Box<dyn AnyContestant>],
    frames: u64,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), BenchError> {
    for frame in 0..WARM_UP {
        for contestant in &mut *contestants {
            contestant.compute(frame)?;
        }
    }
    for contestant in &mut *contestants {
        contestant.forget();
    }
    let count = contestants.len();
    for frame in 0..frames {
        contestants.rotate_left(usize::from(frame > 0).min(count));
        for contestant in &mut *contestants {
            contestant.compute(WARM_UP + frame)?;
        }
        if third_ends(frame, frames) {
            for contestant in &mut *contestants {
                contestant.end_third();
            }
        }
        progress(frame + 1, frames);
    }
    // Back into the order they were given in.
    contestants.rotate_right(usize::try_from(frames.saturating_sub(1)).unwrap_or(0) % count.max(1));
    Ok(())
}

/// Whether frame number `frame` is the last of a third of `frames`.
fn third_ends(frame: u64, frames: u64) -> bool {
    let third = |frame: u64| frame * 3 / frames;
    third(frame + 1) != third(frame)
}

#[cfg(test)]
mod tests {
    use super::third_ends;

    #[test]
    fn frames_fall_into_three_parts() {
        let ends = |frames| (0..frames).filter(|frame| third_ends(*frame, frames)).collect::<Vec<u64>>();
        assert_eq!(ends(9), [2, 5, 8]);
        assert_eq!(ends(10), [3, 6, 9]);
        assert_eq!(ends(3), [0, 1, 2]);
        assert_eq!(ends(100).len(), 3);
    }
}
