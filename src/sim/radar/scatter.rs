//! How a surface scatters at 77 GHz.
//!
//! Three parts: a mirror with the share that a rough surface keeps in phase, exp(−(4π h cos θ / λ)²) (Ament
//! 1953); of the rest, half a broad lobe of tilted facets, half evenly out of a layer (Lommel and Seeliger): back
//! to the radar that is the constant-γ law of ground clutter, σ⁰ = γ cos θ. Lobes are those of
//! geometrical optics, σ⁰ = π Γ D(h) with Beckmann's distribution of slopes D. The mirror is given a lobe as
//! narrow as rays can find: a plane then has the cross-section Γ π R² of its image, however narrow.

use std::f32::consts::{PI, TAU};

use glam::Vec3A;

use crate::sim::Material;

/// Wavelength at 77 GHz, millimetres.
const WAVELENGTH_MM: f32 = 3.893;
/// Root mean square slope of the broad lobe: mineral surfaces at the scale of millimetres.
const ROUGH_SLOPE: f32 = 0.25;
/// Scattering albedo of the layer for each unit of reflectivity: at 60° it then sends back the reflectivity.
const ALBEDO: f32 = 4.44;
/// And its most: at grazing incidence it then sends back all.
const MOST_ALBEDO: f32 = 2.0;
/// Lobes are not followed beyond grazing, where facets shade each other.
const LEAST_COSINE: f32 = 0.03;

/// Cross-sections of a surface for each square metre, in two directions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scattering {
    /// About the mirror's direction.
    pub mirror: f32,
    /// To all sides.
    pub diffuse: f32,
}

/// The share of power that is reflected at an angle of incidence (Schlick).
pub(super) fn reflectance(material: &Material, cosine: f32) -> f32 {
    let normal = material.radar_reflectivity.clamp(0.0, 1.0);
    normal + (1.0 - normal) * (1.0 - cosine.clamp(0.0, 1.0)).powi(5)
}

/// The share of power that a mirror in the surface's place keeps together.
pub(super) fn mirror_share(material: &Material, cosine: f32) -> f32 {
    reflectance(material, cosine) * coherence(material, cosine)
}

/// Scattering from the travelling direction `incoming` to `outgoing`. `finest` is the slope of the narrowest
/// lobe that is told apart.
pub(super) fn scattering(
    material: &Material,
    normal: Vec3A,
    incoming: Vec3A,
    outgoing: Vec3A,
    finest: f32,
) -> Scattering {
    let (cos_in, cos_out) = (-normal.dot(incoming), normal.dot(outgoing));
    if cos_in < LEAST_COSINE || cos_out < LEAST_COSINE {
        return Scattering { mirror: 0.0, diffuse: 0.0 };
    }
    let half = (outgoing - incoming).normalize_or_zero();
    let reflected = reflectance(material, outgoing.dot(half));
    let coherent = coherence(material, cos_in);
    let rest = 0.5 * (1.0 - coherent);
    let cos_half = normal.dot(half);
    let albedo = (ALBEDO * material.radar_reflectivity).min(MOST_ALBEDO);
    Scattering {
        mirror: PI * reflected * coherent * beckmann(cos_half, finest),
        diffuse: PI * reflected * rest * beckmann(cos_half, ROUGH_SLOPE.max(finest))
            + albedo * rest * cos_in * cos_out / (cos_in + cos_out),
    }
}

fn coherence(material: &Material, cosine: f32) -> f32 {
    let phase = 2.0 * TAU * material.radar_roughness_mm * cosine / WAVELENGTH_MM;
    (-phase * phase).exp()
}

/// Density of facets by the cosine to the surface's normal, for a root mean square slope along one axis.
fn beckmann(cosine: f32, slope: f32) -> f32 {
    let square = cosine * cosine;
    if square < 1e-4 {
        return 0.0;
    }
    let tangent_square = (1.0 - square).max(0.0) / square;
    (-tangent_square / (2.0 * slope * slope)).exp() / (TAU * slope * slope * square * square)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_has_the_cross_section_of_its_image() {
        let metal = Material {
            radar_reflectivity: 1.0,
            radar_roughness_mm: 0.0,
            ..Material::matt("metal", [0.5; 3])
        };
        for finest in [0.01, 0.04] {
            // Integrated over the plane z = 0 seen from 1 m above, ring by ring.
            let ring = |k: i32| {
                let radius = (k as f32 + 0.5) * 1e-3;
                let down = Vec3A::new(radius, 0.0, -1.0).normalize();
                let seen = scattering(&metal, Vec3A::Z, down, -down, finest);
                assert_eq!(seen.diffuse, 0.0);
                seen.mirror * TAU * radius * 1e-3
            };
            let total: f32 = (0..400).map(ring).sum();
            assert!((total / PI - 1.0).abs() < 0.01, "{finest}: {total}");
        }
    }

    #[test]
    fn no_more_is_scattered_than_arrives() {
        for reflectivity in [0.2, 1.0] {
            let rough = Material {
                radar_reflectivity: reflectivity,
                radar_roughness_mm: 6.0,
                ..Material::matt("rough", [0.5; 3])
            };
            for cosine in [1.0_f32, 0.7, 0.5, 0.3] {
                let incoming = Vec3A::new((1.0 - cosine * cosine).sqrt(), 0.0, -cosine);
                let mut total = 0.0;
                for up in 0..200 {
                    for around in 0..400 {
                        let z = (up as f32 + 0.5) / 200.0;
                        let (sin, cos) = (TAU * around as f32 / 400.0).sin_cos();
                        let flat = (1.0 - z * z).sqrt();
                        let outgoing = Vec3A::new(flat * cos, flat * sin, z);
                        let seen = scattering(&rough, Vec3A::Z, incoming, outgoing, 0.02);
                        assert!(seen.mirror < 1e-6);
                        total += seen.diffuse * TAU / (200.0 * 400.0);
                    }
                }
                let share = total / (2.0 * TAU * cosine);
                assert!(share <= 1.0 && share > 0.5 * reflectivity, "{reflectivity} {cosine}: {share}");
            }
        }
    }

    #[test]
    fn even_scattering_back_falls_with_the_cosine() {
        let rough = Material { radar_roughness_mm: 12.0, ..Material::matt("grass", [0.5; 3]) };
        let back = |cosine: f32| {
            let incoming = Vec3A::new((1.0 - cosine * cosine).sqrt(), 0.0, -cosine);
            scattering(&rough, Vec3A::Z, incoming, -incoming, 0.02).diffuse
        };
        // Far from the facets' lobe.
        assert!((back(0.1) / back(0.2) - 0.5).abs() < 0.01, "{} {}", back(0.1), back(0.2));
    }

    #[test]
    fn roughness_turns_mirrors_into_diffuse_scatterers() {
        let of = |roughness, cosine| {
            mirror_share(&Material { radar_roughness_mm: roughness, ..Material::matt("m", [0.5; 3]) }, cosine)
        };
        assert!(of(0.1, 1.0) > 0.85 * 0.2 && of(2.0, 1.0) < 1e-6);
        // At grazing incidence even asphalt is a mirror.
        assert!(of(1.0, 0.03) > 0.8);
    }
}
