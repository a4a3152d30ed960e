//! Decoding of the centre heads of Autoware's `lidar_centerpoint`: logits → oriented boxes.
//!
//! From `postprocess_kernel.cu` and `ros_utils.cpp` there: rows are y and columns x; each cell gives one box,
//! of its best class; there is no local maximum, repeated boxes are left to suppression. `x = min + edge ·
//! stride · (column + dx)`, `y` alike, `z` as it is; `width, length, height = exp(size)` in this order; `yaw =
//! −atan2(sin, cos) − π/2`, as the heading was trained about the downward axis from −y.

use std::f64::consts::{FRAC_PI_2, PI, TAU};

use nalgebra::{Point3, Vector3};

use super::box_suppression::{Ranked, keep_best, logit_floor, sigmoid};
use super::{BevGrid, Detection3d, DetectionError, HeadTensor};
use crate::geometry::Box3d;

/// Box edges are held within these, metres: `exp` of what a network gives may be anything.
const EDGE_M: [f64; 2] = [0.01, 1000.0];

/// The output tensors of one frame: `channels x rows x cols`, row-major, rows along y.
#[derive(Clone, Copy, Debug)]
pub struct AutowareHead<'a> {
    /// Logits, one channel per class.
    pub heatmap: &'a [f32],
    /// `(dx, dy)` in head cells.
    pub offset: &'a [f32],
    /// z of the box centre, metres.
    pub height: &'a [f32],
    /// Logarithms of width, length and height, metres.
    pub size: &'a [f32],
    /// Sine and cosine of the trained heading.
    pub rotation: &'a [f32],
    /// Cells along y.
    pub rows: usize,
    /// Cells along x.
    pub cols: usize,
    /// Channels of the heatmap.
    pub classes: usize,
}

/// Decodes `head` into `detections` (cleared first), by descending score, then class, then cell; at most
/// [`super::MAX_CANDIDATES`] of them. A cell whose `(sin, cos)` is shorter than `min_rotation_norm` of its class
/// (none given: 0) gives no box, as in Autoware.
///
/// Fails on shapes that do not fit `grid` and, naming the tensor and the cell, on values that are not finite.
pub fn decode_autoware(
    head: &AutowareHead<'_>,
    grid: &BevGrid,
    score_threshold: f32,
    min_rotation_norm: &[f32],
    ranked: &mut RankedPlaces,
    detections: &mut Vec<Detection3d>,
) -> Result<(), DetectionError> {
    detections.clear();
    let stride = grid.stride_of(head.cols, head.rows)?;
    head.check_lengths()?;
    head.rank(score_threshold, &mut ranked.0)?;
    keep_best(&mut ranked.0);

    let [x0, y0, ..] = grid.range_m().map(f64::from);
    let [cell_x, cell_y] = grid.voxel_m().map(|edge| f64::from(edge) * stride as f64);
    for &Ranked { score, class, place } in &ranked.0 {
        let cell = place as usize;
        let at = |tensor, values, channel| head.value(tensor, values, channel, cell);
        let sin = at(HeadTensor::Rotation, head.rotation, 0)?;
        let cos = at(HeadTensor::Rotation, head.rotation, 1)?;
        if sin.hypot(cos) < min_rotation_norm.get(usize::from(class)).copied().unwrap_or(0.0) {
            continue;
        }
        let edge = |channel| {
            let log = at(HeadTensor::Size, head.size, channel)?;
            Ok::<_, DetectionError>(f64::from(log).exp().clamp(EDGE_M[0], EDGE_M[1]))
        };
        let (width, length, height) = (edge(0)?, edge(1)?, edge(2)?);
        let dx = f64::from(at(HeadTensor::Offset, head.offset, 0)?);
        let dy = f64::from(at(HeadTensor::Offset, head.offset, 1)?);
        let center = Point3::new(
            x0 + cell_x * ((cell % head.cols) as f64 + dx),
            y0 + cell_y * ((cell / head.cols) as f64 + dy),
            f64::from(at(HeadTensor::Height, head.height, 0)?),
        );
        let yaw = wrapped(-f64::from(sin).atan2(f64::from(cos)) - FRAC_PI_2);
        let box3d = Box3d { center, size: Vector3::new(length, width, height), yaw };
        detections.push(Detection3d { box3d, class, score });
    }
    Ok(())
}

/// Memory of a decoder, reused from frame to frame.
#[derive(Debug, Default)]
pub struct RankedPlaces(pub(super) Vec<Ranked>);

/// An angle within −π..π.
pub(super) fn wrapped(angle: f64) -> f64 {
    let turned = (angle + PI).rem_euclid(TAU) - PI;
    if turned.is_finite() { turned } else { 0.0 }
}

impl AutowareHead<'_> {
    fn check_lengths(&self) -> Result<(), DetectionError> {
        let plane = self.rows * self.cols;
        for (tensor, values, channels) in [
            (HeadTensor::Heatmap, self.heatmap, self.classes),
            (HeadTensor::Offset, self.offset, 2),
            (HeadTensor::Height, self.height, 1),
            (HeadTensor::Size, self.size, 3),
            (HeadTensor::Rotation, self.rotation, 2),
        ] {
            let expected = plane.saturating_mul(channels);
            if values.len() != expected {
                return Err(DetectionError::TensorLength { tensor, expected, found: values.len() });
            }
        }
        Ok(())
    }

    /// The best class of each cell that scores high enough. Of equal logits the first class has it.
    fn rank(&self, score_threshold: f32, ranked: &mut Vec<Ranked>) -> Result<(), DetectionError> {
        ranked.clear();
        let plane = self.rows * self.cols;
        // One branch-free pass decides; the offender is looked for only when there is one.
        if !self.heatmap.iter().fold(true, |fine, logit| fine & logit.is_finite())
            && let Some((index, &value)) =
                self.heatmap.iter().enumerate().find(|(_, logit)| !logit.is_finite())
        {
            return Err(self.not_finite(HeadTensor::Heatmap, index / plane, index % plane, value));
        }
        let floor = logit_floor(score_threshold);
        for cell in 0..plane {
            let (mut class, mut best) = (0, f32::NEG_INFINITY);
            for channel in 0..self.classes {
                let logit = self.heatmap[channel * plane + cell];
                if logit > best {
                    (class, best) = (channel as u16, logit);
                }
            }
            if best < floor {
                continue;
            }
            let score = sigmoid(best);
            if score >= score_threshold {
                ranked.push(Ranked { score, class, place: cell as u32 });
            }
        }
        Ok(())
    }

    /// One finite value; lengths were checked.
    fn value(
        &self,
        tensor: HeadTensor,
        values: &[f32],
        channel: usize,
        cell: usize,
    ) -> Result<f32, DetectionError> {
        let value = values[channel * self.rows * self.cols + cell];
        if value.is_finite() { Ok(value) } else { Err(self.not_finite(tensor, channel, cell, value)) }
    }

    fn not_finite(&self, tensor: HeadTensor, channel: usize, cell: usize, value: f32) -> DetectionError {
        DetectionError::NonFinite { tensor, channel, row: cell / self.cols, col: cell % self.cols, value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: usize = 3;
    const COLS: usize = 4;
    const PLANE: usize = ROWS * COLS;

    /// Two classes on 4 x 3 cells of 2 m from (-4, -3); nothing anywhere.
    struct Owned([Vec<f32>; 5]);

    impl Owned {
        fn silent() -> Self {
            Self([2, 2, 1, 3, 2].map(|channels| vec![0.0; channels * PLANE])).with(0, 0, 0..2 * PLANE, -9.0)
        }

        fn with(mut self, tensor: usize, channel: usize, cells: std::ops::Range<usize>, value: f32) -> Self {
            self.0[tensor][channel * PLANE..][cells].fill(value);
            self
        }

        fn decode(&self, norms: &[f32]) -> Result<Vec<Detection3d>, DetectionError> {
            let [heatmap, offset, height, size, rotation] = &self.0;
            let head =
                AutowareHead { heatmap, offset, height, size, rotation, rows: ROWS, cols: COLS, classes: 2 };
            let grid = BevGrid::new([-4.0, -3.0, -2.0, 4.0, 3.0, 2.0], [1.0, 1.0]).unwrap();
            let mut detections = Vec::new();
            decode_autoware(&head, &grid, 0.3, norms, &mut RankedPlaces::default(), &mut detections)?;
            Ok(detections)
        }
    }

    #[test]
    fn a_cell_becomes_the_box_it_describes() {
        let cell = COLS + 2;
        let head = Owned::silent()
            .with(0, 0, cell..cell + 1, 0.0)
            .with(0, 1, cell..cell + 1, 2.0)
            .with(1, 0, cell..cell + 1, 0.25)
            .with(1, 1, cell..cell + 1, 0.75)
            .with(2, 0, cell..cell + 1, -0.5)
            .with(3, 0, cell..cell + 1, 2.0_f32.ln())
            .with(3, 1, cell..cell + 1, 4.0_f32.ln())
            .with(3, 2, cell..cell + 1, f32::MAX)
            .with(4, 0, cell..cell + 1, 0.5);
        let detections = head.decode(&[]).unwrap();
        let [Detection3d { box3d, class: 1, score }] = detections[..] else { panic!("{detections:?}") };
        assert!((score - 0.880_797).abs() < 1e-6, "{score}");
        assert_eq!(box3d.center, Point3::new(-4.0 + 2.0 * 2.25, -3.0 + 2.0 * 1.75, -0.5));
        assert!((box3d.size - Vector3::new(4.0, 2.0, EDGE_M[1])).norm() < 1e-5, "{}", box3d.size);
        // atan2(0.5, 0) is π/2, so the heading is −π.
        assert!((box3d.yaw.abs() - PI).abs() < 1e-12, "{}", box3d.yaw);
        assert!(head.decode(&[0.9, 0.6]).unwrap().is_empty(), "the rotation is too short for class 1");
        assert_eq!(head.decode(&[0.9, 0.4]).unwrap().len(), 1);
    }

    #[test]
    fn neighbours_are_left_to_suppression_and_of_equal_classes_the_first_wins() {
        let head = Owned::silent().with(0, 0, 3..6, 1.0).with(0, 1, 4..5, 1.0);
        let found: Vec<_> = head.decode(&[]).unwrap().iter().map(|d| (d.class, d.box3d.center.x)).collect();
        assert_eq!(found, [(0, 2.0), (0, -4.0), (0, -2.0)]);
    }

    #[test]
    fn what_cannot_be_decoded_is_named() {
        let head = Owned::silent().with(0, 1, 7..8, f32::NAN);
        let message = head.decode(&[]).unwrap_err().to_string();
        assert!(
            message.contains("'heatmap'") && message.contains("channel 1 at row 1, column 3"),
            "{message}"
        );
        for tensor in 1..5 {
            let head = Owned::silent().with(0, 0, 6..7, 1.0).with(tensor, 0, 6..7, f32::INFINITY);
            assert!(
                matches!(head.decode(&[]), Err(DetectionError::NonFinite { row: 1, col: 2, .. })),
                "{tensor}"
            );
        }
        let mut short = Owned::silent();
        short.0[3].pop();
        assert!(matches!(
            short.decode(&[]),
            Err(DetectionError::TensorLength { tensor: HeadTensor::Size, expected: 36, found: 35 })
        ));
    }

    #[test]
    fn angles_are_wrapped() {
        for (angle, expected) in [(0.5, 0.5), (4.0, 4.0 - TAU), (-7.0, TAU - 7.0), (f64::INFINITY, 0.0)] {
            assert!((wrapped(angle) - expected).abs() < 1e-12);
        }
    }
}
