//! The camera of a data set, and LiDAR points as its depth.

use nalgebra::Point3;

use crate::geometry::Pose;
use crate::message::{CameraInfo, Header};

/// A camera: focal lengths and principal point in pixels, and the `plumb_bob` coefficients k1 k2 p1 p2 k3.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pinhole {
    pub fx: f64,
    pub fy: f64,
    pub cx: f64,
    pub cy: f64,
    pub d: [f64; 5],
}

impl Pinhole {
    /// Without distortion. `None` unless the focal lengths are positive and all numbers finite.
    pub fn new([fx, fy, cx, cy]: [f64; 4]) -> Option<Self> {
        let usable = fx > 0.0 && fy > 0.0 && [fx, fy, cx, cy].iter().all(|value| value.is_finite());
        usable.then_some(Self { fx, fy, cx, cy, d: [0.0; 5] })
    }

    /// The message for an image of this size.
    pub fn camera_info<'a>(&self, header: Header<'a>, width: u32, height: u32) -> CameraInfo<'a> {
        let Self { fx, fy, cx, cy, d } = *self;
        CameraInfo {
            header,
            height,
            width,
            distortion_model: "plumb_bob",
            d: d.into_iter().collect(),
            k: [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
            r: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
            p: [fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
            ..CameraInfo::default()
        }
    }
}

/// The depth that LiDAR points give in an image without distortion; its memory is used again.
#[derive(Debug, Default)]
pub(super) struct SparseDepth {
    depth_m: Vec<f32>,
}

impl SparseDepth {
    /// Metres along the optical axis, row-major: of the points that fall on a pixel, the nearest; NaN without
    /// any. `t_camera_lidar` maps the points into the optical frame.
    pub fn draw(
        &mut self,
        lens: &Pinhole,
        (width, height): (u32, u32),
        t_camera_lidar: &Pose,
        points: impl Iterator<Item = [f32; 3]>,
    ) -> &[f32] {
        self.depth_m.clear();
        self.depth_m.resize(width as usize * height as usize, f32::NAN);
        for point in points {
            let p = t_camera_lidar * Point3::from(point.map(f64::from));
            if p.z <= 0.0 {
                continue;
            }
            // Pixel centres lie at whole numbers. What is not finite is in no column.
            let column = (lens.fx * p.x / p.z + lens.cx).round();
            let row = (lens.fy * p.y / p.z + lens.cy).round();
            let is_inside =
                (0.0..f64::from(width)).contains(&column) && (0.0..f64::from(height)).contains(&row);
            if !is_inside {
                continue;
            }
            if let Some(depth_m) = self.depth_m.get_mut(row as usize * width as usize + column as usize) {
                // `min` takes the number where the other is NaN.
                *depth_m = depth_m.min(p.z as f32);
            }
        }
        &self.depth_m
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_point_on_a_pixel_counts() {
        let lens = Pinhole::new([100.0, 100.0, 2.0, 1.0]).unwrap();
        let points = [[0.0, 0.0, 8.0], [0.0, 0.0, 5.0], [0.05, 0.0, 5.0], [0.0, 0.0, -5.0], [9.0, 0.0, 1.0]];
        let points = points.into_iter().chain([[f32::NAN, 0.0, 1.0], [f32::INFINITY; 3]]);
        let mut depth = SparseDepth::default();
        let found = depth.draw(&lens, (4, 3), &Pose::identity(), points).to_vec();
        assert_eq!(found.len(), 12);
        let seen: Vec<_> = (0..).zip(&found).filter(|(_, m)| m.is_finite()).collect();
        assert_eq!(seen, [(6, &5.0), (7, &5.0)]);
        assert!(Pinhole::new([0.0, 1.0, 0.0, 0.0]).is_none() && Pinhole::new([f64::NAN; 4]).is_none());
    }
}
