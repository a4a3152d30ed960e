//! The camera: what each pixel sees, and its exact depth.
//!
//! A frame is rendered in strips of rows, in parallel. Every pixel gets one ray through its centre at the
//! middle of the shutter time; glass and mirrors get more. Shadows are looked up once for neighbours on one
//! surface, ambient light is sampled once for four pixels and smoothed. Then come motion blur, exposure,
//! vignetting, the photons' and the amplifier's noise, and the tone curve.

mod film;
mod lamps;
mod motion_blur;
mod pattern;
mod samples;
mod shading;
mod squares;
mod strip;

use glam::Vec3A;
use rayon::prelude::*;

use crate::geometry::{CameraModel, RayTable};
use crate::sim::{Random, SensorMotion, Snapshot};

pub use film::Film;
use lamps::LampTable;

/// The stream of what a camera draws.
const CAMERA: u64 = 0x4341_4D00;
/// Beyond it there is sky, metres.
const FAR_M: f32 = 500.0;
/// Rows rendered by one task. Even, as pixels share their shadows in squares of two.
const STRIP_ROWS: usize = 16;

/// A rendered frame; its buffers are reused.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CameraFrame {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Red, green, blue, row by row.
    pub rgb: Vec<u8>,
    /// Along the optical axis, metres; +Inf for the sky, NaN where the lens has no ray. Windows are looked
    /// through.
    pub depth_m: Vec<f32>,
    /// Linear colours before the film.
    radiance: Vec<[f32; 3]>,
    /// Pixels each one moves by while the shutter is open.
    flow: Vec<[f32; 2]>,
    blurred: Vec<[f32; 3]>,
}

/// A camera ready to render.
pub struct Camera {
    model: CameraModel,
    rays: RayTable,
    film: Film,
    /// Width of a pixel at 1 m, metres.
    pixel_m: f32,
}

impl Camera {
    /// A camera with the film's properties.
    pub fn new(model: CameraModel, film: Film) -> Self {
        let rays = RayTable::new(&model);
        let pixel_m = (1.0 / model.fx) as f32;
        Self { model, rays, film, pixel_m }
    }

    /// Its calibration.
    pub fn model(&self) -> &CameraModel {
        &self.model
    }

    /// Renders the frame whose shutter is open during the snapshot. `motion` is that of the optical frame.
    /// Equal arguments give equal bytes at any number of threads.
    pub fn render(
        &self,
        snapshot: &Snapshot<'_>,
        motion: &SensorMotion,
        seed: u64,
        number: u64,
        frame: &mut CameraFrame,
    ) {
        let (width, height) = (self.model.width as usize, self.model.height as usize);
        frame.resize(width, height);
        let strip = STRIP_ROWS * width;
        let view = shading::View { snapshot, lamps: LampTable::new(&snapshot.world().lighting.lights) };
        frame
            .radiance
            .par_chunks_mut(strip)
            .zip(frame.depth_m.par_chunks_mut(strip))
            .zip(frame.flow.par_chunks_mut(strip))
            .enumerate()
            .for_each_init(strip::Scratch::default, |scratch, (index, ((radiance, depth_m), flow))| {
                let random = Random::new(seed, &[CAMERA, number, index as u64]);
                let strip = strip::Strip { camera: self, view: &view, motion, first_row: index * STRIP_ROWS };
                strip.render(random, scratch, &mut strip::Output { radiance, depth_m, flow });
            });
        motion_blur::blur(frame);
        self.film.develop(frame, seed, number);
    }

    /// The ray of a pixel in the optical frame with z = 1; `None` where the lens has none.
    fn ray(&self, row: usize, column: usize) -> Option<Vec3A> {
        let &[x, y] = self.rays.row(row).get(column)?;
        x.is_finite().then_some(Vec3A::new(x, y, 1.0))
    }
}

impl CameraFrame {
    fn resize(&mut self, width: usize, height: usize) {
        let pixels = width * height;
        (self.width, self.height) = (width, height);
        self.rgb.resize(3 * pixels, 0);
        self.depth_m.resize(pixels, 0.0);
        self.radiance.resize(pixels, [0.0; 3]);
        self.flow.resize(pixels, [0.0; 2]);
        self.blurred.resize(pixels, [0.0; 3]);
    }
}

#[cfg(test)]
#[path = "camera_tests.rs"]
mod tests;
