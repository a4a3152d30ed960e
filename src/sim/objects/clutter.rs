//! Small things that lie about.

use std::f32::consts::{FRAC_PI_2, TAU};

use glam::{Affine3A, Vec3};

use super::pallet::drum;
use super::parts::{at, block, rod, wheel};
use super::roadside::bin;
use crate::sim::scene::{Palette, one_of};
use crate::sim::{Mesh, Random};

/// Something that people leave on floors where they work.
pub fn indoor_clutter(palette: &Palette, random: &mut Random) -> Mesh {
    let mut mesh = Mesh::default();
    match random.below(9) {
        0 | 1 => cartons(&mut mesh, palette, random),
        2 => {
            let plastic = one_of(random, &palette.plastics);
            drum(&mut mesh, plastic, [0.0; 3], random.between(0.15, 0.29), random.between(0.4, 0.9));
        }
        3 => mesh = bin(palette, random),
        4 => cone(&mut mesh, palette, random),
        5 => trolley(&mut mesh, palette, random),
        6 => ladder(&mut mesh, palette, random),
        7 => {
            // A cable drum on its side.
            let (radius, width) = (random.between(0.25, 0.6), random.between(0.3, 0.6));
            let lying = |y: f32| at(0.0, y, radius) * Affine3A::from_rotation_x(-FRAC_PI_2);
            for y in [-0.5 * width, 0.5 * width] {
                mesh.add_cylinder(palette.pallet_wood, &lying(y - 0.02), radius, 0.04, 14);
            }
            mesh.add_cylinder(palette.dark_plastic, &lying(-0.5 * width), 0.7 * radius, width, 12);
        }
        _ => {
            // Planks or profiles in a stack.
            let (length, count) = (random.between(1.0, 3.0), 2 + random.below(6));
            let material = one_of(random, &[palette.pallet_wood, palette.galvanised, palette.steel]);
            for k in 0..count {
                let (y, z) = (random.between(-0.12, 0.12), 0.05 * k as f32);
                let shift = random.between(-0.1, 0.1);
                block(
                    &mut mesh,
                    material,
                    [shift - 0.5 * length, shift + 0.5 * length],
                    [y - 0.07, y + 0.07],
                    [z, z + 0.05],
                );
            }
        }
    }
    mesh
}

fn cartons(mesh: &mut Mesh, palette: &Palette, random: &mut Random) {
    let mut floor = 0.0;
    for _ in 0..=random.below(3) {
        let carton = one_of(random, &palette.cartons);
        let size = [random.between(0.25, 0.6), random.between(0.2, 0.5), random.between(0.15, 0.45)];
        let turn = Affine3A::from_rotation_z(random.between(-0.3, 0.3));
        mesh.add_box(carton, &(at(0.0, 0.0, floor + 0.5 * size[2]) * turn), size);
        floor += size[2];
    }
}

fn cone(mesh: &mut Mesh, palette: &Palette, random: &mut Random) {
    let height = random.between(0.45, 0.75);
    let orange = palette.plastics.get(1).copied().unwrap_or_default();
    block(mesh, palette.dark_plastic, [-0.18, 0.18], [-0.18, 0.18], [0.0, 0.04]);
    mesh.add_cone(orange, &at(0.0, 0.0, 0.04), [0.14, 0.03], height, 10);
    mesh.add_cone(palette.reflector, &at(0.0, 0.0, 0.45 * height), [0.102, 0.082], 0.15 * height, 10);
}

/// A hand truck with a handle.
fn trolley(mesh: &mut Mesh, palette: &Palette, random: &mut Random) {
    let (length, half) = (random.between(0.8, 1.3), random.between(0.28, 0.4));
    block(mesh, palette.pallet_wood, [-0.5 * length, 0.5 * length], [-half, half], [0.2, 0.25]);
    for x in [-0.4 * length, 0.4 * length] {
        for y in [-0.8 * half, 0.8 * half] {
            wheel(mesh, [palette.rubber, palette.steel], [x, y, 0.1], 0.1, 0.05);
        }
    }
    let top = random.between(0.9, 1.1);
    for y in [-half, half] {
        let foot = Vec3::new(-0.5 * length, y, 0.2);
        rod(mesh, palette.steel, [foot, Vec3::new(-0.55 * length, y, top)], [0.016, 0.016], 5);
    }
    let ends = [-half, half].map(|y| Vec3::new(-0.55 * length, y, top));
    rod(mesh, palette.steel, ends, [0.016, 0.016], 5);
    if random.chance(0.6) {
        let mut load = Mesh::default();
        cartons(&mut load, palette, random);
        mesh.append(&load, &at(0.0, 0.0, 0.25));
    }
}

/// A step ladder.
fn ladder(mesh: &mut Mesh, palette: &Palette, random: &mut Random) {
    let (height, spread) = (random.between(1.2, 2.4), 0.35);
    for y in [-0.25, 0.25] {
        let top = Vec3::new(0.0, 0.7 * y, height);
        for x in [-spread, spread] {
            rod(mesh, palette.galvanised, [Vec3::new(x * height, y, 0.0), top], [0.02, 0.02], 4);
        }
    }
    for k in 1..(height / 0.3) as u32 {
        let share = 0.3 * k as f32 / height;
        let (x, y) = (spread * height * (1.0 - share), 0.25 - 0.075 * share);
        block(
            mesh,
            palette.galvanised,
            [x - 0.04, x + 0.04],
            [-y, y],
            [share * height - 0.01, share * height + 0.01],
        );
    }
}

/// Something that lies about outdoors where people build or store.
pub fn outdoor_clutter(palette: &Palette, random: &mut Random) -> Mesh {
    let mut mesh = Mesh::default();
    match random.below(6) {
        0 => cone(&mut mesh, palette, random),
        1 => {
            // Tyres on a pile.
            for k in 0..=random.below(5) {
                let place = at(random.between(-0.05, 0.05), random.between(-0.05, 0.05), 0.2 * k as f32);
                mesh.add_cylinder(palette.rubber, &place, 0.33, 0.19, 12);
            }
        }
        2 => {
            let material = one_of(random, &[palette.gravel, palette.soil]);
            let size = random.between(0.6, 1.6);
            mesh.add_ellipsoid(material, &at(0.0, 0.0, 0.0), [size, 0.8 * size, 0.5 * size], 12);
        }
        3 => {
            // Pipes side by side.
            let (radius, length) = (random.between(0.08, 0.35), random.between(2.0, 5.0));
            let material = one_of(random, &[palette.concrete, palette.steel, palette.rubber]);
            for k in 0..3 + random.below(3) {
                let y = 2.05 * radius * (k as f32 - 1.5);
                let ends = [-0.5, 0.5].map(|share| Vec3::new(share * length, y, radius));
                rod(&mut mesh, material, ends, [radius, radius], 10);
            }
        }
        4 => {
            for _ in 0..2 + random.below(6) {
                let (sin, cos) = (TAU * random.unit()).sin_cos();
                let reach = random.between(0.0, 0.5);
                let size = [random.between(0.2, 0.6), random.between(0.15, 0.4), random.between(0.08, 0.25)];
                let turn = Affine3A::from_rotation_z(TAU * random.unit());
                mesh.add_box(palette.concrete, &(at(reach * cos, reach * sin, 0.5 * size[2]) * turn), size);
            }
        }
        _ => mesh = indoor_clutter(palette, random),
    }
    mesh
}
