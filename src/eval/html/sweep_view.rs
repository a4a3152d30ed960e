//! One sweep with its truth and detections, small enough to be kept for the page.

use super::greedy;
use crate::eval::detection::{DetectionFigures, EvalBox, EvalClasses};
use crate::geometry::Box3d;
use crate::message::Stamp;

/// Detections below this are not shown, as they are not counted in the figures of one sweep.
const SURE_SCORE: f64 = 0.3;
/// Most boxes of each kind that are shown.
const BOXES: usize = 200;
/// Side of the picture of points, pixels.
pub(super) const SIDE: usize = 480;
/// Least and largest distance shown, metres.
const REACH_M: (f64, f64) = (12.0, 52.0);
/// What one point adds to a pixel; several steps, few enough that the picture stays small.
const POINT: u8 = 60;

/// A frame to look at: boxes, and the sweep as a picture of fixed size.
#[derive(Clone, Debug)]
pub struct SweepView {
    /// Index into the report's runs.
    pub run: usize,
    /// Stamp of the truth.
    pub stamp: Stamp,
    /// What was found at 2 m.
    pub figures: DetectionFigures,
    /// Half the side of the square shown, metres.
    pub(super) reach_m: f64,
    /// Truth, then detections.
    pub(super) boxes: Vec<ShownBox>,
    /// Brightness of the points, `SIDE` × `SIDE`, x up and y to the left; `None` without a sweep.
    pub(super) points: Option<Vec<u8>>,
}

/// A box as it is drawn.
#[derive(Clone, Debug)]
pub(super) struct ShownBox {
    pub box3d: Box3d,
    pub class: String,
    /// Of a detection; `None` of truth.
    pub score: Option<f64>,
    /// Whether it has a partner within 2 m.
    pub matched: bool,
}

impl SweepView {
    /// A view of boxes in the sweep's frame (x forward, y left).
    pub fn new(
        (run, stamp, figures): (usize, Stamp, DetectionFigures),
        classes: &EvalClasses,
        truth: &[EvalBox],
        detections: &[EvalBox],
    ) -> Self {
        let mut sure: Vec<EvalBox> =
            detections.iter().filter(|detection| detection.score >= SURE_SCORE).copied().collect();
        let (found, right) = greedy::matched(truth, &sure);
        let class = |of: &EvalBox| classes.get(of.class).map(|class| class.name.clone()).unwrap_or_default();
        let shown = |of: &EvalBox, matched: bool, score: Option<f64>| ShownBox {
            box3d: of.box3d,
            class: class(of),
            score,
            matched,
        };
        let of_truth = truth.iter().zip(found).take(BOXES);
        let mut boxes: Vec<ShownBox> = of_truth.map(|(of, found)| shown(of, found, None)).collect();
        let of_detections = sure.drain(..).zip(right).take(BOXES);
        boxes.extend(of_detections.map(|(of, right)| shown(&of, right, Some(of.score))));
        let reach = boxes.iter().map(|of| of.box3d.center.x.abs().max(of.box3d.center.y.abs()) + 4.0);
        let reach_m = reach.filter(|reach| reach.is_finite()).fold(REACH_M.0, f64::max).min(REACH_M.1);
        Self { run, stamp, figures, reach_m, boxes, points: None }
    }

    /// Adds the sweep's points, metres.
    pub fn set_points(&mut self, points: impl Iterator<Item = [f32; 2]>) {
        let mut grey = vec![0_u8; SIDE * SIDE];
        let scale = SIDE as f64 / (2.0 * self.reach_m);
        let middle = SIDE as f64 / 2.0;
        for [x, y] in points {
            let (column, row) = (middle - f64::from(y) * scale, middle - f64::from(x) * scale);
            let inside = 0.0..SIDE as f64;
            if inside.contains(&column)
                && inside.contains(&row)
                && let Some(pixel) = grey.get_mut(row as usize * SIDE + column as usize)
            {
                *pixel = pixel.saturating_add(POINT);
            }
        }
        self.points = Some(grey);
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{Point3, Vector3};

    use super::*;

    #[test]
    fn points_are_where_they_were_measured_and_boxes_know_their_partner() {
        let boxed = |x: f64, score: f64| EvalBox {
            class: 0,
            box3d: Box3d { center: Point3::new(x, 0.0, 0.0), size: Vector3::repeat(1.0), yaw: 0.0 },
            score,
            velocity_mps: [f64::NAN; 2],
            range_m: x,
        };
        let of = (0, Stamp(0), DetectionFigures::default());
        let (truth, found) = ([boxed(5.0, 0.0), boxed(9.0, 0.0)], [boxed(5.5, 0.9), boxed(9.0, 0.2)]);
        let mut view = SweepView::new(of, &EvalClasses::default(), &truth, &found);
        let matched: Vec<bool> = view.boxes.iter().map(|of| of.matched).collect();
        assert_eq!((matched, view.reach_m), (vec![true, false, true], 13.0), "a score of 0.2 is not shown");
        view.set_points([[6.49, 0.0], [0.0, 6.49], [f32::NAN, 0.0], [99.0, 0.0]].into_iter());
        let lit: Vec<usize> =
            view.points.unwrap().iter().enumerate().filter(|(_, v)| **v > 0).map(|(i, _)| i).collect();
        assert_eq!(
            lit,
            [SIDE / 4 * SIDE + SIDE / 2, SIDE / 2 * SIDE + SIDE / 4],
            "ahead is up, left is left"
        );
    }
}
