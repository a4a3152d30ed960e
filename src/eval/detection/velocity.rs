//! Velocities of objects that are the same in several frames.

use std::collections::HashMap;

use nalgebra::Point3;

use super::EvalBox;
use crate::message::Stamp;

/// Longest time over which a velocity is taken, for each neighbour frame, as the nuScenes devkit has it.
const MAX_SECONDS: f64 = 1.5;

/// One frame's boxes with the id of each; an empty id is none.
#[derive(Clone, Debug, Default)]
struct Frame {
    stamp: Stamp,
    boxes: Vec<(EvalBox, String)>,
}

impl Frame {
    fn positions(&self) -> HashMap<&str, Point3<f64>> {
        let known = self.boxes.iter().filter(|(_, id)| !id.is_empty());
        known.map(|(of, id)| (id.as_str(), of.box3d.center)).collect()
    }
}

/// Gives boxes the velocity of their id from the frames before and after: central differences where the
/// object is in both, one-sided ones where it is in one. The frames' coordinates are taken as they are:
/// in a moving sensor's frame velocities are relative to it, for truth and detections alike.
#[derive(Clone, Debug, Default)]
pub struct VelocityById {
    previous: Option<Frame>,
    current: Option<Frame>,
}

impl VelocityById {
    /// Takes a frame; gives the one before, complete.
    pub fn push(&mut self, stamp: Stamp, boxes: Vec<(EvalBox, String)>) -> Option<Vec<EvalBox>> {
        let next = Frame { stamp, boxes };
        let done = self.complete(Some(&next));
        self.previous = self.current.replace(next);
        done
    }

    /// Gives the last frame.
    pub fn finish(&mut self) -> Option<Vec<EvalBox>> {
        let done = self.complete(None);
        *self = Self::default();
        done
    }

    fn complete(&self, next: Option<&Frame>) -> Option<Vec<EvalBox>> {
        let current = self.current.as_ref()?;
        let (before, after) = (self.previous.as_ref(), next);
        let positions = [before, after].map(|frame| frame.map(Frame::positions).unwrap_or_default());
        let [earlier, later] = &positions;
        let boxes = current.boxes.iter().map(|(of, id)| {
            let here = (current.stamp, of.box3d.center);
            let at = |frame: Option<&Frame>, positions: &HashMap<&str, Point3<f64>>| {
                Some((frame?.stamp, *positions.get(id.as_str()).filter(|_| !id.is_empty())?))
            };
            let (first, last) = (at(before, earlier), at(after, later));
            let longest_s = if first.is_some() && last.is_some() { 2.0 * MAX_SECONDS } else { MAX_SECONDS };
            let ((t0, from), (t1, to)) = (first.unwrap_or(here), last.unwrap_or(here));
            let seconds = t1.since_ns(t0) as f64 * 1e-9;
            let velocity = (to - from) / seconds;
            let known = seconds > 0.0 && seconds <= longest_s;
            let velocity_mps = if known { [velocity.x, velocity.y] } else { [f64::NAN; 2] };
            EvalBox { velocity_mps, ..*of }
        });
        Some(boxes.collect())
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector3;

    use super::*;
    use crate::geometry::Box3d;

    fn frame(objects: &[(&str, f64)]) -> Vec<(EvalBox, String)> {
        let boxed =
            |x: f64| Box3d { center: Point3::new(x, -x, 0.0), size: Vector3::new(1.0, 1.0, 1.0), yaw: 0.0 };
        let eval_box = |x: f64| EvalBox {
            class: 0,
            box3d: boxed(x),
            score: 1.0,
            velocity_mps: [f64::NAN; 2],
            range_m: x,
        };
        objects.iter().map(|(id, x)| (eval_box(*x), (*id).to_owned())).collect()
    }

    fn speeds(boxes: Option<Vec<EvalBox>>) -> Vec<f64> {
        boxes.unwrap().iter().map(|of| (of.velocity_mps[0] * 1e6).round() / 1e6).collect()
    }

    #[test]
    fn velocities_are_central_where_they_can_be() {
        let mut velocity = VelocityById::default();
        let ms = |ms: i64| Stamp(ms * 1_000_000);
        assert_eq!(velocity.push(ms(0), frame(&[("a", 1.0), ("b", 5.0)])), None);
        assert_eq!(speeds(velocity.push(ms(100), frame(&[("b", 5.2), ("a", 1.1), ("c", 9.0)]))), [1.0, 2.0]);
        let middle = speeds(velocity.push(ms(200), frame(&[("a", 1.4)])));
        assert_eq!(middle[..2], [2.0, 2.0], "one-sided, central");
        assert!(middle[2].is_nan(), "seen once");
        assert_eq!(speeds(velocity.finish()), [3.0]);
        assert_eq!(velocity.finish(), None);
    }

    #[test]
    fn long_gaps_and_objects_without_an_id_have_none() {
        let mut velocity = VelocityById::default();
        velocity.push(Stamp(0), frame(&[("a", 1.0), ("", 1.0)]));
        let first = velocity.push(Stamp(1_600_000_000), frame(&[("a", 2.0), ("", 2.0)]));
        assert!(speeds(first).iter().all(|speed| speed.is_nan()));
        let back = velocity.push(Stamp(0), frame(&[("a", 2.0)]));
        assert!(speeds(back).iter().all(|speed| speed.is_nan()), "time stands still or runs back");
    }
}
