//! Trees and bushes: leaves are many small pieces with gaps that beams pass through.

use std::f32::consts::TAU;

use glam::{Quat, Vec3};

use super::parts::rod;
use crate::sim::scene::{Palette, one_of};
use crate::sim::{MaterialId, Mesh, Random};

/// A broad-leaved tree or a conifer of about `height` metres with about `leaves` pieces of foliage.
pub fn tree(palette: &Palette, random: &mut Random, height: f32, leaves: usize) -> Mesh {
    let mut mesh = Mesh::default();
    let trunk = random.between(0.016, 0.028) * height;
    let lean = Vec3::new(random.normal(), random.normal(), 0.0) * 0.015 * height;
    let leaf = one_of(random, &palette.leaves);
    let bare = random.chance(0.08);
    if random.chance(0.2) {
        let top = lean + Vec3::new(0.0, 0.0, height);
        rod(&mut mesh, palette.bark, [Vec3::ZERO, top], [trunk, 0.02], 7);
        let width = random.between(0.16, 0.26) * height;
        for _ in 0..leaves {
            let share = random.unit().powf(0.6);
            let z = height * (0.12 + 0.86 * (1.0 - share));
            let (sin, cos) = (TAU * random.unit()).sin_cos();
            let radius = width * share * random.unit().sqrt();
            let at = lean * (z / height) + Vec3::new(radius * cos, radius * sin, z - 0.25 * radius);
            piece(&mut mesh, leaf, random, at, 0.038 * height);
        }
        return mesh;
    }
    let fork = random.between(0.25, 0.4) * height;
    let crown = Vec3::new(lean.x, lean.y, 0.66 * height);
    rod(
        &mut mesh,
        palette.bark,
        [Vec3::ZERO, Vec3::new(0.5 * lean.x, 0.5 * lean.y, fork)],
        [trunk, 0.75 * trunk],
        8,
    );
    let width = random.between(0.2, 0.32) * height;
    let branches = 5 + random.below(4);
    for k in 0..branches {
        let (sin, cos) = (TAU * (k as f32 + random.unit()) / branches as f32).sin_cos();
        let reach = width * random.between(0.35, 0.8);
        let end = crown + Vec3::new(reach * cos, reach * sin, random.between(-0.1, 0.22) * height);
        let from = Vec3::new(0.5 * lean.x, 0.5 * lean.y, fork - 0.02 * height);
        rod(&mut mesh, palette.bark, [from, end], [0.45 * trunk, 0.1 * trunk], 5);
        if bare {
            for _ in 0..6 {
                let start = from.lerp(end, random.between(0.4, 1.0));
                let twig = Vec3::new(random.normal(), random.normal(), random.normal().abs()) * 0.07 * height;
                rod(&mut mesh, palette.bark, [start, start + twig], [0.08 * trunk, 0.02 * trunk], 3);
            }
            continue;
        }
        let size = random.between(0.45, 0.7) * width;
        for _ in 0..leaves / branches {
            let at = end + size * in_ball(random);
            piece(&mut mesh, leaf, random, at, 0.035 * height);
        }
    }
    mesh
}

/// A bush about `height` high; without leaves of its own it is a tuft of dry plants.
pub fn bush(palette: &Palette, random: &mut Random, height: f32, leaves: usize) -> Mesh {
    let mut mesh = Mesh::default();
    let dry = random.chance(0.3);
    let leaf = if dry { palette.dry_plants } else { one_of(random, &palette.leaves) };
    let width = height * random.between(0.5, 0.9);
    let shape = Vec3::new(width * random.between(0.8, 1.3), width, 0.5 * height);
    for k in 0..leaves {
        let mut at = in_ball(random) * shape;
        at.z += 0.5 * height;
        if dry {
            let top = Vec3::new(at.x, at.y, at.z.max(0.3 * height));
            let foot = Vec3::new(0.4 * at.x, 0.4 * at.y, 0.0);
            let (sin, cos) = (TAU * random.unit()).sin_cos();
            let across = Vec3::new(0.012 * cos, 0.012 * sin, 0.0);
            mesh.add_fan(leaf, &[foot - across, foot + across, top]);
        } else {
            piece(&mut mesh, leaf, random, at, 0.1 * height.max(0.6));
            if k % 16 == 0 {
                rod(&mut mesh, palette.bark, [Vec3::new(0.2 * at.x, 0.2 * at.y, 0.0), at], [0.012, 0.005], 3);
            }
        }
    }
    mesh
}

/// A spray of leaves of about `size` metres, turned anyhow.
fn piece(mesh: &mut Mesh, leaf: MaterialId, random: &mut Random, at: Vec3, size: f32) {
    let rotation = Quat::from_rotation_z(TAU * random.unit()) * Quat::from_rotation_x(random.normal());
    let size = size * random.between(0.6, 1.4);
    let corner = |x: f32, y: f32| at + rotation * (size * Vec3::new(x, y, 0.0));
    mesh.add_fan(leaf, &[corner(-0.6, -0.4), corner(0.6, -0.3), corner(0.0, 0.7)]);
}

fn in_ball(random: &mut Random) -> Vec3 {
    let direction = Vec3::new(random.normal(), random.normal(), random.normal()).normalize_or(Vec3::Z);
    direction * random.unit().cbrt()
}
