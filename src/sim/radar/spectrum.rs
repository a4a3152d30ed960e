//! The spectrum of range and Doppler: what the radar has before it looks where things are.
//!
//! Everything at one range and Doppler is one bin, from whatever direction it comes. Bins are half as wide
//! as the resolution; the window's main lobe spreads each over its neighbours.

use super::cells::{Cell, Key};
use super::model::{Cfar, RadarModel};
use crate::sim::Random;

/// The stream of fluctuations.
const SPECKLE: u64 = 0x5244_5204;
/// Bins below this signal to noise are as good as empty; the false alarms stand for them.
const LEAST_SIGNAL: f32 = 0.05;
/// Half a resolution off, the main lobe has lost half of its power.
const HALF_OFF: f32 = 0.5;
/// Rows of Doppler follow each other at this distance.
const ROW: u32 = 1 << 16;

/// A cell as it is in this frame: its scatterers' waves have met.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wave<'a> {
    pub cell: &'a Cell,
    /// Complex amplitude, in units of the noise's.
    pub field: [f32; 2],
    /// Which of the antennas' beams it comes in.
    beam: u32,
}

/// A range and Doppler.
#[derive(Clone, Copy, Debug)]
struct Bin {
    /// Doppler above range.
    key: u32,
    /// Its waves.
    first: u32,
    end: u32,
    /// Signal to noise of all beams together, with what comes from the neighbours.
    level: f32,
}

/// All bins with echoes, by Doppler, then range.
pub(super) struct Spectrum<'a> {
    waves: Vec<Wave<'a>>,
    bins: Vec<Bin>,
}

/// A bin that is higher than those about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peak {
    /// Signal to noise of all directions together.
    pub level: f32,
    /// Noise and clutter about it, in units of noise.
    pub floor: f32,
    key: u32,
}

impl<'a> Spectrum<'a> {
    /// Lets the echoes of each cell interfere: many scatterers, or one of many facets that turns a little,
    /// make a complex Gaussian sum (Swerling 1). The cells are in the order of their keys.
    pub fn new(cells: &'a [Cell], model: &RadarModel, seed: u64, frame: u64) -> Self {
        let mut random = Random::new(seed, &[SPECKLE, frame]);
        let mut bins: Vec<Bin> = Vec::new();
        let mut waves = Vec::with_capacity(cells.len());
        let beams = Beams::new(model);
        for (index, cell) in (0..).zip(cells) {
            let amplitude = (0.5 * cell.power).sqrt();
            let field = [amplitude * random.normal(), amplitude * random.normal()];
            waves.push(Wave { cell, field, beam: beams.of(cell) });
            let key = cell.key.range_doppler();
            match bins.last_mut() {
                Some(bin) if bin.key == key => bin.end = index + 1,
                _ => bins.push(Bin { key, first: index, end: index + 1, level: 0.0 }),
            }
        }
        let mut spectrum = Self { waves, bins };
        spectrum.add_up(beams.count);
        spectrum
    }

    /// Adds up what reaches each bin from itself and those beside it: waves in one beam meet, beams add their
    /// powers.
    fn add_up(&mut self, beams: usize) {
        let mut levels = Vec::with_capacity(self.bins.len());
        let mut sums = vec![[0.0; 2]; beams];
        let mut used: Vec<u32> = Vec::new();
        let mut starts = [0; 3];
        for bin in &self.bins {
            for (start, row) in starts.iter_mut().zip(0..) {
                let middle = bin.key + row * ROW - ROW;
                let share = |other: &Bin| lobe(bin.key, other.key).sqrt();
                for other in self.run(start, middle - 1, middle + 1) {
                    let share = share(other);
                    for wave in self.waves_of(other) {
                        let Some(sum) = sums.get_mut(wave.beam as usize) else { continue };
                        if *sum == [0.0; 2] {
                            used.push(wave.beam);
                        }
                        sum.iter_mut().zip(wave.field).for_each(|(sum, field)| *sum += share * field);
                    }
                }
            }
            // One that is named twice, as its sum was 0 in between, is empty the second time.
            let taken = used.drain(..).filter_map(|beam| sums.get_mut(beam as usize).map(std::mem::take));
            levels.push(taken.map(square).sum());
        }
        self.bins.iter_mut().zip(levels).for_each(|(bin, level)| bin.level = level);
    }

    /// Bins that stand out from their neighbours, by Doppler, then range.
    pub fn peaks(&self, model: &RadarModel) -> Vec<Peak> {
        let mut starts = [0; 3];
        let mut peaks = Vec::new();
        for bin in &self.bins {
            let mut is_highest = bin.level >= LEAST_SIGNAL;
            for (start, row) in starts.iter_mut().zip(0..) {
                let middle = bin.key + row * ROW - ROW;
                // Of two that are equal, the first.
                let is_lower = |other: &Bin| {
                    other.level < bin.level || (other.level == bin.level && other.key >= bin.key)
                };
                is_highest &= self.run(start, middle - 1, middle + 1).iter().all(is_lower);
            }
            if is_highest {
                peaks.push(Peak { level: bin.level, floor: self.floor(bin.key, &model.cfar), key: bin.key });
            }
        }
        peaks
    }

    /// The waves that reach a peak, with the share of their amplitude.
    pub fn waves_at(&self, peak: &Peak) -> impl Iterator<Item = (f32, Wave<'a>)> {
        (0..3).flat_map(move |row| {
            let middle = peak.key + row * ROW - ROW;
            self.between(middle - 1, middle + 1).iter().flat_map(move |bin| {
                let share = lobe(peak.key, bin.key).sqrt();
                self.waves_of(bin).iter().map(move |wave| (share, *wave))
            })
        })
    }

    /// Noise and clutter about a bin: the geometric mean over the training bins, of the calmer side in range,
    /// of both sides in Doppler, whichever is more.
    fn floor(&self, key: u32, cfar: &Cfar) -> f32 {
        let of = |bins: &[Bin]| bins.iter().map(|bin| (1.0 + bin.level).ln()).sum::<f32>();
        let [guard, training] = cfar.range.map(|cells| 2 * cells);
        let side = |from: u32| of(self.between(from, from + training - 1)) / training as f32;
        let range = side(key - guard - training).min(side(key + guard + 1));
        let [guard, training] = cfar.doppler.map(|cells| 2 * cells);
        let rows = (guard + 1..=guard + training).flat_map(|row| [key - row * ROW, key + row * ROW]);
        let doppler = rows.map(|key| of(self.between(key, key))).sum::<f32>() / (2 * training) as f32;
        range.max(doppler).exp()
    }

    fn waves_of(&self, bin: &Bin) -> &[Wave<'a>] {
        self.waves.get(bin.first as usize..bin.end as usize).unwrap_or_default()
    }

    /// Bins from one key to another, both included.
    fn between(&self, from: u32, to: u32) -> &[Bin] {
        let mut start = self.bins.partition_point(|bin| bin.key < from);
        self.run(&mut start, from, to)
    }

    /// The same, where `start` is not beyond the first of them; it moves there.
    fn run(&self, start: &mut usize, from: u32, to: u32) -> &[Bin] {
        let rest = self.bins.get(*start..).unwrap_or_default();
        let before = rest.iter().take_while(|bin| bin.key < from).count();
        *start += before;
        let rest = rest.get(before..).unwrap_or_default();
        let count = rest.iter().take_while(|bin| bin.key <= to).count();
        rest.get(..count).unwrap_or_default()
    }
}

/// The beams that the antennas tell apart, numbered over the field of view.
struct Beams {
    lowest: [i32; 2],
    counts: [i32; 2],
    count: usize,
}

impl Beams {
    fn new(model: &RadarModel) -> Self {
        let [lowest, highest] = [-1.0, 1.0].map(|side| {
            let (azimuth, elevation) = (side * model.half_azimuth, side * model.half_elevation);
            Key::new([0.0, azimuth, elevation, 0.0], model).angles().map(|half| half / 2)
        });
        let counts = [highest[0] - lowest[0] + 1, highest[1] - lowest[1] + 1];
        Self { lowest, counts, count: (counts[0] * counts[1]) as usize }
    }

    /// Directions outside are counted to the edge.
    fn of(&self, cell: &Cell) -> u32 {
        let [azimuth, elevation] = cell.key.angles().map(|half| half / 2);
        let azimuth = (azimuth - self.lowest[0]).clamp(0, self.counts[0] - 1);
        let elevation = (elevation - self.lowest[1]).clamp(0, self.counts[1] - 1);
        (azimuth * self.counts[1] + elevation) as u32
    }
}

/// The share of a bin's power that the main lobe brings to a bin beside it.
fn lobe(at: u32, from: u32) -> f32 {
    let off = |shift: u32| u32::from(at >> shift & 0xFFFF != from >> shift & 0xFFFF);
    HALF_OFF.powi((off(0) + off(16)) as i32)
}

/// Power of a complex amplitude.
pub(super) fn square([re, im]: [f32; 2]) -> f32 {
    re * re + im * im
}
