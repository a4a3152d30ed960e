//! Where a box appears in an image.

use nalgebra::Point3;

use super::{Box3d, CameraModel, Pose};

/// What is nearer to the camera's plane than this is cut off, metres: it has no place in the image.
const NEAR_M: f64 = 0.01;
/// Corners that an edge joins: a bit each for x, y and z.
const EDGES: [[usize; 2]; 12] =
    [[0, 1], [2, 3], [4, 5], [6, 7], [0, 2], [1, 3], [4, 6], [5, 7], [0, 4], [1, 5], [2, 6], [3, 7]];

impl Box3d {
    /// All eight corners.
    pub fn corners(&self) -> [Point3<f64>; 8] {
        let (sin, cos) = self.yaw.sin_cos();
        let half = 0.5 * self.size;
        std::array::from_fn(|corner| {
            let side = |axis: usize| if corner >> axis & 1 == 1 { half[axis] } else { -half[axis] };
            let (x, y, z) = (side(0), side(1), side(2));
            let c = self.center;
            Point3::new(c.x + cos * x - sin * y, c.y + sin * x + cos * y, c.z + z)
        })
    }
}

/// Left, top, right and bottom of the smallest upright rectangle about the part of a box that is before the camera,
/// within the image, pixels (the centre of the first one is 0). `None` where nothing of it is in the image.
/// `t_camera_box` maps the box's frame into the optical one. Edges are straight in images without distortion only.
pub fn image_box(camera: &CameraModel, box3d: &Box3d, t_camera_box: &Pose) -> Option<[f64; 4]> {
    let corners = box3d.corners().map(|corner| t_camera_box * corner);
    let cut = EDGES.iter().filter_map(|edge| {
        let [a, b] = edge.map(|corner| corners.get(corner));
        let (a, b) = a.zip(b)?;
        let share = (NEAR_M - a.z) / (b.z - a.z);
        ((a.z < NEAR_M) != (b.z < NEAR_M)).then(|| a + share * (b - a))
    });
    let before = corners.iter().copied().filter(|corner| corner.z >= NEAR_M);
    let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
    for (u, v) in before.chain(cut).filter_map(|point| camera.project(&point)) {
        low = [low[0].min(u), low[1].min(v)];
        high = [high[0].max(u), high[1].max(v)];
    }
    let last = [f64::from(camera.width) - 1.0, f64::from(camera.height) - 1.0];
    let [left, top] = low.map(|edge| edge.max(0.0));
    let (right, bottom) = (high[0].min(last[0]), high[1].min(last[1]));
    (left < right && top < bottom).then_some([left, top, right, bottom])
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector3;

    use super::*;
    use crate::geometry::pose_from_parts;

    /// Looks along x.
    fn pose() -> Pose {
        pose_from_parts([0.0; 3], [0.5, -0.5, 0.5, 0.5]).unwrap()
    }

    fn boxed(center: [f64; 3], size: [f64; 3]) -> Box3d {
        Box3d { center: Point3::from(center), size: Vector3::from(size), yaw: 0.0 }
    }

    #[test]
    fn a_box_is_seen_where_its_corners_are_and_cut_at_the_edges() {
        let camera = CameraModel::pinhole(200, 100, 100.0, 100.0, 100.0, 50.0).unwrap();
        let seen = |center, size| image_box(&camera, &boxed(center, size), &pose());
        // Its front is 9 m away, 2 m wide and 1 m high.
        let [left, top, right, bottom] = seen([10.0, 0.0, 0.0], [2.0, 2.0, 1.0]).unwrap();
        let near = |found: f64, expected: f64| (found - expected).abs() < 1e-9;
        assert!(near(left, 100.0 - 100.0 / 9.0) && near(right, 100.0 + 100.0 / 9.0));
        assert!(near(top, 50.0 - 50.0 / 9.0) && near(bottom, 50.0 + 50.0 / 9.0));
        // To the left, half outside; beside and behind the camera.
        let [left, _, right, _] = seen([10.0, 10.0, 0.0], [0.1, 2.0, 1.0]).unwrap();
        assert!(left == 0.0 && right > 9.0 && right < 11.0, "{left} {right}");
        assert_eq!(seen([10.0, 20.0, 0.0], [1.0; 3]), None);
        assert_eq!(seen([-10.0, 0.0, 0.0], [1.0; 3]), None);
        // One that the camera is in fills the image.
        assert_eq!(seen([0.0; 3], [4.0, 2.0, 2.0]), Some([0.0, 0.0, 199.0, 99.0]));
    }

    #[test]
    fn corners_are_those_of_the_footprint_below_and_above() {
        let box3d = Box3d { yaw: 0.7, ..boxed([1.0, 2.0, 3.0], [4.0, 2.0, 1.0]) };
        for corner in box3d.corners() {
            let of_footprint =
                box3d.corners_bev().iter().filter(|bev| (*bev - corner.xy()).norm() < 1e-12).count();
            assert!(of_footprint == 1 && (corner.z - 3.0).abs() == 0.5, "{corner}");
        }
    }
}
