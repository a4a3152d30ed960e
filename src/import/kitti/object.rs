//! The object benchmark: frames without time, each with its own calibration.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::calibration::Calibration;
use super::label::Labels;
use super::{CLOUD, encode_cloud};
use crate::import::lens::SparseDepth;
use crate::import::readings::{self, IMAGE_ENDINGS, PointFile};
use crate::import::recorder::{BASE, CAMERA, LIDAR, Recorder};
use crate::import::{ImportError, Source, files};
use crate::message::Stamp;
use crate::sensor::DecodedImage;

/// Second of frame 0. The benchmark's frames were taken apart and have no times, so each gets a second of its
/// own: the stamp tells the number of the frame.
const EPOCH_S: i64 = 1_300_000_000;
/// Numbers of the benchmark have six digits.
const MOST_FRAMES: u64 = 1_000_000;

/// A folder of the benchmark, `training` or `testing`.
pub(super) struct ObjectFolder {
    folder: PathBuf,
    /// Empty without the folder
    images: BTreeMap<u64, PathBuf>,
    /// Empty without the folder
    sweeps: BTreeMap<u64, PathBuf>,
    frames: BTreeSet<u64>,
    has_labels: bool,
}

impl ObjectFolder {
    pub fn open(folder: &Path) -> Result<Self, ImportError> {
        let images = files::numbered(&folder.join("image_2"), &IMAGE_ENDINGS)?;
        let sweeps = files::numbered(&folder.join("velodyne"), &["bin"])?;
        let frames: BTreeSet<u64> = images.keys().chain(sweeps.keys()).copied().collect();
        if frames.is_empty() || frames.last().is_some_and(|last| *last >= MOST_FRAMES) {
            return Err(ImportError::Layout {
                path: folder.to_owned(),
                expected: "files as image_2/000000.png or velodyne/000000.bin".to_owned(),
                found: files::names(folder),
            });
        }
        let has_labels = folder.join("label_2").is_dir();
        Ok(Self { folder: folder.to_owned(), images, sweeps, frames, has_labels })
    }

    /// The file of a frame; `None` when the data set has no files of this sensor.
    fn of<'f>(
        &self,
        files: &'f BTreeMap<u64, PathBuf>,
        frame: u64,
        name: &str,
    ) -> Result<Option<&'f PathBuf>, ImportError> {
        match files.get(&frame) {
            None if !files.is_empty() => {
                let path = self.folder.join(name).join(format!("{frame:06}"));
                Err(ImportError::Read {
                    path,
                    reason: "expected a file of this frame, found none".to_owned(),
                })
            }
            found => Ok(found),
        }
    }
}

impl Source for ObjectFolder {
    fn name(&self) -> &'static str {
        "kitti_object"
    }

    fn files(&self) -> u64 {
        (self.images.len() + self.sweeps.len()) as u64
    }

    fn record(&self, recorder: &mut Recorder, done: &mut dyn FnMut(u64)) -> Result<(), ImportError> {
        let (mut image, mut depth, mut cloud) = (DecodedImage::default(), SparseDepth::default(), Vec::new());
        let mut count = 0;
        for &frame in &self.frames {
            let stamp = Stamp((EPOCH_S + frame as i64) * 1_000_000_000);
            let text_file = |folder: &str| self.folder.join(folder).join(format!("{frame:06}.txt"));
            let calibration = Calibration::of_object(&text_file("calib"))?;
            // Calibrations differ from frame to frame, so they hold for a moment only.
            recorder.moving(
                stamp,
                &[(BASE, LIDAR, calibration.t_base_lidar), (BASE, CAMERA, calibration.t_base_camera())],
            )?;
            let sweep = self.of(&self.sweeps, frame, "velodyne")?;
            let sweep = sweep.map(|path| PointFile::<4>::read(path)).transpose()?;
            if let Some(path) = self.of(&self.images, frame, "image_2")? {
                readings::image(path, &mut image)?;
                recorder.image(stamp, &image, &calibration.lens)?;
                if let Some(sweep) = &sweep {
                    let size = (image.width, image.height);
                    let t_camera_lidar = &calibration.t_camera_lidar;
                    let depth_m = depth.draw(&calibration.lens, size, t_camera_lidar, sweep.positions());
                    recorder.depth(stamp, image.width, depth_m)?;
                }
                count += 1;
            }
            if let Some(sweep) = &sweep {
                encode_cloud(sweep, &mut cloud);
                recorder.sweep(stamp, &CLOUD, &cloud)?;
                count += 1;
            }
            if self.has_labels {
                let mut labels = Labels::read(&text_file("label_2"), &calibration.t_reference_lidar)?;
                for name in &labels.left_out {
                    recorder.leave_out(name);
                }
                let annotations = labels.message(frame);
                recorder.truth(stamp, &labels.boxes, &annotations)?;
            }
            done(count);
        }
        Ok(())
    }
}
