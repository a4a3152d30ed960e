//! Rocks, rubble, ruined walls, tufts.

use std::f32::consts::TAU;

use glam::{Affine3A, Quat, Vec3};

use super::parts::{at, rod};
use crate::sim::scene::{Palette, one_of};
use crate::sim::{Mesh, Random};

/// A rock of about `size` metres across.
pub fn rock(palette: &Palette, random: &mut Random, size: f32) -> Mesh {
    let mut mesh = Mesh::default();
    let material = one_of(random, &palette.rocks);
    let radii = [random.between(0.4, 0.65), random.between(0.35, 0.55), random.between(0.25, 0.45)];
    let segments = if size > 0.6 { 9 } else { 6 };
    let turn =
        Affine3A::from_rotation_z(TAU * random.unit()) * Affine3A::from_rotation_x(0.3 * random.normal());
    mesh.add_ellipsoid(material, &turn, radii.map(|r| r * size), segments);
    // Equal corners are moved alike, so that the surface stays closed.
    let key = random.bits();
    for p in &mut mesh.positions {
        let cell = |v: f32| (v / size * 512.0).round() as i64 as u64;
        let mut jitter = Random::new(key, &[cell(p.x), cell(p.y), cell(p.z)]);
        *p *= 1.0 + 0.13 * (2.0 * jitter.unit() - 1.0);
        p.z += 0.25 * size;
    }
    mesh
}

/// A heap of broken concrete, bricks and beams about `size` metres across.
pub fn rubble(palette: &Palette, random: &mut Random, size: f32) -> Mesh {
    let mut mesh = Mesh::default();
    let heap = one_of(random, &[palette.gravel, palette.soil, palette.concrete]);
    mesh.add_ellipsoid(heap, &at(0.0, 0.0, -0.05), [0.45 * size, 0.4 * size, 0.16 * size], 12);
    for _ in 0..(12.0 * size) as usize {
        let material =
            one_of(random, &[palette.concrete, palette.bricks, palette.concrete, palette.pallet_wood]);
        let (sin, cos) = (TAU * random.unit()).sin_cos();
        let reach = 0.55 * size * random.unit().sqrt();
        let z = 0.16 * size * (1.0 - reach / (0.6 * size)).max(0.0);
        let length = random.log_between(0.12, 0.9).min(0.5 * size);
        let piece = [length, length * random.between(0.3, 0.9), random.between(0.06, 0.2)];
        let rotation =
            Quat::from_rotation_z(TAU * random.unit()) * Quat::from_rotation_x(0.5 * random.normal());
        let place = Affine3A::from_rotation_translation(rotation, Vec3::new(reach * cos, reach * sin, z));
        mesh.add_box(material, &place, piece);
        if random.chance(0.12) {
            let from = Vec3::new(reach * cos, reach * sin, z);
            let bent = from + Vec3::new(random.normal(), random.normal(), 1.5 + random.normal()) * 0.3;
            rod(&mut mesh, palette.steel, [from, bent], [0.012; 2], 4);
        }
    }
    mesh
}

/// What is left of a wall along x.
pub fn ruin(palette: &Palette, random: &mut Random) -> Mesh {
    let mut mesh = Mesh::default();
    let material = one_of(random, &[palette.bricks, palette.concrete, palette.plaster]);
    let (length, thick) = (random.between(2.0, 8.0), random.between(0.12, 0.2));
    let pieces = (length / 0.7).ceil() as u32;
    let mut height = random.between(0.8, 3.2);
    for k in 0..pieces {
        let [from, to] = [k, k + 1].map(|k| -0.5 * length + length * k as f32 / pieces as f32);
        let next = (height + 0.5 * random.normal()).clamp(0.2, 3.6);
        let corner = |x: f32, y: f32, z: f32| Vec3::new(x, y, z);
        if !random.chance(0.12) {
            for y in [-thick, thick] {
                mesh.add_fan(
                    material,
                    &[
                        corner(from, y, -0.5),
                        corner(to, y, -0.5),
                        corner(to, y, next),
                        corner(from, y, height),
                    ],
                );
            }
            mesh.add_quad(
                material,
                [
                    corner(from, -thick, height),
                    corner(to, -thick, next),
                    corner(to, thick, next),
                    corner(from, thick, height),
                ],
            );
            for (x, z) in [(from, height), (to, next)] {
                mesh.add_quad(
                    material,
                    [
                        corner(x, -thick, -0.5),
                        corner(x, thick, -0.5),
                        corner(x, thick, z),
                        corner(x, -thick, z),
                    ],
                );
            }
        }
        height = next;
    }
    mesh
}
