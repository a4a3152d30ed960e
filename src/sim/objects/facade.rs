//! Buildings along a street.

use glam::Vec3;

use super::parts::block;
use crate::sim::scene::{Palette, one_of};
use crate::sim::{MaterialId, Mesh, Random};

/// A building whose front is the line from −`length`/2 to `length`/2 on the x axis and looks towards −y;
/// it is `depth` deep.
pub fn facade(palette: &Palette, random: &mut Random, length: f32, height: f32, depth: f32) -> Mesh {
    let mut mesh = Mesh::default();
    let half = 0.5 * length;
    let mut walls = palette.facades.clone();
    walls.extend([palette.bricks, palette.plaster]);
    let wall = one_of(random, &walls);
    let storey = random.between(2.8, 3.6);
    let storeys = (height / storey).round().max(1.0) as u32;
    let ground = storey + random.between(0.0, 0.8);
    let recess = random.between(0.08, 0.25);
    // What is seen between the piers, and the sides.
    block(&mut mesh, wall, [-half, half], [recess + 3.0, depth], [0.0, ground]);
    block(&mut mesh, wall, [-half, -half + 0.3], [0.0, depth], [0.0, ground]);
    block(&mut mesh, wall, [half - 0.3, half], [0.0, depth], [0.0, ground]);
    ground_floor(&mut mesh, palette, random, wall, [half, ground, recess]);
    let top = ground + storey * (storeys - 1) as f32;
    if storeys > 1 {
        block(&mut mesh, wall, [-half, half], [recess + 0.05, depth], [ground, top]);
        let columns = (length / random.between(2.0, 3.4)).floor().max(1.0) as u32;
        let share = random.between(0.35, 0.7);
        let balconies = random.chance(0.35);
        for floor in 1..storeys {
            let z = ground + storey * (floor - 1) as f32;
            windows(&mut mesh, palette, wall, [half, z, storey, recess], columns, share);
            if balconies && floor % 2 == 1 {
                for column in (0..columns).step_by(2) {
                    let x = -half + length * (column as f32 + 0.5) / columns as f32;
                    balcony(&mut mesh, palette, [x, z]);
                }
            }
        }
    }
    // Cornice, and a roof that is flat or has a ridge along the street.
    block(&mut mesh, palette.concrete, [-half, half], [-0.2, 0.1], [top, top + 0.25]);
    if random.chance(0.5) {
        let ridge = top + 0.35 * depth.min(9.0);
        let corner = |x: f32, y: f32, z: f32| Vec3::new(x, y, z);
        let (front, back, middle) = (-0.35, depth, 0.5 * depth);
        mesh.add_quad(
            palette.roof,
            [
                corner(-half, front, top),
                corner(half, front, top),
                corner(half, middle, ridge),
                corner(-half, middle, ridge),
            ],
        );
        mesh.add_quad(
            palette.roof,
            [
                corner(-half, back, top),
                corner(half, back, top),
                corner(half, middle, ridge),
                corner(-half, middle, ridge),
            ],
        );
        for x in [-half, half] {
            mesh.add_fan(wall, &[corner(x, front, top), corner(x, back, top), corner(x, middle, ridge)]);
        }
    } else {
        block(&mut mesh, wall, [-half, half], [0.0, 0.25], [top + 0.25, top + 0.9]);
    }
    mesh
}

/// Sill, lintel and piers around one storey's windows.
fn windows(
    mesh: &mut Mesh,
    palette: &Palette,
    wall: MaterialId,
    [half, z, storey, recess]: [f32; 4],
    columns: u32,
    share: f32,
) {
    let (sill, lintel) = (z + 0.28 * storey, z + 0.86 * storey);
    block(mesh, wall, [-half, half], [0.0, recess], [z, sill]);
    block(mesh, wall, [-half, half], [0.0, recess], [lintel, z + storey]);
    let pitch = 2.0 * half / columns as f32;
    let pier = (1.0 - share) * pitch;
    for column in 0..=columns {
        let x = -half + pitch * column as f32;
        let across = [(x - 0.5 * pier).max(-half), (x + 0.5 * pier).min(half)];
        block(mesh, wall, across, [0.0, recess], [sill, lintel]);
    }
    let pane = |x: f32, z: f32| Vec3::new(x, recess, z);
    mesh.add_quad(
        palette.window,
        [pane(-half, sill), pane(half, sill), pane(half, lintel), pane(-half, lintel)],
    );
}

/// Shop windows with a room behind, doors, or a plain storey.
fn ground_floor(
    mesh: &mut Mesh,
    palette: &Palette,
    random: &mut Random,
    wall: MaterialId,
    [half, height, recess]: [f32; 3],
) {
    let count = (2.0 * half / random.between(3.0, 4.5)).floor().max(1.0) as u32;
    let pitch = 2.0 * half / count as f32;
    let shops = random.chance(0.5);
    let doors = one_of(random, &palette.doors);
    block(mesh, wall, [-half, half], [0.0, recess], [0.82 * height, height]);
    for k in 0..=count {
        let x = -half + pitch * k as f32;
        block(mesh, wall, [(x - 0.3).max(-half), (x + 0.3).min(half)], [0.0, recess], [0.0, 0.82 * height]);
    }
    for k in 0..count {
        let (from, to) = (-half + pitch * k as f32 + 0.3, -half + pitch * (k + 1) as f32 - 0.3);
        let quad = |mesh: &mut Mesh, material, [a, b]: [f32; 2], [low, high]: [f32; 2]| {
            let corner = |x: f32, z: f32| Vec3::new(x, recess - 0.01, z);
            mesh.add_quad(material, [corner(a, low), corner(b, low), corner(b, high), corner(a, high)]);
        };
        let top = 0.82 * height;
        if shops {
            quad(mesh, palette.glass, [from, to], [0.3, top]);
            block(mesh, wall, [from, to], [0.0, recess], [0.0, 0.3]);
            block(mesh, palette.plaster, [from, to], [recess + 2.9, recess + 3.0], [0.0, top]);
            let goods = one_of(random, &palette.cartons);
            let depth = random.between(0.6, 2.0);
            block(
                mesh,
                goods,
                [from + 0.2, 0.5 * (from + to)],
                [depth, depth + 0.4],
                [0.0, random.between(0.8, 1.8)],
            );
        } else if random.chance(0.35) {
            let door = random.between(1.0, 2.4).min(to - from);
            quad(mesh, doors, [from, from + door], [0.0, 2.2_f32.min(top)]);
            quad(mesh, palette.window, [from, from + door], [2.2_f32.min(top), top]);
            block(mesh, wall, [from + door, to], [0.0, recess], [0.0, top]);
        } else {
            block(mesh, wall, [from, to], [0.0, recess], [0.0, 0.9]);
            quad(mesh, palette.window, [from, to], [0.9, top]);
        }
    }
}

fn balcony(mesh: &mut Mesh, palette: &Palette, [x, z]: [f32; 2]) {
    block(mesh, palette.concrete, [x - 1.2, x + 1.2], [-1.1, 0.0], [z, z + 0.15]);
    for k in 0..13 {
        let bar = x - 1.2 + 0.2 * k as f32;
        let corner = |x: f32, z: f32| Vec3::new(x, -1.09, z);
        let (a, b, low, high) = (bar - 0.012, bar + 0.012, z + 0.15, z + 1.0);
        mesh.add_quad(
            palette.black_metal,
            [corner(a, low), corner(b, low), corner(b, high), corner(a, high)],
        );
    }
    block(mesh, palette.black_metal, [x - 1.2, x + 1.2], [-1.12, -1.06], [z + 1.0, z + 1.05]);
    for side in [-1.2, 1.2] {
        block(
            mesh,
            palette.black_metal,
            [x + side - 0.02, x + side + 0.02],
            [-1.1, 0.0],
            [z + 0.95, z + 1.05],
        );
    }
}
