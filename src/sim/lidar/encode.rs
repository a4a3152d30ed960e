//! Returns as the bytes of a PointCloud2, laid out as the driver of the model does.
//!
//! - Velodyne: `velodyne_pointcloud`, `PointXYZIRT`. Times count from the sweep's start.
//! - Ouster: `ouster_ros`, `os_point.h`, with the ring in two bytes. Nanoseconds from the sweep's start.
//! - Hesai: `hesai_ros_driver` 2, `source_driver_ros2.hpp`. Seconds from the sweep's start, as a sensor whose
//!   clock starts with each sweep: readers take the first point for the stamp, at most a column late.

use super::{LidarModel, LidarPoint, model::Layout};
use crate::message::{CloudLayout, PointField};

const VELODYNE: CloudLayout = CloudLayout {
    fields: &[
        PointField::scalar("x", 0, PointField::FLOAT32),
        PointField::scalar("y", 4, PointField::FLOAT32),
        PointField::scalar("z", 8, PointField::FLOAT32),
        PointField::scalar("intensity", 12, PointField::FLOAT32),
        PointField::scalar("ring", 16, PointField::UINT16),
        PointField::scalar("time", 18, PointField::FLOAT32),
    ],
    step: 22,
};
const OUSTER: CloudLayout = CloudLayout {
    fields: &[
        PointField::scalar("x", 0, PointField::FLOAT32),
        PointField::scalar("y", 4, PointField::FLOAT32),
        PointField::scalar("z", 8, PointField::FLOAT32),
        PointField::scalar("intensity", 16, PointField::FLOAT32),
        PointField::scalar("t", 20, PointField::UINT32),
        PointField::scalar("reflectivity", 24, PointField::UINT16),
        PointField::scalar("ring", 26, PointField::UINT16),
        PointField::scalar("ambient", 28, PointField::UINT16),
        PointField::scalar("range", 32, PointField::UINT32),
    ],
    step: 48,
};
const HESAI: CloudLayout = CloudLayout {
    fields: &[
        PointField::scalar("x", 0, PointField::FLOAT32),
        PointField::scalar("y", 4, PointField::FLOAT32),
        PointField::scalar("z", 8, PointField::FLOAT32),
        PointField::scalar("intensity", 12, PointField::FLOAT32),
        PointField::scalar("ring", 16, PointField::UINT16),
        PointField::scalar("timestamp", 18, PointField::FLOAT64),
    ],
    step: 26,
};
/// Photons that an Ouster counts from a white surface at 1 m, before the sensor's own scale ends at 65,535.
const PHOTONS: f32 = 20_000.0;

/// Writes points one after the other; `data` is cleared and reused.
pub fn encode(points: &[LidarPoint], model: &LidarModel, data: &mut Vec<u8>) -> CloudLayout {
    let layout = match model.layout {
        Layout::Velodyne => VELODYNE,
        Layout::Ouster => OUSTER,
        Layout::Hesai => HESAI,
    };
    data.clear();
    data.resize(points.len() * layout.step as usize, 0);
    for (bytes, point) in data.chunks_exact_mut(layout.step as usize).zip(points) {
        let mut put = |offset: usize, value: &[u8]| {
            if let Some(place) = bytes.get_mut(offset..offset + value.len()) {
                place.copy_from_slice(value);
            }
        };
        let [x, y, z] = point.position.to_array();
        put(0, &x.to_le_bytes());
        put(4, &y.to_le_bytes());
        put(8, &z.to_le_bytes());
        match model.layout {
            Layout::Velodyne => {
                put(12, &point.intensity.to_le_bytes());
                put(16, &point.ring.to_le_bytes());
                put(18, &point.time_s.to_le_bytes());
            }
            Layout::Ouster => {
                let photons = PHOTONS * 0.01 * point.intensity / (point.range_m * point.range_m);
                put(16, &photons.min(65_535.0).to_le_bytes());
                put(20, &((f64::from(point.time_s) * 1e9).round() as u32).to_le_bytes());
                put(24, &(point.intensity as u16).to_le_bytes());
                put(26, &point.ring.to_le_bytes());
                put(32, &((point.range_m * 1e3).round() as u32).to_le_bytes());
            }
            Layout::Hesai => {
                put(12, &point.intensity.to_le_bytes());
                put(16, &point.ring.to_le_bytes());
                put(18, &f64::from(point.time_s).to_le_bytes());
            }
        }
    }
    layout
}
