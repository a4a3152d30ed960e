//! A warehouse: racks along aisles, an open area for goods at one end, forklifts, people.

use std::f32::consts::{FRAC_PI_2, PI};

use glam::Vec2;

use super::building::Shell;
use super::plan::Footprint;
use super::settings::Quantity;
use super::stage::Stage;
use super::{daylight, goods, people, route};
use crate::sim::objects::{BAY_M, RACK_DEPTH_M, block, floor_goods, indoor_clutter, pallet, rack};
use crate::sim::{Mesh, Motion, ObjectClass, Random};

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
        for aisle in &mut aisles {
            *aisle += origin.y;
        }
        for row in &mut rows {
            row.0 += origin.y;
        }
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
    floor_pallets(stage, &ground);
    forklifts(stage, &ground);
    crowd(stage, &ground);
    clutter(stage, &ground);
    columns(stage, &ground);
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
                } else if stage.random.chance(0.45) {
                    let mesh = floor_goods(&stage.palette, &mut stage.random);
                    stage.scenery(&mesh, place, yaw);
                }
            }
        }
    }
}

/// Pallets on the open floor and along what is left of the last wall.
fn floor_pallets(stage: &mut Stage, ground: &Ground) {
    let (low, high) = (ground.shell.low, ground.shell.high);
    let spot = |random: &mut Random| {
        if random.chance(0.75) {
            let open = Vec2::new(ground.racks[1] + 1.0, low.y + 1.0);
            goods::within(random, open, high - 1.0)
        } else {
            goods::within(random, Vec2::new(low.x + 1.0, high.y - 2.0), high - Vec2::new(1.0, 0.9))
        }
    };
    goods::pallets(stage, stage.settings.count(Quantity::Pallets).div_ceil(2), &spot);
}

/// Forklifts on their rounds through aisles or over the open floor.
fn forklifts(stage: &mut Stage, ground: &Ground) {
    let (low, high) = (ground.shell.low, ground.shell.high);
    let way = |random: &mut Random| {
        let mut aisle = || ground.aisles.get(random.below(ground.aisles.len())).copied().unwrap_or(0.0);
        let (a, b) = (aisle(), aisle());
        if (a - b).abs() > 1.0 {
            return ground.circuit(random, [a, b], 0.6);
        }
        let (near, far) = (ground.racks[1] + 2.0, high.x - 2.0);
        let corners = [[near, low.y + 2.5], [near, high.y - 2.5], [far, high.y - 2.5], [far, low.y + 2.5]];
        route::rounded(&corners.map(Vec2::from), 2.0, true)
    };
    let spot = |random: &mut Random| goods::within(random, low + 2.0, high - 2.0);
    goods::forklifts(stage, stage.settings.count(Quantity::Vehicles), &way, &spot);
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

/// Small things beside the racks and anywhere else.
fn clutter(stage: &mut Stage, ground: &Ground) {
    let count = (22.0 * stage.settings.get(Quantity::Clutter)) as usize;
    let (low, high) = (ground.shell.low + 0.6, ground.shell.high - 0.6);
    let spot = |random: &mut Random| {
        let anywhere = goods::within(random, low, high);
        if random.chance(0.4) {
            return anywhere;
        }
        let aisle = ground.aisles.get(random.below(ground.aisles.len())).copied().unwrap_or(0.0);
        let side = if random.chance(0.5) { 1.0 } else { -1.0 };
        Vec2::new(anywhere.x, aisle + side * (ground.half_aisle - random.between(0.35, 0.8)))
    };
    goods::scatter(stage, count, &indoor_clutter, &spot, 0.05);
}

/// Columns that carry the roof, where there is room for them.
fn columns(stage: &mut Stage, ground: &Ground) {
    let mut mesh = Mesh::default();
    let half = stage.random.between(0.12, 0.25);
    let material = super::one_of(&mut stage.random, &[stage.palette.concrete, stage.palette.cladding]);
    block(&mut mesh, material, [-half, half], [-half, half], [0.0, ground.shell.height]);
    block(
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
