//! Open hilly ground: rocks, bushes, heaps of rubble, ruined walls, few things of known size.

use std::f32::consts::PI;

use glam::Vec2;

use super::ground::{Waves, cover};
use super::palette::Palette;
use super::settings::Quantity;
use super::stage::Stage;
use super::street::plant_tree;
use super::vehicles::Large;
use super::{daylight, goods, one_of, people, route, vehicles};
use crate::sim::objects::{bush, outdoor_clutter, rock, rubble, ruin};
use crate::sim::{Mesh, Motion, Random};

/// Puts the scene together; gives the robot's way.
pub fn lay_out(stage: &mut Stage) -> Motion {
    let half = 0.5 * stage.settings.get(Quantity::Length);
    let slope = stage.settings.get(Quantity::SlopeDeg);
    let hills = Waves::new(&mut stage.random, 0.7 * slope, [35.0, 110.0], 3, true);
    let bumps = Waves::new(&mut stage.random, 0.3 * slope, [5.0, 14.0], 4, true);
    stage.shape_ground(move |p| hills.height(p) + bumps.height(p));
    let robot = drive(stage, half);
    surfaces(stage, half);
    vehicles_and_people(stage, half);
    stones(stage, half);
    plants(stage, half);
    let lights = std::mem::take(&mut stage.lights);
    stage.lighting = daylight::outdoors(&stage.settings, &mut stage.random, lights);
    robot
}

/// A winding round that begins at the origin along x.
fn drive(stage: &mut Stage, half: f32) -> Motion {
    let reach = 0.55 * half;
    let random = &mut stage.random;
    let middle = Vec2::new(0.0, reach * random.between(0.5, 0.8));
    let mut corners = vec![Vec2::ZERO];
    for k in 1..8 {
        let angle = -0.5 * PI + 2.0 * PI * k as f32 / 8.0;
        let radius = middle.y * random.between(0.75, 1.25);
        corners.push(middle + Vec2::new(1.5, 1.0) * radius * Vec2::from_angle(angle));
    }
    stage.drive(&route::rounded(&corners, 12.0, true), true)
}

/// Fine ground near the robot's way, coarser farther off, with patches of other stuff.
fn surfaces(stage: &mut Stage, half: f32) {
    let main = one_of(
        &mut stage.random,
        &[stage.palette.soil, stage.palette.gravel, stage.palette.grass, stage.palette.soil],
    );
    let near = 0.6 * half;
    cover(stage, main, [Vec2::splat(-near), Vec2::splat(near)], Vec2::splat(1.4), |_| 0.0);
    let far = half + 60.0;
    for [a, b] in [
        [Vec2::new(-far, near), Vec2::splat(far)],
        [Vec2::splat(-far), Vec2::new(far, -near)],
        [Vec2::new(-far, -near), Vec2::new(-near, near)],
        [Vec2::new(near, -near), Vec2::new(far, near)],
    ] {
        cover(stage, main, [a, b], Vec2::splat(3.0), |_| 0.0);
    }
    for _ in 0..8 {
        let patch =
            one_of(&mut stage.random, &[stage.palette.grass, stage.palette.gravel, stage.palette.soil]);
        let at = goods::within(&mut stage.random, Vec2::splat(-0.5 * half), Vec2::splat(0.5 * half));
        let size = Vec2::new(stage.random.between(2.0, 9.0), stage.random.between(2.0, 9.0));
        // Fading into the ground at its edges.
        let lift = move |p: Vec2| {
            let share = ((p - at) / size).abs();
            0.06 - 0.2 * share.length_squared()
        };
        cover(stage, patch, [at - size, at + size], Vec2::splat(0.9), lift);
    }
}

fn vehicles_and_people(stage: &mut Stage, half: f32) {
    let count = stage.settings.count(Quantity::Parked);
    let places: Vec<(Vec2, f32)> = (0..6 * count)
        .map(|k| {
            let angle = stage.random.between(-1.2, 1.2) + if k % 4 == 3 { PI } else { 0.0 };
            let at = Vec2::from_angle(angle) * stage.random.between(8.0, 38.0);
            (at, stage.random.between(-PI, PI))
        })
        .collect();
    let large = Large { lorries: 0.3, buses: 0.0 };
    vehicles::park(stage, count, &places, large);
    let way = |random: &mut Random| {
        let radius = random.between(0.3, 0.6) * half;
        let middle = goods::within(random, Vec2::splat(-0.2 * half), Vec2::splat(0.2 * half));
        let corners: Vec<Vec2> = (0..6)
            .map(|k| middle + radius * random.between(0.8, 1.2) * Vec2::from_angle(PI * k as f32 / 3.0))
            .collect();
        route::rounded(&corners, 9.0, true)
    };
    vehicles::drive(stage, stage.settings.count(Quantity::Vehicles), large, &way);
    let people = stage.settings.count(Quantity::People);
    let near = |random: &mut Random| {
        let angle = random.between(-1.0, 1.0) + if random.chance(0.25) { PI } else { 0.0 };
        Vec2::from_angle(angle) * random.between(4.0, 36.0)
    };
    let way = |random: &mut Random| {
        let from = near(random);
        let to = from + Vec2::from_angle(random.between(-PI, PI)) * random.between(6.0, 25.0);
        route::rounded(&[from, to], 1.0, false)
    };
    let found = people::walkers(stage, people.div_ceil(2), false, &way);
    let spot = |random: &mut Random| (near(random), random.between(-PI, PI));
    people::bystanders(stage, people - found, false, &spot);
}

/// Rocks of all sizes, heaps, ruins, rubbish.
fn stones(stage: &mut Stage, half: f32) {
    let clutter = stage.settings.get(Quantity::Clutter);
    let anywhere = move |random: &mut Random| {
        // Denser towards the robot's start.
        let reach = half * random.unit().powf(0.8);
        Vec2::from_angle(random.between(-PI, PI)) * reach.max(1.5)
    };
    let count = |most: f32| (most * clutter) as usize;
    let heap = |palette: &Palette, random: &mut Random| -> Mesh {
        let size = random.log_between(0.8, 5.0);
        rubble(palette, random, size)
    };
    let stone = |palette: &Palette, random: &mut Random| -> Mesh {
        let size = random.log_between(0.15, 2.4);
        rock(palette, random, size)
    };
    goods::scatter(stage, count(30.0), &ruin, &anywhere, 0.3);
    goods::scatter(stage, count(50.0), &heap, &anywhere, 0.2);
    goods::scatter(stage, count(420.0), &stone, &anywhere, 0.0);
    goods::scatter(stage, count(14.0), &outdoor_clutter, &anywhere, 0.2);
}

fn plants(stage: &mut Stage, half: f32) {
    let clutter = stage.settings.get(Quantity::Clutter);
    for k in 0..(520.0 * clutter) as usize {
        // Thickest ahead, between people and vehicles.
        let ahead = k % 3 == 1;
        let at = if ahead {
            Vec2::from_angle(stage.random.between(-1.1, 1.1)) * stage.random.between(3.0, 36.0)
        } else {
            let reach = half * stage.random.unit().powf(0.9);
            Vec2::from_angle(stage.random.between(-PI, PI)) * reach.max(1.5)
        };
        if k % 20 == 0 {
            let tall = stage.random.between(2.5, 8.0);
            plant_tree(stage, at, tall);
        } else {
            let size = stage.random.log_between(if ahead { 0.8 } else { 0.4 }, 2.4);
            let leaves = 30 + (45.0 * size) as usize;
            let mesh = bush(&stage.palette, &mut stage.random, size, leaves);
            stage.try_solid(&mesh, at, 0.0, 0.0);
        }
    }
}
