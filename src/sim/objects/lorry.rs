//! Lorries: rigid ones and tractors with a semitrailer.

use glam::Vec3;

use super::parts::{at, block, mirror, rod, skin, wheel};
use crate::sim::scene::{Palette, one_of};
use crate::sim::{Mesh, Random};

/// A lorry.
pub fn lorry(palette: &Palette, random: &mut Random) -> Mesh {
    let articulated = random.chance(0.4);
    let length = if articulated { random.between(14.5, 16.4) } else { random.between(6.4, 9.8) };
    let half = random.between(1.2, 1.27);
    let front = 0.5 * length;
    let cab_length = random.between(1.8, 2.3);
    let cab_height = if articulated { random.between(2.9, 3.7) } else { random.between(2.4, 3.0) };
    let mut mesh = Mesh::default();
    cab(&mut mesh, palette, random, [front, half, cab_length, cab_height]);
    // The frame below the load.
    for y in [-0.45, 0.45] {
        block(&mut mesh, palette.black_metal, [-front + 0.2, front - 0.8], [y - 0.06, y + 0.06], [0.75, 1.0]);
    }
    let floor = 1.12;
    let bed = [-front, front - cab_length - if articulated { 0.6 } else { 0.25 }];
    load(&mut mesh, palette, random, bed, half, floor);
    let radius = 0.48;
    let mut axles = vec![front - 1.35];
    if articulated {
        axles.extend([front - 4.6, -front + 1.6, -front + 2.9, -front + 4.2]);
    } else {
        axles.push(-front + 0.25 * length);
        if length > 8.4 {
            axles.push(-front + 0.25 * length + 1.3);
        }
    }
    for x in axles {
        for y in [-half + 0.2, half - 0.2] {
            wheel(&mut mesh, [palette.rubber, palette.steel], [x, y, radius], radius, 0.36);
        }
        block(&mut mesh, palette.black_metal, [x - 0.08, x + 0.08], [-half + 0.3, half - 0.3], [0.4, 0.56]);
    }
    // Side guards, underrun bar, lights, plate, marker tape.
    for side in [-1.0_f32, 1.0] {
        let y = side * (half - 0.05);
        let guard = [bed[0] + 0.32 * length, bed[1] - 0.12 * length];
        for z in [0.5, 0.8] {
            block(&mut mesh, palette.galvanised, guard, [y - 0.02, y + 0.02], [z, z + 0.1]);
        }
        let lamp = [side * (half - 0.1), side * (half - 0.4)];
        block(&mut mesh, palette.tail_light, [-front - 0.02, -front + 0.06], lamp, [0.8, 0.95]);
        let edge = side * (half + 0.004);
        block(&mut mesh, palette.reflector, bed, [edge - 0.004, edge + 0.004], [floor + 0.02, floor + 0.07]);
    }
    block(
        &mut mesh,
        palette.black_metal,
        [-front + 0.05, -front + 0.15],
        [-half + 0.1, half - 0.1],
        [0.45, 0.57],
    );
    block(&mut mesh, palette.plate, [-front - 0.02, -front + 0.02], [-0.26, 0.26], [0.62, 0.73]);
    mesh
}

/// A cab-over cab with its windows.
fn cab(mesh: &mut Mesh, palette: &Palette, random: &mut Random, [front, half, length, height]: [f32; 4]) {
    let paint = one_of(random, &palette.car_paints);
    let belt = 0.55 * height;
    let rear = front - length;
    let ring = |z: f32, nose: f32, half: f32| {
        [
            [rear, -half],
            [nose - 0.25, -half],
            [nose, -0.8 * half],
            [nose, 0.8 * half],
            [nose - 0.25, half],
            [rear, half],
        ]
        .map(|[x, y]| Vec3::new(x, y, z))
        .to_vec()
    };
    skin(mesh, paint, &[ring(0.45, front - 0.05, half), ring(1.0, front, half), ring(belt, front, half)]);
    let top = 0.86 * height;
    skin(mesh, paint, &[ring(top, front - 0.22, 0.97 * half), ring(height, front - 0.55, 0.9 * half)]);
    let low = ring(belt, front, half);
    let high = ring(top, front - 0.22, 0.97 * half);
    // Windscreen with its corners, side windows up to the middle, panels behind.
    for (a, b) in [(1, 2), (2, 3), (3, 4)] {
        mesh.add_quad(palette.glass, [low[a], low[b], high[b], high[a]]);
    }
    for (rear_corner, front_corner) in [(0, 1), (5, 4)] {
        let [l, h] = [
            low[rear_corner].lerp(low[front_corner], 0.35),
            high[rear_corner].lerp(high[front_corner], 0.35),
        ];
        mesh.add_quad(palette.glass, [l, low[front_corner], high[front_corner], h]);
        mesh.add_quad(paint, [low[rear_corner], l, h, high[rear_corner]]);
        rod(mesh, paint, [low[front_corner], high[front_corner]], [0.06, 0.05], 4);
        let corner = low[front_corner];
        let y = corner.y + 0.22 * corner.y.signum();
        mirror(
            mesh,
            palette.dark_plastic,
            [corner.x - 0.1, corner.x + 0.08],
            [y - 0.1, y + 0.1],
            [belt + 0.05, belt + 0.6],
        );
    }
    mesh.add_quad(paint, [low[0], low[5], high[5], high[0]]);
    block(
        mesh,
        palette.upholstery,
        [rear + 0.3, rear + 0.7],
        [-0.9 * half, 0.9 * half],
        [belt - 0.1, belt + 0.5],
    );
    block(mesh, palette.dark_plastic, [front - 0.3, front + 0.03], [-0.96 * half, 0.96 * half], [0.35, 0.62]);
    block(
        mesh,
        palette.dark_plastic,
        [front - 0.1, front + 0.012],
        [-0.7 * half, 0.7 * half],
        [0.85, 0.9 * belt],
    );
    block(mesh, palette.plate, [front, front + 0.045], [-0.26, 0.26], [0.45, 0.56]);
    for side in [-1.0, 1.0] {
        let across = [side * 0.6 * half, side * 0.9 * half];
        block(mesh, palette.headlight, [front - 0.1, front + 0.04], across, [0.62, 0.8]);
    }
}

/// What it carries on a bed that reaches over `bed` along x.
fn load(mesh: &mut Mesh, palette: &Palette, random: &mut Random, bed: [f32; 2], half: f32, floor: f32) {
    block(mesh, palette.black_metal, bed, [-half, half], [floor - 0.12, floor]);
    let height = random.between(2.1, 2.75);
    match random.below(5) {
        0 | 1 => {
            // A box with doors.
            let paint = one_of(random, &[palette.cladding, palette.tarps[0], palette.tarps[1]]);
            block(mesh, paint, bed, [-half, half], [floor, floor + height]);
            for y in [-0.6, -0.1, 0.1, 0.6] {
                let bar = [
                    Vec3::new(bed[0] - 0.02, y, floor + 0.1),
                    Vec3::new(bed[0] - 0.02, y, floor + height - 0.1),
                ];
                rod(mesh, palette.galvanised, bar, [0.02, 0.02], 4);
            }
        }
        2 => {
            let tarp = one_of(random, &palette.tarps);
            let outline = |h: f32| [[bed[0], -h], [bed[1], -h], [bed[1], h], [bed[0], h]];
            mesh.add_loft(
                tarp,
                &at(0.0, 0.0, 0.0),
                &outline(half),
                &outline(half),
                [floor, floor + height - 0.15],
            );
            mesh.add_loft(
                tarp,
                &at(0.0, 0.0, 0.0),
                &outline(half),
                &outline(0.9 * half),
                [floor + height - 0.15, floor + height],
            );
        }
        3 => {
            // A container that is shorter than the bed, as often as not.
            let container = one_of(random, &palette.containers);
            let end = bed[1] - random.between(0.0, 0.15) * (bed[1] - bed[0]);
            block(mesh, container, [bed[0] + 0.05, end], [-half + 0.02, half - 0.02], [floor, floor + 2.5]);
        }
        _ => {
            // Low boards around a heap or beams.
            for side in [-1.0, 1.0] {
                block(mesh, palette.steel, bed, [side * half, side * (half - 0.05)], [floor, floor + 0.6]);
            }
            for x in bed {
                block(mesh, palette.steel, [x - 0.03, x + 0.03], [-half, half], [floor, floor + 0.6]);
            }
            let heap = one_of(random, &[palette.gravel, palette.soil, palette.pallet_wood]);
            let middle = at(0.5 * (bed[0] + bed[1]), 0.0, floor + 0.2);
            mesh.add_ellipsoid(
                heap,
                &middle,
                [0.42 * (bed[1] - bed[0]), 0.85 * half, random.between(0.4, 0.9)],
                12,
            );
        }
    }
}
