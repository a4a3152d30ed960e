//! A works yard: a hall with gates, an office, containers, parked and moving vehicles behind a fence.

use std::f32::consts::{FRAC_PI_2, PI};

use glam::Vec2;

use super::ground::{Waves, cover};
use super::plan::Footprint;
use super::settings::Quantity;
use super::stage::Stage;
use super::street::{hedge, plant_tree};
use super::vehicles::Large;
use super::{daylight, goods, one_of, people, route, vehicles};
use crate::sim::objects::{
    block, bollard, bush, container, facade, fence, outdoor_clutter, panel, street_lamp,
};
use crate::sim::{Mesh, Motion, Random};

/// Puts the scene together; gives the robot's way.
pub fn lay_out(stage: &mut Stage) -> Motion {
    let size = Vec2::new(stage.settings.get(Quantity::Length), stage.settings.get(Quantity::Width));
    let slope = stage.settings.get(Quantity::SlopeDeg);
    let waves = Waves::new(&mut stage.random, slope, [60.0, 160.0], 2, true);
    stage.shape_ground(move |p| waves.height(p));
    let start = Vec2::new(stage.random.between(0.2, 0.4), stage.random.between(0.25, 0.45)) * size;
    let (low, high) = (-start, size - start);
    let robot = drive(stage, low, high);
    let ground =
        one_of(&mut stage.random, &[stage.palette.asphalt, stage.palette.concrete, stage.palette.gravel]);
    cover(stage, ground, [low - 8.0, high + 8.0], Vec2::splat(4.0), |_| 0.0);
    let grass = stage.palette.grass;
    for [a, b] in [
        [Vec2::new(low.x - 90.0, high.y + 8.0), high + 90.0],
        [low - 90.0, Vec2::new(high.x + 90.0, low.y - 8.0)],
        [Vec2::new(low.x - 90.0, low.y - 8.0), Vec2::new(low.x - 8.0, high.y + 8.0)],
        [Vec2::new(high.x + 8.0, low.y - 8.0), Vec2::new(high.x + 90.0, high.y + 8.0)],
    ] {
        cover(stage, grass, [a, b], Vec2::splat(8.0), |_| 0.0);
    }
    buildings(stage, low, high);
    fences(stage, low, high);
    storage(stage, low, high);
    traffic(stage, low, high);
    crowd(stage, low, high);
    greens(stage, low, high);
    let lights = std::mem::take(&mut stage.lights);
    stage.lighting = daylight::outdoors(&stage.settings, &mut stage.random, lights);
    robot
}

/// A round through the yard that begins along x.
fn drive(stage: &mut Stage, low: Vec2, high: Vec2) -> Motion {
    let random = &mut stage.random;
    let far = high.x * random.between(0.6, 0.85);
    let near = low.x * random.between(0.45, 0.75);
    let top = high.y * random.between(0.35, 0.6);
    let bend = random.between(-3.0, 3.0);
    let corners = [
        [0.0, 0.0],
        [far, bend],
        [far - 3.0, top],
        [0.5 * (far + near), top + bend],
        [near, top],
        [near, 0.0],
    ];
    stage.drive(&route::rounded(&corners.map(Vec2::from), 4.5, true), true)
}

/// A hall along the far side and an office at one end.
fn buildings(stage: &mut Stage, low: Vec2, high: Vec2) {
    let height = stage.settings.get(Quantity::Height);
    let length = (high.x - low.x) * stage.random.between(0.55, 0.85);
    let mut hall = Mesh::default();
    let half = 0.5 * length;
    let wall =
        one_of(&mut stage.random, &[stage.palette.cladding, stage.palette.cladding, stage.palette.bricks]);
    block(&mut hall, stage.palette.concrete, [-half, half], [0.0, 20.0], [-1.2, 1.0]);
    block(&mut hall, wall, [-half, half], [0.02, 20.0], [1.0, height]);
    let gates = (length / 8.0) as u32;
    for k in 0..gates {
        let x = -half + length * (k as f32 + 0.5) / gates as f32;
        if stage.random.chance(0.2) {
            panel(&mut hall, stage.palette.window, [x - 2.0, -0.01], [x + 2.0, -0.01], [2.0, 3.2]);
            continue;
        }
        let leaf = one_of(&mut stage.random, &stage.palette.doors);
        panel(&mut hall, leaf, [x - 1.6, -0.02], [x + 1.6, -0.02], [0.0, 4.0]);
        for side in [-1.75, 1.6] {
            block(
                &mut hall,
                stage.palette.dark_plastic,
                [x + side, x + side + 0.15],
                [-0.5, 0.0],
                [0.0, 4.1],
            );
        }
        block(&mut hall, stage.palette.dark_plastic, [x - 1.75, x + 1.75], [-0.5, 0.0], [4.0, 4.2]);
        block(&mut hall, stage.palette.hazard, [x - 2.2, x - 2.1], [-0.6, -0.5], [0.0, 1.0]);
    }
    let middle = stage.random.between(low.x + half, high.x - half);
    stage.solid(&hall, Vec2::new(middle, high.y), 0.0);
    let width = (high.y - low.y) * stage.random.between(0.35, 0.6);
    let office = facade(&stage.palette, &mut stage.random, width, 0.9 * height, 11.0);
    let (x, yaw) = if stage.random.chance(0.5) { (high.x, -FRAC_PI_2) } else { (low.x, FRAC_PI_2) };
    let y = stage.random.between(low.y + 0.5 * width, high.y - 0.5 * width);
    stage.try_solid(&office, Vec2::new(x, y), yaw, 0.0);
    // Neighbours beyond the fence.
    for _ in 0..5 {
        let length = stage.random.between(10.0, 26.0);
        let mesh = facade(&stage.palette, &mut stage.random, length, 1.2 * height, 9.0);
        let (x, y) = (stage.random.between(low.x, high.x), low.y - stage.random.between(14.0, 40.0));
        stage.try_solid(&mesh, Vec2::new(x, y), PI, 0.5);
    }
}

fn fences(stage: &mut Stage, low: Vec2, high: Vec2) {
    let height = stage.random.between(1.6, 2.4);
    let corners = [low, Vec2::new(high.x, low.y), high, Vec2::new(low.x, high.y)];
    for k in 0..4 {
        let (from, to) = (corners[k], corners[(k + 1) % 4]);
        let pieces = (from.distance(to) / 7.5).ceil() as u32;
        for piece in 0..pieces {
            let [a, b] = [piece, piece + 1].map(|p| from.lerp(to, p as f32 / pieces as f32));
            let (middle, yaw) = (a.midpoint(b), (b - a).to_angle());
            let room = Footprint::new(middle, Vec2::new(0.5 * a.distance(b) - 0.3, 0.1), yaw);
            if !stage.plan.is_free(&room) {
                continue;
            }
            let mesh = fence(&stage.palette, &mut stage.random, a.distance(b), height, 0.22);
            stage.solid(&mesh, middle, yaw);
            if stage.random.chance(0.6) {
                hedge(stage, middle + (a - b).perp().normalize_or_zero() * 0.9, a.distance(b), yaw);
            }
        }
    }
}

/// Containers, pallets, heaps and other things.
fn storage(stage: &mut Stage, low: Vec2, high: Vec2) {
    let clutter = stage.settings.get(Quantity::Clutter);
    for _ in 0..5 + (8.0 * clutter) as usize {
        let mesh = container(&stage.palette, &mut stage.random);
        for _ in 0..10 {
            let mut at = goods::within(&mut stage.random, low + 4.0, high - 4.0);
            let along = stage.random.chance(0.7);
            if stage.random.chance(0.6) {
                at.y = low.y + stage.random.between(2.0, 9.0);
            }
            let yaw = if along { 0.0 } else { FRAC_PI_2 } + stage.random.between(-0.03, 0.03);
            if stage.try_solid(&mesh, at, yaw, 0.4) {
                break;
            }
        }
    }
    let near = |random: &mut Random| {
        if random.chance(0.6) {
            goods::within(random, (low + 2.0).max(Vec2::splat(-28.0)), (high - 2.0).min(Vec2::splat(34.0)))
        } else {
            goods::within(random, low + 2.0, high - 2.0)
        }
    };
    goods::pallets(stage, stage.settings.count(Quantity::Pallets), &near);
    goods::scatter(stage, (70.0 * clutter) as usize, &outdoor_clutter, &near, 0.1);
    goods::scatter(stage, (10.0 * clutter) as usize, &bollard, &near, 0.1);
}

fn traffic(stage: &mut Stage, low: Vec2, high: Vec2) {
    let count = stage.settings.count(Quantity::Parked);
    // Rows side by side, in front of the hall and along the fence.
    let mut places = Vec::new();
    let rows = [high.y - 6.0, low.y + 5.5, stage.random.between(-12.0, -6.0)];
    for (row, y) in rows.into_iter().enumerate() {
        let mut x = low.x + 6.0;
        while x < high.x - 6.0 {
            places.push((Vec2::new(x, y), if row == 0 { -FRAC_PI_2 } else { FRAC_PI_2 }));
            x += 2.8;
        }
    }
    places.sort_by(|a, b| a.0.length().total_cmp(&b.0.length()));
    // Not all in one heap.
    let sparse: Vec<_> = places.into_iter().filter(|_| stage.random.chance(0.6)).collect();
    let parked = vehicles::park(stage, count, &sparse, Large { lorries: 0.12, buses: 0.0 });
    let mut left = count - parked;
    // Long ones stand where there is room; buses bring people to work.
    let large = Large { lorries: 0.35, buses: 0.15 };
    for _ in 0..8 * left {
        if left > 0 {
            let at = goods::within(&mut stage.random, low + 5.0, high - 5.0);
            let yaw = stage.random.between(-PI, PI);
            left -= vehicles::park(stage, 1, &[(at, yaw)], large);
        }
    }
    let moving = stage.settings.count(Quantity::Vehicles);
    let way = |random: &mut Random| {
        let inset = random.between(3.5, 0.35 * (high.y - low.y).min(high.x - low.x));
        let (a, b) = (low + inset, high - inset * random.between(0.8, 1.2));
        let corners = [[a.x, a.y], [b.x, a.y], [b.x, b.y], [a.x, b.y]].map(Vec2::from);
        route::rounded(&corners, 6.0, true)
    };
    vehicles::drive(stage, moving.div_ceil(2), Large { lorries: 0.4, buses: 0.1 }, &way);
    let spot = |random: &mut Random| goods::within(random, low + 4.0, high - 4.0);
    goods::forklifts(stage, moving / 2 + 1, &way, &spot);
}

fn crowd(stage: &mut Stage, low: Vec2, high: Vec2) {
    let count = stage.settings.count(Quantity::People);
    let near = |random: &mut Random| {
        goods::within(random, (low + 2.0).max(Vec2::splat(-25.0)), (high - 2.0).min(Vec2::splat(32.0)))
    };
    let way = |random: &mut Random| {
        let from = near(random);
        let to = goods::within(random, low + 2.0, high - 2.0);
        route::rounded(&[from, from + (to - from).clamp_length_max(30.0)], 1.0, false)
    };
    let found = people::walkers(stage, count - count / 3, true, &way);
    let spot = |random: &mut Random| (near(random), random.between(-PI, PI));
    people::bystanders(stage, count - found, true, &spot);
}

/// Lamps at the edge, trees and bushes beyond.
fn greens(stage: &mut Stage, low: Vec2, high: Vec2) {
    let level = stage.settings.get(Quantity::Lamps);
    let dark = !(7.0..18.0).contains(&stage.settings.get(Quantity::Hour));
    for k in 0..8 {
        let x = low.x + (high.x - low.x) * (k / 2) as f32 / 3.0;
        let (y, yaw) = if k % 2 == 0 { (low.y + 1.0, FRAC_PI_2) } else { (high.y - 1.2, -FRAC_PI_2) };
        let (mesh, light) = street_lamp(&stage.palette, &mut stage.random);
        if stage.plan.try_occupy(Footprint::new(Vec2::new(x, y), Vec2::splat(0.15), 0.0)) {
            stage.scenery(&mesh, Vec2::new(x, y), yaw);
            if dark {
                let light = stage.place(Vec2::new(x, y), yaw).point(light.into());
                stage.light(light.into(), [9.0, 7.5, 5.5].map(|c| c * level), 35.0);
            }
        }
    }
    for k in 0..64 {
        let mut at = goods::within(&mut stage.random, low - 14.0, high + 14.0);
        if k % 4 != 0 {
            let side = stage.random.between(1.0, 9.0);
            at.y = if stage.random.chance(0.6) { low.y - side } else { high.y + side + 14.0 };
        } else {
            at.x = if stage.random.chance(0.5) { low.x - 3.0 } else { high.x + 3.0 };
        }
        if k % 2 == 0 {
            let tall = stage.random.between(4.0, 11.0);
            plant_tree(stage, at, tall);
        } else {
            let size = stage.random.between(0.6, 2.2);
            let mesh = bush(&stage.palette, &mut stage.random, size, 140);
            stage.try_solid(&mesh, at, 0.0, 0.0);
        }
    }
}
