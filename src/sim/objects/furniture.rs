//! Furniture of offices.

use std::f32::consts::TAU;

use glam::{Affine3A, Vec3};

use super::parts::{at, block, rod};
use super::tree::bush;
use crate::sim::scene::{Palette, one_of};
use crate::sim::{Mesh, Random};

/// A desk with what is on it, its user's side towards −y.
pub fn desk(palette: &Palette, random: &mut Random) -> Mesh {
    let mut mesh = Mesh::default();
    let (half, depth, top) =
        (random.between(0.6, 0.95), random.between(0.35, 0.42), random.between(0.7, 0.78));
    let wood = one_of(random, &palette.furniture);
    block(&mut mesh, wood, [-half, half], [-depth, depth], [top - 0.03, top]);
    for x in [-half + 0.04, half - 0.04] {
        for y in [-depth + 0.05, depth - 0.05] {
            block(
                &mut mesh,
                palette.steel,
                [x - 0.025, x + 0.025],
                [y - 0.025, y + 0.025],
                [0.0, top - 0.03],
            );
        }
    }
    if random.chance(0.6) {
        block(&mut mesh, wood, [half - 0.45, half - 0.06], [-depth + 0.05, depth - 0.1], [0.05, 0.6]);
    }
    for _ in 0..=random.below(2) {
        let x = random.between(-0.5, 0.4) * half;
        block(&mut mesh, palette.dark_plastic, [x - 0.28, x + 0.28], [0.1, 0.13], [top + 0.12, top + 0.47]);
        block(&mut mesh, palette.screen, [x - 0.26, x + 0.26], [0.095, 0.1], [top + 0.14, top + 0.45]);
        block(&mut mesh, palette.dark_plastic, [x - 0.04, x + 0.04], [0.1, 0.16], [top, top + 0.2]);
    }
    block(&mut mesh, palette.dark_plastic, [-0.22, 0.22], [-0.2, -0.06], [top, top + 0.02]);
    if random.chance(0.4) {
        // A screen of cloth towards the neighbours.
        let cover = one_of(random, &palette.cloth);
        let high = top + random.between(0.3, 0.5);
        block(&mut mesh, cover, [-half, half], [depth - 0.03, depth], [top - 0.2, high]);
    }
    // Computers, files, books, boxes.
    let (dark, black) = (palette.dark_plastic, palette.black_metal);
    let kinds = [dark, dark, dark, black, black, palette.galvanised, palette.paper, palette.screen];
    let kinds = [&kinds[..], &palette.plastics, &palette.cartons].concat();
    for _ in 0..=random.below(7) {
        let size = [random.between(0.04, 0.15), random.between(0.03, 0.14)];
        let x = random.between(-half + size[0], half - size[0]);
        let y = random.between(-depth + size[1], depth - size[1]);
        let high = top + random.between(0.02, 0.35);
        let material = one_of(random, &kinds);
        block(&mut mesh, material, [x - size[0], x + size[0]], [y - size[1], y + size[1]], [top, high]);
    }
    mesh
}

/// An office chair or a plain one that faces along x.
pub fn chair(palette: &Palette, random: &mut Random) -> Mesh {
    let mut mesh = Mesh::default();
    let cover = if random.chance(0.5) { palette.upholstery } else { one_of(random, &palette.cloth) };
    let seat = random.between(0.43, 0.5);
    block(&mut mesh, cover, [-0.23, 0.23], [-0.23, 0.23], [seat - 0.07, seat]);
    block(&mut mesh, cover, [-0.26, -0.2], [-0.21, 0.21], [seat + 0.08, seat + random.between(0.4, 0.6)]);
    if random.chance(0.6) {
        rod(
            &mut mesh,
            palette.chrome,
            [Vec3::new(0.0, 0.0, 0.1), Vec3::new(0.0, 0.0, seat - 0.07)],
            [0.03; 2],
            6,
        );
        for k in 0..5 {
            let (sin, cos) = (TAU * k as f32 / 5.0).sin_cos();
            let foot = Vec3::new(0.3 * cos, 0.3 * sin, 0.05);
            rod(&mut mesh, palette.dark_plastic, [Vec3::new(0.0, 0.0, 0.1), foot], [0.025, 0.02], 4);
            mesh.add_ellipsoid(palette.rubber, &at(foot.x, foot.y, 0.03), [0.03; 3], 5);
        }
        rod(
            &mut mesh,
            palette.dark_plastic,
            [Vec3::new(-0.22, 0.0, seat - 0.05), Vec3::new(-0.24, 0.0, seat + 0.2)],
            [0.025; 2],
            4,
        );
    } else {
        for x in [-0.21, 0.21] {
            for y in [-0.21, 0.21] {
                rod(&mut mesh, palette.steel, [Vec3::new(x, y, 0.0), Vec3::new(x, y, seat)], [0.014; 2], 4);
            }
        }
        for y in [-0.2, 0.2] {
            let ends = [Vec3::new(-0.21, y, seat), Vec3::new(-0.23, y, seat + 0.4)];
            rod(&mut mesh, palette.steel, ends, [0.014; 2], 4);
        }
    }
    mesh
}

/// A cupboard, a shelf with files, lockers, a copier or a vending machine; its back is at +y.
pub fn cabinet(palette: &Palette, random: &mut Random) -> Mesh {
    let mut mesh = Mesh::default();
    match random.below(4) {
        0 => {
            let (half, top) = (random.between(0.4, 0.6), random.between(0.8, 2.0));
            let wood = one_of(random, &palette.furniture);
            block(&mut mesh, wood, [-half, half], [-0.2, 0.22], [0.05, top]);
            block(&mut mesh, palette.steel, [-0.03, -0.015], [-0.23, -0.2], [0.5 * top, 0.5 * top + 0.12]);
            block(&mut mesh, palette.steel, [0.015, 0.03], [-0.23, -0.2], [0.5 * top, 0.5 * top + 0.12]);
        }
        1 => {
            let (half, shelves) = (random.between(0.4, 0.6), 3 + random.below(3));
            let wood = one_of(random, &palette.furniture);
            for k in 0..=shelves {
                let z = 0.05 + 0.36 * k as f32;
                block(&mut mesh, wood, [-half, half], [-0.15, 0.15], [z, z + 0.025]);
                if k < shelves && random.chance(0.8) {
                    let fill = random.between(0.3, 1.0);
                    let files = one_of(random, &palette.plastics);
                    let across = [-half + 0.03, -half + 0.03 + (2.0 * half - 0.06) * fill];
                    block(&mut mesh, files, across, [-0.12, 0.12], [z + 0.025, z + 0.3]);
                }
            }
            let top = 0.075 + 0.36 * shelves as f32;
            for x in [-half, half] {
                block(&mut mesh, wood, [x - 0.012, x + 0.012], [-0.15, 0.15], [0.0, top]);
            }
        }
        2 => {
            let count = 2 + random.below(4);
            let metal = one_of(random, &palette.machine_paints);
            for k in 0..count {
                let x = 0.31 * (k as f32 - 0.5 * (count as f32 - 1.0));
                block(&mut mesh, metal, [x - 0.152, x + 0.152], [-0.24, 0.25], [0.1, 1.8]);
                block(&mut mesh, palette.dark_plastic, [x + 0.08, x + 0.11], [-0.26, -0.24], [1.0, 1.1]);
            }
        }
        _ => {
            let paint = one_of(random, &palette.plastics);
            let top = random.between(1.0, 1.85);
            block(&mut mesh, paint, [-0.4, 0.4], [-0.35, 0.35], [0.05, top]);
            block(&mut mesh, palette.screen, [-0.25, 0.25], [-0.36, -0.35], [0.7 * top, 0.9 * top]);
            block(&mut mesh, palette.dark_plastic, [-0.35, 0.35], [-0.36, -0.35], [0.2, 0.35]);
        }
    }
    mesh
}

/// A plant in a pot.
pub fn plant(palette: &Palette, random: &mut Random) -> Mesh {
    let mut mesh = Mesh::default();
    let pot = one_of(random, &palette.plastics);
    mesh.add_cone(pot, &Affine3A::IDENTITY, [0.13, 0.18], 0.35, 10);
    let height = random.between(0.5, 1.2);
    let leaves = bush(palette, random, height, 60);
    mesh.append(&leaves, &(at(0.0, 0.0, 0.3) * Affine3A::from_scale(Vec3::new(0.55, 0.55, 1.0))));
    mesh
}
