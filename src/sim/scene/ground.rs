//! Surfaces of the ground outdoors.

use std::f32::consts::TAU;

use glam::{Affine3A, Vec2, Vec3};

use super::stage::Stage;
use crate::sim::{MaterialId, Mesh, Random};

/// Long waves that are nowhere steeper than a slope: height in metres at a point.
#[derive(Clone, Debug, PartialEq)]
pub struct Waves {
    /// Wave numbers along x and y, phase, amplitude.
    parts: Vec<(Vec2, f32, f32)>,
    /// So that the origin is at height 0.
    offset: f32,
}

impl Waves {
    /// Waves with lengths in a range, metres; those along x only leave the ground level across.
    pub fn new(random: &mut Random, slope_deg: f32, lengths: [f32; 2], count: usize, across: bool) -> Self {
        let steepest = slope_deg.to_radians().tan() / count.max(1) as f32;
        let parts = (0..count).map(|_| {
            let angle = if across { TAU * random.unit() } else { 0.0 };
            let number = TAU / random.log_between(lengths[0], lengths[1]);
            (number * Vec2::from_angle(angle), TAU * random.unit(), steepest / number)
        });
        let mut waves = Self { parts: parts.collect(), offset: 0.0 };
        waves.offset = -waves.height(Vec2::ZERO);
        waves
    }

    /// Metres above the origin.
    pub fn height(&self, at: Vec2) -> f32 {
        let part =
            |&(number, phase, amplitude): &(Vec2, f32, f32)| amplitude * (number.dot(at) + phase).sin();
        self.offset + self.parts.iter().map(part).sum::<f32>()
    }
}

/// Covers a rectangle of the ground, `lift` metres above it, in cells of about `cell_m`.
pub fn cover(
    stage: &mut Stage,
    material: MaterialId,
    [low, high]: [Vec2; 2],
    cell_m: Vec2,
    lift: impl Fn(Vec2) -> f32,
) {
    let middle = low.midpoint(high);
    let size = high - low;
    let cells = (size / cell_m).ceil().max(Vec2::ONE);
    let at = Affine3A::from_translation(Vec3::new(middle.x, middle.y, 0.0));
    let mut mesh = Mesh::default();
    mesh.add_height_field(material, &at, size.into(), [cells.x as u32, cells.y as u32], |x, y| {
        let at = middle + Vec2::new(x, y);
        stage.height(at) + lift(at)
    });
    stage.builder.scenery(&mesh, &Affine3A::IDENTITY);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_place_is_steeper_than_asked_and_the_origin_is_at_zero() {
        for seed in 0..20 {
            let waves = Waves::new(&mut Random::new(seed, &[]), 5.0, [20.0, 90.0], 4, true);
            assert!(waves.height(Vec2::ZERO).abs() < 1e-4);
            let mut steepest = 0.0_f32;
            for k in 0..4000 {
                let at = Vec2::new((k % 63) as f32, (k / 63) as f32) * 2.1;
                let rise = |step: Vec2| (waves.height(at + step) - waves.height(at)) / 0.1;
                steepest = steepest.max(rise(Vec2::new(0.1, 0.0)).hypot(rise(Vec2::new(0.0, 0.1))));
            }
            assert!(steepest < 5.1_f32.to_radians().tan() && steepest > 0.02, "{steepest}");
        }
    }
}
