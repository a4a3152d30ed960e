//! One synchronised and rectified raw drive.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::calibration::Calibration;
use super::oxts::Odometry;
use super::tracklets::Tracklets;
use super::{CLOUD, encode_cloud};
use crate::import::lens::SparseDepth;
use crate::import::readings::{self, IMAGE_ENDINGS, PointFile};
use crate::import::recorder::{BASE, CAMERA, LIDAR, ODOM, Recorder};
use crate::import::{ImportError, Source, files, time};
use crate::message::Stamp;
use crate::sensor::{DecodedDepth, DecodedImage};

/// The annotated depth of KITTI's depth benchmark, where it was put beside the images.
const DEPTH_FOLDER: &str = "proj_depth/groundtruth/image_02";
/// Units of a metre in it.
const DEPTH_UNITS: f32 = 256.0;

/// What there is at a moment, in the order in which it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Pose,
    Sweep,
    Image,
}

/// The files of one sensor and their times, by frame.
type Files = BTreeMap<u64, (Stamp, PathBuf)>;

/// A raw drive.
pub(super) struct Drive {
    calibration: Calibration,
    images: Files,
    sweeps: Files,
    poses: Files,
    /// Empty without the annotated depth
    depth: BTreeMap<u64, PathBuf>,
    tracklets: Option<Tracklets>,
}

impl Drive {
    pub fn open(folder: &Path) -> Result<Self, ImportError> {
        let day = if folder.join("calib_cam_to_cam.txt").exists() {
            folder.to_owned()
        } else {
            // A path as `drive/` or `.` has no parent of its own.
            folder.canonicalize().ok().and_then(|path| path.parent().map(Path::to_owned)).unwrap_or_default()
        };
        let drive = Self {
            calibration: Calibration::of_day(&day)?,
            images: timed(&folder.join("image_02"), &IMAGE_ENDINGS)?,
            sweeps: timed(&folder.join("velodyne_points"), &["bin"])?,
            poses: timed(&folder.join("oxts"), &["txt"])?,
            depth: files::numbered(&folder.join(DEPTH_FOLDER), &["png"])?,
            tracklets: Tracklets::read(&folder.join("tracklet_labels.xml"))?,
        };
        if drive.images.is_empty() && drive.sweeps.is_empty() {
            return Err(ImportError::Layout {
                path: folder.to_owned(),
                expected: "files as image_02/data/0000000000.png or velodyne_points/data/0000000000.bin"
                    .to_owned(),
                found: files::names(folder),
            });
        }
        Ok(drive)
    }

    /// What happens, in the order of the log.
    fn events(&self) -> Vec<(Stamp, Kind, u64)> {
        let of = |files: &Files, kind: Kind| -> Vec<_> {
            files.iter().map(|(frame, (stamp, _))| (*stamp, kind, *frame)).collect()
        };
        let mut events =
            [of(&self.poses, Kind::Pose), of(&self.sweeps, Kind::Sweep), of(&self.images, Kind::Image)]
                .concat();
        events.sort_unstable();
        events
    }
}

impl Source for Drive {
    fn name(&self) -> &'static str {
        "kitti_raw"
    }

    fn files(&self) -> u64 {
        (self.images.len() + self.sweeps.len()) as u64
    }

    fn record(&self, recorder: &mut Recorder, done: &mut dyn FnMut(u64)) -> Result<(), ImportError> {
        let events = self.events();
        let calibration = &self.calibration;
        if let Some((first, ..)) = events.first() {
            recorder.fixed(
                *first,
                &[(BASE, LIDAR, calibration.t_base_lidar), (BASE, CAMERA, calibration.t_base_camera())],
            )?;
        }
        let mut odometry = Odometry::default();
        let (mut image, mut cloud) = (DecodedImage::default(), Vec::new());
        let (mut drawn, mut annotated) = (SparseDepth::default(), DecodedDepth::default());
        let mut count = 0;
        for (stamp, kind, frame) in events {
            let of = |files: &Files| files.get(&frame).map(|(_, path)| path.clone()).unwrap_or_default();
            match kind {
                Kind::Pose => {
                    let pose = odometry.read(&of(&self.poses))?;
                    recorder.moving(stamp, &[(ODOM, BASE, pose)])?;
                    continue;
                }
                Kind::Sweep => {
                    encode_cloud(&PointFile::read(&of(&self.sweeps))?, &mut cloud);
                    recorder.sweep(stamp, &CLOUD, &cloud)?;
                    if let Some(tracklets) = &self.tracklets {
                        let (boxes, message, left_out) = tracklets.frame(frame);
                        for name in left_out {
                            recorder.leave_out(name);
                        }
                        recorder.truth(stamp, &boxes, &message)?;
                    }
                }
                Kind::Image => {
                    readings::image(&of(&self.images), &mut image)?;
                    recorder.image(stamp, &image, &calibration.lens)?;
                    if let Some(path) = self.depth.get(&frame) {
                        readings::depth(path, DEPTH_UNITS, &mut annotated)?;
                        recorder.depth(stamp, annotated.width, &annotated.depth_m)?;
                    } else if let (true, Some((_, path))) = (self.depth.is_empty(), self.sweeps.get(&frame)) {
                        let sweep = PointFile::<4>::read(path)?;
                        let size = (image.width, image.height);
                        let t_camera_lidar = &calibration.t_camera_lidar;
                        let depth_m = drawn.draw(&calibration.lens, size, t_camera_lidar, sweep.positions());
                        recorder.depth(stamp, image.width, depth_m)?;
                    }
                }
            }
            count += 1;
            done(count);
        }
        Ok(())
    }
}

/// The files in `folder/data` with their lines of `folder/timestamps.txt`; a frame may lack its file, not its
/// time.
fn timed(folder: &Path, endings: &[&str]) -> Result<Files, ImportError> {
    let files = files::numbered(&folder.join("data"), endings)?;
    if files.is_empty() {
        return Ok(Files::new());
    }
    let path = folder.join("timestamps.txt");
    let text = files::text(&path)?;
    let lines: Vec<&str> = text.lines().collect();
    let mut times = Files::new();
    for (frame, file) in files {
        let index = usize::try_from(frame).unwrap_or(usize::MAX);
        let line = lines.get(index).copied().unwrap_or_default();
        let stamp = time::from_date(line).ok_or_else(|| {
            let reason = format!(
                "expected the time of frame {frame}, as 2011-09-26 13:02:25.594360375, found '{}'",
                line.trim()
            );
            ImportError::line(&path, index.saturating_add(1), reason)
        })?;
        times.insert(frame, (stamp, file));
    }
    Ok(times)
}
