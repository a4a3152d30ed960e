//! The threads of the session that runs an operator.

use isobath_kernels::{KernelError, Parallel};
use ort::operator::ComputeContext;

/// Gives pieces of work to the session's own threads.
pub(super) struct SessionThreads<'a>(pub &'a ComputeContext);

impl Parallel for SessionThreads<'_> {
    fn run(&self, count: usize, piece: &(dyn Fn(usize) + Sync)) -> Result<(), KernelError> {
        // Without a number of batches ONNX Runtime shares the pieces as threads become free.
        self.0.par_for(count, 0, piece).map_err(|error| KernelError::Threads { reason: error.to_string() })
    }
}
