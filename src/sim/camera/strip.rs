//! Some rows of a frame.

use glam::{Vec3, Vec3A};
use nalgebra::Point3;

use super::{
    Camera, FAR_M,
    samples::Samples,
    shading,
    shading::{Ahead, MIDDLE, Mirrored, SHARP, Shared, View},
    squares::Square,
};
use crate::sim::{Hit, Packet, Placement, RAYS, Random, Ray, SensorMotion};

/// Pixels across and down that share their way through the scene.
pub(super) const TILE: usize = 4;

/// The rows to render.
pub(super) struct Strip<'a> {
    pub camera: &'a Camera,
    pub view: &'a View<'a>,
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
    pub hits: Vec<Option<(Ray, Hit)>>,
    /// One for each square of two by two pixels.
    pub squares: Vec<Square>,
    pub samples: Samples,
}

impl Strip<'_> {
    pub fn render(&self, mut random: Random, scratch: &mut Scratch, out: &mut Output<'_>) {
        let width = self.camera.model.width as usize;
        let rows = out.depth_m.len() / width.max(1);
        let pose = self.motion.at(0.5);
        self.cast(&pose, width, rows, scratch);
        self.look_for_light(&mut random, width, rows, scratch);
        scratch.samples.smooth(width.div_ceil(2));

        for top in (0..rows).step_by(TILE) {
            for left in (0..width).step_by(TILE) {
                self.shade_tile(&pose, [top, left], [rows, width], &mut random, scratch, out);
            }
        }
    }

    /// Colours, depths and ways of a tile.
    fn shade_tile(
        &self,
        pose: &Placement,
        [top, left]: [usize; 2],
        [rows, width]: [usize; 2],
        random: &mut Random,
        scratch: &Scratch,
        out: &mut Output<'_>,
    ) {
        let pixel = |place: usize| {
            let (row, column) = (top + place / TILE, left + place % TILE);
            (row < rows && column < width).then_some((row, column))
        };
        let hits: [Option<&(Ray, Hit)>; RAYS] = std::array::from_fn(|place| {
            let (row, column) = pixel(place)?;
            scratch.hits.get(row * width + column)?.as_ref()
        });
        let ahead = self.look_ahead(&hits);
        for place in 0..RAYS {
            let Some((row, column)) = pixel(place) else { continue };
            let index = row * width + column;
            let Some((ray, hit)) = hits[place] else {
                (out.radiance[index], out.depth_m[index]) = self.background(pose, row, column);
                out.flow[index] = [0.0; 2];
                continue;
            };
            let square_index = (row / 2) * width.div_ceil(2) + column / 2;
            let square = &scratch.squares[square_index];
            let mut visibility = scratch.samples.visibility(square_index);
            let own;
            let mut flow = square.flow;
            let (lamps, mirrored) = if square.covers(hit) {
                (&square.lamps, square.mirrored)
            } else {
                flow = self.flow(hit);
                own = self.view.lamps.at(hit);
                visibility.direct = shading::direct_visibility(self.view, hit, &own, random);
                (&own, None)
            };
            let shared = Shared { visibility, lamps, mirrored, ahead: Some(&ahead[place]) };
            let footprint_m = self.footprint_m(ray, hit);
            out.radiance[index] = shading::radiance(self.view, ray, hit, footprint_m, shared, 0);
            let seen = self.through_glass(ray, *hit, ahead[place].behind);
            out.depth_m[index] = seen.map_or(f32::INFINITY, |point| pose.to_local(point).z);
            out.flow[index] = flow;
        }
    }

    /// What is behind panes and in sharp mirrors.
    fn look_ahead(&self, hits: &[Option<&(Ray, Hit)>; RAYS]) -> [Ahead; RAYS] {
        let (mut mirrored, mut behind) = (Packet::default(), Packet::default());
        for (place, (ray, hit)) in hits.iter().enumerate().filter_map(|(place, hit)| Some((place, (*hit)?))) {
            let material = self.view.snapshot.world().materials.get(hit.material.0 as usize);
            let Some(material) = material else { continue };
            if material.transmission > 0.0 {
                behind.set(place, &shading::behind(ray, hit), MIDDLE);
            }
            if material.specular > 0.0
                && material.roughness <= SHARP
                && let Mirrored::Along(ray, _) = shading::mirrored(self.view, ray, hit, material, 0.0, 0)
            {
                mirrored.set(place, &ray, MIDDLE);
            }
        }
        let mut ahead = [Ahead::default(); RAYS];
        self.view.snapshot.cast_packet(&mut mirrored, |place, hit| ahead[place].mirrored = Some(hit));
        self.view.snapshot.cast_packet(&mut behind, |place, hit| ahead[place].behind = Some(hit));
        ahead
    }

    /// Colour and depth where nothing is met.
    fn background(&self, pose: &Placement, row: usize, column: usize) -> ([f32; 3], f32) {
        let Some(ray) = self.camera.ray(self.first_row + row, column) else { return ([0.0; 3], f32::NAN) };
        let lighting = &self.view.snapshot.world().lighting;
        let sky = shading::sky(lighting, (pose.rotation * ray).normalize());
        (shading::air(lighting, sky, FAR_M), f32::INFINITY)
    }

    /// What each pixel sees, in tiles that share their way through the scene.
    fn cast(&self, pose: &Placement, width: usize, rows: usize, scratch: &mut Scratch) {
        scratch.hits.clear();
        scratch.hits.resize(rows * width, None);
        for top in (0..rows).step_by(TILE) {
            for left in (0..width).step_by(TILE) {
                self.cast_tile(pose, [top, left], [rows, width], &mut scratch.hits);
            }
        }
    }

    fn cast_tile(
        &self,
        pose: &Placement,
        [top, left]: [usize; 2],
        [rows, width]: [usize; 2],
        hits: &mut [Option<(Ray, Hit)>],
    ) {
        let mut packet = Packet::default();
        for place in 0..RAYS {
            let (row, column) = (top + place / TILE, left + place % TILE);
            if row >= rows || column >= width {
                continue;
            }
            if let Some(ray) = self.camera.ray(self.first_row + row, column) {
                let direction = (pose.rotation * ray).normalize();
                packet.set(place, &Ray { origin: pose.position, direction, max_m: FAR_M }, MIDDLE);
            }
        }
        let rays = packet.clone();
        self.view.snapshot.cast_packet(&mut packet, |place, hit| {
            let (ray, _) = rays.ray(place);
            hits[(top + place / TILE) * width + left + place % TILE] = Some((ray, hit));
        });
    }

    /// The width of a pixel on a surface, metres.
    pub(super) fn footprint_m(&self, ray: &Ray, hit: &Hit) -> f32 {
        let cosine = -hit.normal.dot(ray.direction);
        hit.distance_m * self.camera.pixel_m / cosine.max(0.1)
    }

    /// The first surface that one cannot look through, given what is behind the first; `None` for the sky.
    fn through_glass(&self, ray: &Ray, mut hit: Hit, behind: Option<Hit>) -> Option<Vec3A> {
        const MOST_PANES: usize = 6;
        let materials = &self.view.snapshot.world().materials;
        for pane in 0..MOST_PANES {
            if materials.get(hit.material.0 as usize).is_none_or(|m| m.transmission < 0.5) {
                break;
            }
            hit = match pane {
                0 => behind?,
                _ => self.view.snapshot.cast(&shading::behind(ray, &hit), MIDDLE)?,
            };
        }
        Some(hit.point)
    }

    /// How far the pixel of a point moves while the shutter is open.
    pub(super) fn flow(&self, hit: &Hit) -> [f32; 2] {
        let travel = self.view.snapshot.velocity(hit) * self.motion.span_s as f32;
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
