//! The robot: where its sensors sit and how they move.

use std::f64::consts::TAU;

use glam::{Quat, Vec3A};
use serde::{Deserialize, Deserializer, de::Error};

use super::{Motion, Placement, Random, Range, range};

/// The stream of what a rig draws.
const RIG: u64 = 0x5249_4700;

/// The sensors of a scene file; every range is drawn once for a seed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RigFile {
    /// The camera.
    pub camera: CameraFile,
    /// The LiDAR.
    pub lidar: LidarFile,
    /// Up to four radars.
    pub radars: Vec<RadarFile>,
    /// How the robot shakes.
    pub sway: SwayFile,
}

/// `sensors.camera` of a scene file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CameraFile {
    /// Columns.
    #[serde(deserialize_with = "pixels")]
    pub width: u32,
    /// Rows.
    #[serde(deserialize_with = "pixels")]
    pub height: u32,
    /// Horizontal field of view, degrees.
    #[serde(deserialize_with = "field_of_view")]
    pub hfov_deg: Range,
    /// First radial coefficient of the lens (`plumb_bob` k1); 0 is a pinhole.
    #[serde(deserialize_with = "lens")]
    pub k1: Range,
    /// Frames a second.
    #[serde(deserialize_with = "rate")]
    pub rate_hz: Range,
    /// Above the ground, metres.
    #[serde(deserialize_with = "range::positive")]
    pub height_m: Range,
    /// Ahead of `base_link`, metres.
    pub forward_m: Range,
    /// Nose down, degrees.
    pub pitch_deg: Range,
    /// Turned to the left, degrees.
    pub yaw_deg: Range,
    /// Time the shutter is open, milliseconds: decides the motion blur.
    #[serde(deserialize_with = "shutter")]
    pub shutter_ms: Range,
}

/// No camera has more rows or columns, and the buffers of one that had would not fit.
const MOST_PIXELS: u32 = 8192;

fn pixels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let count = u32::deserialize(deserializer)?;
    if (1..=MOST_PIXELS).contains(&count) {
        return Ok(count);
    }
    Err(D::Error::custom(format!("expected 1 to {MOST_PIXELS} pixels, found {count}")))
}

fn field_of_view<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Range, D::Error> {
    range::within(deserializer, 5.0, 150.0)
}

/// Stronger lenses fold within the image.
fn lens<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Range, D::Error> {
    range::within(deserializer, -0.5, 0.5)
}

fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Range, D::Error> {
    range::within(deserializer, 0.1, 200.0)
}

fn shutter<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Range, D::Error> {
    range::within(deserializer, 0.0, 100.0)
}

/// `sensors.lidar` of a scene file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LidarFile {
    /// Name of the model.
    pub model: String,
    /// Above the ground, metres.
    #[serde(deserialize_with = "range::positive")]
    pub height_m: Range,
    /// Ahead of `base_link`, metres.
    pub forward_m: Range,
    /// How far it leans to any side, degrees.
    pub tilt_deg: Range,
}

/// One of `sensors.radars` of a scene file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RadarFile {
    /// Name of the model.
    pub model: String,
    /// Above the ground, metres.
    #[serde(deserialize_with = "range::positive")]
    pub height_m: Range,
    /// Ahead of `base_link`, metres.
    pub forward_m: Range,
    /// Turned to the left, degrees.
    pub yaw_deg: Range,
    /// Nose down, degrees.
    pub pitch_deg: Range,
}

/// `sensors.sway` of a scene file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SwayFile {
    /// Amplitude of roll and pitch, degrees.
    #[serde(deserialize_with = "range::positive")]
    pub angle_deg: Range,
    /// Amplitude up and down, millimetres.
    #[serde(deserialize_with = "range::positive")]
    pub bounce_mm: Range,
    /// Swings a second.
    #[serde(deserialize_with = "range::positive")]
    pub rate_hz: Range,
}

impl Default for CameraFile {
    fn default() -> Self {
        Self {
            width: 640,
            height: 480,
            hfov_deg: Range::new(60.0, 90.0),
            k1: Range::new(-0.25, 0.02),
            rate_hz: Range::only(10.0),
            height_m: Range::new(0.5, 1.2),
            forward_m: Range::new(0.1, 0.3),
            pitch_deg: Range::new(-2.0, 6.0),
            yaw_deg: Range::new(-5.0, 5.0),
            shutter_ms: Range::new(2.0, 12.0),
        }
    }
}

impl Default for LidarFile {
    fn default() -> Self {
        Self {
            model: "os1-64".to_owned(),
            height_m: Range::new(0.8, 1.7),
            forward_m: Range::new(-0.2, 0.1),
            tilt_deg: Range::new(-1.5, 1.5),
        }
    }
}

impl Default for RadarFile {
    fn default() -> Self {
        Self {
            model: "awr1843".to_owned(),
            height_m: Range::new(0.3, 0.8),
            forward_m: Range::new(0.15, 0.35),
            yaw_deg: Range::new(-3.0, 3.0),
            pitch_deg: Range::new(-2.0, 2.0),
        }
    }
}

impl Default for SwayFile {
    fn default() -> Self {
        Self {
            angle_deg: Range::new(0.1, 1.0),
            bounce_mm: Range::new(0.0, 8.0),
            rate_hz: Range::new(0.8, 2.5),
        }
    }
}

/// A sensor during a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SensorMotion {
    /// Sensor to world when the frame starts.
    pub start: Placement,
    /// And when it ends.
    pub end: Placement,
    /// How long the frame lasts, seconds.
    pub span_s: f64,
}

impl SensorMotion {
    /// The sensor at a moment, 0 (start)..1 (end).
    pub fn at(&self, moment: f32) -> Placement {
        self.start.towards(&self.end, moment)
    }

    /// Of the sensor's origin, world, metres a second.
    pub fn velocity(&self) -> Vec3A {
        if self.span_s > 0.0 {
            (self.end.position - self.start.position) / self.span_s as f32
        } else {
            Vec3A::ZERO
        }
    }
}

/// A robot on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Robot {
    /// `base_link` on the ground, without the shaking.
    pub motion: Motion,
    /// Radians, metres, hertz.
    sway: Sway,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sway {
    angle: f64,
    bounce_m: f64,
    rate_hz: f64,
    phases: [f64; 3],
}

impl Robot {
    /// A robot that does not shake.
    pub fn steady(motion: Motion) -> Self {
        Self { motion, sway: Sway::default() }
    }

    /// A robot whose shaking is drawn from the file's ranges.
    pub fn new(motion: Motion, file: &SwayFile, seed: u64) -> Self {
        let mut random = Random::new(seed, &[RIG, 1]);
        let sway = Sway {
            angle: f64::from(file.angle_deg.draw(&mut random)).to_radians(),
            bounce_m: f64::from(file.bounce_mm.draw(&mut random)) * 1e-3,
            rate_hz: f64::from(file.rate_hz.draw(&mut random)),
            phases: [(); 3].map(|()| TAU * f64::from(random.unit())),
        };
        Self { motion, sway }
    }

    /// `base_link` in the world.
    pub fn placement(&self, time_s: f64) -> Placement {
        let base = self.motion.placement(time_s);
        let Sway { angle, bounce_m, rate_hz, phases: [a, b, c] } = self.sway;
        // Three rates that do not repeat together.
        let swing = |rate: f64, phase: f64| (TAU * rate * rate_hz * time_s + phase).sin();
        let roll = (angle * swing(1.0, a)) as f32;
        let pitch = (0.7 * angle * swing(1.37, b)) as f32;
        let lift = (bounce_m * swing(1.73, c)) as f32;
        let rotation = Quat::from_rotation_y(pitch) * Quat::from_rotation_x(roll);
        base.then(&Placement { position: Vec3A::new(0.0, 0.0, lift), rotation })
    }

    /// A sensor on it during an interval.
    pub fn carry(&self, mount: &Placement, from_s: f64, to_s: f64) -> SensorMotion {
        SensorMotion {
            start: self.placement(from_s).then(mount),
            end: self.placement(to_s).then(mount),
            span_s: to_s - from_s,
        }
    }
}

/// The mounts of a seed: sensor to `base_link`.
#[derive(Clone, Debug, PartialEq)]
pub struct Mounts {
    /// Optical frame: x right, y down, z forward.
    pub camera: Placement,
    /// x forward, y left, z up.
    pub lidar: Placement,
    /// x forward, y left, z up.
    pub radars: Vec<Placement>,
}

impl Mounts {
    /// Draws the mounts from the file's ranges.
    pub fn new(file: &RigFile, seed: u64) -> Self {
        let mut random = Random::new(seed, &[RIG, 2]);
        let camera = &file.camera;
        let body = mount(
            &mut random,
            [camera.forward_m, camera.height_m],
            [Range::only(0.0), camera.pitch_deg, camera.yaw_deg],
        );
        let mut random = Random::new(seed, &[RIG, 3]);
        let lidar = &file.lidar;
        let lidar = mount(
            &mut random,
            [lidar.forward_m, lidar.height_m],
            [lidar.tilt_deg, lidar.tilt_deg, Range::only(0.0)],
        );
        let radars = (0..).zip(&file.radars).map(|(index, radar)| {
            let mut random = Random::new(seed, &[RIG, 4, index]);
            mount(
                &mut random,
                [radar.forward_m, radar.height_m],
                [Range::only(0.0), radar.pitch_deg, radar.yaw_deg],
            )
        });
        Self { camera: body.then(&OPTICAL), lidar, radars: radars.collect() }
    }
}

/// The axes of an optical frame in the body of its camera (REP-103).
const OPTICAL: Placement =
    Placement { position: Vec3A::ZERO, rotation: Quat::from_xyzw(-0.5, 0.5, -0.5, 0.5) };

fn mount(random: &mut Random, [forward, height]: [Range; 2], [roll, pitch, yaw]: [Range; 3]) -> Placement {
    let position = Vec3A::new(forward.draw(random), random.between(-0.05, 0.05), height.draw(random));
    let mut angle = |range: Range| range.draw(random).to_radians();
    let (roll, pitch, yaw) = (angle(roll), angle(pitch), angle(yaw));
    let rotation = Quat::from_rotation_z(yaw) * Quat::from_rotation_y(pitch) * Quat::from_rotation_x(roll);
    Placement { position, rotation }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_optical_frame_looks_forward() {
        let optical = |v: Vec3A| OPTICAL.rotation * v;
        assert!(optical(Vec3A::Z).distance(Vec3A::X) < 1e-6);
        assert!(optical(Vec3A::X).distance(-Vec3A::Y) < 1e-6);
        assert!(optical(Vec3A::Y).distance(-Vec3A::Z) < 1e-6);
    }

    #[test]
    fn mounts_stay_in_their_ranges_and_differ_by_seed() {
        let file = RigFile { radars: vec![RadarFile::default(); 2], ..RigFile::default() };
        let mounts: Vec<Mounts> = (0..50).map(|seed| Mounts::new(&file, seed)).collect();
        assert_ne!(mounts[0], mounts[1]);
        assert_ne!(mounts[0].radars[0], mounts[0].radars[1]);
        for mount in &mounts {
            let height = mount.camera.position.z;
            assert!((0.5..=1.2).contains(&height), "{height}");
            let down = -(mount.camera.rotation * Vec3A::Z).z.asin().to_degrees();
            assert!((-2.1..=6.1).contains(&down), "{down}");
        }
    }

    #[test]
    fn a_robot_shakes_about_its_path() {
        let still = Motion::Still(Placement::IDENTITY);
        let file =
            SwayFile { angle_deg: Range::only(1.0), bounce_mm: Range::only(5.0), ..SwayFile::default() };
        let robot = Robot::new(still.clone(), &file, 3);
        let tilts: Vec<f32> = (0..100)
            .map(|k| robot.placement(f64::from(k) * 0.1))
            .map(|p| (p.rotation * Vec3A::Z).angle_between(Vec3A::Z).to_degrees())
            .collect();
        let most = tilts.iter().fold(0.0_f32, |most, &tilt| most.max(tilt));
        assert!((0.6..1.3).contains(&most), "{most}");
        assert_eq!(Robot::steady(still).placement(4.2), Placement::IDENTITY);
        let carried = robot.carry(&Placement::upright(glam::Vec3::Z, 0.0), 1.0, 1.1);
        assert!(carried.velocity().length() > 0.0 && carried.at(0.0).position == carried.start.position);
    }
}
