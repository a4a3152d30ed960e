//! What a run is made from. Two runs at `--rate max` with the same identity give the same outputs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use serde::Serialize;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::{Rate, ReplayError, ReplayOptions};
use crate::bag::Bag;
use crate::inference::{ModelFolder, load_library};
use crate::pipeline::{ParameterSet, PipelineError};

/// Blocks of a file that are looked at: every byte of a long recording would take as long as replaying it.
const SAMPLES: u64 = 64;
/// Bytes of a block.
const SAMPLE_BYTES: u64 = 4096;

/// What a run is made from; part of `run.json`.
#[derive(Clone, Debug, Serialize)]
pub struct Identity {
    /// Version of this program
    pub isobath: &'static str,
    /// Digest of this program's file, by [`FileIdentity::read`]
    pub program_sha256: String,
    /// Topic names that were changed, as `from:=to`
    pub remaps: Vec<String>,
    /// `max` or the factor of real time
    pub rate: String,
    /// Seconds skipped at the start of each bag
    pub start_s: f64,
    /// Seconds played of each bag; all of it when absent
    pub duration_s: Option<f64>,
    /// The bags' files
    pub inputs: Vec<Vec<FileIdentity>>,
    /// The models, by node
    pub models: BTreeMap<&'static str, ModelIdentity>,
    /// All parameters of all nodes, defaults included; the calibration file under `calibration`
    pub config: Json,
}

/// A file without its name, which may change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileIdentity {
    /// Its length
    pub bytes: u64,
    /// SHA-256 over the length and 64 blocks of 4 KiB, spread evenly; of short files over all of it
    pub sampled_sha256: String,
}

/// A model as it is loaded.
#[derive(Clone, Debug, Serialize)]
pub struct ModelIdentity {
    /// SHA-256 of `model.yaml`, which holds that of each model file
    pub manifest_sha256: String,
    /// Version of ONNX Runtime
    pub onnxruntime: String,
}

impl Identity {
    /// The identity of a run of `bags` through the nodes in `models`. Loads no model.
    pub fn new<'a>(
        options: &ReplayOptions,
        bags: impl Iterator<Item = &'a Bag>,
        models: impl Iterator<Item = (&'static str, &'a ParameterSet)>,
        config: Json,
    ) -> Result<Self, ReplayError> {
        let mut inputs = Vec::new();
        for bag in bags {
            inputs.push(bag.files().map(FileIdentity::of).collect::<Result<_, _>>()?);
        }
        let models = models.map(|(node, parameters)| Ok((node, ModelIdentity::new(parameters)?)));
        Ok(Self {
            isobath: env!("CARGO_PKG_VERSION"),
            program_sha256: program()?.sampled_sha256,
            remaps: options.remaps.iter().map(ToString::to_string).collect(),
            rate: match options.rate {
                Rate::Max => "max".to_owned(),
                Rate::Times(factor) => factor.to_string(),
            },
            start_s: options.start_s,
            duration_s: options.duration_s,
            inputs,
            models: models.collect::<Result<_, ReplayError>>()?,
            config,
        })
    }

    /// As it is read from a file: numbers may lose their last digit on the way.
    pub(super) fn as_read(&self) -> Result<Json, serde_json::Error> {
        serde_json::from_slice(&serde_json::to_vec(self)?)
    }
}

/// The program that runs.
fn program() -> Result<FileIdentity, ReplayError> {
    // The name that the system gives is of no use once the file was replaced by a new build.
    let running = Path::new("/proc/self/exe");
    if running.exists() {
        return FileIdentity::of(running);
    }
    let path = std::env::current_exe().map_err(|error| ReplayError::read(Path::new("isobath"), &error))?;
    FileIdentity::of(&path)
}

impl FileIdentity {
    fn of(path: &Path) -> Result<Self, ReplayError> {
        Self::read(path).map_err(|error| ReplayError::read(path, &error))
    }

    /// Looks at the file at `path`.
    pub fn read(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let mut digest = Sha256::new();
        digest.update(bytes.to_le_bytes());
        let (samples, size) = if bytes <= SAMPLES * SAMPLE_BYTES {
            (bytes.div_ceil(SAMPLE_BYTES), bytes.min(SAMPLE_BYTES))
        } else {
            (SAMPLES, SAMPLE_BYTES)
        };
        let mut block = vec![0; size as usize];
        for sample in 0..samples {
            // The last ends with the file; those of short files overlap.
            let offset = (bytes - size) as u128 * sample as u128 / (samples - 1).max(1) as u128;
            file.read_exact_at(&mut block, offset as u64)?;
            digest.update(&block);
        }
        Ok(Self { bytes, sampled_sha256: hex(&digest.finalize()) })
    }
}

impl ModelIdentity {
    fn new(parameters: &ParameterSet) -> Result<Self, ReplayError> {
        let library = load_library(None).map_err(PipelineError::from)?;
        let folder = ModelFolder::find(parameters.string("model")).map_err(PipelineError::from)?;
        let manifest = folder.manifest_path();
        let text = std::fs::read(&manifest).map_err(|error| ReplayError::read(&manifest, &error))?;
        Ok(Self { manifest_sha256: hex(&Sha256::digest(text)), onnxruntime: library.version.clone() })
    }
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A value in which two runs differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its name, as in `config.depth.radars`
    pub name: String,
    /// What it was in the earlier run
    pub was: String,
    /// What it is now
    pub is: String,
}

/// The first value of the identity `mine` that `found` has otherwise: the identity of an earlier run, or its
/// `run.json`.
pub(super) fn difference(mine: &Json, found: &Json) -> Option<Difference> {
    let mine = mine.as_object()?;
    mine.iter().find_map(|(key, value)| step(key, value, found.get(key).unwrap_or(&Json::Null)))
}

fn step(key: &str, mine: &Json, found: &Json) -> Option<Difference> {
    let inner = match (mine, found) {
        (Json::Object(mine), Json::Object(found)) => {
            let value = |map: &serde_json::Map<String, Json>, key| map.get(key).cloned().unwrap_or_default();
            let keys = mine.keys().chain(found.keys().filter(|key| !mine.contains_key(*key)));
            keys.into_iter().find_map(|key| step(key, &value(mine, key), &value(found, key)))
        }
        (Json::Array(mine), Json::Array(found)) if mine.len() == found.len() => {
            let mut pairs = mine.iter().zip(found).enumerate();
            pairs.find_map(|(index, (mine, found))| step(&index.to_string(), mine, found))
        }
        _ if mine == found => None,
        _ => return Some(Difference { name: key.to_owned(), was: found.to_string(), is: mine.to_string() }),
    };
    inner.map(|inner| Difference { name: format!("{key}.{}", inner.name), ..inner })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    #[test]
    fn the_value_that_differs_is_named() {
        let mine =
            json!({ "start_s": 0.1, "config": { "depth": { "radars": 1 } }, "inputs": [["a"], ["b"]] });
        // run.json holds more.
        let mut found = json!({ "wall_s": 3, "start_s": 0.1, "config": { "depth": { "radars": 1 } } });
        found["inputs"] = json!([["a"], ["b"]]);
        assert_eq!(difference(&mine, &found), None);
        let differs = |path: &str, value: Json| {
            let mut found = found.clone();
            *found.pointer_mut(path).unwrap() = value;
            let Difference { name, was, is } = difference(&mine, &found).unwrap();
            format!("{name}: {was} {is}")
        };
        assert_eq!(differs("/config/depth/radars", json!(2)), "config.depth.radars: 2 1");
        assert_eq!(differs("/start_s", json!(0)), "start_s: 0 0.1");
        assert_eq!(differs("/inputs/1/0", json!("c")), r#"inputs.1.0: "c" "b""#);
        assert_eq!(differs("/inputs/1", json!([])), r#"inputs.1: [] ["b"]"#);
        let more = json!({ "depth": { "radars": 1 }, "calibration": {} });
        assert_eq!(differs("/config", more), "config.calibration: {} null");
        assert_eq!(difference(&mine, &json!({})).unwrap().was, "null");
    }

    #[test]
    fn files_of_other_content_are_other_files() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("file");
        for bytes in [0, 1, 4096, 4097, 262_144, 262_145, 1_000_000] {
            let content = vec![7; bytes];
            fs::write(&path, &content).unwrap();
            let file = FileIdentity::read(&path).unwrap();
            assert_eq!((&file, file.bytes), (&FileIdentity::read(&path).unwrap(), bytes as u64));
            let step = 1 + bytes / 50;
            for at in (0..bytes).step_by(step).filter(|at| bytes <= 262_144 || *at == 0) {
                let mut other = content.clone();
                other[at] = 8;
                fs::write(&path, other).unwrap();
                assert_ne!(FileIdentity::read(&path).unwrap(), file, "byte {at} of {bytes}");
            }
            fs::write(&path, vec![7; bytes + 1]).unwrap();
            assert_ne!(FileIdentity::read(&path).unwrap(), file);
        }
    }
}
