//! Which boxes of one sweep found each other.

use crate::eval::detection::EvalBox;

/// Largest distance of the centres seen from above, metres.
const LIMIT_M: f64 = 2.0;

/// For each truth box and each detection whether it has a partner of its class within 2 m: by falling score,
/// of equal ones the later first, a detection takes the closest truth left.
pub(super) fn matched(truth: &[EvalBox], detections: &[EvalBox]) -> (Vec<bool>, Vec<bool>) {
    let mut found = vec![false; truth.len()];
    let mut right = vec![false; detections.len()];
    let mut order: Vec<(usize, &EvalBox)> = detections.iter().enumerate().collect();
    order.sort_by(|(i, a), (j, b)| b.score.total_cmp(&a.score).then(j.cmp(i)));
    for (index, detection) in order {
        let distance_m = |target: &EvalBox| (target.box3d.center - detection.box3d.center).xy().norm();
        let left = truth
            .iter()
            .zip(&mut found)
            .filter(|(target, taken)| !**taken && target.class == detection.class);
        let nearest = left
            .map(|(target, taken)| (distance_m(target), taken))
            .min_by(|(a, _), (b, _)| a.total_cmp(b))
            .filter(|(distance_m, _)| *distance_m < LIMIT_M);
        if let (Some((_, taken)), Some(right)) = (nearest, right.get_mut(index)) {
            (*taken, *right) = (true, true);
        }
    }
    (found, right)
}

#[cfg(test)]
mod tests {
    use nalgebra::{Point3, Vector3};

    use super::*;
    use crate::geometry::Box3d;

    fn boxed(class: u16, x: f64, score: f64) -> EvalBox {
        let box3d = Box3d { center: Point3::new(x, 0.0, 0.0), size: Vector3::repeat(1.0), yaw: 0.0 };
        EvalBox { class, box3d, score, velocity_mps: [f64::NAN; 2], range_m: x }
    }

    #[test]
    fn the_surest_takes_the_closest_of_its_class() {
        let truth = [boxed(0, 0.0, 0.0), boxed(0, 3.0, 0.0), boxed(1, 9.0, 0.0)];
        let detections = [boxed(0, 1.4, 0.5), boxed(0, 0.5, 0.9), boxed(0, 9.0, 0.8), boxed(1, 11.0, 0.7)];
        let expected = (vec![true, true, false], vec![true, true, false, false]);
        assert_eq!(matched(&truth, &detections), expected);
    }
}
