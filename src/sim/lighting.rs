//! Where light comes from and what the air does to it. Colours are linear; 1 is a white surface in the sun
//! at noon.

use glam::Vec3;

/// The light of a scene.
#[derive(Clone, Debug, PartialEq)]
pub struct Lighting {
    /// Unit vector towards the sun.
    pub sun_direction: Vec3,
    /// Irradiance of a surface that faces the sun; zeros indoors, at night and under clouds.
    pub sun: [f32; 3],
    /// Radiance of the sky overhead; indoors what comes from the ceiling.
    pub zenith: [f32; 3],
    /// Radiance of the sky near the horizon; indoors what comes from the walls.
    pub horizon: [f32; 3],
    /// Light that comes back from the ground.
    pub ground: [f32; 3],
    /// Lamps, headlights.
    pub lights: Vec<Light>,
    /// Share of visible light lost a metre, 1/m: 0.0002 clear air, 0.003 haze, 0.03 fog.
    pub haze_per_m: f32,
    /// Radiance of the haze.
    pub haze: [f32; 3],
}

impl Default for Lighting {
    /// Clear noon.
    fn default() -> Self {
        Self {
            sun_direction: Vec3::new(0.4, 0.3, 0.866).normalize(),
            sun: [0.9, 0.87, 0.8],
            zenith: [0.15, 0.25, 0.45],
            horizon: [0.35, 0.4, 0.45],
            ground: [0.12, 0.11, 0.1],
            lights: Vec::new(),
            haze_per_m: 0.0002,
            haze: [0.4, 0.43, 0.46],
        }
    }
}

/// A lamp that shines to all sides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Light {
    /// World, metres.
    pub position: Vec3,
    /// Irradiance of a surface that faces it from 1 m away.
    pub colour: [f32; 3],
    /// It is not looked at from farther away, metres.
    pub range_m: f32,
}
