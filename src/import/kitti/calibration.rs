//! Calibration files: lines of `key: numbers`.

use std::path::{Path, PathBuf};

use crate::geometry::Pose;
use crate::import::{ImportError, Pinhole, files, rigid};

/// A calibration file, its numbers not read yet: some of its lines hold dates.
pub(super) struct CalibrationFile {
    path: PathBuf,
    text: String,
}

impl CalibrationFile {
    pub fn read(path: &Path) -> Result<Self, ImportError> {
        Ok(Self { path: path.to_owned(), text: files::text(path)? })
    }

    /// The numbers of `key` and its line.
    fn numbers<const N: usize>(&self, key: &str) -> Result<(usize, [f64; N]), ImportError> {
        let found = files::lines(&self.text).find_map(|(line, text)| {
            let (name, rest) = text.split_once(':').or_else(|| text.trim().split_once(' '))?;
            (name.trim() == key).then_some((line, rest))
        });
        let (line, rest) = found
            .ok_or_else(|| ImportError::file(&self.path, format!("expected a line '{key}:', found none")))?;
        Ok((line, files::numbers(&self.path, line, rest.split_whitespace())?))
    }

    fn refuse(&self, line: usize, key: &str, expected: &str) -> ImportError {
        ImportError::line(&self.path, line, format!("{key}: expected {expected}, found another matrix"))
    }

    /// A pose from the 3×4 matrix `key`.
    pub fn pose(&self, key: &str) -> Result<Pose, ImportError> {
        let (line, rows) = self.numbers(key)?;
        rigid::pose(rows).ok_or_else(|| self.refuse(line, key, "a rotation with a translation"))
    }

    /// A pose from the 3×3 matrix `R` and the three numbers `T`.
    pub fn pose_in_two(&self) -> Result<Pose, ImportError> {
        let (_, t) = self.numbers::<3>("T")?;
        Ok(Pose::from_parts(t.into(), self.rotation("R")?.rotation))
    }

    /// A pose without translation from the 3×3 matrix `key`.
    pub fn rotation(&self, key: &str) -> Result<Pose, ImportError> {
        let (line, rows) = self.numbers(key)?;
        let rotation = rigid::rotation(rows).ok_or_else(|| self.refuse(line, key, "a rotation"))?;
        Ok(Pose::from_parts([0.0; 3].into(), rotation))
    }

    /// The camera behind the 3×4 projection `key`, and the pose of the rectified reference camera in it.
    pub fn projection(&self, key: &str) -> Result<(Pinhole, Pose), ImportError> {
        let (line, rows) = self.numbers(key)?;
        rigid::projection(rows).ok_or_else(|| self.refuse(line, key, "a projection without skew"))
    }
}

/// Where everything is in one frame of the data set.
#[derive(Clone, Debug)]
pub(super) struct Calibration {
    /// The left colour camera; its images are rectified
    pub lens: Pinhole,
    /// The LiDAR in the camera's optical frame
    pub t_camera_lidar: Pose,
    /// The LiDAR in the rectified frame of the reference camera, in which labels are
    pub t_reference_lidar: Pose,
    /// The LiDAR in the frame of the inertial unit, which is `base_link`
    pub t_base_lidar: Pose,
}

impl Calibration {
    /// Of a frame of the object benchmark.
    pub fn of_object(path: &Path) -> Result<Self, ImportError> {
        let file = CalibrationFile::read(path)?;
        let (lens, t_camera_reference) = file.projection("P2")?;
        let t_reference_lidar = file.rotation("R0_rect")? * file.pose("Tr_velo_to_cam")?;
        Ok(Self {
            lens,
            t_camera_lidar: t_camera_reference * t_reference_lidar,
            t_reference_lidar,
            t_base_lidar: file.pose("Tr_imu_to_velo")?.inverse(),
        })
    }

    /// Of the raw drives of a day, from the folder with its three files.
    pub fn of_day(folder: &Path) -> Result<Self, ImportError> {
        let cameras = CalibrationFile::read(&folder.join("calib_cam_to_cam.txt"))?;
        let lidar = CalibrationFile::read(&folder.join("calib_velo_to_cam.txt"))?;
        let inertial = CalibrationFile::read(&folder.join("calib_imu_to_velo.txt"))?;
        let (lens, t_camera_reference) = cameras.projection("P_rect_02")?;
        let t_reference_lidar = cameras.rotation("R_rect_00")? * lidar.pose_in_two()?;
        Ok(Self {
            lens,
            t_camera_lidar: t_camera_reference * t_reference_lidar,
            t_reference_lidar,
            t_base_lidar: inertial.pose_in_two()?.inverse(),
        })
    }

    /// The camera in `base_link`.
    pub fn t_base_camera(&self) -> Pose {
        self.t_base_lidar * self.t_camera_lidar.inverse()
    }
}
