//! A mesh with the hierarchy that rays find its triangles by.

use std::time::Duration;

use glam::{Vec2, Vec3A};
use obvhs::{
    BvhBuildParams,
    aabb::Aabb,
    cwbvh::{CwBvh, builder::build_cwbvh_from_tris},
    ray::{Ray as BvhRay, RayHit},
    triangle::Triangle,
};

use super::{Material, MaterialId, Mesh};

/// A mesh that rays can be cast at, in its own frame.
pub struct Geometry {
    mesh: Mesh,
    /// `None` for a mesh without triangles.
    bvh: Option<CwBvh>,
    /// In the order of the hierarchy's leaves.
    triangles: Vec<Triangle>,
    /// The mesh's triangle of each.
    sources: Vec<u32>,
    /// Whether light ends there.
    opaque: Vec<bool>,
    bounds: Aabb,
}

/// The first triangle on a ray.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TriangleHit {
    /// Along the ray, in lengths of its direction.
    pub t: f32,
    /// Index into the leaves.
    leaf: u32,
}

impl Geometry {
    /// Builds the hierarchy. Triangles that name a corner which is not there are left out; positions must be
    /// finite.
    pub fn new(mesh: Mesh, materials: &[Material]) -> Self {
        let corner = |index: u32| mesh.positions.get(index as usize).map(|&p| Vec3A::from(p));
        let (sources, triangles): (Vec<u32>, Vec<Triangle>) = (0..)
            .zip(&mesh.triangles)
            .filter_map(|(source, &[a, b, c])| {
                Some((source, Triangle { v0: corner(a)?, v1: corner(b)?, v2: corner(c)? }))
            })
            .unzip();
        let [low, high] = mesh.bounds();
        let bounds = Aabb::new(low.into(), high.into());
        if triangles.is_empty() {
            return Self { mesh, bvh: None, triangles, sources, opaque: Vec::new(), bounds };
        }
        let bvh = build_cwbvh_from_tris(&triangles, BvhBuildParams::fast_build(), &mut Duration::default());
        let in_order = |index: &u32| *index as usize;
        let triangles = bvh.primitive_indices.iter().map(|i| triangles[in_order(i)]).collect();
        let sources: Vec<u32> = bvh.primitive_indices.iter().map(|i| sources[in_order(i)]).collect();
        let is_opaque = |source: &u32| {
            let material = mesh.materials.get(*source as usize).copied().unwrap_or_default();
            materials.get(material.0 as usize).is_none_or(|m| m.transmission == 0.0)
        };
        let opaque = sources.iter().map(is_opaque).collect();
        Self { mesh, bvh: Some(bvh), triangles, sources, opaque, bounds }
    }

    /// The mesh.
    pub fn mesh(&self) -> &Mesh {
        &self.mesh
    }

    pub(super) fn bounds(&self) -> Aabb {
        self.bounds
    }

    /// The first triangle on a ray within its limits.
    pub(super) fn cast(&self, ray: BvhRay) -> Option<TriangleHit> {
        let mut hit = RayHit::none();
        let found = self.bvh.as_ref()?.ray_traverse(ray, &mut hit, |ray, leaf| {
            self.triangles.get(leaf).map_or(f32::INFINITY, |triangle| intersect(triangle, ray))
        });
        found.then_some(TriangleHit { t: hit.t, leaf: hit.primitive_id })
    }

    /// Whether an opaque triangle is on the ray within its limits.
    pub(super) fn blocks(&self, ray: BvhRay) -> bool {
        let Some(bvh) = &self.bvh else { return false };
        !bvh.ray_traverse_miss(ray, |ray, leaf| match (self.triangles.get(leaf), self.opaque.get(leaf)) {
            (Some(triangle), Some(true)) => intersect(triangle, ray),
            _ => f32::INFINITY,
        })
    }

    /// The mesh's triangle that was hit.
    pub(super) fn source(&self, hit: TriangleHit) -> usize {
        self.sources.get(hit.leaf as usize).map_or(0, |&source| source as usize)
    }

    /// Its unit normal, on either side.
    pub(super) fn normal(&self, hit: TriangleHit) -> Vec3A {
        self.triangles.get(hit.leaf as usize).map_or(Vec3A::Z, Triangle::compute_normal)
    }

    /// Its material.
    pub(super) fn material(&self, hit: TriangleHit) -> MaterialId {
        self.mesh.materials.get(self.source(hit)).copied().unwrap_or_default()
    }

    /// The colours of the corners and their texture coordinates, blended at a point of the triangle.
    pub(super) fn attributes(&self, hit: TriangleHit, local: Vec3A) -> ([f32; 3], Option<Vec2>) {
        let mesh = &self.mesh;
        if mesh.colours.is_empty() && mesh.texture_coordinates.is_empty() {
            return ([1.0; 3], None);
        }
        let (Some(triangle), Some(corners)) =
            (self.triangles.get(hit.leaf as usize), mesh.triangles.get(self.source(hit)))
        else {
            return ([1.0; 3], None);
        };
        let weights = barycentric(triangle, local);
        let mut colour = if mesh.colours.is_empty() { [1.0; 3] } else { [0.0; 3] };
        let mut uv = (!mesh.texture_coordinates.is_empty()).then_some(Vec2::ZERO);
        for (&corner, weight) in corners.iter().zip(weights) {
            if let Some(of_corner) = mesh.colours.get(corner as usize) {
                colour.iter_mut().zip(of_corner).for_each(|(sum, c)| *sum += weight * c);
            }
            if let (Some(sum), Some(&[u, v])) = (&mut uv, mesh.texture_coordinates.get(corner as usize)) {
                *sum += weight * Vec2::new(u, v);
            }
        }
        (colour, uv)
    }
}

/// The distance to a triangle, infinite for a miss (Möller, Trumbore 1997). The crate's own test rejects
/// weights of −0, so that a ray along a shared edge slips between two triangles; this one lets triangles
/// overlap by a rounding error instead.
fn intersect(triangle: &Triangle, ray: &BvhRay) -> f32 {
    const OVERLAP: f32 = -1e-6;
    let (e1, e2) = (triangle.v1 - triangle.v0, triangle.v2 - triangle.v0);
    let p = ray.direction.cross(e2);
    let inverse = 1.0 / e1.dot(p);
    let s = ray.origin - triangle.v0;
    let u = s.dot(p) * inverse;
    let q = s.cross(e1);
    let v = ray.direction.dot(q) * inverse;
    let t = e2.dot(q) * inverse;
    // A ray within the plane gives infinities or NaN, which no comparison lets through.
    let inside = u >= OVERLAP && v >= OVERLAP && u + v <= 1.0 - OVERLAP;
    if inside && t >= ray.tmin && t <= ray.tmax { t } else { f32::INFINITY }
}

/// The weights of the three corners at a point of the triangle's plane.
fn barycentric(triangle: &Triangle, at: Vec3A) -> [f32; 3] {
    let (e1, e2, p) = (triangle.v1 - triangle.v0, triangle.v2 - triangle.v0, at - triangle.v0);
    let normal = e1.cross(e2);
    let scale = 1.0 / normal.length_squared().max(f32::MIN_POSITIVE);
    let second = p.cross(e2).dot(normal) * scale;
    let third = e1.cross(p).dot(normal) * scale;
    [1.0 - second - third, second, third]
}
