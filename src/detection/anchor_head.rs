//! Decoding of an anchor head: scores and box codes of anchors → oriented boxes.
//!
//! The head is that of SECOND and PointPillars (Lang et al., CVPR 2019) as `OpenPCDet` and `mmdetection3d` 1.0 and
//! later export it: rows are y and columns x, channels are anchor by anchor, anchors size by size and within a
//! size rotation by rotation. With an anchor's centre `(xa, ya, za)`, size `(la, wa, ha)`, yaw `ra` and
//! `da = √(la² + wa²)`, a code is `((x − xa) / da, (y − ya) / da, (z − za) / ha, ln(l / la), ln(w / wa),
//! ln(h / ha), r − ra)`. The yaw is known up to the bins of the direction classifier.

use std::f64::consts::TAU;

use nalgebra::{Point3, Vector3};

use super::autoware_head::{RankedPlaces, wrapped};
use super::box_suppression::{Ranked, keep_best, logit_floor, sigmoid};
use super::{BevGrid, Detection3d, DetectionError, HeadTensor};
use crate::geometry::Box3d;

/// Values of a box code.
const CODE: usize = 7;

/// Box edges are held within these, metres: `exp` of what a network gives may be anything.
const EDGE_M: [f64; 2] = [0.01, 1000.0];

/// Where on each axis the anchors of a head's cells are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnchorPlacement {
    /// In the middle of the cells (`AlignedAnchor3DRangeGenerator` of `mmdetection3d`).
    CellCenters,
    /// Evenly from one end of the range to the other (`OpenPCDet`, `Anchor3DRangeGenerator`).
    RangeEnds,
}

impl AnchorPlacement {
    /// Position of anchor `index` of `count` between `min` and `max`.
    fn at(self, min: f64, max: f64, index: usize, count: usize) -> f64 {
        match self {
            Self::CellCenters => min + (max - min) * (index as f64 + 0.5) / count as f64,
            Self::RangeEnds => min + (max - min) * index as f64 / count.saturating_sub(1).max(1) as f64,
        }
    }
}

/// How the classifier's bins divide the circle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DirectionBins {
    /// Number of bins; channels of the classifier for each anchor.
    pub bins: usize,
    /// Where the first bin begins, radians.
    pub offset_rad: f32,
    /// How the regressed yaw is brought into one bin: 0 into `0..period`, 0.5 about zero, 1 below zero.
    pub limit_offset: f32,
}

/// The anchors of a head.
#[derive(Clone, Debug, PartialEq)]
pub struct Anchors {
    /// Length, width, height, metres.
    pub sizes_m: Vec<[f32; 3]>,
    /// z of the bottom face of each size, metres, frame of the cloud.
    pub bottoms_m: Vec<f32>,
    /// Yaw, radians, for each size in turn.
    pub rotations_rad: Vec<f32>,
    /// Where they are.
    pub placement: AnchorPlacement,
    /// `None` takes the regressed yaw as it is.
    pub direction: Option<DirectionBins>,
}

impl Anchors {
    /// Anchors of each cell.
    pub fn per_cell(&self) -> usize {
        self.sizes_m.len() * self.rotations_rad.len()
    }

    /// Fails unless there is a bottom for each of at least one size, a rotation, and all are finite, sizes
    /// positive, and bins at least one.
    pub fn check(&self) -> Result<(), DetectionError> {
        let refuse = |what, expected: &str, found: String| {
            Err(DetectionError::Config { what, expected: expected.into(), found })
        };
        let positive = |edge: &f32| edge.is_finite() && *edge > 0.0;
        if self.sizes_m.is_empty() || !self.sizes_m.iter().flatten().all(positive) {
            return refuse(
                "anchor sizes",
                "at least one of three positive lengths",
                format!("{:?}", self.sizes_m),
            );
        }
        if self.bottoms_m.len() != self.sizes_m.len() || !self.bottoms_m.iter().all(|z| z.is_finite()) {
            let expected = format!("{} finite heights, one for each size", self.sizes_m.len());
            return refuse("anchor bottoms", &expected, format!("{:?}", self.bottoms_m));
        }
        if self.rotations_rad.is_empty() || !self.rotations_rad.iter().all(|yaw| yaw.is_finite()) {
            return refuse(
                "anchor rotations",
                "at least one finite angle",
                format!("{:?}", self.rotations_rad),
            );
        }
        match self.direction {
            Some(d) if !(d.bins > 0 && d.offset_rad.is_finite() && d.limit_offset.is_finite()) => {
                refuse("direction", "at least one bin and finite offsets", format!("{d:?}"))
            }
            _ => Ok(()),
        }
    }
}

/// Where the channels of a head's tensors are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelOrder {
    /// `channels x rows x cols` (`mmdeploy`)
    First,
    /// `rows x cols x channels` (`OpenPCDet`)
    Last,
}

/// The output tensors of one frame, row-major, rows along y.
#[derive(Clone, Copy, Debug)]
pub struct AnchorHead<'a> {
    /// How the tensors are laid out.
    pub order: ChannelOrder,
    /// Logits: `anchors · classes` channels.
    pub scores: &'a [f32],
    /// Box codes: `anchors · 7` channels.
    pub boxes: &'a [f32],
    /// Logits of direction bins, `anchors · bins` channels; empty without a classifier.
    pub directions: &'a [f32],
    /// Cells along y.
    pub rows: usize,
    /// Cells along x.
    pub cols: usize,
    /// Classes.
    pub classes: usize,
}

/// Decodes `head` into `detections` (cleared first), by descending score, then class, then cell and anchor; at
/// most [`super::MAX_CANDIDATES`] of them. Each anchor gives one box, of its best class; repeated boxes are left
/// to suppression.
///
/// Fails on tensors of other lengths than the anchors ask for and, naming the tensor and the cell, on values
/// that are not finite.
pub fn decode_anchors(
    head: &AnchorHead<'_>,
    grid: &BevGrid,
    anchors: &Anchors,
    score_threshold: f32,
    ranked: &mut RankedPlaces,
    detections: &mut Vec<Detection3d>,
) -> Result<(), DetectionError> {
    detections.clear();
    anchors.check()?;
    head.check_lengths(anchors)?;
    head.rank(anchors.per_cell(), score_threshold, &mut ranked.0)?;
    keep_best(&mut ranked.0);

    let [x0, y0, _, x1, y1, _] = grid.range_m().map(f64::from);
    let per_cell = anchors.per_cell();
    for &Ranked { score, class, place } in &ranked.0 {
        let (cell, anchor) = (place as usize / per_cell, place as usize % per_cell);
        let (size, rotation) = (anchor / anchors.rotations_rad.len(), anchor % anchors.rotations_rad.len());
        let mut code = [0.0; CODE];
        for (channel, value) in code.iter_mut().enumerate() {
            let at = (anchor * CODE + channel, per_cell * CODE);
            *value = f64::from(head.value(HeadTensor::Boxes, head.boxes, at, cell)?);
        }
        let [length, width, height] = anchors.sizes_m[size].map(f64::from);
        let diagonal = length.hypot(width);
        let edge = |log: f64, edge: f64| (log.exp() * edge).clamp(EDGE_M[0], EDGE_M[1]);
        let center = Point3::new(
            code[0] * diagonal + anchors.placement.at(x0, x1, cell % head.cols, head.cols),
            code[1] * diagonal + anchors.placement.at(y0, y1, cell / head.cols, head.rows),
            code[2] * height + f64::from(anchors.bottoms_m[size]) + 0.5 * height,
        );
        let size = Vector3::new(edge(code[3], length), edge(code[4], width), edge(code[5], height));
        let mut yaw = code[6] + f64::from(anchors.rotations_rad[rotation]);
        if let Some(direction) = &anchors.direction {
            let bin = head.best_bin(anchor, per_cell, direction.bins, cell)?;
            yaw = direction.resolve(yaw, bin);
        }
        let box3d = Box3d { center, size, yaw: wrapped(yaw) };
        detections.push(Detection3d { box3d, class, score });
    }
    Ok(())
}

impl DirectionBins {
    /// `yaw`, known up to whole periods, in the bin that the classifier says.
    fn resolve(&self, yaw: f64, bin: usize) -> f64 {
        let period = TAU / self.bins.max(1) as f64;
        let offset = f64::from(self.offset_rad);
        let from_offset = yaw - offset;
        let within = from_offset - (from_offset / period + f64::from(self.limit_offset)).floor() * period;
        within + offset + period * bin as f64
    }
}

impl AnchorHead<'_> {
    fn check_lengths(&self, anchors: &Anchors) -> Result<(), DetectionError> {
        let bins = anchors.direction.map_or(0, |direction| direction.bins);
        for (tensor, values, channels) in [
            (HeadTensor::Scores, self.scores, self.classes),
            (HeadTensor::Boxes, self.boxes, CODE),
            (HeadTensor::Directions, self.directions, bins),
        ] {
            let expected =
                (self.rows * self.cols).saturating_mul(anchors.per_cell()).saturating_mul(channels);
            if values.len() != expected {
                return Err(DetectionError::TensorLength { tensor, expected, found: values.len() });
            }
        }
        Ok(())
    }

    /// The best class of each anchor that scores high enough. Of equal logits the first class has it.
    fn rank(
        &self,
        per_cell: usize,
        score_threshold: f32,
        ranked: &mut Vec<Ranked>,
    ) -> Result<(), DetectionError> {
        ranked.clear();
        let plane = self.rows * self.cols;
        // One branch-free pass decides; the offender is looked for only when there is one.
        if !self.scores.iter().fold(true, |fine, logit| fine & logit.is_finite())
            && let Some((index, &value)) =
                self.scores.iter().enumerate().find(|(_, logit)| !logit.is_finite())
        {
            let channels = per_cell * self.classes;
            let (channel, cell) = match self.order {
                ChannelOrder::First => (index / plane, index % plane),
                ChannelOrder::Last => (index % channels, index / channels),
            };
            return Err(self.not_finite(HeadTensor::Scores, channel, cell, value));
        }
        let (floor, channels) = (logit_floor(score_threshold), per_cell * self.classes);
        for anchor in 0..per_cell {
            for cell in 0..plane {
                let (mut class, mut best) = (0, f32::NEG_INFINITY);
                for other in 0..self.classes {
                    let logit = self.scores[self.index(anchor * self.classes + other, channels, cell)];
                    if logit > best {
                        (class, best) = (other as u16, logit);
                    }
                }
                if best < floor {
                    continue;
                }
                let score = sigmoid(best);
                if score >= score_threshold {
                    ranked.push(Ranked { score, class, place: (cell * per_cell + anchor) as u32 });
                }
            }
        }
        Ok(())
    }

    /// Place of a value in a tensor of `channels`.
    const fn index(&self, channel: usize, channels: usize, cell: usize) -> usize {
        match self.order {
            ChannelOrder::First => channel * self.rows * self.cols + cell,
            ChannelOrder::Last => cell * channels + channel,
        }
    }

    /// The first of the direction bins with the largest logit.
    fn best_bin(
        &self,
        anchor: usize,
        per_cell: usize,
        bins: usize,
        cell: usize,
    ) -> Result<usize, DetectionError> {
        let channels = per_cell * bins;
        let (mut bin, mut best) = (0, f32::NEG_INFINITY);
        for other in 0..bins {
            let at = (anchor * bins + other, channels);
            let logit = self.value(HeadTensor::Directions, self.directions, at, cell)?;
            if logit > best {
                (bin, best) = (other, logit);
            }
        }
        Ok(bin)
    }

    /// One finite value of a channel among all; lengths were checked.
    fn value(
        &self,
        tensor: HeadTensor,
        values: &[f32],
        (channel, channels): (usize, usize),
        cell: usize,
    ) -> Result<f32, DetectionError> {
        let value = values[self.index(channel, channels, cell)];
        if value.is_finite() { Ok(value) } else { Err(self.not_finite(tensor, channel, cell, value)) }
    }

    fn not_finite(&self, tensor: HeadTensor, channel: usize, cell: usize, value: f32) -> DetectionError {
        DetectionError::NonFinite { tensor, channel, row: cell / self.cols, col: cell % self.cols, value }
    }
}

#[cfg(test)]
#[path = "anchor_head_tests.rs"]
mod tests;
