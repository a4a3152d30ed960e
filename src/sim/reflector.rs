//! Corner reflectors and other bright points that are too small for geometry.

use glam::Vec3;

/// A point that sends a radar's power back to all sides; other sensors do not see it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PointReflector {
    /// World, metres.
    pub position: Vec3,
    /// Radar cross-section, square metres: 4π a⁴ / (3 λ²) for a trihedral corner of edge a, that is 84 for
    /// 10 cm at 77 GHz.
    pub rcs_m2: f32,
}
