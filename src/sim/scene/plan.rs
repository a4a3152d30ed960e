//! Who stands where on the ground, so that nothing meets what it should not.

use glam::Vec2;

use crate::sim::Motion;

/// For how long movers are followed, seconds.
pub const HORIZON_S: f64 = 120.0;
/// How often, seconds.
const STEP_S: f64 = 0.25;

/// A rectangle on the ground.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Footprint {
    /// Its middle, metres.
    pub centre: Vec2,
    /// Half its lengths along and across, metres.
    pub half: Vec2,
    /// Unit vector along it.
    pub along: Vec2,
}

impl Footprint {
    /// About a point, turned by `yaw`, radians.
    pub fn new(centre: Vec2, half: Vec2, yaw: f32) -> Self {
        Self { centre, half, along: Vec2::from_angle(yaw) }
    }

    /// With a margin all around, metres.
    pub fn grown(&self, margin: f32) -> Self {
        Self { half: self.half + margin, ..*self }
    }

    /// Whether two overlap (separating axes).
    pub fn overlaps(&self, other: &Self) -> bool {
        let between = other.centre - self.centre;
        let reach = self.half.length() + other.half.length();
        if between.length_squared() > reach * reach {
            return false;
        }
        let apart = |axis: Vec2| between.dot(axis).abs() > self.radius(axis) + other.radius(axis);
        ![self.along, self.along.perp(), other.along, other.along.perp()].into_iter().any(apart)
    }

    fn radius(&self, axis: Vec2) -> f32 {
        self.half.x * self.along.dot(axis).abs() + self.half.y * self.along.perp().dot(axis).abs()
    }
}

/// What is on the ground of a scene.
#[derive(Default)]
pub struct Plan {
    fixed: Vec<Footprint>,
    /// Where nothing may be put, though it is empty: the robot's way, lanes.
    lanes: Vec<Footprint>,
    /// The movers' footprints, step by step.
    movers: Vec<Vec<Footprint>>,
}

impl Plan {
    /// Takes ground for something that stands.
    pub fn occupy(&mut self, footprint: Footprint) {
        self.fixed.push(footprint);
    }

    /// Keeps the ground along a way free, `half_width` to both sides.
    pub fn keep_free(&mut self, way: &[Vec2], half_width: f32) {
        self.lanes.extend(way.windows(2).map(|pair| {
            let (from, to) = (pair[0], pair[1]);
            let half = Vec2::new(0.5 * from.distance(to) + half_width, half_width);
            Footprint::new(from.midpoint(to), half, (to - from).to_angle())
        }));
    }

    /// Whether something can stand there.
    pub fn is_free(&self, footprint: &Footprint) -> bool {
        !self.fixed.iter().chain(&self.lanes).any(|other| other.overlaps(footprint))
    }

    /// Takes the ground if it is free.
    pub fn try_occupy(&mut self, footprint: Footprint) -> bool {
        let free = self.is_free(&footprint);
        if free {
            self.occupy(footprint);
        }
        free
    }

    /// Takes the way of something that moves, unless it would meet what stands or moves; `half` are half
    /// its length and width.
    pub fn try_move(&mut self, motion: &Motion, half: Vec2) -> bool {
        let trace = trace(motion, half);
        // What stands is met at the same places again and again; half a metre apart is enough.
        let mut last: Option<Vec2> = None;
        for footprint in &trace {
            if last.is_some_and(|last| last.distance_squared(footprint.centre) < 0.25) {
                continue;
            }
            last = Some(footprint.centre);
            if self.fixed.iter().any(|other| other.overlaps(footprint)) {
                return false;
            }
        }
        let meets = |other: &Vec<Footprint>| other.iter().zip(&trace).any(|(a, b)| a.overlaps(b));
        if self.movers.iter().any(meets) {
            return false;
        }
        self.movers.push(trace);
        true
    }

    /// Whether what moves as this comes into anything, and when first.
    #[cfg(test)]
    pub fn first_meeting(&self, motion: &Motion, half: Vec2) -> Option<f64> {
        let trace = trace(motion, half);
        trace
            .iter()
            .enumerate()
            .find(|(step, footprint)| {
                let movers = self.movers.iter().filter_map(|mover| mover.get(*step));
                self.fixed.iter().chain(movers).any(|other| other.overlaps(footprint))
            })
            .map(|(step, _)| step as f64 * STEP_S)
    }
}

fn trace(motion: &Motion, half: Vec2) -> Vec<Footprint> {
    (0..(HORIZON_S / STEP_S) as u32)
        .map(|step| {
            let placement = motion.placement(f64::from(step) * STEP_S);
            let along = placement.rotation * glam::Vec3::X;
            let centre = Vec2::new(placement.position.x, placement.position.y);
            Footprint { centre, half, along: Vec2::new(along.x, along.y).normalize_or(Vec2::X) }
        })
        .collect()
}
