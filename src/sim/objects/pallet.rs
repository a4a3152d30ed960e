//! Pallets with what stands on them.

use std::f32::consts::PI;

use super::parts::{at, block};
use crate::sim::scene::{Palette, one_of};
use crate::sim::{MaterialId, Mesh, Random};

/// Length, width and height of an EUR pallet (EN 13698-1), metres.
pub const SIZE: [f32; 3] = [1.2, 0.8, 0.144];

/// A pallet with a load of at most `most_m` above the ground; some are empty or a stack of empty ones.
pub fn pallet(palette: &Palette, random: &mut Random, most_m: f32) -> Mesh {
    let mut mesh = Mesh::default();
    if random.chance(0.12) {
        let count = 1 + random.below(((most_m / SIZE[2]) as usize).clamp(1, 9));
        for k in 0..count {
            let slip = [random.between(-0.03, 0.03), random.between(-0.03, 0.03)];
            boards(&mut mesh, palette, slip, k as f32 * SIZE[2]);
        }
        return mesh;
    }
    boards(&mut mesh, palette, [0.0; 2], 0.0);
    let height = random.between(0.35, (most_m - SIZE[2]).clamp(0.4, 1.7));
    load(&mut mesh, palette, random, SIZE[2], height);
    mesh
}

/// Goods over the area of a pallet, from `floor` up by `height`, metres.
pub fn load(mesh: &mut Mesh, palette: &Palette, random: &mut Random, floor: f32, height: f32) {
    match random.below(8) {
        0..=3 => cartons(mesh, palette, random, floor, height),
        4 => drums(mesh, palette, random, floor),
        5 => sacks(mesh, palette, random, floor, height),
        6 => {
            // Wrapped.
            let half = [random.between(0.5, 0.6), random.between(0.34, 0.4)];
            let outline = octagon(half, 0.05);
            let top = octagon([half[0] - 0.03, half[1] - 0.03], 0.05);
            mesh.add_loft(palette.film, &at(0.0, 0.0, 0.0), &outline, &top, [floor, floor + height]);
        }
        _ => crate_of_boards(mesh, palette, random, floor, height.min(1.0)),
    }
}

fn octagon([x, y]: [f32; 2], cut: f32) -> [[f32; 2]; 8] {
    let (a, b) = (x - cut, y - cut);
    [[x, -b], [x, b], [a, y], [-a, y], [-x, b], [-x, -b], [-a, -y], [a, -y]]
}

/// Three runners on blocks below five boards.
fn boards(mesh: &mut Mesh, palette: &Palette, [dx, dy]: [f32; 2], floor: f32) {
    let wood = palette.pallet_wood;
    for y in [-0.35, 0.0, 0.35] {
        block(mesh, wood, [dx - 0.6, dx + 0.6], [dy + y - 0.05, dy + y + 0.05], [floor, floor + 0.022]);
        for x in [-0.53, 0.0, 0.53] {
            let across = [dy + y - 0.05, dy + y + 0.05];
            block(mesh, wood, [dx + x - 0.07, dx + x + 0.07], across, [floor + 0.022, floor + 0.1]);
        }
    }
    for y in [-0.33, -0.165, 0.0, 0.165, 0.33] {
        let across = [dy + y - 0.068, dy + y + 0.068];
        block(mesh, wood, [dx - 0.6, dx + 0.6], across, [floor + 0.1, floor + SIZE[2]]);
    }
}

fn cartons(mesh: &mut Mesh, palette: &Palette, random: &mut Random, floor: f32, height: f32) {
    let material = one_of(random, &palette.cartons);
    let (columns, rows) = (1 + random.below(4), 1 + random.below(3));
    let layer = random.between(0.18, 0.5).min(height);
    let layers = (height / layer).floor().max(1.0) as usize;
    let (length, width) = (1.18 / columns as f32, 0.78 / rows as f32);
    for k in 0..layers {
        // The top layer is often not full.
        let last = k + 1 == layers;
        for column in 0..columns {
            for row in 0..rows {
                let inside = (1..columns - 1).contains(&column) && (1..rows - 1).contains(&row);
                let below = k + 2 < layers;
                if (last && random.chance(0.3)) || (inside && below) {
                    continue;
                }
                let x = -0.59 + length * (column as f32 + 0.5) + random.between(-0.015, 0.015);
                let y = -0.39 + width * (row as f32 + 0.5) + random.between(-0.015, 0.015);
                let z = floor + layer * k as f32;
                let [a, b] = [0.49 * length, 0.49 * width];
                let material = if random.chance(0.1) { one_of(random, &palette.cartons) } else { material };
                block(mesh, material, [x - a, x + a], [y - b, y + b], [z, z + 0.985 * layer]);
            }
        }
    }
}

fn drums(mesh: &mut Mesh, palette: &Palette, random: &mut Random, floor: f32) {
    let kinds =
        [one_of(random, &palette.plastics), one_of(random, &palette.machine_paints), palette.galvanised];
    let material = one_of(random, &kinds);
    let (radius, height) = (random.between(0.17, 0.29), random.between(0.6, 0.95));
    let columns = (1.2 / (2.02 * radius)) as usize;
    for column in 0..columns {
        for y in [-0.2, 0.2] {
            if random.chance(0.1) {
                continue;
            }
            let x = -0.6 + 1.2 * (column as f32 + 0.5) / columns as f32;
            drum(mesh, material, [x, y, floor], radius.min(0.195), height);
        }
    }
}

/// A drum with its two hoops.
pub fn drum(mesh: &mut Mesh, material: MaterialId, [x, y, z]: [f32; 3], radius: f32, height: f32) {
    mesh.add_cylinder(material, &at(x, y, z), radius, height, 12);
    for share in [0.32, 0.65] {
        mesh.add_cylinder(material, &at(x, y, z + share * height), 1.035 * radius, 0.03, 12);
    }
}

fn sacks(mesh: &mut Mesh, palette: &Palette, random: &mut Random, floor: f32, height: f32) {
    let layers = (height / 0.14).floor().clamp(1.0, 7.0) as u32;
    for k in 0..layers {
        let z = floor + 0.14 * (k as f32 + 0.5);
        for x in [-0.4, 0.0, 0.4] {
            for y in [-0.2, 0.2] {
                let place = at(x + random.between(-0.03, 0.03), y + random.between(-0.03, 0.03), z);
                let turn = glam::Affine3A::from_rotation_z(random.between(-0.1, 0.1) * PI);
                mesh.add_ellipsoid(palette.sack, &(place * turn), [0.22, 0.23, 0.095], 6);
            }
        }
    }
}

/// Boards with gaps around something, open at the top.
fn crate_of_boards(mesh: &mut Mesh, palette: &Palette, random: &mut Random, floor: f32, height: f32) {
    let boards = (height / 0.16).ceil().max(2.0) as u32;
    let step = height / boards as f32;
    for k in 0..boards {
        let z = [floor + step * k as f32, floor + step * (k as f32 + 0.8)];
        for side in [-1.0, 1.0] {
            block(mesh, palette.pallet_wood, [-0.6, 0.6], [side * 0.4, side * 0.375], z);
            block(mesh, palette.pallet_wood, [side * 0.6, side * 0.575], [-0.375, 0.375], z);
        }
    }
    let content = one_of(random, &[palette.steel, palette.film, palette.sack]);
    let fill = random.between(0.4, 0.9) * height;
    block(mesh, content, [-0.56, 0.56], [-0.36, 0.36], [floor, floor + fill]);
}
