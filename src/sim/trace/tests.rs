use glam::Vec3A;
use obvhs::triangle::Triangle;

use super::*;
use crate::sim::{Placement, Random, Ray};

const NEAREST_M: f32 = 1e-3;

fn point(random: &mut Random, reach: f32) -> Vec3A {
    reach * Vec3A::new(random.between(-1.0, 1.0), random.between(-1.0, 1.0), random.between(-1.0, 1.0))
}

/// Triangles of all sizes about the origin, of which every third lets light through.
fn soup(count: usize, random: &mut Random) -> Vec<Triangle> {
    let mut triangle = || {
        let (v0, size) = (point(random, 8.0), random.log_between(0.05, 6.0));
        Triangle { v0, v1: v0 + point(random, size), v2: v0 + point(random, size) }
    };
    (0..count).map(|_| triangle()).collect()
}

fn is_opaque(index: usize) -> bool {
    !index.is_multiple_of(3)
}

/// The distance to a triangle in double precision, if the ray meets it well inside.
fn distance(ray: &Ray, triangle: &Triangle) -> Option<f64> {
    let [o, d] = [ray.origin, ray.direction].map(Vec3A::as_dvec3);
    let [a, b, c] = [triangle.v0, triangle.v1, triangle.v2].map(Vec3A::as_dvec3);
    let (e1, e2) = (b - a, c - a);
    let p = d.cross(e2);
    let det = e1.dot(p);
    let s = o - a;
    let (u, q) = (s.dot(p) / det, s.cross(e1));
    let (v, t) = (d.dot(q) / det, e2.dot(q) / det);
    let inside = u >= 0.0 && v >= 0.0 && u + v <= 1.0;
    (inside && t > f64::from(NEAREST_M) && t <= f64::from(ray.max_m)).then_some(t)
}

fn nearest(ray: &Ray, triangles: &[Triangle], counts: impl Fn(usize) -> bool) -> Option<f64> {
    let met = triangles.iter().enumerate().filter(|&(index, _)| counts(index));
    met.filter_map(|(_, triangle)| distance(ray, triangle)).reduce(f64::min)
}

/// Equal but for rays that graze the edge of a triangle, which are one in thousands.
fn agree(found: Option<f32>, expected: Option<f64>) -> bool {
    match (found, expected) {
        (Some(found), Some(expected)) => (f64::from(found) - expected).abs() < 1e-4 * expected.max(1.0),
        (None, None) => true,
        _ => false,
    }
}

#[test]
fn single_rays_meet_what_trying_every_triangle_finds() {
    let mut random = Random::new(11, &[]);
    let soup = soup(700, &mut random);
    let triangles = Triangles::new(&soup, is_opaque);
    let (mut wrong, mut met) = (0, 0);
    for _ in 0..4000 {
        let direction = random.direction();
        let ray = Ray { origin: point(&mut random, 10.0), direction, max_m: random.between(5.0, 60.0) };
        let line = HalfLine::of(&ray, NEAREST_M);
        let found = triangles.first(&line).map(|hit| hit.t);
        met += usize::from(found.is_some());
        wrong += usize::from(!agree(found, nearest(&ray, &soup, |_| true)));
        wrong += usize::from(triangles.blocks(&line) != nearest(&ray, &soup, is_opaque).is_some());
    }
    assert!(met > 1000, "{met}");
    assert!(wrong <= 4, "{wrong}");
}

/// Rays of a packet: from one point or from several, along one direction or around it.
fn packet(random: &mut Random, spread: f32, apart: f32) -> Packet {
    let (origin, direction) = (point(random, 10.0), random.direction());
    let mut packet = Packet::default();
    for place in 0..RAYS {
        // Some places stay empty.
        if random.chance(0.9) {
            let direction = (direction + spread * point(random, 1.0)).normalize();
            let origin = if apart > 0.0 { origin + point(random, apart) } else { origin };
            packet.set(place, &Ray { origin, direction, max_m: 50.0 }, 0.5);
        }
    }
    packet
}

#[test]
fn packets_meet_what_their_rays_meet_alone() {
    let mut random = Random::new(12, &[]);
    let soup = soup(700, &mut random);
    let triangles = Triangles::new(&soup, is_opaque);
    let (mut wrong, mut met, mut together) = (0, 0, 0);
    for round in 0..600 {
        let (spread, apart) = [(0.02, 0.0), (0.1, 0.3), (0.6, 2.0)][round % 3];
        let rays = packet(&mut random, spread, apart);
        let mut closed = rays.clone();
        if !closed.close(NEAREST_M) {
            continue;
        }
        together += 1;
        let mut blocked = closed.clone();
        let mut hits = PacketHits::EMPTY;
        triangles.first_of(&mut closed, &mut hits);
        triangles.block(&mut blocked);
        for place in 0..RAYS {
            let (ray, _) = rays.ray(place);
            let found = Triangles::hit(&closed, &hits, place).map(|hit| hit.t);
            if ray.max_m <= 0.0 {
                assert_eq!(found, None, "an empty place");
                continue;
            }
            let line = HalfLine::of(&ray, NEAREST_M);
            let alone = triangles.first(&line).map(|hit| f64::from(hit.t));
            met += usize::from(found.is_some());
            wrong += usize::from(!agree(found, alone));
            wrong += usize::from((blocked.ends()[place] <= 0.0) != triangles.blocks(&line));
        }
    }
    assert!(together > 300 && met > 1000, "{together} {met}");
    assert!(wrong <= 8, "{wrong}");
}

#[test]
fn packets_are_seen_from_what_moves() {
    let mut random = Random::new(13, &[]);
    let soup = soup(200, &mut random);
    let triangles = Triangles::new(&soup, is_opaque);
    let turned = Placement {
        position: Vec3A::new(3.0, -2.0, 1.0),
        rotation: glam::Quat::from_rotation_z(0.7) * glam::Quat::from_rotation_x(0.2),
    };
    let mut met = 0;
    for _ in 0..100 {
        let mut rays = packet(&mut random, 0.05, 0.0);
        if !rays.close(NEAREST_M) {
            continue;
        }
        let Some(mut local) = rays.seen_from(|_| turned) else { continue };
        let mut hits = PacketHits::EMPTY;
        triangles.first_of(&mut local, &mut hits);
        for place in rays.places() {
            let (line, _) = rays.line(place);
            let alone = triangles.first(&line.seen_from(&turned)).map(|hit| f64::from(hit.t));
            let found = Triangles::hit(&local, &hits, place).map(|hit| hit.t);
            met += usize::from(found.is_some());
            assert!(agree(found, alone), "{found:?} {alone:?}");
        }
    }
    assert!(met > 100, "{met}");
}

#[test]
fn rays_along_axes_and_in_planes_are_harmless() {
    let flat = |z: f32| Triangle {
        v0: Vec3A::new(-1.0, -1.0, z),
        v1: Vec3A::new(1.0, -1.0, z),
        v2: Vec3A::new(0.0, 1.0, z),
    };
    let triangles = Triangles::new(&[flat(0.0), flat(2.0)], |_| true);
    let ray = |origin: [f32; 3], direction: [f32; 3]| {
        HalfLine::new(origin.into(), direction.into(), NEAREST_M, 100.0)
    };
    assert_eq!(triangles.first(&ray([0.0, 0.0, 5.0], [0.0, 0.0, -1.0])).map(|hit| hit.t), Some(3.0));
    assert_eq!(triangles.first(&ray([0.0, -1.0, -5.0], [0.0, 0.0, 1.0])).map(|hit| hit.t), Some(5.0));
    assert_eq!(triangles.first(&ray([-5.0, 0.0, 0.0], [1.0, 0.0, 0.0])), None, "within the plane");
    assert_eq!(triangles.first(&ray([0.0, 0.0, 1.0], [0.0, 1.0, 0.0])), None);
    let none = Triangles::new(&[], |_| true);
    assert_eq!(none.first(&ray([0.0; 3], [1.0, 0.0, 0.0])), None);
    assert!(!none.blocks(&ray([0.0; 3], [1.0, 0.0, 0.0])));
}
