//! The radar returns of one frame, in the camera's optical frame.

use std::sync::{Arc, Mutex, PoisonError};

use super::MAX_RADARS;
use super::intake::DepthFrame;
use super::parameters::{RadarSettings, radar_settings};
use super::radar_input::{RadarMessage, RadarPayload};
use crate::depth::PlacedReturn;
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
        let RadarSettings { preset, doppler_sign, .. } = self.settings[radar];
        let preset = match &message.payload {
            RadarPayload::Cloud(cloud) => {
                let cloud = cloud.cloud().map_err(|error| error.to_string())?;
                let view = PointCloudView::new(&cloud).map_err(|error| error.to_string())?;
                decode_radar(&view, preset, doppler_sign, &mut self.returns)
                    .map_err(|error| error.to_string())?
            }
            RadarPayload::Scan(bytes) => {
                let scan = from_cdr(bytes).map_err(|error| error.to_string())?;
                decode_radar_scan(&scan, doppler_sign, &mut self.returns);
                RadarPreset::Generic
            }
        };
        if let Some(velocity_mps) = message.velocity_mps {
            self.check_sign(radar, velocity_mps);
        }
        let t_camera_radar = message.t_camera_radar.cast::<f32>();
        let rotation = t_camera_radar.rotation.to_rotation_matrix();
        self.placed.extend(self.returns.iter().map(|found| {
            let p_camera = t_camera_radar * nalgebra::Point3::from(found.position);
            let [azimuth, elevation] = preset.direction_std_rad(found);
            // Azimuth moves a return along the radar's y, elevation along its z; a radar may be mounted on its side.
            let direction_std = std::array::from_fn(|axis| {
                (azimuth * rotation[(axis, 1)]).hypot(elevation * rotation[(axis, 2)])
            });
            PlacedReturn { position: [p_camera.x, p_camera.y, p_camera.z], direction_std }
        }));
        Ok(())
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
