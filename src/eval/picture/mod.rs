//! Pictures of a run for reports and the demo.
//!
//! In: plain buffers (pixels, metres, points, boxes). Out: an RGB [`Canvas`] that encodes itself as
//! PNG. Nothing here reads files or decides what is worth showing.

mod bev_picture;
mod canvas;
mod depth_picture;
mod text;

pub use bev_picture::BevPicture;
pub use canvas::{Canvas, Rgb};
pub use depth_picture::{DepthPicture, RadarDot};
pub use text::{Font, TextAnchor};

/// Why a picture could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// A canvas without pixels, or with more than memory should be spent on.
    #[error("picture: expected 1 to {limit} pixels a side, found {width} x {height}")]
    Size {
        /// Longest accepted side.
        limit: usize,
        /// Width asked for.
        width: usize,
        /// Height asked for.
        height: usize,
    },
    /// A buffer does not have the length its width and height ask for.
    #[error("{what}: expected {expected} values for {width} x {height} pixels, found {found}")]
    Buffer {
        /// Which buffer.
        what: &'static str,
        /// Values the size asks for.
        expected: usize,
        /// Values given.
        found: usize,
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
    },
    /// A distance that sets the scale of the picture is unusable.
    #[error("{what}: expected {expected}, found {found}")]
    Range {
        /// Which distance.
        what: &'static str,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// The PNG encoder failed.
    #[error("PNG encoding failed: {0}")]
    Encode(#[from] image::ImageError),
}
