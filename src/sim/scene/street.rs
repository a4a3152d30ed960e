//! A street: two lanes between parked cars, cycle tracks, pavements and facades.

use std::f32::consts::{FRAC_PI_2, PI};

use glam::Vec2;

use super::ground::{Waves, cover};
use super::plan::Footprint;
use super::settings::Quantity;
use super::stage::Stage;
use super::vehicles::Large;
use super::{daylight, people, route, vehicles};
use crate::sim::objects::{
    CYCLE_STRIDE_M, bin, bollard, bus, bush, cyclist, facade, parked_bicycle, planter, sign, street_lamp,
    tree,
};
use crate::sim::{Motion, ObjectClass, PathEnd, Random};

/// Height of the kerb, metres.
const KERB_M: f32 = 0.12;
/// Cyclists who look different at most.
const MOST_CYCLISTS: usize = 2;

/// Buses at stops at most.
const MOST_STOPS: usize = 3;

/// The cross-section: distances from the middle of the street, metres.
#[derive(Clone, Copy, Debug)]
struct Profile {
    /// Middle of a lane.
    lane: f32,
    /// Middle of the strip where cars park.
    parking: f32,
    /// The kerb.
    kerb: f32,
    /// Middle of the cycle track, on the pavement.
    cycle: f32,
    /// Where people walk.
    walk: [f32; 2],
    /// The facades.
    front: f32,
    /// Ends along x.
    ends: [f32; 2],
}

impl Profile {
    fn draw(stage: &mut Stage) -> Self {
        let length = stage.settings.get(Quantity::Length);
        let lane = 0.25 * stage.settings.get(Quantity::Width);
        let random = &mut stage.random;
        let start = -random.between(0.3, 0.45) * length;
        let edge = 2.0 * lane;
        let kerb = edge + random.between(2.6, 3.0);
        let cycle = kerb + random.between(1.5, 2.0);
        let front = cycle + random.between(3.6, 7.0);
        Self {
            lane,
            parking: edge + 0.5 * (kerb - edge),
            kerb,
            cycle,
            walk: [cycle + 1.1, front - 0.6],
            front,
            ends: [start, start + length],
        }
    }

    /// Along the right lane, round at the end, back in the other.
    fn circuit(&self) -> Vec<Vec2> {
        let [from, to] = self.ends;
        let y = self.lane;
        let corners = [[0.0, -y], [to - 6.0, -y], [to - 6.0, y], [from + 6.0, y], [from + 6.0, -y]];
        route::rounded(&corners.map(Vec2::from), y, true)
    }
}

/// Puts the scene together; gives the robot's way.
pub fn lay_out(stage: &mut Stage) -> Motion {
    let profile = Profile::draw(stage);
    let slope = stage.settings.get(Quantity::SlopeDeg);
    let waves = Waves::new(&mut stage.random, slope, [110.0, 260.0], 2, false);
    let kerb = profile.kerb;
    stage.shape_ground(move |p| waves.height(p) + if p.y.abs() > kerb { KERB_M } else { 0.0 });
    let speed = stage.settings.get(Quantity::RobotSpeed);
    // A slow robot keeps to the pavement.
    let robot = if speed < 2.5 {
        let side = if stage.random.chance(0.5) { 1.0 } else { -1.0 };
        let [near, far] = profile.walk;
        let (a, b) = (side * (near + 0.25 * (far - near)), side * (near + 0.75 * (far - near)));
        let [from, to] = [profile.ends[0] + 20.0, profile.ends[1] - 20.0];
        let corners = [[0.0, a], [to, a], [to, b], [from, b], [from, a]];
        stage.drive(&route::rounded(&corners.map(Vec2::from), 1.0, true), true)
    } else {
        stage.drive(&profile.circuit(), true)
    };
    surfaces(stage, &profile);
    buildings(stage, &profile);
    furniture(stage, &profile);
    bus_stops(stage, &profile);
    parked(stage, &profile);
    traffic(stage, &profile, if speed < 2.5 { None } else { Some(speed) });
    crowd(stage, &profile);
    let lights = std::mem::take(&mut stage.lights);
    stage.lighting = daylight::outdoors(&stage.settings, &mut stage.random, lights);
    robot
}

fn surfaces(stage: &mut Stage, profile: &Profile) {
    let [from, to] = profile.ends;
    let (kerb, front) = (profile.kerb, profile.front);
    let asphalt = stage.palette.asphalt;
    let band = |low: f32, high: f32| [Vec2::new(from - 60.0, low), Vec2::new(to + 60.0, high)];
    cover(stage, asphalt, band(-kerb, kerb), Vec2::new(4.0, 3.0), |_| 0.0);
    for side in [-1.0, 1.0] {
        let (stone, paving) = (stage.palette.kerb, stage.palette.paving);
        let [low, high] = if side > 0.0 { [kerb, kerb + 0.16] } else { [-kerb - 0.16, -kerb] };
        // The step is within 2 cm of the kerb's line.
        let step = move |p: Vec2| if (p.y.abs() - kerb).abs() < 0.005 { 0.0 } else { KERB_M };
        let base = move |p: Vec2| step(p) - if p.y.abs() > kerb { KERB_M } else { 0.0 };
        let edge = if side > 0.0 { [kerb, kerb + 0.02] } else { [-kerb - 0.02, -kerb] };
        cover(stage, stone, band(edge[0], edge[1]), Vec2::new(4.0, 1.0), base);
        let top = if side > 0.0 { [kerb + 0.02, high] } else { [low, -kerb - 0.02] };
        cover(stage, stone, band(top[0], top[1]), Vec2::new(4.0, 1.0), |_| 0.0);
        let pavement = if side > 0.0 { [high, front + 25.0] } else { [-front - 25.0, low] };
        cover(stage, paving, band(pavement[0], pavement[1]), Vec2::new(4.0, 4.0), |_| 0.0);
    }
    // Dashes in the middle, lines along the parking strips.
    let paint = stage.palette.road_paint;
    let mut x = from;
    while x < to {
        let dash = [Vec2::new(x, -0.06), Vec2::new(x + 3.0, 0.06)];
        cover(stage, paint, dash, Vec2::new(3.0, 1.0), |_| 0.004);
        x += 9.0;
    }
    for side in [-1.0, 1.0] {
        let y = side * 2.0 * profile.lane;
        cover(stage, paint, band(y - 0.05, y + 0.05), Vec2::new(4.0, 1.0), |_| 0.004);
    }
}

/// Facades with gaps for side streets and small parks, and houses across both ends.
fn buildings(stage: &mut Stage, profile: &Profile) {
    let height = stage.settings.get(Quantity::Height);
    let mut gardens = Vec::new();
    for side in [-1.0_f32, 1.0] {
        let yaw = if side > 0.0 { 0.0 } else { PI };
        let mut x = profile.ends[0] - 5.0;
        while x < profile.ends[1] {
            let length = stage.random.between(9.0, 24.0);
            if stage.random.chance(0.2) {
                let gap = stage.random.between(7.0, 20.0);
                gardens.push((Vec2::new(x + 0.5 * gap, side * (profile.front + 6.0)), gap));
                x += gap;
                continue;
            }
            let set_back = if stage.random.chance(0.4) { stage.random.between(1.5, 4.5) } else { 0.0 };
            let tall = height * stage.random.between(0.6, 1.4);
            let mesh = facade(&stage.palette, &mut stage.random, length, tall, 10.0);
            let at = Vec2::new(x + 0.5 * length, side * (profile.front + set_back));
            stage.solid(&mesh, at, yaw);
            if set_back > 1.5 {
                hedge(stage, at - Vec2::new(0.0, side * (set_back - 0.4)), length, 0.0);
            }
            x += length;
        }
    }
    for (x, yaw) in [(profile.ends[0] - 30.0, FRAC_PI_2), (profile.ends[1] + 30.0, -FRAC_PI_2)] {
        let mesh = facade(&stage.palette, &mut stage.random, 2.0 * profile.front + 16.0, height, 10.0);
        stage.solid(&mesh, Vec2::new(x, 0.0), yaw);
    }
    for (at, gap) in gardens {
        for _ in 0..2 + (gap / 4.0) as usize {
            let spread = Vec2::new(stage.random.between(-0.4, 0.4) * gap, stage.random.between(-5.0, 9.0));
            if stage.random.chance(0.5) {
                let tall = stage.random.between(5.0, 11.0);
                plant_tree(stage, at + spread, tall);
            } else {
                let size = stage.random.between(0.6, 1.8);
                let mesh = bush(&stage.palette, &mut stage.random, size, 90);
                stage.try_solid(&mesh, at + spread, 0.0, 0.1);
            }
        }
    }
}

/// Bushes in a row of some length about a point.
pub(super) fn hedge(stage: &mut Stage, middle: Vec2, length: f32, yaw: f32) {
    let mut x = -0.5 * length;
    let size = stage.random.between(0.8, 1.6);
    while x < 0.5 * length {
        let mesh = bush(&stage.palette, &mut stage.random, size, 48);
        stage.try_solid(&mesh, middle + Vec2::from_angle(yaw) * x, yaw, -0.2);
        x += 0.8 * size;
    }
}

/// Plants a tree where its trunk has room.
pub(super) fn plant_tree(stage: &mut Stage, at: Vec2, height: f32) -> bool {
    let room = Footprint::new(at, Vec2::splat(0.3), 0.0);
    if !stage.plan.try_occupy(room) {
        return false;
    }
    let mesh = tree(&stage.palette, &mut stage.random, height, 300);
    stage.scenery(&mesh, at, 0.0);
    true
}

/// Lamps, trees, signs, bollards and bins along the kerbs.
fn furniture(stage: &mut Stage, profile: &Profile) {
    let [from, to] = profile.ends;
    let clutter = stage.settings.get(Quantity::Clutter);
    let level = stage.settings.get(Quantity::Lamps);
    let dark = !(7.0..18.0).contains(&stage.settings.get(Quantity::Hour));
    let spacing = stage.random.between(22.0, 32.0);
    for side in [-1.0_f32, 1.0] {
        let yaw = -side * FRAC_PI_2;
        let line = side * (profile.kerb + 0.45);
        let mut x = from + stage.random.between(0.0, spacing);
        while x < to {
            let (mesh, light) = street_lamp(&stage.palette, &mut stage.random);
            let at = Vec2::new(x, line);
            if stage.plan.try_occupy(Footprint::new(at, Vec2::splat(0.15), 0.0)) {
                stage.scenery(&mesh, at, yaw);
                if dark {
                    let light = stage.place(at, yaw).point(light.into());
                    stage.light(light.into(), [9.0, 7.5, 5.5].map(|c| c * level), 30.0);
                }
            }
            x += spacing;
        }
        let trees = stage.random.between(6.0, 12.0);
        let tall = stage.random.between(5.0, 10.0);
        let mut x = from + 4.0;
        let planted = stage.random.chance(0.9);
        while planted && x < to {
            let height = tall * stage.random.between(0.8, 1.2);
            let shift = stage.random.between(-1.0, 1.0);
            plant_tree(stage, Vec2::new(x + shift, line), height);
            x += trees;
        }
        for _ in 0..(60.0 * clutter) as usize {
            let kind = stage.random.below(7);
            let mesh = match kind {
                0 => sign(&stage.palette, &mut stage.random),
                1 => bollard(&stage.palette, &mut stage.random),
                2 => bin(&stage.palette, &mut stage.random),
                3 => parked_bicycle(&stage.palette, &mut stage.random),
                _ => planter(&stage.palette, &mut stage.random),
            };
            let x = stage.random.between(-70.0, 80.0);
            let y = if kind > 1 { side * (profile.front - stage.random.between(0.4, 0.8)) } else { line };
            // Signs face the traffic that comes on their side.
            let yaw = if side > 0.0 { 0.0 } else { PI };
            stage.try_solid(&mesh, Vec2::new(x, y), yaw, 0.05);
        }
    }
}

/// Buses that wait by the kerb; they come before the cars, which leave them no room.
fn bus_stops(stage: &mut Stage, profile: &Profile) {
    for _ in 0..stage.random.below(MOST_STOPS + 1) {
        let mesh = bus(&stage.palette, &mut stage.random);
        let half_width = mesh.bounds()[1].y;
        for _ in 0..6 {
            let side = if stage.random.chance(0.5) { 1.0 } else { -1.0 };
            let gap = stage.random.between(0.08, 0.25);
            let at = Vec2::new(stage.random.between(-50.0, 60.0), side * (profile.kerb - gap - half_width));
            let yaw = if side < 0.0 { 0.0 } else { PI } + stage.random.between(-0.01, 0.01);
            if stage.try_stand(Some(ObjectClass::Bus), &mesh, at, yaw, 0.05) {
                break;
            }
        }
    }
}

fn parked(stage: &mut Stage, profile: &Profile) {
    let mut places: Vec<(Vec2, f32)> = Vec::new();
    for side in [-1.0, 1.0] {
        let mut x = profile.ends[0] + 4.0;
        while x < profile.ends[1] - 4.0 {
            places.push((Vec2::new(x, side * profile.parking), if side < 0.0 { 0.0 } else { PI }));
            x += 6.1;
        }
    }
    // Those near the robot's start are taken first.
    places.sort_by(|a, b| a.0.x.abs().total_cmp(&b.0.x.abs()));
    let large = Large { lorries: 0.06, buses: 0.0 };
    vehicles::park(stage, stage.settings.count(Quantity::Parked), &places, large);
}

/// Vehicles in the lanes, all at one speed, and bicycles on their tracks.
fn traffic(stage: &mut Stage, profile: &Profile, speed: Option<f32>) {
    let flow = speed.unwrap_or_else(|| stage.random.between(4.0, 11.0));
    let way = profile.circuit();
    let around: f32 = way.windows(2).map(|pair| pair[0].distance(pair[1])).sum();
    let count = stage.settings.count(Quantity::Vehicles);
    let bicycles = count.div_ceil(3);
    for k in 0..count - bicycles {
        // At least one bus and one lorry in most streets.
        let [lorries, buses] = [[0.2, 0.1], [0.0, 1.0], [1.0, 0.0]].get(k).copied().unwrap_or([0.2, 0.1]);
        let (class, mesh) = vehicles::vehicle(stage, Large { lorries, buses });
        let [low, high] = mesh.bounds();
        let size = (high - low).truncate();
        let shape = stage.builder.shape(mesh);
        for _ in 0..12 {
            // Most are near enough to be seen.
            let near = stage.random.between(-70.0, 90.0);
            let opposite = stage.random.chance(0.5);
            let start = if opposite { around - near + 2.0 * (profile.ends[1] - around * 0.5) } else { near };
            let start = start.rem_euclid(around);
            let motion = route::along(&way, |p| stage.height(p), flow, start, size.x, PathEnd::Loop);
            let room = size + Vec2::new(3.0, 0.0);
            if stage.try_move(Some(class), &[shape], 1.0, vehicles::leaning(motion), room) {
                break;
            }
        }
    }
    let looks: Vec<Vec<u32>> = (0..bicycles.min(MOST_CYCLISTS))
        .map(|_| {
            let meshes = cyclist(&stage.palette, &mut stage.random);
            meshes.into_iter().map(|mesh| stage.builder.shape(mesh)).collect()
        })
        .collect();
    for shapes in looks.iter().cycle().take(bicycles) {
        for _ in 0..12 {
            let side = if stage.random.chance(0.5) { 1.0 } else { -1.0 };
            let y = side * (profile.cycle + stage.random.between(-0.2, 0.2));
            let mut ends = [Vec2::new(profile.ends[0], y), Vec2::new(profile.ends[1], y)];
            if side > 0.0 {
                ends.reverse();
            }
            let way = route::there_and_back(&route::rounded(&ends, 1.0, false), 0.5);
            let start = ends[0].distance(Vec2::new(stage.random.between(-40.0, 40.0), y));
            let speed = stage.random.between(2.5, 6.5);
            let motion = route::along(&way, |p| stage.height(p), speed, start, 1.8, PathEnd::Loop);
            let size = Vec2::new(1.8, 0.7);
            if stage.try_move(Some(ObjectClass::Bicycle), shapes, CYCLE_STRIDE_M, motion, size) {
                break;
            }
        }
    }
}

fn crowd(stage: &mut Stage, profile: &Profile) {
    let count = stage.settings.count(Quantity::People);
    let way = |random: &mut Random| {
        let side = if random.chance(0.5) { 1.0 } else { -1.0 };
        let from =
            Vec2::new(random.between(-60.0, 70.0), side * random.between(profile.walk[0], profile.walk[1]));
        let to = if random.chance(0.1) {
            // Across the street.
            Vec2::new(from.x + random.between(-1.0, 1.0), -from.y)
        } else {
            let y = side * random.between(profile.walk[0], profile.walk[1]);
            Vec2::new(from.x + random.between(15.0, 60.0), y)
        };
        route::rounded(&[from, to], 1.0, false)
    };
    let found = people::walkers(stage, count - count / 4, false, &way);
    let spot = |random: &mut Random| {
        let side = if random.chance(0.5) { 1.0 } else { -1.0 };
        let y = side * random.between(profile.walk[0], profile.walk[1]);
        (Vec2::new(random.between(-45.0, 55.0), y), random.between(-PI, PI))
    };
    people::bystanders(stage, count - found, false, &spot);
}
