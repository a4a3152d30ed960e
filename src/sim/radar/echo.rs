//! What comes back to the radar before it is told apart: one echo for each way that a ray finds back.

use glam::{Quat, Vec3A};

use super::model::RadarModel;
use super::scatter::{Scattering, mirror_share, reflectance, scattering};
use super::texture::Texture;
use crate::sim::{Hit, Material, Random, Ray, SensorMotion, Snapshot};

/// The stream of the rays.
const RAYS: u64 = 0x5244_5200;
/// The middle of the frame, which is the scan's stamp.
const MIDDLE: f32 = 0.5;
/// Surfaces on a way: three make a corner reflector.
const MOST_BOUNCES: u32 = 3;
/// Panes that a ray goes through.
const MOST_PANES: u32 = 3;
/// Ways whose mirrors keep less are not followed.
const LEAST_SHARE: f32 = 0.01;
/// Echoes weaker than this share of the noise are left out.
const LEAST_POWER: f32 = 1e-3;

/// A contribution to a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Echo {
    /// Half of the way, metres.
    pub range_m: f32,
    /// Radians to the left.
    pub azimuth: f32,
    /// Radians up.
    pub elevation: f32,
    /// Metres a second, positive when receding.
    pub range_rate_mps: f32,
    /// Signal to noise.
    pub power: f32,
    /// Whether nothing is where it appears.
    pub is_ghost: bool,
    /// Number of the object that was met last.
    pub object: Option<u32>,
}

impl Echo {
    /// Range, azimuth, elevation, range rate.
    pub fn place(&self) -> [f32; 4] {
        [self.range_m, self.azimuth, self.elevation, self.range_rate_mps]
    }
}

/// Follows all rays of a frame; the order of the echoes is that of the rays.
pub(super) fn collect(
    snapshot: &Snapshot<'_>,
    model: &RadarModel,
    motion: &SensorMotion,
    seed: u64,
    frame: u64,
) -> Vec<Echo> {
    use rayon::prelude::*;

    let tracer = Tracer::new(snapshot, model, motion, seed);
    let rows: Vec<Vec<Echo>> = (0..model.rays[0])
        .into_par_iter()
        .map(|row| {
            let mut random = Random::new(seed, &[RAYS, frame, row.into()]);
            let mut echoes = Vec::with_capacity(2 * model.rays[1] as usize);
            for column in 0..model.rays[1] {
                tracer.follow(&tracer.ray(row, column, &mut random), &mut random, &mut echoes);
            }
            echoes
        })
        .collect();
    let mut echoes = rows.concat();
    tracer.add_reflectors(&mut echoes);
    echoes
}

/// The azimuth and elevation of a direction in the radar's frame.
pub(super) fn angles(direction: Vec3A) -> (f32, f32) {
    let [x, y, z] = direction.to_array();
    (y.atan2(x), z.atan2(x.hypot(y)))
}

/// The direction of an azimuth and elevation.
pub(super) fn direction(azimuth: f32, elevation: f32) -> Vec3A {
    let ((sin_a, cos_a), (sin_e, cos_e)) = (azimuth.sin_cos(), elevation.sin_cos());
    Vec3A::new(cos_e * cos_a, cos_e * sin_a, sin_e)
}

/// A ray that stands for a solid angle.
struct Beam {
    /// In the radar's frame.
    direction: Vec3A,
    azimuth: f32,
    elevation: f32,
    /// Steradians.
    solid_angle: f32,
}

/// A way from the radar to a surface.
struct Way {
    length_m: f32,
    /// How fast it grows, metres a second.
    rate_mps: f32,
    /// The share of power that mirrors and panes have left, one way.
    share: f32,
    /// How many ways it stands for: weak ones are followed now and then only.
    weight: f32,
    /// Met on it, for telling ghosts.
    corners: [Vec3A; MOST_BOUNCES as usize],
    bounces: u32,
}

struct Tracer<'a> {
    snapshot: &'a Snapshot<'a>,
    model: &'a RadarModel,
    origin: Vec3A,
    rotation: Quat,
    velocity: Vec3A,
    /// Slope of the narrowest lobe that the rays find.
    finest: f32,
    texture: Texture,
}

impl<'a> Tracer<'a> {
    fn new(snapshot: &'a Snapshot<'a>, model: &'a RadarModel, motion: &SensorMotion, seed: u64) -> Self {
        let placement = motion.at(MIDDLE);
        Self {
            snapshot,
            model,
            origin: placement.position,
            rotation: placement.rotation,
            velocity: motion.velocity(),
            finest: model.solid_angle().sqrt(),
            texture: Texture::new(seed),
        }
    }

    /// One of the rays, anywhere in its share of the field of view.
    fn ray(&self, row: u32, column: u32, random: &mut Random) -> Beam {
        let model = self.model;
        let [rows, columns] = model.rays;
        let across = 2.0 * (column as f32 + random.unit()) / columns as f32 - 1.0;
        let up = 2.0 * (row as f32 + random.unit()) / rows as f32 - 1.0;
        let (even, highest) = (model.even_share, model.half_elevation.sin());
        // Towards the horizon steps are smaller, and so is what a ray stands for.
        let sine = highest * (even * up + (1.0 - even) * up * up * up);
        let step = even + 3.0 * (1.0 - even) * up * up;
        let (azimuth, elevation) = (model.half_azimuth * across, sine.asin());
        Beam {
            direction: direction(azimuth, elevation),
            azimuth,
            elevation,
            solid_angle: model.solid_angle() * step,
        }
    }

    fn follow(&self, beam: &Beam, random: &mut Random, echoes: &mut Vec<Echo>) {
        let first = self.rotation * beam.direction;
        let mut ray = Ray { origin: self.origin, direction: first, max_m: self.model.farthest_m };
        let mut way = Way {
            length_m: 0.0,
            rate_mps: -self.velocity.dot(first),
            share: 1.0,
            weight: 1.0,
            corners: [Vec3A::ZERO; MOST_BOUNCES as usize],
            bounces: 0,
        };
        let mut panes = 0;
        while way.bounces < MOST_BOUNCES {
            let Some(hit) = self.snapshot.cast(&ray, MIDDLE) else { return };
            let Some(material) = self.snapshot.world().materials.get(hit.material.0 as usize) else { return };
            let velocity = self.snapshot.velocity(&hit);
            way.length_m += hit.distance_m;
            if let Some(corner) = way.corners.get_mut(way.bounces as usize) {
                *corner = hit.point;
            }
            let met =
                Met { hit: &hit, material, velocity, texture: self.texture.at(hit.object, hit.local_point) };
            self.add_same_way_back(beam, &ray, &way, &met, echoes);
            if way.bounces > 0 {
                self.add_straight_back(beam, &ray, &way, &met, echoes);
            }
            let cosine = -hit.normal.dot(ray.direction);
            if material.transmission > 0.0 && panes < MOST_PANES {
                panes += 1;
                way.share *= 1.0 - reflectance(material, cosine);
            } else {
                let mirrored = mirror_share(material, cosine);
                let chance = mirrored.sqrt();
                if way.share * mirrored < LEAST_SHARE || !random.chance(chance) {
                    return;
                }
                way.weight /= chance;
                way.share *= mirrored;
                let onward = ray.direction + 2.0 * cosine * hit.normal;
                way.rate_mps += velocity.dot(ray.direction - onward);
                way.bounces += 1;
                ray.direction = onward.normalize_or(ray.direction);
            }
            ray.origin = hit.point;
            ray.max_m = self.model.farthest_m - way.length_m;
            if way.share < LEAST_SHARE || ray.max_m <= 0.0 {
                return;
            }
        }
    }

    /// From a surface back over the same mirrors: things appear where mirrors show them.
    fn add_same_way_back(&self, beam: &Beam, ray: &Ray, way: &Way, met: &Met<'_>, echoes: &mut Vec<Echo>) {
        let Met { hit, material, velocity, texture } = *met;
        let Scattering { mirror, diffuse } =
            scattering(material, hit.normal, ray.direction, -ray.direction, self.finest);
        let gain = self.model.gain(beam.azimuth, beam.elevation);
        let cosine = -hit.normal.dot(ray.direction);
        let rcs = (mirror + texture * diffuse) * beam.solid_angle / cosine;
        let share = way.share * way.share * way.weight;
        let power = self.model.loop_gain * gain * gain * rcs * share / (way.length_m * way.length_m);
        self.add(Found {
            range_m: way.length_m,
            direction: beam.direction,
            range_rate_mps: way.rate_mps + velocity.dot(ray.direction),
            power,
            object: hit.object,
            way,
            echoes,
        });
    }

    /// From a surface straight back, after mirrors on the way there: corners, and ghosts half-way.
    fn add_straight_back(&self, beam: &Beam, ray: &Ray, way: &Way, met: &Met<'_>, echoes: &mut Vec<Echo>) {
        let Met { hit, material, velocity, texture } = *met;
        let back = self.origin - hit.point;
        let distance = back.length();
        let back = back / distance.max(f32::MIN_POSITIVE);
        let arrives = self.rotation.inverse() * -back;
        let (azimuth, elevation) = angles(arrives);
        if !self.model.sees(azimuth, elevation) || distance < self.model.nearest_m {
            return;
        }
        let Scattering { mirror, diffuse } =
            scattering(material, hit.normal, ray.direction, back, self.finest);
        let gain = self.model.gain(beam.azimuth, beam.elevation) * self.model.gain(azimuth, elevation);
        let cosine = -hit.normal.dot(ray.direction);
        // The opposite way is as strong. Rays find it where the last surface is a mirror too, else not.
        let rcs = (mirror + 2.0 * texture * diffuse) * beam.solid_angle / cosine;
        let share = way.share * way.weight;
        let power = self.model.loop_gain * gain * rcs * share / (distance * distance);
        if power * self.model.filtered(0.5 * (way.length_m + distance)) < LEAST_POWER {
            return;
        }
        let ray_back = Ray { origin: hit.point, direction: back, max_m: distance };
        if self.snapshot.is_blocked(&ray_back, MIDDLE) {
            return;
        }
        let rate = way.rate_mps + velocity.dot(ray.direction) + (self.velocity - velocity).dot(back);
        self.add(Found {
            range_m: 0.5 * (way.length_m + distance),
            // An array that sends and receives sees the mean of both directions.
            direction: beam.direction + arrives,
            range_rate_mps: 0.5 * rate,
            power,
            object: hit.object,
            way,
            echoes,
        });
    }

    fn add(&self, found: Found<'_>) {
        let Found { range_m, direction, range_rate_mps, power, object, way, echoes } = found;
        let power = power * self.model.filtered(range_m);
        // Written so that NaN is left out.
        let is_heard = power >= LEAST_POWER && power.is_finite();
        if !is_heard || range_m < self.model.nearest_m || range_m > self.model.farthest_m {
            return;
        }
        let (azimuth, elevation) = angles(direction);
        let is_ghost = way.bounces > 0 && {
            let place = [range_m, azimuth, elevation];
            let mut corners = way.corners.iter().take(way.bounces as usize + 1);
            corners.all(|corner| self.is_apart(place, *corner))
        };
        echoes.push(Echo { range_m, azimuth, elevation, range_rate_mps, power, is_ghost, object });
    }

    /// Whether the radar tells a place (range, azimuth, elevation) from a point of the world.
    fn is_apart(&self, place: [f32; 3], point: Vec3A) -> bool {
        let to = self.rotation.inverse() * (point - self.origin);
        let (azimuth, elevation) = angles(to);
        let model = self.model;
        let resolutions = [model.range_resolution_m, model.azimuth_resolution, model.elevation_resolution];
        let point = [to.length(), azimuth, elevation];
        let mut off = place.iter().zip(point).zip(resolutions);
        off.any(|((place, point), resolution)| (place - point).abs() > 2.0 * resolution)
    }

    fn add_reflectors(&self, echoes: &mut Vec<Echo>) {
        for reflector in &self.snapshot.world().reflectors {
            let to = Vec3A::from(reflector.position) - self.origin;
            let range_m = to.length();
            let out = range_m < self.model.nearest_m || range_m > self.model.farthest_m;
            let (azimuth, elevation) = angles(self.rotation.inverse() * to);
            if out || !self.model.sees(azimuth, elevation) {
                continue;
            }
            let direction = to / range_m;
            if self.snapshot.is_blocked(&Ray { origin: self.origin, direction, max_m: range_m }, MIDDLE) {
                continue;
            }
            echoes.push(Echo {
                range_m,
                azimuth,
                elevation,
                range_rate_mps: -self.velocity.dot(direction),
                power: self.model.signal_to_noise(reflector.rcs_m2, range_m, azimuth, elevation),
                is_ghost: false,
                object: None,
            });
        }
    }
}

/// A surface on a way.
struct Met<'a> {
    hit: &'a Hit,
    material: &'a Material,
    velocity: Vec3A,
    /// What diffuse scattering is multiplied with there.
    texture: f32,
}

/// An echo that may be too weak or too far.
struct Found<'a> {
    range_m: f32,
    direction: Vec3A,
    range_rate_mps: f32,
    power: f32,
    object: Option<u32>,
    way: &'a Way,
    echoes: &'a mut Vec<Echo>,
}
