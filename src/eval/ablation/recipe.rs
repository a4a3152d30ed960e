//! What is needed to play a run again.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value as Json;

use super::{AblationError, Fault};
use crate::eval::run::Source;
use crate::inference::ModelFolder;
use crate::pipeline::NodeParameters;
use crate::replay::{Calibration, Rate, Remap, ReplayOptions};

/// The part of `run.json` that evaluation has no use for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RunFile {
    remaps: Vec<String>,
    rate: String,
    start_s: f64,
    duration_s: Option<f64>,
}

/// How a run was made.
#[derive(Debug)]
pub(super) struct Recipe {
    /// The run, as it was given.
    pub run: PathBuf,
    /// Whether it was made in lockstep, as it is made again.
    pub is_lockstep: bool,
    bags: Vec<PathBuf>,
    parameters: NodeParameters,
    remaps: Vec<Remap>,
    calibration: Option<Calibration>,
    start_s: f64,
    duration_s: Option<f64>,
}

impl Recipe {
    /// Of a run folder. Fails unless its depth has to do with radars.
    pub fn of(run: &Path) -> Result<Self, AblationError> {
        let fail = |reason: String| AblationError::NotAgain { run: run.to_owned(), reason };
        let source = Source::find(run, None, &[])?;
        let Some(summary) = &source.summary else {
            return Err(fail("expected a folder that `isobath replay` wrote, found no run.json".to_owned()));
        };
        if summary.pointer("/nodes/depth").is_none() {
            return Err(fail("expected a run with outputs of depth, found none in run.json".to_owned()));
        }
        let read = RunFile::deserialize(summary).map_err(|error| fail(format!("run.json: {error}")))?;
        let calibration = match summary.pointer("/config/calibration") {
            None | Some(Json::Null) => None,
            Some(value) => Some(
                Calibration::deserialize(value)
                    .map_err(|error| fail(format!("run.json: calibration: {error}")))?,
            ),
        };
        let mut remaps = Vec::with_capacity(read.remaps.len());
        for remap in &read.remaps {
            remaps.push(remap.parse()?);
        }
        let mut parameters = source.parameters;
        // Points and previews are not scored.
        parameters.depth.set_text("record", "default").map_err(|error| fail(error.to_string()))?;
        let recipe = Self {
            run: run.to_owned(),
            is_lockstep: read.rate == "max",
            bags: source.segments.into_iter().map(|segment| segment.bag).collect(),
            parameters,
            remaps,
            calibration,
            start_s: read.start_s,
            duration_s: read.duration_s,
        };
        recipe.check_radar()?;
        Ok(recipe)
    }

    /// An error that says why radars are no part of the run.
    pub fn no_radar(&self, reason: String) -> AblationError {
        AblationError::NoRadar { run: self.run.clone(), reason }
    }

    fn check_radar(&self) -> Result<(), AblationError> {
        let model = ModelFolder::find(self.parameters.depth.string("model"))?;
        if model.manifest.input("prior").is_none() {
            return Err(self.no_radar(format!(
                "expected a depth model that takes radar returns, found '{}' without an input prior",
                model.name()
            )));
        }
        if self.radars() == 0 {
            return Err(self.no_radar("expected depth.radars of at least 1, found 0".to_owned()));
        }
        Ok(())
    }

    /// Number of radars that the node takes.
    pub fn radars(&self) -> usize {
        usize::try_from(self.parameters.depth.integer("radars")).unwrap_or(0)
    }

    /// Scans of each radar that a frame uses.
    pub fn scans(&self) -> u64 {
        self.parameters.depth.integer("radar_scans").max(1).unsigned_abs()
    }

    /// How to play the bags with `fault`, as far as that is a matter of parameters. Results go to `out`.
    pub fn options(&self, fault: Fault, out: PathBuf) -> Result<ReplayOptions, AblationError> {
        let mut parameters = self.parameters.clone();
        let depth = &mut parameters.depth;
        let mut set = |name: &str, value: String| {
            depth
                .set_text(name, &value)
                .map_err(|error| AblationError::NotAgain { run: self.run.clone(), reason: error.to_string() })
        };
        let each =
            |name: &str| (0..self.radars()).map(|radar| format!("radar_{radar}.{name}")).collect::<Vec<_>>();
        match fault {
            Fault::Dropped => {
                for name in each("required") {
                    set(&name, "false".to_owned())?;
                }
            }
            Fault::Shifted(ms) => {
                for name in each("offset_ms") {
                    let offset_ms = self.parameters.depth.double(&name) + ms as f64;
                    set(&name, format!("{offset_ms:?}"))?;
                }
                // What is stamped too early comes that much later than it seems.
                let timeout_ms = self.parameters.depth.integer("sync_timeout_ms") + (-ms).max(0);
                set("sync_timeout_ms", timeout_ms.to_string())?;
            }
            _ => {}
        }
        Ok(ReplayOptions {
            bags: self.bags.clone(),
            out,
            parameters,
            remaps: self.remaps.clone(),
            calibration: self.calibration.clone(),
            rate: Rate::Max,
            start_s: self.start_s,
            duration_s: self.duration_s,
            budget_ms: None,
            jobs: 1,
            resume: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run folder beside its bag, with these parameters of depth.
    fn run(depth: &str) -> (tempfile::TempDir, Result<Recipe, AblationError>) {
        let temp = tempfile::tempdir().unwrap();
        let run = temp.path().join("run");
        std::fs::create_dir_all(&run).unwrap();
        std::fs::create_dir(temp.path().join("bag")).unwrap();
        let calibration = r#"{"transforms": [{"parent": "base_link", "child": "radar_0",
            "translation": [0.1, 0.2, 0.30000000000000004], "rotation": [0.0, 0.0, 0.1986693307950612, 0.9800665778412416]}],
            "cameras": {}}"#;
        let text = format!(
            r#"{{"bags": ["bag"], "remaps": ["image:=/camera"], "rate": "2", "start_s": 0.5, "duration_s": 3.0,
                "nodes": {{"depth": {{}}}}, "config": {{"depth": {{{depth}}}, "calibration": {calibration}}}}}"#
        );
        std::fs::write(run.join("run.json"), text).unwrap();
        let recipe = Recipe::of(&run);
        (temp, recipe)
    }

    #[test]
    fn a_run_is_played_as_it_was_made_but_for_the_fault() {
        let (_temp, recipe) = run(
            r#""model": "depth_baseline", "radars": 2, "radar_scans": 3, "record": "all", "radar_0.required": true,
               "radar_1.offset_ms": 12.5, "radar_2.required": true, "sync_timeout_ms": 200"#,
        );
        let recipe = recipe.unwrap();
        assert_eq!((recipe.radars(), recipe.scans(), recipe.is_lockstep), (2, 3, false));
        let clean = recipe.options(Fault::None, PathBuf::from("out")).unwrap();
        assert_eq!((clean.start_s, clean.duration_s, clean.rate), (0.5, Some(3.0), Rate::Max));
        assert_eq!(clean.remaps, ["image:=/camera".parse().unwrap()]);
        assert!(clean.bags[0].ends_with("bag") && clean.bags[0].exists());
        let calibration = clean.calibration.unwrap();
        assert_eq!(calibration.transforms[0].translation[2], 0.1 + 0.2, "to the last digit");
        assert_eq!(calibration.transforms[0].rotation[3], 0.2_f64.cos());

        let of = |fault, name: &str| {
            let depth = recipe.options(fault, PathBuf::from("out")).unwrap().parameters.depth;
            (
                depth.double("radar_0.offset_ms"),
                depth.double("radar_1.offset_ms"),
                depth.integer("sync_timeout_ms"),
                depth.string("record").to_owned(),
                depth.bool(name),
            )
        };
        let record = || "default".to_owned();
        assert_eq!(of(Fault::None, "radar_0.required"), (0.0, 12.5, 200, record(), true));
        assert_eq!(of(Fault::Dropped, "radar_0.required"), (0.0, 12.5, 200, record(), false));
        assert_eq!(of(Fault::Dropped, "radar_2.required"), (0.0, 12.5, 200, record(), true));
        assert_eq!(of(Fault::Shifted(300), "radar_0.required"), (300.0, 312.5, 200, record(), true));
        assert_eq!(of(Fault::Shifted(-300), "radar_0.required"), (-300.0, -287.5, 500, record(), true));
    }

    #[test]
    fn what_has_no_radar_and_offsets_that_cannot_grow_are_told() {
        let (_temp, none) = run(r#""model": "depth_baseline", "radars": 0"#);
        assert!(matches!(none, Err(AblationError::NoRadar { .. })), "{none:?}");
        let (_temp, missing) = run(r#""model": "no_such_model""#);
        assert!(matches!(missing, Err(AblationError::Model(_))), "{missing:?}");
        let (_temp, far) = run(r#""model": "depth_baseline", "radar_0.offset_ms": 900.0"#);
        let error = far.unwrap().options(Fault::Shifted(300), PathBuf::from("out")).unwrap_err().to_string();
        assert!(error.contains("radar_0.offset_ms") && error.contains("1200"), "{error}");
    }
}
