//! Fog (Hahner et al., "Fog Simulation on Real LiDAR Point Clouds for 3D Object Detection in Adverse
//! Weather", ICCV 2021).
//!
//! The echo of a target at R₀ is weakened to i · exp(−2αR₀). The fog itself answers from everywhere in
//! front of it: at R with
//!
//! ```text
//! I(R) = ∫₀^2τ sin²(πt / 2τ) · exp(−2αx) / x² · ξ(x) dt,    x = R − ct/2
//! ```
//!
//! for a pulse of half-power width τ = 20 ns; ξ rises from 0 to 1 between 0.9 and 1 m, where transmitted
//! beam and receiver begin to overlap. Its strongest echo in front of the target has the intensity
//! i R₀² (β / β₀) max I. The stronger of the two is what the sensor reports: the target, weaker, or a point
//! in the fog at the range of the maximum, spread as droplets are. What is below the sensor's threshold
//! ([`super::detector`]) is lost.
//!
//! α = ln 20 / MOR, β = 0.046 / MOR with the meteorological optical range MOR; β₀ = 10⁻⁶ / π.

use std::f64::consts::PI;

use super::super::cloud_edit::Changes;
use super::super::draw::Draws;
use super::detector::{power, threshold};
use super::{LidarModel, Sweep};

/// Extinction α, 1/m. 1, 3 and 5 are Robo3D's levels (which it calls β): a MOR of 370, 60 and 15 m.
pub const EXTINCTION: [f64; 5] = [0.008, 0.02, 0.05, 0.1, 0.2];

/// Half-power width of the pulse, seconds.
const PULSE_S: f64 = 20e-9;
const LIGHT_MPS: f64 = 299_792_458.0;
/// Differential reflectivity of the target.
const BETA_0: f64 = 1e-6 / PI;
/// Where the receiver begins to see the beam and where it sees all of it, metres.
const OVERLAP_M: [f64; 2] = [0.9, 1.0];
/// Ranges of the table, metres: every 0.1 m. The maximum lies within some metres.
const STEP_M: f64 = 0.1;
const STEPS: usize = 300;
/// Scale of the spread of fog points behind the maximum, metres: the sum of two exponential variables, 0.9 m
/// on average.
const SPREAD_M: f32 = 0.45;

/// Fog of one density.
pub struct Fog {
    extinction: f32,
    /// β / β₀
    backscatter: f64,
    /// The largest I(R), seconds/m², up to each range of the table, and where it is, metres.
    strongest: Vec<(f64, f64)>,
}

impl Fog {
    /// Fog of extinction `alpha`, 1/m.
    pub fn new(alpha: f64) -> Self {
        let optical_range = 20_f64.ln() / alpha;
        let mut strongest = Vec::with_capacity(STEPS);
        let mut best = (0.0, 0.0);
        for range in (0..STEPS).map(|step| step as f64 * STEP_M) {
            let response = soft_response(range, alpha);
            if response > best.0 {
                best = (response, range);
            }
            strongest.push(best);
        }
        Self { extinction: alpha as f32, backscatter: 0.046 / optical_range / BETA_0, strongest }
    }

    /// The strongest echo of fog in front of `range`: its intensity for a target of intensity 1, and where.
    fn soft_echo(&self, range: f32) -> (f32, f32) {
        let index = ((f64::from(range) / STEP_M) as usize).min(STEPS - 1);
        let (response, place) = self.strongest.get(index).copied().unwrap_or_default();
        ((f64::from(range).powi(2) * self.backscatter * response) as f32, place as f32)
    }
}

/// I(R), by the midpoint rule.
fn soft_response(range: f64, alpha: f64) -> f64 {
    const PARTS: usize = 400;
    let part = 2.0 * PULSE_S / PARTS as f64;
    let integrand = |i: usize| {
        let time = (i as f64 + 0.5) * part;
        let x = range - 0.5 * LIGHT_MPS * time;
        let [near, far] = OVERLAP_M;
        if x <= near {
            return 0.0;
        }
        let overlap = ((x - near) / (far - near)).min(1.0);
        (PI * time / (2.0 * PULSE_S)).sin().powi(2) * (-2.0 * alpha * x).exp() / (x * x) * overlap
    };
    (0..PARTS).map(integrand).sum::<f64>() * part
}

impl LidarModel for Fog {
    fn apply(&mut self, sweep: &Sweep<'_, '_>, draws: Draws, changes: &mut Changes<'_>) {
        for i in sweep.returns() {
            let (range, reflectivity) = (sweep.range(i), sweep.reflectivity(i));
            let hard = (-2.0 * self.extinction * range).exp();
            let (soft, place) = self.soft_echo(range);
            let clear = power(reflectivity, range, 1.0);
            if clear * hard.max(soft) < threshold(clear) {
                changes.remove(i);
            } else if soft > hard {
                let mut random = draws.at(i);
                let spread = SPREAD_M * (random.exponential() + random.exponential());
                sweep.set_range(changes, i, (place + spread).min(range));
                // No sensor reports more than white for it.
                sweep.set_reflectivity(changes, i, (soft * reflectivity).min(1.0));
            } else {
                sweep.weaken(changes, i, hard);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{applied, wall};
    use super::*;

    #[test]
    fn targets_are_weakened_by_the_law_of_attenuation() {
        let before = wall(500, 10.0, 0.8);
        let after = applied(&mut Fog::new(0.02), &before, 0);
        assert_eq!(after.len(), before.len());
        for point in &after {
            assert!((point.reflectivity / 0.8 - (-2.0 * 0.02 * point.range()).exp()).abs() < 1e-4);
        }
    }

    #[test]
    fn far_targets_lose_against_the_fog_or_vanish() {
        let after = applied(&mut Fog::new(0.05), &wall(2000, 60.0, 0.8), 0);
        assert!(!after.is_empty());
        let mean = after.iter().map(|p| f64::from(p.range())).sum::<f64>() / after.len() as f64;
        let place = f64::from(Fog::new(0.05).soft_echo(60.0).1);
        // The mean of two exponentials; its standard error.
        let error = 4.0 * f64::from(SPREAD_M) * (2.0 / after.len() as f64).sqrt();
        assert!((mean - place - 0.9).abs() < error, "{mean} {place}");
        assert!(applied(&mut Fog::new(0.2), &wall(100, 60.0, 0.01), 0).len() < 100);
    }

    #[test]
    fn the_response_agrees_with_a_pulse_that_is_short() {
        // Far from the sensor all factors but the pulse are constant: I = τ exp(−2αx) / x² at its middle.
        let (range, alpha) = (200.0, 0.001);
        let middle = range - 0.5 * LIGHT_MPS * PULSE_S;
        let expected = PULSE_S * (-2.0 * alpha * middle).exp() / (middle * middle);
        assert!((soft_response(range, alpha) / expected - 1.0).abs() < 1e-3);
    }
}
