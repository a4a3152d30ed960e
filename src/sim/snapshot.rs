//! The world during a frame: what a ray hits at a moment of it.

use glam::{Vec2, Vec3A};
use multiversion::multiversion;
use obvhs::{Boundable, aabb::Aabb};

use super::trace::{HalfLine, Hierarchy, Packet, PacketHits, RAYS, TriangleHit, Triangles};
use super::{Geometry, MaterialId, Placement, World};

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
    /// Over the movers, one to a leaf.
    index: Hierarchy,
    /// The mover of each leaf.
    leaves: Vec<u32>,
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
        let (index, leaves) = Hierarchy::new(&movers, 1);
        let leaves = leaves.iter().flatten().copied().collect();
        Self { world, span_s: to_s - from_s, movers, index, leaves }
    }

    /// The world.
    pub fn world(&self) -> &'a World {
        self.world
    }

    /// The first surface on a ray at a moment, 0 (start)..1 (end) of the interval.
    pub fn cast(&self, ray: &Ray, moment: f32) -> Option<Hit> {
        let mut line = HalfLine::of(ray, NEAREST_M);
        let fixed = self.world.fixed().cast(&line);
        if let Some(hit) = fixed {
            line.max_m = hit.t;
        }
        if let Some((mover, hit)) = first_mover(self, &line, moment) {
            return Some(Self::mover_hit(ray, mover, hit, moment));
        }
        fixed.map(|hit| self.fixed_hit(ray, hit))
    }

    /// The first surfaces on the rays of a packet; `found` takes the place of a ray and its hit. Rays that go
    /// much the same way are several times as fast as one by one.
    pub fn cast_packet(&self, packet: &mut Packet, mut found: impl FnMut(usize, Hit)) {
        if !packet.close(NEAREST_M) {
            for place in packet.places() {
                let (ray, moment) = packet.ray(place);
                if let Some(hit) = self.cast(&ray, moment) {
                    found(place, hit);
                }
            }
            return;
        }
        let places = packet.places();
        let mut fixed = PacketHits::EMPTY;
        self.world.fixed().cast_packet(packet, &mut fixed);
        let fixed: [Option<TriangleHit>; RAYS] =
            std::array::from_fn(|place| Triangles::hit(packet, &fixed, place));
        let mut moving = [None; RAYS];
        first_movers(self, packet, &mut moving);
        for place in places {
            let (ray, moment) = packet.ray(place);
            if let Some((mover, hit)) = moving[place].and_then(|(leaf, hit)| Some((self.mover(leaf)?, hit))) {
                found(place, Self::mover_hit(&ray, mover, hit, moment));
            } else if let Some(hit) = fixed[place] {
                found(place, self.fixed_hit(&ray, hit));
            }
        }
    }

    /// For each ray of a packet whether something that light does not go through lies on it; `false` for
    /// places without one.
    pub fn are_blocked(&self, packet: &mut Packet) -> [bool; RAYS] {
        let mut blocked = [false; RAYS];
        if !packet.close(NEAREST_M) {
            for place in packet.places() {
                let (ray, moment) = packet.ray(place);
                blocked[place] = self.is_blocked(&ray, moment);
            }
            return blocked;
        }
        let places = packet.places();
        self.world.fixed().block_packet(packet);
        movers_block(self, packet);
        for place in places {
            blocked[place] = packet.ends()[place] <= 0.0;
        }
        blocked
    }

    /// Whether something that light does not go through lies on the ray.
    pub fn is_blocked(&self, ray: &Ray, moment: f32) -> bool {
        let line = HalfLine::of(ray, NEAREST_M);
        self.world.fixed().blocks(&line) || any_mover_blocks(self, &line, moment)
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

    fn mover(&self, leaf: u32) -> Option<&Mover<'a>> {
        self.movers.get(*self.leaves.get(leaf as usize)? as usize)
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

    /// A packet in the mover's frame; `None` if its rays do not go together there.
    fn packet(&self, packet: &Packet) -> Option<Packet> {
        packet.seen_from(|moment| self.at(moment))
    }
}

fn facing(normal: Vec3A, direction: Vec3A) -> Vec3A {
    if normal.dot(direction) > 0.0 { -normal } else { normal }
}

/// The first mover on a half-line, and where.
#[multiversion(targets("x86_64+avx+avx2"))]
fn first_mover<'a, 'b>(
    snapshot: &'b Snapshot<'a>,
    line: &HalfLine,
    moment: f32,
) -> Option<(&'b Mover<'a>, TriangleHit)> {
    let mut first = None;
    snapshot.index.nearest(&mut line.clone(), |leaf, line| {
        let Some(mover) = snapshot.mover(leaf) else { return };
        if let Some(hit) = mover.geometry.cast(&line.seen_from(&mover.at(moment))) {
            line.max_m = hit.t;
            first = Some((mover, hit));
        }
    });
    first
}

/// The first movers on a packet's rays, each with the leaf that it is in; ends move up to them.
#[multiversion(targets("x86_64+avx+avx2"))]
fn first_movers(
    snapshot: &Snapshot<'_>,
    packet: &mut Packet,
    first: &mut [Option<(u32, TriangleHit)>; RAYS],
) {
    snapshot.index.nearest(packet, |leaf, packet| {
        let Some(mover) = snapshot.mover(leaf) else { return };
        let mut ends = *packet.ends();
        if let Some(mut local) = mover.packet(packet) {
            let mut hits = PacketHits::EMPTY;
            mover.geometry.cast_packet(&mut local, &mut hits);
            for (place, (first, end)) in first.iter_mut().zip(&mut ends).enumerate() {
                if let Some(hit) = Triangles::hit(&local, &hits, place) {
                    *end = hit.t;
                    *first = Some((leaf, hit));
                }
            }
        } else {
            for place in packet.places() {
                let (line, moment) = packet.line(place);
                if let Some(hit) = mover.geometry.cast(&line.seen_from(&mover.at(moment))) {
                    ends[place] = hit.t;
                    first[place] = Some((leaf, hit));
                }
            }
        }
        packet.end_at(&ends);
    });
}

/// Lets the rays of a packet that meet an opaque mover end at 0 m.
#[multiversion(targets("x86_64+avx+avx2"))]
fn movers_block(snapshot: &Snapshot<'_>, packet: &mut Packet) {
    snapshot.index.nearest(packet, |leaf, packet| {
        let Some(mover) = snapshot.mover(leaf) else { return };
        let mut ends = *packet.ends();
        if let Some(mut local) = mover.packet(packet) {
            mover.geometry.block_packet(&mut local);
            ends = *local.ends();
        } else {
            for place in packet.places() {
                let (line, moment) = packet.line(place);
                if mover.geometry.blocks(&line.seen_from(&mover.at(moment))) {
                    ends[place] = 0.0;
                }
            }
        }
        packet.end_at(&ends);
    });
}

/// Whether a mover that light does not go through is on a half-line.
#[multiversion(targets("x86_64+avx+avx2"))]
fn any_mover_blocks(snapshot: &Snapshot<'_>, line: &HalfLine, moment: f32) -> bool {
    snapshot.index.any(line, |leaf, line| {
        snapshot.mover(leaf).is_some_and(|mover| mover.geometry.blocks(&line.seen_from(&mover.at(moment))))
    })
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
