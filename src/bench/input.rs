//! The recording that everything is measured on.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::BenchError;
use crate::bag::{Bag, ReadFilter};
use crate::message::Stamp;
use crate::pipeline::{Intake, ParameterSet, Pipeline, Processor};
use crate::replay::{Payload, Remap, Routes, source_topic};
use crate::sim::{RecordOptions, SceneFile, Simulation, record};

/// What is simulated where no recording is given.
const SCENE: &str = include_str!("../../config/scenes/warehouse.yaml");
/// Of the simulation; from 900000 on nothing is trained on a seed.
const SEED: u64 = 900_001;
/// Images that are simulated: some variety, in a few seconds.
const IMAGES: u64 = 4;

/// A recording with its frames still in it.
pub(super) struct Input {
    bag: PathBuf,
    /// Holds a simulated recording
    simulated: Option<TempDir>,
}

impl Input {
    /// The recording at `path`, else a simulated one.
    pub fn new(path: Option<&Path>) -> Result<Self, BenchError> {
        if let Some(path) = path {
            return Ok(Self { bag: path.to_owned(), simulated: None });
        }
        let folder = tempfile::Builder::new().prefix("isobath-bench-").tempdir()?;
        let file = folder.path().join("warehouse.yaml");
        std::fs::write(&file, SCENE)?;
        let scene = SceneFile::load(&file)?;
        let built = scene.build(SEED)?;
        let simulation = Simulation::new(built.world, built.robot, &scene.sensors, SEED)?;
        let bag = folder.path().join("warehouse");
        record(
            &simulation,
            &RecordOptions { out: bag.clone(), frames: IMAGES, remarks: Vec::new() },
            |_| (),
        )?;
        Ok(Self { bag, simulated: Some(folder) })
    }

    /// Where it lies.
    pub fn bag(&self) -> &Path {
        &self.bag
    }

    /// For the report.
    pub fn name(&self) -> String {
        match &self.simulated {
            Some(_) => format!("simulated warehouse, seed {SEED}"),
            None => self.bag.display().to_string(),
        }
    }

    /// The first frames of a pipeline, at most `most` and at least one, as `intake` puts them together.
    pub fn frames<P: Pipeline>(
        &self,
        parameters: &ParameterSet,
        remaps: &[Remap],
        intake: &mut P::Intake,
        most: usize,
    ) -> Result<Vec<<P::Processor as Processor>::Frame>, BenchError> {
        let bag = Bag::open(&self.bag)?;
        let inputs = P::inputs(parameters);
        let routes = Routes::new(&self.bag, bag.info(), &inputs, remaps)?;
        let filter = ReadFilter { topics: Some(routes.topics().collect()), ..ReadFilter::default() };
        let mut frames = Vec::new();
        let mut damage = None;
        for message in bag.messages(&filter)? {
            let message = match message {
                Ok(message) => message,
                Err(error) => {
                    damage.get_or_insert(error);
                    continue;
                }
            };
            let now: Stamp = message.log_time;
            let kinds = routes.of(message.topic);
            let payload = Payload::new(message.data, kinds);
            kinds.iter().filter_map(|kind| payload.input(*kind)).for_each(|input| intake.offer(input, now));
            while let Some(frame) = intake.poll(now) {
                frames.push(frame);
            }
            if frames.len() >= most {
                break;
            }
        }
        while let (true, Some(frame)) = (frames.len() < most, intake.flush()) {
            frames.push(frame);
        }
        frames.truncate(most);
        if !frames.is_empty() {
            return Ok(frames);
        }
        let trigger = inputs.iter().find(|input| input.kind.is_trigger()).map(|input| &input.name);
        let found: Vec<&str> = bag.info().topics.iter().map(|topic| topic.name.as_str()).collect();
        Err(match damage {
            Some(damage) => damage.into(),
            None => BenchError::NoFrames {
                bag: self.bag.clone(),
                node: P::NODE,
                topic: trigger.map_or_else(String::new, |name| source_topic(name, remaps)),
                found: found.join(", "),
            },
        })
    }
}
