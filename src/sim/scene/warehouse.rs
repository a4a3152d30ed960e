//! A warehouse: racks along aisles, an open area for goods at one end, forklifts, people.

use std::f32::consts::{FRAC_PI_2, PI};

use glam::Vec2;

use super::building::Shell;
use super::plan::Footprint;
use super::settings::Quantity;
use super::stage::Stage;
use super::{daylight, people, route};
use crate::sim::objects::{BAY_M, RACK_DEPTH_M, floor_goods, forklift, indoor_clutter, pallet, rack};
use crate::sim::{Motion, ObjectClass, PathEnd, Random};

/// Where things are, world, metres.
struct Ground {
    shell: Shell,
    /// Along x, where racks stand.
    racks: [f32; 2],
    /// Middles of the aisles.
    aisles: Vec<f32>,
    /// Half the width of an aisle.
    half_aisle: f32,
    /// Middles of the rows of racks, and whether two stand back to back.
    rows: Vec<(f32, bool)>,
}

impl Ground {
    fn draw(stage: &mut Stage) -> Self {
        let settings = &stage.settings;
        let (length, width) = (settings.get(Quantity::Length), settings.get(Quantity::Width));
        let height = settings.get(Quantity::Height);
        let random = &mut stage.random;
        let half_aisle = 0.5 * random.between(3.0, 4.2);
        let (mut aisles, mut rows) = (Vec::new(), Vec::new());
        let mut y = 0.4;
        rows.push((y + 0.5 * RACK_DEPTH_M, false));
        y += RACK_DEPTH_M;
        loop {
            aisles.push(y + half_aisle);
            y += 2.0 * half_aisle;
            if y + 2.0 * RACK_DEPTH_M + 0.2 + 2.0 * half_aisle > width {
                break;
            }
            rows.push((y + RACK_DEPTH_M + 0.1, true));
            y += 2.0 * RACK_DEPTH_M + 0.2;
        }
        let cross = random.between(3.5, 5.0);
        let open = random.between(0.2, 0.36) * length;
        // The robot starts in an aisle, looking along it.
        let own = random.below(aisles.len());
        let start = Vec2::new(cross + random.between(0.1, 0.35) * (length - cross - open), 0.0);
        let origin = -start - Vec2::new(0.0, aisles.get(own).copied().unwrap_or(0.0));
        aisles.iter_mut().for_each(|aisle| *aisle += origin.y);
        rows.iter_mut().for_each(|row| row.0 += origin.y);
        // The first aisle of the list is the robot's.
        aisles.swap(0, own);
        let shell = Shell { low: origin, high: origin + Vec2::new(length, width), height };
        Self { shell, racks: [origin.x + cross, origin.x + length - open], aisles, half_aisle, rows }
    }

    /// A closed way through two aisles and the cross aisles at their ends.
    fn circuit(&self, random: &mut Random, aisles: [f32; 2], reach: f32) -> Vec<Vec2> {
        let near = self.racks[0] - random.between(1.4, 2.0);
        let far =
            self.racks[1] + random.between(1.5, (self.shell.high.x - self.racks[1] - 2.0).max(1.6)) * reach;
        let far = far.min(self.shell.high.x - 1.5);
        let [a, b] = aisles.map(|aisle| aisle + random.between(-0.25, 0.25) * self.half_aisle);
        let start = Vec2::new(0.0, a);
        let corners = [start, Vec2::new(far, a), Vec2::new(far, b), Vec2::new(near, b), Vec2::new(near, a)];
        route::rounded(&corners, 1.5, true)
    }
}

/// Puts the scene together; gives the robot's way.
pub fn lay_out(stage: &mut Stage) -> Motion {
    let ground = Ground::draw(stage);
    let robot = drive(stage, &ground);
    let floors = [stage.palette.concrete, stage.palette.concrete, stage.palette.glossy_floor];
    let floor = super::one_of(&mut stage.random, &floors);
    ground.shell.build(stage, floor, stage.palette.plaster);
    racks(stage, &ground);
    goods(stage, &ground);
    forklifts(stage, &ground);
    crowd(stage, &ground);
    clutter(stage, &ground);
    ground.shell.lamps(stage, &ground.aisles, 9.0);
    let lights = std::mem::take(&mut stage.lights);
    stage.lighting = daylight::indoors(&stage.settings, &mut stage.random, lights);
    robot
}

fn drive(stage: &mut Stage, ground: &Ground) -> Motion {
    let other = 1 + stage.random.below(ground.aisles.len().saturating_sub(1));
    let own = ground.aisles.first().copied().unwrap_or(0.0);
    let other = ground.aisles.get(other).copied().unwrap_or(own + 1.4);
    let way = ground.circuit(&mut stage.random, [own, other], 0.8);
    stage.drive(&way, true)
}

/// Rows of racks with passages, or goods stacked in blocks instead of some.
fn racks(stage: &mut Stage, ground: &Ground) {
    let [from, to] = ground.racks;
    let height = stage.random.between(4.0, (ground.shell.height - 1.2).clamp(4.1, 8.0));
    let first_level = stage.random.between(1.5, 2.0);
    let bays = ((to - from) / BAY_M) as usize;
    let wanted = stage.settings.count(Quantity::Pallets) / 2;
    let slots = (bays * 3 * ground.rows.len() * 2).max(1);
    let share = wanted as f32 / slots as f32;
    for &(y, double) in &ground.rows {
        let sides: &[f32] = if double { &[-0.6, 0.6] } else { &[0.0] };
        for side in sides {
            let at = Vec2::new(0.5 * (from + to), y + side);
            let mesh = rack(&stage.palette, &mut stage.random, bays, height, first_level);
            stage.solid(&mesh, at, 0.0);
            // Pallets on the floor below the first level; cartons and such between them.
            for slot in 0..3 * bays {
                let x = at.x - 0.5 * BAY_M * bays as f32 + BAY_M / 3.0 * (slot as f32 + 0.5);
                let place = Vec2::new(x, at.y + stage.random.between(-0.05, 0.05));
                let yaw = FRAC_PI_2 * if stage.random.chance(0.5) { 1.0 } else { -1.0 };
                let yaw = yaw + stage.random.between(-0.04, 0.04);
                if stage.random.chance(share) {
                    let mesh = pallet(&stage.palette, &mut stage.random, first_level - 0.25);
                    let placement = stage.place(place, yaw);
                    stage.builder.standing(Some(ObjectClass::Pallet), &mesh, placement);
                } else if stage.random.chance(0.25) {
                    let mesh = floor_goods(&stage.palette, &mut stage.random);
                    stage.scenery(&mesh, place, yaw);
                }
            }
        }
    }
}

/// Pallets in rows on the open floor and along what is left of the last wall.
fn goods(stage: &mut Stage, ground: &Ground) {
    let open = [ground.racks[1] + 1.0, ground.shell.high.x - 1.0];
    let count = stage.settings.count(Quantity::Pallets).div_ceil(2);
    let (low, high) = (ground.shell.low, ground.shell.high);
    let mut left = count;
    for _ in 0..6 * count {
        if left == 0 {
            break;
        }
        let at = if stage.random.chance(0.75) {
            Vec2::new(stage.random.between(open[0], open[1]), stage.random.between(low.y + 1.0, high.y - 1.0))
        } else {
            Vec2::new(
                stage.random.between(low.x + 1.0, high.x - 1.0),
                high.y - stage.random.between(0.9, 2.0),
            )
        };
        let yaw = FRAC_PI_2 * stage.random.below(4) as f32 + stage.random.between(-0.08, 0.08);
        // Goods of one delivery stand side by side.
        let across = Vec2::from_angle(yaw).perp() * stage.random.between(0.88, 1.1);
        for k in 0..=stage.random.below(4) {
            let mesh = pallet(&stage.palette, &mut stage.random, 1.9);
            let at = at + k as f32 * across;
            if left > 0 && stage.try_stand(Some(ObjectClass::Pallet), &mesh, at, yaw, 0.02) {
                left -= 1;
            }
        }
    }
}

/// Forklifts on their rounds; those that find none stand about.
fn forklifts(stage: &mut Stage, ground: &Ground) {
    for _ in 0..stage.settings.count(Quantity::Vehicles) {
        let carrying = stage.random.chance(0.5);
        let mesh = forklift(&stage.palette, &mut stage.random, carrying);
        let [low, high] = mesh.bounds();
        let size = 2.0 * low.abs().max(high.abs()).truncate();
        let shape = stage.builder.shape(mesh.clone());
        let moves = (0..12).any(|_| {
            let mut aisle =
                || ground.aisles.get(stage.random.below(ground.aisles.len())).copied().unwrap_or(0.0);
            let (a, b) = (aisle(), aisle());
            let way = if (a - b).abs() > 1.0 {
                ground.circuit(&mut stage.random, [a, b], 0.6)
            } else {
                let x = ground.racks[1] + 2.0;
                let ends =
                    [Vec2::new(x, ground.shell.low.y + 2.5), Vec2::new(x + 1.0, ground.shell.high.y - 2.5)];
                let inner = (ground.shell.high.x - 2.0 - x).max(2.0);
                let back = ends.map(|end| end + Vec2::new(inner, 0.0));
                route::rounded(&[ends[0], ends[1], back[1], back[0]], 2.0, true)
            };
            let way = if stage.random.chance(0.5) { route::reversed(&way) } else { way };
            let speed = stage.random.between(0.8, 2.5);
            let start = stage.random.between(0.0, 120.0);
            let motion = route::along(&way, |_| 0.0, speed, start, size.x, PathEnd::Loop);
            stage.try_move(Some(ObjectClass::Forklift), &[shape], 1.0, motion, size)
        });
        for _ in 0..20 {
            let x = stage.random.between(ground.shell.low.x + 2.0, ground.shell.high.x - 2.0);
            let at = Vec2::new(x, stage.random.between(ground.shell.low.y + 2.0, ground.shell.high.y - 2.0));
            let yaw = stage.random.between(-PI, PI);
            if moves || stage.try_stand(Some(ObjectClass::Forklift), &mesh, at, yaw, 0.3) {
                break;
            }
        }
    }
}

fn crowd(stage: &mut Stage, ground: &Ground) {
    let count = stage.settings.count(Quantity::People);
    let walking = count - count / 3;
    let (low, high) = (ground.shell.low, ground.shell.high);
    let way = |random: &mut Random| {
        if random.chance(0.7) {
            let aisle = ground.aisles.get(random.below(ground.aisles.len())).copied().unwrap_or(0.0);
            let y = aisle + random.between(-0.75, 0.75) * ground.half_aisle;
            let from = ground.racks[0] + random.between(-1.0, 10.0);
            vec![
                Vec2::new(from, y),
                Vec2::new(random.between(from + 4.0, high.x - 2.0), y + random.between(-0.3, 0.3)),
            ]
        } else {
            let point = |random: &mut Random| {
                Vec2::new(
                    random.between(ground.racks[1] + 0.8, high.x - 0.8),
                    random.between(low.y + 0.8, high.y - 0.8),
                )
            };
            vec![point(random), point(random)]
        }
    };
    let found = people::walkers(stage, walking, true, &way);
    let spot = |random: &mut Random| {
        let ends = way(random);
        let share = random.unit();
        (ends[0].lerp(ends[1], share), random.between(-PI, PI))
    };
    people::bystanders(stage, count - found, true, &spot);
}

fn clutter(stage: &mut Stage, ground: &Ground) {
    let count = (22.0 * stage.settings.get(Quantity::Clutter)) as usize;
    for _ in 0..count {
        let mesh = indoor_clutter(&stage.palette, &mut stage.random);
        for _ in 0..8 {
            let x = stage.random.between(ground.shell.low.x + 0.6, ground.shell.high.x - 0.6);
            let y = if stage.random.chance(0.6) {
                // Beside a rack.
                let aisle =
                    ground.aisles.get(stage.random.below(ground.aisles.len())).copied().unwrap_or(0.0);
                let side = if stage.random.chance(0.5) { 1.0 } else { -1.0 };
                aisle + side * (ground.half_aisle - stage.random.between(0.35, 0.8))
            } else {
                stage.random.between(ground.shell.low.y + 0.6, ground.shell.high.y - 0.6)
            };
            let yaw = stage.random.between(-PI, PI);
            if stage.try_solid(&mesh, Vec2::new(x, y), yaw, 0.05) {
                break;
            }
        }
    }
    columns(stage, ground);
}

/// Columns that carry the roof, where there is room for them.
fn columns(stage: &mut Stage, ground: &Ground) {
    let mut mesh = crate::sim::Mesh::default();
    let half = stage.random.between(0.12, 0.25);
    let material = super::one_of(&mut stage.random, &[stage.palette.concrete, stage.palette.cladding]);
    crate::sim::objects::block(&mut mesh, material, [-half, half], [-half, half], [0.0, ground.shell.height]);
    crate::sim::objects::block(
        &mut mesh,
        stage.palette.hazard,
        [-half - 0.01, half + 0.01],
        [-half - 0.01, half + 0.01],
        [0.3, 1.2],
    );
    let mut x = ground.racks[1] + 3.0;
    while x < ground.shell.high.x - 2.0 {
        let mut y = ground.shell.low.y + 6.0;
        while y < ground.shell.high.y - 2.0 {
            let at = Vec2::new(x, y);
            if stage.plan.is_free(&Footprint::new(at, Vec2::splat(half + 0.3), 0.0)) {
                stage.solid(&mesh, at, 0.0);
            }
            y += 7.5;
        }
        x += 9.0;
    }
}
