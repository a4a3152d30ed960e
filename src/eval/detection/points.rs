//! Which boxes a LiDAR has seen anything of.

use nalgebra::{Vector2, Vector3};

use crate::geometry::Box3d;

/// A box made ready to be asked about many points.
struct Shape {
    index: usize,
    center: Vector3<f32>,
    half: Vector3<f32>,
    forward: Vector2<f32>,
    /// Square of the largest distance from the centre, seen from above
    reach_m2: f32,
}

impl Shape {
    fn contains(&self, [x, y, z]: [f32; 3]) -> bool {
        let (dx, dy) = (x - self.center.x, y - self.center.y);
        dx * dx + dy * dy <= self.reach_m2
            && (dx * self.forward.x + dy * self.forward.y).abs() <= self.half.x
            && (dy * self.forward.x - dx * self.forward.y).abs() <= self.half.y
            && (z - self.center.z).abs() <= self.half.z
    }
}

/// For each box, whether any of the points (metres, the boxes' frame) is inside it. A box that has
/// one is not looked at again.
pub fn has_point(boxes: &[Box3d], points: impl Iterator<Item = [f32; 3]>) -> Vec<bool> {
    let mut has = vec![false; boxes.len()];
    let mut empty: Vec<Shape> = boxes
        .iter()
        .enumerate()
        .map(|(index, box3d)| {
            let half = (0.5 * box3d.size).cast::<f32>();
            let (sin, cos) = box3d.yaw.sin_cos();
            let center = box3d.center.coords.cast::<f32>();
            let reach_m2 = half.x * half.x + half.y * half.y;
            Shape { index, center, half, forward: Vector2::new(cos as f32, sin as f32), reach_m2 }
        })
        .collect();
    // Objects are met by runs of points, so that most of the boxes are out soon.
    points.for_each(|point| {
        if let Some(position) = empty.iter().position(|shape| shape.contains(point)) {
            let shape = empty.swap_remove(position);
            if let Some(has) = has.get_mut(shape.index) {
                *has = true;
            }
            // Boxes may overlap.
            empty.retain(|shape| {
                let inside = shape.contains(point);
                if inside && let Some(has) = has.get_mut(shape.index) {
                    *has = true;
                }
                !inside
            });
        }
    });
    has
}

#[cfg(test)]
mod tests {
    use nalgebra::Point3;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_what_asking_each_box_about_each_point_gives(
            boxes in prop::collection::vec(
                (prop::array::uniform2(-5.0..5.0), prop::array::uniform3(0.2..4.0), -4.0..4.0), 0..8),
            points in prop::collection::vec(prop::array::uniform3(-6.0_f32..6.0), 0..20),
        ) {
            let boxes: Vec<Box3d> = boxes
                .into_iter()
                .map(|([x, y], size, yaw): ([f64; 2], [f64; 3], f64)| Box3d {
                    center: Point3::new(x, y, 0.5),
                    size: size.into(),
                    yaw,
                })
                .collect();
            let expected: Vec<bool> = boxes
                .iter()
                .map(|b| points.iter().any(|p| b.contains(&Point3::from(*p).cast())))
                .collect();
            prop_assert_eq!(has_point(&boxes, points.iter().copied()), expected);
        }
    }
}
