//! From light to the numbers of an image.

use rayon::prelude::*;

use super::{CAMERA, CameraFrame, shading};
use crate::sim::Random;

/// The properties of a sensor chip and its processing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Film {
    /// What the exposure control brings the image's mean to, 0..1: 0.18 is the usual grey.
    pub target: f32,
    /// Factors on red and blue that the white balance leaves.
    pub balance: [f32; 2],
    /// Loss of light in the corners, 0..1.
    pub vignette: f32,
    /// Electrons of a white pixel at the lowest gain: fewer give a noisier image.
    pub full_well: f32,
    /// Noise of the amplifier, electrons.
    pub read_noise: f32,
    /// The gain the exposure control may use; a dark scene stays dark beyond it.
    pub max_gain: f32,
}

impl Film {
    /// The chip of a seed: a range of small global-shutter cameras.
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed, &[CAMERA, u64::MAX]);
        Self {
            target: random.log_between(0.13, 0.28),
            balance: [random.between(0.9, 1.12), random.between(0.88, 1.12)],
            vignette: random.between(0.0, 0.35),
            full_well: random.log_between(2500.0, 12_000.0),
            read_noise: random.between(2.0, 8.0),
            max_gain: random.log_between(8.0, 32.0),
        }
    }

    /// Exposes, adds noise and writes `rgb`.
    pub(super) fn develop(&self, frame: &mut CameraFrame, seed: u64, number: u64) {
        let (width, height) = (frame.width, frame.height);
        if width == 0 || height == 0 {
            return;
        }
        let gain = self.gain(&frame.radiance);
        let (half_width, half_height) = (0.5 * width as f32, 0.5 * height as f32);
        let curve = ToneCurve::new();
        let radiance = &frame.radiance;
        frame.rgb.par_chunks_mut(3 * width).enumerate().for_each(|(row, out)| {
            let mut random = Random::new(seed, &[CAMERA, number, u64::MAX, row as u64]);
            let y = (row as f32 + 0.5 - half_height) / half_height;
            for (column, (pixel, out)) in
                radiance[row * width..].iter().zip(out.chunks_exact_mut(3)).enumerate()
            {
                let x = (column as f32 + 0.5 - half_width) / half_width;
                let light = gain * (1.0 - 0.5 * self.vignette * (x * x + y * y));
                let channels = [pixel[0] * self.balance[0], pixel[1], pixel[2] * self.balance[1]];
                for (channel, out) in channels.into_iter().zip(out) {
                    *out = curve.value(self.expose(channel * light, gain, &mut random));
                }
            }
        });
    }

    /// The factor that brings the image's mean to the target.
    fn gain(&self, radiance: &[[f32; 3]]) -> f32 {
        // The mean of the logarithm, so that a lamp does not black out a hall. Every 37th pixel tells enough.
        let (mut sum, mut count) = (0.0, 0.0_f64);
        for &pixel in radiance.iter().step_by(37) {
            sum += f64::from((shading::luminance(pixel) + 1e-4).ln());
            count += 1.0;
        }
        let mean = (sum / count.max(1.0)).exp() as f32;
        (self.target / mean).min(self.max_gain)
    }

    /// A channel with the noise of its photons and of the amplifier: both grow with the gain.
    fn expose(&self, value: f32, gain: f32, random: &mut Random) -> f32 {
        let well = self.full_well / gain.max(1.0);
        let electrons = value.max(0.0) * well;
        let sigma = (electrons + self.read_noise * self.read_noise).sqrt();
        (electrons + sigma * quick_normal(random)) / well
    }
}

/// About normal: the sum of four 16-bit numbers from one draw. Its tails end at 3.5 σ, which is enough for
/// noise that is rounded to a byte.
fn quick_normal(random: &mut Random) -> f32 {
    let bits = random.bits();
    let sum: u64 = (0..4).map(|k| (bits >> (16 * k)) & 0xFFFF).sum();
    (sum as f32 - 131_070.0) * (1.0 / 37_837.0)
}

/// sRGB's curve with a soft shoulder towards white, as a table.
struct ToneCurve {
    table: Vec<u8>,
}

impl ToneCurve {
    const SIZE: usize = 4096;
    /// The light that is white.
    const WHITE: f32 = 1.25;

    fn new() -> Self {
        let value = |k: usize| {
            let light = Self::WHITE * k as f32 / (Self::SIZE - 1) as f32;
            // Straight to 0.7, then bent to meet 1 at WHITE.
            let t = ((light - 0.7) / (Self::WHITE - 0.7)).max(0.0);
            let soft = if t > 0.0 { 0.7 + 0.3 * t * (2.0 - t) } else { light };
            let curved =
                if soft <= 0.003_130_8 { 12.92 * soft } else { 1.055 * soft.powf(1.0 / 2.4) - 0.055 };
            (255.0 * curved.clamp(0.0, 1.0)).round() as u8
        };
        Self { table: (0..Self::SIZE).map(value).collect() }
    }

    fn value(&self, light: f32) -> u8 {
        let index = (light * ((Self::SIZE - 1) as f32 / Self::WHITE)).clamp(0.0, (Self::SIZE - 1) as f32);
        self.table.get(index as usize).copied().unwrap_or(u8::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHIP: Film = Film {
        target: 0.18,
        balance: [1.0; 2],
        vignette: 0.0,
        full_well: 5000.0,
        read_noise: 5.0,
        max_gain: 16.0,
    };

    fn developed(value: f32) -> Vec<u8> {
        let mut frame = CameraFrame::default();
        frame.resize(200, 200);
        frame.radiance.fill([value; 3]);
        CHIP.develop(&mut frame, 1, 2);
        frame.rgb
    }

    fn moments(values: &[f64]) -> (f64, f64) {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (mean, values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64)
    }

    #[test]
    fn exposure_finds_grey_and_darkness_stays_dark() {
        let mean = |rgb: Vec<u8>| moments(&rgb.into_iter().map(f64::from).collect::<Vec<_>>()).0;
        // 0.18 of white is 118 in sRGB.
        for value in [0.05, 0.5, 5.0] {
            assert!((mean(developed(value)) - 118.0).abs() < 2.0, "{value}");
        }
        assert!(mean(developed(1e-4)) < 40.0);
    }

    #[test]
    fn noise_is_that_of_photons_and_amplifier() {
        let mut random = Random::new(5, &[]);
        for (value, gain) in [(0.5_f32, 1.0_f32), (0.1, 1.0), (0.18, 8.0)] {
            let values: Vec<f64> =
                (0..100_000).map(|_| f64::from(CHIP.expose(value, gain, &mut random))).collect();
            let (mean, variance) = moments(&values);
            let well = f64::from(5000.0 / gain);
            let wanted = (f64::from(value) * well + 25.0) / (well * well);
            assert!((mean - f64::from(value)).abs() < 0.002, "{mean}");
            assert!((variance / wanted - 1.0).abs() < 0.03, "{variance} {wanted}");
        }
    }
}
