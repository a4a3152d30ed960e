//! What a radar can tell apart, how far it sees and how it chirps.

use std::f32::consts::PI;

/// How a driver lays out its clouds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Positions, Doppler and signal to noise, as TI's drivers publish.
    TiMmwave,
    /// Spherical coordinates with standard deviations and cross-section, as those of the ARS548.
    Ars548,
}

/// Training cells of the threshold: how many next to a cell are left out, and how many follow, at either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cfar {
    pub range: [u32; 2],
    pub doppler: [u32; 2],
}

/// A radar. Angles are radians, azimuth to the left and elevation up from the x axis.
#[derive(Clone, Debug, PartialEq)]
pub struct RadarModel {
    pub(super) name: &'static str,
    pub(super) layout: Layout,
    pub(super) rate_hz: f64,
    pub(super) frame_s: f64,
    pub(super) nearest_m: f32,
    pub(super) farthest_m: f32,
    /// Half of the field of view.
    pub(super) half_azimuth: f32,
    pub(super) half_elevation: f32,
    /// Width of the antennas' beam between the points of half power, one way.
    pub(super) beam_azimuth: f32,
    pub(super) beam_elevation: f32,
    /// What it can tell apart.
    pub(super) range_resolution_m: f32,
    pub(super) azimuth_resolution: f32,
    pub(super) elevation_resolution: f32,
    pub(super) doppler_resolution_mps: f32,
    /// Range rates from minus to plus this are told apart; what is beyond comes back at the other end.
    pub(super) doppler_limit_mps: f32,
    /// Whether it does come back; else the sensor resolves the ambiguity.
    pub(super) is_ambiguous: bool,
    /// Standard deviations at a signal to noise of ½: range m, azimuth, elevation, range rate m/s.
    pub(super) noise: [f32; 4],
    /// The least and the greatest standard deviations that the sensor states, in the same order.
    pub(super) stated: [[f32; 2]; 4],
    /// Signal to noise of 1 m² at 1 m in the middle of the beam, but for the receiver's filter.
    pub(super) loop_gain: f32,
    /// Nearer than this the receiver's high-pass filter takes away what echoes gain by being near, metres.
    pub(super) filter_m: f32,
    /// Probability that noise alone is taken for a return, for one cell.
    pub(super) false_alarms: f32,
    /// What the threshold compares with.
    pub(super) cfar: Cfar,
    /// The most directions that are told apart at one range and Doppler.
    pub(super) most_directions: usize,
    /// A direction is not found beside one this many times stronger at the same range and Doppler.
    pub(super) angular_contrast: f32,
    /// The noise floor as the sensor counts it, dB.
    pub(super) noise_db: f32,
    /// The most returns in a message.
    pub(super) most_returns: usize,
    /// Rays: rows of elevation, and in each row.
    pub(super) rays: [u32; 2],
    /// Share of the rays spread evenly over elevation; the others crowd about the horizon.
    pub(super) even_share: f32,
}

const fn degrees(angle: f32) -> f32 {
    angle * PI / 180.0
}

/// The chirps of a usual configuration: 714 MHz give 0.21 m, 64 loops of 3 transmitters at 64 µs take
/// 12.3 ms; Doppler λ/(2·12.3 ms) = 0.159 m/s, unambiguous to λ/(4·192 µs) = 5.08 m/s.
///
/// The threshold's windows and the second direction are those of TI's demonstration (`cfarCfg -1 0 2 8 4 3 0`,
/// `cfarCfg -1 1 0 4 2 3 1`, `multiObjBeamForming -1 1 0.5`). Its 15 dB are for the mean over the antennas; ours,
/// for the beam, are fitted to the 19 to 87 returns that a device gave indoors.
///
/// The loop gain is the radar equation Pt G² λ² T / ((4π)³ k T₀ F L) with 12 dBm, 5 dBi antennas and a noise
/// figure of 15 dB (AWR1843AOP data sheet, SWRS247), 12.3 ms of chirping and 5 dB of losses.
pub(super) static AWR1843: RadarModel = RadarModel {
    name: "awr1843",
    layout: Layout::TiMmwave,
    rate_hz: 10.0,
    frame_s: 0.0123,
    nearest_m: 0.2,
    farthest_m: 11.0,
    half_azimuth: degrees(90.0),
    half_elevation: degrees(60.0),
    beam_azimuth: degrees(130.0),
    beam_elevation: degrees(130.0),
    range_resolution_m: 0.21,
    azimuth_resolution: degrees(30.0),
    elevation_resolution: degrees(38.0),
    doppler_resolution_mps: 0.159,
    doppler_limit_mps: 5.08,
    is_ambiguous: true,
    noise: [0.21, degrees(30.0), degrees(38.0), 0.159],
    stated: [[0.0, f32::INFINITY]; 4],
    loop_gain: 3.7e7,
    filter_m: 0.0,
    false_alarms: 1e-5,
    cfar: Cfar { range: [4, 8], doppler: [2, 4] },
    most_directions: 2,
    angular_contrast: 2.0,
    noise_db: 45.0,
    most_returns: 200,
    rays: [48, 88],
    even_share: 1.0,
};

/// Range, angles and speeds as the data sheet has them (ARS 548 RDI: 300 m, ±60°, ±14° near and ±4° far,
/// 0.22 m, 1.2°, 2.3°); its 20 ms of chirping make 0.1 m/s. What the sensor states as its standard
/// deviations is what recordings of it hold. The elevation's noise, the loop gain and the filter's corner are
/// fitted to one: there −20 dBsm are the least up to 30 m, −11 at 60 m, 4 at 220 m. How it finds peaks is not
/// public: windows as TI's, directions down to −20 dB.
static ARS548: RadarModel = RadarModel {
    name: "ars548",
    layout: Layout::Ars548,
    rate_hz: 20.0,
    frame_s: 0.02,
    nearest_m: 0.2,
    farthest_m: 300.0,
    half_azimuth: degrees(60.0),
    half_elevation: degrees(14.0),
    beam_azimuth: degrees(120.0),
    beam_elevation: degrees(16.0),
    range_resolution_m: 0.22,
    azimuth_resolution: degrees(1.2),
    elevation_resolution: degrees(2.3),
    doppler_resolution_mps: 0.0975,
    doppler_limit_mps: 100.0,
    is_ambiguous: false,
    noise: [0.22, degrees(1.2), degrees(24.0), 0.0975],
    stated: [[0.2, 0.2], [0.008_726_6, 0.008_726_6], [0.008_726_6, 0.073_146_4], [0.25, 0.25]],
    loop_gain: 1.6e10,
    filter_m: 60.0,
    false_alarms: 1e-9,
    cfar: Cfar { range: [4, 8], doppler: [2, 4] },
    most_directions: 4,
    angular_contrast: 100.0,
    noise_db: 0.0,
    most_returns: 800,
    rays: [40, 150],
    even_share: 0.4,
};

impl RadarModel {
    /// The names of all models.
    pub const NAMES: [&str; 2] = ["awr1843", "ars548"];

    /// A model by its name.
    pub fn named(name: &str) -> Option<&'static Self> {
        [&AWR1843, &ARS548].into_iter().find(|model| model.name == name)
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Frames a second.
    pub fn rate_hz(&self) -> f64 {
        self.rate_hz
    }

    /// How long the chirps of a frame last, seconds.
    pub fn frame_s(&self) -> f64 {
        self.frame_s
    }

    /// Whether a direction is in the field of view.
    pub(super) fn sees(&self, azimuth: f32, elevation: f32) -> bool {
        azimuth.abs() <= self.half_azimuth && elevation.abs() <= self.half_elevation
    }

    /// Gain of the antennas in a direction, one way; 1 in the middle of the beam.
    pub(super) fn gain(&self, azimuth: f32, elevation: f32) -> f32 {
        let off = (azimuth / self.beam_azimuth).powi(2) + (elevation / self.beam_elevation).powi(2);
        (-4.0 * std::f32::consts::LN_2 * off).exp()
    }

    /// Signal to noise of a cross-section at a range and direction: the radar equation. The beat frequency of
    /// an FMCW radar grows with range, so that a high-pass filter of second order (40 dB a decade) evens out
    /// R⁻⁴ below its corner.
    pub(super) fn signal_to_noise(&self, rcs_m2: f32, range_m: f32, azimuth: f32, elevation: f32) -> f32 {
        let gain = self.gain(azimuth, elevation);
        self.loop_gain * rcs_m2 * gain * gain * self.filtered(range_m) / range_m.powi(4)
    }

    /// The share of an echo's power that the receiver's filter passes.
    pub(super) fn filtered(&self, range_m: f32) -> f32 {
        let [fourth, corner] = [range_m, self.filter_m].map(|m| m.powi(4));
        fourth / (fourth + corner)
    }

    /// Signal to noise above which a cell is taken for a return: noise alone exceeds it with the probability
    /// of false alarms.
    pub(super) fn threshold(&self) -> f32 {
        -self.false_alarms.ln()
    }

    /// Cells of range, Doppler, azimuth and elevation.
    pub(super) fn cells(&self) -> f32 {
        (self.farthest_m - self.nearest_m) / self.range_resolution_m * 2.0 * self.doppler_limit_mps
            / self.doppler_resolution_mps
            * 2.0
            * self.half_azimuth
            / self.azimuth_resolution
            * 2.0
            * self.half_elevation
            / self.elevation_resolution
    }

    /// Solid angle of a ray's share of the field of view on average, steradians.
    pub(super) fn solid_angle(&self) -> f32 {
        let [rows, columns] = self.rays;
        4.0 * self.half_azimuth * self.half_elevation.sin() / (rows * columns) as f32
    }
}
