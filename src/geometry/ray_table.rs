//! Viewing rays of the pixels, computed once per camera.

use super::CameraModel;

/// x/z and y/z of the rays through pixel centres, row-major; NaN where the lens model has no ray.
///
/// Undistortion iterates, so a frame's worth of it costs more than the network's post-processing:
/// make the table once and keep it while [`Self::is_for`] holds. It holds only the pixels that are
/// asked for, as every ray is read from memory for every frame.
#[derive(Clone, Debug)]
pub struct RayTable {
    camera: CameraModel,
    stride: usize,
    columns: usize,
    rays: Vec<[f32; 2]>,
}

impl RayTable {
    /// The rays of every pixel of a camera, `width × height` of them.
    pub fn new(camera: &CameraModel) -> Self {
        Self::sampled(camera, 1)
    }

    /// The rays of every `stride`-th column of every `stride`-th row, from the first; 0 is taken as 1.
    pub fn sampled(camera: &CameraModel, stride: usize) -> Self {
        let stride = stride.max(1);
        let columns = (camera.width as usize).div_ceil(stride);
        let mut rays = Vec::with_capacity(columns * (camera.height as usize).div_ceil(stride));
        for v in (0..camera.height).step_by(stride) {
            rays.extend((0..camera.width).step_by(stride).map(|u| {
                camera
                    .unproject(f64::from(u), f64::from(v))
                    .map_or([f32::NAN; 2], |ray| [ray.x as f32, ray.y as f32])
            }));
        }
        Self { camera: camera.clone(), stride, columns, rays }
    }

    /// Whether the table holds the rays of this camera at this stride.
    pub fn is_for(&self, camera: &CameraModel, stride: usize) -> bool {
        self.stride == stride.max(1) && self.camera == *camera
    }

    /// Distance of the sampled pixels, in columns and in rows.
    pub const fn stride(&self) -> usize {
        self.stride
    }

    /// Width and height of the camera's images.
    pub const fn image_size(&self) -> (usize, usize) {
        (self.camera.width as usize, self.camera.height as usize)
    }

    /// (x/z, y/z) of the sampled pixels, row-major.
    pub fn rays(&self) -> &[[f32; 2]] {
        &self.rays
    }

    /// (x/z, y/z) of the `n`-th sampled row, that of image row `n · stride`; empty below the image.
    pub fn row(&self, n: usize) -> &[[f32; 2]] {
        n.checked_mul(self.columns)
            .and_then(|start| self.rays.get(start..start + self.columns))
            .unwrap_or(&[])
    }
}
