//! What a path given to `isobath evaluate` stands for: a folder that `isobath replay` wrote, or a bag.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::EvalError;
use crate::pipeline::{NodeParameters, ParameterSet, Value};
use crate::replay::{Remap, source_topic};

/// Name of a run's summary.
const RUN_FILE: &str = "run.json";
/// Name of a run's recording.
const OUTPUTS_FILE: &str = "outputs.mcap";

/// The part of `run.json` that evaluation reads; the rest is passed on as it is.
#[derive(Debug, Deserialize)]
struct RunFile {
    bags: Vec<String>,
    #[serde(default)]
    remaps: Vec<String>,
    #[serde(default)]
    config: Map<String, Json>,
    #[serde(default)]
    outputs_per_bag: Vec<u64>,
}

/// One run to be scored.
#[derive(Debug)]
pub(in crate::eval) struct Source {
    /// As it was given.
    pub path: PathBuf,
    /// Where its report goes.
    pub folder: PathBuf,
    /// Recording with the outputs.
    pub outputs: PathBuf,
    /// Whether they were recorded live: log times are those of arrival then.
    pub live: bool,
    /// Recordings with the truth, and how many messages of the outputs came of each; all where it is one.
    pub segments: Vec<Segment>,
    /// Parameters of the nodes.
    pub parameters: NodeParameters,
    /// Names of topics.
    pub remaps: Vec<Remap>,
    /// `run.json` as it is.
    pub summary: Option<Json>,
}

/// A recording with truth.
#[derive(Debug)]
pub(in crate::eval) struct Segment {
    /// The recording.
    pub bag: PathBuf,
    /// Messages of the outputs that came of it; `None` means all.
    pub outputs: Option<u64>,
}

impl Source {
    /// Finds out what `path` is. `truth` replaces the bags that the run names; `remaps` come before the run's.
    pub fn find(path: &Path, truth: Option<&Path>, remaps: &[Remap]) -> Result<Self, EvalError> {
        let run_file = path.join(RUN_FILE);
        if !path.is_dir() || !run_file.is_file() {
            let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
            return Ok(Self {
                path: path.to_owned(),
                folder: folder.to_owned(),
                outputs: path.to_owned(),
                live: true,
                segments: vec![Segment { bag: truth.unwrap_or(path).to_owned(), outputs: None }],
                parameters: NodeParameters::default(),
                remaps: remaps.to_vec(),
                summary: None,
            });
        }
        let fail = |reason: String| EvalError::RunFile { path: run_file.clone(), reason };
        let text = std::fs::read_to_string(&run_file).map_err(|error| fail(error.to_string()))?;
        let summary: Json = serde_json::from_str(&text).map_err(|error| fail(error.to_string()))?;
        let run = RunFile::deserialize(&summary).map_err(|error| fail(error.to_string()))?;
        let mut parameters = NodeParameters::default();
        take_over(&run.config, "depth", &mut parameters.depth);
        take_over(&run.config, "detection", &mut parameters.detection);
        let mut all_remaps = remaps.to_vec();
        for remap in &run.remaps {
            all_remaps.push(remap.parse()?);
        }
        let segments = if let Some(truth) = truth {
            vec![Segment { bag: truth.to_owned(), outputs: None }]
        } else {
            segments(&run, &run_file, path)?
        };
        Ok(Self {
            path: path.to_owned(),
            folder: path.to_owned(),
            outputs: path.join(OUTPUTS_FILE),
            live: false,
            segments,
            parameters,
            remaps: all_remaps,
            summary: Some(summary),
        })
    }

    /// The topic that serves input or output `name`.
    pub fn topic(&self, name: &str) -> String {
        source_topic(name, &self.remaps)
    }
}

fn segments(run: &RunFile, run_file: &Path, folder: &Path) -> Result<Vec<Segment>, EvalError> {
    let counts = &run.outputs_per_bag;
    let known = counts.len() == run.bags.len();
    if run.bags.is_empty() || run.bags.len() > 1 && !known {
        return Err(EvalError::BagsOfRun {
            run: run_file.to_owned(),
            bags: run.bags.len(),
            found: format!("{counts:?}"),
        });
    }
    let several = run.bags.len() > 1;
    let segment = |(index, name): (usize, &String)| {
        let bag = locate(name, folder)
            .ok_or_else(|| EvalError::MovedBag { run: run_file.to_owned(), bag: name.clone() })?;
        Ok(Segment { bag, outputs: counts.get(index).copied().filter(|_| several) })
    };
    run.bags.iter().enumerate().map(segment).collect()
}

/// Where a bag is that a run names as it was given to `replay`: as a path from here, or beside the run.
fn locate(name: &str, folder: &Path) -> Option<PathBuf> {
    let given = Path::new(name);
    let beside = given.file_name().map(|base| folder.join("..").join(base));
    [Some(given.to_owned()), Some(folder.join("..").join(given)), beside]
        .into_iter()
        .flatten()
        .find(|path| path.exists())
}

/// Takes over the parameters of `node` that this version knows.
fn take_over(config: &Map<String, Json>, node: &str, parameters: &mut ParameterSet) {
    for (name, value) in config.get(node).and_then(Json::as_object).into_iter().flatten() {
        let value = match value {
            Json::Bool(value) => Value::Bool(*value),
            Json::String(text) => Value::String(text.clone()),
            Json::Number(number) => match number.as_i64() {
                Some(integer) => Value::Integer(integer),
                None => Value::Double(number.as_f64().unwrap_or(f64::NAN)),
            },
            _ => continue,
        };
        if let Err(error) = parameters.set(name, value) {
            tracing::debug!("{node}.{name} of the run is not used: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_folder(json: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(RUN_FILE), json).unwrap();
        folder
    }

    #[test]
    fn a_run_brings_its_names_parameters_and_bags() {
        let folder = run_folder(
            r#"{"bags": ["gone/bag"], "remaps": ["lidar/points:=/velodyne"],
                "config": {"depth": {"radars": 2, "sync_window_ms": 50.0, "later": 1}}}"#,
        );
        let moved = Source::find(folder.path(), None, &[]).unwrap_err();
        assert!(moved.is_input() && moved.to_string().contains("'gone/bag'"), "{moved}");
        let truth = Path::new("truth");
        let source = Source::find(folder.path(), Some(truth), &[]).unwrap();
        assert_eq!(source.topic("lidar/points"), "/velodyne");
        assert_eq!(source.parameters.depth.integer("radars"), 2);
        assert_eq!((source.segments[0].bag.as_path(), source.segments[0].outputs), (truth, None));
        assert!(!source.live && source.outputs.ends_with("outputs.mcap"));
    }

    #[test]
    fn several_bags_need_their_counts() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        std::fs::create_dir_all(&run).unwrap();
        for bag in ["a", "b"] {
            std::fs::create_dir(folder.path().join(bag)).unwrap();
        }
        let write = |counts: &str| {
            let text = format!(r#"{{"bags": ["x/a", "b"]{counts}}}"#);
            std::fs::write(run.join(RUN_FILE), text).unwrap();
            Source::find(&run, None, &[])
        };
        assert!(matches!(write(""), Err(EvalError::BagsOfRun { bags: 2, .. })));
        let source = write(r#", "outputs_per_bag": [5, 7]"#).unwrap();
        let counts: Vec<_> = source.segments.iter().map(|segment| segment.outputs).collect();
        assert_eq!(counts, [Some(5), Some(7)]);
        assert!(source.segments.iter().all(|segment| segment.bag.exists()));
    }

    #[test]
    fn a_bag_is_its_own_truth() {
        let source = Source::find(Path::new("live/bag.mcap"), None, &[]).unwrap();
        assert!(source.live);
        assert_eq!(source.segments[0].bag, Path::new("live/bag.mcap"));
        assert_eq!(source.folder, Path::new("live"));
    }
}
