//! Rows of the tables, with the columns that are used.

use serde::Deserialize;

use super::json_table::Token;

/// `sensor.json`
#[derive(Deserialize)]
pub(super) struct SensorRow {
    pub token: Token,
    pub channel: String,
}

/// `calibrated_sensor.json`
#[derive(Deserialize)]
pub(super) struct CalibratedSensorRow {
    pub token: Token,
    pub sensor_token: Token,
    /// Metres, in the vehicle's frame
    pub translation: [f64; 3],
    /// w, x, y, z
    pub rotation: [f64; 4],
    /// 3×3; empty unless it is a camera
    pub camera_intrinsic: Vec<[f64; 3]>,
}

/// `scene.json`
#[derive(Deserialize)]
pub(super) struct SceneRow {
    pub token: Token,
    pub name: String,
}

/// `sample.json`: a moment at which all sensors have a key frame.
#[derive(Deserialize)]
pub(super) struct SampleRow {
    pub token: Token,
    pub scene_token: Token,
}

/// `sample_data.json`: a reading of a sensor.
#[derive(Deserialize)]
pub(super) struct SampleDataRow {
    pub sample_token: Token,
    pub ego_pose_token: Token,
    pub calibrated_sensor_token: Token,
    /// Microseconds
    pub timestamp: i64,
    pub is_key_frame: bool,
    pub filename: String,
}

/// `ego_pose.json`
#[derive(Deserialize)]
pub(super) struct EgoPoseRow {
    pub token: Token,
    /// Metres, in the map's frame
    pub translation: [f64; 3],
    /// w, x, y, z
    pub rotation: [f64; 4],
}

/// `category.json` and `attribute.json`
#[derive(Deserialize)]
pub(super) struct NameRow {
    pub token: Token,
    pub name: String,
}

/// `instance.json`: an object.
#[derive(Deserialize)]
pub(super) struct InstanceRow {
    pub token: Token,
    pub category_token: Token,
}

/// `sample_annotation.json`: an object in a sample.
#[derive(Deserialize)]
pub(super) struct AnnotationRow {
    pub token: Token,
    pub sample_token: Token,
    pub instance_token: Token,
    #[serde(default)]
    pub attribute_tokens: Vec<Token>,
    /// 1 to 4: up to 40, 60, 80, 100 % visible in all cameras
    #[serde(default)]
    pub visibility_token: String,
    /// Centre in the map's frame, metres
    pub translation: [f64; 3],
    /// Width, length, height, metres
    pub size: [f64; 3],
    /// w, x, y, z
    pub rotation: [f64; 4],
    pub num_lidar_pts: i64,
    pub num_radar_pts: i64,
}
