//! TUM RGB-D: colour and depth images of a hand-held or robot-borne camera with poses from motion capture.
//!
//! Source of the formats: Sturm, Engelhard, Endres, Burgard, Cremers, "A Benchmark for the Evaluation of RGB-D
//! SLAM Systems" (IROS 2012), and the page "File Formats" of the benchmark.

mod association;
mod intrinsics;
mod list;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nalgebra::{Quaternion, Translation3, UnitQuaternion};

use self::association::associate;
use self::intrinsics::lens_of;
use self::list::{Listed, Posed, listed_files, poses};
use super::lens::Pinhole;
use super::recorder::{BASE, CAMERA, ODOM, Recorder};
use super::{ImportError, Source, files, readings};
use crate::geometry::Pose;
use crate::message::Stamp;
use crate::sensor::{DecodedDepth, DecodedImage};

/// Units of a metre in the depth images.
const DEPTH_UNITS: f32 = 5000.0;
/// Farthest that a depth image may be from its colour image, nanoseconds.
const WINDOW_NS: i64 = 20_000_000;

/// One sequence.
pub(super) struct Sequence {
    folder: PathBuf,
    lens: Pinhole,
    images: Vec<Listed>,
    depths: Vec<Listed>,
    /// For a colour image the depth image that belongs to it
    pairs: BTreeMap<usize, usize>,
    poses: Vec<Posed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Pose,
    Image,
}

impl Sequence {
    pub fn open(folder: &Path) -> Result<Self, ImportError> {
        if !folder.join("rgb.txt").is_file() || !folder.join("depth.txt").is_file() {
            return Err(ImportError::Layout {
                path: folder.to_owned(),
                expected: "a TUM RGB-D sequence with rgb.txt and depth.txt".to_owned(),
                found: files::names(folder),
            });
        }
        let images = listed_files(&folder.join("rgb.txt"))?;
        let depths = listed_files(&folder.join("depth.txt"))?;
        let times = |files: &[Listed]| files.iter().map(|file| file.stamp).collect::<Vec<_>>();
        let pairs = associate(&times(&images), &times(&depths), WINDOW_NS);
        let truth = folder.join("groundtruth.txt");
        let poses = if let Some(text) = files::text_if_there(&truth)? {
            poses(&truth, &text)?
        } else {
            tracing::warn!("no groundtruth.txt: the bag gets no poses");
            Vec::new()
        };
        Ok(Self { folder: folder.to_owned(), lens: lens_of(folder), images, depths, pairs, poses })
    }

    fn events(&self) -> Vec<(Stamp, Kind, usize)> {
        let poses = self.poses.iter().enumerate().map(|(index, posed)| (posed.stamp, Kind::Pose, index));
        let images = self.images.iter().enumerate().map(|(index, image)| (image.stamp, Kind::Image, index));
        let mut events: Vec<_> = poses.chain(images).collect();
        events.sort_unstable();
        events
    }
}

/// The camera in `base_link`, which is a body with x forward about the camera's centre.
fn t_base_camera() -> Pose {
    let rotation = UnitQuaternion::new_normalize(Quaternion::new(0.5, -0.5, 0.5, -0.5));
    Pose::from_parts(Translation3::identity(), rotation)
}

impl Source for Sequence {
    fn name(&self) -> &'static str {
        "tum_rgbd"
    }

    fn files(&self) -> u64 {
        self.images.len() as u64
    }

    fn record(&self, recorder: &mut Recorder, done: &mut dyn FnMut(u64)) -> Result<(), ImportError> {
        let t_base_camera = t_base_camera();
        let events = self.events();
        if let Some((first, ..)) = events.first() {
            recorder.fixed(*first, &[(BASE, CAMERA, t_base_camera)])?;
        }
        let (mut image, mut depth) = (DecodedImage::default(), DecodedDepth::default());
        let mut count = 0;
        for (stamp, kind, index) in events {
            match kind {
                Kind::Pose => {
                    if let Some(posed) = self.poses.get(index) {
                        let t_odom_base = posed.t_world_camera * t_base_camera.inverse();
                        recorder.moving(stamp, &[(ODOM, BASE, t_odom_base)])?;
                    }
                }
                Kind::Image => {
                    let Some(listed) = self.images.get(index) else { continue };
                    readings::image(&self.folder.join(&listed.file), &mut image)?;
                    recorder.image(stamp, &image, &self.lens)?;
                    let pair = self.pairs.get(&index).and_then(|depth| self.depths.get(*depth));
                    if let Some(listed) = pair {
                        readings::depth(&self.folder.join(&listed.file), DEPTH_UNITS, &mut depth)?;
                        recorder.depth(stamp, depth.width, &depth.depth_m)?;
                    }
                    count += 1;
                    done(count);
                }
            }
        }
        Ok(())
    }
}
