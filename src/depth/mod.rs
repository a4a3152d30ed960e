//! Metric depth from one camera and sparse radar.
//!
//! In: an image view, its camera model, radar returns in the camera frame. Out: depth and
//! confidence at the size of the image, points, a preview. The caller allocates and owns every
//! buffer; a pixel or a return that cannot be used is marked or counted, never an error.
//!
//! In the order of a frame: [`Resizer`] and [`draw_prior`] or
//! [`draw_footprints`] fill the network's inputs, [`fuse`] joins
//! its output with the prior where the model wants that, [`Upsampler`] brings depth and confidence
//! to image size, [`write_points`] and [`colour_depth`] show them. [`RadarInfluence`] tells what the radar
//! had to do with it.

mod axis;
mod colour;
mod error;
mod footprint;
mod fusion;
mod influence;
mod input;
mod output;
mod persistence;
mod point_mask;
mod points;
mod preview;
mod prior;
mod resample;
mod rows;
mod smoothing;
mod source_rows;

pub use colour::DepthColours;
pub use error::DepthError;
pub use footprint::{PlacedReturn, draw_footprints};
pub use fusion::{Fusion, fuse};
pub use influence::{Plane, RadarInfluence, radar_agreement, radar_moved};
pub use input::{Normalisation, Resizer};
pub use output::{DepthRange, DepthStats, Upsampler};
pub use persistence::Persistence;
pub use point_mask::{PointFilter, PointMask};
pub use points::{cloud, write_points};
pub use preview::{colour_depth, draw_legend, draw_returns};
pub use prior::{PriorConfig, PriorStats, draw_prior};
pub use smoothing::TemporalSmoothing;
