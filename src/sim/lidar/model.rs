//! What makes one LiDAR differ from another.

use glam::Vec3A;

/// The fields that a model's driver publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Velodyne,
    Ouster,
    Hesai,
}

/// A scanning LiDAR: which way its beams look and when they fire, and what they can measure.
#[derive(Clone, Debug, PartialEq)]
pub struct LidarModel {
    pub(super) name: &'static str,
    pub(super) layout: Layout,
    pub(super) rate_hz: f64,
    /// Firings of each beam in a sweep.
    pub(super) columns: u32,
    /// From one firing of a beam to its next, seconds.
    pub(super) column_s: f64,
    /// Where the first column looks, radians from x to the left.
    pub(super) start: f32,
    /// How far one column is from the one before, radians to the left; negative for a head that turns
    /// clockwise, seen from above.
    pub(super) step: f32,
    /// In the order they fire.
    pub(super) beams: Vec<Beam>,
    pub(super) optics: Optics,
}

/// One laser with its receiver.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Beam {
    /// Unit vector where the column looks along x, with what the head turns until the beam fires.
    pub direction: Vec3A,
    /// Since the column's start, seconds.
    pub delay_s: f32,
    pub ring: u16,
}

/// The strength of the laser and what the receiver makes of an echo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Optics {
    /// Nearer things give no echo, metres.
    pub min_m: f32,
    /// Farther ones are not listened to, metres.
    pub max_m: f32,
    /// At this distance nine of ten pulses find a matt surface that scatters 10 % and faces them.
    pub range_10_m: f32,
    /// Standard deviation of a strong echo's distance, metres.
    pub noise_m: f32,
    /// And of the weakest ones.
    pub weak_noise_m: f32,
    /// Distances are whole multiples of it, metres.
    pub resolution_m: f32,
    /// Full width of the beam, radians.
    pub divergence: f32,
    /// Length of the pulse as a difference in distance, metres.
    pub pulse_m: f32,
}

impl LidarModel {
    /// What scene files call it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Sweeps a second.
    pub fn rate_hz(&self) -> f64 {
        self.rate_hz
    }

    /// Lasers; rings are numbered from 0 below this.
    pub fn rings(&self) -> usize {
        self.beams.len()
    }

    /// Pulses in a sweep: as many points as there can be.
    pub fn pulses(&self) -> usize {
        self.columns as usize * self.beams.len()
    }

    /// When a beam fires, seconds since the sweep's start.
    pub(super) fn firing_s(&self, column: u32, beam: &Beam) -> f64 {
        f64::from(column) * self.column_s + f64::from(beam.delay_s)
    }
}
