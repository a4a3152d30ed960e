//! Cells of range, Doppler, azimuth and elevation, half as wide as what the radar tells apart.

use super::echo::Echo;
use super::model::RadarModel;

/// Middle of the signed indices.
const ZERO: i64 = 1 << 15;

/// The indices of a cell, ordered so that the cells of a beam and Doppler follow each other in range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(pub u64);

impl Key {
    fn of(echo: &Echo, model: &RadarModel) -> Self {
        let index = |value: f32, resolution: f32| (2.0 * value / resolution).floor() as i64;
        Self::new([
            index(echo.range_rate_mps, model.doppler_resolution_mps),
            index(echo.azimuth, model.azimuth_resolution),
            index(echo.elevation, model.elevation_resolution),
            index(echo.range_m, model.range_resolution_m),
        ])
    }

    /// Doppler, azimuth, elevation, range; beyond 16 bits they are clamped.
    fn new(indices: [i64; 4]) -> Self {
        let bits = indices.map(|index| (index + ZERO).clamp(0, 0xFFFF) as u64);
        Self(bits.iter().fold(0, |key, bits| key << 16 | bits))
    }

    fn indices(self) -> [i64; 4] {
        [48, 32, 16, 0].map(|shift| (self.0 >> shift & 0xFFFF) as i64 - ZERO)
    }

    /// Range and Doppler.
    pub fn range_doppler(self) -> [i64; 2] {
        let [doppler, _, _, range] = self.indices();
        [range, doppler]
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
    fn new(key: Key, echo: &Echo) -> Self {
        let Echo { range_m, azimuth, elevation, range_rate_mps, power, is_ghost, object } = *echo;
        Self {
            key,
            power,
            moments: [range_m, azimuth, elevation, range_rate_mps].map(|value| power * value),
            ghosts: if is_ghost { power } else { 0.0 },
            strongest: (power, object),
        }
    }

    fn add(&mut self, other: &Self, weight: f32) {
        self.power += weight * other.power;
        self.moments.iter_mut().zip(other.moments).for_each(|(sum, moment)| *sum += weight * moment);
        self.ghosts += weight * other.ghosts;
        if weight * other.strongest.0 > self.strongest.0 {
            self.strongest = (weight * other.strongest.0, other.strongest.1);
        }
    }
}

/// All cells with echoes, by key.
pub(super) struct Cells(Vec<Cell>);

impl Cells {
    pub fn new(echoes: &[Echo], model: &RadarModel) -> Self {
        let mut cells: Vec<Cell> = echoes.iter().map(|echo| Cell::new(Key::of(echo, model), echo)).collect();
        // Stable, so that sums are added up in the order of the rays.
        cells.sort_by_key(|cell| cell.key);
        cells.dedup_by(|next, kept| {
            let same = next.key == kept.key;
            if same {
                kept.add(next, 1.0);
            }
            same
        });
        Self(cells)
    }

    /// All of them, by key.
    pub fn all(&self) -> &[Cell] {
        &self.0
    }

    /// Joins neighbours to the strongest, from the strongest down. Cells weaker than `least` begin no group.
    pub fn groups(&self, least: f32) -> Vec<Cell> {
        let strong = |&index: &usize| self.0[index].power >= least;
        let mut order: Vec<usize> = (0..self.0.len()).filter(strong).collect();
        order.sort_by(|&a, &b| {
            let (a, b) = (&self.0[a], &self.0[b]);
            b.power.total_cmp(&a.power).then(a.key.cmp(&b.key))
        });
        let mut taken = vec![false; self.0.len()];
        let mut groups = Vec::new();
        for index in order {
            if taken[index] {
                continue;
            }
            let mut group = self.0[index];
            let [doppler, azimuth, elevation, range] = group.key.indices();
            for row in 0..27 {
                let (d, a, e) = (row / 9 - 1, row / 3 % 3 - 1, row % 3 - 1);
                let row = [doppler + d, azimuth + a, elevation + e];
                for neighbour in self.between(row, range - 1, range + 1) {
                    let own = neighbour == index;
                    if own || taken[neighbour] {
                        continue;
                    }
                    taken[neighbour] = true;
                    let cell = &self.0[neighbour];
                    let r = cell.key.indices()[3] - range;
                    // Half a resolution off, the main lobe has lost half of its power.
                    let off = [d, a, e, r].iter().filter(|&&step| step != 0).count();
                    group.add(cell, 0.5_f32.powi(off as i32));
                }
            }
            taken[index] = true;
            groups.push(group);
        }
        groups
    }

    /// Noise and clutter about a cell, in units of noise: the smaller of the means over `cells` at either
    /// side in range, `guard` away (CASO-CFAR).
    pub fn surroundings(&self, key: Key, guard: i64, cells: i64) -> f32 {
        let [doppler, azimuth, elevation, range] = key.indices();
        let row = [doppler, azimuth, elevation];
        let mean =
            |from, to| self.between(row, from, to).map(|i| self.0[i].power).sum::<f32>() / cells as f32;
        let (near, far) = (2 * guard, 2 * (guard + cells));
        1.0 + mean(range - far, range - near - 1).min(mean(range + near + 1, range + far))
    }

    /// The cells of a row from one range to another, both included.
    fn between(&self, [d, a, e]: [i64; 3], from: i64, to: i64) -> std::ops::Range<usize> {
        let (first, last) = (Key::new([d, a, e, from]), Key::new([d, a, e, to]));
        let start = self.0.partition_point(|cell| cell.key < first);
        let rest = self.0.get(start..).unwrap_or_default();
        start..start + rest.iter().take_while(|cell| cell.key <= last).count()
    }
}
