//! City buses.

use glam::Vec3;

use super::Person;
use super::parts::{block, mirror, rod, skin, wheel};
use crate::sim::scene::{Palette, one_of};
use crate::sim::{Mesh, Random};

/// A bus, some people aboard.
pub fn bus(palette: &Palette, random: &mut Random) -> Mesh {
    let mut mesh = Mesh::default();
    let (length, half) = (random.between(9.5, 12.6), random.between(1.22, 1.28));
    let height = random.between(2.9, 3.25);
    let end = 0.5 * length;
    let paints = [palette.car_paints.clone(), palette.machine_paints.clone()].concat();
    let paint = one_of(random, &paints);
    let (belt, top) = (1.05, 0.8 * height);
    let ring = |z: f32, inset: f32, half: f32| {
        let (front, rear) = (end - inset, -end + 0.3 * inset);
        [
            [rear, -half],
            [front - 0.3, -half],
            [front, -0.75 * half],
            [front, 0.75 * half],
            [front - 0.3, half],
            [rear, half],
        ]
        .map(|[x, y]| Vec3::new(x, y, z))
        .to_vec()
    };
    skin(&mut mesh, paint, &[ring(0.3, 0.05, half), ring(0.7, 0.0, half), ring(belt, 0.0, half)]);
    skin(
        &mut mesh,
        paint,
        &[ring(top, 0.12, half), ring(height - 0.12, 0.2, half), ring(height, 0.35, 0.88 * half)],
    );
    let (low, high) = (ring(belt, 0.0, half), ring(top, 0.12, half));
    for corner in 0..6 {
        let next = (corner + 1) % 6;
        mesh.add_quad(palette.glass, [low[corner], low[next], high[next], high[corner]]);
        rod(&mut mesh, palette.black_metal, [low[corner], high[corner]], [0.06, 0.06], 4);
    }
    let windows = (length / 1.5) as u32;
    for k in 1..windows {
        let x = -end + length * k as f32 / windows as f32;
        for y in [-half, half] {
            let ends = [Vec3::new(x, y, belt), Vec3::new(x, y, top)];
            rod(&mut mesh, palette.black_metal, ends, [0.05, 0.05], 4);
        }
        let seated = k + 1 < windows;
        for y in [-0.75, 0.75] {
            if !seated {
                continue;
            }
            block(&mut mesh, palette.upholstery, [x - 0.08, x + 0.04], [y - 0.4, y + 0.4], [0.7, 1.45]);
            if random.chance(0.3) {
                let person = Person::new(palette, random, false).sitting(0.75);
                mesh.append(&person, &super::at(x + 0.3, y, 0.0));
            }
        }
    }
    // Doors on the right, destination board, engine flap, lights.
    for x in [end - 0.9, random.between(-0.4, 0.6)] {
        block(&mut mesh, palette.black_metal, [x - 0.6, x + 0.6], [-half - 0.01, -half + 0.01], [0.32, 0.38]);
        for edge in [x - 0.6, x, x + 0.6] {
            let ends = [Vec3::new(edge, -half - 0.01, 0.35), Vec3::new(edge, -half - 0.01, top)];
            rod(&mut mesh, palette.black_metal, ends, [0.03, 0.03], 4);
        }
    }
    block(&mut mesh, palette.screen, [end - 0.25, end - 0.1], [-0.8, 0.8], [top + 0.05, height - 0.15]);
    block(&mut mesh, palette.dark_plastic, [-end - 0.01, -end + 0.02], [-0.9, 0.9], [0.5, 0.95]);
    block(&mut mesh, palette.plate, [end, end + 0.03], [-0.26, 0.26], [0.42, 0.53]);
    block(&mut mesh, palette.plate, [-end - 0.03, -end], [-0.26, 0.26], [0.5, 0.61]);
    for side in [-1.0, 1.0] {
        let across = [side * 0.62 * half, side * 0.9 * half];
        block(&mut mesh, palette.headlight, [end - 0.2, end + 0.01], across, [0.55, 0.75]);
        block(&mut mesh, palette.tail_light, [-end - 0.01, -end + 0.1], across, [0.95, 1.25]);
        let y = side * (half + 0.2);
        mirror(&mut mesh, palette.dark_plastic, [end - 0.1, end + 0.08], [y - 0.1, y + 0.1], [1.7, 2.2]);
    }
    for x in [end - 2.6, -end + 3.0] {
        for y in [-half + 0.12, half - 0.12] {
            wheel(&mut mesh, [palette.rubber, palette.steel], [x, y, 0.48], 0.48, 0.29);
        }
    }
    mesh
}
