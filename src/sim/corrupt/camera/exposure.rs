//! Too little and too much light.
//!
//! Noise is that of an image sensor (EMVA standard 1288): the electrons of a pixel are Poisson distributed,
//! reading them adds normal noise. Colours are encoded as sRGB.

use super::super::draw::Draws;
use super::picture::{CameraModel, Picture, encoded, light};

/// Share of the light that is left, where exposure time and gain are at their limits.
pub const LEFT: [f32; 5] = [0.5, 0.25, 0.12, 0.06, 0.03];
/// How many times too much light there is.
pub const TOO_MUCH: [f32; 5] = [1.5, 2.0, 3.0, 4.0, 6.0];

/// Electrons of a white pixel, and standard deviation of reading: a 3 µm pixel.
const FULL_WELL: f32 = 10_000.0;
const READ_NOISE: f32 = 6.0;

/// A share of the light is left.
pub struct LowLight(pub f32);

impl CameraModel for LowLight {
    fn apply(&mut self, picture: &mut Picture, draws: Draws) {
        for (y, row) in picture.rows_mut().enumerate() {
            let mut random = draws.at(y);
            for value in row {
                let mean = light(*value) * self.0 * FULL_WELL;
                let electrons = random.poisson(mean) as f32 + READ_NOISE * random.normal();
                *value = encoded(electrons / FULL_WELL);
            }
        }
    }
}

/// Several times too much light; what is brighter than white is white.
pub struct OverExposure(pub f32);

impl CameraModel for OverExposure {
    fn apply(&mut self, picture: &mut Picture, _: Draws) {
        for value in &mut picture.values {
            *value = encoded(light(*value) * self.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{applied, grey};
    use super::*;

    #[test]
    fn little_light_has_the_mean_and_variance_of_its_electrons() {
        let before = grey(200, 200, 0.5);
        for left in LEFT {
            let after = applied(&mut LowLight(left), &before, 0);
            let electrons: Vec<f64> = after.values.iter().map(|v| f64::from(light(*v) * FULL_WELL)).collect();
            let count = electrons.len() as f64;
            let mean = electrons.iter().sum::<f64>() / count;
            let variance = electrons.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / count;
            let expected = f64::from(light(0.5) * left * FULL_WELL);
            let wanted = expected + f64::from(READ_NOISE).powi(2);
            assert!((mean - expected).abs() < 4.0 * (wanted / count).sqrt(), "{left}: {mean} {expected}");
            assert!(
                (variance / wanted - 1.0).abs() < 4.0 * (2.0 / count).sqrt(),
                "{left}: {variance} {wanted}"
            );
        }
    }

    #[test]
    fn too_much_light_is_white() {
        let after = applied(&mut OverExposure(3.0), &grey(4, 4, 0.5), 0);
        assert!(after.values.iter().all(|v| (light(*v) - 3.0 * light(0.5)).abs() < 1e-4));
        assert!(applied(&mut OverExposure(6.0), &grey(4, 4, 0.5), 0).values.iter().all(|v| *v == 1.0));
    }
}
