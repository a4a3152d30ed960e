//! Networks on active pillars with statistics of their points ([`PillarEncoder`]): this project's own.
//!
//! What they give is a row a pillar, or maps of the whole grid with centre heads; heights count from the ground.

use super::{CenterSuppression, DecodeLimits, NetworkError, NetworkSource, SweepCounts, SweepLimits};
use crate::detection::{
    BevGrid, CenterHead, DecodeScratch, Detection3d, PILLAR_FEATURES, PillarDecoder, PillarEncoder,
    PillarHead, decode_centers,
};
use crate::inference::{Dimension, Manifest, ModelSession, TensorSpec};
use crate::pipeline::FrameError;
use crate::sensor::LidarPoint;

/// What the manifest calls the rows of the tensors.
const ROWS: &str = "pillars";

/// How the boxes come.
enum Decoder {
    /// A row a pillar
    Rows(PillarDecoder),
    /// Maps of the grid, as dense networks give them
    Maps { scratch: DecodeScratch, size: (usize, usize) },
}

/// Features and coordinates of active pillars in, centre heads out.
pub(in crate::pipeline::detection) struct PillarNetwork {
    session: ModelSession,
    encoder: PillarEncoder,
    max_pillars: usize,
    suppression: CenterSuppression,
    classes: usize,
    decoder: Decoder,
}

impl PillarNetwork {
    pub(super) fn load(source: &NetworkSource<'_>) -> Result<Self, NetworkError> {
        let settings = source.settings;
        let [voxel_x, voxel_y, _] = settings.voxel_size;
        let grid = BevGrid::new(settings.range, [voxel_x, voxel_y])
            .map_err(|error| NetworkError::Interface(error.to_string()))?;
        let classes = source.classes.len();
        let maps = check(source.manifest(), &grid, classes).map_err(NetworkError::Interface)?;
        Ok(Self {
            session: ModelSession::open(source.folder, source.options)?,
            encoder: PillarEncoder::new(grid),
            max_pillars: source.manifest().max_rows(ROWS),
            suppression: CenterSuppression::of(source),
            classes,
            decoder: match maps {
                None => Decoder::Rows(PillarDecoder::default()),
                Some(size) => Decoder::Maps { scratch: DecodeScratch::default(), size },
            },
        })
    }

    pub(super) fn prepare(
        &mut self,
        points: impl IntoIterator<Item = LidarPoint>,
        limits: SweepLimits,
    ) -> Result<SweepCounts, FrameError> {
        let most = limits.max_pillars.unwrap_or(usize::MAX).min(self.max_pillars);
        let stats = self.encoder.encode(points, most, limits.keeps_ground);
        if stats.active > 0 {
            self.session.set_rows(ROWS, stats.active).map_err(FrameError::inference)?;
            self.session.input_mut("features").copy_from_slice(self.encoder.features());
            self.session
                .set_integers("coords", self.encoder.coords().as_flattened())
                .map_err(FrameError::inference)?;
        }
        Ok(SweepCounts { dropped_pillars: stats.dropped })
    }

    pub(super) fn run(&mut self) -> Result<(), FrameError> {
        // Nothing stands anywhere: there is nothing to compute.
        if self.encoder.coords().is_empty() {
            return Ok(());
        }
        self.session.run().map_err(FrameError::inference)
    }

    pub(super) fn decode(
        &mut self,
        limits: DecodeLimits,
        detections: &mut Vec<Detection3d>,
    ) -> Result<(), FrameError> {
        detections.clear();
        let (session, coords) = (&self.session, self.encoder.coords());
        if coords.is_empty() {
            return Ok(());
        }
        let config = self.suppression.config(limits);
        let [heatmap, offset, height, size, rotation] =
            ["heatmap", "offset", "height", "size", "rotation"].map(|role| session.output(role).1);
        let (grid, ground) = (self.encoder.grid(), self.encoder.plane());
        match &mut self.decoder {
            Decoder::Rows(decoder) => {
                let classes = self.classes;
                let head = PillarHead { coords, heatmap, offset, height, size, rotation, classes };
                decoder.decode(&head, grid, ground, &config, detections)
            }
            Decoder::Maps { scratch, size: (rows, cols) } => {
                let (rows, cols, classes) = (*rows, *cols, self.classes);
                let ground = Some(ground);
                let head =
                    CenterHead { heatmap, offset, height, size, rotation, rows, cols, classes, ground };
                decode_centers(&head, grid, &config, scratch, detections)
            }
        }
        .map_err(FrameError::inference)?;
        self.suppression.finish(limits, detections);
        Ok(())
    }

    pub(super) fn session(&self) -> &ModelSession {
        &self.session
    }

    pub(super) fn active_share(&self) -> f64 {
        self.encoder.coords().len() as f64 / self.encoder.grid().cells() as f64
    }
}

/// Fails unless the tensors fit the grid and the classes; the size of the maps when that is what comes out.
fn check(manifest: &Manifest, grid: &BevGrid, classes: usize) -> Result<Option<(usize, usize)>, String> {
    for (role, width) in [("features", PILLAR_FEATURES), ("coords", 2)] {
        let expected = [Dimension::Rows(ROWS.to_owned()), Dimension::Fixed(width)];
        let found = manifest.input(role).map(|tensor| &tensor.shape);
        if found.is_none_or(|found| *found != expected) {
            return Err(format!("expected input {role} {expected:?}, found {found:?}"));
        }
    }
    let heads = [("heatmap", classes), ("offset", 2), ("height", 1), ("size", 3), ("rotation", 2)];
    let maps = match manifest.output("heatmap").and_then(TensorSpec::fixed_sizes).as_deref() {
        Some(&[1, _, rows, cols]) => {
            grid.stride_of(rows, cols).map_err(|error| error.to_string())?;
            Some((rows, cols))
        }
        _ => None,
    };
    for (role, channels) in heads {
        let expected = match maps {
            None => vec![Dimension::Rows(ROWS.to_owned()), Dimension::Fixed(channels)],
            Some((rows, cols)) => [1, channels, rows, cols].map(Dimension::Fixed).to_vec(),
        };
        let found = manifest.output(role).map(|tensor| &tensor.shape);
        if found.is_none_or(|found| *found != expected) {
            return Err(format!("expected output {role} {expected:?}, found {found:?}"));
        }
    }
    Ok(maps)
}
