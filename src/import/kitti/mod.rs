//! KITTI: the object benchmark (single frames with labels) and raw drives (recordings with poses and, some,
//! tracklets).
//!
//! Source of the formats: Geiger, Lenz, Stiller, Urtasun, "Vision meets Robotics: The KITTI Dataset" (IJRR 2013),
//! and the readme files of both development kits.

mod calibration;
mod difficulty;
mod label;
mod object;
mod oxts;
mod raw;
mod tracklets;

use std::path::Path;

pub use difficulty::Difficulty;

use super::readings::PointFile;
use super::{ImportError, Source, files};
use crate::message::{CloudLayout, PointField};

/// Layout of the clouds: x y z in metres, intensity 0 to 255.
const CLOUD: CloudLayout = CloudLayout {
    fields: &[
        PointField::scalar("x", 0, PointField::FLOAT32),
        PointField::scalar("y", 4, PointField::FLOAT32),
        PointField::scalar("z", 8, PointField::FLOAT32),
        PointField::scalar("intensity", 12, PointField::FLOAT32),
    ],
    step: 16,
};
/// KITTI divides the sensor's reflectance by this.
const FULL_SCALE: f32 = 255.0;

/// Finds out which of the two `dir` is.
pub(super) fn open(dir: &Path) -> Result<Box<dyn Source>, ImportError> {
    let is_folder = |folder: &Path, name: &str| folder.join(name).is_dir();
    for folder in [dir.join("training"), dir.to_owned()] {
        if is_folder(&folder, "calib") && (is_folder(&folder, "image_2") || is_folder(&folder, "velodyne")) {
            return Ok(Box::new(object::ObjectFolder::open(&folder)?));
        }
    }
    if is_folder(dir, "image_02") || is_folder(dir, "velodyne_points") {
        return Ok(Box::new(raw::Drive::open(dir)?));
    }
    Err(ImportError::Layout {
        path: dir.to_owned(),
        expected: "the object benchmark (training/ with calib and image_2 or velodyne) or one raw drive \
                   (image_02 or velodyne_points)"
            .to_owned(),
        found: files::names(dir),
    })
}

/// The class of this project for a name that KITTI gives; `None` where there is none.
fn class_of(name: &str) -> Option<&'static str> {
    Some(match name {
        "Car" | "Van" => "car",
        "Truck" => "truck",
        "Pedestrian" | "Person_sitting" | "Person (sitting)" => "pedestrian",
        "Cyclist" => "bicycle",
        _ => return None,
    })
}

/// The bytes of a cloud in [`CLOUD`]'s layout.
fn encode_cloud(sweep: &PointFile<4>, out: &mut Vec<u8>) {
    out.clear();
    for [x, y, z, reflectance] in sweep.points() {
        for value in [x, y, z, reflectance * FULL_SCALE] {
            out.extend_from_slice(&value.to_le_bytes());
        }
    }
}
