//! Networks on the five channels of [`Voxelizer`], with centre heads of probabilities: this project's own.

use super::{CenterSuppression, DecodeLimits, NetworkError, NetworkSource, SweepCounts};
use crate::detection::{
    BEV_CHANNELS, BevGrid, CenterHead, DecodeScratch, Detection3d, Voxelizer, decode_centers,
};
use crate::inference::{Manifest, ModelSession, TensorSpec};
use crate::pipeline::FrameError;
use crate::sensor::LidarPoint;

/// One tensor of the grid in, five of a grid divided by one whole stride out.
pub(in crate::pipeline::detection) struct BevNetwork {
    session: ModelSession,
    /// It clears what it wrote last, so that one of them belongs to the session's tensor
    voxelizer: Voxelizer,
    suppression: CenterSuppression,
    scratch: DecodeScratch,
    /// Cells that the last frame had points in
    active_cells: usize,
}

impl BevNetwork {
    pub(super) fn load(source: &NetworkSource<'_>) -> Result<Self, NetworkError> {
        let settings = source.settings;
        let [voxel_x, voxel_y, _] = settings.voxel_size;
        let grid = BevGrid::new(settings.range, [voxel_x, voxel_y])
            .map_err(|error| NetworkError::Interface(error.to_string()))?;
        check(source.manifest(), &grid, source.classes.len()).map_err(NetworkError::Interface)?;
        Ok(Self {
            session: ModelSession::open(source.folder, source.options)?,
            voxelizer: Voxelizer::new(grid),
            suppression: CenterSuppression::of(source),
            scratch: DecodeScratch::default(),
            active_cells: 0,
        })
    }

    pub(super) fn prepare(
        &mut self,
        points: impl IntoIterator<Item = LidarPoint>,
    ) -> Result<SweepCounts, FrameError> {
        let stats = self
            .voxelizer
            .bev_features(points, self.session.input_mut("bev"))
            .map_err(FrameError::inference)?;
        self.active_cells = stats.active;
        Ok(SweepCounts::default())
    }

    pub(super) fn run(&mut self) -> Result<(), FrameError> {
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
        let head = CenterHead {
            heatmap,
            offset: session.output("offset").1,
            height: session.output("height").1,
            size: session.output("size").1,
            rotation: session.output("rotation").1,
            rows,
            cols,
            classes,
            ground: None,
        };
        let config = self.suppression.config(limits);
        decode_centers(&head, self.voxelizer.grid(), &config, &mut self.scratch, detections)
            .map_err(FrameError::inference)?;
        self.suppression.finish(limits, detections);
        Ok(())
    }

    pub(super) fn session(&self) -> &ModelSession {
        &self.session
    }

    pub(super) fn active_share(&self) -> f64 {
        self.active_cells as f64 / self.voxelizer.grid().cells() as f64
    }
}

/// Fails unless the tensors fit the grid and the classes.
fn check(manifest: &Manifest, grid: &BevGrid, classes: usize) -> Result<(), String> {
    let bev = [1, BEV_CHANNELS, grid.rows(), grid.cols()];
    if manifest.inputs.len() != 1 || manifest.input("bev").is_none_or(|tensor| tensor.shape != bev) {
        return Err(format!("expected one input bev {bev:?}, found {:?}", manifest.inputs));
    }
    let heatmap = manifest.output("heatmap").and_then(TensorSpec::fixed_sizes);
    let Some(&[1, _, rows, cols]) = heatmap.as_deref() else {
        return Err(format!("expected output heatmap [1,classes,H,W], found {heatmap:?}"));
    };
    grid.stride_of(rows, cols).map_err(|error| error.to_string())?;
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
