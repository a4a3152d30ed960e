//! The world during a frame: what a ray hits at a moment of it.

use std::time::Duration;

use glam::{Vec2, Vec3A};
use obvhs::{
    Boundable, BvhBuildParams,
    aabb::Aabb,
    cwbvh::{CwBvh, builder::build_cwbvh},
    ray::{Ray as BvhRay, RayHit},
};

use super::{Geometry, MaterialId, Placement, World, geometry::TriangleHit};

/// Nothing nearer to a ray's origin is hit, metres: a ray that leaves a surface does not meet it again.
const NEAREST_M: f32 = 1e-3;

/// A half-line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ray {
    /// World, metres.
    pub origin: Vec3A,
    /// Unit vector; must be finite.
    pub direction: Vec3A,
    /// Where it ends, metres.
    pub max_m: f32,
}

/// Where a ray meets a surface.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// From the ray's origin, metres.
    pub distance_m: f32,
    /// World, metres.
    pub point: Vec3A,
    /// Unit vector of the surface, world, on the ray's side.
    pub normal: Vec3A,
    /// What it is made of.
    pub material: MaterialId,
    /// Number of the object, `None` for scenery.
    pub object: Option<u32>,
    /// The point in the frame of what was hit: that of the object if it moves, else the world's.
    pub local_point: Vec3A,
    /// The normal in that frame.
    pub local_normal: Vec3A,
    /// Colour that the albedo is multiplied with, linear.
    pub tint: [f32; 3],
    /// Texture coordinates, for meshes that have them.
    pub texture_coordinates: Option<Vec2>,
}

/// The world during an interval. Objects move straight from where they are at its start to where they are
/// at its end.
pub struct Snapshot<'a> {
    world: &'a World,
    span_s: f64,
    movers: Vec<Mover<'a>>,
    /// Over the movers; `None` without any.
    index: Option<CwBvh>,
}

struct Mover<'a> {
    object: u32,
    geometry: &'a Geometry,
    start: Placement,
    end: Placement,
    bounds: Aabb,
}

impl Boundable for Mover<'_> {
    fn aabb(&self) -> Aabb {
        self.bounds
    }
}

impl<'a> Snapshot<'a> {
    pub(super) fn new(world: &'a World, from_s: f64, to_s: f64) -> Self {
        let middle_s = 0.5 * (from_s + to_s);
        let movers: Vec<Mover<'_>> = (0..)
            .zip(&world.objects)
            .filter_map(|(number, object)| {
                let geometry = world.shape(object, middle_s)?;
                let (start, end) = (object.motion.placement(from_s), object.motion.placement(to_s));
                let mut bounds = Aabb::empty();
                for placement in [start, start.towards(&end, 0.5), end] {
                    let (low, high) = (geometry.bounds().min, geometry.bounds().max);
                    for corner in 0..8_u8 {
                        let of = |bit: u8, l: f32, h: f32| if corner & bit == 0 { l } else { h };
                        let local =
                            Vec3A::new(of(1, low.x, high.x), of(2, low.y, high.y), of(4, low.z, high.z));
                        bounds.extend(placement.point(local));
                    }
                }
                Some(Mover { object: number, geometry, start, end, bounds })
            })
            .collect();
        let index = (!movers.is_empty())
            .then(|| build_cwbvh(&movers, BvhBuildParams::fast_build(), &mut Duration::default()));
        Self { world, span_s: to_s - from_s, movers, index }
    }

    /// The world.
    pub fn world(&self) -> &'a World {
        self.world
    }

    /// The first surface on a ray at a moment, 0 (start)..1 (end) of the interval.
    pub fn cast(&self, ray: &Ray, moment: f32) -> Option<Hit> {
        let fixed = self.world.fixed().cast(bvh_ray(ray, ray.max_m));
        let limit = fixed.map_or(ray.max_m, |hit| hit.t);
        if let Some((mover, hit)) = self.cast_movers(ray, limit, moment) {
            return Some(Self::mover_hit(ray, mover, hit, moment));
        }
        fixed.map(|hit| self.fixed_hit(ray, hit))
    }

    /// Whether something that light does not go through lies on the ray.
    pub fn is_blocked(&self, ray: &Ray, moment: f32) -> bool {
        if self.world.fixed().blocks(bvh_ray(ray, ray.max_m)) {
            return true;
        }
        let Some(index) = &self.index else { return false };
        !index.ray_traverse_miss(bvh_ray(ray, ray.max_m), |_, slot| {
            let Some(mover) = self.mover(index, slot) else { return f32::INFINITY };
            if mover.geometry.blocks(local_ray(ray, ray.max_m, &mover.at(moment))) {
                0.0
            } else {
                f32::INFINITY
            }
        })
    }

    /// How fast a point moves with its object, metres a second; zero for scenery and things that stand.
    pub fn velocity(&self, hit: &Hit) -> Vec3A {
        let Some(object) = hit.object else { return Vec3A::ZERO };
        match self.movers.binary_search_by_key(&object, |mover| mover.object).map(|i| &self.movers[i]) {
            Ok(mover) if self.span_s > 0.0 => {
                let travel = mover.end.point(hit.local_point) - mover.start.point(hit.local_point);
                travel / self.span_s as f32
            }
            _ => Vec3A::ZERO,
        }
    }

    /// Where an object is at a moment of the interval.
    pub fn placement(&self, object: u32, moment: f32) -> Option<Placement> {
        match self.movers.binary_search_by_key(&object, |mover| mover.object) {
            Ok(index) => self.movers.get(index).map(|mover| mover.at(moment)),
            Err(_) => self.world.objects.get(object as usize).map(|object| object.motion.placement(0.0)),
        }
    }

    fn mover(&self, index: &CwBvh, slot: usize) -> Option<&Mover<'a>> {
        self.movers.get(*index.primitive_indices.get(slot)? as usize)
    }

    fn cast_movers(&self, ray: &Ray, limit: f32, moment: f32) -> Option<(&Mover<'a>, TriangleHit)> {
        let index = self.index.as_ref()?;
        let mut nearest: Option<(&Mover<'a>, TriangleHit)> = None;
        let mut hit = RayHit::none();
        index.ray_traverse(bvh_ray(ray, limit), &mut hit, |within, slot| {
            let Some(mover) = self.mover(index, slot) else { return f32::INFINITY };
            let Some(found) = mover.geometry.cast(local_ray(ray, within.tmax, &mover.at(moment))) else {
                return f32::INFINITY;
            };
            nearest = Some((mover, found));
            found.t
        });
        nearest
    }

    fn fixed_hit(&self, ray: &Ray, hit: TriangleHit) -> Hit {
        let geometry = self.world.fixed();
        let point = ray.origin + hit.t * ray.direction;
        let normal = facing(geometry.normal(hit), ray.direction);
        let (tint, texture_coordinates) = geometry.attributes(hit, point);
        Hit {
            distance_m: hit.t,
            point,
            normal,
            material: geometry.material(hit),
            object: self.world.fixed_object(geometry.source(hit)),
            local_point: point,
            local_normal: normal,
            tint,
            texture_coordinates,
        }
    }

    fn mover_hit(ray: &Ray, mover: &Mover<'_>, hit: TriangleHit, moment: f32) -> Hit {
        let placement = mover.at(moment);
        let point = ray.origin + hit.t * ray.direction;
        let local_point = placement.to_local(point);
        let local_normal = mover.geometry.normal(hit);
        let normal = facing(placement.rotation * local_normal, ray.direction);
        let (tint, texture_coordinates) = mover.geometry.attributes(hit, local_point);
        Hit {
            distance_m: hit.t,
            point,
            normal,
            material: mover.geometry.material(hit),
            object: Some(mover.object),
            local_point,
            local_normal,
            tint,
            texture_coordinates,
        }
    }
}

impl Mover<'_> {
    fn at(&self, moment: f32) -> Placement {
        self.start.towards(&self.end, moment)
    }
}

fn facing(normal: Vec3A, direction: Vec3A) -> Vec3A {
    if normal.dot(direction) > 0.0 { -normal } else { normal }
}

fn bvh_ray(ray: &Ray, limit: f32) -> BvhRay {
    BvhRay::new(ray.origin, ray.direction, NEAREST_M, limit)
}

fn local_ray(ray: &Ray, limit: f32, placement: &Placement) -> BvhRay {
    let back = placement.rotation.inverse();
    BvhRay::new(back * (ray.origin - placement.position), back * ray.direction, NEAREST_M, limit)
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
