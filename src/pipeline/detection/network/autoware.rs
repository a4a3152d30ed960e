//! Autoware's `lidar_centerpoint`: an encoder of pillars, their features on a grid, a network with centre heads.
//!
//! Velocities are not published: `Detection3DArray` has no place for them.

use super::pillar_input::{FEATURES, PillarInput};
use super::{DecodeLimits, NetworkError, NetworkSource, SweepCounts, SweepLimits, suppression_steps};
use crate::detection::{
    AutowareHead, BevGrid, Detection3d, RankedPlaces, SuppressionStep, decode_autoware, suppress_boxes,
};
use crate::inference::{Dimension, EncoderTensors, Manifest, ModelSession, TensorSpec};
use crate::pipeline::FrameError;
use crate::sensor::LidarPoint;

/// Role of what the encoder gives for each pillar.
const PILLAR_FEATURES: &str = "pillar_features";
/// Role of the same on the grid, rows along y.
const SPATIAL_FEATURES: &str = "spatial_features";

/// Two sessions with the scatter between them.
pub(in crate::pipeline::detection) struct AutowareNetwork {
    input: PillarInput,
    encoder: ModelSession,
    session: ModelSession,
    /// Features of a pillar behind the encoder
    channels: usize,
    /// Places of the grid that are not zero
    written: Vec<usize>,
    steps: Vec<SuppressionStep>,
    min_rotation_norm: Vec<f32>,
    ranked: RankedPlaces,
}

impl AutowareNetwork {
    pub(super) fn load(source: &NetworkSource<'_>) -> Result<Self, NetworkError> {
        let manifest = source.manifest();
        let Some(tensors) = &manifest.encoder else {
            return Err(NetworkError::Interface(format!(
                "interface autoware_centerpoint: expected a section encoder with input {FEATURES}, found none"
            )));
        };
        let input = PillarInput::new(source, &tensors.inputs)?;
        let channels = check_encoder(tensors, input.rows()).map_err(NetworkError::Interface)?;
        check_heads(manifest, input.grid(), channels, source.classes.len(), source.settings.stride)
            .map_err(NetworkError::Interface)?;
        Ok(Self {
            written: Vec::with_capacity(input.pillars().capacity()),
            input,
            encoder: ModelSession::open_encoder(source.folder, source.options)?,
            session: ModelSession::open(source.folder, source.options)?,
            channels,
            steps: suppression_steps(source.settings),
            min_rotation_norm: source.settings.min_rotation_norm.clone(),
            ranked: RankedPlaces::default(),
        })
    }

    pub(super) fn prepare(
        &mut self,
        points: impl IntoIterator<Item = LidarPoint>,
        limits: SweepLimits,
    ) -> Result<SweepCounts, FrameError> {
        self.input.prepare(points, limits, &mut self.encoder)
    }

    pub(super) fn run(&mut self) -> Result<(), FrameError> {
        let has_pillars = !self.input.pillars().cells().is_empty();
        if has_pillars {
            self.encoder.run().map_err(FrameError::inference)?;
        }
        let features = if has_pillars { self.encoder.output(PILLAR_FEATURES).1 } else { &[] };
        let grid = self.input.grid();
        let spatial = self.session.input_mut(SPATIAL_FEATURES);
        for plane in spatial.chunks_exact_mut(grid.cells()) {
            for &place in &self.written {
                plane[place] = 0.0;
            }
        }
        self.written.clear();
        // The grid's own rows are along x.
        let transposed = |&cell: &u32| {
            let cell = cell as usize;
            cell % grid.cols() * grid.rows() + cell / grid.cols()
        };
        self.written.extend(self.input.pillars().cells().iter().map(transposed));
        for (channel, plane) in spatial.chunks_exact_mut(grid.cells()).enumerate() {
            let of_channel = features.iter().skip(channel).step_by(self.channels);
            for (&place, &value) in self.written.iter().zip(of_channel) {
                plane[place] = value;
            }
        }
        self.session.run().map_err(FrameError::inference)
    }

    pub(super) fn decode(
        &mut self,
        limits: DecodeLimits,
        detections: &mut Vec<Detection3d>,
    ) -> Result<(), FrameError> {
        let session = &self.session;
        let (shape, heatmap) = session.output("heatmap");
        let &[_, classes, rows, cols] = shape else {
            return Err(FrameError::inference(format!("expected heatmap [1,classes,H,W], found {shape:?}")));
        };
        let head = AutowareHead {
            heatmap,
            offset: session.output("offset").1,
            height: session.output("height").1,
            size: session.output("size").1,
            rotation: session.output("rotation").1,
            rows,
            cols,
            classes,
        };
        let (grid, norms) = (self.input.grid(), &self.min_rotation_norm);
        decode_autoware(&head, grid, limits.score_threshold, norms, &mut self.ranked, detections)
            .map_err(FrameError::inference)?;
        suppress_boxes(detections, &self.steps, limits.max_detections);
        Ok(())
    }

    pub(super) fn session(&self) -> &ModelSession {
        &self.session
    }

    pub(super) fn active_share(&self) -> f64 {
        self.input.active_share()
    }
}

/// Features of a pillar behind the encoder; fails unless it takes features alone and gives some.
fn check_encoder(tensors: &EncoderTensors, rows: &str) -> Result<usize, String> {
    if tensors.inputs.len() != 1 {
        return Err(format!("encoder.inputs: expected {FEATURES} alone, found {:?}", tensors.inputs));
    }
    let found = tensors.outputs.iter().find(|tensor| tensor.role == PILLAR_FEATURES);
    let shape = found.map(|tensor| tensor.shape.as_slice());
    match shape {
        Some(
            [Dimension::Rows(found), Dimension::Fixed(1), Dimension::Fixed(channels)]
            | [Dimension::Rows(found), Dimension::Fixed(channels)],
        ) if found == rows => Ok(*channels),
        _ => Err(format!(
            "expected encoder output {PILLAR_FEATURES} [{rows}, 1, features], found {}",
            shape.map_or("none".to_owned(), |shape| format!("{shape:?}"))
        )),
    }
}

/// Fails unless the second file takes the scattered features and gives heads that fit grid and classes.
fn check_heads(
    manifest: &Manifest,
    grid: &BevGrid,
    channels: usize,
    classes: usize,
    stride: u32,
) -> Result<(), String> {
    let spatial = [1, channels, grid.cols(), grid.rows()];
    let found = manifest.input(SPATIAL_FEATURES).map(|tensor| &tensor.shape);
    if manifest.inputs.len() != 1 || found.is_none_or(|found| *found != spatial) {
        return Err(format!(
            "expected one input {SPATIAL_FEATURES} {spatial:?} (features, cells along y, along x), found {:?}",
            manifest.inputs
        ));
    }
    let heatmap = manifest.output("heatmap").and_then(TensorSpec::fixed_sizes);
    let Some(&[1, _, rows, cols]) = heatmap.as_deref() else {
        return Err(format!("expected output heatmap [1,classes,H,W], found {heatmap:?}"));
    };
    let found = grid.stride_of(cols, rows).map_err(|error| error.to_string())?;
    if u32::try_from(found) != Ok(stride) {
        return Err(format!("expected heads of the stride {stride} that the manifest says, found {found}"));
    }
    let expected = [("heatmap", classes), ("offset", 2), ("height", 1), ("size", 3), ("rotation", 2)];
    for (role, channels) in expected {
        let shape = [1, channels, rows, cols];
        let found = manifest.output(role).map(|tensor| &tensor.shape);
        if found.is_none_or(|found| *found != shape) {
            return Err(format!("expected output {role} {shape:?}, found {found:?}"));
        }
    }
    Ok(())
}
