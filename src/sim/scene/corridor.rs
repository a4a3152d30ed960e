//! An office floor: two corridors along x joined at both ends, rooms between and beside them.

use std::f32::consts::{FRAC_PI_2, PI};

use glam::{Affine3A, Vec2, Vec3};

use super::plan::Footprint;
use super::settings::Quantity;
use super::stage::Stage;
use super::{daylight, goods, one_of, people, route};
use crate::sim::objects::{at, block, cabinet, chair, desk, indoor_clutter, panel, plant, wall};
use crate::sim::{MaterialId, Mesh, Motion, ObjectClass, Random};

/// Of walls, metres.
const THICKNESS_M: f32 = 0.12;
const DOOR_M: f32 = 0.95;
const LINTEL_M: f32 = 2.05;

/// Where things are, world, metres; the robot's corridor is about the x axis.
#[derive(Clone, Copy, Debug)]
struct Ground {
    /// Ends of the corridors.
    x: [f32; 2],
    /// Half the width of a corridor.
    half: f32,
    /// Middle of the other corridor.
    other: f32,
    /// Depth of the outer rooms.
    depth: f32,
    height: f32,
    /// The side of the robot's corridor where it does not drive.
    free: f32,
}

/// Puts the scene together; gives the robot's way.
pub fn lay_out(stage: &mut Stage) -> Motion {
    let length = stage.settings.get(Quantity::Length);
    let half = 0.5 * stage.settings.get(Quantity::Width);
    let height = stage.settings.get(Quantity::Height);
    let random = &mut stage.random;
    let start = -random.between(0.12, 0.35) * length;
    let side = if random.chance(0.5) { 1.0 } else { -1.0 };
    let other = side * (2.0 * half + random.between(5.5, 9.0));
    let depth = random.between(4.0, 7.5);
    // The robot keeps to one side; things and people are on the other.
    let keep = if random.chance(0.5) { 1.0 } else { -1.0 };
    let drift = keep * (half - 0.62);
    let ground = Ground { x: [start, start + length], half, other, depth, height, free: -keep };
    let [from, to] = [ground.x[0] + half, ground.x[1] - half];
    let back = other + drift;
    let corners = [[0.0, drift], [to, drift], [to, back], [from, back], [from, drift]];
    let robot = stage.drive(&route::rounded(&corners.map(Vec2::from), 1.2, true), true);
    shell(stage, &ground);
    rooms(stage, &ground);
    let people = stage.settings.count(Quantity::People);
    let standing = bystanders(stage, &ground, people / 2);
    corridor_things(stage, &ground);
    let walking = walkers(stage, &ground, people - standing);
    bystanders(stage, &ground, people - standing - walking);
    lamps(stage, &ground);
    let lights = std::mem::take(&mut stage.lights);
    stage.lighting = daylight::indoors(&stage.settings, &mut stage.random, lights);
    robot
}

/// Floors, ceiling and the end walls.
fn shell(stage: &mut Stage, ground: &Ground) {
    let [from, to] = ground.x;
    let (low, high) = (ground.other.min(0.0) - ground.half, ground.other.max(0.0) + ground.half);
    let (bottom, top) = (low - ground.depth, high + ground.depth);
    let mut mesh = Mesh::default();
    let floor =
        one_of(&mut stage.random, &[stage.palette.carpet, stage.palette.tiles, stage.palette.glossy_floor]);
    let ceiling = one_of(&mut stage.random, &[stage.palette.ceiling, stage.palette.plaster]);
    let flat =
        |z: f32| [[from, bottom], [to, bottom], [to, top], [from, top]].map(|[x, y]| Vec3::new(x, y, z));
    mesh.add_quad(floor, flat(0.0));
    mesh.add_quad(ceiling, flat(ground.height));
    stage.builder.scenery(&mesh, &Affine3A::IDENTITY);
    for x in ground.x {
        plain_wall(stage, [Vec2::new(x, bottom), Vec2::new(x, top)], ground.height);
    }
}

/// A wall without openings.
fn plain_wall(stage: &mut Stage, [from, to]: [Vec2; 2], height: f32) {
    let mut mesh = Mesh::default();
    wall(&mut mesh, stage.palette.plaster, [from.into(), to.into()], THICKNESS_M, [0.0, height]);
    stage.builder.scenery(&mesh, &Affine3A::IDENTITY);
    let half = Vec2::new(0.5 * from.distance(to), 0.5 * THICKNESS_M);
    stage.plan.occupy(Footprint::new(from.midpoint(to), half, (to - from).to_angle()));
}

/// Rooms on both sides of both corridors; the two corridors share those between them.
fn rooms(stage: &mut Stage, ground: &Ground) {
    let sign = ground.other.signum();
    let between = [sign * ground.half, ground.other - sign * ground.half];
    let outer_near = [-sign * ground.half, -sign * (ground.half + ground.depth)];
    let outer_far = [ground.other + sign * ground.half, ground.other + sign * (ground.half + ground.depth)];
    // Rooms between the corridors leave the cross corridors free.
    let core = [ground.x[0] + 2.0 * ground.half, ground.x[1] - 2.0 * ground.half];
    for x in core {
        plain_wall(stage, [Vec2::new(x, between[0]), Vec2::new(x, between[1])], ground.height);
    }
    for (span, [front, back], core) in
        [(core, between, true), (ground.x, outer_near, false), (ground.x, outer_far, false)]
    {
        let mut x = span[0];
        while x < span[1] - 1.5 {
            // Offices of one to four windows, now and then an open-plan one.
            let widths = if stage.random.chance(0.5) { [8.0, 16.0] } else { [2.8, 7.5] };
            let width = stage.random.between(widths[0], widths[1]).min(span[1] - x);
            let width = if span[1] - x - width < 2.0 { span[1] - x } else { width };
            room(stage, ground, [x, x + width], [front, back], core);
            x += width;
        }
    }
}

/// One room between x, from its front wall at the corridor to its back.
fn room(stage: &mut Stage, ground: &Ground, [from, to]: [f32; 2], [front, back]: [f32; 2], core: bool) {
    // Some rooms are open to the corridor.
    let open = stage.random.chance(0.25);
    if !open {
        front_wall(stage, ground, [from, to], front);
    }
    if core && !open {
        front_wall(stage, ground, [from, to], back);
    } else if !core {
        window_wall(stage, ground, [from, to], back);
    }
    if to < ground.x[1] - 0.1 {
        plain_wall(stage, [Vec2::new(to, front), Vec2::new(to, back)], ground.height);
    }
    let inward = (back - front).signum();
    let (low, high) = (front.min(back) + 0.5, front.max(back) - 0.5);
    // Desks with chairs, many of them face to face, cupboards along the walls.
    let desks = ((to - from) * (high - low) / 6.0) as usize;
    for _ in 0..desks {
        let yaw = FRAC_PI_2 * stage.random.below(4) as f32;
        let place = goods::within(&mut stage.random, Vec2::new(from + 0.8, low), Vec2::new(to - 0.8, high));
        let place = Vec2::new(place.x, place.y.max(low + 0.2).min(high - 0.2));
        if workplace(stage, place, yaw) && stage.random.chance(0.6) {
            workplace(stage, place + Vec2::from_angle(yaw).rotate(Vec2::new(0.0, 0.87)), yaw + PI);
        }
    }
    for _ in 0..=((to - from) / 1.6) as usize {
        let mesh = cabinet(&stage.palette, &mut stage.random);
        let x = stage.random.between(from + 0.8, to - 0.8);
        let (y, yaw) = (back - inward * 0.45, if inward > 0.0 { 0.0 } else { PI });
        stage.try_solid(&mesh, Vec2::new(x, y), yaw, -0.05);
    }
    if stage.random.chance(0.6) && to - from > 2.4 {
        // A whiteboard on one of the walls between rooms.
        let (x, inside) = if stage.random.chance(0.5) { (from, 1.0) } else { (to, -1.0) };
        let (from, to) = (x + inside * 0.5 * THICKNESS_M, x + inside * (0.5 * THICKNESS_M + 0.03));
        let middle = stage.random.between(low + 1.0, (high - 1.0).max(low + 1.01));
        let half = stage.random.between(0.45, 0.9);
        let mut mesh = Mesh::default();
        block(&mut mesh, stage.palette.whiteboard, [from, to], [middle - half, middle + half], [0.9, 2.0]);
        stage.builder.scenery(&mesh, &Affine3A::IDENTITY);
    }
    let mesh = plant(&stage.palette, &mut stage.random);
    let corner = Vec2::new(from + 0.5, back - inward * 0.5);
    stage.try_solid(&mesh, corner, 0.0, 0.0);
}

/// A desk with its chair where there is room for it.
fn workplace(stage: &mut Stage, place: Vec2, yaw: f32) -> bool {
    let mesh = desk(&stage.palette, &mut stage.random);
    if !stage.try_solid(&mesh, place, yaw, 0.005) {
        return false;
    }
    let seat = place + Vec2::from_angle(yaw).rotate(Vec2::new(stage.random.between(-0.2, 0.2), -0.75));
    let turn = yaw + FRAC_PI_2 + stage.random.between(-0.7, 0.7);
    let mesh = chair(&stage.palette, &mut stage.random);
    stage.try_solid(&mesh, seat, turn, -0.05);
    true
}

/// The wall between corridor and room: a door, and plaster or glass beside it.
fn front_wall(stage: &mut Stage, ground: &Ground, [from, to]: [f32; 2], y: f32) {
    let glazed = stage.random.chance(0.45);
    let door = stage.random.between(from + 0.2, (to - DOOR_M - 0.2).max(from + 0.21));
    let (hinge, latch) = (door, door + DOOR_M);
    let plaster = stage.palette.plaster;
    let mut mesh = Mesh::default();
    let half = 0.5 * THICKNESS_M;
    for [a, b] in [[from, hinge], [latch, to]] {
        if b - a < 0.02 {
            continue;
        }
        if glazed {
            glass_wall(&mut mesh, stage, [a, b], y, ground.height);
        } else {
            block(&mut mesh, plaster, [a, b], [y - half, y + half], [0.0, ground.height]);
        }
        stage.plan.occupy(Footprint::new(Vec2::new(0.5 * (a + b), y), Vec2::new(0.5 * (b - a), half), 0.0));
    }
    block(&mut mesh, plaster, [hinge, latch], [y - half, y + half], [LINTEL_M, ground.height]);
    let frame = stage.palette.steel;
    for x in [hinge, latch] {
        block(&mut mesh, frame, [x - 0.03, x + 0.03], [y - half - 0.02, y + half + 0.02], [0.0, LINTEL_M]);
    }
    if !glazed && to - latch > 1.2 {
        // A notice board or a radiator, on both sides.
        let board = stage.random.chance(0.6);
        let x = stage.random.between(latch + 0.5, to - 0.5);
        let (material, z) =
            if board { (stage.palette.paper, [1.1, 1.8]) } else { (stage.palette.galvanised, [0.12, 0.7]) };
        let out = if board { half + 0.02 } else { half + 0.1 };
        block(&mut mesh, material, [x - 0.4, x + 0.4], [y - out, y + out], z);
    }
    let leaf = one_of(&mut stage.random, &stage.palette.doors);
    let open = stage.random.chance(0.45);
    if open {
        // Into the room, which lies away from the corridor's middle.
        let middle = if (y.abs() - ground.half).abs() < 0.01 { 0.0 } else { ground.other };
        let inward = (y - middle).signum();
        let angle = inward * stage.random.between(0.7, 1.7);
        let mut door = Mesh::default();
        block(&mut door, leaf, [0.0, DOOR_M - 0.05], [-0.02, 0.02], [0.01, LINTEL_M]);
        mesh.append(&door, &(at(hinge + 0.03, y, 0.0) * Affine3A::from_rotation_z(angle)));
    } else {
        block(&mut mesh, leaf, [hinge, latch], [y - 0.02, y + 0.02], [0.01, LINTEL_M]);
        stage.plan.occupy(Footprint::new(
            Vec2::new(0.5 * (hinge + latch), y),
            Vec2::new(0.5 * DOOR_M, half),
            0.0,
        ));
    }
    for side in [-1.0, 1.0] {
        let plate = [y + side * (half + 0.005), y + side * (half + 0.01)];
        let name = one_of(&mut stage.random, &stage.palette.signs);
        if !glazed && latch + 0.4 < to {
            block(&mut mesh, name, [latch + 0.12, latch + 0.3], plate, [1.5, 1.65]);
        }
    }
    stage.builder.scenery(&mesh, &Affine3A::IDENTITY);
}

/// Panes between posts, on a low sill.
fn glass_wall(mesh: &mut Mesh, stage: &Stage, [a, b]: [f32; 2], y: f32, height: f32) {
    let frame: MaterialId = stage.palette.galvanised;
    let (sill, head) = (0.12, 2.3_f32.min(height - 0.05));
    panel(mesh, stage.palette.glass, [a, y], [b, y], [sill, head]);
    block(mesh, frame, [a, b], [y - 0.04, y + 0.04], [0.0, sill]);
    block(mesh, stage.palette.plaster, [a, b], [y - 0.06, y + 0.06], [head, height]);
    let posts = ((b - a) / 1.1).ceil().max(1.0) as u32;
    for k in 0..=posts {
        let x = a + (b - a) * k as f32 / posts as f32;
        block(mesh, frame, [x - 0.025, x + 0.025], [y - 0.04, y + 0.04], [sill, head]);
    }
}

/// The outer wall: windows over a parapet, daylight or night behind.
fn window_wall(stage: &mut Stage, ground: &Ground, [from, to]: [f32; 2], y: f32) {
    let mut mesh = Mesh::default();
    let (sill, head) = (0.9, ground.height - 0.25);
    let half = 0.5 * THICKNESS_M;
    block(&mut mesh, stage.palette.plaster, [from, to], [y - half, y + half], [0.0, sill]);
    block(&mut mesh, stage.palette.plaster, [from, to], [y - half, y + half], [head, ground.height]);
    panel(&mut mesh, stage.palette.glass, [from, y], [to, y], [sill, head]);
    for x in [from, 0.5 * (from + to), to] {
        block(&mut mesh, stage.palette.plaster, [x - 0.15, x + 0.15], [y - half, y + half], [sill, head]);
    }
    stage.builder.scenery(&mesh, &Affine3A::IDENTITY);
    let middle = Vec2::new(0.5 * (from + to), y);
    stage.plan.occupy(Footprint::new(middle, Vec2::new(0.5 * (to - from), half), 0.0));
}

/// What stands along the corridors' walls: pallets, cupboards, plants, trolleys.
fn corridor_things(stage: &mut Stage, ground: &Ground) {
    let Ground { half, other, x, .. } = *ground;
    let spot = |random: &mut Random, inset: f32, own: f32| {
        let middle = if random.chance(own) { 0.0 } else { other };
        let side = ground.free;
        // Most of it is where the robot starts.
        let along = if random.chance(0.6) {
            random.between(2.5, 22.0)
        } else {
            random.between(x[0] + 1.0, x[1] - 1.0)
        };
        (Vec2::new(along.min(x[1] - 1.5), middle + side * (half - inset)), side)
    };
    for _ in 0..stage.settings.count(Quantity::Pallets) {
        let mesh = crate::sim::objects::pallet(&stage.palette, &mut stage.random, 1.5);
        for _ in 0..20 {
            // Lengthways, close to the wall or in one of the rooms behind it.
            let (place, _) = spot(&mut stage.random, 0.5, 0.8);
            let yaw = stage.random.between(-0.05, 0.05);
            let room = Vec2::new(place.x, place.y + place.y.signum() * stage.random.between(1.5, 3.0));
            let place = if stage.random.chance(0.25) { room } else { place };
            if stage.try_stand(Some(ObjectClass::Pallet), &mesh, place, yaw, 0.01) {
                break;
            }
        }
    }
    let count = (40.0 * stage.settings.get(Quantity::Clutter)) as usize;
    for k in 0..count {
        let (mesh, inset) = match k % 4 {
            0 => (cabinet(&stage.palette, &mut stage.random), 0.4),
            1 => (plant(&stage.palette, &mut stage.random), 0.3),
            2 => (chair(&stage.palette, &mut stage.random), 0.35),
            _ => (indoor_clutter(&stage.palette, &mut stage.random), 0.42),
        };
        let (place, side) = spot(&mut stage.random, inset, 0.6);
        let yaw = if k % 4 == 0 { if side > 0.0 { 0.0 } else { PI } } else { stage.random.between(-PI, PI) };
        stage.try_solid(&mesh, place, yaw, 0.0);
    }
}

/// People who stand in the corridors and rooms; gives how many.
fn bystanders(stage: &mut Stage, ground: &Ground, count: usize) -> usize {
    let Ground { half, x, depth, .. } = *ground;
    let spot = |random: &mut Random| {
        let reach = if random.chance(0.2) { [-12.0, 18.0] } else { [-16.0, 39.0] };
        let along = random.between((x[0] + 1.0).max(reach[0]), (x[1] - 1.0).min(reach[1]));
        if random.chance(0.6) {
            return (Vec2::new(along, ground.free * (half - 0.35)), random.between(-PI, PI));
        }
        // In a room on either side.
        let side = if random.chance(0.5) { 1.0 } else { -1.0 };
        (Vec2::new(along, side * (half + random.between(0.5, depth - 0.5))), random.between(-PI, PI))
    };
    people::bystanders(stage, count, false, &spot)
}

fn walkers(stage: &mut Stage, ground: &Ground, count: usize) -> usize {
    let Ground { half, other, x, .. } = *ground;
    let way = |random: &mut Random| {
        let middle = if random.chance(0.75) { 0.0 } else { other };
        let y = middle + ground.free * (half - random.between(0.35, 0.75));
        let from = random.between(x[0] + 1.0, x[1] - 6.0);
        // What stands along the wall leaves some metres here and there.
        vec![Vec2::new(from, y), Vec2::new((from + random.log_between(2.5, 30.0)).min(x[1] - 1.0), y)]
    };
    people::walkers(stage, count, false, &way)
}

/// Panels in the ceilings of corridors and rooms.
fn lamps(stage: &mut Stage, ground: &Ground) {
    let level = stage.settings.get(Quantity::Lamps);
    let mut mesh = Mesh::default();
    let step = stage.random.between(3.0, 5.0);
    let z = ground.height - 0.02;
    let rows =
        [0.0, ground.other, 0.5 * ground.other, -ground.other.signum() * (ground.half + 0.5 * ground.depth)];
    for (row, y) in rows.into_iter().enumerate() {
        let mut x = ground.x[0] + 1.5;
        let mut k = row;
        while x < ground.x[1] - 1.0 {
            if !stage.random.chance(0.12) {
                block(&mut mesh, stage.palette.lamp, [x - 0.3, x + 0.3], [y - 0.3, y + 0.3], [z - 0.02, z]);
                // Every second panel stands for its neighbour too.
                if k % 2 == 0 {
                    let strength = 1.6 * level;
                    stage.light(Vec3::new(x, y, z - 0.15), [strength, 0.97 * strength, 0.9 * strength], 9.0);
                }
            }
            k += 1;
            x += step;
        }
    }
    stage.builder.scenery(&mesh, &Affine3A::IDENTITY);
}
