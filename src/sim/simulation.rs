//! A world, a robot with its sensors, and when each of them looks.

use super::{
    Camera, CameraFile, CameraFrame, Film, LidarModel, LidarPoint, Motion, Mounts, Placement, RadarModel,
    Random, RigFile, Robot, SensorMotion, SimulatedReturn, SimulationError, TruthBox, World, boxes, scan,
    sweep,
};
use crate::geometry::{CameraModel, CameraParameters, Roi};

/// The stream of what a simulation draws.
const SIMULATION: u64 = 0x5349_4D00;
/// The first image, seconds after the world's start: before it transforms are known and a sweep has begun.
const FIRST_S: f64 = 0.2;

/// Everything that a seed decides.
pub struct Simulation {
    /// What there is to see.
    pub world: World,
    /// What carries the sensors.
    pub robot: Robot,
    /// Where they sit on it.
    pub mounts: Mounts,
    /// The camera.
    pub camera: Camera,
    /// The LiDAR.
    pub lidar: &'static LidarModel,
    /// The radars.
    pub radars: Vec<&'static RadarModel>,
    seed: u64,
    camera_rate_hz: f64,
    shutter_s: f64,
    /// The sensors turn and chirp on their own clocks: starts of their first frames, seconds.
    sweep_start_s: f64,
    scan_starts_s: Vec<f64>,
}

/// One turn of the LiDAR.
pub struct Sweep {
    /// How the LiDAR moves meanwhile; its start is the sweep's stamp.
    pub motion: SensorMotion,
    /// In the order they were measured.
    pub points: Vec<LidarPoint>,
    /// The objects about, in the LiDAR's frame at the start.
    pub boxes: Vec<TruthBox>,
}

/// One frame of a radar.
pub struct Scan {
    /// How the radar moves meanwhile; its middle is the scan's stamp.
    pub motion: SensorMotion,
    /// Strongest or nearest in no particular order.
    pub returns: Vec<SimulatedReturn>,
}

impl Simulation {
    /// Draws what the rig leaves to the seed.
    pub fn new(world: World, way: Motion, rig: &RigFile, seed: u64) -> Result<Self, SimulationError> {
        let mut random = Random::new(seed, &[SIMULATION]);
        let model = draw_camera(&rig.camera, &mut random)?;
        let lidar = LidarModel::named(&rig.lidar.model).ok_or_else(|| {
            SimulationError::unknown_model("sensors.lidar.model", &LidarModel::NAMES, &rig.lidar.model)
        })?;
        let radars = rig.radars.iter().map(|radar| {
            RadarModel::named(&radar.model).ok_or_else(|| {
                SimulationError::unknown_model("sensors.radars.model", &RadarModel::NAMES, &radar.model)
            })
        });
        let radars = radars.collect::<Result<Vec<_>, _>>()?;
        let mut phase = |rate_hz: f64| FIRST_S - f64::from(random.unit()) / rate_hz;
        let sweep_start_s = phase(lidar.rate_hz());
        let scan_starts_s = radars.iter().map(|radar| phase(radar.rate_hz())).collect();
        Ok(Self {
            world,
            robot: Robot::new(way, &rig.sway, seed),
            mounts: Mounts::new(rig, seed),
            camera: Camera::new(model, Film::new(seed)),
            lidar,
            radars,
            sweep_start_s,
            scan_starts_s,
            seed,
            camera_rate_hz: f64::from(rig.camera.rate_hz.draw(&mut random)),
            shutter_s: 1e-3 * f64::from(rig.camera.shutter_ms.draw(&mut random)),
        })
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The middle of an image's exposure, seconds; its stamp.
    pub fn camera_time_s(&self, number: u64) -> f64 {
        FIRST_S + number as f64 / self.camera_rate_hz
    }

    /// When an image is there, seconds: its shutter has closed.
    pub fn camera_log_s(&self, number: u64) -> f64 {
        self.camera_time_s(number) + 0.5 * self.shutter_s
    }

    /// When the last of some images is there, seconds.
    pub fn last_time_s(&self, frames: u64) -> f64 {
        self.camera_log_s(frames.saturating_sub(1))
    }

    /// Where `base_link` is.
    pub fn base(&self, time_s: f64) -> Placement {
        self.robot.placement(time_s)
    }

    /// Sweeps while some images are taken.
    pub fn sweeps(&self, frames: u64) -> u64 {
        (frames as f64 * self.lidar.rate_hz() / self.camera_rate_hz).round() as u64
    }

    /// Start and end of a sweep, seconds; its stamp is the start.
    pub fn sweep_times_s(&self, number: u64) -> (f64, f64) {
        let period_s = 1.0 / self.lidar.rate_hz();
        let start_s = self.sweep_start_s + number as f64 * period_s;
        (start_s, start_s + period_s)
    }

    /// The sweep that an image falls into.
    pub fn sweep_near(&self, image: u64) -> u64 {
        let since_s = self.camera_time_s(image) - self.sweep_start_s;
        (since_s * self.lidar.rate_hz()).floor().max(0.0) as u64
    }

    /// Scans of a radar while some images are taken.
    pub fn scans(&self, radar: usize, frames: u64) -> u64 {
        self.radars
            .get(radar)
            .map_or(0, |model| (frames as f64 * model.rate_hz() / self.camera_rate_hz).round() as u64)
    }

    /// Start and end of a scan, seconds; its stamp is the middle. Zeros for a radar that is not there.
    pub fn scan_times_s(&self, radar: usize, number: u64) -> (f64, f64) {
        let (Some(model), Some(first_s)) = (self.radars.get(radar), self.scan_starts_s.get(radar)) else {
            return (0.0, 0.0);
        };
        let start_s = first_s + number as f64 / model.rate_hz();
        (start_s, start_s + model.frame_s())
    }

    /// The scan of a radar that is nearest to an image.
    pub fn scan_near(&self, radar: usize, image: u64) -> u64 {
        let (start_s, end_s) = self.scan_times_s(radar, 0);
        let rate_hz = self.radars.get(radar).map_or(0.0, |model| model.rate_hz());
        ((self.camera_time_s(image) - 0.5 * (start_s + end_s)) * rate_hz).round().max(0.0) as u64
    }

    /// Measures a sweep, with the boxes of the objects about.
    pub fn sweep(&self, number: u64) -> Sweep {
        let (from_s, to_s) = self.sweep_times_s(number);
        let motion = self.robot.carry(&self.mounts.lidar, from_s, to_s);
        let snapshot = self.world.during(from_s, to_s);
        let points = sweep(&snapshot, self.lidar, &motion, self.seed, number);
        let hits = points.iter().filter_map(|point| Some((point.object?, point.moment)));
        let boxes = boxes(&snapshot, &motion.start, hits);
        Sweep { motion, points, boxes }
    }

    /// Measures a scan of a radar; `None` for one that is not there.
    pub fn scan(&self, radar: usize, number: u64) -> Option<Scan> {
        let (model, mount) = (*self.radars.get(radar)?, self.mounts.radars.get(radar)?);
        let (from_s, to_s) = self.scan_times_s(radar, number);
        let motion = self.robot.carry(mount, from_s, to_s);
        // Each radar has noise of its own.
        let seed = self.seed ^ ((radar as u64) << 56);
        let returns = scan(&self.world.during(from_s, to_s), model, &motion, seed, number);
        Some(Scan { motion, returns })
    }

    /// Renders an image.
    pub fn render(&self, number: u64, frame: &mut CameraFrame) {
        let time_s = self.camera_time_s(number);
        let (from_s, to_s) = (time_s - 0.5 * self.shutter_s, time_s + 0.5 * self.shutter_s);
        let motion: SensorMotion = self.robot.carry(&self.mounts.camera, from_s, to_s);
        self.camera.render(&self.world.during(from_s, to_s), &motion, self.seed, number, frame);
    }
}

/// A camera with a lens as it comes from the shelf: not quite centred, its pixels not quite square.
fn draw_camera(file: &CameraFile, random: &mut Random) -> Result<CameraModel, SimulationError> {
    let (width, height) = (f64::from(file.width), f64::from(file.height));
    let half_angle = 0.5 * f64::from(file.hfov_deg.draw(random)).to_radians();
    let fx = 0.5 * width / half_angle.tan();
    let fy = fx * f64::from(random.between(0.995, 1.005));
    let cx = 0.5 * (width - 1.0) + width * f64::from(random.between(-0.015, 0.015));
    let cy = 0.5 * (height - 1.0) + height * f64::from(random.between(-0.015, 0.015));
    let k1 = f64::from(file.k1.draw(random));
    // Makers correct the edge: with this second term no lens within reason folds.
    let d = [k1, 0.5 * k1 * k1, 0.0, 0.0, 0.0];
    CameraModel::new(&CameraParameters {
        width: file.width,
        height: file.height,
        k: [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
        distortion_model: "plumb_bob",
        d: &d,
        roi: Roi::default(),
        binning: (1, 1),
    })
    .map_err(SimulationError::Camera)
}
