//! Vehicles outdoors: parked in rows and driving round.

use glam::Vec2;

use super::route;
use super::stage::Stage;
use crate::sim::objects::{bus, car, lorry};
use crate::sim::{Mesh, Motion, ObjectClass, PathEnd, Random};

/// Which share of the vehicles are not cars.
#[derive(Clone, Copy, Debug)]
pub struct Large {
    /// Lorries among them.
    pub lorries: f32,
    /// Buses among them.
    pub buses: f32,
}

/// A car, or now and then a lorry or a bus.
pub fn vehicle(stage: &mut Stage, share: Large) -> (ObjectClass, Mesh) {
    let draw = stage.random.unit();
    if draw < share.lorries {
        (ObjectClass::Truck, lorry(&stage.palette, &mut stage.random))
    } else if draw < share.lorries + share.buses {
        (ObjectClass::Bus, bus(&stage.palette, &mut stage.random))
    } else {
        (ObjectClass::Car, car(&stage.palette, &mut stage.random))
    }
}

/// Parks up to `count` vehicles at places in their order, most of them facing as told.
pub fn park(stage: &mut Stage, count: usize, places: &[(Vec2, f32)], share: Large) -> usize {
    let mut parked = 0;
    for &(at, yaw) in places {
        if parked == count {
            break;
        }
        if stage.random.chance(0.3) {
            continue;
        }
        let (class, mesh) = vehicle(stage, share);
        let slip = Vec2::new(stage.random.between(-0.3, 0.3), stage.random.between(-0.12, 0.12));
        let at = at + Vec2::from_angle(yaw).rotate(slip);
        let turn = if stage.random.chance(0.2) { std::f32::consts::PI } else { 0.0 };
        let yaw = yaw + turn + stage.random.between(-0.04, 0.04);
        parked += usize::from(stage.try_stand(Some(class), &mesh, at, yaw, 0.15));
    }
    parked
}

/// Lets up to `count` vehicles go round on ways that `way` draws.
pub fn drive(stage: &mut Stage, count: usize, share: Large, way: &dyn Fn(&mut Random) -> Vec<Vec2>) {
    for _ in 0..count {
        let (class, mesh) = vehicle(stage, share);
        let [low, high] = mesh.bounds();
        let size = (high - low).truncate();
        let shape = stage.builder.shape(mesh);
        for _ in 0..12 {
            let way = way(&mut stage.random);
            let (speed, start) = (stage.random.between(1.5, 5.0), stage.random.between(0.0, 300.0));
            let motion = route::along(&way, |p| stage.height(p), speed, start, size.x, PathEnd::Loop);
            if stage.try_move(Some(class), &[shape], 1.0, leaning(motion), size) {
                break;
            }
        }
    }
}

/// The motion of something with wheels: it pitches with the ground.
pub fn leaning(motion: Motion) -> Motion {
    match motion {
        Motion::Path(path) => Motion::Path(path.leaning()),
        still @ Motion::Still(_) => still,
    }
}
