//! `model.yaml`: what a model folder promises.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use super::{DetectionSettings, InferenceError, Precision, Provider, TensorSpec, tensor_spec::check_tensors};

/// Most characters of a manifest's line that an error repeats.
const MAX_QUOTE: usize = 80;

/// The task a model does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelKind {
    /// Image and radar prior to metric depth.
    Depth,
    /// LiDAR to 3D boxes.
    Detection,
}

/// Operators a model file needs beyond a plain ONNX Runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OperatorSet {
    /// Nothing beyond.
    #[serde(rename = "standard")]
    Standard,
    /// The sparse operators of this project.
    #[serde(rename = "ai.isobath")]
    Isobath,
}

/// One ONNX file of the folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Relative to the folder.
    pub path: String,
    /// Lower-case hex.
    pub sha256: String,
    /// Operators it needs.
    pub ops: OperatorSet,
    /// Of a model in two files, the one in front.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<Box<Self>>,
}

/// The tensors of the encoder of a model in two files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderTensors {
    /// Input tensors.
    pub inputs: Vec<TensorSpec>,
    /// Output tensors.
    pub outputs: Vec<TensorSpec>,
}

/// How a depth network's output and the prior become one depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FusionRule {
    /// The network's depth as it is.
    None,
    /// `depth · c + mean(prior > 0) · (1 − c)`, as radarmeetsvision publishes it.
    PriorMean,
}

/// How radar returns are drawn for a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriorEncoding {
    /// One plane of metres at the network's size, 0 = none: discs, as radarmeetsvision publishes them.
    #[default]
    Discs,
    /// Metres and weights on a coarser grid: the places where a return may be.
    Footprints,
}

/// Settings of a depth model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepthSettings {
    /// Nearest depth the model gives, metres.
    pub min_m: f32,
    /// Farthest depth the model gives, metres.
    pub max_m: f32,
    /// Per RGB channel, subtracted from values scaled to 0..1.
    pub mean: [f32; 3],
    /// Per RGB channel, divides after the mean is subtracted.
    pub std: [f32; 3],
    /// How the prior enters after the network.
    pub fusion: FusionRule,
    /// Whether the model reads the radar prior.
    pub uses_prior: bool,
    /// How its prior is drawn.
    #[serde(default)]
    pub prior: PriorEncoding,
}

/// How far an output may be from the golden one: `|a − b| ≤ abs + rel·|b|`, and the mean of `|a − b|`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tolerance {
    /// Absolute part, in the output's unit.
    pub abs: f32,
    /// Relative part.
    pub rel: f32,
    /// Most that the mean of all values may be off, in the output's unit. Where a rounding that falls the other way
    /// changes a few values much, this tells it from a mistake that changes all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<f32>,
}

/// A known input with its known output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// An `.npz` relative to the folder, with `input_<role>` and `output_<role>` arrays of the types and shapes
    /// of the tensors; where a shape has a name, any number of rows up to `max_rows`.
    pub path: String,
    /// Per precision and provider.
    pub tolerance: BTreeMap<Precision, BTreeMap<Provider, Tolerance>>,
}

/// The whole of `model.yaml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The task.
    pub kind: ModelKind,
    /// Family of the network, for people.
    pub architecture: String,
    /// The ONNX files.
    pub files: BTreeMap<Precision, ModelFile>,
    /// Input tensors.
    pub inputs: Vec<TensorSpec>,
    /// Output tensors.
    pub outputs: Vec<TensorSpec>,
    /// Tensors of the encoder, when each precision has two files: what is between them, such as placing
    /// pillars on a grid, is the pipeline's to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<EncoderTensors>,
    /// Most rows of a run, for each name among the shapes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub max_rows: BTreeMap<String, usize>,
    /// Present when `kind` is `depth`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<DepthSettings>,
    /// Present when `kind` is `detection`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detection: Option<DetectionSettings>,
    /// SPDX identifier.
    pub licence: String,
    /// What it was trained or tuned on.
    pub training_data: String,
    /// Figures the makers measured; the unit is the end of each name.
    #[serde(default)]
    pub measured: BTreeMap<String, f64>,
    /// The check at load.
    pub golden: Golden,
}

impl Manifest {
    /// Parses and checks `text`; `path` appears in the error only.
    pub fn parse(text: &str, path: &Path) -> Result<Self, InferenceError> {
        let fail = |reason: String| InferenceError::Manifest { path: path.to_owned(), reason };
        let manifest: Self = serde_saphyr::from_str(text).map_err(|e| {
            // The parser appends a picture of the lines around the error; one sentence is enough.
            let whole = e.to_string();
            let sentence = whole.lines().next().unwrap_or_default().trim_start_matches("error: ");
            let line = e.location().and_then(|at| text.lines().nth((at.line() as usize).checked_sub(1)?));
            fail(match line.map(|line| line.trim().chars().take(MAX_QUOTE).collect::<String>()) {
                Some(line) if !line.is_empty() => format!("{sentence} (at `{line}`)"),
                _ => sentence.to_owned(),
            })
        })?;
        manifest.check().map_err(fail)?;
        Ok(manifest)
    }

    /// The settings of a depth model.
    pub fn depth_settings(&self) -> Option<&DepthSettings> {
        self.depth.as_ref()
    }

    /// The settings of a detection model.
    pub fn detection_settings(&self) -> Option<&DetectionSettings> {
        self.detection.as_ref()
    }

    /// The input with this role.
    pub fn input(&self, role: &str) -> Option<&TensorSpec> {
        self.inputs.iter().find(|t| t.role == role)
    }

    /// The output with this role.
    pub fn output(&self, role: &str) -> Option<&TensorSpec> {
        self.outputs.iter().find(|t| t.role == role)
    }

    /// Most rows of this name; 0 when the manifest has none.
    pub fn max_rows(&self, name: &str) -> usize {
        self.max_rows.get(name).copied().unwrap_or(0)
    }

    fn check_encoder(&self) -> Result<(), String> {
        let expected = if self.encoder.is_some() { "an encoder, as" } else { "no encoder, as" };
        for (precision, file) in &self.files {
            let nested = file.encoder.as_ref().is_some_and(|encoder| encoder.encoder.is_some());
            if file.encoder.is_some() != self.encoder.is_some() || nested {
                let found = if nested { "an encoder of the encoder" } else { "the contrary" };
                return Err(format!(
                    "files.{precision}.encoder: expected {expected} the section encoder says, found {found}"
                ));
            }
        }
        let Some(EncoderTensors { inputs, outputs }) = &self.encoder else { return Ok(()) };
        check_tensors("encoder.", inputs, outputs, &self.max_rows)?;
        // The golden file has the arrays of both.
        for (side, of_encoder, of_model) in
            [("inputs", inputs, &self.inputs), ("outputs", outputs, &self.outputs)]
        {
            let twice = of_encoder.iter().find(|t| of_model.iter().any(|other| other.role == t.role));
            if let Some(tensor) = twice {
                return Err(format!(
                    "encoder.{side}: expected roles once in both files, found {:?} twice",
                    tensor.role
                ));
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        match self.kind {
            ModelKind::Depth => self
                .depth
                .as_ref()
                .ok_or("kind depth: expected a depth section, found none".to_owned())?
                .check()?,
            ModelKind::Detection => self
                .detection
                .as_ref()
                .ok_or("kind detection: expected a detection section, found none".to_owned())?
                .check()?,
        }
        if self.files.is_empty() {
            return Err("files: expected at least one precision, found none".to_owned());
        }
        let encoders = self.files.values().filter_map(|file| file.encoder.as_deref());
        let paths = self.files.values().chain(encoders).map(|f| &f.path).chain([&self.golden.path]);
        for path in paths {
            // A manifest may come from a stranger; it names files of its own folder only.
            let p = Path::new(path);
            let inside =
                !path.is_empty() && p.components().all(|c| matches!(c, std::path::Component::Normal(_)));
            if !inside {
                return Err(format!("expected a path inside the model folder, found {path:?}"));
            }
        }
        for (precision, by_provider) in &self.golden.tolerance {
            for (provider, &Tolerance { abs, rel, mean }) in by_provider {
                // With NaN or infinity every output would be near enough.
                let parts = [("abs", Some(abs)), ("rel", Some(rel)), ("mean", mean)];
                let wrong = parts.into_iter().find_map(|(name, part)| {
                    part.filter(|part| !(part.is_finite() && *part >= 0.0)).map(|part| (name, part))
                });
                if let Some((name, part)) = wrong {
                    return Err(format!(
                        "golden.tolerance.{precision}.{provider}.{name}: expected a finite number of at least 0, found {part}"
                    ));
                }
            }
        }
        check_tensors("", &self.inputs, &self.outputs, &self.max_rows)?;
        self.check_encoder()?;
        let named = |tensor: &&TensorSpec| tensor.rows().is_some();
        if self.kind == ModelKind::Depth
            && let Some(tensor) = self.inputs.iter().chain(&self.outputs).find(named)
        {
            return Err(format!(
                "kind depth: tensor {:?}: expected a shape of numbers, found {:?}",
                tensor.name, tensor.shape
            ));
        }
        Ok(())
    }
}

impl DepthSettings {
    fn check(&self) -> Result<(), String> {
        if !(self.min_m > 0.0 && self.max_m > self.min_m && self.max_m.is_finite()) {
            return Err(format!(
                "depth: expected 0 < min_m < max_m, found {} and {}",
                self.min_m, self.max_m
            ));
        }
        if self.std.iter().any(|s| !s.is_finite() || *s <= 0.0) {
            return Err(format!("depth.std: expected positive values, found {:?}", self.std));
        }
        Ok(())
    }
}
