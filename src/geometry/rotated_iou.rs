//! Overlap of upright boxes by convex polygon clipping (Sutherland and Hodgman, 1974).

use nalgebra::{Point2, Vector2};
use smallvec::SmallVec;

use super::Box3d;

/// Four corners cut by four edges have at most eight.
type Polygon = SmallVec<[Point2<f64>; 8]>;

/// Intersection over union of the footprints, 0..=1. Boxes without area and non-finite ones have none.
pub fn rotated_iou_bev(a: &Box3d, b: &Box3d) -> f64 {
    ratio(intersection_bev(a, b), a.area_bev(), b.area_bev())
}

/// Intersection over union of the volumes, 0..=1. Boxes without volume and non-finite ones have none.
pub fn iou_3d(a: &Box3d, b: &Box3d) -> f64 {
    if !(a.size.z > 0.0 && b.size.z > 0.0) {
        return 0.0;
    }
    let top = (a.center.z + 0.5 * a.size.z).min(b.center.z + 0.5 * b.size.z);
    let bottom = (a.center.z - 0.5 * a.size.z).max(b.center.z - 0.5 * b.size.z);
    ratio(intersection_bev(a, b) * (top - bottom).max(0.0), a.volume(), b.volume())
}

fn ratio(intersection: f64, a: f64, b: f64) -> f64 {
    let union = a + b - intersection;
    let iou = intersection / union;
    if union > 0.0 && iou.is_finite() { iou.clamp(0.0, 1.0) } else { 0.0 }
}

/// Common area of the footprints, m².
fn intersection_bev(a: &Box3d, b: &Box3d) -> f64 {
    let positive = |x: &Box3d| x.size.x > 0.0 && x.size.y > 0.0;
    if !positive(a) || !positive(b) {
        return 0.0;
    }
    let between = Vector2::new(b.center.x - a.center.x, b.center.y - a.center.y);
    let reach = 0.5 * (a.size.x.hypot(a.size.y) + b.size.x.hypot(b.size.y));
    let distance = between.norm();
    // Most pairs are far apart.
    if distance >= reach || !distance.is_finite() || !reach.is_finite() {
        return 0.0;
    }
    // Relative to the first box, so that map coordinates of kilometres cost no digits.
    let origin = Vector2::new(a.center.x, a.center.y);
    let window = a.corners_bev().map(|corner| corner - origin);
    let mut polygon: Polygon = b.corners_bev().iter().map(|corner| corner - origin).collect();
    for (from, to) in window.iter().zip(window.iter().cycle().skip(1)) {
        polygon = clip(&polygon, from, to);
    }
    0.5 * edges(&polygon).map(|(p, q)| p.x * q.y - q.x * p.y).sum::<f64>().abs()
}

fn edges(polygon: &[Point2<f64>]) -> impl Iterator<Item = (&Point2<f64>, &Point2<f64>)> {
    polygon.iter().zip(polygon.iter().cycle().skip(1))
}

/// The part of a convex polygon to the left of the line from → to.
fn clip(polygon: &[Point2<f64>], from: &Point2<f64>, to: &Point2<f64>) -> Polygon {
    let along = to - from;
    let side = |p: &Point2<f64>| along.perp(&(p - from));
    let mut kept = Polygon::new();
    for (p, q) in edges(polygon) {
        let (side_p, side_q) = (side(p), side(q));
        if side_p >= 0.0 {
            kept.push(*p);
        }
        if (side_p > 0.0 && side_q < 0.0) || (side_p < 0.0 && side_q > 0.0) {
            kept.push(p + (q - p) * (side_p / (side_p - side_q)));
        }
    }
    kept
}

#[cfg(test)]
#[path = "rotated_iou_tests.rs"]
mod tests;
