//! Everything that can go wrong between points and boxes.

use std::fmt;

/// One output tensor of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadTensor {
    /// Probability per class.
    Heatmap,
    /// Position of the centre within its cell.
    Offset,
    /// Height of the centre.
    Height,
    /// Box extents.
    Size,
    /// Sine and cosine of the yaw.
    Rotation,
    /// Logits of anchors by class.
    Scores,
    /// Box codes of anchors.
    Boxes,
    /// Direction bins of anchors.
    Directions,
}

impl HeadTensor {
    /// The tensor's role in a model manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Heatmap => "heatmap",
            Self::Offset => "offset",
            Self::Height => "height",
            Self::Size => "size",
            Self::Rotation => "rotation",
            Self::Scores => "scores",
            Self::Boxes => "boxes",
            Self::Directions => "directions",
        }
    }
}

impl fmt::Display for HeadTensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Errors of the detection room.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DetectionError {
    /// A bound of the range is NaN or infinite, or the upper bound does not exceed the lower.
    #[error("detection range along {axis}: expected finite bounds with min < max, found {min} to {max} m")]
    Range {
        /// `x`, `y` or `z`.
        axis: char,
        /// Lower bound, metres.
        min: f32,
        /// Upper bound, metres.
        max: f32,
    },
    /// A voxel edge is not a positive finite length.
    #[error("voxel size along {axis}: expected a positive length, found {found} m")]
    VoxelSize {
        /// `x` or `y`.
        axis: char,
        /// The edge length, metres.
        found: f32,
    },
    /// The range along one axis does not hold a whole number of cells within the limit.
    #[error(
        "detection range along {axis}: expected a whole number of cells from 1 to {limit}, found {found}"
    )]
    CellCount {
        /// `x` or `y`.
        axis: char,
        /// Range divided by voxel size.
        found: f64,
        /// Largest accepted number of cells.
        limit: usize,
    },
    /// The class list is empty, too long, or repeats a name.
    #[error("classes: expected 1 to {limit} distinct non-empty names, found {found}")]
    Classes {
        /// Largest accepted number of classes.
        limit: usize,
        /// What is wrong with the list.
        found: String,
    },
    /// The buffer for the network's input does not match the grid.
    #[error("bird's-eye-view tensor: expected {expected} values (5 x rows x cols), found {found}")]
    FeatureBuffer {
        /// Number of values the grid needs.
        expected: usize,
        /// Number of values given.
        found: usize,
    },
    /// The buffer for the pillars' features does not match them.
    #[error("pillar tensor: expected {expected} values (pillars x points x features), found {found}")]
    PillarBuffer {
        /// Number of values the pillars need.
        expected: usize,
        /// Number of values given.
        found: usize,
    },
    /// An output tensor has the wrong number of values.
    #[error("output '{tensor}': expected {expected} values, found {found}")]
    TensorLength {
        /// Which tensor.
        tensor: HeadTensor,
        /// Values the head's shape asks for.
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// The head's map is not the input grid divided by one whole stride.
    #[error(
        "head of {rows} x {cols} cells (x, y): expected {grid_rows} x {grid_cols} divided by one whole stride"
    )]
    HeadShape {
        /// Rows of the head.
        rows: usize,
        /// Columns of the head.
        cols: usize,
        /// Rows of the input grid.
        grid_rows: usize,
        /// Columns of the input grid.
        grid_cols: usize,
    },
    /// The decoder's settings do not fit the head.
    #[error("{what}: expected {expected}, found {found}")]
    Config {
        /// Which setting.
        what: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The network produced NaN or an infinity.
    #[error(
        "output '{tensor}': expected finite values, found {value} in channel {channel} at row {row}, column {col}"
    )]
    NonFinite {
        /// Which tensor.
        tensor: HeadTensor,
        /// Channel (class for the heatmap).
        channel: usize,
        /// Row of the cell in the tensor.
        row: usize,
        /// Column of the cell in the tensor.
        col: usize,
        /// The value.
        value: f32,
    },
    /// A heatmap value is no probability.
    #[error(
        "output 'heatmap': expected probabilities from 0 to 1, found {value} in channel {channel} at row {row}, \
         column {col} (does the model lack its final sigmoid?)"
    )]
    NotProbability {
        /// Class.
        channel: usize,
        /// Row of the cell (x).
        row: usize,
        /// Column of the cell (y).
        col: usize,
        /// The value.
        value: f32,
    },
    /// A detection carries a class the table does not know.
    #[error("detection class: expected an index below {classes}, found {found}")]
    UnknownClass {
        /// Number of classes in the table.
        classes: usize,
        /// The class index found.
        found: u16,
    },
}
