//! An industrial hall: machines in cells between drive lanes, tanks, pipes, cranes, a glossy floor.

use std::f32::consts::{FRAC_PI_2, PI};

use glam::{Affine3A, Vec2, Vec3};

use super::building::Shell;
use super::settings::Quantity;
use super::stage::Stage;
use super::{daylight, goods, people, route};
use crate::sim::objects::{block, crane, fence, indoor_clutter, machine, pipes, tank};
use crate::sim::{Mesh, Motion, Random};

/// Half the width of a lane, metres.
const HALF_LANE_M: f32 = 1.6;

/// Where things are, world, metres.
struct Ground {
    shell: Shell,
    /// Middles of the lanes along x, the robot's first, and of those across.
    along: Vec<f32>,
    across: Vec<f32>,
}

impl Ground {
    fn draw(stage: &mut Stage) -> Self {
        let (length, width) = (stage.settings.get(Quantity::Length), stage.settings.get(Quantity::Width));
        let height = stage.settings.get(Quantity::Height);
        let random = &mut stage.random;
        let lanes = if width > 30.0 { 3 } else { 2 };
        let lane = |random: &mut Random, k: usize, count: usize, size: f32| {
            size * (k as f32 + 0.5 + random.between(-0.12, 0.12)) / count as f32
        };
        let mut along: Vec<f32> = (0..lanes).map(|k| lane(random, k, lanes, width)).collect();
        along.swap(0, random.below(lanes));
        let across =
            [random.between(2.2, 5.0), length - random.between(2.2, 7.0), random.between(0.4, 0.6) * length];
        let start = across[0] + random.between(0.1, 0.3) * length;
        let origin = -Vec2::new(start, along[0]);
        for lane in &mut along {
            *lane += origin.y;
        }
        let across = across.iter().map(|lane| lane + origin.x).collect();
        Self { shell: Shell { low: origin, high: origin + Vec2::new(length, width), height }, along, across }
    }

    /// A closed way around the machines between two lanes each way.
    fn circuit(&self, random: &mut Random, own: f32, other: f32) -> Vec<Vec2> {
        let mut near = |lane: f32| lane + random.between(-0.5, 0.5);
        let (a, b) = (near(own), near(other));
        let (from, to) = (near(self.across[0]), near(self.across[1]));
        let corners = [[0.0, a], [to, a], [to, b], [from, b], [from, a]];
        route::rounded(&corners.map(Vec2::from), 2.0, true)
    }
}

/// Puts the scene together; gives the robot's way.
pub fn lay_out(stage: &mut Stage) -> Motion {
    let ground = Ground::draw(stage);
    let way = ground.circuit(&mut stage.random, ground.along[0], ground.along[1]);
    let robot = stage.drive(&way, true);
    ground.shell.build(stage, stage.palette.glossy_floor, stage.palette.concrete);
    lanes(stage, &ground);
    machines(stage, &ground);
    overhead(stage, &ground);
    let (low, high) = (ground.shell.low + 1.2, ground.shell.high - 1.2);
    let beside = |random: &mut Random| beside_a_lane(random, &ground, 1.1, 3.0);
    goods::pallets(stage, stage.settings.count(Quantity::Pallets), &beside);
    let way = |random: &mut Random| {
        let pick = |random: &mut Random| ground.along[random.below(ground.along.len())];
        let (a, b) = (pick(random), pick(random));
        ground.circuit(random, a, if (a - b).abs() > 1.0 { b } else { ground.along[1] })
    };
    goods::forklifts(stage, stage.settings.count(Quantity::Vehicles), &way, &beside);
    crowd(stage, &ground);
    let clutter = (70.0 * stage.settings.get(Quantity::Clutter)) as usize;
    let spot = |random: &mut Random| {
        if random.chance(0.5) {
            goods::within(random, low, high)
        } else {
            beside_a_lane(random, &ground, 0.7, 1.6)
        }
    };
    goods::scatter(stage, clutter, &indoor_clutter, &spot, 0.05);
    ground.shell.lamps(stage, &ground.along, 8.0);
    let lights = std::mem::take(&mut stage.lights);
    stage.lighting = daylight::indoors(&stage.settings, &mut stage.random, lights);
    robot
}

/// A place between `near` and `far` from the middle of a lane.
fn beside_a_lane(random: &mut Random, ground: &Ground, near: f32, far: f32) -> Vec2 {
    let side = if random.chance(0.5) { 1.0 } else { -1.0 };
    let off = side * random.between(near, far);
    if random.chance(0.7) {
        let lane = ground.along[random.below(ground.along.len())];
        Vec2::new(random.between(ground.shell.low.x + 1.5, ground.shell.high.x - 1.5), lane + off)
    } else {
        let lane = ground.across[random.below(ground.across.len())];
        Vec2::new(lane + off, random.between(ground.shell.low.y + 1.5, ground.shell.high.y - 1.5))
    }
}

/// Paints the edges of the lanes.
fn lanes(stage: &mut Stage, ground: &Ground) {
    let mut mesh = Mesh::default();
    let paint = stage.palette.floor_paint;
    let (low, high) = (ground.shell.low, ground.shell.high);
    let mut strip = |from: Vec2, to: Vec2| {
        let corner = |x: f32, y: f32| Vec3::new(x, y, 0.003);
        mesh.add_quad(
            paint,
            [corner(from.x, from.y), corner(to.x, from.y), corner(to.x, to.y), corner(from.x, to.y)],
        );
    };
    for side in [-HALF_LANE_M, HALF_LANE_M] {
        for &y in &ground.along {
            strip(Vec2::new(low.x + 0.5, y + side - 0.05), Vec2::new(high.x - 0.5, y + side + 0.05));
        }
        for &x in &ground.across {
            strip(Vec2::new(x + side - 0.05, low.y + 0.5), Vec2::new(x + side + 0.05, high.y - 0.5));
        }
    }
    stage.builder.scenery(&mesh, &Affine3A::IDENTITY);
}

/// Machines and tanks, some behind a fence, wherever no lane is.
fn machines(stage: &mut Stage, ground: &Ground) {
    let (low, high) = (ground.shell.low, ground.shell.high);
    // Lanes stay free of everything that is put down here.
    let span = |lane: f32| [Vec2::new(low.x, lane), Vec2::new(high.x, lane)];
    for &lane in &ground.along {
        stage.plan.keep_free(&span(lane), 0.9);
    }
    for &lane in &ground.across {
        stage.plan.keep_free(&[Vec2::new(lane, low.y), Vec2::new(lane, high.y)], 0.9);
    }
    let area = (high.x - low.x) * (high.y - low.y);
    for k in 0..(area / 9.0) as usize {
        let mesh = if k % 7 == 6 {
            tank(&stage.palette, &mut stage.random)
        } else {
            machine(&stage.palette, &mut stage.random)
        };
        for _ in 0..10 {
            let at = goods::within(&mut stage.random, low + 1.5, high - 1.5);
            let yaw = FRAC_PI_2 * stage.random.below(4) as f32;
            if stage.try_solid(&mesh, at, yaw, 0.45) {
                break;
            }
        }
    }
    for _ in 0..12 {
        let length = stage.random.between(3.0, 7.0);
        let mesh = fence(&stage.palette, &mut stage.random, length, 2.0, 0.12);
        let at = beside_a_lane(&mut stage.random, ground, 1.9, 2.3);
        let yaw = FRAC_PI_2 * stage.random.below(2) as f32;
        stage.try_solid(&mesh, at, yaw, 0.1);
    }
}

/// Pipes along the walls and below the roof, crane ways, columns.
fn overhead(stage: &mut Stage, ground: &Ground) {
    let (low, high, height) = (ground.shell.low, ground.shell.high, ground.shell.height);
    let middle = low.midpoint(high);
    let length = high.x - low.x;
    for (y, yaw) in [(low.y + 0.3, 0.0), (high.y - 0.3, PI)] {
        let mesh = pipes(&stage.palette, &mut stage.random, length - 1.0);
        let lift = stage.random.between(2.4, 0.55 * height);
        let at = Affine3A::from_rotation_z(yaw);
        let to = Affine3A::from_translation(Vec3::new(middle.x, y, lift));
        stage.builder.scenery(&mesh, &(to * at));
    }
    // Runs of pipes and trays at the height of the machines' tops and above, lengthways and across.
    for k in 0..10 {
        let lengthways = k % 2 == 0;
        let reach = if lengthways { length - 1.0 } else { high.y - low.y - 1.0 };
        let mesh = pipes(&stage.palette, &mut stage.random, reach);
        let lift = stage.random.between(3.6, (height - 2.9).max(3.7));
        let place = goods::within(&mut stage.random, low + 2.5, high - 2.5);
        let (at, yaw) = if lengthways {
            (Vec2::new(middle.x, place.y), 0.0)
        } else {
            (Vec2::new(place.x, middle.y), FRAC_PI_2)
        };
        let to = Affine3A::from_translation(at.extend(lift));
        stage.builder.scenery(&mesh, &(to * Affine3A::from_rotation_z(yaw)));
    }
    let mut rails = Mesh::default();
    let level = height - 2.2;
    for y in [low.y + 0.55, high.y - 0.55] {
        block(
            &mut rails,
            stage.palette.black_metal,
            [low.x, high.x],
            [y - 0.15, y + 0.15],
            [level - 0.4, level],
        );
    }
    stage.builder.scenery(&rails, &Affine3A::IDENTITY);
    for _ in 0..=stage.random.below(2) {
        let mesh = crane(&stage.palette, &mut stage.random, high.y - low.y - 0.8, level + 0.7);
        let x = stage.random.between(low.x + 3.0, high.x - 3.0);
        stage.builder.scenery(&mesh, &Affine3A::from_translation(Vec3::new(x, middle.y, 0.0)));
    }
}

fn crowd(stage: &mut Stage, ground: &Ground) {
    let count = stage.settings.count(Quantity::People);
    let (low, high) = (ground.shell.low, ground.shell.high);
    let way = |random: &mut Random| {
        let off = random.between(-0.8, 0.8) * HALF_LANE_M;
        if random.chance(0.65) {
            let y = ground.along[random.below(ground.along.len())] + off;
            let x = random.between(low.x + 2.0, high.x - 8.0);
            vec![Vec2::new(x, y), Vec2::new(random.between(x + 4.0, high.x - 2.0), y)]
        } else {
            let x = ground.across[random.below(ground.across.len())] + off;
            vec![Vec2::new(x, low.y + 1.0), Vec2::new(x, high.y - 1.0)]
        }
    };
    let found = people::walkers(stage, count - count / 2, true, &way);
    let spot = |random: &mut Random| (beside_a_lane(random, ground, 0.9, 3.5), random.between(-PI, PI));
    people::bystanders(stage, count - found, true, &spot);
}
