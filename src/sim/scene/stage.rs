//! A scene while it is put together.

use glam::{Affine3A, Quat, Vec2, Vec3};

use super::palette::Palette;
use super::plan::{Footprint, Plan};
use super::settings::{Quantity, Settings};
use super::{route, vehicles};
use crate::sim::{
    Light, Lighting, Mesh, Motion, ObjectClass, PathEnd, Placement, Random, World, WorldBuilder,
};

/// Half the width of the robot, metres.
pub const ROBOT_HALF_M: f32 = 0.4;

/// The stream of the layout.
const LAYOUT: u64 = 0x4C41_594F;
/// The stream of the materials.
const PALETTE: u64 = 0x5041_4C45;

/// The height of the ground, metres.
type Ground = Box<dyn Fn(Vec2) -> f32>;

/// What layouts put a scene together with.
pub struct Stage {
    /// Of the layout's draws, in its order.
    pub random: Random,
    /// What the seed drew from the file's ranges.
    pub settings: Settings,
    /// The materials.
    pub palette: Palette,
    /// What is where.
    pub plan: Plan,
    /// Lamps.
    pub lights: Vec<Light>,
    /// Light and air.
    pub lighting: Lighting,
    /// Everything.
    pub builder: WorldBuilder,
    ground: Ground,
}

impl Stage {
    /// An empty, flat scene.
    pub fn new(settings: Settings, seed: u64) -> Self {
        let mut builder = WorldBuilder::default();
        let lamps = settings.get(Quantity::Lamps);
        let palette = Palette::new(&mut builder, &mut Random::new(seed, &[PALETTE]), lamps);
        Self {
            random: Random::new(seed, &[LAYOUT]),
            settings,
            palette,
            plan: Plan::default(),
            lights: Vec::new(),
            lighting: Lighting::default(),
            builder,
            ground: Box::new(|_| 0.0),
        }
    }

    /// Gives the ground its heights; before anything is put on it.
    pub fn shape_ground(&mut self, ground: impl Fn(Vec2) -> f32 + 'static) {
        self.ground = Box::new(ground);
    }

    /// The height of the ground, metres.
    pub fn height(&self, at: Vec2) -> f32 {
        (self.ground)(at)
    }

    /// On the ground, turned by `yaw`.
    pub fn place(&self, at: Vec2, yaw: f32) -> Placement {
        Placement::upright(at.extend(self.height(at)), yaw)
    }

    /// On the ground, turned by `yaw` and tilted as the ground is.
    fn place_on_slope(&self, at: Vec2, yaw: f32) -> Placement {
        const REACH_M: f32 = 0.7;
        let rise = |step: Vec2| (self.height(at + step) - self.height(at - step)) / (2.0 * REACH_M);
        let normal = Vec3::new(-rise(Vec2::X * REACH_M), -rise(Vec2::Y * REACH_M), 1.0).normalize();
        let flat = self.place(at, yaw);
        Placement { rotation: Quat::from_rotation_arc(Vec3::Z, normal) * flat.rotation, ..flat }
    }

    /// Puts scenery on the ground that things can be put on or pass below.
    pub fn scenery(&mut self, mesh: &Mesh, at: Vec2, yaw: f32) {
        let Placement { position, rotation } = self.place(at, yaw);
        self.builder.scenery(mesh, &Affine3A::from_rotation_translation(rotation, position.into()));
    }

    /// Puts scenery on the ground, which it takes.
    pub fn solid(&mut self, mesh: &Mesh, at: Vec2, yaw: f32) {
        self.plan.occupy(footprint(mesh, at, yaw));
        self.scenery(mesh, at, yaw);
    }

    /// Puts scenery where the ground is free, with a margin.
    pub fn try_solid(&mut self, mesh: &Mesh, at: Vec2, yaw: f32, margin: f32) -> bool {
        let free = self.plan.is_free(&footprint(mesh, at, yaw).grown(margin));
        if free {
            self.solid(mesh, at, yaw);
        }
        free
    }

    /// Puts an object that never moves on the ground, which it takes.
    pub fn stand(&mut self, class: Option<ObjectClass>, mesh: &Mesh, at: Vec2, yaw: f32) {
        self.plan.occupy(footprint(mesh, at, yaw));
        let placement = match class {
            Some(ObjectClass::Pedestrian) => self.place(at, yaw),
            _ => self.place_on_slope(at, yaw),
        };
        self.builder.standing(class, mesh, placement);
    }

    /// Puts such an object where the ground is free, with a margin.
    pub fn try_stand(
        &mut self,
        class: Option<ObjectClass>,
        mesh: &Mesh,
        at: Vec2,
        yaw: f32,
        margin: f32,
    ) -> bool {
        let free = self.plan.is_free(&footprint(mesh, at, yaw).grown(margin));
        if free {
            self.stand(class, mesh, at, yaw);
        }
        free
    }

    /// Lets an object move through shapes unless it would meet something; `size` is its length and width.
    pub fn try_move(
        &mut self,
        class: Option<ObjectClass>,
        shapes: &[u32],
        stride_m: f32,
        motion: Motion,
        size: Vec2,
    ) -> bool {
        let free = self.plan.try_move(&motion, 0.5 * size + 0.1);
        if free {
            self.builder.moving(class, shapes.to_vec(), stride_m, motion);
        }
        free
    }

    /// Lets the robot drive along a way at the settings' speed, from where it passes the origin; what is put down later stays clear of it.
    pub fn drive(&mut self, way: &[Vec2], closed: bool) -> Motion {
        let speed = self.settings.get(Quantity::RobotSpeed);
        let mut start = 0.0;
        let (mut nearest, mut length) = (f32::INFINITY, 0.0);
        for (index, point) in way.iter().enumerate() {
            length += way.get(index.wrapping_sub(1)).map_or(0.0, |last| last.distance(*point));
            if point.length() < nearest {
                (nearest, start) = (point.length(), length);
            }
        }
        let end = if closed { PathEnd::Loop } else { PathEnd::Stop };
        let motion = vehicles::leaning(route::along(way, |p| self.height(p), speed, start, 1.0, end));
        self.plan.keep_free(way, ROBOT_HALF_M + 0.3);
        if let (Some(&first), Some(&last), true) = (way.first(), way.last(), closed) {
            self.plan.keep_free(&[last, first], ROBOT_HALF_M + 0.3);
        }
        self.plan.try_move(&motion, Vec2::splat(ROBOT_HALF_M + 0.1));
        motion
    }

    /// Hangs up a lamp.
    pub fn light(&mut self, position: Vec3, colour: [f32; 3], range_m: f32) {
        self.lights.push(Light { position, colour, range_m });
    }

    /// The world.
    pub fn finish(self) -> World {
        self.builder.build(self.lighting)
    }
}

/// The ground that a mesh takes.
pub fn footprint(mesh: &Mesh, at: Vec2, yaw: f32) -> Footprint {
    let [low, high] = mesh.bounds().map(Vec3::truncate);
    let centre = at + Vec2::from_angle(yaw).rotate(low.midpoint(high));
    Footprint::new(centre, 0.5 * (high - low), yaw)
}
