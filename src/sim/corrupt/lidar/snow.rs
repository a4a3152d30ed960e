//! Snow (the Monte Carlo of LISA: Kilic et al., "Lidar Light Scattering Augmentation", 2021, with the
//! particles of Hahner et al., "LiDAR Snowfall Simulation", CVPR 2022).
//!
//! Flakes have the sizes of Gunn and Marshall (1958): N(D) = N₀ exp(−ΛD) per m³ and mm with
//! N₀ = 3800 R^−0.87 and Λ = 2.55 R^−0.48 at R mm/h of water. Larger than the wavelength by far, they take
//! twice their cross-section out of the beam (Mie's limit): α = π N₀ / Λ³. The beam is a cone of 3 mrad. A
//! flake at r answers with 0.9 · min((D / beam width)², 1) · exp(−2αr) / r², a target with its reflectivity;
//! the strongest echo is reported, if the sensor hears it ([`super::detector`]).
//!
//! Only flakes that beat the target are drawn: of the Poisson process of all flakes in the cone, those that
//! are large enough where they are.

use super::super::cloud_edit::Changes;
use super::super::draw::Draws;
use super::detector::{MIN_POWER, power, threshold};
use super::{LidarModel, Sweep};

/// Snowfall, mm/h of water. 1, 3 and 5 are Robo3D's levels.
pub const RATE_MMPH: [f64; 5] = [0.5, 0.75, 1.0, 1.75, 2.5];

/// Full opening angle of the beam, radians.
const DIVERGENCE: f32 = 3e-3;
/// Reflectivity of a flake.
const FLAKE: f32 = 0.9;
/// The sensor sees nothing nearer, metres.
const MIN_RANGE_M: f32 = 1.0;
/// Flakes larger than this many mean diameters: one in three million.
const LARGEST: f32 = 15.0;

/// Snow of one rate.
pub struct Snow {
    /// Flakes of any size per m³
    density: f32,
    /// Mean diameter, metres
    diameter: f32,
    /// 1/m
    extinction: f32,
}

impl Snow {
    /// Snow of `rate` mm/h of water.
    pub fn new(rate: f64) -> Self {
        let (n_0, lambda) = (3800.0 * rate.powf(-0.87), 2.55 * rate.powf(-0.48));
        Self {
            density: (n_0 / lambda) as f32,
            diameter: (1e-3 / lambda) as f32,
            // mm² to m².
            extinction: (std::f64::consts::PI * n_0 / lambda.powi(3) * 1e-6) as f32,
        }
    }

    /// The diameter that a flake at `range` needs to answer with `power`, metres; `None` if none can.
    fn needed(&self, range: f32, power: f32) -> Option<f32> {
        let filled = FLAKE * (-2.0 * self.extinction * range).exp() / (range * range);
        (power < filled).then(|| DIVERGENCE * range * (power / filled).sqrt())
    }

    /// Power and range of the strongest flake that answers with more than `power` in front of `range`.
    fn strongest(&self, range: f32, mut power: f32, draws: Draws, i: usize) -> Option<(f32, f32)> {
        // Behind this no flake is large enough; exp(−2αr) would only bring it nearer.
        let reach = (LARGEST * self.diameter / DIVERGENCE * (FLAKE / power).sqrt()).sqrt().min(range);
        let volume = std::f32::consts::PI / 12.0 * DIVERGENCE.powi(2) * reach.powi(3);
        let mut random = draws.at(i);
        let mut found = None;
        for _ in 0..random.poisson(self.density * volume) {
            let place = reach * random.unit().cbrt();
            let diameter = self.diameter * random.exponential();
            if place >= MIN_RANGE_M && self.needed(place, power).is_some_and(|needed| diameter > needed) {
                let share = (diameter / (DIVERGENCE * place)).powi(2).min(1.0);
                power = FLAKE * share * (-2.0 * self.extinction * place).exp() / (place * place);
                found = Some((power, place));
            }
        }
        found
    }
}

impl LidarModel for Snow {
    fn apply(&mut self, sweep: &Sweep<'_, '_>, draws: Draws, changes: &mut Changes<'_>) {
        for i in sweep.returns() {
            let (range, reflectivity) = (sweep.range(i), sweep.reflectivity(i));
            let through = (-2.0 * self.extinction * range).exp();
            let clear = power(reflectivity, range, 1.0);
            let (hard, least) = (clear * through, threshold(clear));
            // A flake has no reserve: nothing says that the sensor heard one as weak.
            if let Some((power, place)) = self.strongest(range, hard.max(MIN_POWER), draws, i) {
                sweep.set_range(changes, i, place);
                sweep.set_reflectivity(changes, i, power * place * place);
            } else if hard < least {
                changes.remove(i);
            } else {
                sweep.weaken(changes, i, through);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{applied, wall};
    use super::*;

    #[test]
    fn flakes_are_met_as_often_as_their_density_says() {
        let (range, reflectivity, count) = (40.0_f32, 0.1, 20_000);
        let mut snow = Snow::new(2.5);
        let hard = power(reflectivity, range, (-2.0 * snow.extinction * range).exp());
        // The mean number of flakes that beat the target, integrated over the cone.
        let step = 0.01;
        let mean: f64 = (0..3900)
            .map(|i| MIN_RANGE_M + (i as f32 + 0.5) * step)
            .filter_map(|r| {
                let area = std::f32::consts::FRAC_PI_4 * (DIVERGENCE * r).powi(2);
                let needed = snow.needed(r, hard)?;
                Some(f64::from(snow.density * area * step * (-needed / snow.diameter).exp()))
            })
            .sum();
        let expected = 1.0 - (-mean).exp();
        let after = applied(&mut snow, &wall(count, range, reflectivity), 0);
        assert_eq!(after.len(), count);
        let met = after.iter().filter(|point| point.range() < range - 0.01).count() as f64 / count as f64;
        let error = 4.0 * (expected * (1.0 - expected) / count as f64).sqrt();
        assert!((met - expected).abs() < error && expected > 0.02, "{met} {expected} {error}");
    }

    #[test]
    fn targets_behind_are_weakened() {
        let mut snow = Snow::new(1.0);
        let extinction = snow.extinction;
        // The closed form of the extinction at 1 mm/h, where both powers are 1.
        assert!(
            (f64::from(extinction) - std::f64::consts::PI * 3800.0 / 2.55_f64.powi(3) * 1e-6).abs() < 1e-9
        );
        let after = applied(&mut snow, &wall(500, 30.0, 0.9), 0);
        let behind: Vec<_> = after.iter().filter(|point| point.range() > 29.9).collect();
        assert!(behind.len() > 400);
        for point in behind {
            assert!((point.reflectivity / 0.9 - (-2.0 * extinction * point.range()).exp()).abs() < 1e-4);
        }
    }
}
