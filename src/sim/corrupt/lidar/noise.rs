//! Positions that are not quite right.

use std::f32::consts::TAU;

use super::super::cloud_edit::Changes;
use super::super::draw::Draws;
use super::{LidarModel, Sweep};

/// Standard deviation of each coordinate, metres: the Gaussian noise of Dong et al., "Benchmarking Robustness
/// of 3D Object Detection to Common Corruptions in Autonomous Driving", CVPR 2023.
pub const JITTER_M: [f32; 5] = [0.02, 0.04, 0.06, 0.08, 0.10];
/// Standard deviation of the shaking along each axis, metres. 1, 3 and 5 are Robo3D's levels.
pub const SHAKE_M: [f32; 5] = [0.04, 0.06, 0.08, 0.09, 0.10];

/// Oscillations of which a shake is made.
const WAVES: usize = 4;
/// Of each: from one to five periods in a sweep, 10 to 50 Hz at ten sweeps a second.
const PERIODS: [f32; 2] = [1.0, 5.0];
/// Place of a sweep's own random numbers, which no point has.
const SWEEP: usize = usize::MAX;

/// Every point is off by itself.
pub struct Jitter(pub f32);

impl LidarModel for Jitter {
    fn apply(&mut self, sweep: &Sweep<'_, '_>, draws: Draws, changes: &mut Changes<'_>) {
        for i in sweep.returns() {
            let mut random = draws.at(i);
            changes.move_to(i, sweep.position(i).map(|v| v + self.0 * random.normal()));
        }
    }
}

/// The sensor shakes while it turns: points that are measured one after the other are off together. Robo3D's
/// motion blur has the same standard deviation, independent for each point.
pub struct MotionBlur(pub f32);

impl LidarModel for MotionBlur {
    fn apply(&mut self, sweep: &Sweep<'_, '_>, draws: Draws, changes: &mut Changes<'_>) {
        let mut random = draws.at(SWEEP);
        let mut wave = || [random.between(PERIODS[0], PERIODS[1]), random.unit()];
        let axes: [[[f32; 2]; WAVES]; 3] = std::array::from_fn(|_| std::array::from_fn(|_| wave()));
        // A sine has half its amplitude's square as its variance.
        let amplitude = self.0 * (2.0 / WAVES as f32).sqrt();
        for i in sweep.returns() {
            let phase = sweep.phase(i);
            let mut position = sweep.position(i);
            for (value, waves) in position.iter_mut().zip(&axes) {
                let sum: f32 =
                    waves.iter().map(|[periods, start]| (TAU * (periods * phase + start)).sin()).sum();
                *value += amplitude * sum;
            }
            changes.move_to(i, position);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{applied, ring, wall};
    use super::*;

    /// Mean and standard deviation of all coordinates' offsets.
    fn offsets(model: &mut dyn LidarModel, sweeps: u64) -> (f64, f64, usize) {
        let before = ring(2000, 10.0, 0.5);
        let values: Vec<f64> = (0..sweeps)
            .flat_map(|message| {
                let after = applied(model, &before, message);
                before
                    .iter()
                    .zip(&after)
                    .flat_map(|(a, b)| (0..3).map(|k| f64::from(b.position[k] - a.position[k])))
                    .collect::<Vec<_>>()
            })
            .collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64;
        (mean, variance.sqrt(), values.len())
    }

    #[test]
    fn jitter_is_normal_and_not_cut() {
        let (mean, deviation, count) = offsets(&mut Jitter(0.06), 10);
        let error = 0.06 / (count as f64).sqrt();
        assert!(mean.abs() < 4.0 * error && (deviation - 0.06).abs() < 4.0 * error, "{mean} {deviation}");
        let before = ring(30_000, 10.0, 0.5);
        let after = applied(&mut Jitter(0.06), &before, 0);
        let beyond =
            before.iter().zip(&after).filter(|(a, b)| (b.position[2] - a.position[2]).abs() > 0.18).count();
        // 0.27 % beyond three standard deviations.
        assert!((beyond as f64 - 81.0).abs() < 4.0 * 9.0, "{beyond}");
    }

    #[test]
    fn shaking_has_its_deviation_and_moves_neighbours_together() {
        let (mean, deviation, _) = offsets(&mut MotionBlur(0.08), 300);
        // 300 sweeps of 12 waves each are the independent draws.
        assert!(mean.abs() < 4.0 * 0.08 / 900_f64.sqrt(), "{mean}");
        assert!((deviation / 0.08 - 1.0).abs() < 4.0 / 900_f64.sqrt(), "{deviation}");
        let before = wall(2000, 10.0, 0.5);
        let after = applied(&mut MotionBlur(0.08), &before, 0);
        for (a, b) in before.windows(2).zip(after.windows(2)) {
            let near = (sweep_angle(a[0].position) - sweep_angle(a[1].position)).abs() < 1e-3;
            let step: f32 = (0..3)
                .map(|k| {
                    ((b[1].position[k] - a[1].position[k]) - (b[0].position[k] - a[0].position[k])).abs()
                })
                .sum();
            assert!(!near || step < 0.02, "{step}");
        }
    }

    fn sweep_angle([x, y, _]: [f32; 3]) -> f32 {
        y.atan2(x)
    }
}
