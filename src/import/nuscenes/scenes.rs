//! Scenes with their key frames and where the car was, put together from the tables.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::json_table::{Token, each_row};
use super::tables::{CalibratedSensorRow, EgoPoseRow, SampleDataRow, SampleRow, SceneRow, SensorRow};
use crate::geometry::{Pose, pose_from_parts};
use crate::import::{ImportError, Pinhole};
use crate::message::Stamp;

/// The sensors that are imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Channel {
    Lidar,
    Radar,
    Camera,
}

impl Channel {
    fn named(name: &str) -> Option<Self> {
        match name {
            "LIDAR_TOP" => Some(Self::Lidar),
            "RADAR_FRONT" => Some(Self::Radar),
            "CAM_FRONT" => Some(Self::Camera),
            _ => None,
        }
    }
}

/// A key frame of a sensor.
#[derive(Debug)]
pub(super) struct Reading {
    pub channel: Channel,
    pub sample: Token,
    /// Relative to the folder above `samples`
    pub file: String,
}

/// A moment at which it is known where the car was.
#[derive(Debug)]
pub(super) struct Moment {
    pub stamp: Stamp,
    /// The car in the map
    pub t_odom_base: Pose,
    /// What was measured, if it was a key frame
    pub reading: Option<Reading>,
}

/// About 20 s of driving.
#[derive(Debug)]
pub(super) struct Scene {
    pub name: String,
    /// Where the sensors are on the car
    pub mounts: BTreeMap<Channel, Pose>,
    pub lens: Option<Pinhole>,
    /// In the order of time
    pub moments: Vec<Moment>,
    /// The LiDAR's key frames, as indices into `moments`
    sweeps: BTreeMap<Token, usize>,
}

impl Scene {
    /// Where a sensor is on the car.
    pub fn mount(&self, channel: Channel) -> Pose {
        self.mounts.get(&channel).copied().unwrap_or_default()
    }

    /// The LiDAR's file of a sample, and where the LiDAR was.
    pub fn sweep_of(&self, sample: Token) -> Option<(&str, Pose)> {
        let moment = self.moments.get(*self.sweeps.get(&sample)?)?;
        let file = moment.reading.as_ref()?.file.as_str();
        Some((file, moment.t_odom_base * self.mount(Channel::Lidar)))
    }

    /// Samples with a sweep.
    pub fn samples(&self) -> impl Iterator<Item = Token> + '_ {
        self.sweeps.keys().copied()
    }
}

/// A sensor on a car.
struct Calibrated {
    channel: Channel,
    t_base_sensor: Pose,
    lens: Option<Pinhole>,
}

/// What `sample_data.json` says about a moment.
struct Row {
    stamp: Stamp,
    ego_pose: Token,
    calibrated: Token,
    reading: Option<Reading>,
}

/// Reads the scenes of a version, or the one called `wanted`.
pub(super) fn read(folder: &Path, wanted: Option<&str>) -> Result<Vec<Scene>, ImportError> {
    let calibrated = calibrated_sensors(folder)?;
    let names = scene_names(folder, wanted)?;
    let mut samples = BTreeMap::new();
    each_row(folder, "sample.json", |row: SampleRow| {
        if names.contains_key(&row.scene_token) {
            samples.insert(row.token, row.scene_token);
        }
    })?;
    let mut rows: BTreeMap<Token, Vec<Row>> = BTreeMap::new();
    let mut poses_wanted = BTreeSet::new();
    each_row(folder, "sample_data.json", |row: SampleDataRow| {
        let (Some(sensor), Some(scene)) =
            (calibrated.get(&row.calibrated_sensor_token), samples.get(&row.sample_token))
        else {
            return;
        };
        // Sweeps between key frames tell where the car was.
        if !row.is_key_frame && sensor.channel != Channel::Lidar {
            return;
        }
        let (channel, sample, file) = (sensor.channel, row.sample_token, row.filename);
        poses_wanted.insert(row.ego_pose_token);
        rows.entry(*scene).or_default().push(Row {
            stamp: Stamp(row.timestamp.saturating_mul(1000)),
            ego_pose: row.ego_pose_token,
            calibrated: row.calibrated_sensor_token,
            reading: row.is_key_frame.then_some(Reading { channel, sample, file }),
        });
    })?;
    let poses = ego_poses(folder, &poses_wanted)?;
    let mut scenes = Vec::with_capacity(rows.len());
    for (token, rows) in rows {
        let name = names.get(&token).cloned().unwrap_or_default();
        scenes.push(scene(folder, name, rows, &calibrated, &poses)?);
    }
    scenes.sort_by_key(|scene| scene.moments.first().map(|moment| moment.stamp));
    check_apart(&scenes)?;
    if scenes.is_empty() {
        let reason = "expected readings of CAM_FRONT, LIDAR_TOP or RADAR_FRONT, found none";
        return Err(ImportError::file(&folder.join("sample_data.json"), reason));
    }
    Ok(scenes)
}

fn calibrated_sensors(folder: &Path) -> Result<BTreeMap<Token, Calibrated>, ImportError> {
    let mut channels = BTreeMap::new();
    each_row(folder, "sensor.json", |row: SensorRow| {
        if let Some(channel) = Channel::named(&row.channel) {
            channels.insert(row.token, channel);
        }
    })?;
    let name = "calibrated_sensor.json";
    let mut sensors = BTreeMap::new();
    let mut wrong = None;
    each_row(folder, name, |row: CalibratedSensorRow| {
        let Some(channel) = channels.get(&row.sensor_token).copied() else { return };
        let lens = match row.camera_intrinsic.as_slice() {
            [[fx, _, cx], [_, fy, cy], _] => Pinhole::new([*fx, *fy, *cx, *cy]),
            _ => None,
        };
        if channel == Channel::Camera && lens.is_none() {
            wrong.get_or_insert(format!("{}: expected a 3×3 camera_intrinsic, found another", row.token));
        }
        match pose(row.translation, row.rotation) {
            Ok(t_base_sensor) => drop(sensors.insert(row.token, Calibrated { channel, t_base_sensor, lens })),
            Err(error) => drop(wrong.get_or_insert(format!("{}: {error}", row.token))),
        }
    })?;
    wrong.map_or(Ok(sensors), |reason| Err(ImportError::file(&folder.join(name), reason)))
}

fn scene_names(folder: &Path, wanted: Option<&str>) -> Result<BTreeMap<Token, String>, ImportError> {
    let mut names = BTreeMap::new();
    each_row(folder, "scene.json", |row: SceneRow| {
        names.insert(row.token, row.name);
    })?;
    let Some(wanted) = wanted else { return Ok(names) };
    let all: Vec<String> = names.values().take(12).cloned().collect();
    names.retain(|_, name| name == wanted);
    if names.is_empty() {
        let expected = format!("a scene of the data set, as {}", all.join(" "));
        return Err(ImportError::Option { name: "--scene", expected, found: wanted.to_owned() });
    }
    Ok(names)
}

fn ego_poses(folder: &Path, wanted: &BTreeSet<Token>) -> Result<BTreeMap<Token, Pose>, ImportError> {
    let name = "ego_pose.json";
    let (mut poses, mut wrong) = (BTreeMap::new(), None);
    each_row(folder, name, |row: EgoPoseRow| {
        if !wanted.contains(&row.token) {
            return;
        }
        match pose(row.translation, row.rotation) {
            Ok(pose) => drop(poses.insert(row.token, pose)),
            Err(error) => drop(wrong.get_or_insert(format!("{}: {error}", row.token))),
        }
    })?;
    wrong.map_or(Ok(poses), |reason| Err(ImportError::file(&folder.join(name), reason)))
}

/// From a row's translation and its rotation w, x, y, z.
pub(super) fn pose(translation: [f64; 3], [w, x, y, z]: [f64; 4]) -> Result<Pose, String> {
    pose_from_parts(translation, [x, y, z, w]).map_err(|error| error.to_string())
}

fn scene(
    folder: &Path,
    name: String,
    mut rows: Vec<Row>,
    calibrated: &BTreeMap<Token, Calibrated>,
    poses: &BTreeMap<Token, Pose>,
) -> Result<Scene, ImportError> {
    rows.sort_by_key(|row| (row.stamp, row.reading.as_ref().map(|reading| reading.channel)));
    let mut scene =
        Scene { name, mounts: BTreeMap::new(), lens: None, moments: Vec::new(), sweeps: BTreeMap::new() };
    for row in rows {
        let Some(&t_odom_base) = poses.get(&row.ego_pose) else {
            let reason = format!("expected a row {}, as sample_data.json asks for, found none", row.ego_pose);
            return Err(ImportError::file(&folder.join("ego_pose.json"), reason));
        };
        if let Some(sensor) = calibrated.get(&row.calibrated) {
            scene.mounts.entry(sensor.channel).or_insert(sensor.t_base_sensor);
            scene.lens = scene.lens.or(sensor.lens);
        }
        if let Some(Reading { channel: Channel::Lidar, sample, .. }) = &row.reading {
            scene.sweeps.insert(*sample, scene.moments.len());
        }
        scene.moments.push(Moment { stamp: row.stamp, t_odom_base, reading: row.reading });
    }
    Ok(scene)
}

/// One bag has one car: scenes that were driven at once cannot be in it together.
fn check_apart(scenes: &[Scene]) -> Result<(), ImportError> {
    for pair in scenes.windows(2) {
        let [before, after] = pair else { continue };
        let (end, begin) = (before.moments.last(), after.moments.first());
        if end.zip(begin).is_some_and(|(end, begin)| end.stamp >= begin.stamp) {
            return Err(ImportError::Option {
                name: "--scene",
                expected: format!("one of {} and {}, which were driven at once", before.name, after.name),
                found: String::new(),
            });
        }
    }
    Ok(())
}
