//! Bicycles with their riders.

use std::f32::consts::{PI, TAU};

use glam::{Affine3A, Vec3};

use super::Person;
use super::parts::{at, block, rod};
use crate::sim::scene::{Palette, one_of};
use crate::sim::{MaterialId, Mesh, Random};

/// Turns of the pedals that are drawn.
const PHASES: usize = 6;
/// How far one turn of the pedals goes, metres.
pub const STRIDE_M: f32 = 4.8;
const WHEEL_M: f32 = 0.34;

/// A cyclist in each phase of the pedals.
pub fn cyclist(palette: &Palette, random: &mut Random) -> Vec<Mesh> {
    let paints = [palette.plastics.clone(), palette.car_paints.clone()].concat();
    let (paint, rider) = (one_of(random, &paints), Person::new(palette, random, false));
    let bag = random.chance(0.4).then(|| one_of(random, &palette.cloth));
    (0..PHASES)
        .map(|phase| {
            let angle = TAU * phase as f32 / PHASES as f32;
            let mut mesh = bicycle(palette, paint);
            if let Some(bag) = bag {
                block(&mut mesh, bag, [-0.7, -0.35], [0.06, 0.2], [0.45, 0.75]);
                block(&mut mesh, bag, [-0.7, -0.35], [-0.2, -0.06], [0.45, 0.75]);
            }
            mesh.append(&rider.riding(angle), &Affine3A::IDENTITY);
            mesh
        })
        .collect()
}

/// A bicycle that stands alone.
pub fn parked_bicycle(palette: &Palette, random: &mut Random) -> Mesh {
    bicycle(palette, one_of(random, &palette.car_paints))
}

fn bicycle(palette: &Palette, paint: MaterialId) -> Mesh {
    let mut mesh = Mesh::default();
    let point = |x: f32, z: f32| Vec3::new(x, 0.0, z);
    for x in [-0.52, 0.53] {
        let rim = |k: u32| {
            let (sin, cos) = (TAU * k as f32 / 12.0).sin_cos();
            point(x + WHEEL_M * cos * 0.96, WHEEL_M * (1.0 + 0.96 * sin))
        };
        for k in 0..12 {
            rod(&mut mesh, palette.rubber, [rim(k), rim(k + 1)], [0.02, 0.02], 4);
        }
        for k in 0..4 {
            rod(&mut mesh, palette.steel, [rim(k), rim(k + 6)], [0.004, 0.004], 3);
        }
    }
    let (rear, front, crank, seat, head) = (
        point(-0.52, WHEEL_M),
        point(0.53, WHEEL_M),
        point(-0.05, 0.3),
        point(-0.22, 0.85),
        point(0.38, 0.85),
    );
    for ends in [[crank, seat], [crank, head], [seat, head], [rear, crank], [rear, seat], [head, front]] {
        rod(&mut mesh, paint, ends, [0.02, 0.02], 5);
    }
    rod(&mut mesh, palette.steel, [head, point(0.34, 1.02)], [0.015, 0.015], 4);
    rod(
        &mut mesh,
        palette.steel,
        [Vec3::new(0.34, -0.28, 1.03), Vec3::new(0.34, 0.28, 1.03)],
        [0.014, 0.014],
        4,
    );
    block(&mut mesh, palette.upholstery, [-0.36, -0.1], [-0.07, 0.07], [0.93, 0.99]);
    rod(&mut mesh, palette.steel, [seat, point(-0.23, 0.95)], [0.014, 0.014], 4);
    block(&mut mesh, palette.headlight, [0.43, 0.47], [-0.03, 0.03], [0.86, 0.92]);
    block(&mut mesh, palette.tail_light, [-0.6, -0.56], [-0.03, 0.03], [0.68, 0.74]);
    for x in [-0.52, 0.53] {
        mesh.add_cylinder(
            palette.reflector,
            &(at(x, -0.01, 0.5) * Affine3A::from_rotation_x(-0.5 * PI)),
            0.03,
            0.02,
            6,
        );
    }
    mesh
}
