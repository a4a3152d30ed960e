//! What meshes leave out: seams, bolts, gaps, ledges.
//!
//! Patches of a surface differ in how much they scatter, by a factor that stays with them: with the speckle of
//! each frame the compound model of spiky clutter (K-distribution; Ward 1981). The factor is log-normal with a
//! mean of 1.

use glam::Vec3A;

use crate::sim::Random;

/// The stream of the patches.
const PATCHES: u64 = 0x5244_5205;
/// Edge of a patch, metres.
const PATCH_M: f32 = 0.4;
/// Standard deviation of the factor's natural logarithm: 5 dB, that of ground clutter in small cells.
const SPREAD: f32 = 1.15;
/// Moves the borders of the patches off round coordinates, where rounding would scatter walls and floors over
/// both sides.
const ASIDE: f32 = 0.37;

/// Which factor a patch has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Texture {
    seed: u64,
}

impl Texture {
    /// The radars of one robot see the same: their seeds differ in the highest byte.
    pub fn new(seed: u64) -> Self {
        Self { seed: seed & (u64::MAX >> 8) }
    }

    /// The factor at a point of an object, in its frame, or of the scenery.
    pub fn at(self, object: Option<u32>, local_point: Vec3A) -> f32 {
        let patch = (local_point / PATCH_M + ASIDE).floor().as_i64vec3().to_array();
        let [x, y, z] = patch.map(|index| index as u64);
        let object = object.map_or(0, |object| u64::from(object) + 1);
        let mut random = Random::new(self.seed, &[PATCHES, object, x, y, z]);
        (SPREAD * random.normal() - 0.5 * SPREAD * SPREAD).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_keep_their_brightness_and_change_nothing_on_average() {
        let texture = Texture::new(7);
        let at = |x: i32, y: i32| Vec3A::new(0.4 * x as f32, 0.4 * y as f32, 0.0);
        let places: Vec<Vec3A> = (0..40_000).map(|i| at(i % 200, i / 200)).collect();
        let factors: Vec<f64> = places.iter().map(|&place| f64::from(texture.at(None, place))).collect();
        let mean = factors.iter().sum::<f64>() / factors.len() as f64;
        assert!((mean - 1.0).abs() < 0.05, "{mean}");
        // The same nearby, for every radar of the robot; another on another object.
        let second = Texture::new(7 ^ 1 << 56);
        for &place in &places[..100] {
            let factor = texture.at(None, place);
            assert_eq!(factor, second.at(None, place + Vec3A::new(0.1, 0.05, 0.0)));
            assert_ne!(factor, texture.at(Some(3), place));
            assert_ne!(factor, Texture::new(8).at(None, place));
        }
    }
}
