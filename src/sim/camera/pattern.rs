//! The colour of a surface at a point: procedural textures, filtered to the size of a pixel.

use glam::{Vec2, Vec3A};
use multiversion::multiversion;

use crate::sim::{Hit, Material, RgbTexture, Texture};

/// Albedo where a ray hit, linear. `footprint_m` is the width of a pixel on the surface: detail finer than
/// that is averaged, as a lens does.
pub(super) fn albedo(material: &Material, images: &[RgbTexture], hit: &Hit, footprint_m: f32) -> [f32; 3] {
    let base = material.albedo;
    // The same pattern on two materials is not the same picture.
    let seed = u32::from(hit.material.0).wrapping_mul(0x9E37_79B9) ^ hit.object.map_or(0, |o| o + 1);
    let textured = match material.texture {
        Texture::Plain => base,
        Texture::Noise { scale_m, contrast } => {
            let factor = 1.0 + 2.5 * contrast * fractal(hit.local_point, scale_m, footprint_m, seed);
            base.map(|c| (c * factor.max(0.05)).min(1.0))
        }
        Texture::Grid { size_m: [width, height], gap_m, staggered, gap, contrast } => {
            let at = surface(hit) / Vec2::new(width.max(1e-3), height.max(1e-3));
            let row = at.y.floor();
            let shift = if staggered && row.rem_euclid(2.0) >= 1.0 { 0.5 } else { 0.0 };
            let column = (at.x + shift).floor();
            let piece = hash([column as i32, row as i32, 0], seed);
            let inside = Vec2::new(at.x + shift - column, at.y - row);
            let size = Vec2::new(width, height);
            let to_edge = (inside.min(Vec2::ONE - inside) * size).min_element();
            // A line narrower than the pixel covers a share of it; lines closer than the pixel blur to a mean.
            let lines = 1.0 - (1.0 - gap_m / width.max(gap_m)) * (1.0 - gap_m / height.max(gap_m));
            let sharp = ((0.5 * gap_m - to_edge) / footprint_m.max(1e-4) + 0.5).clamp(0.0, 1.0)
                * (gap_m / footprint_m.max(1e-4)).min(1.0);
            let blurred =
                ((footprint_m - 0.25 * size.min_element()) / (0.5 * size.min_element())).clamp(0.0, 1.0);
            let share = sharp + (lines - sharp) * blurred;
            let factor = 1.0 + 1.7 * contrast * (1.0 - blurred) * piece;
            blend(base.map(|c| (c * factor.max(0.05)).min(1.0)), gap, share)
        }
        Texture::Stripes { period_m, angle, share, other } => {
            let at = surface(hit).dot(Vec2::from_angle(angle)) / period_m.max(1e-3);
            let phase = at - at.floor();
            let width = (footprint_m / period_m.max(1e-3)).clamp(1e-4, 1.0);
            // The band from 0 to share, its two edges as wide as the pixel.
            let to_band = (phase.min(1.0 - phase)).min((phase - share).abs());
            let inside = if phase < share { to_band } else { -to_band };
            let sharp = (inside / width + 0.5).clamp(0.0, 1.0);
            let blurred = (2.0 * width - 0.5).clamp(0.0, 1.0);
            blend(base, other, sharp + (share - sharp) * blurred)
        }
        Texture::Labels { scale_m, other } => {
            blend(base, other, label(surface(hit), scale_m, footprint_m, seed))
        }
        Texture::Image { index } => match (images.get(index as usize), hit.texture_coordinates) {
            (Some(image), Some(at)) => {
                let texel = sample(image, at);
                [0, 1, 2].map(|c: usize| base[c] * texel[c])
            }
            _ => base,
        },
    };
    [0, 1, 2].map(|c: usize| textured[c] * hit.tint[c])
}

/// The two coordinates along a surface, metres: those that its normal does not point along.
fn surface(hit: &Hit) -> Vec2 {
    let (p, n) = (hit.local_point, hit.local_normal.abs());
    if n.z >= n.x && n.z >= n.y {
        Vec2::new(p.x, p.y)
    } else if n.x >= n.y {
        Vec2::new(p.y, p.z)
    } else {
        Vec2::new(p.x, p.z)
    }
}

/// The share of print at a point: in some cells of a grid a rectangle of lines.
fn label(at: Vec2, scale_m: f32, footprint_m: f32, seed: u32) -> f32 {
    let cell = (at / scale_m.max(1e-3)).floor();
    let inside = at / scale_m.max(1e-3) - cell;
    let number = |k: i32| 0.5 + 0.5 * hash([cell.x as i32, cell.y as i32, k], seed);
    if number(1) > 0.6 {
        return 0.0;
    }
    let size = Vec2::new(0.15 + 0.4 * number(2), 0.1 + 0.3 * number(3));
    let corner = Vec2::new(number(4), number(5)) * (Vec2::ONE - size);
    let place = (inside - corner) / size;
    if place.min_element() < 0.0 || place.max_element() > 1.0 {
        return 0.0;
    }
    // Lines of print, until they are finer than the pixel.
    let lines = 3.0 + (4.0 * number(6)).floor();
    if size.y * scale_m / lines < 2.0 * footprint_m {
        return 0.6;
    }
    let printed =
        (place.y * lines).fract() < 0.6 && place.x < 0.4 + 0.6 * number(7 + (place.y * lines) as i32);
    if printed { 1.0 } else { 0.25 }
}

/// Sums of noise at ever finer scales, about −1..1, down to the pixel.
pub(super) fn fractal(at: Vec3A, scale_m: f32, footprint_m: f32, seed: u32) -> f32 {
    octaves(at.to_array(), scale_m.max(1e-3), footprint_m, seed)
}

#[multiversion(targets("x86_64+avx+avx2"))]
fn octaves(at: [f32; 3], scale_m: f32, footprint_m: f32, seed: u32) -> f32 {
    const OCTAVES: u32 = 5;
    let (mut sum, mut size, mut weight) = (0.0, scale_m, 0.55);
    for octave in 0..OCTAVES {
        if size < 2.0 * footprint_m {
            break;
        }
        sum += weight * noise(at.map(|c| c / size), seed.wrapping_add(octave));
        size *= 0.47;
        weight *= 0.65;
    }
    sum
}

/// Smooth noise between random values on a unit lattice, −1..1. The eight corners of a cell are worked out
/// side by side.
#[expect(clippy::inline_always, reason = "only then it compiles to the caller's AVX2")]
#[inline(always)]
fn noise(at: [f32; 3], seed: u32) -> f32 {
    let base = at.map(f32::floor);
    let weight = |axis: usize| {
        let f = at[axis] - base[axis];
        f * f * (3.0 - 2.0 * f)
    };
    let [x, y, z] = base.map(|v| v as i32 as u32);
    let mut corners = [0.0; 8];
    for (i, corner) in corners.iter_mut().enumerate() {
        let i = i as u32;
        let (x, y, z) = (x.wrapping_add(i & 1), y.wrapping_add(i >> 1 & 1), z.wrapping_add(i >> 2));
        let h = scramble(x, y, z, seed);
        // Signed, as processors convert it in one step.
        *corner = h as i32 as f32 / (1_u32 << 31) as f32;
    }
    let (fx, fy, fz) = (weight(0), weight(1), weight(2));
    let edge = |k: usize| corners[k] + (corners[k + 1] - corners[k]) * fx;
    let (near, far) = (edge(0) + (edge(2) - edge(0)) * fy, edge(4) + (edge(6) - edge(4)) * fy);
    near + (far - near) * fz
}

/// A random value of a lattice point, −1..1.
fn hash([x, y, z]: [i32; 3], seed: u32) -> f32 {
    scramble(x as u32, y as u32, z as u32, seed) as f32 / (u32::MAX as f32 * 0.5) - 1.0
}

#[expect(clippy::inline_always, reason = "only then it compiles to the caller's AVX2")]
#[inline(always)]
fn scramble(x: u32, y: u32, z: u32, seed: u32) -> u32 {
    let mut h =
        x.wrapping_mul(0x8DA6_B343) ^ y.wrapping_mul(0xD816_3841) ^ z.wrapping_mul(0xCB1A_B31F) ^ seed;
    h = (h ^ (h >> 16)).wrapping_mul(0x7FEB_352D);
    h = (h ^ (h >> 15)).wrapping_mul(0x846C_A68B);
    h ^ (h >> 16)
}

fn blend(a: [f32; 3], b: [f32; 3], share: f32) -> [f32; 3] {
    [0, 1, 2].map(|c: usize| a[c] + (b[c] - a[c]) * share)
}

/// Bilinear; the image repeats. Coordinates count from its top left corner.
fn sample(image: &RgbTexture, at: Vec2) -> [f32; 3] {
    let size = Vec2::new(image.width as f32, image.height as f32);
    let place = (at - at.floor()) * size - 0.5;
    let base = place.floor();
    let f = place - base;
    let texel = |dx: i64, dy: i64| {
        let x = (base.x as i64 + dx).rem_euclid(i64::from(image.width.max(1)));
        let y = (base.y as i64 + dy).rem_euclid(i64::from(image.height.max(1)));
        let index = y as usize * image.width as usize + x as usize;
        image.pixels.get(index).copied().unwrap_or([1.0; 3])
    };
    blend(blend(texel(0, 0), texel(1, 0), f.x), blend(texel(0, 1), texel(1, 1), f.x), f.y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::MaterialId;

    fn hit(x: f32, y: f32) -> Hit {
        let point = Vec3A::new(x, y, 0.0);
        Hit {
            distance_m: 1.0,
            point,
            normal: Vec3A::Z,
            material: MaterialId(3),
            object: None,
            local_point: point,
            local_normal: Vec3A::Z,
            tint: [1.0; 3],
            texture_coordinates: Some(Vec2::new(x, y)),
        }
    }

    fn patterns() -> Vec<Texture> {
        vec![
            Texture::Plain,
            Texture::Noise { scale_m: 0.5, contrast: 0.15 },
            Texture::Grid { size_m: [0.3, 0.2], gap_m: 0.01, staggered: true, gap: [0.1; 3], contrast: 0.1 },
            Texture::Stripes { period_m: 0.2, angle: 0.4, share: 0.3, other: [0.1; 3] },
            Texture::Labels { scale_m: 0.4, other: [0.9; 3] },
        ]
    }

    /// The mean of a patch does not depend on how far away it is looked at from, and a far look has no
    /// detail left to flicker.
    #[test]
    fn coarse_pixels_see_the_mean_of_fine_ones() {
        for texture in patterns() {
            let material = Material { texture, ..Material::matt("test", [0.5; 3]) };
            let look = |footprint: f32| {
                let values: Vec<f32> = (0..40_000)
                    .map(|k| hit((k % 200) as f32 * 0.031, (k / 200) as f32 * 0.029))
                    .map(|hit| albedo(&material, &[], &hit, footprint)[0])
                    .collect();
                let mean = values.iter().sum::<f32>() / values.len() as f32;
                let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / values.len() as f32;
                (mean, variance.sqrt())
            };
            let (near, far) = (look(0.001), look(2.0));
            assert!((near.0 - far.0).abs() < 0.06, "{texture:?}: {near:?} {far:?}");
            assert!(texture == Texture::Plain || near.1 > 0.02, "{texture:?}: {near:?}");
            let is_print = matches!(texture, Texture::Labels { .. });
            assert!(is_print || far.1 < 0.02, "{texture:?}: {far:?}");
        }
    }

    #[test]
    fn images_repeat_and_have_their_top_row_at_the_top() {
        let image = RgbTexture { width: 1, height: 2, pixels: vec![[1.0; 3], [0.0; 3]] };
        let material = Material { texture: Texture::Image { index: 0 }, ..Material::matt("test", [1.0; 3]) };
        let red = |x, y| albedo(&material, std::slice::from_ref(&image), &hit(x, y), 0.01)[0];
        assert_eq!((red(0.5, 0.25), red(0.5, 0.75), red(-3.5, 5.25)), (1.0, 0.0, 1.0));
        assert_eq!(albedo(&material, &[], &hit(0.1, 0.1), 0.01), [1.0; 3]);
    }
}
