//! What a sensor message can have wrong.

use thiserror::Error;

/// A message that decodes, but does not describe a usable image or cloud.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SensorError {
    /// The pixel format is not read.
    #[error("image encoding: expected one of {expected}, found '{found}'")]
    Encoding {
        /// Supported encodings.
        expected: String,
        /// Encoding of the message.
        found: String,
    },
    /// The image has no pixels.
    #[error("image: expected at least one pixel, found {width}x{height}")]
    EmptyImage {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// A size that cuts a group of pixels that share their colour.
    #[error("image size for {format}: expected {expected}, found {width}x{height}")]
    ImageSize {
        /// Encoding.
        format: String,
        /// The rule.
        expected: &'static str,
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// A row does not fit into the step.
    #[error("image step: expected at least {expected} bytes a row, found {found}")]
    ImageStep {
        /// Width times pixel size.
        expected: u64,
        /// Step of the message.
        found: u32,
    },
    /// The data end early.
    #[error("{what} data: expected at least {expected} bytes, found {found}")]
    DataLength {
        /// Which message.
        what: &'static str,
        /// Bytes its own header calls for.
        expected: u64,
        /// Bytes there are.
        found: usize,
    },
    /// The compression is not read.
    #[error("compressed image format: expected jpeg or png, found '{found}'")]
    CompressedFormat {
        /// Format of the message.
        found: String,
    },
    /// Depth where a camera image belongs.
    #[error("compressed image: expected a camera's jpeg or png, found a depth image of format '{found}'")]
    CompressedDepth {
        /// Format of the message.
        found: String,
    },
    /// Not what `compressed_depth_image_transport` publishes.
    #[error(
        "compressed depth format: expected '16UC1; compressedDepth' or '32FC1; compressedDepth' with png, rvl \
         or nothing behind it, found '{found}'"
    )]
    CompressedDepthFormat {
        /// Format of the message.
        found: String,
    },
    /// The file inside a compressed image is damaged or of a kind that is not read.
    #[error("compressed image ({format}, {bytes} bytes): {reason}")]
    Undecodable {
        /// Codec.
        format: &'static str,
        /// Size of the file.
        bytes: usize,
        /// What the decoder says.
        reason: String,
    },
    /// The image is larger than any camera this reads from.
    #[error(
        "compressed image: expected at most {max_side} pixels a side and {max_pixels} in all, \
         found {width}x{height}"
    )]
    TooLarge {
        /// Longest side.
        max_side: usize,
        /// Most pixels.
        max_pixels: usize,
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
    },
    /// A field reaches beyond the point or has an unknown datatype.
    #[error("point cloud field '{name}': expected {expected}, found {found}")]
    Field {
        /// Field name.
        name: String,
        /// The rule.
        expected: String,
        /// What the message says.
        found: String,
    },
    /// Rows overlap, or points have no size.
    #[error("point cloud {what}: expected at least {expected}, found {found}")]
    CloudLayout {
        /// `point_step` or `row_step`.
        what: &'static str,
        /// Smallest value that works.
        expected: u64,
        /// Value of the message.
        found: u32,
    },
    /// A field is needed and not there.
    #[error("point cloud: expected {expected}, found fields {found}")]
    MissingField {
        /// What is needed.
        expected: &'static str,
        /// Fields of the message.
        found: String,
    },
    /// The times of a cloud's points are no times of one sweep.
    #[error(
        "point cloud field '{name}' (preset {preset}): expected times of a sweep of at most {expected_s} s, \
         found times over {found_s} s"
    )]
    PointTimes {
        /// Preset that says what the field means.
        preset: &'static str,
        /// Field name.
        name: String,
        /// Longest sweep, seconds.
        expected_s: u32,
        /// Latest less earliest time, seconds.
        found_s: String,
    },
    /// Not a box of the robot's own points.
    #[error("ego box: expected x0 y0 z0 below x1 y1 z1, metres, found '{found}'")]
    EgoBox {
        /// What was given.
        found: String,
    },
    /// A preset name is unknown.
    #[error("{what}: expected one of {expected}, found '{found}'")]
    UnknownPreset {
        /// What is to be named.
        what: &'static str,
        /// Known names.
        expected: String,
        /// Name given.
        found: String,
    },
}
