//! 3D objects from LiDAR points.
//!
//! In: points of one sweep and the output tensors of a network. Out: oriented boxes with class and score, in
//! the frame of the cloud, and the messages that carry them. A frame passes through [`Voxelizer`], the network,
//! [`decode_centers`] and [`to_detection3d_array`]; with networks that compute where there are points through
//! [`PillarEncoder`], the network and [`PillarDecoder`]; with networks of other projects through
//! [`PillarVoxelizer`], the network, [`decode_autoware`] or [`decode_anchors`], and [`suppress_boxes`].

mod anchor_head;
mod autoware_head;
mod box_suppression;
mod cell_set;
mod center_head;
mod class;
mod class_thresholds;
mod error;
mod grid;
mod ground;
mod messages;
mod pillar_features;
mod pillar_head;
mod pillar_statistics;
mod pillar_voxelizer;
mod point_batch;
mod suppression;
mod voxelizer;

pub use anchor_head::{AnchorHead, AnchorPlacement, Anchors, ChannelOrder, DirectionBins, decode_anchors};
pub use autoware_head::{AutowareHead, RankedPlaces, decode_autoware};
pub use box_suppression::{MAX_CANDIDATES, SuppressionStep, suppress_boxes};
pub use center_head::{CenterHead, DecodeConfig, DecodeScratch, Detection3d, decode_centers};
pub use class::ClassTable;
pub use class_thresholds::ClassThresholds;
pub use error::{DetectionError, HeadTensor};
pub use grid::BevGrid;
pub use ground::{GroundPlane, LowestPoint};
pub use messages::{to_detection3d_array, to_marker_array};
pub use pillar_features::{FeatureLayout, PillarFeature};
pub use pillar_head::{PillarDecoder, PillarHead};
pub use pillar_statistics::{EncodeStats, PILLAR_FEATURES, PillarEncoder};
pub use pillar_voxelizer::{MAX_PILLAR_POINTS, PillarStats, PillarVoxelizer};
pub use suppression::{Candidate, suppress_by_distance};
pub use voxelizer::{BEV_CHANNELS, VoxelStats, Voxelizer};
