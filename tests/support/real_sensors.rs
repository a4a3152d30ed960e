//! The recording of real sensors among the test data.

use std::path::{Path, PathBuf};

/// Its topics under the names of the nodes.
pub const REMAPS: [&str; 8] = [
    "--remap",
    "image:=/camera/image_raw",
    "--remap",
    "camera_info:=/camera/camera_info",
    "--remap",
    "radar_0/points:=/radar_ars548/points",
    "--remap",
    "lidar/points:=/lidar_vlp16/points",
];

/// Where it is.
pub fn bag() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/real_sensors")
}
