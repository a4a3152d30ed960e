//! What factories have: machines, tanks, pipes, cranes.

use std::f32::consts::{FRAC_PI_2, TAU};

use glam::{Affine3A, Vec3};

use super::parts::{at, block, rod};
use crate::sim::scene::{Palette, one_of};
use crate::sim::{Mesh, Random};

/// A machine tool, a press, a lathe, a conveyor or a control cabinet.
pub fn machine(palette: &Palette, random: &mut Random) -> Mesh {
    let mut mesh = Mesh::default();
    let paint = one_of(random, &palette.machine_paints);
    match random.below(6) {
        0 | 1 => {
            // A machining centre in its cabin.
            let (half, depth, top) =
                (random.between(0.9, 2.2), random.between(0.8, 1.4), random.between(1.9, 2.8));
            block(&mut mesh, palette.black_metal, [-half, half], [-depth, depth], [0.0, 0.12]);
            block(&mut mesh, paint, [-half, half], [-0.7 * depth, depth], [0.12, top]);
            let front = -0.7 * depth - 0.02;
            block(
                &mut mesh,
                palette.dark_plastic,
                [-0.5 * half, 0.5 * half],
                [front, front + 0.03],
                [0.9, 0.8 * top],
            );
            block(
                &mut mesh,
                palette.window,
                [-0.4 * half, 0.3 * half],
                [front - 0.01, front],
                [1.1, 0.7 * top],
            );
            let panel = [half + 0.15, half + 0.55];
            block(&mut mesh, palette.dark_plastic, panel, [front - 0.1, front], [1.1, 1.7]);
            block(&mut mesh, palette.screen, panel, [front - 0.11, front - 0.1], [1.3, 1.65]);
            rod(
                &mut mesh,
                palette.steel,
                [Vec3::new(half, front, 1.75), Vec3::new(half + 0.35, front - 0.05, 1.7)],
                [0.04; 2],
                6,
            );
            // Chip bin and cabinets at the sides and the back.
            let (side, back) = (random.between(0.3, 0.8), random.between(0.3, 0.6));
            block(
                &mut mesh,
                palette.steel,
                [-half - side, -half],
                [-0.4, 0.4],
                [0.0, random.between(0.6, 1.1)],
            );
            block(
                &mut mesh,
                palette.galvanised,
                [-0.6 * half, 0.2 * half],
                [depth, depth + back],
                [0.1, 0.8 * top],
            );
            block(
                &mut mesh,
                palette.black_metal,
                [0.3 * half, 0.8 * half],
                [depth, depth + 0.06],
                [1.0, 1.6],
            );
            rod(
                &mut mesh,
                palette.galvanised,
                [top, top + 0.8].map(|z| Vec3::new(-0.5 * half, 0.4 * depth, z)),
                [0.15; 2],
                9,
            );
            let colour = one_of(random, &palette.signs);
            mesh.add_cylinder(colour, &at(0.8 * half, 0.0, top), 0.04, 0.35, 6);
        }
        2 => {
            // A press with two columns.
            let (half, top) = (random.between(0.8, 1.6), random.between(2.6, 4.2));
            block(&mut mesh, paint, [-half, half], [-0.8, 0.8], [0.0, 0.8]);
            block(&mut mesh, paint, [-half, half], [-0.7, 0.7], [0.68 * top, top]);
            for x in [-half, 0.62 * half] {
                block(&mut mesh, paint, [x, x + 0.38 * half], [-0.6, 0.6], [0.8, 0.68 * top]);
            }
            block(&mut mesh, palette.steel, [-0.5 * half, 0.5 * half], [-0.5, 0.5], [0.45 * top, 0.68 * top]);
            block(&mut mesh, palette.hazard, [-half - 0.01, half + 0.01], [-0.81, -0.8], [0.6, 0.75]);
        }
        3 => {
            // A lathe.
            let half = random.between(0.9, 2.0);
            block(&mut mesh, paint, [-half, -0.4 * half], [-0.4, 0.4], [0.0, 1.3]);
            block(&mut mesh, paint, [0.6 * half, half], [-0.35, 0.35], [0.0, 1.0]);
            block(&mut mesh, paint, [-half, half], [-0.35, 0.35], [0.45, 0.8]);
            let along = Affine3A::from_rotation_y(FRAC_PI_2);
            mesh.add_cylinder(palette.steel, &(at(-0.4 * half, 0.0, 1.05) * along), 0.16, 0.2, 12);
            mesh.add_cylinder(palette.steel, &(at(-0.2 * half, 0.0, 1.05) * along), 0.05, half, 8);
            block(&mut mesh, palette.steel, [0.0, 0.35], [-0.5, 0.3], [0.8, 1.0]);
        }
        4 => {
            // A conveyor with cartons.
            let (half, top) = (random.between(1.5, 4.0), random.between(0.6, 0.95));
            let legs = (half / 0.9).ceil() as u32;
            for k in 0..=legs {
                let x = -half + 2.0 * half * k as f32 / legs as f32;
                for y in [-0.35, 0.35] {
                    block(
                        &mut mesh,
                        palette.galvanised,
                        [x - 0.03, x + 0.03],
                        [y - 0.03, y + 0.03],
                        [0.0, top],
                    );
                }
            }
            block(&mut mesh, palette.rubber, [-half, half], [-0.32, 0.32], [top - 0.08, top]);
            for y in [-0.36, 0.36] {
                block(&mut mesh, paint, [-half, half], [y - 0.03, y + 0.03], [top - 0.15, top + 0.06]);
            }
            let mut x = -half + 0.3;
            while x < half - 0.3 {
                let size = random.between(0.2, 0.4);
                let carton = one_of(random, &palette.cartons);
                block(&mut mesh, carton, [x - 0.5 * size, x + 0.5 * size], [-0.2, 0.2], [top, top + size]);
                x += random.between(0.6, 1.6);
            }
        }
        _ => {
            // Cabinets in a row.
            let count = 1 + random.below(5);
            for k in 0..count {
                let x = 0.8 * (k as f32 - 0.5 * (count as f32 - 1.0));
                block(&mut mesh, paint, [x - 0.39, x + 0.39], [-0.3, 0.3], [0.1, 2.05]);
                block(&mut mesh, palette.black_metal, [x - 0.36, x + 0.36], [-0.27, 0.27], [0.0, 0.1]);
                block(&mut mesh, palette.dark_plastic, [x + 0.28, x + 0.32], [-0.33, -0.3], [0.9, 1.15]);
            }
        }
    }
    mesh
}

/// A tank on legs, upright or lying.
pub fn tank(palette: &Palette, random: &mut Random) -> Mesh {
    let mut mesh = Mesh::default();
    let paint = one_of(random, &palette.machine_paints);
    let metal = one_of(random, &[palette.chrome, palette.galvanised, paint]);
    let radius = random.between(0.6, 1.4);
    if random.chance(0.65) {
        let (foot, height) = (random.between(0.4, 0.9), random.between(1.8, 4.2));
        mesh.add_cylinder(metal, &at(0.0, 0.0, foot), radius, height, 20);
        mesh.add_ellipsoid(metal, &at(0.0, 0.0, foot + height), [radius, radius, 0.4 * radius], 20);
        mesh.add_cone(metal, &at(0.0, 0.0, 0.5 * foot), [0.3 * radius, radius], 0.5 * foot, 20);
        for k in 0..4 {
            let (sin, cos) = (TAU * (k as f32 + 0.5) / 4.0).sin_cos();
            let top = Vec3::new(0.9 * radius * cos, 0.9 * radius * sin, foot + 0.2);
            rod(&mut mesh, palette.steel, [top.with_z(0.0), top], [0.06; 2], 6);
        }
        let pipe = Vec3::new(0.0, 0.0, foot + height + 0.35 * radius);
        rod(&mut mesh, palette.steel, [pipe, pipe + Vec3::new(0.0, 0.0, 0.8)], [0.09; 2], 8);
        for k in 0..(height / 0.3) as u32 {
            let z = foot + 0.3 * k as f32;
            rod(&mut mesh, palette.steel, [-0.2, 0.2].map(|y| Vec3::new(radius + 0.12, y, z)), [0.014; 2], 4);
        }
        for y in [-0.2, 0.2] {
            let ends = [0.0, foot + height].map(|z| Vec3::new(radius + 0.12, y, z));
            rod(&mut mesh, palette.steel, ends, [0.02; 2], 4);
        }
    } else {
        let half = random.between(1.2, 2.6);
        let z = radius + 0.5;
        rod(&mut mesh, metal, [-half, half].map(|x| Vec3::new(x, 0.0, z)), [radius; 2], 20);
        for x in [-half, half] {
            mesh.add_ellipsoid(metal, &at(x, 0.0, z), [0.35 * radius, radius, radius], 16);
            block(
                &mut mesh,
                palette.concrete,
                [0.7 * x - 0.12, 0.7 * x + 0.12],
                [-0.8 * radius, 0.8 * radius],
                [0.0, 0.75],
            );
        }
    }
    mesh
}

/// Pipes side by side along x, `length` long, on brackets; the lowest is at 0.
pub fn pipes(palette: &Palette, random: &mut Random, length: f32) -> Mesh {
    let mut mesh = Mesh::default();
    let half = 0.5 * length;
    let mut z = 0.0;
    for _ in 0..2 + random.below(4) {
        let radius = random.log_between(0.03, 0.2);
        let paint = one_of(random, &palette.machine_paints);
        let material = one_of(random, &[palette.galvanised, palette.steel, paint]);
        z += radius + 0.08;
        rod(&mut mesh, material, [-half, half].map(|x| Vec3::new(x, 0.0, z)), [radius; 2], 9);
        let mut x = -half + random.between(0.5, 3.0);
        while x < half {
            let flange = [x, x + 0.05].map(|x| Vec3::new(x, 0.0, z));
            rod(&mut mesh, palette.steel, flange, [1.5 * radius; 2], 9);
            x += random.between(3.0, 8.0);
        }
        z += radius;
    }
    let mut x = -half + 1.0;
    while x < half {
        block(&mut mesh, palette.black_metal, [x - 0.03, x + 0.03], [0.0, 0.25], [0.0, z]);
        x += 3.0;
    }
    mesh
}

/// A bridge crane that spans `width` along y below `height`; its hook hangs somewhere.
pub fn crane(palette: &Palette, random: &mut Random, width: f32, height: f32) -> Mesh {
    let mut mesh = Mesh::default();
    let half = 0.5 * width;
    for x in [-0.6, 0.6] {
        block(&mut mesh, palette.floor_paint, [x - 0.2, x + 0.2], [-half, half], [height - 0.7, height]);
    }
    let y = random.between(-0.6, 0.6) * half;
    block(&mut mesh, palette.machine_paints[0], [-0.8, 0.8], [y - 0.5, y + 0.5], [height, height + 0.6]);
    let hook = random.between(3.0, (height - 1.5).max(3.1));
    rod(&mut mesh, palette.black_metal, [Vec3::new(0.0, y, hook), Vec3::new(0.0, y, height)], [0.03; 2], 5);
    block(&mut mesh, palette.hazard, [-0.2, 0.2], [y - 0.15, y + 0.15], [hook - 0.5, hook]);
    mesh
}
