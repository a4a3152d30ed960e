//! Wet ground (after Hahner et al., "LiDAR Snowfall Simulation for Robust 3D Object Detection", CVPR 2022,
//! section 3.3).
//!
//! Water fills the texture of the ground, 1.2 mm deep; where it does, its surface is a mirror at the angles
//! at which a LiDAR sees ground. The beam enters through it with Fresnel's transmittance T, is scattered below,
//! leaves through it again, and what is reflected back down inside has another try (Lekner and Dorf, "Why some
//! things are darker when wet", 1988):
//!
//! ```text
//! ρ_wet / ρ = T(θ)² / n² / (1 − 0.47 ρ) · exp(−2 a h / cos θ')
//! ```
//!
//! with the index n = 1.33 and the absorption a = 6.8 /m of water at 905 nm, the height h of the film and the
//! refracted angle θ'. The covered share of the surface is h / 1.2 mm, at most all of it. Ground whose echo
//! is no longer heard ([`super::detector`]) is lost.

use super::super::cloud_edit::Changes;
use super::super::draw::Draws;
use super::detector::{power, threshold};
use super::ground::Ground;
use super::{LidarModel, Sweep};

/// Height of the film, millimetres. 1, 3 and 5 are Robo3D's levels.
pub const FILM_MM: [f32; 5] = [0.2, 0.6, 1.0, 1.1, 1.2];

/// Depth of the ground's texture, millimetres.
const TEXTURE_MM: f32 = 1.2;
/// Index of refraction and absorption of water at 905 nm, 1/m.
const INDEX: f32 = 1.33;
const ABSORPTION: f32 = 6.8;
/// Share of scattered light that the surface of water reflects back down.
const INTERNAL: f32 = 0.47;

/// A film of one height.
pub struct WetGround {
    film_m: f32,
    covered: f32,
    sample: Vec<[f32; 3]>,
}

impl WetGround {
    /// A film of `height` millimetres.
    pub const fn new(height: f32) -> Self {
        let share = height / TEXTURE_MM;
        Self { film_m: height * 1e-3, covered: if share > 1.0 { 1.0 } else { share }, sample: Vec::new() }
    }

    /// What is left of an echo from ground of `reflectivity` at an angle of cosine `cos`.
    fn left(&self, cos: f32, reflectivity: f32) -> f32 {
        let through = transmittance(cos);
        let path = 2.0 * ABSORPTION * self.film_m / refracted(cos);
        let wet = (through / INDEX).powi(2) / (1.0 - INTERNAL * reflectivity.min(1.0)) * (-path).exp();
        1.0 - self.covered + self.covered * wet
    }
}

/// Cosine in water of an angle of cosine `cos` in air.
fn refracted(cos: f32) -> f32 {
    (1.0 - (1.0 - cos * cos) / (INDEX * INDEX)).sqrt()
}

/// Fresnel's transmittance of the surface of water for unpolarised light.
fn transmittance(cos: f32) -> f32 {
    let inside = refracted(cos);
    let across = (cos - INDEX * inside) / (cos + INDEX * inside);
    let along = (INDEX * cos - inside) / (INDEX * cos + inside);
    1.0 - 0.5 * (across * across + along * along)
}

impl LidarModel for WetGround {
    fn apply(&mut self, sweep: &Sweep<'_, '_>, draws: Draws, changes: &mut Changes<'_>) {
        let Some(ground) = Ground::find(sweep, draws, &mut self.sample) else { return };
        for i in sweep.returns() {
            let position = sweep.position(i);
            if !ground.holds(position) {
                continue;
            }
            let reflectivity = sweep.reflectivity(i);
            let left = self.left(ground.incidence(position), reflectivity);
            let clear = power(reflectivity, sweep.range(i), 1.0);
            if clear * left < threshold(clear) {
                changes.remove(i);
            } else {
                sweep.weaken(changes, i, left);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Point, applied, wall};
    use super::*;

    #[test]
    fn fresnel_at_known_angles() {
        // ((n − 1) / (n + 1))² straight on; nothing of the one polarisation at Brewster's angle.
        assert!((1.0 - transmittance(1.0) - (0.33_f32 / 2.33).powi(2)).abs() < 1e-6);
        let brewster = (1.0 / (1.0 + INDEX * INDEX)).sqrt();
        let across = ((INDEX * INDEX - 1.0) / (INDEX * INDEX + 1.0)).powi(2);
        assert!((1.0 - transmittance(brewster) - 0.5 * across).abs() < 1e-6);
        assert!(transmittance(0.0) < 1e-6);
    }

    /// What a matt floor 1.5 m below the sensor looks like at `range`.
    fn seen(range: f32) -> f32 {
        0.3 * 1.5 / range
    }

    /// Such a floor, and a wall.
    fn floor() -> Vec<Point> {
        let floor = (0..3000).map(|i| {
            let (radius, angle) = (2.0 + 0.01 * i as f32, i as f32 * 0.7);
            let position = [radius * angle.cos(), radius * angle.sin(), -1.5];
            Point { position, reflectivity: seen(super::super::norm(position)) }
        });
        floor.chain(wall(1000, 8.0, 0.15)).collect()
    }

    #[test]
    fn far_ground_is_lost_and_walls_stay() {
        let mut last = usize::MAX;
        for film in FILM_MM {
            let after = applied(&mut WetGround::new(film), &floor(), 0);
            let (ground, walls): (Vec<Point>, Vec<Point>) = after.iter().partition(|p| p.position[2] < -1.4);
            assert_eq!(walls.len(), 1000);
            assert!(walls.iter().all(|p| (p.reflectivity - 0.15).abs() < 1e-6));
            assert!(ground.len() <= last && !ground.is_empty(), "{film} {}", ground.len());
            last = ground.len();
            for point in &ground {
                let clear = seen(point.range());
                let expected = clear * WetGround::new(film).left(1.5 / point.range(), clear);
                // The plane that was found is not the floor to the last digit.
                assert!((point.reflectivity / expected - 1.0).abs() < 0.02, "{point:?} {expected}");
            }
        }
        assert!(last < 2000, "{last}");
    }

    #[test]
    fn without_ground_nothing_is_wet() {
        let before = wall(500, 8.0, 0.5);
        assert_eq!(applied(&mut WetGround::new(1.2), &before, 0), before);
    }
}
