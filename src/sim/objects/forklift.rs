//! Forklifts: counterweight, mast, forks, overhead guard, driver.

use glam::Vec3;

use super::parts::{at, block, rod, wheel};
use super::{Person, pallet};
use crate::sim::scene::{Palette, one_of};
use crate::sim::{Mesh, Random};

/// A forklift; forks point forward. `carrying` has a pallet on them.
pub fn forklift(palette: &Palette, random: &mut Random, carrying: bool) -> Mesh {
    let mut mesh = Mesh::default();
    let paint = one_of(random, &palette.machine_paints);
    let scale = random.between(0.88, 1.15);
    let (rear, front) = (-1.3 * scale, 0.85 * scale);
    let half = 0.52 * scale;
    // Counterweight and bonnet below the seat.
    let weight = [[-1.3, -0.36], [-1.15, -0.52], [-0.55, -0.52], [-0.55, 0.52], [-1.15, 0.52], [-1.3, 0.36]]
        .map(|[x, y]| [x * scale, y * scale]);
    mesh.add_prism(paint, &at(0.0, 0.0, 0.0), &weight, [0.25, 0.98 * scale]);
    block(&mut mesh, paint, [-0.6 * scale, 0.1], [-half, half], [0.28, 0.85 * scale]);
    block(&mut mesh, palette.black_metal, [0.1, front - 0.1], [-half, half], [0.2, 0.36]);
    block(&mut mesh, paint, [front - 0.35, front - 0.12], [-half, half], [0.36, 0.75]);
    block(&mut mesh, palette.reflector, [rear - 0.01, rear + 0.02], [-0.2, 0.2], [0.55, 0.62]);
    for side in [-1.0, 1.0] {
        let y = side * (half - 0.06);
        wheel(&mut mesh, [palette.rubber, palette.black_metal], [front - 0.38, y, 0.33], 0.33, 0.2);
        wheel(&mut mesh, [palette.rubber, palette.black_metal], [rear + 0.42, y, 0.25], 0.25, 0.17);
        block(
            &mut mesh,
            palette.tail_light,
            [rear - 0.01, rear + 0.1],
            [y - 0.08 * side, y - 0.2 * side],
            [0.85, 0.93],
        );
    }
    guard(&mut mesh, palette, scale);
    // Seat, wheel, driver.
    block(&mut mesh, palette.upholstery, [-0.5, -0.05], [-0.23, 0.23], [0.85 * scale, 0.95 * scale]);
    block(&mut mesh, palette.upholstery, [-0.58, -0.48], [-0.23, 0.23], [0.9 * scale, 1.4 * scale]);
    rod(
        &mut mesh,
        palette.dark_plastic,
        [Vec3::new(0.42, 0.0, 0.8), Vec3::new(0.3, 0.0, 1.12)],
        [0.03, 0.18],
        8,
    );
    if carrying || random.chance(0.7) {
        let driver = Person::new(palette, random, true);
        mesh.append(&driver.sitting(0.9 * scale), &at(-0.28, 0.0, 0.0));
    }
    let lift = mast(&mut mesh, palette, random, scale, carrying);
    if carrying {
        let height = random.between(0.4, 1.2);
        let mut cargo = Mesh::default();
        block(&mut cargo, palette.pallet_wood, [-0.6, 0.6], [-0.4, 0.4], [0.1, 0.144]);
        for y in [-0.35, 0.0, 0.35] {
            block(&mut cargo, palette.pallet_wood, [-0.6, 0.6], [y - 0.05, y + 0.05], [0.0, 0.1]);
        }
        pallet::load(&mut cargo, palette, random, 0.144, height);
        mesh.append(
            &cargo,
            &(at(front + 0.72, 0.0, lift) * glam::Affine3A::from_rotation_z(std::f32::consts::FRAC_PI_2)),
        );
    }
    mesh
}

/// Four posts with a roof of bars.
fn guard(mesh: &mut Mesh, palette: &Palette, scale: f32) {
    let (top, half) = (2.12 * scale, 0.46 * scale);
    let roof = [-0.75 * scale, 0.32 * scale];
    for side in [-1.0, 1.0] {
        let y = side * half;
        let posts = [
            [Vec3::new(0.6 * scale, y, 0.7), Vec3::new(roof[1], y, top)],
            [Vec3::new(-0.95 * scale, y, 0.9), Vec3::new(roof[0], y, top)],
        ];
        for post in posts {
            rod(mesh, palette.black_metal, post, [0.04, 0.04], 4);
        }
        rod(
            mesh,
            palette.black_metal,
            [Vec3::new(roof[0], y, top), Vec3::new(roof[1], y, top)],
            [0.04, 0.04],
            4,
        );
    }
    for k in 0..7 {
        let x = roof[0] + (roof[1] - roof[0]) * k as f32 / 6.0;
        let ends = [Vec3::new(x, -half, top), Vec3::new(x, half, top)];
        rod(mesh, palette.black_metal, ends, [0.022, 0.022], 4);
    }
    mesh.add_cylinder(palette.signs.last().copied().unwrap_or_default(), &at(-0.3, 0.0, top), 0.06, 0.12, 8);
}

/// Rails, chains, carriage, forks. Gives the height of the forks.
fn mast(mesh: &mut Mesh, palette: &Palette, random: &mut Random, scale: f32, carrying: bool) -> f32 {
    let x = 0.9 * scale;
    let top = random.between(2.0, 2.4) * scale;
    let lift = if carrying { random.between(0.1, 0.3) } else { random.between(0.05, 0.9) };
    for side in [-1.0_f32, 1.0] {
        let y = side * 0.34 * scale;
        block(mesh, palette.black_metal, [x - 0.08, x + 0.06], [y - 0.045, y + 0.045], [0.08, top]);
        let inner = side * 0.25 * scale;
        block(
            mesh,
            palette.steel,
            [x - 0.04, x + 0.04],
            [inner - 0.03, inner + 0.03],
            [0.12, top - 0.1 + lift],
        );
        let fork = side * 0.22;
        block(mesh, palette.steel, [x + 0.1, x + 1.2], [fork - 0.06, fork + 0.06], [lift, lift + 0.045]);
        block(mesh, palette.steel, [x + 0.08, x + 0.13], [fork - 0.06, fork + 0.06], [lift, lift + 0.55]);
    }
    for z in [0.3, 0.5 * top, top - 0.06] {
        block(mesh, palette.black_metal, [x - 0.06, x - 0.01], [-0.34 * scale, 0.34 * scale], [z, z + 0.09]);
    }
    // The carriage with its load guard.
    for z in [lift + 0.1, lift + 0.42] {
        block(mesh, palette.black_metal, [x + 0.05, x + 0.1], [-0.45, 0.45], [z, z + 0.09]);
    }
    for k in 0..5 {
        let y = -0.4 + 0.2 * k as f32;
        block(
            mesh,
            palette.black_metal,
            [x + 0.06, x + 0.09],
            [y - 0.015, y + 0.015],
            [lift + 0.5, lift + 1.0],
        );
    }
    lift
}
