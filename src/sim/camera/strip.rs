//! Some rows of a frame.

use glam::{Vec3, Vec3A};
use nalgebra::Point3;

use super::{
    Camera, FAR_M, shading,
    shading::{Lamps, Shared, Visibility},
};
use crate::sim::{Hit, Placement, Random, Ray, SensorMotion, Snapshot};

/// Surfaces whose normals and distances differ less share their shadows.
const SAME_NORMAL: f32 = 0.96;
const SAME_DISTANCE: f32 = 0.02;
/// Smoothing of the ambient samples, in squares of two pixels to each side.
const SMOOTH: usize = 3;

/// The rows to render.
pub(super) struct Strip<'a> {
    pub camera: &'a Camera,
    pub snapshot: &'a Snapshot<'a>,
    pub motion: &'a SensorMotion,
    pub first_row: usize,
}

/// Where the pixels of the strip go.
pub(super) struct Output<'a> {
    pub radiance: &'a mut [[f32; 3]],
    pub depth_m: &'a mut [f32],
    pub flow: &'a mut [[f32; 2]],
}

/// Memory that strips hand on.
#[derive(Default)]
pub(super) struct Scratch {
    hits: Vec<Option<(Ray, Hit)>>,
    /// One for each square of two by two pixels: the first hit's place and the samples.
    squares: Vec<Square>,
    smooth: Vec<Visibility>,
}

#[derive(Clone, Copy, Default)]
struct Square {
    distance_m: f32,
    normal: Vec3A,
    visibility: Visibility,
    lamps: Lamps,
    mirrored: Option<[f32; 3]>,
    is_hit: bool,
}

impl Strip<'_> {
    pub fn render(&self, mut random: Random, scratch: &mut Scratch, out: &mut Output<'_>) {
        let width = self.camera.model.width as usize;
        let rows = out.depth_m.len() / width.max(1);
        let pose = self.motion.at(0.5);
        self.cast(&pose, width, rows, scratch);
        self.look_for_light(&mut random, width, rows, scratch);
        Self::smooth(width, rows, scratch);

        let world = self.snapshot.world();
        for row in 0..rows {
            for column in 0..width {
                let pixel = row * width + column;
                let Some((ray, hit)) = scratch.hits.get(pixel).copied().flatten() else {
                    let ray = self.camera.ray(self.first_row + row, column);
                    (out.radiance[pixel], out.depth_m[pixel]) = match ray {
                        Some(ray) => {
                            let direction = (pose.rotation * ray).normalize();
                            let sky = shading::sky(&world.lighting, direction);
                            (shading::air(&world.lighting, sky, FAR_M), f32::INFINITY)
                        }
                        None => ([0.0; 3], f32::NAN),
                    };
                    out.flow[pixel] = [0.0; 2];
                    continue;
                };
                let square_index = (row / 2) * width.div_ceil(2) + column / 2;
                let square = &mut scratch.squares[square_index];
                let mut visibility = scratch.smooth[square_index];
                let own;
                let (lamps, mirrored) = if square.covers(&hit) {
                    (&square.lamps, Some(&mut square.mirrored))
                } else {
                    own = shading::lamps(&world.lighting, &hit);
                    visibility.direct =
                        shading::direct_visibility(self.snapshot, &hit, &own, 0.5, &mut random);
                    (&own, None)
                };
                let shared = Shared { visibility, lamps, mirrored };
                let cosine = -hit.normal.dot(ray.direction);
                let footprint_m = hit.distance_m * self.camera.pixel_m / cosine.max(0.1);
                out.radiance[pixel] =
                    shading::radiance(self.snapshot, &ray, &hit, 0.5, footprint_m, shared, 0);
                let seen = self.through_glass(&ray, hit);
                out.depth_m[pixel] = seen.map_or(f32::INFINITY, |point| pose.to_local(point).z);
                out.flow[pixel] = self.flow(&hit);
            }
        }
    }

    fn cast(&self, pose: &Placement, width: usize, rows: usize, scratch: &mut Scratch) {
        scratch.hits.clear();
        for row in 0..rows {
            for column in 0..width {
                let hit = self.camera.ray(self.first_row + row, column).and_then(|ray| {
                    let direction = (pose.rotation * ray).normalize();
                    let ray = Ray { origin: pose.position, direction, max_m: FAR_M };
                    self.snapshot.cast(&ray, 0.5).map(|hit| (ray, hit))
                });
                scratch.hits.push(hit);
            }
        }
    }

    /// Shadow and ambient samples, one for each square.
    fn look_for_light(&self, random: &mut Random, width: usize, rows: usize, scratch: &mut Scratch) {
        scratch.squares.clear();
        for row in (0..rows).step_by(2) {
            for column in (0..width).step_by(2) {
                let Some((_, hit)) = scratch.hits[row * width + column] else {
                    scratch.squares.push(Square::default());
                    continue;
                };
                let lamps = shading::lamps(&self.snapshot.world().lighting, &hit);
                let visibility = Visibility {
                    direct: shading::direct_visibility(self.snapshot, &hit, &lamps, 0.5, random),
                    ambient: shading::ambient_visibility(self.snapshot, &hit, 0.5, random),
                };
                scratch.squares.push(Square {
                    distance_m: hit.distance_m,
                    normal: hit.normal,
                    visibility,
                    lamps,
                    mirrored: None,
                    is_hit: true,
                });
            }
        }
    }

    /// The means of the samples near by that lie on the same surface: wide for the ambient light, of the next
    /// squares alone for shadows, whose edges are sharper.
    fn smooth(width: usize, rows: usize, scratch: &mut Scratch) {
        let (columns, rows) = (width.div_ceil(2), rows.div_ceil(2));
        scratch.smooth.clear();
        for row in 0..rows {
            for column in 0..columns {
                let here = &scratch.squares[row * columns + column];
                let (mut ambient, mut direct) = (Mean::default(), Mean::default());
                for y in row.saturating_sub(SMOOTH)..(row + SMOOTH + 1).min(rows) {
                    let left = column.saturating_sub(SMOOTH);
                    let right = (column + SMOOTH + 1).min(columns);
                    let others = &scratch.squares[y * columns + left..y * columns + right];
                    for (x, other) in (left..).zip(others) {
                        if other.is_hit && here.is_near(other) {
                            ambient.add(other.visibility.ambient);
                            if y.abs_diff(row) <= 1 && x.abs_diff(column) <= 1 {
                                direct.add(other.visibility.direct);
                            }
                        }
                    }
                }
                scratch.smooth.push(Visibility { direct: direct.get(), ambient: ambient.get() });
            }
        }
    }

    /// The first surface that one cannot look through; `None` for the sky.
    fn through_glass(&self, ray: &Ray, mut hit: Hit) -> Option<Vec3A> {
        const MOST_PANES: usize = 6;
        let materials = &self.snapshot.world().materials;
        for _ in 0..MOST_PANES {
            if materials.get(hit.material.0 as usize).is_none_or(|m| m.transmission < 0.5) {
                return Some(hit.point);
            }
            let behind = Ray { origin: hit.point + 2e-3 * ray.direction, ..*ray };
            hit = self.snapshot.cast(&behind, 0.5)?;
        }
        Some(hit.point)
    }

    /// How far the pixel of a point moves while the shutter is open.
    fn flow(&self, hit: &Hit) -> [f32; 2] {
        let travel = self.snapshot.velocity(hit) * self.motion.span_s as f32;
        let pixel = |placement: &Placement, point: Vec3A| {
            let p = Vec3::from(placement.to_local(point)).as_dvec3();
            self.camera.model.project(&Point3::new(p.x, p.y, p.z))
        };
        let start = pixel(&self.motion.start, hit.point - 0.5 * travel);
        let end = pixel(&self.motion.end, hit.point + 0.5 * travel);
        match (start, end) {
            (Some(start), Some(end)) => [(end.0 - start.0) as f32, (end.1 - start.1) as f32],
            _ => [0.0; 2],
        }
    }
}

/// A running mean; 1 of nothing.
#[derive(Default)]
struct Mean {
    sum: f32,
    count: f32,
}

impl Mean {
    fn add(&mut self, value: f32) {
        self.sum += value;
        self.count += 1.0;
    }

    fn get(&self) -> f32 {
        if self.count > 0.0 { self.sum / self.count } else { 1.0 }
    }
}

impl Square {
    /// Whether a pixel of the square lies on the surface that was sampled.
    fn covers(&self, hit: &Hit) -> bool {
        self.is_hit
            && self.normal.dot(hit.normal) > SAME_NORMAL
            && (self.distance_m - hit.distance_m).abs() < SAME_DISTANCE * self.distance_m
    }

    fn is_near(&self, other: &Self) -> bool {
        self.normal.dot(other.normal) > SAME_NORMAL
            && (self.distance_m - other.distance_m).abs() < 3.0 * SAME_DISTANCE * self.distance_m
    }
}
