//! A mesh with the hierarchy that rays find its triangles by.

use glam::{Vec2, Vec3A};
use obvhs::{aabb::Aabb, triangle::Triangle};

use super::trace::{HalfLine, Packet, PacketHits, TriangleHit, Triangles};
use super::{Material, MaterialId, Mesh};

/// A mesh that rays can be cast at, in its own frame.
pub struct Geometry {
    mesh: Mesh,
    triangles: Triangles,
    /// The mesh's triangle of each.
    sources: Vec<u32>,
    bounds: Aabb,
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
        let is_opaque = |index: usize| {
            let source = sources.get(index).map_or(0, |&source| source as usize);
            let material = mesh.materials.get(source).copied().unwrap_or_default();
            materials.get(material.0 as usize).is_none_or(|m| m.transmission == 0.0)
        };
        let triangles = Triangles::new(&triangles, is_opaque);
        Self { mesh, triangles, sources, bounds: Aabb::new(low.into(), high.into()) }
    }

    /// The mesh.
    pub fn mesh(&self) -> &Mesh {
        &self.mesh
    }

    pub(super) fn bounds(&self) -> Aabb {
        self.bounds
    }

    /// The first triangle on a half-line.
    pub(super) fn cast(&self, ray: &HalfLine) -> Option<TriangleHit> {
        self.triangles.first(ray)
    }

    /// The first triangles on the rays of a packet, whose ends move up to them.
    pub(super) fn cast_packet(&self, packet: &mut Packet, hits: &mut PacketHits) {
        self.triangles.first_of(packet, hits);
    }

    /// Lets the rays of a packet that meet an opaque triangle end at 0 m.
    pub(super) fn block_packet(&self, packet: &mut Packet) {
        self.triangles.block(packet);
    }

    /// Whether an opaque triangle is on a half-line.
    pub(super) fn blocks(&self, ray: &HalfLine) -> bool {
        self.triangles.blocks(ray)
    }

    /// The mesh's triangle that was hit.
    pub(super) fn source(&self, hit: TriangleHit) -> usize {
        self.sources.get(self.triangles.source(hit)).map_or(0, |&source| source as usize)
    }

    /// Its unit normal, on either side.
    pub(super) fn normal(&self, hit: TriangleHit) -> Vec3A {
        let [_, edge_1, edge_2] = self.triangles.corner_and_edges(hit);
        edge_1.cross(edge_2).normalize_or(Vec3A::Z)
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
        let Some(corners) = mesh.triangles.get(self.source(hit)) else { return ([1.0; 3], None) };
        let weights = barycentric(self.triangles.corner_and_edges(hit), local);
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

/// The weights of the three corners at a point of the triangle's plane.
fn barycentric([corner, e1, e2]: [Vec3A; 3], at: Vec3A) -> [f32; 3] {
    let p = at - corner;
    let normal = e1.cross(e2);
    let scale = 1.0 / normal.length_squared().max(f32::MIN_POSITIVE);
    let second = p.cross(e2).dot(normal) * scale;
    let third = e1.cross(p).dot(normal) * scale;
    [1.0 - second - third, second, third]
}
