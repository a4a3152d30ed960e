//! Average precision weighted by heading, as the Waymo Open Dataset has it (Sun et al. 2020).

use super::overlap_curve::Point;

/// Average precision, plain and weighted by heading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct HeadingPrecision {
    pub ap: f64,
    pub aph: f64,
}

/// Over one class. A true positive counts 1 for the plain figure and 1 − |Δθ|/π for the other. Areas are under the
/// best precision at a recall or a higher one. `None` without truth.
pub(super) fn average_precision(curve: &[Point], truth: u64) -> Option<HeadingPrecision> {
    (truth > 0).then(|| HeadingPrecision {
        ap: area(curve, truth, |point| point.found as f64),
        aph: area(curve, truth, |point| point.weighted),
    })
}

fn area(curve: &[Point], truth: u64, gained: impl Fn(&Point) -> f64) -> f64 {
    let recall = |point: &Point| gained(point) / truth as f64;
    let (mut best, mut area) = (0.0_f64, 0.0);
    for (index, point) in curve.iter().enumerate().rev() {
        best = best.max(gained(point) / point.detections as f64);
        let before = index.checked_sub(1).and_then(|index| curve.get(index)).map_or(0.0, recall);
        area += (recall(point) - before) * best;
    }
    area
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_heading_costs_its_share() {
        let point = |found, weighted, detections| Point { found, weighted, detections };
        let curve = [point(1, 1.0, 1), point(2, 1.5, 2), point(2, 1.5, 3)];
        let found = average_precision(&curve, 2).unwrap();
        assert_eq!((found.ap, found.aph), (1.0, 0.5 + 0.25 * 0.75));
        assert_eq!(average_precision(&curve, 0), None);
    }
}
