//! One exported frame.

use glam::Vec3A;
use half::f16;

use super::ExportedSensors;
use crate::sim::{CameraFrame, ObjectClass, Simulation};

/// Columns of `camera.npy`: pixels, then the coefficients of `plumb_bob`.
pub(super) const CAMERA: [&str; INTRINSICS] = ["fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2", "k3"];
/// How many they are.
pub(super) const INTRINSICS: usize = 9;
/// Columns of `lidar.npy`: metres in the LiDAR's frame at the start of the sweep, 0..255, seconds from there,
/// beam.
pub(super) const POINT: [&str; 6] = ["x", "y", "z", "intensity", "time", "ring"];
/// Columns of `boxes.npy`: index into the classes, centre and full lengths in metres, radians about z, points
/// of the sweep on the object, its number in the scene.
pub(super) const BOX: [&str; 10] =
    ["class", "x", "y", "z", "length", "width", "height", "yaw", "points", "object"];
/// Columns of `radar.npy`: metres in the camera's optical frame at the time of the image, metres a second,
/// dB, dB over a square metre, number of the radar, seconds from the scan to the image, range rate beyond that
/// of a still world (m/s), standard deviations that the radar states (radians, 0 where it states none).
pub(super) const RETURN: [&str; 11] =
    ["x", "y", "z", "range_rate", "snr", "rcs", "radar", "age", "motion", "azimuth_std", "elevation_std"];
/// Scans of each radar: the nearest in time and those before it.
const SCANS: u64 = 4;

/// The rows that a frame adds to the arrays.
pub(super) struct FrameArrays {
    pub seed: u64,
    pub number: u64,
    pub image: CameraFrame,
    pub depth: Vec<f16>,
    pub intrinsics: [f32; INTRINSICS],
    pub points: Vec<[f32; POINT.len()]>,
    pub boxes: Vec<[f32; BOX.len()]>,
    pub returns: Vec<[f32; RETURN.len()]>,
}

impl FrameArrays {
    pub fn render(simulation: &Simulation, number: u64, sensors: ExportedSensors) -> Self {
        let mut image = CameraFrame::default();
        let mut depth = Vec::new();
        if sensors.camera {
            simulation.render(number, &mut image);
            depth.extend(image.depth_m.iter().map(|&d| f16::from_f32(d)));
        }
        let (points, boxes) = if sensors.lidar { sweep(simulation, number) } else { Default::default() };
        Self {
            seed: simulation.seed(),
            number,
            image,
            depth,
            intrinsics: intrinsics(simulation),
            points,
            boxes,
            returns: if sensors.radar { scans(simulation, number) } else { Vec::new() },
        }
    }
}

fn intrinsics(simulation: &Simulation) -> [f32; INTRINSICS] {
    let model = simulation.camera.model();
    let (_, d) = model.distortion.to_message();
    let mut values = [0.0; INTRINSICS];
    let all = [model.fx, model.fy, model.cx, model.cy].into_iter().chain(d);
    values.iter_mut().zip(all).for_each(|(to, from)| *to = from as f32);
    values
}

type SweepRows = (Vec<[f32; POINT.len()]>, Vec<[f32; BOX.len()]>);

fn sweep(simulation: &Simulation, image: u64) -> SweepRows {
    let sweep = simulation.sweep(simulation.sweep_near(image));
    let to_start = sweep.motion.start.inverse();
    let points = sweep.points.iter().map(|point| {
        let [x, y, z] = to_start.point(sweep.motion.at(point.moment).point(point.position)).to_array();
        [x, y, z, point.intensity, point.time_s, f32::from(point.ring)]
    });
    let boxes = sweep.boxes.iter().map(|truth| {
        let class = ObjectClass::ALL.iter().position(|&class| class == truth.class).unwrap_or(0);
        let [x, y, z] = truth.pose.position.to_array();
        let [length, width, height] = truth.size;
        let forward = truth.pose.rotation * Vec3A::X;
        let yaw = forward.y.atan2(forward.x);
        [class as f32, x, y, z, length, width, height, yaw, truth.points as f32, truth.object as f32]
    });
    (points.collect(), boxes.collect())
}

/// The scan of each radar that is nearest in time and some before it, as the depth node would place them in
/// the image.
fn scans(simulation: &Simulation, image: u64) -> Vec<[f32; RETURN.len()]> {
    let image_s = simulation.camera_time_s(image);
    let to_camera = simulation.base(image_s).then(&simulation.mounts.camera).inverse();
    let mut rows = Vec::new();
    for radar in 0..simulation.mounts.radars.len() {
        let near = simulation.scan_near(radar, image);
        for number in (0..SCANS).map_while(|back| near.checked_sub(back)) {
            let Some(scan) = simulation.scan(radar, number) else { continue };
            let (from_s, to_s) = simulation.scan_times_s(radar, number);
            let age_s = (image_s - 0.5 * (from_s + to_s)) as f32;
            let placement = scan.motion.at(0.5);
            let to_image = to_camera.then(&placement);
            let way = scan.motion.at(1.0).position - scan.motion.at(0.0).position;
            let velocity = placement.rotation.inverse() * (way / (to_s - from_s) as f32);
            rows.extend(scan.returns.iter().map(|found| {
                let [x, y, z] = to_image.point(found.position()).to_array();
                let still = -velocity.dot(found.position().normalize_or_zero());
                [
                    x,
                    y,
                    z,
                    found.range_rate_mps,
                    found.snr_db,
                    found.rcs_dbsm,
                    radar as f32,
                    age_s,
                    found.range_rate_mps - still,
                    found.azimuth_std_rad,
                    found.elevation_std_rad,
                ]
            }));
        }
    }
    rows
}
