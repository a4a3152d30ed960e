//! Pallet racks and what is stored in them.

use super::pallet;
use super::parts::{at, block};
use crate::sim::scene::{Palette, one_of};
use crate::sim::{Mesh, Random};

/// Depth of a rack, metres.
pub const DEPTH_M: f32 = 1.1;
/// From post to post, metres.
pub const BAY_M: f32 = 2.8;

/// A rack of some bays along x, `height` high. The lowest level stays empty below `first_level` metres:
/// pallets may stand there on the floor.
pub fn rack(palette: &Palette, random: &mut Random, bays: usize, height: f32, first_level: f32) -> Mesh {
    let mut mesh = Mesh::default();
    let length = bays as f32 * BAY_M;
    let beam = one_of(random, &palette.rack_paints);
    let half = 0.5 * DEPTH_M;
    for k in 0..=bays {
        let x = -0.5 * length + BAY_M * k as f32;
        for y in [-half, half] {
            block(&mut mesh, palette.galvanised, [x - 0.045, x + 0.045], [y - 0.04, y + 0.04], [0.0, height]);
        }
        let braces = (height / 1.2) as u32;
        for brace in 0..braces {
            let z = 0.2 + 1.2 * brace as f32;
            block(&mut mesh, palette.galvanised, [x - 0.02, x + 0.02], [-half, half], [z, z + 0.04]);
        }
        // What protects the posts from forklifts.
        block(&mut mesh, palette.hazard, [x - 0.09, x + 0.09], [-half - 0.08, -half - 0.05], [0.0, 0.4]);
        block(&mut mesh, palette.hazard, [x - 0.09, x + 0.09], [half + 0.05, half + 0.08], [0.0, 0.4]);
    }
    let step = random.between(1.3, 1.9);
    let levels = ((height - first_level - 0.4) / step).floor().max(0.0) as usize;
    let full = random.between(0.55, 0.95);
    for level in 0..=levels {
        let z = first_level + step * level as f32;
        for y in [-half + 0.03, half - 0.03] {
            let along = [-0.5 * length, 0.5 * length];
            block(&mut mesh, beam, along, [y - 0.025, y + 0.025], [z - 0.12, z]);
        }
        for slot in 0..3 * bays {
            if !random.chance(full) {
                continue;
            }
            let x = -0.5 * length + BAY_M / 3.0 * (slot as f32 + 0.5) + random.between(-0.05, 0.05);
            let y = random.between(-0.06, 0.06);
            stored(&mut mesh, palette, random, [x, y, z], step - 0.35);
        }
    }
    mesh
}

/// A pallet seen from afar: fewer pieces than one on the floor.
fn stored(mesh: &mut Mesh, palette: &Palette, random: &mut Random, [x, y, z]: [f32; 3], room: f32) {
    let mut load = Mesh::default();
    block(&mut load, palette.pallet_wood, [-0.6, 0.6], [-0.4, 0.4], [0.1, 0.144]);
    for side in [-0.35, 0.35] {
        block(&mut load, palette.pallet_wood, [-0.6, 0.6], [side - 0.05, side + 0.05], [0.0, 0.1]);
    }
    let height = room * random.between(0.45, 1.0);
    let top = 0.144 + height;
    match random.below(5) {
        0 => block(&mut load, palette.film, [-0.58, 0.58], [-0.38, 0.38], [0.144, top]),
        1 => {
            let plastic = one_of(random, &palette.plastics);
            for dx in [-0.4, 0.0, 0.4] {
                load.add_cylinder(plastic, &at(dx, -0.19, 0.144), 0.18, height.min(0.9), 8);
            }
        }
        _ => {
            let carton = one_of(random, &palette.cartons);
            let columns = 1 + random.below(3);
            for k in 0..columns {
                let width = 1.16 / columns as f32;
                let from = -0.58 + width * k as f32;
                let top = if random.chance(0.2) { 0.144 + 0.6 * height } else { top };
                block(&mut load, carton, [from, from + 0.98 * width], [-0.39, 0.39], [0.144, top]);
            }
        }
    }
    let turn = glam::Affine3A::from_rotation_z(std::f32::consts::FRAC_PI_2);
    mesh.append(&load, &(at(x, y, z) * turn));
}

/// The load of the lowest level: goods that stand on the floor without a pallet.
pub fn floor_goods(palette: &Palette, random: &mut Random) -> Mesh {
    let mut mesh = Mesh::default();
    let height = random.between(0.4, 0.9);
    pallet::load(&mut mesh, palette, random, 0.0, height);
    mesh
}
