//! Kinds of surfaces that the palette's materials are: what they share, with the spread of single seeds.

use crate::sim::{Material, Random, Texture};

/// Dirt and grain.
pub fn noise(scale_m: f32, contrast: f32) -> Texture {
    Texture::Noise { scale_m, contrast }
}

/// Pieces with joints of one grey.
pub fn tile(size_m: [f32; 2], gap_m: f32, staggered: bool, gap: f32, contrast: f32) -> Texture {
    Texture::Grid { size_m, gap_m, staggered, gap: [gap; 3], contrast }
}

/// Planks, corrugations, warning stripes.
pub fn bands(period_m: f32, angle: f32, share: f32, other: [f32; 3]) -> Texture {
    Texture::Stripes { period_m, angle, share, other }
}

/// Print.
pub fn labels(scale_m: f32, other: [f32; 3]) -> Texture {
    Texture::Labels { scale_m, other }
}

/// Mineral and living things, matt to light: reflectivities at 905 nm and 77 GHz, roughness to the radar.
pub fn ground(
    texture: Texture,
    lidar: f32,
    radar: f32,
    roughness_mm: f32,
) -> impl Fn(&mut Random, &mut Material) {
    move |r, m| {
        m.texture = texture;
        m.lidar_reflectivity = lidar * r.between(0.8, 1.25);
        m.radar_reflectivity = radar * r.between(0.8, 1.25);
        m.radar_roughness_mm = roughness_mm * r.between(0.7, 1.4);
    }
}

/// Plastics with a smooth surface.
pub fn glossy(specular: f32, roughness: f32) -> impl Fn(&mut Random, &mut Material) {
    move |r, m| {
        m.specular = specular;
        m.roughness = (roughness * r.between(0.6, 1.6)).min(1.0);
    }
}

/// Sheet and sections of metal.
pub fn metal(specular: f32, roughness: f32, lidar: f32) -> impl Fn(&mut Random, &mut Material) {
    move |r, m| {
        m.specular = specular;
        m.roughness = roughness * r.between(0.7, 1.3);
        m.lidar_reflectivity = lidar * r.between(0.75, 1.3);
        m.radar_reflectivity = 0.97;
        m.radar_roughness_mm = 0.1;
        m.texture = Texture::Noise { scale_m: 0.6, contrast: r.between(0.0, 0.12) };
    }
}

/// Metal under paint, whose colour decides at 905 nm.
pub fn painted(r: &mut Random, m: &mut Material) {
    metal(0.05, 0.25, 0.4)(r, m);
    m.lidar_reflectivity = brightness(m, 0.08) * r.between(0.75, 1.3);
}

/// Wood, cardboard, cloth, rubber.
pub fn stuff(texture: Texture, lidar: f32, radar: f32) -> impl Fn(&mut Random, &mut Material) {
    move |r, m| {
        m.texture = texture;
        m.lidar_reflectivity = lidar * r.between(0.8, 1.2);
        m.radar_reflectivity = radar * r.between(0.8, 1.2);
        m.radar_roughness_mm = 0.5;
    }
}

/// Lamps and displays.
pub fn glowing(strength: f32) -> impl Fn(&mut Random, &mut Material) {
    move |_, m| {
        m.emission = m.albedo.map(|c| c * strength);
        m.specular = 0.05;
        m.roughness = 0.1;
    }
}

/// Retroreflective sheets on metal.
pub fn sheet(lidar: f32) -> impl Fn(&mut Random, &mut Material) {
    move |r, m| {
        m.lidar_reflectivity = lidar * r.between(0.6, 1.3);
        m.radar_reflectivity = 0.9;
        m.radar_roughness_mm = 0.1;
    }
}

/// What a colour suggests at 905 nm, where `least` is what black reflects: 1 for a white as bright as the
/// reference of the makers.
pub fn brightness(material: &Material, least: f32) -> f32 {
    let [red, green, blue] = material.albedo;
    least + 1.25 * (1.0 - least) * (red + green + blue) / 3.0
}
