//! The shell of a hall: floor, walls, roof, doors, columns, lamps.

use glam::{Vec2, Vec3};

use super::palette::one_of;
use super::plan::Footprint;
use super::stage::Stage;
use crate::sim::objects::{block, panel};
use crate::sim::{MaterialId, Mesh};

/// A hall on the ground: from `low` to `high`, metres.
#[derive(Clone, Copy, Debug)]
pub struct Shell {
    pub low: Vec2,
    pub high: Vec2,
    pub height: f32,
}

impl Shell {
    /// Puts it around the scene and keeps things out of its walls.
    pub fn build(&self, stage: &mut Stage, floor: MaterialId, lower_wall: MaterialId) {
        let (low, high, height) = (self.low, self.high, self.height);
        let mut mesh = Mesh::default();
        let corners = [low, Vec2::new(high.x, low.y), high, Vec2::new(low.x, high.y)];
        mesh.add_quad(floor, corners.map(|corner| corner.extend(0.0)));
        mesh.add_quad(stage.palette.cladding, corners.map(|corner| corner.extend(height)));
        let skirting = stage.random.between(1.0, 2.5);
        for k in 0..4 {
            let (from, to) = (corners[k], corners[(k + 1) % 4]);
            panel(&mut mesh, lower_wall, from.into(), to.into(), [0.0, skirting]);
            panel(&mut mesh, stage.palette.cladding, from.into(), to.into(), [skirting, height]);
            let half = Vec2::new(0.5 * from.distance(to), 0.25);
            stage.plan.occupy(Footprint::new(from.midpoint(to), half, (to - from).to_angle()));
        }
        self.girders(stage, &mut mesh);
        self.doors(stage, &mut mesh);
        stage.scenery(&mesh, Vec2::ZERO, 0.0);
    }

    /// Beams across below the roof, and columns of steel along the walls.
    fn girders(&self, stage: &Stage, mesh: &mut Mesh) {
        let steel = stage.palette.rack_paints.last().copied().unwrap_or_default();
        let spans = ((self.high.x - self.low.x) / 6.0).round().max(1.0) as u32;
        let step = (self.high.x - self.low.x) / spans as f32;
        for k in 1..spans {
            let x = self.low.x + step * k as f32;
            let z = self.height;
            block(mesh, steel, [x - 0.12, x + 0.12], [self.low.y, self.high.y], [z - 0.75, z - 0.1]);
            for y in [self.low.y + 0.12, self.high.y - 0.12] {
                block(mesh, steel, [x - 0.12, x + 0.12], [y - 0.12, y + 0.12], [0.0, z]);
            }
        }
    }

    /// Gates in the end walls, small doors in the long ones, signs beside them.
    fn doors(&self, stage: &mut Stage, mesh: &mut Mesh) {
        let (random, palette) = (&mut stage.random, &stage.palette);
        let width = self.high.y - self.low.y;
        let gates = (width / 7.0) as u32;
        for (x, inward) in [(self.low.x, 0.03), (self.high.x, -0.03)] {
            for k in 0..gates {
                if random.chance(0.3) {
                    continue;
                }
                let y = self.low.y + width * (k as f32 + 0.5) / gates as f32;
                let half = random.between(1.3, 2.0);
                let top = random.between(2.8, 4.2).min(self.height - 0.5);
                let leaf = one_of(random, &palette.doors);
                panel(mesh, leaf, [x + inward, y - half], [x + inward, y + half], [0.0, top]);
                for side in [-half, half] {
                    let frame = [y + side - 0.1, y + side + 0.1];
                    block(mesh, palette.hazard, [x, x + 3.0 * inward], frame, [0.0, top]);
                }
            }
        }
        let length = self.high.x - self.low.x;
        for (y, inward) in [(self.low.y, 0.04), (self.high.y, -0.04)] {
            for _ in 0..2 + random.below(4) {
                let x = self.low.x + length * random.between(0.05, 0.95);
                let leaf = one_of(random, &palette.doors);
                panel(mesh, leaf, [x - 0.5, y + inward], [x + 0.5, y + inward], [0.0, 2.1]);
                panel(mesh, palette.lamp, [x - 0.2, y + inward], [x + 0.2, y + inward], [2.25, 2.4]);
                let face = one_of(random, &palette.signs);
                let at = x + random.between(0.8, 2.0);
                panel(mesh, face, [at - 0.2, y + inward], [at + 0.2, y + inward], [1.5, 1.9]);
            }
        }
    }

    /// Hangs lamps in rows along x at some y, about `step_m` apart.
    pub fn lamps(&self, stage: &mut Stage, rows: &[f32], step_m: f32) {
        let mut mesh = Mesh::default();
        let drop = stage.random.between(0.9, 1.6);
        let level = stage.settings.get(super::settings::Quantity::Lamps);
        let warm = stage.random.between(0.8, 1.1);
        let length = self.high.x - self.low.x;
        let count = (length / step_m).round().max(1.0) as u32;
        let z = self.height - drop;
        for &y in rows {
            for k in 0..count {
                if stage.random.chance(0.1) {
                    continue;
                }
                let x = self.low.x + length * (k as f32 + 0.5) / count as f32;
                block(
                    &mut mesh,
                    stage.palette.lamp,
                    [x - 0.75, x + 0.75],
                    [y - 0.12, y + 0.12],
                    [z, z + 0.05],
                );
                block(
                    &mut mesh,
                    stage.palette.black_metal,
                    [x - 0.75, x + 0.75],
                    [y - 0.14, y + 0.14],
                    [z + 0.05, z + 0.1],
                );
                let strength = 0.35 * level * z * z;
                let colour = [strength, strength * (0.9 + 0.05 * warm), strength * warm * 0.9];
                stage.light(Vec3::new(x, y, z - 0.1), colour, 2.5 * self.height);
            }
        }
        stage.scenery(&mesh, Vec2::ZERO, 0.0);
    }
}
