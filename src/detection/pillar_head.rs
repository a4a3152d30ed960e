//! Decoding of a centre head that speaks for active pillars alone: peaks among neighbours → oriented boxes.
//!
//! As [`decode_centers`](super::decode_centers), with a row a pillar instead of maps: what is not active has no score
//! and is not looked at, so that a frame costs its pillars. Heights of boxes count from the ground.

use nalgebra::{Point3, Vector3};

use super::center_head::{MIN_EDGE_M, improper, improper_error};
use super::{
    BevGrid, Candidate, DecodeConfig, Detection3d, DetectionError, GroundPlane, HeadTensor,
    suppress_by_distance,
};
use crate::geometry::Box3d;

/// No pillar.
const NONE: u32 = u32::MAX;

/// The output tensors of one frame, a row an active pillar.
#[derive(Clone, Copy, Debug)]
pub struct PillarHead<'a> {
    /// Row and column of each pillar, ascending and inside the grid.
    pub coords: &'a [[i32; 2]],
    /// Probabilities of the classes.
    pub heatmap: &'a [f32],
    /// From the middle of the pillar to the centre, in pillars.
    pub offset: &'a [f32],
    /// z of the box centre over the ground, metres.
    pub height: &'a [f32],
    /// `(length, width, height)`, metres.
    pub size: &'a [f32],
    /// `(sin, cos)` of the yaw, of any common length.
    pub rotation: &'a [f32],
    /// Columns of the heatmap.
    pub classes: usize,
}

/// Memory reused from frame to frame.
#[derive(Debug, Default)]
pub struct PillarDecoder {
    /// Row of each cell's pillar; all [`NONE`] between frames
    rows: Vec<u32>,
    candidates: Vec<Candidate>,
}

impl PillarDecoder {
    /// Decodes `head` into `detections` (cleared first), by descending score, then class, then pillar.
    ///
    /// A pillar is a peak of a class when no active pillar around it has a higher score, nor an equal one at a lower
    /// row of the tensors. Fails, naming the tensor and the pillar, on values that are not finite or no
    /// probabilities, and on lengths that do not fit.
    pub fn decode(
        &mut self,
        head: &PillarHead<'_>,
        grid: &BevGrid,
        ground: &GroundPlane,
        config: &DecodeConfig<'_>,
        detections: &mut Vec<Detection3d>,
    ) -> Result<(), DetectionError> {
        detections.clear();
        head.check(grid)?;
        config.check(head.classes)?;
        if let Some((index, value)) = improper(head.heatmap) {
            let [row, col] = head.coords[index / head.classes.max(1)].map(|place| place as usize);
            return Err(improper_error(value, index % head.classes.max(1), row, col));
        }
        self.rows.resize(grid.cells(), NONE);
        for (row, [i, j]) in (0..).zip(head.coords) {
            self.rows[*i as usize * grid.cols() + *j as usize] = row;
        }
        let found = self.peaks(head, grid, config.score_threshold);
        for [i, j] in head.coords {
            self.rows[*i as usize * grid.cols() + *j as usize] = NONE;
        }
        found?;
        suppress_by_distance(&mut self.candidates, config.suppression_radius_m, config.max_detections);
        for candidate in &self.candidates {
            let row = candidate.cell as usize;
            let (x, y) = middle(head.coords[row], grid);
            let height = head.value(HeadTensor::Height, head.height, 1, row, 0)?;
            let mut size = [0.0; 3];
            for (channel, edge) in size.iter_mut().enumerate() {
                let value = head.value(HeadTensor::Size, head.size, 3, row, channel)?;
                *edge = value.max(f64::from(MIN_EDGE_M));
            }
            let sin = head.value(HeadTensor::Rotation, head.rotation, 2, row, 0)?;
            let cos = head.value(HeadTensor::Rotation, head.rotation, 2, row, 1)?;
            detections.push(Detection3d {
                box3d: Box3d {
                    center: Point3::new(candidate.x, candidate.y, ground.at(x, y) + height),
                    size: Vector3::from(size),
                    yaw: sin.atan2(cos),
                },
                class: candidate.class,
                score: candidate.score.min(1.0),
            });
        }
        Ok(())
    }

    fn peaks(&mut self, head: &PillarHead<'_>, grid: &BevGrid, threshold: f32) -> Result<(), DetectionError> {
        let [edge_x, edge_y] = grid.voxel_m().map(f64::from);
        self.candidates.clear();
        for (row, (coords, scores)) in
            head.coords.iter().zip(head.heatmap.chunks_exact(head.classes.max(1))).enumerate()
        {
            for (class, &score) in scores.iter().enumerate() {
                if score < threshold || !self.is_peak(head, grid, row, class) {
                    continue;
                }
                let dx = head.value(HeadTensor::Offset, head.offset, 2, row, 0)?;
                let dy = head.value(HeadTensor::Offset, head.offset, 2, row, 1)?;
                let (x, y) = middle(*coords, grid);
                self.candidates.push(Candidate {
                    score,
                    class: class as u16,
                    cell: row as u32,
                    x: x + dx * edge_x,
                    y: y + dy * edge_y,
                });
            }
        }
        Ok(())
    }

    /// Whether `row` is the maximum of its neighbourhood, ties going to the lower row.
    fn is_peak(&self, head: &PillarHead<'_>, grid: &BevGrid, row: usize, class: usize) -> bool {
        let score = head.heatmap[row * head.classes + class];
        let [i, j] = head.coords[row].map(|place| place as usize);
        for i in i.saturating_sub(1)..(i + 2).min(grid.rows()) {
            for j in j.saturating_sub(1)..(j + 2).min(grid.cols()) {
                let other = self.rows[i * grid.cols() + j] as usize;
                if let Some(found) = head.heatmap.get(other.saturating_mul(head.classes) + class)
                    && other != NONE as usize
                    && (*found > score || (*found == score && other < row))
                {
                    return false;
                }
            }
        }
        true
    }
}

impl PillarHead<'_> {
    fn check(&self, grid: &BevGrid) -> Result<(), DetectionError> {
        for (tensor, values, channels) in [
            (HeadTensor::Heatmap, self.heatmap, self.classes),
            (HeadTensor::Offset, self.offset, 2),
            (HeadTensor::Height, self.height, 1),
            (HeadTensor::Size, self.size, 3),
            (HeadTensor::Rotation, self.rotation, 2),
        ] {
            let expected = self.coords.len().saturating_mul(channels);
            if values.len() != expected {
                return Err(DetectionError::TensorLength { tensor, expected, found: values.len() });
            }
        }
        let inside = |place: i32, limit: usize| usize::try_from(place).is_ok_and(|place| place < limit);
        match self.coords.iter().find(|[i, j]| !(inside(*i, grid.rows()) && inside(*j, grid.cols()))) {
            None => Ok(()),
            Some([i, j]) => Err(DetectionError::Config {
                what: "pillar",
                expected: format!("a cell of {} x {}", grid.rows(), grid.cols()),
                found: format!("{i}, {j}"),
            }),
        }
    }

    /// One finite value of a regression tensor of `channels`; lengths were checked.
    fn value(
        &self,
        tensor: HeadTensor,
        values: &[f32],
        channels: usize,
        row: usize,
        channel: usize,
    ) -> Result<f64, DetectionError> {
        let value = values[row * channels + channel];
        if value.is_finite() {
            return Ok(f64::from(value));
        }
        let [row, col] = self.coords[row].map(|place| place as usize);
        Err(DetectionError::NonFinite { tensor, channel, row, col, value })
    }
}

/// Middle of a pillar, metres.
fn middle([row, column]: [i32; 2], grid: &BevGrid) -> (f64, f64) {
    let [x0, y0, ..] = grid.range_m().map(f64::from);
    let [edge_x, edge_y] = grid.voxel_m().map(f64::from);
    ((f64::from(row) + 0.5) * edge_x + x0, (f64::from(column) + 0.5) * edge_y + y0)
}

#[cfg(test)]
#[path = "pillar_head_tests.rs"]
mod tests;
