//! The light of a time of day, and that of halls.

use glam::Vec3;

use super::settings::{Quantity, Settings};
use crate::sim::{Light, Lighting, Random};

/// Light outdoors at the settings' hour, under a sky that the seed draws.
pub fn outdoors(settings: &Settings, random: &mut Random, lights: Vec<Light>) -> Lighting {
    let hour = settings.get(Quantity::Hour);
    // Sunrise at six, and as high as in a middle latitude at some time of the year.
    let highest = random.between(0.4, 1.1);
    let height = highest * (std::f32::consts::PI * (hour - 6.0) / 12.0).sin();
    let azimuth = random.between(0.0, std::f32::consts::TAU);
    let (sin, cos) = height.max(0.03).sin_cos();
    let direction = Vec3::new(cos * azimuth.cos(), cos * azimuth.sin(), sin);
    let day = ((height + 0.1) / 0.4).clamp(0.0, 1.0);
    let overcast = if random.chance(0.35) { random.between(0.6, 1.0) } else { random.between(0.0, 0.4) };
    // Low light is red.
    let warm = (1.0 - height / 0.5).clamp(0.0, 1.0);
    let through = (height / 0.15).clamp(0.0, 1.0) * (1.0 - overcast).powi(2);
    let sun = [0.9, 0.87 - 0.25 * warm, 0.8 - 0.5 * warm].map(|c| c * through * (1.0 - 0.4 * warm));
    let mix = |clear: [f32; 3], grey: f32, night: f32| {
        clear.map(|c| night + day * (c + overcast * (grey - c)) * (0.35 + 0.65 * day))
    };
    Lighting {
        sun_direction: direction,
        sun,
        zenith: mix([0.15, 0.25, 0.45], 0.42, 0.004),
        horizon: mix([0.36 + 0.15 * warm, 0.4, 0.45 - 0.1 * warm], 0.36, 0.008),
        ground: mix([0.12, 0.11, 0.1], 0.1, 0.003),
        lights,
        haze_per_m: settings.get(Quantity::HazePerM),
        haze: mix([0.4, 0.43, 0.46], 0.42, 0.01),
    }
}

/// Light indoors: what lamps do not reach gets the light that walls and ceiling send back.
pub fn indoors(settings: &Settings, random: &mut Random, lights: Vec<Light>) -> Lighting {
    let level = settings.get(Quantity::Lamps);
    let warm = random.between(0.85, 1.1);
    let back = |strength: f32| [strength * warm, strength, strength / warm].map(|c| c * level);
    Lighting {
        sun_direction: Vec3::Z,
        sun: [0.0; 3],
        zenith: back(random.between(0.05, 0.12)),
        horizon: back(random.between(0.05, 0.10)),
        ground: back(random.between(0.03, 0.06)),
        lights,
        haze_per_m: settings.get(Quantity::HazePerM),
        haze: back(0.08),
    }
}
