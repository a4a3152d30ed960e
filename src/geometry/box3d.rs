//! Upright 3D boxes.

use nalgebra::{Point2, Point3, Vector3};

/// An upright box, turned about z only, as detectors for ground vehicles use it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Box3d {
    /// Centre, metres.
    pub center: Point3<f64>,
    /// Length along its own x, width along y, height along z, metres.
    pub size: Vector3<f64>,
    /// Heading about z from the frame's x axis, counter-clockwise, radians.
    pub yaw: f64,
}

impl Box3d {
    /// Its footprint, counter-clockwise, front left first.
    pub fn corners_bev(&self) -> [Point2<f64>; 4] {
        let (sin, cos) = self.yaw.sin_cos();
        let (l, w) = (0.5 * self.size.x, 0.5 * self.size.y);
        [(l, w), (-l, w), (-l, -w), (l, -w)]
            .map(|(x, y)| Point2::new(self.center.x + cos * x - sin * y, self.center.y + sin * x + cos * y))
    }

    /// Whether a point of the same frame is inside or on the surface.
    pub fn contains(&self, point: &Point3<f64>) -> bool {
        let d = point - self.center;
        let (sin, cos) = self.yaw.sin_cos();
        (cos * d.x + sin * d.y).abs() <= 0.5 * self.size.x
            && (cos * d.y - sin * d.x).abs() <= 0.5 * self.size.y
            && d.z.abs() <= 0.5 * self.size.z
    }

    /// Footprint, m².
    pub fn area_bev(&self) -> f64 {
        self.size.x * self.size.y
    }

    /// m³.
    pub fn volume(&self) -> f64 {
        self.area_bev() * self.size.z
    }
}
