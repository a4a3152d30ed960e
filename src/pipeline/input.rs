//! What a pipeline takes in.

use std::sync::Arc;

use crate::message::{
    CameraInfo, CompressedImage, Image, LendCloud, LendCompressedImage, LendImage, Message, PointCloud2,
    RadarScan, TFMessage,
};

/// A received message. Big ones lend their buffer, so that nothing is copied on the way in.
#[derive(Clone)]
pub enum SensorInput {
    /// Uncompressed camera image
    Image(Arc<dyn LendImage>),
    /// JPEG or PNG camera image
    CompressedImage(Arc<dyn LendCompressedImage>),
    /// `sensor_msgs/CameraInfo` as CDR
    CameraInfo(Arc<[u8]>),
    /// Cloud of radar number 0 to 3
    Radar(usize, Arc<dyn LendCloud>),
    /// `radar_msgs/RadarScan` of radar number 0 to 3 as CDR
    RadarScan(usize, Arc<[u8]>),
    /// LiDAR sweep
    Lidar(Arc<dyn LendCloud>),
    /// `tf2_msgs/TFMessage` as CDR; true when it came from `/tf_static`
    Transforms(Arc<[u8]>, bool),
}

impl SensorInput {
    /// Whether each message of its kind starts a frame.
    pub const fn is_trigger(&self) -> bool {
        matches!(self, Self::Image(_) | Self::CompressedImage(_) | Self::Lidar(_))
    }
}

/// What a subscribed topic carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// `sensor_msgs/Image`
    Image,
    /// `sensor_msgs/CompressedImage`
    CompressedImage,
    /// `sensor_msgs/CameraInfo`
    CameraInfo,
    /// `sensor_msgs/PointCloud2` of radar number 0 to 3
    Radar(usize),
    /// `radar_msgs/RadarScan` of radar number 0 to 3
    RadarScan(usize),
    /// `sensor_msgs/PointCloud2`
    Lidar,
    /// `/tf`
    Transforms,
    /// `/tf_static`
    StaticTransforms,
}

impl InputKind {
    /// Whether messages hold for all times, whenever they were sent.
    pub const fn is_static(self) -> bool {
        matches!(self, Self::StaticTransforms)
    }

    /// Whether each message starts a frame.
    pub const fn is_trigger(self) -> bool {
        matches!(self, Self::Image | Self::CompressedImage | Self::Lidar)
    }
}

/// The message type that an input of this kind must have.
pub const fn type_name_of(kind: InputKind) -> &'static str {
    match kind {
        InputKind::Image => Image::TYPE_NAME,
        InputKind::CompressedImage => CompressedImage::TYPE_NAME,
        InputKind::CameraInfo => CameraInfo::TYPE_NAME,
        InputKind::Radar(_) | InputKind::Lidar => PointCloud2::TYPE_NAME,
        InputKind::RadarScan(_) => RadarScan::TYPE_NAME,
        InputKind::Transforms | InputKind::StaticTransforms => TFMessage::TYPE_NAME,
    }
}

/// A topic that a pipeline subscribes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputTopic {
    /// Relative name, remappable; `/tf` and `/tf_static` are absolute
    pub name: String,
    /// What it carries
    pub kind: InputKind,
}

impl InputTopic {
    /// The topic `name` carrying `kind`.
    pub fn new(name: impl Into<String>, kind: InputKind) -> Self {
        Self { name: name.into(), kind }
    }

    /// `/tf` and `/tf_static`, which every pipeline listens to.
    pub fn transforms() -> [Self; 2] {
        [Self::new("/tf", InputKind::Transforms), Self::new("/tf_static", InputKind::StaticTransforms)]
    }
}
