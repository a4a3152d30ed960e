//! Which models run with which precisions.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;

use super::contestant::{AnyContestant, Contestant};
use super::input::Input;
use super::{BenchError, BenchOptions};
use crate::inference::{ModelFolder, ModelKind, Precision};
use crate::pipeline::depth::DepthPipeline;
use crate::pipeline::detection::DetectionPipeline;
use crate::pipeline::{ParameterSet, Pipeline, Value};
use crate::replay::Remap;

/// A model that lacks a precision others have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// The model's name
    pub model: String,
    /// What it lacks
    pub precision: Precision,
}

/// A model with a precision.
#[derive(Clone, Debug)]
pub struct Entry {
    /// As the parameter `model` takes it
    pub model: String,
    /// The model's own name
    pub name: String,
    /// Which of its files runs
    pub precision: Precision,
    /// Threads of its session
    pub threads: usize,
    kind: ModelKind,
    parameters: ParameterSet,
}

/// What is measured, and what is not.
#[derive(Clone, Debug)]
pub struct Entries {
    /// In the order of the models, then of the precisions
    pub entries: Vec<Entry>,
    /// Models without one of the precisions
    pub skipped: Vec<Skipped>,
}

impl Entry {
    fn new(
        model: &str,
        folder: &ModelFolder,
        precision: Precision,
        options: &BenchOptions,
    ) -> Result<Self, BenchError> {
        let kind = folder.manifest.kind;
        let mut parameters = match kind {
            ModelKind::Depth => ParameterSet::of::<DepthPipeline>(DepthPipeline::NODE),
            ModelKind::Detection => ParameterSet::of::<DetectionPipeline>(DetectionPipeline::NODE),
        };
        parameters.set("model", Value::String(model.to_owned()))?;
        parameters.set("precision", Value::String(precision.to_string()))?;
        parameters.set("provider", Value::String(options.provider.as_str().to_owned()))?;
        parameters.set("threads", Value::Integer(options.threads as i64))?;
        let (model, name) = (model.to_owned(), folder.name());
        Ok(Self { model, name, precision, threads: options.threads, kind, parameters })
    }

    /// Loads the model and reads at most `frames` frames for it.
    pub(super) fn load(
        &self,
        input: &Input,
        remaps: &[Remap],
        frames: usize,
    ) -> Result<Box<dyn AnyContestant>, BenchError> {
        Ok(match self.kind {
            ModelKind::Depth => Box::new(Contestant::<DepthPipeline>::new(
                &self.name,
                &self.parameters,
                input,
                remaps,
                frames,
            )?),
            ModelKind::Detection => Box::new(Contestant::<DetectionPipeline>::new(
                &self.name,
                &self.parameters,
                input,
                remaps,
                frames,
            )?),
        })
    }
}

/// Opens the models and pairs them with the precisions. One that a model lacks is skipped, one that all lack is an
/// error.
pub fn check(options: &BenchOptions) -> Result<Entries, BenchError> {
    if options.frames < 3 {
        let found = options.frames.to_string();
        return Err(BenchError::Option { name: "--frames", expected: "at least 3", found });
    }
    let mut folders = Vec::with_capacity(options.models.len());
    for model in &options.models {
        // What is a folder here need not be said with a slash.
        let is_folder = Path::new(model).join("model.yaml").is_file();
        let model = if is_folder && !model.contains('/') { format!("./{model}") } else { model.clone() };
        folders.push((ModelFolder::find(&model)?, model));
    }
    let (mut entries, mut skipped) = (Vec::new(), Vec::new());
    for (folder, model) in &folders {
        if options.precisions.is_empty() {
            let precision = folder.resolve_precision(None, options.provider)?;
            entries.push(Entry::new(model, folder, precision, options)?);
        }
        for &precision in &options.precisions {
            if folder.manifest.files.contains_key(&precision) {
                entries.push(Entry::new(model, folder, precision, options)?);
            } else {
                skipped.push(Skipped { model: folder.name(), precision });
            }
        }
    }
    for asked in &options.precisions {
        if entries.iter().all(|entry| entry.precision != *asked) {
            let there: BTreeSet<_> =
                folders.iter().flat_map(|(folder, _)| folder.manifest.files.keys()).collect();
            return Err(BenchError::NoPrecision {
                asked: asked.to_string(),
                found: there.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            });
        }
    }
    Ok(Entries { entries, skipped })
}
