//! Decoding of a centre head: heatmap peaks → oriented boxes.
//!
//! The head is that of CenterPoint (Yin et al., CVPR 2021): a probability per class and cell, and for
//! the box centred in a cell its offset, height, size and rotation. All tensors are `channels x rows x
//! cols`, row-major, on the input grid divided by one whole stride.

use nalgebra::{Point3, Vector3};

use super::{BevGrid, Candidate, DetectionError, GroundPlane, HeadTensor, suppress_by_distance};
use crate::geometry::Box3d;

/// Box edges are held above this, metres: a regressed size of zero or less would be no box.
pub(super) const MIN_EDGE_M: f32 = 0.01;

/// How far beyond 0..1 a reduced-precision sigmoid may round.
const PROBABILITY_SLACK: f32 = 1e-3;

/// One detected object in the frame of the cloud.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection3d {
    /// Centre, size (length along the heading, width, height) and heading.
    pub box3d: Box3d,
    /// Index into the model's class table.
    pub class: u16,
    /// Probability, 0..1.
    pub score: f32,
}

/// The output tensors of one frame.
#[derive(Clone, Copy, Debug)]
pub struct CenterHead<'a> {
    /// Probability, one channel per class.
    pub heatmap: &'a [f32],
    /// `(dx, dy)` in head cells, added to the cell's indices; 0..1 stays inside the cell.
    pub offset: &'a [f32],
    /// z of the box centre, metres; over the ground where [`Self::ground`] is given.
    pub height: &'a [f32],
    /// `(length, width, height)`, metres.
    pub size: &'a [f32],
    /// `(sin, cos)` of the yaw, of any common length.
    pub rotation: &'a [f32],
    /// Cells along x.
    pub rows: usize,
    /// Cells along y.
    pub cols: usize,
    /// Channels of the heatmap.
    pub classes: usize,
    /// What heights count from, in the middle of each cell; `None` is the sensor.
    pub ground: Option<&'a GroundPlane>,
}

/// What the decoder keeps.
#[derive(Clone, Copy, Debug)]
pub struct DecodeConfig<'a> {
    /// Lowest score kept, 0..1; the published contract asks for 0.05.
    pub score_threshold: f32,
    /// Most detections kept.
    pub max_detections: usize,
    /// Suppression radius per class, metres; see [`suppress_by_distance`].
    pub suppression_radius_m: &'a [f32],
}

/// Memory reused from frame to frame.
#[derive(Debug, Default)]
pub struct DecodeScratch {
    candidates: Vec<Candidate>,
}

/// Decodes `head` into `detections` (cleared first), by descending score, then class, then cell.
///
/// A cell is a peak of its class when no cell of its 3x3 neighbourhood has a higher score, nor an equal
/// one at a lower index. Fails, naming the tensor and the cell, on heatmap values that are not finite
/// or no probabilities, on regressed values that are not finite where there is a peak, and on shapes
/// that do not fit `grid`.
pub fn decode_centers(
    head: &CenterHead<'_>,
    grid: &BevGrid,
    config: &DecodeConfig<'_>,
    scratch: &mut DecodeScratch,
    detections: &mut Vec<Detection3d>,
) -> Result<(), DetectionError> {
    detections.clear();
    let stride = grid.stride_of(head.rows, head.cols)?;
    head.check_lengths()?;
    config.check(head.classes)?;

    let [x0, y0, ..] = grid.range_m().map(f64::from);
    let [cell_x, cell_y] = grid.voxel_m().map(|edge| f64::from(edge) * stride as f64);
    let candidates = &mut scratch.candidates;
    candidates.clear();
    let plane = head.rows * head.cols;
    for (class, heatmap) in head.heatmap.chunks_exact(plane).enumerate() {
        check_heatmap(heatmap, class, head.cols)?;
        for (cell, &score) in heatmap.iter().enumerate() {
            if score < config.score_threshold || !is_peak(heatmap, head.rows, head.cols, cell) {
                continue;
            }
            let dx = head.regressed(HeadTensor::Offset, head.offset, 0, cell)?;
            let dy = head.regressed(HeadTensor::Offset, head.offset, 1, cell)?;
            candidates.push(Candidate {
                score,
                class: class as u16,
                cell: cell as u32,
                x: x0 + ((cell / head.cols) as f64 + f64::from(dx)) * cell_x,
                y: y0 + ((cell % head.cols) as f64 + f64::from(dy)) * cell_y,
            });
        }
    }
    suppress_by_distance(candidates, config.suppression_radius_m, config.max_detections);

    detections.reserve(candidates.len());
    for candidate in candidates.iter() {
        let cell = candidate.cell as usize;
        let middle = |x0: f64, index: usize, edge: f64| x0 + (index as f64 + 0.5) * edge;
        let ground_m = head.ground.map_or(0.0, |ground| {
            ground.at(middle(x0, cell / head.cols, cell_x), middle(y0, cell % head.cols, cell_y))
        });
        let z = ground_m + f64::from(head.regressed(HeadTensor::Height, head.height, 0, cell)?);
        let mut size = [0.0; 3];
        for (channel, edge) in size.iter_mut().enumerate() {
            *edge = f64::from(head.regressed(HeadTensor::Size, head.size, channel, cell)?.max(MIN_EDGE_M));
        }
        let sin = head.regressed(HeadTensor::Rotation, head.rotation, 0, cell)?;
        let cos = head.regressed(HeadTensor::Rotation, head.rotation, 1, cell)?;
        detections.push(Detection3d {
            box3d: Box3d {
                center: Point3::new(candidate.x, candidate.y, z),
                size: Vector3::from(size),
                yaw: f64::from(sin).atan2(f64::from(cos)),
            },
            class: candidate.class,
            score: candidate.score.min(1.0),
        });
    }
    Ok(())
}

impl CenterHead<'_> {
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

    /// One finite value of a regression tensor; lengths were checked.
    fn regressed(
        &self,
        tensor: HeadTensor,
        values: &[f32],
        channel: usize,
        cell: usize,
    ) -> Result<f32, DetectionError> {
        let value = values[channel * self.rows * self.cols + cell];
        if value.is_finite() {
            return Ok(value);
        }
        Err(DetectionError::NonFinite {
            tensor,
            channel,
            row: cell / self.cols,
            col: cell % self.cols,
            value,
        })
    }
}

impl DecodeConfig<'_> {
    pub(super) fn check(&self, classes: usize) -> Result<(), DetectionError> {
        let refuse =
            |what, expected: String, found: String| Err(DetectionError::Config { what, expected, found });
        if !(0.0..=1.0).contains(&self.score_threshold) {
            return refuse("score threshold", "0 to 1".into(), self.score_threshold.to_string());
        }
        if self.suppression_radius_m.len() != classes {
            let found = format!("{} values", self.suppression_radius_m.len());
            return refuse("suppression radius", format!("{classes} values, one per class"), found);
        }
        if let Some(radius) = self.suppression_radius_m.iter().find(|r| !(r.is_finite() && **r >= 0.0)) {
            return refuse("suppression radius", "finite metres of at least 0".into(), radius.to_string());
        }
        Ok(())
    }
}

fn check_heatmap(heatmap: &[f32], channel: usize, cols: usize) -> Result<(), DetectionError> {
    match improper(heatmap) {
        None => Ok(()),
        Some((cell, value)) => Err(improper_error(value, channel, cell / cols, cell % cols)),
    }
}

/// The first value that is no probability, and its index.
pub(super) fn improper(probabilities: &[f32]) -> Option<(usize, f32)> {
    let accepted = -PROBABILITY_SLACK..=1.0 + PROBABILITY_SLACK;
    // One branch-free pass decides; the offender is looked for only when there is one.
    if probabilities.iter().fold(true, |fine, value| fine & accepted.contains(value)) {
        return None;
    }
    probabilities.iter().copied().enumerate().find(|(_, value)| !accepted.contains(value))
}

/// What is wrong with a value of a heatmap that is no probability.
pub(super) const fn improper_error(value: f32, channel: usize, row: usize, col: usize) -> DetectionError {
    if value.is_finite() {
        DetectionError::NotProbability { channel, row, col, value }
    } else {
        DetectionError::NonFinite { tensor: HeadTensor::Heatmap, channel, row, col, value }
    }
}

/// Whether `cell` is the maximum of its neighbourhood, ties going to the lower index.
fn is_peak(heatmap: &[f32], rows: usize, cols: usize, cell: usize) -> bool {
    let (row, col) = (cell / cols, cell % cols);
    let score = heatmap[cell];
    for other_row in row.saturating_sub(1)..(row + 2).min(rows) {
        for other_col in col.saturating_sub(1)..(col + 2).min(cols) {
            let other = other_row * cols + other_col;
            if heatmap[other] > score || (heatmap[other] == score && other < cell) {
                return false;
            }
        }
    }
    true
}

#[cfg(test)]
#[path = "center_head_tests.rs"]
mod tests;
