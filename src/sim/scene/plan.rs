//! Who stands where on the ground, so that nothing meets what it should not.

use std::collections::HashMap;

use glam::{IVec2, Vec2};

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

/// Footprints by the squares of the ground that they touch: a scene has thousands.
#[derive(Default)]
struct Squares {
    all: HashMap<IVec2, Vec<Footprint>>,
}

impl Squares {
    /// Edge of a square, metres.
    const SIZE_M: f32 = 4.0;

    fn add(&mut self, footprint: Footprint) {
        for square in Self::touched(&footprint) {
            self.all.entry(square).or_default().push(footprint);
        }
    }

    fn overlap(&self, footprint: &Footprint) -> bool {
        Self::touched(footprint)
            .filter_map(|square| self.all.get(&square))
            .flatten()
            .any(|other| other.overlaps(footprint))
    }

    fn touched(footprint: &Footprint) -> impl Iterator<Item = IVec2> {
        let reach = Vec2::new(footprint.radius(Vec2::X), footprint.radius(Vec2::Y));
        let square = |at: Vec2| (at / Self::SIZE_M).floor().as_ivec2();
        let (low, high) = (square(footprint.centre - reach), square(footprint.centre + reach));
        (low.x..=high.x).flat_map(move |x| (low.y..=high.y).map(move |y| IVec2::new(x, y)))
    }
}

/// What is on the ground of a scene.
#[derive(Default)]
pub struct Plan {
    fixed: Squares,
    /// Where nothing may be put, though it is empty: the robot's way, lanes.
    lanes: Squares,
    /// The movers' footprints, step by step.
    movers: Vec<Vec<Footprint>>,
}

impl Plan {
    /// Takes ground for something that stands.
    pub fn occupy(&mut self, footprint: Footprint) {
        self.fixed.add(footprint);
    }

    /// Keeps the ground along a way free, `half_width` to both sides.
    pub fn keep_free(&mut self, way: &[Vec2], half_width: f32) {
        for pair in way.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            let half = Vec2::new(0.5 * from.distance(to) + half_width, half_width);
            self.lanes.add(Footprint::new(from.midpoint(to), half, (to - from).to_angle()));
        }
    }

    /// Whether something can stand there.
    pub fn is_free(&self, footprint: &Footprint) -> bool {
        !self.fixed.overlap(footprint) && !self.lanes.overlap(footprint)
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
            if self.fixed.overlap(footprint) {
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

#[cfg(test)]
mod tests {
    use glam::Vec3;

    use super::*;
    use crate::sim::{Path, PathEnd};

    #[test]
    fn turned_rectangles_overlap_only_where_they_do() {
        let square = Footprint::new(Vec2::ZERO, Vec2::ONE, 0.0);
        let turned = |x: f32| Footprint::new(Vec2::new(x, 0.0), Vec2::ONE, std::f32::consts::FRAC_PI_4);
        assert!(square.overlaps(&turned(2.4)) && !square.overlaps(&turned(2.45)));
        let beside = Footprint::new(Vec2::new(2.2, 0.0), Vec2::ONE, 0.0);
        assert!(!square.overlaps(&beside) && square.overlaps(&beside.grown(0.3)));
    }

    #[test]
    fn what_would_meet_something_does_not_move() {
        let line = |y: f32, speed: f32| {
            let ends = [Vec3::new(-20.0, y, 0.0), Vec3::new(20.0, y, 0.0)];
            Motion::Path(Path::new(&ends, speed, 0.0, 0.2, PathEnd::Back))
        };
        let half = Vec2::splat(0.4);
        let mut plan = Plan::default();
        plan.occupy(Footprint::new(Vec2::new(5.0, 3.0), Vec2::ONE, 0.0));
        assert!(!plan.try_move(&line(3.0, 1.0), half));
        assert!(plan.try_move(&line(0.0, 1.0), half));
        // On the same line at another speed, and clear of it.
        assert!(!plan.try_move(&line(0.0, 1.7), half));
        assert!(plan.try_move(&line(1.0, 1.7), half));
        plan.keep_free(&[Vec2::new(-9.0, -5.0), Vec2::new(9.0, -5.0)], 1.0);
        assert!(!plan.try_occupy(Footprint::new(Vec2::new(0.0, -4.0), half, 0.0)));
        assert!(plan.try_occupy(Footprint::new(Vec2::new(0.0, -3.0), half, 0.0)));
    }
}
