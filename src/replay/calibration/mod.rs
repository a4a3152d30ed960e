//! Mounting and intrinsics from a file, for bags that lack `/tf_static` or `camera_info`.
//!
//! In: the YAML file of `isobath replay --calibration` (`file`). Out: the messages a robot would have
//! published, put among those of the bag (`overlay`). What the file says holds instead of what the bag
//! says about the same frame.

mod error;
mod file;
mod overlay;
mod ros_file;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::message::{
    CameraInfo, Header, Quaternion, Stamp, TFMessage, Transform, TransformStamped, Vector3,
};

pub use error::CalibrationError;
pub(super) use overlay::Overlay;

/// Where one frame is fixed to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FixedTransform {
    /// Parent frame
    pub parent: String,
    /// Child frame
    pub child: String,
    /// Origin of the child in the parent, metres
    pub translation: [f64; 3],
    /// Unit quaternion x, y, z, w that turns child coordinates into the parent's
    pub rotation: [f64; 4],
}

/// Intrinsics of a camera, as `sensor_msgs/CameraInfo` has them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CameraCalibration {
    /// Columns
    pub width: u32,
    /// Rows
    pub height: u32,
    /// `plumb_bob`, `rational_polynomial` or `equidistant`
    pub distortion_model: String,
    /// Its coefficients
    pub d: Vec<f64>,
    /// 3×3 row-major, pixels
    pub k: [f64; 9],
    /// Rectification, 3×3 row-major
    pub r: [f64; 9],
    /// Projection of the rectified image, 3×4 row-major, pixels
    pub p: [f64; 12],
}

/// A calibration file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Transforms, in the order of the file; no child twice
    pub transforms: Vec<FixedTransform>,
    /// Cameras by optical frame
    pub cameras: BTreeMap<String, CameraCalibration>,
}

impl Calibration {
    /// The transforms as `/tf_static` would carry them.
    fn transforms_message(&self) -> TFMessage<'_> {
        let transforms = self.transforms.iter().map(|fixed| {
            let ([x, y, z], [qx, qy, qz, qw]) = (fixed.translation, fixed.rotation);
            TransformStamped {
                header: Header { stamp: Stamp(0), frame_id: &fixed.parent },
                child_frame_id: &fixed.child,
                transform: Transform {
                    translation: Vector3 { x, y, z },
                    rotation: Quaternion { x: qx, y: qy, z: qz, w: qw },
                },
            }
        });
        TFMessage { transforms: transforms.collect() }
    }

    /// The camera info for an image in `frame_id` at `stamp`.
    fn camera_info<'a>(&'a self, frame_id: &'a str, stamp: Stamp) -> Option<CameraInfo<'a>> {
        let camera = self.cameras.get(frame_id.trim_start_matches('/'))?;
        Some(camera.message(Header { stamp, frame_id }))
    }
}

impl CameraCalibration {
    /// As a message.
    fn message<'a>(&'a self, header: Header<'a>) -> CameraInfo<'a> {
        CameraInfo {
            header,
            height: self.height,
            width: self.width,
            distortion_model: &self.distortion_model,
            d: self.d.iter().copied().collect(),
            k: self.k,
            r: self.r,
            p: self.p,
            ..CameraInfo::default()
        }
    }
}
