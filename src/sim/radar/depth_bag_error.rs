//! Why a recording of a depth camera cannot be given a radar.

use super::depth_bag::CLOUD_TOPIC;
use crate::bag::BagError;
use crate::geometry::CameraError;
use crate::message::CdrError;
use crate::sensor::SensorError;

/// Why a recording cannot be given a radar.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DepthBagError {
    /// Reading or writing failed.
    #[error(transparent)]
    Bag(#[from] BagError),
    /// Not one topic with depth images.
    #[error(
        "depth topic: expected one Image topic with encoding 16UC1 or 32FC1, found {found}; choose with --depth-topic"
    )]
    DepthTopic {
        /// Those there are.
        found: String,
    },
    /// The topic asked for is not there, or has no images.
    #[error(
        "depth topic: expected an Image topic of the bag with messages, found '{found}'; it has {images}"
    )]
    NoTopic {
        /// The topic asked for.
        found: String,
        /// Image topics.
        images: String,
    },
    /// Not one topic with the camera's calibration.
    #[error(
        "camera info of {depth}: expected {sibling}, or one CameraInfo topic with frame '{frame}', found {found}"
    )]
    CameraInfo {
        /// The depth topic.
        depth: String,
        /// The topic beside it.
        sibling: String,
        /// Its frame.
        frame: String,
        /// Those with this frame.
        found: String,
    },
    /// The bag has such a topic.
    #[error("{CLOUD_TOPIC}: expected a bag without this topic, found one with it")]
    HasRadar,
    /// A message does not decode.
    #[error("{topic}: {error}")]
    Message {
        /// Its topic.
        topic: String,
        /// What is wrong.
        error: CdrError,
    },
    /// The image cannot be read.
    #[error("{topic}: {error}")]
    Image {
        /// Its topic.
        topic: String,
        /// What is wrong.
        error: SensorError,
    },
    /// The calibration cannot be used.
    #[error("{topic}: {error}")]
    Camera {
        /// Its topic.
        topic: String,
        /// What is wrong.
        error: CameraError,
    },
}
