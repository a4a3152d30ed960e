//! Poses of the inertial unit of raw drives.

use std::path::Path;

use nalgebra::{Translation3, UnitQuaternion};

use crate::geometry::Pose;
use crate::import::{ImportError, files};

/// Radius of the earth's equator, metres (WGS 84).
const EARTH_M: f64 = 6_378_137.0;
/// Numbers in a file.
const NUMBERS: usize = 30;

/// Turns the geographic poses of a drive into metres from where it began: x east, y north, z up.
///
/// Latitude and longitude are projected by Mercator with the scale of the drive's first latitude, as KITTI's
/// development kit does.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Odometry {
    /// Latitude's scale, and position, of the first pose
    origin: Option<(f64, [f64; 3])>,
}

impl Odometry {
    /// The pose in a file. The first file read is the origin.
    pub fn read(&mut self, path: &Path) -> Result<Pose, ImportError> {
        let text = files::text(path)?;
        let (line, fields) = files::lines(&text).next().ok_or_else(|| {
            ImportError::file(path, format!("expected a line of {NUMBERS} numbers, found none"))
        })?;
        let [latitude, longitude, altitude, roll, pitch, yaw, ..] =
            files::numbers::<NUMBERS>(path, line, fields.split_whitespace())?;
        if latitude.abs() >= 90.0 {
            let reason = format!("expected a latitude between -90 and 90 degrees, found {latitude}");
            return Err(ImportError::line(path, line, reason));
        }
        let scale = self.origin.map_or_else(|| latitude.to_radians().cos(), |(scale, _)| scale);
        let north = (0.5 * (90.0 + latitude).to_radians()).tan().ln();
        let position = [scale * EARTH_M * longitude.to_radians(), scale * EARTH_M * north, altitude];
        let (_, [x, y, z]) = *self.origin.get_or_insert((scale, position));
        let [east, north, up] = position;
        Ok(Pose::from_parts(
            Translation3::new(east - x, north - y, up - z),
            UnitQuaternion::from_euler_angles(roll, pitch, yaw),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metres_count_from_the_first_pose() {
        let folder = tempfile::tempdir().unwrap();
        let read = |odometry: &mut Odometry, start: &str| {
            let path = folder.path().join("0.txt");
            std::fs::write(&path, format!("{start}{}", " 0".repeat(24))).unwrap();
            odometry.read(&path)
        };
        let mut odometry = Odometry::default();
        assert_eq!(read(&mut odometry, "49.0 8.4 112.0 0 0 0").unwrap().translation.vector.norm(), 0.0);
        let pose = read(&mut odometry, "49.0001 8.4001 113.5 0 0 1.5").unwrap();
        // A ten-thousandth of a degree is 11.1319 m along a meridian, cos 49° = 0.656059 of it along a parallel.
        let t = pose.translation.vector;
        assert!((t.x - 7.3032).abs() < 1e-3 && (t.y - 11.1320).abs() < 1e-3 && t.z == 1.5, "{t}");
        assert!((pose.rotation.euler_angles().2 - 1.5).abs() < 1e-12);
        assert!(read(&mut odometry, "90.0 0 0 0 0 0").is_err());
        assert!(read(&mut odometry, "90.0 0").unwrap_err().to_string().contains("expected 30 numbers"));
    }
}
