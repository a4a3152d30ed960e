//! Which models this machine finds, and whether each of them runs and computes what it should.

use std::path::PathBuf;

use serde::Serialize;

use crate::inference::{
    ModelFolder, ModelSession, OperatorSet, Precision, Provider, SessionOptions, model_roots,
};

/// One model folder.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ModelFacts {
    /// As the parameter `model` takes it.
    pub name: String,
    /// Its folder.
    pub path: PathBuf,
    /// Why its manifest cannot be used.
    pub error: Option<String>,
    /// Its files, each tried.
    pub files: Vec<FileFacts>,
    /// The file that the CPU runs where the parameter `precision` is left at `auto`.
    pub auto: Option<Precision>,
}

/// One precision of a model.
#[derive(Clone, Debug, Serialize)]
pub(super) struct FileFacts {
    /// `fp32`, …
    pub precision: &'static str,
    /// Where it was tried.
    pub provider: &'static str,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of opening a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// Checksum, tensors and golden output are right.
    Passed {
        /// Time to load and check, milliseconds.
        load_ms: u64,
    },
    /// It is not made for this provider.
    NotMeant,
    /// It should, but does not.
    Failed(String),
}

/// Every model on the search path, the first of each name as [`ModelFolder::find`] takes it.
/// Each file is tried on each of `providers`.
pub(super) fn collect(providers: &[Provider]) -> Vec<ModelFacts> {
    let mut models: Vec<ModelFacts> = Vec::new();
    for root in model_roots() {
        let mut folders: Vec<PathBuf> = std::fs::read_dir(root)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.join("model.yaml").is_file())
            .collect();
        folders.sort();
        for path in folders {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if models.iter().all(|model| model.name != name) {
                models.push(examine(name, path, providers));
            }
        }
    }
    models
}

fn examine(name: String, path: PathBuf, providers: &[Provider]) -> ModelFacts {
    let path = std::fs::canonicalize(&path).unwrap_or(path);
    match ModelFolder::open(&path) {
        Err(error) => {
            ModelFacts { name, path, error: Some(error.to_string()), files: Vec::new(), auto: None }
        }
        Ok(folder) => {
            let files = folder
                .manifest
                .files
                .keys()
                .flat_map(|&precision| providers.iter().map(move |&provider| (precision, provider)))
                .map(|(precision, provider)| FileFacts {
                    precision: precision.as_str(),
                    provider: provider.as_str(),
                    outcome: attempt(&folder, precision, provider),
                })
                .collect();
            let auto = folder.resolve_precision(None, Provider::Cpu).ok();
            ModelFacts { name, path, error: None, files, auto }
        }
    }
}

fn attempt(folder: &ModelFolder, precision: Precision, provider: Provider) -> Outcome {
    // A manifest states a tolerance wherever its maker means the file to run.
    let golden = &folder.manifest.golden.tolerance;
    let is_meant = golden.get(&precision).is_some_and(|of_file| of_file.contains_key(&provider));
    let operators = folder.manifest.files.get(&precision).map(|file| file.ops);
    // Building a TensorRT engine takes minutes; CUDA tells whether the device works.
    if !is_meant
        || provider == Provider::TensorRt
        || (provider != Provider::Cpu && operators == Some(OperatorSet::Isobath))
    {
        return Outcome::NotMeant;
    }
    let options = SessionOptions { provider, precision: Some(precision), threads: 1 };
    let encoder = folder.manifest.encoder.as_ref().map(|_| ModelSession::open_encoder(folder, &options));
    let sessions =
        encoder.transpose().and_then(|encoder| Ok((encoder, ModelSession::open(folder, &options)?)));
    match sessions {
        Ok((encoder, session)) => {
            let load_s = session.load_s() + encoder.map_or(0.0, |encoder| encoder.load_s());
            Outcome::Passed { load_ms: (load_s * 1e3).round() as u64 }
        }
        Err(error) => Outcome::Failed(error.to_string()),
    }
}
