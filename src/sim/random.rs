//! Random numbers that depend on what they are for, not on the order they are drawn in: a frame looks
//! the same at any thread count and whichever other sensors are simulated.
//!
//! The generator is `SplitMix64` (Steele, Lea, Flood: "Fast splittable pseudorandom number generators",
//! 2014). It is written out here because the bytes of a simulated recording must not change with the
//! version of a library.

use std::f32::consts::TAU;

use glam::Vec3A;

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The stream of a seed and of what it is for, as `(seed, &[LIDAR, frame, beam])`.
    pub fn new(seed: u64, purpose: &[u64]) -> Self {
        let state =
            purpose.iter().fold(mix(seed ^ 0x6A09_E667_F3BC_C909), |state, &key| mix(state ^ mix(key)));
        Self { state }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        finish(self.state)
    }

    /// Uniform in 0..1.
    pub fn unit(&mut self) -> f32 {
        // 24 bits, the precision of an f32, so 1 is never reached.
        (self.bits() >> 40) as f32 / (1_u32 << 24) as f32
    }

    /// Uniform between two values.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Uniform in the logarithm between two positive values.
    pub fn log_between(&mut self, low: f32, high: f32) -> f32 {
        self.between(low.ln(), high.ln()).exp()
    }

    /// Uniform in 0..count; 0 for a count of 0.
    pub fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.bits()) * count as u128) >> 64) as usize
    }

    /// True with a probability.
    pub fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// One of some values, `None` if there are none.
    pub fn pick<'a, T>(&mut self, values: &'a [T]) -> Option<&'a T> {
        values.get(self.below(values.len()))
    }

    /// Normally distributed with mean 0 and standard deviation 1 (Box–Muller).
    pub fn normal(&mut self) -> f32 {
        // 1 − unit lies in 0 < … ≤ 1, where the logarithm is finite.
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (TAU * self.unit()).cos()
    }

    /// A unit vector of any direction (Marsaglia: "Choosing a point from the surface of a sphere", 1972).
    pub fn direction(&mut self) -> Vec3A {
        loop {
            let bits = self.bits();
            // Two numbers of 32 bits, −1..1.
            let [a, b] = [bits as i32, (bits >> 32) as i32].map(|n| n as f32 / (1_u32 << 31) as f32);
            let square = a * a + b * b;
            if square < 1.0 {
                let radius = 2.0 * (1.0 - square).sqrt();
                return Vec3A::new(a * radius, b * radius, 1.0 - 2.0 * square);
            }
        }
    }

    /// Exponentially distributed with mean 1.
    pub fn exponential(&mut self) -> f32 {
        -(1.0 - self.unit()).ln()
    }

    /// Poisson distributed, by Knuth's product up to a mean of 30 and the normal approximation above.
    pub fn poisson(&mut self, mean: f32) -> u32 {
        if mean > 30.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as u32;
        }
        let limit = (-mean).exp();
        let mut product = self.unit();
        let mut count = 0;
        while product > limit {
            product *= self.unit();
            count += 1;
        }
        count
    }
}

fn mix(key: u64) -> u64 {
    finish(key.wrapping_add(0x9E37_79B9_7F4A_7C15))
}

fn finish(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_splitmix64() {
        // The reference implementation's first values for the state 1234567.
        let mut random = Random { state: 1_234_567 };
        assert_eq!(random.bits(), 6_457_827_717_110_365_317);
        assert_eq!(random.bits(), 3_203_168_211_198_807_973);
        assert_ne!(Random::new(1, &[2, 3]).bits(), Random::new(1, &[3, 2]).bits());
        assert_eq!(Random::new(1, &[2, 3]).bits(), Random::new(1, &[2, 3]).bits());
    }

    #[test]
    fn distributions_have_their_moments() {
        let mut random = Random::new(7, &[]);
        let mut moments = |draw: &mut dyn FnMut(&mut Random) -> f32| {
            let values: Vec<f64> = (0..200_000).map(|_| f64::from(draw(&mut random))).collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            (mean, values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64)
        };
        let near = |(mean, variance): (f64, f64), wanted: (f64, f64)| {
            assert!((mean - wanted.0).abs() < 0.02 * wanted.1.sqrt().max(1.0), "{mean} {wanted:?}");
            assert!((variance / wanted.1 - 1.0).abs() < 0.03, "{variance} {wanted:?}");
        };
        near(moments(&mut Random::unit), (0.5, 1.0 / 12.0));
        near(moments(&mut Random::normal), (0.0, 1.0));
        near(moments(&mut Random::exponential), (1.0, 1.0));
        near(moments(&mut |r| r.poisson(4.0) as f32), (4.0, 4.0));
        near(moments(&mut |r| r.poisson(100.0) as f32), (100.0, 100.0));
        near(moments(&mut |r| r.below(11) as f32), (5.0, 10.0));
        // Each component of a direction is uniform.
        near(moments(&mut |r| r.direction().x), (0.0, 1.0 / 3.0));
        near(moments(&mut |r| r.direction().z), (0.0, 1.0 / 3.0));
        near(moments(&mut |r| r.direction().length_squared() + r.normal()), (1.0, 1.0));
    }
}
