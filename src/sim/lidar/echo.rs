//! What comes back of a pulse, and what the receiver makes of it.

use glam::Vec3A;

use super::model::Optics;
use crate::sim::{Hit, Material, Random, Ray, Snapshot};

/// Surfaces in windows and mirrors behind this many others are not looked for.
const MAX_PANES: usize = 3;
/// Less of the light than this, there and back, finds nothing that the rest of the beam would not outshine.
const LEAST_SHARE: f32 = 0.01;
/// A ray goes on this far behind a pane, metres.
const BEHIND_M: f32 = 1e-3;
/// Surfaces rougher than this make no image.
const MIRROR_ROUGHNESS: f32 = 0.15;
/// A peak has to be as many standard deviations of the noise: one pulse in some 100,000 finds noise.
const THRESHOLD: f32 = 4.5;
/// The peak of a signal of 1, so that nine of ten are over the threshold: the 0.9 quantile of the normal
/// distribution above it.
const PEAK: f32 = THRESHOLD + 1.281_552;
/// Pulses differ by this share in their energy.
const PULSE_ENERGY: f32 = 0.03;

/// A pulse that comes back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Echo {
    /// The way to it, metres.
    pub distance_m: f32,
    /// Power, in that of the weakest echo that the datasheet promises.
    pub signal: f32,
    /// Number of the object.
    pub object: Option<u32>,
}

/// The strongest echo along a ray: of the first surface, which is given, or of what is seen through panes of
/// glass or in a mirror. Things in a mirror appear behind it, as they do to a real sensor.
pub(super) fn strongest(
    snapshot: &Snapshot<'_>,
    optics: &Optics,
    ray: &Ray,
    mut hit: Hit,
    moment: f32,
) -> Option<Echo> {
    let world = snapshot.world();
    let mut best: Option<Echo> = None;
    let (mut ray, mut share, mut way_m) = (*ray, 1.0_f32, 0.0);
    for _ in 0..=MAX_PANES {
        let Some(material) = world.materials.get(usize::from(hit.material.0)) else { break };
        let cosine = -hit.normal.dot(ray.direction).clamp(-1.0, -1e-3);
        let distance_m = way_m + hit.distance_m;
        if distance_m >= optics.min_m {
            let air = (-2.0 * world.lighting.haze_per_m * distance_m).exp();
            let power = share * air * backscatter(material, &hit, cosine);
            let signal = power * optics.strength(distance_m, cosine);
            if best.is_none_or(|best| signal > best.signal) {
                best = Some(Echo { distance_m, signal, object: hit.object });
            }
        }
        let (passed, direction) = if material.transmission > 0.0 {
            (material.transmission, ray.direction)
        } else if material.roughness <= MIRROR_ROUGHNESS {
            (fresnel(material, cosine), ray.direction + 2.0 * cosine * hit.normal)
        } else {
            break;
        };
        // It passes twice, there and back.
        share *= passed * passed;
        way_m = distance_m + BEHIND_M;
        if share < LEAST_SHARE || way_m >= optics.max_m {
            break;
        }
        ray = Ray { origin: hit.point + BEHIND_M * direction, direction, max_m: optics.max_m - way_m };
        let Some(next) = snapshot.cast(&ray, moment) else { break };
        hit = next;
    }
    best
}

/// The share of the light that a surface sends back, as that of a matt surface which is hit squarely.
fn backscatter(material: &Material, hit: &Hit, cosine: f32) -> f32 {
    let [r, g, b] = hit.tint;
    let tint = 0.3 + 0.7 * (r + g + b) / 3.0;
    // Glass absorbs or mirrors most of what it does not let through; only dirt on it scatters.
    let solid = (1.0 - material.transmission).powi(2);
    let matt = material.lidar_reflectivity * solid * tint * blotches(hit);
    let into = 1.0 - fresnel(material, cosine);
    // The smooth layer's highlight, looked at from where the light comes from: the distribution of Walter et
    // al. ("Microfacet models for refraction through rough surfaces", EGSR 2007), shadowing left out.
    let width = (material.roughness * material.roughness).max(0.02);
    let spread = cosine * cosine * (width * width - 1.0) + 1.0;
    let highlight = 0.25 * material.specular * (width / spread).powi(2);
    matt * into * into * cosine + highlight
}

/// Schlick's approximation of what the smooth layer reflects.
fn fresnel(material: &Material, cosine: f32) -> f32 {
    if material.specular <= 0.0 {
        return 0.0;
    }
    material.specular + (1.0 - material.specular) * (1.0 - cosine).powi(5)
}

/// No surface scatters the same everywhere: a factor about 1 that belongs to the place.
fn blotches(hit: &Hit) -> f32 {
    const SEED: u32 = 0x4C49_4401;
    let seed = SEED ^ u32::from(hit.material.0).wrapping_mul(0x9E37_79B9);
    let at = hit.local_point;
    let grain = hash((at / 0.03).floor(), seed);
    let coarse = at / 0.4;
    let base = coarse.floor();
    let f = coarse - base;
    let f = f * f * (3.0 - 2.0 * f);
    // Between two corners of the cell's diagonal and two of the other: cheaper than all eight, and as blotchy.
    let along = |from: Vec3A, to: Vec3A, t: f32| {
        let near = hash(base + from, seed);
        near + t * (hash(base + to, seed) - near)
    };
    let stain =
        along(Vec3A::ZERO, Vec3A::X, f.x) * (1.0 - f.y) + along(Vec3A::Y, Vec3A::X + Vec3A::Y, f.x) * f.y;
    1.0 + 0.06 * grain + 0.12 * stain
}

/// A random value of a lattice point, −1..1.
fn hash(at: Vec3A, seed: u32) -> f32 {
    let [x, y, z] = at.to_array().map(|v| v as i32 as u32);
    let mut h =
        x.wrapping_mul(0x8DA6_B343) ^ y.wrapping_mul(0xD816_3841) ^ z.wrapping_mul(0xCB1A_B31F) ^ seed;
    h = (h ^ (h >> 16)).wrapping_mul(0x7FEB_352D);
    h = (h ^ (h >> 15)).wrapping_mul(0x846C_A68B);
    (h ^ (h >> 16)) as f32 / (u32::MAX as f32 * 0.5) - 1.0
}

impl Optics {
    /// The signal of a white surface that faces the light, were the cosine not in `backscatter` already. On a
    /// slanted surface the spot is deep, the echo long and its peak low.
    pub fn strength(&self, distance_m: f32, cosine: f32) -> f32 {
        let near = self.range_10_m / distance_m;
        let slant = (1.0 - cosine * cosine).max(0.0).sqrt() / cosine;
        let depth = self.divergence * distance_m * slant / self.pulse_m;
        10.0 * near * near / (1.0 + depth * depth).sqrt()
    }

    /// Distance and calibrated reflectivity as the receiver measures them, `None` if it misses the echo. The
    /// reflectivity is corrected for distance alone, as makers do.
    pub fn receive(&self, echo: &Echo, random: &mut Random) -> Option<(f32, f32)> {
        let energy = 1.0 + PULSE_ENERGY * random.normal();
        let peak = PEAK * echo.signal * energy + random.normal();
        if peak < THRESHOLD {
            return None;
        }
        let weak = self.weak_noise_m * THRESHOLD / peak;
        let noise = self.noise_m.hypot(weak) * random.normal();
        let range_m = ((echo.distance_m + noise) / self.resolution_m).round() * self.resolution_m;
        let reflectivity = peak / PEAK * 0.1 * (range_m / self.range_10_m).powi(2);
        (range_m >= self.min_m && range_m <= self.max_m).then_some((range_m, reflectivity))
    }
}
