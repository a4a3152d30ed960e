//! Work in pieces, on whoever's threads.

use std::{
    marker::PhantomData,
    ops::Range,
    sync::{Mutex, PoisonError},
};

use crate::KernelError;

/// Runs the pieces of a job, at the same time or one after the other.
pub trait Parallel {
    /// Calls `piece` once with every number below `count` and returns when all are done.
    fn run(&self, count: usize, piece: &(dyn Fn(usize) + Sync)) -> Result<(), KernelError>;
}

/// All pieces on the calling thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Serial;

impl Parallel for Serial {
    fn run(&self, count: usize, piece: &(dyn Fn(usize) + Sync)) -> Result<(), KernelError> {
        (0..count).for_each(piece);
        Ok(())
    }
}

/// Runs pieces that can fail; of several failures the one of the first piece is told, whichever came first.
pub(crate) fn try_run(
    parallel: &dyn Parallel,
    count: usize,
    piece: impl Fn(usize) -> Result<(), KernelError> + Sync,
) -> Result<(), KernelError> {
    // One piece needs no other thread, nor the wait for one.
    if count == 1 {
        return piece(0);
    }
    let failure: Mutex<Option<(usize, KernelError)>> = Mutex::new(None);
    parallel.run(count, &|index| {
        if let Err(error) = piece(index) {
            let mut failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
            if failure.as_ref().is_none_or(|(first, _)| index < *first) {
                *failure = Some((index, error));
            }
        }
    })?;
    failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), |(_, error)| Err(error))
}

/// A slice whose parts are written by different threads.
pub(crate) struct Disjoint<'a, T> {
    start: *mut T,
    len: usize,
    slice: PhantomData<&'a mut [T]>,
}

// SAFETY: it is a `&'a mut [T]` of which each thread takes parts of its own, see `part`.
unsafe impl<T: Send> Sync for Disjoint<'_, T> {}

impl<'a, T> Disjoint<'a, T> {
    pub fn new(slice: &'a mut [T]) -> Self {
        Self { start: slice.as_mut_ptr(), len: slice.len(), slice: PhantomData }
    }

    /// The values in `range`; what lies outside the slice is left out.
    ///
    /// # Safety
    ///
    /// Ranges in use at the same time must not overlap.
    #[allow(clippy::mut_from_ref, reason = "the parts are disjoint, as the caller promises")]
    pub unsafe fn part(&self, range: Range<usize>) -> &mut [T] {
        let end = range.end.min(self.len);
        let start = range.start.min(end);
        // SAFETY: within the slice, and nobody else's for now.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), end - start) }
    }
}
