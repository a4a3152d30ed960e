//! Rays that go much the same way: they share the walk through the tree.
//!
//! A node is tested once for all of them, with the intervals of their origins and directions: a box that any
//! of them meets is found.

use glam::Vec3A;

use super::{HalfLine, LANES};
use crate::sim::{Placement, Ray};

/// Rays in a packet.
pub const RAYS: usize = 16;
/// Smaller components cannot be told from zero, where the sign changes and the interval of inverses breaks.
const LEAST_COMPONENT: f32 = 1e-6;

/// Up to [`RAYS`] rays, each in a place of its own.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Metres, a coordinate at a time.
    pub(super) origins: [[f32; RAYS]; 3],
    /// Unit vectors.
    pub(super) directions: [[f32; RAYS]; 3],
    /// One over each component.
    pub(super) inverses: [[f32; RAYS]; 3],
    /// Where each ray ends, metres; 0 for a place without one.
    pub(super) max_m: [f32; RAYS],
    /// Where all of them begin, metres.
    pub(super) min_m: f32,
    /// When each one is sent, 0 (start)..1 (end) of the snapshot.
    moments: [f32; RAYS],
    pub(super) bounds: Bounds,
}

/// Intervals that hold all rays.
#[derive(Clone, Debug, Default)]
pub(super) struct Bounds {
    /// Of each axis, the coordinate of the origin from which a plane is met first.
    pub entering: [f32; 3],
    /// The coordinate from which it is met last.
    pub leaving: [f32; 3],
    /// The least and the greatest inverse of the directions' components, of one sign each.
    pub inverse: [[f32; 2]; 3],
    /// The greatest of the rays' ends.
    pub farthest_m: f32,
    /// Whether all have one origin.
    pub is_one_origin: bool,
}

impl Default for Packet {
    fn default() -> Self {
        Self {
            origins: [[0.0; RAYS]; 3],
            directions: [[0.0; RAYS]; 3],
            inverses: [[0.0; RAYS]; 3],
            max_m: [0.0; RAYS],
            min_m: 0.0,
            moments: [0.0; RAYS],
            bounds: Bounds::default(),
        }
    }
}

impl Packet {
    /// Puts a ray into a place, below [`RAYS`].
    pub fn set(&mut self, place: usize, ray: &Ray, moment: f32) {
        self.write(place, ray.origin, ray.direction);
        self.max_m[place] = ray.max_m;
        self.moments[place] = moment;
    }

    /// The ray in a place; places without one have a ray of 0 m.
    pub fn ray(&self, place: usize) -> (Ray, f32) {
        let vector = |[x, y, z]: &[[f32; RAYS]; 3]| Vec3A::new(x[place], y[place], z[place]);
        let ray = Ray {
            origin: vector(&self.origins),
            direction: vector(&self.directions),
            max_m: self.max_m[place],
        };
        (ray, self.moments[place])
    }

    /// The places that have rays.
    pub fn places(&self) -> impl Iterator<Item = usize> + use<> {
        let max_m = self.max_m;
        (0..RAYS).filter(move |&place| max_m[place] > 0.0)
    }

    /// Gets ready to be cast, beginning at `min_m`. Whether the rays go together: not if there are none or
    /// they differ in the sign of a component.
    pub(in crate::sim) fn close(&mut self, min_m: f32) -> bool {
        let Some(first) = self.places().next() else { return false };
        // Places without a ray look where others do, and see nothing.
        let (ray, moment) = self.ray(first);
        for place in 0..RAYS {
            if self.max_m[place] <= 0.0 {
                self.write(place, ray.origin, ray.direction);
                self.moments[place] = moment;
            }
        }
        self.min_m = min_m;
        let mut bounds = Bounds { is_one_origin: true, ..Bounds::default() };
        for axis in 0..3 {
            let [least, greatest] = interval(&self.directions[axis]);
            if least < LEAST_COMPONENT && greatest > -LEAST_COMPONENT {
                return false;
            }
            self.inverses[axis] = self.directions[axis].map(f32::recip);
            bounds.inverse[axis] = [1.0 / greatest, 1.0 / least];
            let [low, high] = interval(&self.origins[axis]);
            [bounds.entering[axis], bounds.leaving[axis]] =
                if least > 0.0 { [high, low] } else { [low, high] };
            bounds.is_one_origin &= low == high;
        }
        [_, bounds.farthest_m] = interval(&self.max_m);
        self.bounds = bounds;
        true
    }

    /// The ray in a place as a half-line, and its moment.
    pub(in crate::sim) fn line(&self, place: usize) -> (HalfLine, f32) {
        let (ray, moment) = self.ray(place);
        (HalfLine::of(&ray, self.min_m), moment)
    }

    /// It in the frame of something that is at `placement` at a moment; `None` if the rays do not go together
    /// there.
    pub(in crate::sim) fn seen_from(&self, placement: impl Fn(f32) -> Placement) -> Option<Self> {
        let mut seen = self.clone();
        for place in self.places() {
            let (ray, moment) = self.ray(place);
            let placement = placement(moment);
            let back = placement.rotation.inverse();
            seen.write(place, back * (ray.origin - placement.position), back * ray.direction);
        }
        seen.close(self.min_m).then_some(seen)
    }

    /// Moves the ends to those of a copy that was cast at something, where they are nearer.
    pub(in crate::sim) fn end_at(&mut self, other: &[f32; RAYS]) {
        self.max_m = *other;
        self.note_ends();
    }

    pub(in crate::sim) fn ends(&self) -> &[f32; RAYS] {
        &self.max_m
    }

    /// Keeps the farthest end true.
    #[inline(always)]
    pub(super) fn note_ends(&mut self) {
        self.bounds.farthest_m = self.max_m.iter().fold(0.0, |most, &m| if m > most { m } else { most });
    }

    fn write(&mut self, place: usize, origin: Vec3A, direction: Vec3A) {
        let (origin, direction) = (origin.to_array(), direction.to_array());
        for axis in 0..3 {
            self.origins[axis][place] = origin[axis];
            self.directions[axis][place] = direction[axis];
        }
    }
}

fn interval(values: &[f32; RAYS]) -> [f32; 2] {
    let least = values.iter().fold(f32::INFINITY, |least, &v| if v < least { v } else { least });
    [least, values.iter().fold(f32::NEG_INFINITY, |most, &v| if v > most { v } else { most })]
}

/// The first triangles that a packet meets.
#[derive(Clone, Debug)]
pub struct PacketHits {
    /// Number of the leaf times [`LANES`] plus the place in it; [`PacketHits::NONE`] for no triangle.
    pub(super) triangles: [u32; RAYS],
}

impl PacketHits {
    const NONE: u32 = u32::MAX;

    /// Nothing met yet.
    pub const EMPTY: Self = Self { triangles: [Self::NONE; RAYS] };

    /// Leaf and place in it of what a ray has met.
    pub(super) fn triangle(&self, place: usize) -> Option<(u32, u32)> {
        let triangle = *self.triangles.get(place)?;
        (triangle != Self::NONE).then_some((triangle / LANES as u32, triangle % LANES as u32))
    }
}
