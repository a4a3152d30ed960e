//! Less flicker from frame to frame, for cameras that move slowly.

use super::error::{DepthError, check_length};

/// Relative difference up to which two depths of a pixel are taken to be of one surface.
const SAME_SURFACE: f32 = 0.1;

/// Blends each pixel with what it was, as long as it is still the same surface. It knows nothing of the
/// camera's motion: of a surface that comes nearer by a share `r` of its depth from frame to frame it is late by
/// about `r · share / (1 − share)`.
#[derive(Clone, Debug, Default)]
pub struct TemporalSmoothing {
    /// Metres; empty before the first frame
    before_m: Vec<f32>,
}

impl TemporalSmoothing {
    /// What comes next is another recording or another camera.
    pub fn forget(&mut self) {
        self.before_m.clear();
    }

    /// Blends `depth_m` with `share`, 0..1, of what this gave before, and keeps the result. Harmonic, as the
    /// error of a depth grows with it.
    pub fn apply(&mut self, share: f32, depth_m: &mut [f32]) -> Result<(), DepthError> {
        if self.before_m.is_empty() {
            self.before_m.extend_from_slice(depth_m);
            return Ok(());
        }
        check_length("depth of the frame before", self.before_m.len(), depth_m.len())?;
        for (now, before) in depth_m.iter_mut().zip(&mut self.before_m) {
            // NaN, ±∞ and 0 are the same surface as nothing.
            if (*now - *before).abs() <= SAME_SURFACE * now.min(*before) {
                *now = 1.0 / ((1.0 - share) / *now + share / *before);
            }
            *before = *now;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::TemporalSmoothing;

    #[test]
    fn a_surface_that_stays_flickers_less_and_one_that_changes_is_there_at_once() {
        let mut smoothing = TemporalSmoothing::default();
        let mut deviation = 0.0_f32;
        for number in 0..40 {
            let noise = if number % 2 == 0 { 0.97 } else { 1.03 };
            let mut depth_m =
                [4.0 * noise, if number < 20 { 4.0 } else { 9.0 }, f32::NAN, 1000.0, f32::INFINITY];
            smoothing.apply(0.6, &mut depth_m).unwrap();
            if number > 10 {
                deviation = deviation.max((depth_m[0] - 4.0).abs());
            }
            let true_m = if number < 20 { 4.0 } else { 9.0 };
            assert!((depth_m[1] - true_m).abs() < 1e-4 && (depth_m[3] - 1000.0).abs() < 0.1);
            assert!(depth_m[2].is_nan() && depth_m[4] == f32::INFINITY);
        }
        assert!(deviation < 0.06, "{deviation}");
        smoothing.forget();
        let mut depth_m = [4.1; 5];
        smoothing.apply(0.6, &mut depth_m).unwrap();
        assert_eq!(depth_m, [4.1; 5]);
        assert!(smoothing.apply(0.6, &mut [1.0; 3]).is_err());
    }
}
