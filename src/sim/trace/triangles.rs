//! Triangles in the leaves of a tree.

use glam::Vec3A;
use multiversion::multiversion;
use obvhs::triangle::Triangle;

use super::packet::RAYS;
use super::{FARTHER, HalfLine, Hierarchy, LANES, Packet, PacketHits};

/// Triangles that rays can be cast at.
pub struct Triangles {
    tree: Hierarchy,
    leaves: Vec<Leaf>,
    /// Index of the triangle in each place of each leaf; places without one repeat the first.
    sources: Vec<[u32; LANES]>,
}

/// Up to eight triangles: a corner and the two edges that leave it, an axis at a time. Places without one
/// have no extent and are met by no ray.
#[derive(Clone)]
#[repr(C, align(32))]
struct Leaf {
    corner: [[f32; LANES]; 3],
    edge_1: [[f32; LANES]; 3],
    edge_2: [[f32; LANES]; 3],
    /// A bit for each triangle that light ends at.
    opaque: u32,
    count: usize,
    /// The box around all of them.
    low: [f32; 3],
    high: [f32; 3],
}

/// Up to so many rays of a packet are tested one by one against eight triangles, more of them together
/// against one triangle after the other.
const FEW: u32 = 4;
/// Barycentric weights down to this are inside: triangles overlap by a rounding error, so that no ray slips
/// between two that share an edge.
const OVERLAP: f32 = -1e-6;

/// The first triangle on a half-line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TriangleHit {
    /// Along the half-line, metres.
    pub t: f32,
    leaf: u32,
    lane: u32,
}

impl Triangles {
    /// Builds the tree; corners must be finite. `is_opaque` tells whether light ends at a triangle.
    pub fn new(triangles: &[Triangle], is_opaque: impl Fn(usize) -> bool) -> Self {
        let (tree, groups) = Hierarchy::new(triangles, LANES as u32);
        let mut leaves = Vec::with_capacity(groups.len());
        let mut sources = Vec::with_capacity(groups.len());
        for group in &groups {
            let zero = [[0.0; LANES]; 3];
            let (low, high) = ([f32::INFINITY; 3], [f32::NEG_INFINITY; 3]);
            let count = group.len();
            let mut leaf = Leaf { corner: zero, edge_1: zero, edge_2: zero, opaque: 0, count, low, high };
            let mut source = [group.first().copied().unwrap_or_default(); LANES];
            for (lane, &index) in group.iter().enumerate() {
                let Some(triangle) = triangles.get(index as usize) else { continue };
                let corner = triangle.v0.to_array();
                let edge_1 = (triangle.v1 - triangle.v0).to_array();
                let edge_2 = (triangle.v2 - triangle.v0).to_array();
                for v in [triangle.v0, triangle.v1, triangle.v2].map(|v| v.to_array()) {
                    for axis in 0..3 {
                        leaf.low[axis] = leaf.low[axis].min(v[axis]);
                        leaf.high[axis] = leaf.high[axis].max(v[axis]);
                    }
                }
                for axis in 0..3 {
                    leaf.corner[axis][lane] = corner[axis];
                    leaf.edge_1[axis][lane] = edge_1[axis];
                    leaf.edge_2[axis][lane] = edge_2[axis];
                }
                leaf.opaque |= u32::from(is_opaque(index as usize)) << lane;
                source[lane] = index;
            }
            leaves.push(leaf);
            sources.push(source);
        }
        Self { tree, leaves, sources }
    }

    /// The first triangle on a half-line.
    pub fn first(&self, ray: &HalfLine) -> Option<TriangleHit> {
        first(self, ray)
    }

    /// The first triangles on the rays of a packet, whose ends move up to them.
    pub fn first_of(&self, packet: &mut Packet, hits: &mut PacketHits) {
        first_of(self, packet, hits);
    }

    /// What a ray of a packet has met.
    pub fn hit(packet: &Packet, hits: &PacketHits, place: usize) -> Option<TriangleHit> {
        let (leaf, lane) = hits.triangle(place)?;
        Some(TriangleHit { t: *packet.max_m.get(place)?, leaf, lane })
    }

    /// Lets the rays of a packet that meet a triangle which light ends at end at 0 m.
    pub fn block(&self, packet: &mut Packet) {
        block(self, packet);
    }

    /// Whether a triangle that light ends at is on a half-line.
    pub fn blocks(&self, ray: &HalfLine) -> bool {
        blocks(self, ray)
    }

    /// The index of the triangle that was hit.
    pub fn source(&self, hit: TriangleHit) -> usize {
        let sources = self.sources.get(hit.leaf as usize);
        sources.and_then(|sources| sources.get(hit.lane as usize)).map_or(0, |&source| source as usize)
    }

    /// One corner of it, and the edges that leave the corner.
    pub fn corner_and_edges(&self, hit: TriangleHit) -> [Vec3A; 3] {
        let Some(leaf) = self.leaves.get(hit.leaf as usize) else { return [Vec3A::ZERO; 3] };
        let lane = hit.lane as usize % LANES;
        [&leaf.corner, &leaf.edge_1, &leaf.edge_2].map(|v| Vec3A::new(v[0][lane], v[1][lane], v[2][lane]))
    }
}

#[multiversion(targets("x86_64+avx+avx2"))]
fn first(triangles: &Triangles, ray: &HalfLine) -> Option<TriangleHit> {
    let mut found: Option<TriangleHit> = None;
    triangles.tree.nearest(&mut ray.clone(), |number, ray| {
        let Some(leaf) = triangles.leaves.get(number as usize) else { return };
        let distances = leaf.meet(ray);
        for (lane, &t) in (0..).zip(&distances) {
            if t < ray.max_m {
                ray.max_m = t;
                found = Some(TriangleHit { t, leaf: number, lane });
            }
        }
    });
    found
}

#[multiversion(targets("x86_64+avx+avx2"))]
fn blocks(triangles: &Triangles, ray: &HalfLine) -> bool {
    triangles.tree.any(ray, |number, ray| {
        let Some(leaf) = triangles.leaves.get(number as usize) else { return false };
        leaf.opaque_met(ray)
    })
}

#[multiversion(targets("x86_64+avx+avx2"))]
fn first_of(triangles: &Triangles, packet: &mut Packet, hits: &mut PacketHits) {
    triangles.tree.nearest(packet, |number, packet| {
        let Some(leaf) = triangles.leaves.get(number as usize) else { return };
        let name = number * LANES as u32;
        let met = leaf.rays(packet);
        if met.count_ones() <= FEW {
            for i in (0..RAYS).filter(|i| met >> i & 1 != 0) {
                let (line, _) = packet.line(i);
                for (lane, &t) in (0..).zip(&leaf.meet(&line)) {
                    if t < packet.max_m[i] {
                        packet.max_m[i] = t;
                        hits.triangles[i] = name + lane;
                    }
                }
            }
        } else {
            for lane in 0..leaf.count.min(LANES) {
                let distances = leaf.meet_packet(lane, packet);
                for i in 0..RAYS {
                    let nearer = distances[i] < packet.max_m[i];
                    packet.max_m[i] = if nearer { distances[i] } else { packet.max_m[i] };
                    hits.triangles[i] = if nearer { name + lane as u32 } else { hits.triangles[i] };
                }
            }
        }
        packet.note_ends();
    });
}

#[multiversion(targets("x86_64+avx+avx2"))]
fn block(triangles: &Triangles, packet: &mut Packet) {
    triangles.tree.nearest(packet, |number, packet| {
        let Some(leaf) = triangles.leaves.get(number as usize) else { return };
        let met = leaf.rays(packet);
        if met.count_ones() <= FEW {
            for i in (0..RAYS).filter(|i| met >> i & 1 != 0) {
                let (line, _) = packet.line(i);
                if leaf.opaque_met(&line) {
                    packet.max_m[i] = 0.0;
                }
            }
        } else {
            for lane in (0..leaf.count.min(LANES)).filter(|lane| leaf.opaque >> lane & 1 != 0) {
                let distances = leaf.meet_packet(lane, packet);
                for i in 0..RAYS {
                    packet.max_m[i] = if distances[i] < packet.max_m[i] { 0.0 } else { packet.max_m[i] };
                }
            }
        }
        packet.note_ends();
    });
}

impl Leaf {
    /// A bit for each ray of a packet that meets the box around the triangles.
    #[inline(always)]
    fn rays(&self, packet: &Packet) -> u32 {
        let mut near = [packet.min_m; RAYS];
        let mut far = packet.max_m;
        for axis in 0..3 {
            let (low, high) = (self.low[axis], self.high[axis]);
            let is_down = packet.bounds.inverse[axis][1] < 0.0;
            let (enter, leave) = if is_down { (high, low) } else { (low, high) };
            let (origins, inverses) = (&packet.origins[axis], &packet.inverses[axis]);
            for i in 0..RAYS {
                let first = (enter - origins[i]) * inverses[i];
                let last = (leave - origins[i]) * inverses[i] * FARTHER;
                near[i] = if first > near[i] { first } else { near[i] };
                far[i] = if last < far[i] { last } else { far[i] };
            }
        }
        (0..RAYS).fold(0, |bits, i| bits | u32::from(near[i] <= far[i]) << i)
    }

    /// Whether a half-line meets a triangle that light ends at.
    #[inline(always)]
    fn opaque_met(&self, ray: &HalfLine) -> bool {
        let distances = self.meet(ray);
        let met = (0..LANES).fold(0, |met, lane| met | u32::from(distances[lane] < ray.max_m) << lane);
        met & self.opaque != 0
    }

    /// The distance of each ray to one triangle, infinite for a miss, with the test of [`Leaf::meet`].
    #[inline(always)]
    fn meet_packet(&self, lane: usize, packet: &Packet) -> [f32; RAYS] {
        let vector = |v: &[[f32; LANES]; 3]| Vec3A::new(v[0][lane], v[1][lane], v[2][lane]);
        let (corner, edge_1, edge_2) = (vector(&self.corner), vector(&self.edge_1), vector(&self.edge_2));
        let [dx, dy, dz] = &packet.directions;
        let [ox, oy, oz] = &packet.origins;
        let mut distances = [f32::INFINITY; RAYS];
        let [nx, ny, nz] = edge_2.cross(edge_1).to_array();
        if packet.bounds.is_one_origin {
            // All that is left for each ray are three scalar products with its direction.
            let s = Vec3A::new(ox[0], oy[0], oz[0]) - corner;
            let q = s.cross(edge_1);
            let distance = edge_2.dot(q);
            let [ux, uy, uz] = edge_2.cross(s).to_array();
            let [vx, vy, vz] = q.to_array();
            for i in 0..RAYS {
                let inverse = 1.0 / (dx[i] * nx + dy[i] * ny + dz[i] * nz);
                let u = (dx[i] * ux + dy[i] * uy + dz[i] * uz) * inverse;
                let v = (dx[i] * vx + dy[i] * vy + dz[i] * vz) * inverse;
                let t = distance * inverse;
                let inside = (u >= OVERLAP) & (v >= OVERLAP) & (u + v <= 1.0 - OVERLAP);
                distances[i] = if inside & (t >= packet.min_m) { t } else { f32::INFINITY };
            }
            return distances;
        }
        let ([cx, cy, cz], [ax, ay, az], [bx, by, bz]) =
            (corner.to_array(), edge_1.to_array(), edge_2.to_array());
        for i in 0..RAYS {
            let inverse = 1.0 / (dx[i] * nx + dy[i] * ny + dz[i] * nz);
            let (sx, sy, sz) = (ox[i] - cx, oy[i] - cy, oz[i] - cz);
            let (qx, qy, qz) = (sy * az - sz * ay, sz * ax - sx * az, sx * ay - sy * ax);
            let (px, py, pz) = (dy[i] * bz - dz[i] * by, dz[i] * bx - dx[i] * bz, dx[i] * by - dy[i] * bx);
            let u = (sx * px + sy * py + sz * pz) * inverse;
            let v = (dx[i] * qx + dy[i] * qy + dz[i] * qz) * inverse;
            let t = (bx * qx + by * qy + bz * qz) * inverse;
            let inside = (u >= OVERLAP) & (v >= OVERLAP) & (u + v <= 1.0 - OVERLAP);
            distances[i] = if inside & (t >= packet.min_m) { t } else { f32::INFINITY };
        }
        distances
    }

    /// The distance to each triangle, infinite for a miss (Möller, Trumbore: "Fast, minimum storage
    /// ray/triangle intersection", 1997).
    #[inline(always)]
    fn meet(&self, ray: &HalfLine) -> [f32; LANES] {
        let ([ox, oy, oz], [dx, dy, dz]) = (ray.origin, ray.direction);
        let mut distances = [f32::INFINITY; LANES];
        for i in 0..LANES {
            let (e1x, e1y, e1z) = (self.edge_1[0][i], self.edge_1[1][i], self.edge_1[2][i]);
            let (e2x, e2y, e2z) = (self.edge_2[0][i], self.edge_2[1][i], self.edge_2[2][i]);
            let (px, py, pz) = (dy * e2z - dz * e2y, dz * e2x - dx * e2z, dx * e2y - dy * e2x);
            let inverse = 1.0 / (e1x * px + e1y * py + e1z * pz);
            let (sx, sy, sz) = (ox - self.corner[0][i], oy - self.corner[1][i], oz - self.corner[2][i]);
            let u = (sx * px + sy * py + sz * pz) * inverse;
            let (qx, qy, qz) = (sy * e1z - sz * e1y, sz * e1x - sx * e1z, sx * e1y - sy * e1x);
            let v = (dx * qx + dy * qy + dz * qz) * inverse;
            let t = (e2x * qx + e2y * qy + e2z * qz) * inverse;
            // A ray within the plane gives infinities or NaN, which no comparison lets through.
            let inside = (u >= OVERLAP) & (v >= OVERLAP) & (u + v <= 1.0 - OVERLAP);
            let within = (t >= ray.min_m) & (t <= ray.max_m);
            distances[i] = if inside & within { t } else { f32::INFINITY };
        }
        distances
    }
}
