//! mmWave radars: from rays to the clouds of their drivers.
//!
//! In: a snapshot that spans the chirps of a frame, how the radar moves meanwhile. Out: returns in the
//! radar's frame (x forward, y left, z up), measured in the middle of the frame.
//!
//! `echo` follows rays and what they scatter back (`scatter`, `texture`), over mirrors too; `cells` gathers
//! echoes that the radar does not tell apart; `spectrum` lets them interfere and finds the peaks of range and
//! Doppler, `arrival` the directions at each; `detector` adds noise, applies the threshold and measures;
//! `encode` writes it as a driver would.

mod arrival;
mod cells;
mod depth_bag;
mod depth_bag_error;
mod detector;
mod echo;
mod encode;
mod from_depth;
mod model;
mod scatter;
mod spectrum;
mod texture;

pub use depth_bag::{DepthBagOptions, DepthBagSummary, add_radar};
pub use depth_bag_error::DepthBagError;
pub use encode::encode;
pub use from_depth::DepthRadar;
pub use model::RadarModel;

use glam::Vec3A;

use super::{SensorMotion, Snapshot};

/// One return, with what is true about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SimulatedReturn {
    /// Metres.
    pub range_m: f32,
    /// Radians to the left of the x axis.
    pub azimuth_rad: f32,
    /// Radians above the xy plane.
    pub elevation_rad: f32,
    /// Standard deviation of the range as the sensor states it, metres.
    pub range_std_m: f32,
    /// Of the azimuth, radians.
    pub azimuth_std_rad: f32,
    /// Of the elevation, radians.
    pub elevation_std_rad: f32,
    /// How fast the range grows, metres a second.
    pub range_rate_mps: f32,
    /// Standard deviation of the range rate as the sensor states it.
    pub range_rate_std_mps: f32,
    /// Signal to noise, dB.
    pub snr_db: f32,
    /// Noise floor as the sensor counts it, dB.
    pub noise_db: f32,
    /// Radar cross-section that the power speaks for, dBsm.
    pub rcs_dbsm: f32,
    /// Whether nothing is there: an image in a mirror, or a false alarm.
    pub is_ghost: bool,
    /// Number of the object it comes from, `None` for scenery and false alarms.
    pub object: Option<u32>,
}

impl SimulatedReturn {
    /// Metres, radar frame.
    pub fn position(&self) -> Vec3A {
        self.range_m * echo::direction(self.azimuth_rad, self.elevation_rad)
    }
}

/// A frame of a radar. The snapshot spans the chirps; `frame` numbers the frames of one seed. The same at any
/// number of threads.
pub fn scan(
    snapshot: &Snapshot<'_>,
    model: &RadarModel,
    motion: &SensorMotion,
    seed: u64,
    frame: u64,
) -> Vec<SimulatedReturn> {
    let echoes = echo::collect(snapshot, model, motion, seed, frame);
    detector::detect(&echoes, model, seed, frame)
}

#[cfg(test)]
mod tests;
