//! How far a depth image is from the truth.
//!
//! In: a truth image and the images that the depth node published for it. Out: figures of each image and
//! their means over images, as Eigen et al. (2014) and the works after them report them, by range, by
//! confidence, near radar returns and away from them. Sums are `f64`, in the order of the pixels, so
//! that the same images always give the same figures.
//!
//! Truth counts from 0.2 to 80 m, at its own resolution. A pixel without a prediction (not finite, or not
//! positive) counts as AbsRel 1, is outside every delta and lowers the coverage; the other figures are
//! over the pixels that have one.

mod average;
mod error;
mod figures;
mod image;
mod near;
mod sums;

pub use average::{ConfidenceRow, DepthAverage, DepthReport, NearReport, RangeRow};
pub use error::DepthEvalError;
pub use figures::DepthFigures;
pub use image::{DepthImages, score_image};
pub use near::NearMask;
pub use sums::{BinSums, DepthSums, ErrorSums, MIN_PIXELS, TRUTH_MAX_M, TRUTH_MIN_M};

#[cfg(test)]
mod golden_tests;
