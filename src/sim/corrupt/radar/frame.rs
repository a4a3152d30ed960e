//! One radar cycle as the radar corruptions see it: returns in polar coordinates, whatever message they came
//! in.

use super::super::draw::Draws;
use super::super::lidar::norm;
use crate::message::{RadarReturn, RadarScan};

/// A return. What the message does not tell is NaN.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The return of the message that this one is, or is a copy of
    pub source: usize,
    /// Metres
    pub range: f32,
    /// Radians, anticlockwise from x
    pub azimuth: f32,
    /// Radians, up is positive
    pub elevation: f32,
    /// m/s, with the sign of the message
    pub range_rate: f32,
    /// Signal to noise as it was, dB
    pub snr_db: f32,
    /// How much stronger the return is than it was, dB
    pub gain_db: f32,
    /// How much more noise there is than there was, dB
    pub noise_db: f32,
}

/// Equal in every bit: what is not told is not told.
impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        let values = |row: &Self| {
            [row.range, row.azimuth, row.elevation, row.range_rate, row.snr_db, row.gain_db, row.noise_db]
                .map(f32::to_bits)
        };
        self.source == other.source && values(self) == values(other)
    }
}

impl Row {
    /// A return at a position in the sensor frame, metres.
    pub fn at(source: usize, [x, y, z]: [f32; 3]) -> Self {
        Self {
            source,
            range: norm([x, y, z]),
            azimuth: y.atan2(x),
            elevation: z.atan2(x.hypot(y)),
            range_rate: f32::NAN,
            snr_db: f32::NAN,
            gain_db: 0.0,
            noise_db: 0.0,
        }
    }

    /// Metres, sensor frame.
    pub fn position(&self) -> [f32; 3] {
        let planar = self.range * self.elevation.cos();
        [planar * self.azimuth.cos(), planar * self.azimuth.sin(), self.range * self.elevation.sin()]
    }
}

/// The returns of a cycle.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// In the order of the message; new ones behind
    pub rows: Vec<Row>,
    /// Cycles of the recording
    pub cycles: u64,
}

/// A way in which a radar's cycles go wrong.
pub trait RadarModel {
    /// Says what becomes of `frame`.
    fn apply(&mut self, frame: &mut Frame, draws: Draws);
}

/// The returns of a scan.
pub fn load_scan(scan: &RadarScan<'_>, rows: &mut Vec<Row>) {
    rows.clear();
    rows.extend(scan.returns.iter().enumerate().map(|(source, item)| Row {
        range: item.range,
        azimuth: item.azimuth,
        elevation: item.elevation,
        range_rate: item.doppler_velocity,
        ..Row::at(source, [0.0; 3])
    }));
}

/// Puts the returns into the scan they came from. Its amplitude has no common reference, but it is in dB.
pub fn store_scan(rows: &[Row], scan: &mut RadarScan<'_>) {
    let before = std::mem::take(&mut scan.returns);
    scan.returns.extend(rows.iter().filter_map(|row| {
        let amplitude = before.get(row.source)?.amplitude;
        Some(RadarReturn {
            range: row.range,
            azimuth: row.azimuth,
            elevation: row.elevation,
            doppler_velocity: row.range_rate,
            amplitude: if row.gain_db == 0.0 { amplitude } else { amplitude + row.gain_db },
        })
    }));
}
