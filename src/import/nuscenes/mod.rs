//! nuScenes: key frames at 2 Hz with camera, LiDAR and radar to the front, poses and annotated boxes.
//!
//! Source of the formats: Caesar et al., "nuScenes: A Multimodal Dataset for Autonomous Driving" (CVPR 2020), and
//! `docs/schema_nuscenes.md` of the development kit.

mod annotations;
mod json_table;
mod pcd;
mod scenes;
mod tables;

use std::path::{Path, PathBuf};

use self::annotations::SampleTruth;
use self::scenes::{Channel, Moment, Scene};
use super::lens::SparseDepth;
use super::readings::{self, PointFile};
use super::recorder::{BASE, CAMERA, LIDAR, ODOM, RADAR, Recorder};
use super::{ImportError, Source, files};
use crate::message::{CloudLayout, PointField};
use crate::sensor::DecodedImage;

/// Layout of the LiDAR's clouds: x y z in metres, intensity 0 to 255, number of the laser.
const CLOUD: CloudLayout = CloudLayout {
    fields: &[
        PointField::scalar("x", 0, PointField::FLOAT32),
        PointField::scalar("y", 4, PointField::FLOAT32),
        PointField::scalar("z", 8, PointField::FLOAT32),
        PointField::scalar("intensity", 12, PointField::FLOAT32),
        PointField::scalar("ring", 16, PointField::UINT16),
    ],
    step: 18,
};

/// The scenes wanted.
pub(super) struct NuScenes {
    /// The folder above `samples`
    root: PathBuf,
    /// In the order of time
    scenes: Vec<Scene>,
    truth: annotations::Truth,
}

impl NuScenes {
    pub fn open(folder: &Path, scene: Option<&str>) -> Result<Self, ImportError> {
        let (root, version) = version_folder(folder)?;
        let scenes = scenes::read(&version, scene)?;
        let truth = annotations::read(&version, &scenes)?;
        Ok(Self { root, scenes, truth })
    }

    fn record_scene(
        &self,
        scene: &Scene,
        recorder: &mut Recorder,
        done: &mut dyn FnMut(),
    ) -> Result<(), ImportError> {
        let (mut image, mut depth, mut cloud) = (DecodedImage::default(), SparseDepth::default(), Vec::new());
        // Cars differ and are calibrated anew, so where the sensors are holds for a scene only: no static transforms.
        let frames = [(LIDAR, Channel::Lidar), (CAMERA, Channel::Camera), (RADAR, Channel::Radar)];
        let mounts: Vec<_> = frames
            .into_iter()
            .filter_map(|(frame, channel)| Some((BASE, frame, *scene.mounts.get(&channel)?)))
            .collect();
        for moment in &scene.moments {
            let Moment { stamp, t_odom_base, .. } = moment;
            recorder.moving(*stamp, &[(ODOM, BASE, *t_odom_base)])?;
            let Some(reading) = &moment.reading else { continue };
            recorder.moving(*stamp, &mounts)?;
            let path = self.root.join(&reading.file);
            match reading.channel {
                Channel::Lidar => {
                    let sweep = PointFile::<5>::read(&path)?;
                    cloud.clear();
                    for [x, y, z, intensity, ring] in sweep.points() {
                        for value in [x, y, z, intensity] {
                            cloud.extend_from_slice(&value.to_le_bytes());
                        }
                        cloud.extend_from_slice(&(ring as u16).to_le_bytes());
                    }
                    recorder.sweep(*stamp, &CLOUD, &cloud)?;
                    let t_odom_lidar = t_odom_base * scene.mount(Channel::Lidar);
                    if let Some(truth) = self.truth.of(&scene.name, reading.sample, &t_odom_lidar) {
                        let SampleTruth { boxes, message, left_out } = truth;
                        for name in left_out {
                            recorder.leave_out(name);
                        }
                        recorder.truth(*stamp, &boxes, &message)?;
                    }
                }
                Channel::Radar => {
                    pcd::read(&path, &mut cloud)?;
                    recorder.scan(*stamp, &pcd::CLOUD, &cloud)?;
                }
                Channel::Camera => {
                    readings::image(&path, &mut image)?;
                    let Some(lens) = &scene.lens else { continue };
                    recorder.image(*stamp, &image, lens)?;
                    if let Some((file, t_odom_lidar)) = scene.sweep_of(reading.sample) {
                        let sweep = PointFile::<5>::read(&self.root.join(file))?;
                        let t_camera_lidar =
                            (t_odom_base * scene.mount(Channel::Camera)).inverse() * t_odom_lidar;
                        let size = (image.width, image.height);
                        let depth_m = depth.draw(lens, size, &t_camera_lidar, sweep.positions());
                        recorder.depth(*stamp, image.width, depth_m)?;
                    }
                }
            }
            done();
        }
        Ok(())
    }
}

impl Source for NuScenes {
    fn name(&self) -> &'static str {
        "nuscenes"
    }

    fn files(&self) -> u64 {
        let readings = |scene: &Scene| scene.moments.iter().filter(|m| m.reading.is_some()).count() as u64;
        self.scenes.iter().map(readings).sum()
    }

    fn record(&self, recorder: &mut Recorder, done: &mut dyn FnMut(u64)) -> Result<(), ImportError> {
        let names: Vec<&str> = self.scenes.iter().map(|scene| scene.name.as_str()).collect();
        recorder.remark("isobath_import_scenes", &names.join(" "));
        let mut count = 0;
        for scene in &self.scenes {
            self.record_scene(scene, recorder, &mut || {
                count += 1;
                done(count);
            })?;
        }
        Ok(())
    }
}

/// The folder above `samples` and the one with the tables, from either of them.
fn version_folder(folder: &Path) -> Result<(PathBuf, PathBuf), ImportError> {
    let has_tables = |folder: &Path| folder.join("sample_data.json").is_file();
    if has_tables(folder) {
        return Ok((folder.join(".."), folder.to_owned()));
    }
    let entries = std::fs::read_dir(folder).map_err(|error| ImportError::read(folder, &error))?;
    let mut versions: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| has_tables(path)).collect();
    versions.sort();
    match versions.as_slice() {
        [version] => Ok((folder.to_owned(), version.clone())),
        several => Err(ImportError::Layout {
            path: folder.to_owned(),
            expected: "one folder with nuScenes tables, as v1.0-mini, or that folder itself".to_owned(),
            found: match several {
                [] => files::names(folder),
                _ => several.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "),
            },
        }),
    }
}
