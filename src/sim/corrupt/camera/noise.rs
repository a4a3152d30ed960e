//! Noise on every pixel.

use super::super::draw::Draws;
use super::picture::{CameraModel, Picture};

/// Standard deviation, share of white: the levels of ImageNet-C (Hendrycks and Dietterich, ICLR 2019) for its
/// Gaussian noise.
pub const DEVIATION: [f32; 5] = [0.08, 0.12, 0.18, 0.26, 0.38];

/// Normal noise of a deviation; a pixel cannot be darker than black or brighter than white.
pub struct CameraNoise(pub f32);

impl CameraModel for CameraNoise {
    fn apply(&mut self, picture: &mut Picture, draws: Draws) {
        for (y, row) in picture.rows_mut().enumerate() {
            let mut random = draws.at(y);
            for value in row {
                *value = (*value + self.0 * random.normal()).clamp(0.0, 1.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{applied, grey};
    use super::*;

    #[test]
    fn noise_has_its_deviation() {
        for deviation in [DEVIATION[0], DEVIATION[1]] {
            let after = applied(&mut CameraNoise(deviation), &grey(300, 300, 0.5), 0);
            let count = after.values.len() as f64;
            let mean = after.values.iter().map(|v| f64::from(*v)).sum::<f64>() / count;
            let square = after.values.iter().map(|v| (f64::from(*v) - 0.5).powi(2)).sum::<f64>() / count;
            let error = f64::from(deviation) / count.sqrt();
            assert!((mean - 0.5).abs() < 4.0 * error, "{mean}");
            assert!((square.sqrt() - f64::from(deviation)).abs() < 4.0 * error, "{square}");
        }
    }

    #[test]
    fn frames_have_noise_of_their_own() {
        let frame = |message| applied(&mut CameraNoise(0.1), &grey(8, 8, 0.5), message).values;
        assert_eq!(frame(0), frame(0));
        assert_ne!(frame(0), frame(1));
    }
}
