//! What can be wrong with a call into this room.

use thiserror::Error;

/// A buffer, a size or a setting that does not fit the others.
///
/// Values inside the buffers never give an error: a pixel or a return that cannot be used is
/// marked or counted instead.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum DepthError {
    /// A slice is not as long as its size says.
    #[error("{what}: expected {expected} values, found {found}")]
    BufferLength {
        /// Which buffer.
        what: &'static str,
        /// Number of values its width, height and channels ask for.
        expected: usize,
        /// Number of values it has.
        found: usize,
    },
    /// Two images that belong together differ in size.
    #[error("{what}: expected {expected:?} (width, height), found {found:?}")]
    SizeMismatch {
        /// Which image.
        what: &'static str,
        /// Width and height of the image it belongs to.
        expected: (usize, usize),
        /// Its own width and height.
        found: (usize, usize),
    },
    /// A width, height or stride of zero, or a size that overflows.
    #[error("{what}: expected at least one pixel, found {width} × {height}")]
    EmptySize {
        /// Which image.
        what: &'static str,
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
    },
    /// A depth range that is not `0 < near < far < ∞`.
    #[error("{what}: expected 0 < near < far in metres, found {near_m} and {far_m}")]
    BadRange {
        /// Which range.
        what: &'static str,
        /// Its near end in metres.
        near_m: f32,
        /// Its far end in metres.
        far_m: f32,
    },
    /// A setting outside the values it can have.
    #[error("{what}: expected {expected}, found {found}")]
    BadValue {
        /// Which setting.
        what: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
}

/// Fails unless `found` is `expected`.
pub(super) fn check_length(what: &'static str, expected: usize, found: usize) -> Result<(), DepthError> {
    if expected == found { Ok(()) } else { Err(DepthError::BufferLength { what, expected, found }) }
}

/// Number of pixels of an image that must have some.
pub(super) fn pixel_count(what: &'static str, width: usize, height: usize) -> Result<usize, DepthError> {
    match width.checked_mul(height) {
        // Tables index with u32.
        Some(n) if n > 0 && u32::try_from(width.max(height)).is_ok() => Ok(n),
        _ => Err(DepthError::EmptySize { what, width, height }),
    }
}

/// Fails unless `0 < near_m < far_m < ∞`.
pub(super) fn check_range(what: &'static str, near_m: f32, far_m: f32) -> Result<(), DepthError> {
    if near_m > 0.0 && near_m < far_m && far_m.is_finite() {
        Ok(())
    } else {
        Err(DepthError::BadRange { what, near_m, far_m })
    }
}
