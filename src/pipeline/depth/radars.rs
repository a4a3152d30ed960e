//! The radar returns of one frame, in the camera's optical frame.

use std::sync::{Arc, Mutex, PoisonError};

use super::MAX_RADARS;
use super::intake::{DepthFrame, RadarMessage};
use super::parameters::{RadarSettings, radar_settings};
use crate::pipeline::{Accounting, ParameterSet};
use crate::sensor::{PointCloudView, RadarReturn, decode_radar};

/// Reads radar clouds by their presets; reuses its memory from frame to frame.
pub(super) struct RadarReader {
    settings: [RadarSettings; MAX_RADARS],
    returns: Vec<RadarReturn>,
    returns_camera: Vec<[f32; 3]>,
    accounting: Arc<Mutex<Accounting>>,
}

impl RadarReader {
    /// Presets and signs from checked parameters.
    pub fn new(parameters: &ParameterSet, accounting: Arc<Mutex<Accounting>>) -> Self {
        Self {
            settings: radar_settings(parameters),
            returns: Vec::new(),
            returns_camera: Vec::new(),
            accounting,
        }
    }

    /// Takes changed presets and signs over.
    pub fn update(&mut self, parameters: &ParameterSet) {
        self.settings = radar_settings(parameters);
    }

    /// The returns of the last frame, metres in the optical frame.
    pub fn returns_camera(&mut self) -> &mut [[f32; 3]] {
        &mut self.returns_camera
    }

    /// Reads all radars of `frame`. One that cannot be read is left out and counted.
    pub fn collect(&mut self, frame: &DepthFrame) {
        self.returns_camera.clear();
        for (radar, message) in frame.radars.iter().enumerate() {
            let Some(message) = message else { continue };
            if let Err(error) = self.read(self.settings[radar], message) {
                let topic = format!("radar_{radar}/points");
                let mut account = self.accounting.lock().unwrap_or_else(PoisonError::into_inner);
                account.degrade(&format!("radar_{radar}: undecodable"));
                if account.problem(&topic, error.clone(), true) {
                    tracing::warn!("{topic}: {error}");
                }
            }
        }
    }

    fn read(&mut self, settings: RadarSettings, message: &RadarMessage) -> Result<(), String> {
        let cloud = message.cloud.cloud().map_err(|error| error.to_string())?;
        let view = PointCloudView::new(&cloud).map_err(|error| error.to_string())?;
        decode_radar(&view, settings.preset, settings.doppler_sign, &mut self.returns)
            .map_err(|error| error.to_string())?;
        let t_camera_radar = message.t_camera_radar.cast::<f32>();
        self.returns_camera.extend(self.returns.iter().map(|radar_return| {
            let p_camera = t_camera_radar * nalgebra::Point3::from(radar_return.position);
            [p_camera.x, p_camera.y, p_camera.z]
        }));
        Ok(())
    }
}
