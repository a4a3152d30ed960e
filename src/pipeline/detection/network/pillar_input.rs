//! Pillars of points as the input of a network, whose number changes from sweep to sweep.

use super::{NetworkError, NetworkSource, SweepCounts, SweepLimits};
use crate::detection::{BevGrid, FeatureLayout, PillarVoxelizer};
use crate::inference::{Dimension, ModelSession, TensorSpec};
use crate::pipeline::FrameError;
use crate::sensor::LidarPoint;

/// Role of the tensor with the points' features.
pub(super) const FEATURES: &str = "features";

/// The voxelizer in front of a network with the features that it takes.
pub(super) struct PillarInput {
    voxelizer: PillarVoxelizer,
    layout: FeatureLayout,
    /// The manifest's word for pillars
    rows: String,
}

impl PillarInput {
    /// For the input `features` `[pillars, points, features]` among `inputs`.
    pub fn new(source: &NetworkSource<'_>, inputs: &[TensorSpec]) -> Result<Self, NetworkError> {
        let settings = source.settings;
        let refuse = |reason: String| NetworkError::Interface(reason);
        let names = settings.features.iter().map(String::as_str);
        let layout = FeatureLayout::new(names, settings.intensity_scale)
            .map_err(|error| refuse(format!("detection.features: {error}")))?;
        let tensor =
            inputs.iter().find(|tensor| tensor.role == FEATURES).map(|tensor| tensor.shape.as_slice());
        let (rows, points) = match tensor {
            Some([Dimension::Rows(rows), Dimension::Fixed(points), Dimension::Fixed(features)])
                if *features == layout.len() =>
            {
                (rows.clone(), *points)
            }
            _ => {
                return Err(refuse(format!(
                    "expected input {FEATURES} [pillars, points, {}] as detection.features has so many, found {}",
                    layout.len(),
                    tensor.map_or("none".to_owned(), |shape| format!("{shape:?}"))
                )));
            }
        };
        let [voxel_x, voxel_y, _] = settings.voxel_size;
        let grid =
            BevGrid::new(settings.range, [voxel_x, voxel_y]).map_err(|error| refuse(error.to_string()))?;
        let voxelizer = PillarVoxelizer::new(grid, points, source.manifest().max_rows(&rows))
            .map_err(|error| refuse(error.to_string()))?;
        Ok(Self { voxelizer, layout, rows })
    }

    /// The manifest's word for pillars.
    pub fn rows(&self) -> &str {
        &self.rows
    }

    /// The grid of the pillars.
    pub fn grid(&self) -> &BevGrid {
        self.voxelizer.grid()
    }

    /// The sorted sweep.
    pub fn pillars(&self) -> &PillarVoxelizer {
        &self.voxelizer
    }

    /// Sorts a sweep into pillars and writes their features to `session`, unless there are none.
    pub fn prepare(
        &mut self,
        points: impl IntoIterator<Item = LidarPoint>,
        limits: SweepLimits,
        session: &mut ModelSession,
    ) -> Result<SweepCounts, FrameError> {
        let stats = self.voxelizer.sort(points, limits.max_pillars.unwrap_or(usize::MAX));
        if stats.pillars > 0 {
            session.set_rows(&self.rows, stats.pillars).map_err(FrameError::inference)?;
            self.voxelizer
                .write_features(&self.layout, session.input_mut(FEATURES))
                .map_err(FrameError::inference)?;
        }
        Ok(SweepCounts { dropped_pillars: stats.dropped_pillars })
    }

    /// Share of the grid's cells with a pillar.
    pub fn active_share(&self) -> f64 {
        self.voxelizer.cells().len() as f64 / self.grid().cells() as f64
    }
}
