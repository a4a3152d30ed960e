//! Cells of range, Doppler, azimuth and elevation, half as wide as what the radar tells apart.

use super::echo::Echo;
use super::model::RadarModel;

/// Middle of the signed indices.
const ZERO: i64 = 1 << 15;
/// Indices stay this far from the ends of 16 bits: cells beside any cell have indices too.
const MARGIN: i64 = 64;

/// The indices of a cell, ordered so that the cells of a Doppler follow each other in range, and those of a
/// range in azimuth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(pub u64);

impl Key {
    /// Where a range, azimuth, elevation and range rate fall.
    pub fn new([range_m, azimuth, elevation, rate_mps]: [f32; 4], model: &RadarModel) -> Self {
        let index = |value: f32, resolution: f32| (2.0 * value / resolution).floor() as i64;
        let indices = [
            index(rate_mps, model.doppler_resolution_mps),
            index(range_m, model.range_resolution_m),
            index(azimuth, model.azimuth_resolution),
            index(elevation, model.elevation_resolution),
        ];
        let bits = indices.map(|index| index.clamp(MARGIN - ZERO, ZERO - MARGIN) + ZERO);
        Self(bits.iter().fold(0, |key, &bits| key << 16 | bits as u64))
    }

    /// Doppler above range, 16 bits each.
    pub fn range_doppler(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Azimuth and elevation.
    pub fn angles(self) -> [i32; 2] {
        [16, 0].map(|shift| (self.0 >> shift & 0xFFFF) as i32)
    }
}

/// Echoes that are not told apart: sums over their power.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cell {
    pub key: Key,
    pub power: f32,
    /// Power times range, azimuth, elevation, range rate.
    pub moments: [f32; 4],
    /// Power of what is not there.
    pub ghosts: f32,
    /// Power and object of the strongest echo.
    pub strongest: (f32, Option<u32>),
}

impl Cell {
    /// Without echoes.
    pub fn empty(key: Key) -> Self {
        Self { key, power: 0.0, moments: [0.0; 4], ghosts: 0.0, strongest: (0.0, None) }
    }

    fn push(&mut self, echo: &Echo) {
        let Echo { power, is_ghost, object, .. } = *echo;
        self.power += power;
        self.moments.iter_mut().zip(echo.place()).for_each(|(sum, value)| *sum += power * value);
        self.ghosts += if is_ghost { power } else { 0.0 };
        if power > self.strongest.0 {
            self.strongest = (power, object);
        }
    }

    /// Adds another, weighted.
    pub fn add(&mut self, other: &Self, weight: f32) {
        self.power += weight * other.power;
        self.moments.iter_mut().zip(other.moments).for_each(|(sum, moment)| *sum += weight * moment);
        self.ghosts += weight * other.ghosts;
        if weight * other.strongest.0 > self.strongest.0 {
            self.strongest = (weight * other.strongest.0, other.strongest.1);
        }
    }
}

/// All cells with echoes, by key.
pub(super) fn gather(echoes: &[Echo], model: &RadarModel) -> Vec<Cell> {
    // With the number of the ray, so that sums are added up in its order.
    let mut order: Vec<(Key, u32)> =
        (0..).zip(echoes).map(|(i, echo)| (Key::new(echo.place(), model), i)).collect();
    order.sort_unstable();
    let mut cells: Vec<Cell> = Vec::with_capacity(order.len());
    for (key, index) in order {
        let Some(echo) = echoes.get(index as usize) else { continue };
        match cells.last_mut() {
            Some(cell) if cell.key == key => cell.push(echo),
            _ => {
                let mut cell = Cell::empty(key);
                cell.push(echo);
                cells.push(cell);
            }
        }
    }
    cells
}
