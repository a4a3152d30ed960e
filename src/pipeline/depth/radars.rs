//! The radar returns of one frame, in the camera's optical frame.

use std::sync::{Arc, Mutex, PoisonError};

use super::MAX_RADARS;
use super::intake::DepthFrame;
use super::parameters::{RadarSettings, radar_settings};
use super::radar_input::{RadarMessage, RadarPayload};
use crate::depth::{Persistence, PlacedReturn};
use crate::geometry::Pose;
use crate::message::from_cdr;
use crate::pipeline::{Accounting, FrameError, ParameterSet};
use crate::sensor::{
    DopplerSigns, PointCloudView, RadarPreset, RadarReturn, decode_radar, decode_radar_scan,
};

/// Points of a LiDAR sweep that become returns: about as many as large radars give.
const LIDAR_POINTS: usize = 2000;

/// What a return needs to count.
#[derive(Clone, Copy)]
struct Gates {
    min_snr_db: f32,
    min_rcs_dbsm: f32,
}

impl Gates {
    fn of(settings: &RadarSettings) -> Self {
        Self { min_snr_db: settings.min_snr_db, min_rcs_dbsm: settings.min_rcs_dbsm }
    }

    /// What the driver does not tell is NaN, and passes.
    fn pass(self, found: &RadarReturn) -> bool {
        !(found.snr_db < self.min_snr_db || found.rcs_dbsm < self.min_rcs_dbsm)
    }
}

/// Reads radar clouds by their presets; reuses its memory from frame to frame.
pub struct RadarReader {
    settings: [RadarSettings; MAX_RADARS],
    signs: [DopplerSigns; MAX_RADARS],
    returns: Vec<RadarReturn>,
    placed: Vec<PlacedReturn>,
    persistence: Persistence,
    accounting: Arc<Mutex<Accounting>>,
}

impl RadarReader {
    /// Presets and signs from checked parameters.
    pub fn new(parameters: &ParameterSet, accounting: Arc<Mutex<Accounting>>) -> Self {
        Self {
            settings: radar_settings(parameters),
            signs: Default::default(),
            returns: Vec::new(),
            placed: Vec::new(),
            persistence: Persistence::default(),
            accounting,
        }
    }

    /// Takes changed presets and signs over.
    pub fn update(&mut self, parameters: &ParameterSet) {
        self.settings = radar_settings(parameters);
    }

    /// The returns of the last frame, in the optical frame; their order is free.
    pub fn placed(&mut self) -> &mut [PlacedReturn] {
        &mut self.placed
    }

    /// How many returns of the last frame the scans before had as well.
    pub fn persistence(&self) -> Option<f32> {
        self.persistence.share()
    }

    /// Reads all radars of `frame`. One that cannot be read is left out and counted; a required one fails
    /// the frame.
    pub fn collect(&mut self, frame: &DepthFrame) -> Result<(), FrameError> {
        self.placed.clear();
        self.persistence.clear();
        for (radar, message) in frame.radars.iter().enumerate() {
            let Some(message) = message else { continue };
            let read = self.read(radar, message);
            self.persistence.end_radar();
            if let Err(error) = read {
                let RadarSettings { topic, required, .. } = &self.settings[radar];
                let mut account = self.accounting.lock().unwrap_or_else(PoisonError::into_inner);
                if account.problem(topic, error.clone(), true) {
                    tracing::warn!("{topic}: {error}");
                }
                if *required {
                    return Err(FrameError::undecodable(format_args!("{topic}: {error}")));
                }
                account.degrade(&format!("{}: undecodable", self.settings[radar].name));
            }
        }
        Ok(())
    }

    fn read(&mut self, radar: usize, message: &RadarMessage) -> Result<(), String> {
        if self.settings[radar].is_lidar {
            return self.read_lidar(message);
        }
        let preset = self.decode(radar, &message.payload)?;
        if let Some(velocity_mps) = message.velocity_mps {
            self.check_sign(radar, velocity_mps);
        }
        let gates = Gates::of(&self.settings[radar]);
        self.place(preset, &message.t_camera_radar, |found| gates.pass(found));
        let velocity_mps = message.velocity_mps.unwrap_or([f32::NAN; 3]);
        for found in &self.returns {
            // A comparison with NaN is false: without odometry all seem still.
            if gates.pass(found) && !found.is_moving(velocity_mps) {
                self.persistence.add_now(found.position);
            }
        }
        for scan in &message.earlier {
            let preset = self.decode(radar, &scan.payload)?;
            // What moves is no longer where it was.
            self.returns.retain(|found| gates.pass(found) && !found.is_moving(scan.velocity_mps));
            self.place(preset, &scan.t_camera_radar, |_| true);
            let way = (message.t_camera_radar.inverse() * scan.t_camera_radar).cast::<f32>();
            for found in &self.returns {
                self.persistence.add_before((way * nalgebra::Point3::from(found.position)).into());
            }
        }
        Ok(())
    }

    /// Points of a sweep as returns without deviation, spread evenly over the sweep's order. They are taken
    /// where they were at their own time: the prior's cells are coarser than the way since.
    fn read_lidar(&mut self, message: &RadarMessage) -> Result<(), String> {
        let RadarPayload::Cloud(cloud) = &message.payload else { return Ok(()) };
        let cloud = cloud.cloud().map_err(|error| error.to_string())?;
        let view = PointCloudView::new(&cloud).map_err(|error| error.to_string())?;
        let t_camera_lidar = message.t_camera_radar.cast::<f32>();
        let step = view.len().div_ceil(LIDAR_POINTS).max(1);
        self.placed.extend((0..view.len()).step_by(step).map(|point| {
            let p_camera = t_camera_lidar * nalgebra::Point3::from(view.xyz(point));
            PlacedReturn { position: [p_camera.x, p_camera.y, p_camera.z], direction_std: [0.0; 2] }
        }));
        Ok(())
    }

    fn decode(&mut self, radar: usize, payload: &RadarPayload) -> Result<RadarPreset, String> {
        let RadarSettings { preset, doppler_sign, .. } = self.settings[radar];
        match payload {
            RadarPayload::Cloud(cloud) => {
                let cloud = cloud.cloud().map_err(|error| error.to_string())?;
                let view = PointCloudView::new(&cloud).map_err(|error| error.to_string())?;
                decode_radar(&view, preset, doppler_sign, &mut self.returns)
                    .map_err(|error| error.to_string())
            }
            RadarPayload::Scan(bytes) => {
                let scan = from_cdr(bytes).map_err(|error| error.to_string())?;
                decode_radar_scan(&scan, doppler_sign, &mut self.returns);
                Ok(RadarPreset::Generic)
            }
        }
    }

    fn place(&mut self, preset: RadarPreset, t_camera_radar: &Pose, keeps: impl Fn(&RadarReturn) -> bool) {
        let t_camera_radar = t_camera_radar.cast::<f32>();
        let rotation = t_camera_radar.rotation.to_rotation_matrix();
        self.placed.extend(self.returns.iter().filter(|found| keeps(found)).map(|found| {
            let p_camera = t_camera_radar * nalgebra::Point3::from(found.position);
            let [azimuth, elevation] = preset.direction_std_rad(found);
            // Azimuth moves a return along the radar's y, elevation along its z; a radar may be mounted on its
            // side.
            let direction_std = std::array::from_fn(|axis| {
                (azimuth * rotation[(axis, 1)]).hypot(elevation * rotation[(axis, 2)])
            });
            PlacedReturn { position: [p_camera.x, p_camera.y, p_camera.z], direction_std }
        }));
    }

    /// Tells once when the returns show that the radar's Doppler has the other sign than its parameter says.
    fn check_sign(&mut self, radar: usize, velocity_mps: [f32; 3]) {
        let signs = &mut self.signs[radar];
        let known = signs.is_inverted();
        signs.add(&self.returns, velocity_mps);
        if known || !signs.is_inverted() {
            return;
        }
        let RadarSettings { topic, doppler_sign, .. } = &self.settings[radar];
        let expected = if *doppler_sign > 0.0 { "-" } else { "+" };
        let message = format!(
            "range rates have the opposite sign of what the robot's motion makes of a still world ({} of {} returns): \
             set radar_{radar}.doppler_sign to \"{expected}\"",
            signs.opposing,
            signs.opposing + signs.agreeing
        );
        let source = format!("{topic} doppler_sign");
        let mut account = self.accounting.lock().unwrap_or_else(PoisonError::into_inner);
        if account.problem(&source, message.clone(), false) {
            tracing::warn!("{source}: {message}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Gates, RadarReturn};

    #[test]
    fn gates_leave_out_what_is_known_to_be_weak() {
        let gates = Gates { min_snr_db: 10.0, min_rcs_dbsm: -5.0 };
        let found = |snr_db, rcs_dbsm| RadarReturn {
            position: [1.0; 3],
            range_rate_mps: 0.0,
            snr_db,
            rcs_dbsm,
            azimuth_std_rad: f32::NAN,
            elevation_std_rad: f32::NAN,
            range_std_m: f32::NAN,
        };
        for (snr_db, rcs_dbsm, passes) in [
            (10.0, -5.0, true),
            (9.9, 3.0, false),
            (20.0, -5.1, false),
            (f32::NAN, f32::NAN, true),
            (f32::NAN, -6.0, false),
        ] {
            assert_eq!(gates.pass(&found(snr_db, rcs_dbsm)), passes, "{snr_db} dB, {rcs_dbsm} dBsm");
        }
    }
}
