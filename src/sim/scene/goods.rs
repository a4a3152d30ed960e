//! Pallets, forklifts and small things wherever there is room for them.

use std::f32::consts::{FRAC_PI_2, PI};

use glam::Vec2;

use super::palette::Palette;
use super::route;
use super::stage::Stage;
use crate::sim::objects::{forklift, pallet};
use crate::sim::{Mesh, ObjectClass, PathEnd, Random};

/// Draws a place on the ground.
pub type Spot<'a> = &'a dyn Fn(&mut Random) -> Vec2;

/// Places that are tried for each thing.
const TRIES: usize = 12;

/// Stands up to `count` pallets about, as they come: some side by side.
pub fn pallets(stage: &mut Stage, count: usize, spot: Spot<'_>) {
    let mut left = count;
    for _ in 0..6 * count {
        if left == 0 {
            break;
        }
        let first = spot(&mut stage.random);
        let yaw = FRAC_PI_2 * stage.random.below(4) as f32 + stage.random.between(-0.08, 0.08);
        let across = Vec2::from_angle(yaw).perp() * stage.random.between(0.88, 1.1);
        for k in 0..=stage.random.below(4) {
            let mesh = pallet(&stage.palette, &mut stage.random, 1.9);
            let at = first + k as f32 * across;
            if left > 0 && stage.try_stand(Some(ObjectClass::Pallet), &mesh, at, yaw, 0.02) {
                left -= 1;
            }
        }
    }
}

/// Lets forklifts go round on closed ways that `way` draws; those that find none stand about.
pub fn forklifts(stage: &mut Stage, count: usize, way: &dyn Fn(&mut Random) -> Vec<Vec2>, spot: Spot<'_>) {
    for _ in 0..count {
        let carrying = stage.random.chance(0.5);
        let mesh = forklift(&stage.palette, &mut stage.random, carrying);
        let [low, high] = mesh.bounds();
        let size = 2.0 * low.abs().max(high.abs()).truncate();
        let moves = stage.random.chance(0.75) && {
            let shape = stage.builder.shape(mesh.clone());
            (0..TRIES).any(|_| {
                let way = way(&mut stage.random);
                let way = if stage.random.chance(0.5) { route::reversed(&way) } else { way };
                let (speed, start) = (stage.random.between(0.8, 2.5), stage.random.between(0.0, 120.0));
                let motion = route::along(&way, |p| stage.height(p), speed, start, size.x, PathEnd::Loop);
                stage.try_move(Some(ObjectClass::Forklift), &[shape], 1.0, motion, size)
            })
        };
        for _ in 0..2 * TRIES {
            let (at, yaw) = (spot(&mut stage.random), stage.random.between(-PI, PI));
            if moves || stage.try_stand(Some(ObjectClass::Forklift), &mesh, at, yaw, 0.3) {
                break;
            }
        }
    }
}

/// Puts up to `count` pieces of scenery where there is room, turned anyhow.
pub fn scatter(
    stage: &mut Stage,
    count: usize,
    make: &dyn Fn(&Palette, &mut Random) -> Mesh,
    spot: Spot<'_>,
    margin: f32,
) {
    for _ in 0..count {
        let mesh = make(&stage.palette, &mut stage.random);
        for _ in 0..TRIES {
            let (at, yaw) = (spot(&mut stage.random), stage.random.between(-PI, PI));
            if stage.try_solid(&mesh, at, yaw, margin) {
                break;
            }
        }
    }
}

/// A place anywhere in a rectangle.
pub fn within(random: &mut Random, low: Vec2, high: Vec2) -> Vec2 {
    Vec2::new(random.between(low.x, high.x), random.between(low.y, high.y))
}
