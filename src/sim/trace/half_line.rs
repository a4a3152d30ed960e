//! A ray as the tree's nodes want it.

use glam::Vec3A;

use crate::sim::{Placement, Ray};

/// Components of a direction nearer to zero count as this: their inverse stays finite, so that no box
/// test meets 0 · ∞.
const LEAST_COMPONENT: f32 = 1e-20;

/// Part of a half-line, with what box tests need of its direction.
#[derive(Clone, Copy, Debug)]
pub struct HalfLine {
    /// Metres.
    pub origin: [f32; 3],
    /// Unit vector.
    pub direction: [f32; 3],
    /// One over each component.
    pub inverse: [f32; 3],
    /// Where the part begins, metres.
    pub min_m: f32,
    /// Where it ends, metres.
    pub max_m: f32,
}

impl HalfLine {
    /// The part between two distances.
    pub fn new(origin: Vec3A, direction: Vec3A, min_m: f32, max_m: f32) -> Self {
        let inverse = direction.to_array().map(|component| {
            if component.abs() < LEAST_COMPONENT { 1.0 / LEAST_COMPONENT } else { 1.0 / component }
        });
        Self { origin: origin.to_array(), direction: direction.to_array(), inverse, min_m, max_m }
    }

    /// The same part of a ray of the world, from `min_m` on.
    pub fn of(ray: &Ray, min_m: f32) -> Self {
        Self::new(ray.origin, ray.direction, min_m, ray.max_m)
    }

    /// It in the frame of something that stands there.
    pub fn seen_from(&self, placement: &Placement) -> Self {
        let back = placement.rotation.inverse();
        let origin = back * (Vec3A::from(self.origin) - placement.position);
        Self::new(origin, back * Vec3A::from(self.direction), self.min_m, self.max_m)
    }
}
