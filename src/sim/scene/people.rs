//! People in a scene: walkers on their ways and others who stand about.

use std::f32::consts::PI;

use glam::Vec2;

use super::route;
use super::stage::Stage;
use crate::sim::objects::Person;
use crate::sim::{Mesh, ObjectClass, PathEnd, Random};

/// Walkers who look different at most: each has a mesh for every phase of the walk.
const MOST_LOOKS: usize = 5;
/// Places that are tried before a person stays away.
const TRIES: usize = 15;
/// How far walkers keep to the right of their way, and the radius in which they turn at its ends, metres.
const HALF_TURN_M: f32 = 0.2;
/// Ground that a person takes, metres.
const SIZE: Vec2 = Vec2::new(0.5, 0.6);

/// Adds up to `count` walkers, who go to and fro on ways that `way` draws; gives how many found one.
pub fn walkers(
    stage: &mut Stage,
    count: usize,
    at_work: bool,
    way: &dyn Fn(&mut Random) -> Vec<Vec2>,
) -> usize {
    let looks: Vec<(Vec<u32>, f32)> = (0..count.min(MOST_LOOKS))
        .map(|_| {
            let person = Person::new(&stage.palette, &mut stage.random, at_work);
            let shapes = person.walking().into_iter().map(|mesh| stage.builder.shape(mesh)).collect();
            (shapes, person.stride_m())
        })
        .collect();
    let mut found = 0;
    for (shapes, stride_m) in looks.iter().cycle().take(count) {
        for _ in 0..TRIES {
            let way = route::there_and_back(&way(&mut stage.random), HALF_TURN_M);
            let length: f32 = way.windows(2).map(|pair| pair[0].distance(pair[1])).sum();
            let start = stage.random.between(0.0, length);
            let speed = stage.random.between(0.6, 1.6);
            let motion = route::along(&way, |p| stage.height(p), speed, start, 1.0, PathEnd::Loop);
            if stage.try_move(Some(ObjectClass::Pedestrian), shapes, *stride_m, motion, SIZE) {
                found += 1;
                break;
            }
        }
    }
    found
}

/// Adds up to `count` people who stand where `spot` says: where, and facing which way. Many stand with
/// another.
pub fn bystanders(
    stage: &mut Stage,
    count: usize,
    at_work: bool,
    spot: &dyn Fn(&mut Random) -> (Vec2, f32),
) -> usize {
    let mut found = 0;
    let mut last: Option<(Vec2, f32)> = None;
    for _ in 0..count {
        let mesh: Mesh = Person::new(&stage.palette, &mut stage.random, at_work).standing(&mut stage.random);
        let company = last.take().filter(|_| stage.random.chance(0.5));
        for attempt in 0..TRIES {
            let (at, yaw) = match company {
                // Opposite to the other or at the side, both looking at each other.
                Some((other, facing)) if attempt < TRIES / 2 => {
                    let turn = facing + stage.random.between(-1.0, 1.0);
                    (other + Vec2::from_angle(turn) * stage.random.between(0.65, 1.1), turn + PI)
                }
                _ => spot(&mut stage.random),
            };
            if stage.try_stand(Some(ObjectClass::Pedestrian), &mesh, at, yaw, 0.1) {
                found += 1;
                last = Some((at, yaw));
                break;
            }
        }
    }
    found
}
