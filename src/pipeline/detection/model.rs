//! The detection model: its network and classes, checked against what the pipeline needs. It knows no LiDAR.

use super::DetectionPipeline;
use super::network::{Network, NetworkError, NetworkSource};
use crate::detection::ClassTable;
use crate::inference::{ModelFolder, ModelKind, load_library};
use crate::pipeline::depth::session_options;
use crate::pipeline::{Model, ParameterSet, Pipeline, PipelineError};

/// A loaded detection model. Several sensors can take turns with it.
pub struct DetectionModel {
    pub(super) network: Network,
    pub(super) classes: ClassTable,
    library: String,
    name: String,
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
        let (ModelKind::Detection, Some(settings)) = (manifest.kind, manifest.detection_settings()) else {
            return Err(refuse("expected a model of kind 'detection' with a detection section".into()));
        };
        let classes =
            ClassTable::new(settings.classes.iter().cloned()).map_err(|error| refuse(error.to_string()))?;
        let options = session_options(parameters);
        let source = NetworkSource { folder: &folder, settings, classes: &classes, options: &options };
        let network = Network::load(&source).map_err(|error| match error {
            NetworkError::Inference(error) => error.into(),
            NetworkError::Interface(reason) => refuse(reason),
        })?;
        Ok(Self { network, classes, library: library.version, name })
    }
}

impl Model for DetectionModel {
    fn describe(&self) -> Vec<(&'static str, String)> {
        let session = self.network.session();
        vec![
            ("model", self.name.clone()),
            ("precision", session.precision().to_string()),
            ("provider", session.provider().to_string()),
            ("onnxruntime", self.library.clone()),
        ]
    }

    fn active_share(&self) -> Option<f64> {
        Some(self.network.active_share())
    }
}
