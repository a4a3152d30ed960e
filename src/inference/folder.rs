//! Model folders: by path or by name.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use super::{InferenceError, Manifest, ModelFile, Precision, Provider, TensorSpec};

/// The manifest's file name.
const MANIFEST: &str = "model.yaml";

/// A folder whose manifest was read and checked; its files are checked when a session opens.
#[derive(Clone, Debug)]
pub struct ModelFolder {
    /// The folder.
    pub path: PathBuf,
    /// What it promises.
    pub manifest: Manifest,
}

/// One ONNX file of a model with the tensors that it must have.
#[derive(Clone, Debug)]
pub(super) struct ModelPart<'a> {
    /// The file's full path.
    pub path: PathBuf,
    /// What the manifest says of it.
    pub file: &'a ModelFile,
    /// Its inputs.
    pub inputs: &'a [TensorSpec],
    /// Its outputs.
    pub outputs: &'a [TensorSpec],
}

impl ModelFolder {
    /// Reads the manifest in `path`.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, InferenceError> {
        let path = path.as_ref();
        let file = path.join(MANIFEST);
        if !file.is_file() {
            let entries = fs::read_dir(path).map_err(|source| InferenceError::Unreadable {
                path: path.to_owned(),
                what: "model folder",
                source,
            })?;
            let mut found: Vec<String> =
                entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
            found.sort();
            found.truncate(20);
            return Err(InferenceError::NoManifest { path: path.to_owned(), found });
        }
        let text = fs::read_to_string(&file).map_err(|source| InferenceError::Unreadable {
            path: file.clone(),
            what: "manifest",
            source,
        })?;
        Ok(Self { path: path.to_owned(), manifest: Manifest::parse(&text, &file)? })
    }

    /// Opens a folder by name, or by path when `name` holds a `/`.
    pub fn find(name: &str) -> Result<Self, InferenceError> {
        if name.contains('/') {
            return Self::open(name);
        }
        Self::find_in(name, &model_roots())
    }

    pub(super) fn find_in(name: &str, roots: &[PathBuf]) -> Result<Self, InferenceError> {
        let named = !name.is_empty() && !matches!(name, "." | "..");
        if let Some(path) = roots.iter().map(|r| r.join(name)).find(|p| named && p.is_dir()) {
            return Self::open(path);
        }
        let mut available: Vec<String> = roots
            .iter()
            .filter_map(|r| fs::read_dir(r).ok())
            .flat_map(Iterator::flatten)
            .filter(|e| e.path().join(MANIFEST).is_file())
            .map(|e| e.file_name().to_string_lossy().into_owned())
            .collect();
        available.sort();
        available.dedup();
        let nearest = available
            .iter()
            .map(|n| (strsim::jaro_winkler(n, name), n))
            .filter(|(similarity, _)| *similarity > 0.7)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, n)| n.clone());
        Err(InferenceError::ModelNotFound {
            name: name.to_owned(),
            looked_in: roots.to_vec(),
            available,
            nearest,
        })
    }

    /// The folder's own name, as parameters use it.
    pub fn name(&self) -> String {
        self.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The precision to run: the one asked for, or the provider's favourite among those present.
    pub fn resolve_precision(
        &self,
        asked: Option<Precision>,
        provider: Provider,
    ) -> Result<Precision, InferenceError> {
        let files = &self.manifest.files;
        let missing = |asked| InferenceError::PrecisionMissing {
            path: self.path.clone(),
            asked,
            found: files.keys().map(ToString::to_string).collect(),
        };
        match asked {
            Some(p) if files.contains_key(&p) => Ok(p),
            Some(p) => Err(missing(p)),
            None => provider
                .preference()
                .iter()
                .copied()
                .find(|p| files.contains_key(p))
                .ok_or_else(|| missing(Precision::Fp32)),
        }
    }

    /// The file of `precision`; of a model in two files, the one behind the encoder.
    pub(super) fn part(&self, precision: Precision) -> Result<ModelPart<'_>, InferenceError> {
        let Manifest { files, inputs, outputs, .. } = &self.manifest;
        let file = files.get(&precision).ok_or_else(|| InferenceError::PrecisionMissing {
            path: self.path.clone(),
            asked: precision,
            found: files.keys().map(ToString::to_string).collect(),
        })?;
        Ok(ModelPart { path: self.path.join(&file.path), file, inputs, outputs })
    }

    /// The encoder's file of `precision`.
    pub(super) fn encoder_part(&self, precision: Precision) -> Result<ModelPart<'_>, InferenceError> {
        let encoder = self.part(precision)?.file.encoder.as_deref();
        match (encoder, &self.manifest.encoder) {
            (Some(file), Some(tensors)) => Ok(ModelPart {
                path: self.path.join(&file.path),
                file,
                inputs: &tensors.inputs,
                outputs: &tensors.outputs,
            }),
            _ => Err(InferenceError::Manifest {
                path: self.manifest_path(),
                reason: format!("expected a section encoder and files.{precision}.encoder, found none"),
            }),
        }
    }

    /// The manifest's full path.
    pub fn manifest_path(&self) -> PathBuf {
        self.path.join(MANIFEST)
    }
}

/// Folders that hold model folders, in the order they are searched; not all of them need exist.
pub fn model_roots() -> Vec<PathBuf> {
    let mut roots: Vec<PathBuf> = env::var_os("ISOBATH_MODEL_PATH")
        .map(|v| env::split_paths(&v).filter(|p| !p.as_os_str().is_empty()).collect())
        .unwrap_or_default();
    if let Some(prefix) = env::current_exe().ok().as_deref().and_then(|exe| exe.ancestors().nth(3)) {
        roots.push(prefix.join("share/isobath/models"));
    }
    if let Some(prefixes) = env::var_os("AMENT_PREFIX_PATH") {
        roots.extend(env::split_paths(&prefixes).map(|p| p.join("share/isobath/models")));
    }
    roots.push(PathBuf::from("models"));
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    if checkout.is_dir() {
        roots.push(checkout);
    }
    roots
}
