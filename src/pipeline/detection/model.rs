//! The detection model: its session, grid and classes, checked against what the pipeline needs. It knows
//! no LiDAR.

use super::DetectionPipeline;
use crate::detection::{BEV_CHANNELS, BevGrid, ClassTable, Voxelizer};
use crate::inference::{ModelFolder, ModelKind, ModelSession, load_library};
use crate::pipeline::depth::session_options;
use crate::pipeline::{Model, ParameterSet, Pipeline, PipelineError};

/// A loaded detection model. Several sensors can take turns with it.
pub struct DetectionModel {
    pub(super) session: ModelSession,
    library: String,
    name: String,
    /// It clears what it wrote last, so that one of them belongs to the session's tensor
    pub(super) voxelizer: Voxelizer,
    pub(super) classes: ClassTable,
    pub(super) suppression_radius_m: Vec<f32>,
    /// Cells that the last frame had points in
    pub(super) active_cells: usize,
}

impl DetectionModel {
    /// Loads the model that `parameters` name and checks that it is one for detection.
    pub fn load(parameters: &ParameterSet) -> Result<Self, PipelineError> {
        let library = load_library(None)?;
        let folder = ModelFolder::find(parameters.string("model"))?;
        let name = folder.name();
        let refuse = |reason: String| PipelineError::Model {
            model: name.clone(),
            node: DetectionPipeline::NODE,
            reason,
        };
        let manifest = &folder.manifest;
        let settings = match (manifest.kind, manifest.detection_settings()) {
            (ModelKind::Detection, Some(settings)) => settings.clone(),
            _ => return Err(refuse("expected a model of kind 'detection' with a detection section".into())),
        };
        let [voxel_x, voxel_y, _] = settings.voxel_size;
        let grid =
            BevGrid::new(settings.range, [voxel_x, voxel_y]).map_err(|error| refuse(error.to_string()))?;
        let classes =
            ClassTable::new(settings.classes.iter().cloned()).map_err(|error| refuse(error.to_string()))?;
        let bev = [1, BEV_CHANNELS, grid.rows(), grid.cols()];
        if manifest.inputs.len() != 1 || manifest.input("bev").is_none_or(|tensor| tensor.shape != bev) {
            return Err(refuse(format!("expected one input bev {bev:?}, found {:?}", manifest.inputs)));
        }
        let heatmap = manifest.output("heatmap").map(|tensor| tensor.shape.clone());
        let Some([1, channels, rows, cols]) = heatmap.as_deref() else {
            return Err(refuse(format!("expected output heatmap [1,classes,H,W], found {heatmap:?}")));
        };
        let expected =
            [("heatmap", classes.len()), ("offset", 2), ("height", 1), ("size", 3), ("rotation", 2)];
        for (role, channels) in expected {
            let shape = [1, channels, *rows, *cols];
            let found = manifest.output(role).map(|tensor| &tensor.shape);
            if found.is_none_or(|found| *found != shape) {
                return Err(refuse(format!("expected output {role} {shape:?}, found {found:?}")));
            }
        }
        if *channels != settings.suppression_radius.len() {
            return Err(refuse(format!(
                "expected {channels} suppression radii, one for each class, found {}",
                settings.suppression_radius.len()
            )));
        }
        Ok(Self {
            session: ModelSession::open(&folder, &session_options(parameters))?,
            library: library.version.clone(),
            name,
            voxelizer: Voxelizer::new(grid),
            classes,
            suppression_radius_m: settings.suppression_radius,
            active_cells: 0,
        })
    }
}

impl Model for DetectionModel {
    fn describe(&self) -> Vec<(&'static str, String)> {
        vec![
            ("model", self.name.clone()),
            ("precision", self.session.precision().to_string()),
            ("provider", self.session.provider().to_string()),
            ("onnxruntime", self.library.clone()),
        ]
    }

    fn active_share(&self) -> Option<f64> {
        Some(self.active_cells as f64 / self.voxelizer.grid().cells() as f64)
    }
}
