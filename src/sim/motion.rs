//! Where things are at a time.

use glam::{Quat, Vec3, Vec3A};

/// A rigid transform from an object's frame into the world.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// Of the object's origin, metres.
    pub position: Vec3A,
    /// Of its axes.
    pub rotation: Quat,
}

impl Placement {
    /// At the world's origin.
    pub const IDENTITY: Self = Self { position: Vec3A::ZERO, rotation: Quat::IDENTITY };

    /// Upright at a point, turned by `yaw` about z, radians.
    pub fn upright(position: Vec3, yaw: f32) -> Self {
        Self { position: position.into(), rotation: Quat::from_rotation_z(yaw) }
    }

    /// A point of the object in the world.
    pub fn point(&self, local: Vec3A) -> Vec3A {
        self.rotation * local + self.position
    }

    /// A point of the world in the object's frame.
    pub fn to_local(&self, world: Vec3A) -> Vec3A {
        self.rotation.inverse() * (world - self.position)
    }

    /// This transform after `inner`.
    pub fn then(&self, inner: &Self) -> Self {
        Self { position: self.point(inner.position), rotation: self.rotation * inner.rotation }
    }

    /// The world seen from here.
    pub fn inverse(&self) -> Self {
        let rotation = self.rotation.inverse();
        Self { position: rotation * -self.position, rotation }
    }

    /// Between this placement (0) and another (1).
    pub fn towards(&self, other: &Self, share: f32) -> Self {
        Self {
            position: self.position.lerp(other.position, share),
            rotation: self.rotation.lerp(other.rotation, share),
        }
    }
}

/// What happens at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathEnd {
    /// The last point leads to the first.
    Loop,
    /// Stands there.
    Stop,
    /// Turns round and goes back.
    Back,
}

/// A motion over time.
#[derive(Clone, Debug, PartialEq)]
pub enum Motion {
    /// Never moves.
    Still(Placement),
    /// Along a path at constant speed, heading along it.
    Path(Path),
}

/// A path with rounded corners.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    points: Vec<Vec3>,
    /// Metres from the first point to each.
    lengths: Vec<f32>,
    speed_mps: f32,
    start_m: f32,
    look_ahead_m: f32,
    end: PathEnd,
    leans: bool,
}

impl Path {
    /// Through some points on the ground; corners are cut smoothly. At 0 s it is `start_m` along the path.
    /// The heading is that of the chord from `look_ahead_m` behind to as far ahead, so that nothing turns on
    /// the spot except at the end of [`PathEnd::Back`].
    pub fn new(points: &[Vec3], speed_mps: f32, start_m: f32, look_ahead_m: f32, end: PathEnd) -> Self {
        let mut points = points.to_vec();
        if end == PathEnd::Loop && points.len() > 1 {
            points.push(points[0]);
        }
        for _ in 0..3 {
            points = cut_corners(&points);
        }
        let mut length = 0.0;
        let mut lengths = vec![0.0; points.len().min(1)];
        for pair in points.windows(2) {
            length += pair[0].distance(pair[1]);
            lengths.push(length);
        }
        Self { points, lengths, speed_mps, start_m, look_ahead_m: look_ahead_m.max(0.01), end, leans: false }
    }

    /// Pitches with the slope of its way, as what has wheels does; people stay upright.
    pub fn leaning(self) -> Self {
        Self { leans: true, ..self }
    }

    fn travelled_m(&self, time_s: f64) -> f64 {
        (f64::from(self.start_m) + f64::from(self.speed_mps) * time_s).max(0.0)
    }

    fn placement(&self, time_s: f64) -> Placement {
        let total = self.lengths.last().copied().unwrap_or(0.0);
        let travelled = self.travelled_m(time_s);
        let (along, forward) = match self.end {
            _ if total <= 0.0 => (0.0, true),
            PathEnd::Loop => (travelled.rem_euclid(f64::from(total)) as f32, true),
            PathEnd::Stop => (travelled.min(f64::from(total)) as f32, true),
            PathEnd::Back => {
                let around = travelled.rem_euclid(2.0 * f64::from(total)) as f32;
                if around <= total { (around, true) } else { (2.0 * total - around, false) }
            }
        };
        let wrap = |s: f32| if self.end == PathEnd::Loop && total > 0.0 { s.rem_euclid(total) } else { s };
        let chord = self.at(wrap(along + self.look_ahead_m)) - self.at(wrap(along - self.look_ahead_m));
        let chord = if forward { chord } else { -chord };
        let mut placement = Placement::upright(self.at(along), chord.y.atan2(chord.x));
        if self.leans {
            placement.rotation *= Quat::from_rotation_y(-chord.z.atan2(chord.truncate().length()));
        }
        placement
    }

    /// The point at a distance along; clamped to the path.
    fn at(&self, along: f32) -> Vec3 {
        let after = self.lengths.partition_point(|&length| length <= along);
        let end = |index: usize| self.points.get(index).copied().unwrap_or_default();
        if after == 0 {
            return end(0);
        }
        let (Some(&from), Some(&to)) = (self.lengths.get(after - 1), self.lengths.get(after)) else {
            return end(self.points.len().wrapping_sub(1));
        };
        end(after - 1).lerp(end(after), (along - from) / (to - from).max(1e-9))
    }
}

impl Motion {
    /// Where the object is.
    pub fn placement(&self, time_s: f64) -> Placement {
        match self {
            Self::Still(placement) => *placement,
            Self::Path(path) => path.placement(time_s),
        }
    }

    /// How far it has come, metres, to and fro added up.
    pub fn travelled_m(&self, time_s: f64) -> f64 {
        match self {
            Self::Still(_) => 0.0,
            Self::Path(path) => path.travelled_m(time_s),
        }
    }

    /// Whether it ever moves.
    pub fn is_still(&self) -> bool {
        match self {
            Self::Still(_) => true,
            Self::Path(path) => path.speed_mps == 0.0,
        }
    }
}

/// Chaikin's corner cutting, which keeps the ends.
fn cut_corners(points: &[Vec3]) -> Vec<Vec3> {
    let mut cut: Vec<Vec3> = points.first().copied().into_iter().collect();
    for pair in points.windows(2) {
        cut.push(pair[0].lerp(pair[1], 0.25));
        cut.push(pair[0].lerp(pair[1], 0.75));
    }
    cut.extend(points.last().filter(|_| points.len() > 1));
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_keep_their_speed_and_end_as_told() {
        let line = [Vec3::ZERO, Vec3::new(10.0, 0.0, 0.0)];
        let on = |end| Motion::Path(Path::new(&line, 2.0, 1.0, 0.5, end));
        let x = |motion: &Motion, t| motion.placement(t).position.x;
        let stop = on(PathEnd::Stop);
        assert!((x(&stop, 1.0) - 3.0).abs() < 1e-5 && (x(&stop, 99.0) - 10.0).abs() < 1e-5);
        let back = on(PathEnd::Back);
        assert!((x(&back, 5.5) - 8.0).abs() < 1e-4);
        let heading = back.placement(5.5).rotation * Vec3A::X;
        assert!((heading + Vec3A::X).length() < 1e-3, "{heading}");
        assert!(!stop.is_still() && Motion::Still(Placement::IDENTITY).is_still());
        // Nothing to walk along is a place, not a fault.
        for points in [&line[..0], &line[..1]] {
            let path = Path::new(points, 1.0, 0.0, 0.1, PathEnd::Loop);
            assert_eq!(path.placement(3.0).position, Vec3A::ZERO);
        }
    }

    #[test]
    fn what_leans_pitches_with_its_way() {
        let rise = [Vec3::ZERO, Vec3::new(0.0, 10.0, 1.0)];
        let path = Path::new(&rise, 1.0, 5.0, 0.5, PathEnd::Stop);
        let forward = |path: Path| Motion::Path(path).placement(0.0).rotation * Vec3A::X;
        assert!(forward(path.clone()).distance(Vec3A::Y) < 1e-5);
        assert!(forward(path.leaning()).distance(Vec3A::new(0.0, 10.0, 1.0).normalize()) < 1e-5);
    }

    #[test]
    fn a_loop_turns_smoothly() {
        let square = [[0.0, 0.0], [8.0, 0.0], [8.0, 8.0], [0.0, 8.0]].map(|[x, y]| Vec3::new(x, y, 0.0));
        let motion = Motion::Path(Path::new(&square, 1.0, 0.0, 0.8, PathEnd::Loop));
        let mut last = motion.placement(0.0);
        for step in 1..600 {
            let now = motion.placement(f64::from(step) * 0.1);
            assert!(now.position.distance(last.position) < 0.101);
            let turn = (last.rotation.inverse() * now.rotation).to_axis_angle().1;
            assert!(turn < 0.25 || (std::f32::consts::TAU - turn) < 0.25, "{turn} rad at step {step}");
            last = now;
        }
    }

    #[test]
    fn placements_compose_and_invert() {
        let a = Placement::upright(Vec3::new(1.0, 2.0, 3.0), 0.7);
        let b = Placement { position: Vec3A::new(0.1, 0.0, -0.5), rotation: Quat::from_rotation_y(0.3) };
        let p = Vec3A::new(0.4, -0.2, 0.9);
        assert!(a.then(&b).point(p).distance(a.point(b.point(p))) < 1e-6);
        assert!(a.inverse().point(a.point(p)).distance(p) < 1e-6);
        assert!(a.to_local(a.point(p)).distance(p) < 1e-6);
    }
}
