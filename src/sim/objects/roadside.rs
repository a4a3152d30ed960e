//! What stands beside roads: lamps, signs, bollards, bins.

use std::f32::consts::{PI, TAU};

use glam::{Affine3A, Vec3};

use super::parts::{at, block, rod};
use super::tree::bush;
use crate::sim::scene::{Palette, one_of};
use crate::sim::{Mesh, Random};

/// A street lamp whose arm reaches along x. Gives the place of its light too.
pub fn street_lamp(palette: &Palette, random: &mut Random) -> (Mesh, Vec3) {
    let mut mesh = Mesh::default();
    let (height, arm) = (random.between(5.0, 8.5), random.between(0.6, 2.0));
    let head = Vec3::new(arm, 0.0, height);
    rod(&mut mesh, palette.galvanised, [Vec3::ZERO, Vec3::new(0.0, 0.0, height - 0.3)], [0.09, 0.05], 8);
    rod(&mut mesh, palette.galvanised, [Vec3::new(0.0, 0.0, height - 0.3), head], [0.04, 0.04], 6);
    block(&mut mesh, palette.dark_plastic, [arm - 0.1, arm + 0.5], [-0.13, 0.13], [height, height + 0.09]);
    block(&mut mesh, palette.lamp, [arm, arm + 0.45], [-0.1, 0.1], [height - 0.03, height]);
    (mesh, head + Vec3::new(0.2, 0.0, -0.15))
}

/// A road sign that faces along x.
pub fn sign(palette: &Palette, random: &mut Random) -> Mesh {
    let mut mesh = Mesh::default();
    let height = random.between(2.0, 2.9);
    rod(&mut mesh, palette.galvanised, [Vec3::ZERO, Vec3::new(0.0, 0.0, height)], [0.035, 0.035], 6);
    let (face, rim) = (one_of(random, &palette.signs), one_of(random, &palette.signs));
    let corners = *random.pick(&[3_u32, 4, 8, 16, 16]).unwrap_or(&16);
    let radius = random.between(0.3, 0.42);
    let plate = |mesh: &mut Mesh, material, x: f32, radius: f32| {
        let turn = if corners == 4 { 0.25 * PI } else { 0.5 * PI };
        let ring: Vec<Vec3> = (0..corners)
            .map(|k| {
                let (sin, cos) = (TAU * k as f32 / corners as f32 + turn).sin_cos();
                Vec3::new(x, radius * cos, height - 0.35 + radius * sin)
            })
            .collect();
        mesh.add_fan(material, &ring);
    };
    plate(&mut mesh, palette.galvanised, 0.038, radius);
    plate(&mut mesh, rim, 0.042, radius);
    plate(&mut mesh, face, 0.046, 0.78 * radius);
    mesh
}

/// A post that keeps cars away.
pub fn bollard(palette: &Palette, random: &mut Random) -> Mesh {
    let mut mesh = Mesh::default();
    let height = random.between(0.7, 1.1);
    let material =
        one_of(random, &[palette.black_metal, palette.galvanised, palette.concrete, palette.hazard]);
    mesh.add_cylinder(material, &Affine3A::IDENTITY, random.between(0.05, 0.11), height, 9);
    mesh.add_cylinder(palette.reflector, &at(0.0, 0.0, height - 0.12), 0.112, 0.05, 9);
    mesh
}

/// A tub with bushes.
pub fn planter(palette: &Palette, random: &mut Random) -> Mesh {
    let mut mesh = Mesh::default();
    let half = random.between(0.25, 0.9);
    let material = one_of(random, &[palette.concrete, palette.pallet_wood, palette.dark_plastic]);
    block(&mut mesh, material, [-half, half], [-0.25, 0.25], [0.0, 0.45]);
    for k in 0..(2.0 * half / 0.4) as u32 {
        let size = random.between(0.4, 1.0);
        let leaves = bush(palette, random, size, 36);
        mesh.append(&leaves, &at(-half + 0.25 + 0.4 * k as f32, 0.0, 0.4));
    }
    mesh
}

/// A waste bin on wheels or on a post.
pub fn bin(palette: &Palette, random: &mut Random) -> Mesh {
    let mut mesh = Mesh::default();
    let plastic = one_of(random, &palette.plastics);
    if random.chance(0.5) {
        let outline =
            |s: f32| [[-0.28 * s, -0.3 * s], [0.28 * s, -0.3 * s], [0.28 * s, 0.3 * s], [-0.28 * s, 0.3 * s]];
        mesh.add_loft(plastic, &Affine3A::IDENTITY, &outline(0.8), &outline(1.0), [0.05, 0.98]);
        mesh.add_loft(palette.dark_plastic, &Affine3A::IDENTITY, &outline(1.08), &outline(0.9), [0.98, 1.07]);
    } else {
        rod(&mut mesh, palette.galvanised, [Vec3::ZERO, Vec3::new(0.0, 0.0, 1.1)], [0.03, 0.03], 6);
        mesh.add_cone(plastic, &at(0.18, 0.0, 0.5), [0.14, 0.18], 0.5, 9);
    }
    mesh
}
