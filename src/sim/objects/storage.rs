//! What yards have: containers, fences, gates' barriers.

use glam::Vec3;

use super::parts::{block, rod};
use crate::sim::scene::{Palette, one_of};
use crate::sim::{Mesh, Random};

/// A freight container (ISO 668) or two on top of each other, along x.
pub fn container(palette: &Palette, random: &mut Random) -> Mesh {
    let mut mesh = Mesh::default();
    let half = 0.5 * if random.chance(0.5) { 6.06 } else { 12.19 };
    let levels = 1 + random.below(2);
    for level in 0..levels {
        let (low, high) = (2.6 * level as f32, 2.6 * level as f32 + 2.59);
        let paint = one_of(random, &palette.containers);
        // Corrugated sides lie a little behind the frame.
        block(&mut mesh, paint, [-half + 0.05, half - 0.05], [-1.18, 1.18], [low + 0.12, high - 0.05]);
        for x in [-half, half - 0.15] {
            for y in [-1.22, 1.07] {
                block(&mut mesh, paint, [x, x + 0.15], [y, y + 0.15], [low, high]);
            }
        }
        for y in [-1.22, 1.12] {
            for z in [low, high - 0.12] {
                block(&mut mesh, paint, [-half, half], [y, y + 0.1], [z, z + 0.12]);
            }
        }
        for y in [-0.9, -0.3, 0.3, 0.9] {
            let ends = [low + 0.1, high - 0.1].map(|z| Vec3::new(-half - 0.01, y, z));
            rod(&mut mesh, palette.galvanised, ends, [0.025; 2], 5);
        }
    }
    mesh
}

/// A fence along x of posts, rails and bars that beams pass between.
pub fn fence(palette: &Palette, random: &mut Random, length: f32, height: f32, pitch: f32) -> Mesh {
    let mut mesh = Mesh::default();
    let half = 0.5 * length;
    let metal = one_of(random, &[palette.galvanised, palette.black_metal, palette.machine_paints[0]]);
    let posts = (length / 2.5).round().max(1.0) as u32;
    for k in 0..=posts {
        let x = -half + length * k as f32 / posts as f32;
        block(&mut mesh, metal, [x - 0.03, x + 0.03], [-0.03, 0.03], [-0.3, height + 0.05]);
    }
    for z in [0.15, 0.5 * height, height - 0.05] {
        block(&mut mesh, metal, [-half, half], [-0.015, 0.015], [z - 0.02, z + 0.02]);
    }
    let bars = (length / pitch) as u32;
    for k in 0..bars {
        let x = -half + length * (k as f32 + 0.5) / bars as f32;
        let corners = [[x - 0.01, 0.02], [x + 0.01, 0.02], [x + 0.01, height], [x - 0.01, height]];
        mesh.add_quad(metal, corners.map(|[x, z]| Vec3::new(x, 0.0, z)));
    }
    mesh
}
