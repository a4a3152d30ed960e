//! Ways over the ground for the robot and for what moves.

use glam::{Vec2, Vec3};

use crate::sim::{Motion, Path, PathEnd};

/// Straight pieces are divided at least this often, metres, so that they follow the ground.
const PIECE_M: f32 = 3.0;

/// A way along some corners, each cut by a curve that begins up to `radius_m` before it; `closed` joins
/// the last corner to the first.
pub fn rounded(corners: &[Vec2], radius_m: f32, closed: bool) -> Vec<Vec2> {
    let mut way = Vec::new();
    let count = corners.len();
    for (index, &corner) in corners.iter().enumerate() {
        if !closed && (index == 0 || index + 1 == count) {
            extend(&mut way, corner);
            continue;
        }
        // Curves at both ends of an edge share it.
        let towards = |other: usize| {
            let edge = corners.get(other % count).copied().unwrap_or(corner) - corner;
            corner + edge.clamp_length_max(radius_m.min(0.5 * edge.length()))
        };
        let (enter, leave) = (towards(index + count - 1), towards(index + 1));
        extend(&mut way, enter);
        for step in 1..=6 {
            let t = step as f32 / 6.0;
            way.push(enter.lerp(corner, t).lerp(corner.lerp(leave, t), t));
        }
    }
    if closed && let Some(&first) = way.first() {
        extend(&mut way, first);
        way.pop();
    }
    way
}

/// The way in the other direction.
pub fn reversed(way: &[Vec2]) -> Vec<Vec2> {
    way.iter().rev().copied().collect()
}

/// A closed way to the last point of another and back, `half_m` to the right of it both times, with a half
/// circle at each end.
pub fn there_and_back(way: &[Vec2], half_m: f32) -> Vec<Vec2> {
    let (mut there, mut round) = (Vec::new(), Vec::new());
    for &point in way {
        extend(&mut there, point);
    }
    for way in [&there, &reversed(&there)] {
        let mut ahead = Vec2::X;
        for (index, &point) in way.iter().enumerate() {
            // Along the piece that comes, at the last point along the one before.
            let towards = way.get(index + 1).map_or(Vec2::ZERO, |&next| next - point);
            ahead = towards.try_normalize().unwrap_or(ahead);
            round.push(point - half_m * ahead.perp());
        }
        let end = way.last().copied().unwrap_or_default();
        round.extend([-0.6_f32, 0.0, 0.6].map(|angle| end + half_m * Vec2::from_angle(angle).rotate(ahead)));
    }
    round
}

/// A motion along a way on the ground.
pub fn along(
    way: &[Vec2],
    height: impl Fn(Vec2) -> f32,
    speed_mps: f32,
    start_m: f32,
    length_m: f32,
    end: PathEnd,
) -> Motion {
    let points: Vec<Vec3> = way.iter().map(|&p| p.extend(height(p))).collect();
    // The heading is that of the vehicle's middle half.
    Motion::Path(Path::new(&points, speed_mps, start_m, (0.25 * length_m).max(0.2), end))
}

/// Adds a straight piece to a point.
fn extend(way: &mut Vec<Vec2>, to: Vec2) {
    if let Some(&from) = way.last() {
        let pieces = (from.distance(to) / PIECE_M).ceil().max(1.0) as u32;
        way.extend((1..pieces).map(|piece| from.lerp(to, piece as f32 / pieces as f32)));
    }
    way.push(to);
}

#[cfg(test)]
mod tests {
    use glam::Vec3A;

    use super::*;

    #[test]
    fn who_comes_back_turns_in_a_curve() {
        let way = [[0.0, 0.0], [6.0, 0.0], [9.0, 2.0]].map(Vec2::from);
        let round = there_and_back(&way, 0.25);
        let off = |p: Vec2| {
            way.windows(2)
                .map(|pair| {
                    let along = (p - pair[0]).dot(pair[1] - pair[0]) / pair[0].distance_squared(pair[1]);
                    p.distance(pair[0].lerp(pair[1], along.clamp(0.0, 1.0)))
                })
                .fold(f32::INFINITY, f32::min)
        };
        assert!(round.iter().all(|&p| off(p) < 0.26), "{round:?}");
        let motion = along(&round, |_| 0.0, 1.0, 0.0, 1.0, PathEnd::Loop);
        let heading = |step: u32| motion.placement(f64::from(step) * 0.05).rotation * Vec3A::X;
        let turns: Vec<f32> = (0..600).map(|step| heading(step).dot(heading(step + 1))).collect();
        // 0.05 m at a time: half a turn takes at least half a second.
        assert!(turns.iter().all(|&cosine| cosine > 0.3_f32.cos()), "{turns:?}");
        assert!(there_and_back(&[], 0.2).iter().all(|p| p.is_finite()));
    }

    #[test]
    fn corners_are_cut_and_edges_kept() {
        let square = [[0.0, 0.0], [20.0, 0.0], [20.0, 20.0], [0.0, 20.0]].map(Vec2::from);
        let way = rounded(&square, 3.0, true);
        let steps = way.windows(2).map(|pair| pair[0].distance(pair[1]));
        assert!(steps.fold(0.0_f32, f32::max) <= PIECE_M + 1e-3);
        assert!(way[0].distance(*way.last().unwrap()) <= PIECE_M + 1e-3);
        // The middle of each edge is on the way, no corner is.
        let nearest = |p: Vec2| way.iter().map(|q| q.distance(p)).fold(f32::INFINITY, f32::min);
        assert!(nearest(Vec2::new(10.0, 0.0)) < PIECE_M && nearest(square[2]) > 0.8);
        assert!(way.iter().all(|p| p.y.min(p.x).min(20.0 - p.x).min(20.0 - p.y) < 0.8));
        assert!(rounded(&[], 1.0, true).is_empty());
        assert_eq!(rounded(&square[..1], 1.0, false).len(), 1);
    }
}
