//! ROS messages as plain structs that borrow from the buffer they were decoded from, their CDR
//! encoding and their official type hashes.
//!
//! In: a serialized message (4 encapsulation bytes, then XCDR1). Out: the same. No I/O, no clock.
//! One message type a file, named after the type; the definitions in `definitions/` are the source
//! of the schemas and of the type hashes (`tests/golden/type_hashes.py`).

#[macro_use]
mod definition;

mod camera_info;
mod cdr;
mod clock;
mod cloud_layout;
mod compressed_image;
mod detection3d_array;
mod diagnostic_array;
mod header;
mod image;
mod lend;
mod log;
mod marker_array;
mod odometry;
mod point_cloud2;
mod pose;
mod radar_scan;
mod stamp;
mod text;
mod tf_message;

pub use camera_info::{CameraInfo, RegionOfInterest};
pub use cdr::{CdrError, CdrReader, CdrWriter};
pub use clock::Clock;
pub use cloud_layout::CloudLayout;
pub use compressed_image::CompressedImage;
pub use definition::{Message, from_cdr, to_cdr};
pub use detection3d_array::{
    BoundingBox3D, Detection3D, Detection3DArray, ObjectHypothesis, ObjectHypothesisWithPose,
};
pub use diagnostic_array::{DiagnosticArray, DiagnosticStatus, KeyValue};
pub use header::Header;
pub use image::Image;
pub use lend::{CdrBuffer, LendCloud, LendCompressedImage, LendImage};
pub use log::Log;
pub use marker_array::{ColorRgba, Duration, Marker, MarkerArray, MeshFile, UvCoordinate};
pub use odometry::{Odometry, Twist, TwistWithCovariance};
pub use point_cloud2::{PointCloud2, PointField};
pub use pose::{Point, Pose, PoseWithCovariance, Quaternion, Transform, Vector3};
pub use radar_scan::{RadarReturn, RadarScan};
pub use stamp::Stamp;
pub use text::Text;
pub use tf_message::{TFMessage, TransformStamped};
