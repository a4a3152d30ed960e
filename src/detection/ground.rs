//! The plane of the ground under a LiDAR, from the lowest points of the cells of a bird's-eye view.
//!
//! The same figures as `training/isobath_training/detector_s/features.py`: a network sees heights over this plane.

use nalgebra::{Matrix3, Vector3};

/// Heights over the sensor that the level below it is looked for in, metres, and the step.
const LOW_M: f64 = -6.0;
const HIGH_M: f64 = 6.0;
const STEP_M: f64 = 0.2;
const STEPS: usize = 60;
/// From here up are ceilings and canopies, metres over the sensor.
const LEVEL_M: f64 = 0.5;
/// Cells nearer than this tell the level, metres.
const LEVEL_RANGE_M: f64 = 25.0;
/// Cells nearer than this tell the plane; those nearer than [`FIT_NEAR_M`] have little to say of its slope.
const FIT_RANGE_M: f64 = 20.0;
const FIT_NEAR_M: f64 = 8.0;
/// Points further from the plane than this count less from round to round, metres.
const FIT_M: f64 = 0.15;
const FIT_ROUNDS: usize = 6;
/// The plane is drawn to the level one as if by so many cells, of the slope this far away.
const LEVEL_WEIGHT: f64 = 0.05;
const LEVEL_ARM_M: f64 = 45.0;

/// The lowest point of a cell over the middle of the cell, metres in the sensor's frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LowestPoint {
    /// Middle of the cell.
    pub x: f64,
    /// Middle of the cell.
    pub y: f64,
    /// Height of the point.
    pub z: f64,
}

/// z = `[0]` + `[1]` x + `[2]` y, metres in the sensor's frame: a robot on a slope leans with the ground.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GroundPlane(pub [f64; 3]);

impl GroundPlane {
    /// Height of the ground at x, y.
    pub fn at(&self, x: f64, y: f64) -> f64 {
        let [z, slope_x, slope_y] = self.0;
        z + slope_x * x + slope_y * y
    }

    /// Fits the plane again and again, with less weight (`1 / (1 + r²)²`) for what is far from it: walls,
    /// objects, and what polished floors mirror below the ground. `near` is memory that it reuses.
    pub fn fit(points: &[LowestPoint], near: &mut Vec<[f64; 4]>) -> Self {
        let level = level(points);
        near.clear();
        near.extend(points.iter().filter_map(|&LowestPoint { x, y, z }| {
            let distance = (x * x + y * y).sqrt();
            (distance < FIT_RANGE_M).then_some([x, y, z, (distance / FIT_NEAR_M).min(1.0)])
        }));
        let arm = LEVEL_WEIGHT * LEVEL_ARM_M.powi(2);
        let mut plane = Self([level, 0.0, 0.0]);
        for _ in 0..FIT_ROUNDS {
            let [w, wx, wy, wxx, wxy, wyy, wz, wxz, wyz] = plane.sums(near);
            let normal = Matrix3::new(LEVEL_WEIGHT + w, wx, wy, wx, arm + wxx, wxy, wy, wxy, arm + wyy);
            let right = Vector3::new(LEVEL_WEIGHT * level + wz, wxz, wyz);
            // What draws it to the level keeps the matrix positive definite.
            let Some(solved) = normal.cholesky().map(|factor| factor.solve(&right)) else { break };
            plane = Self(solved.into());
        }
        plane
    }

    /// Sums of the weights of points `[x, y, z, weight]`, which grow less with their distance from the plane, and of
    /// their products with x, y, xx, xy, yy, z, xz, yz. Two sums of each, so that they become vector code.
    fn sums(&self, points: &[[f64; 4]]) -> [f64; 9] {
        const LANES: usize = 2;
        let mut sums = [[0.0; LANES]; 9];
        let (pairs, last) = points.as_chunks::<LANES>();
        let end = [last.first().copied().unwrap_or_default(), [0.0; 4]];
        for pair in pairs.iter().chain([&end]) {
            let column = |index: usize| pair.map(|point| point[index]);
            let (x, y, z, base) = (column(0), column(1), column(2), column(3));
            let mut terms = [[0.0; LANES]; 9];
            for lane in 0..LANES {
                let (x, y, z) = (x[lane], y[lane], z[lane]);
                let away = (z - self.at(x, y)) * (1.0 / FIT_M);
                let close = 1.0 + away * away;
                let w = base[lane] / (close * close);
                let (wx, wy) = (w * x, w * y);
                for (term, value) in
                    terms.iter_mut().zip([w, wx, wy, wx * x, wx * y, wy * y, w * z, wx * z, wy * z])
                {
                    term[lane] = value;
                }
            }
            for (sum, term) in sums.iter_mut().zip(terms) {
                for (sum, term) in sum.iter_mut().zip(term) {
                    *sum += term;
                }
            }
        }
        sums.map(|sum| sum.iter().sum())
    }
}

/// Height of the ground below the sensor: where most lowest points are.
fn level(points: &[LowestPoint]) -> f64 {
    let mut counts = [0_u32; STEPS + 2];
    for point in points {
        if (point.x * point.x + point.y * point.y).sqrt() < LEVEL_RANGE_M {
            let step = ((point.z - LOW_M) / STEP_M).floor().clamp(0.0, (STEPS - 1) as f64);
            counts[step as usize + 1] += 1;
        }
    }
    let below = ((LEVEL_M - LOW_M) / STEP_M).round() as usize;
    let mut best = (0, 0);
    for step in 0..below.min(STEPS) {
        // A plane between two steps is one plane.
        let smooth = counts[step] + 2 * counts[step + 1] + counts[step + 2];
        if smooth > best.1 {
            best = (step, smooth);
        }
    }
    debug_assert!(((HIGH_M - LOW_M) / STEP_M - STEPS as f64).abs() < 1e-9);
    LOW_M + (best.0 as f64 + 0.5) * STEP_M
}

#[cfg(test)]
mod tests {
    use super::{GroundPlane, LowestPoint};

    /// Cells of a 40 m square whose lowest points are `z`.
    fn cells(z: impl Fn(f64, f64) -> f64) -> Vec<LowestPoint> {
        let line = (-50..50).map(|i| f64::from(i) * 0.4 + 0.2);
        line.clone()
            .flat_map(|x| line.clone().map(move |y| (x, y)))
            .map(|(x, y)| LowestPoint { x, y, z: z(x, y) })
            .collect()
    }

    #[test]
    fn a_slope_is_found_among_walls_and_mirrored_points() {
        let slope = |x: f64, y: f64| -1.3 + 0.03 * x - 0.02 * y;
        let points = cells(|x, y| match (x * 7.0 + y * 3.0).floor() as i64 % 5 {
            0 => 0.4,
            1 => slope(x, y) - 1.1,
            _ => slope(x, y),
        });
        let plane = GroundPlane::fit(&points, &mut Vec::new());
        for (x, y) in [(0.0, 0.0), (15.0, -10.0), (-18.0, 18.0)] {
            assert!((plane.at(x, y) - slope(x, y)).abs() < 0.05, "{plane:?} at {x}, {y}");
        }
    }

    #[test]
    fn ceilings_are_no_ground() {
        let plane = GroundPlane::fit(&cells(|x, _| if x < 10.0 { 2.4 } else { -0.6 }), &mut Vec::new());
        assert!((plane.at(0.0, 0.0) + 0.6).abs() < 0.15, "{plane:?}");
    }

    #[test]
    fn nothing_and_anything_give_a_finite_plane() {
        for points in
            [vec![], vec![LowestPoint { x: 1.0, y: 1.0, z: -6.0 }], cells(|x, y| (x * y).sin() * 6.0)]
        {
            assert!(GroundPlane::fit(&points, &mut Vec::new()).0.iter().all(|value| value.is_finite()));
        }
    }
}
