//! Viewing rays of every pixel, computed once per camera.

use super::CameraModel;

/// x/z and y/z of the ray through every pixel centre, row-major; NaN where the lens model has no ray.
///
/// Undistortion iterates, so a frame's worth of it costs more than the network's post-processing:
/// make the table once and keep it while [`Self::is_for`] holds.
#[derive(Clone, Debug)]
pub struct RayTable {
    camera: CameraModel,
    rays: Vec<[f32; 2]>,
}

impl RayTable {
    /// The rays of a camera, `width × height` of them.
    pub fn new(camera: &CameraModel) -> Self {
        let mut rays = Vec::with_capacity(camera.width as usize * camera.height as usize);
        for v in 0..camera.height {
            rays.extend((0..camera.width).map(|u| {
                camera
                    .unproject(f64::from(u), f64::from(v))
                    .map_or([f32::NAN; 2], |ray| [ray.x as f32, ray.y as f32])
            }));
        }
        Self { camera: camera.clone(), rays }
    }

    /// Whether the table holds the rays of this camera.
    pub fn is_for(&self, camera: &CameraModel) -> bool {
        self.camera == *camera
    }

    /// (x/z, y/z) per pixel, row-major.
    pub fn rays(&self) -> &[[f32; 2]] {
        &self.rays
    }

    /// (x/z, y/z) of one row; empty outside the image.
    pub fn row(&self, v: usize) -> &[[f32; 2]] {
        let width = self.camera.width as usize;
        v.checked_mul(width).and_then(|start| self.rays.get(start..start + width)).unwrap_or(&[])
    }
}
