//! Lasers that fail, and pulses of others.

use super::super::cloud_edit::Changes;
use super::super::draw::Draws;
use super::super::ranking::{Ranking, items};
use super::{LidarModel, Sweep};

/// Share of the lasers that stay dark. Robo3D drops 16, 32 and 48 of 64 (1, 3 and 5).
pub const MISSING: [f64; 5] = [0.25, 0.375, 0.5, 0.625, 0.75];
/// Share of the returns that are another LiDAR's. 1, 3 and 5 are Robo3D's levels.
pub const CROSSTALK: [f64; 5] = [0.006, 0.007, 0.008, 0.009, 0.01];

/// The nearest range that a pulse of another LiDAR can give, metres.
const MIN_RANGE_M: f32 = 1.0;

/// The same lasers are dark in every sweep.
pub struct MissingBeams {
    share: f64,
    lines: Vec<i64>,
    dark: Vec<u32>,
    ranking: Ranking,
}

impl MissingBeams {
    /// A share of the lasers is dark.
    pub fn new(share: f64) -> Self {
        Self { share, lines: Vec::new(), dark: Vec::new(), ranking: Ranking::default() }
    }
}

impl LidarModel for MissingBeams {
    fn apply(&mut self, sweep: &Sweep<'_, '_>, draws: Draws, changes: &mut Changes<'_>) {
        let Self { share, lines, dark, ranking } = self;
        lines.clear();
        for line in sweep.returns().map(|i| sweep.line(i)) {
            if let Err(place) = lines.binary_search(&line) {
                lines.insert(place, line);
            }
        }
        // Ranked by their own numbers, so that one that sees nothing in a sweep changes little.
        let numbers = lines.iter().map(|line| *line as usize);
        dark.clear();
        dark.extend(ranking.share(numbers, *share, draws.lasting()).iter().map(|(_, line)| *line));
        dark.sort_unstable();
        for i in sweep.returns() {
            if dark.binary_search(&(sweep.line(i) as u32)).is_ok() {
                changes.remove(i);
            }
        }
    }
}

/// Pulses of another LiDAR arrive at any time, so at any range up to the farthest of the sweep. Robo3D adds
/// noise to the coordinates instead, which leaves the ray.
pub struct Crosstalk {
    share: f64,
    ranking: Ranking,
}

impl Crosstalk {
    /// A share of the returns is another LiDAR's.
    pub fn new(share: f64) -> Self {
        Self { share, ranking: Ranking::default() }
    }
}

impl LidarModel for Crosstalk {
    fn apply(&mut self, sweep: &Sweep<'_, '_>, draws: Draws, changes: &mut Changes<'_>) {
        let farthest = sweep.returns().map(|i| sweep.range(i)).fold(MIN_RANGE_M, f32::max);
        for i in items(self.ranking.share(sweep.returns(), self.share, draws)) {
            let mut random = draws.at(i);
            // The first number of the stream is the point's rank.
            random.bits();
            sweep.set_range(changes, i, random.between(MIN_RANGE_M, farthest));
            sweep.set_reflectivity(changes, i, random.log_between(0.02, 1.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Point, applied, wall};
    use super::*;

    #[test]
    fn whole_lines_are_dark_and_the_same_in_every_sweep() {
        let before = wall(1600, 10.0, 0.5);
        let mut kept = Vec::new();
        for message in 0..3 {
            let after = applied(&mut MissingBeams::new(0.25), &before, message);
            assert_eq!(after.len(), 1200, "4 of 16 lines of 100 points");
            kept.push(after);
        }
        assert!(kept.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn crosstalk_stays_on_the_ray_at_any_range() {
        let before = wall(20_000, 50.0, 0.5);
        let after = applied(&mut Crosstalk::new(0.05), &before, 0);
        let changed: Vec<_> = before.iter().zip(&after).filter(|(a, b)| a != b).collect();
        assert_eq!(changed.len(), 1000);
        let farthest = before.iter().map(Point::range).fold(0.0, f32::max);
        let mean = changed.iter().map(|(_, b)| b.range()).sum::<f32>() / 1000.0;
        // Uniform: the standard error of its mean.
        let error = 4.0 * (farthest - MIN_RANGE_M) / 12_f32.sqrt() / 1000_f32.sqrt();
        assert!((mean - f32::midpoint(MIN_RANGE_M, farthest)).abs() < error, "{mean}");
        for (a, b) in changed {
            let dot: f32 = a.position.iter().zip(b.position).map(|(p, q)| p * q).sum();
            assert!(dot / (a.range() * b.range()) > 0.9999);
        }
    }
}
