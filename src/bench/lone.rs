//! One model alone in a process, for its memory.

use super::input::Input;
use super::{BenchError, BenchOptions, WARM_UP, check};
use crate::replay;

/// Frames that are held: their memory is counted too.
const FRAMES: usize = 1;

/// Runs the first model of `options` for some frames of its recording and tells the largest resident memory of
/// this process, in MB. Meant for a process that does nothing else.
pub fn peak_memory_mb(options: &BenchOptions) -> Result<f64, BenchError> {
    let input = Input::new(options.input.as_deref())?;
    for entry in check(options)?.entries.iter().take(1) {
        let mut contestant = entry.load(&input, &options.remaps, FRAMES)?;
        for frame in 0..WARM_UP {
            contestant.compute(frame)?;
        }
    }
    let unknown = || BenchError::Memory("expected VmHWM in /proc/self/status, found none".to_owned());
    replay::peak_memory_mb().ok_or_else(unknown)
}
