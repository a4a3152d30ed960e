//! 3D objects from LiDAR points.
//!
//! In: points of one sweep and the output tensors of a centre-head network. Out: oriented boxes with
//! class and score, in the frame of the cloud, and the messages that carry them. A frame passes
//! through [`Voxelizer`], the network, [`decode_centers`] and [`to_detection3d_array`].

mod center_head;
mod class;
mod error;
mod grid;
mod ground;
mod messages;
mod pillar_head;
mod pillars;
mod suppression;
mod voxelizer;

pub use center_head::{CenterHead, DecodeConfig, DecodeScratch, Detection3d, decode_centers};
pub use class::ClassTable;
pub use error::{DetectionError, HeadTensor};
pub use grid::BevGrid;
pub use ground::{GroundPlane, LowestPoint};
pub use messages::{to_detection3d_array, to_marker_array};
pub use pillar_head::{PillarDecoder, PillarHead};
pub use pillars::{PILLAR_FEATURES, PillarEncoder, PillarStats};
pub use suppression::{Candidate, suppress_by_distance};
pub use voxelizer::{BEV_CHANNELS, VoxelStats, Voxelizer};
