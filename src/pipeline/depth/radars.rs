//! The radar returns of one frame, in the camera's optical frame.

use std::sync::{Arc, Mutex, PoisonError};

use super::MAX_RADARS;
use super::intake::DepthFrame;
use super::parameters::{RadarSettings, radar_settings};
use super::radar_input::{RadarMessage, RadarPayload};
use crate::depth::PlacedReturn;
use crate::geometry::Pose;
use crate::message::from_cdr;
use crate::pipeline::{Accounting, FrameError, ParameterSet};
use crate::sensor::{
    DopplerSigns, PointCloudView, RadarPreset, RadarReturn, decode_radar, decode_radar_scan,
};

/// Reads radar clouds by their presets; reuses its memory from frame to frame.
pub struct RadarReader {
    settings: [RadarSettings; MAX_RADARS],
    signs: [DopplerSigns; MAX_RADARS],
    returns: Vec<RadarReturn>,
    placed: Vec<PlacedReturn>,
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

    /// Reads all radars of `frame`. One that cannot be read is left out and counted; a required one fails
    /// the frame.
    pub fn collect(&mut self, frame: &DepthFrame) -> Result<(), FrameError> {
        self.placed.clear();
        for (radar, message) in frame.radars.iter().enumerate() {
            let Some(message) = message else { continue };
            if let Err(error) = self.read(radar, message) {
                let RadarSettings { topic, required, .. } = &self.settings[radar];
                let mut account = self.accounting.lock().unwrap_or_else(PoisonError::into_inner);
                if account.problem(topic, error.clone(), true) {
                    tracing::warn!("{topic}: {error}");
                }
                if *required {
                    return Err(FrameError::undecodable(format_args!("{topic}: {error}")));
                }
                account.degrade(&format!("radar_{radar}: undecodable"));
            }
        }
        Ok(())
    }

    fn read(&mut self, radar: usize, message: &RadarMessage) -> Result<(), String> {
        let preset = self.decode(radar, &message.payload)?;
        if let Some(velocity_mps) = message.velocity_mps {
            self.check_sign(radar, velocity_mps);
        }
        self.place(preset, &message.t_camera_radar, |_| true);
        for scan in &message.earlier {
            let preset = self.decode(radar, &scan.payload)?;
            // What moves is no longer where it was.
            self.place(preset, &scan.t_camera_radar, |found| !found.is_moving(scan.velocity_mps));
        }
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
