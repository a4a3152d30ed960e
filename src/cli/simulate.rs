//! `isobath simulate`.

use std::num::NonZero;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use super::output::print;
use super::steps::Steps;
use super::{Failure, Status, radar_from_depth};
use crate::sim::{
    ExportOptions, ExportedSensors, RecordOptions, SceneError, SceneFile, Simulation, SimulationError,
    export, record,
};

#[derive(Args)]
pub(super) struct SimulateArguments {
    /// Scene files, as in config/scenes; several only with --arrays, which takes them in turn
    #[arg(required_unless_present = "radar_from_depth", conflicts_with = "radar_from_depth")]
    scenes: Vec<PathBuf>,
    /// New folder of the rosbag2, or of the arrays
    #[arg(long)]
    out: PathBuf,
    /// Camera frames
    #[arg(long, default_value_t = NonZero::<u64>::MIN.saturating_add(99))]
    frames: NonZero<u64>,
    /// Equal seeds give equal files; training must leave 800000 and above alone
    #[arg(long)]
    seed: u64,
    /// Write arrays to train on instead of a recording
    #[arg(long, conflicts_with = "radar_from_depth")]
    arrays: bool,
    /// With --arrays: what to simulate
    #[arg(long, value_delimiter = ',', default_value = "camera,lidar,radar", requires = "arrays")]
    sensors: Vec<Sensor>,
    /// With --arrays: columns x rows of the images, over what the scene says
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = image_size, requires = "arrays")]
    image_size: Option<[u32; 2]>,
    /// With --arrays: frames before the next seed is drawn
    #[arg(long, default_value = "10", requires = "arrays")]
    frames_per_scene: NonZero<u64>,
    /// With --arrays: take every n-th image
    #[arg(long, default_value = "5", requires = "arrays")]
    every: NonZero<u64>,
    #[command(flatten)]
    radar_from_depth: radar_from_depth::RadarFromDepthArguments,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Sensor {
    Camera,
    Lidar,
    Radar,
}

pub(super) fn run(arguments: &SimulateArguments) -> Result<Status, Failure> {
    if arguments.radar_from_depth.is_asked_for() {
        return radar_from_depth::run(&arguments.radar_from_depth, arguments.seed, &arguments.out);
    }
    let mut scenes =
        arguments.scenes.iter().map(|path| SceneFile::load(path)).collect::<Result<Vec<_>, _>>()?;
    if let Some([width, height]) = arguments.image_size {
        for scene in &mut scenes {
            (scene.sensors.camera.width, scene.sensors.camera.height) = (width, height);
        }
    }
    if arguments.arrays {
        return write_arrays(arguments, &scenes);
    }
    let [scene] = scenes.as_slice() else {
        let found = scenes.len();
        return Err(Failure::Configuration(format!("expected one scene for a recording, found {found}")));
    };
    write_recording(arguments, scene)
}

fn write_recording(arguments: &SimulateArguments, scene: &SceneFile) -> Result<Status, Failure> {
    let started = Instant::now();
    let simulation = simulate(scene, arguments.seed)?;
    let frames = arguments.frames.get();
    let options = RecordOptions {
        out: arguments.out.clone(),
        frames,
        remarks: vec![
            ("isobath_simulator".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ("isobath_scene".to_owned(), scene.name.clone()),
            ("isobath_scene_file".to_owned(), scene.text.clone()),
            ("isobath_seed".to_owned(), arguments.seed.to_string()),
        ],
    };
    let mut steps = Steps::new("frames", frames);
    record(&simulation, &options, |done| steps.at(done))?;
    drop(steps);
    done(frames, started, arguments)
}

fn write_arrays(arguments: &SimulateArguments, scenes: &[SceneFile]) -> Result<Status, Failure> {
    let started = Instant::now();
    let has = |sensor| arguments.sensors.contains(&sensor);
    let options = ExportOptions {
        out: arguments.out.clone(),
        frames: arguments.frames.get(),
        frames_per_scene: arguments.frames_per_scene,
        every: arguments.every,
        sensors: ExportedSensors {
            camera: has(Sensor::Camera),
            lidar: has(Sensor::Lidar),
            radar: has(Sensor::Radar),
        },
        scenes: scenes.iter().map(|scene| scene.name.clone()).collect(),
    };
    let mut steps = Steps::new("frames", options.frames);
    let make = |number: u64| match scenes.get((number % scenes.len() as u64) as usize) {
        Some(scene) => simulate(scene, arguments.seed + number),
        None => Err(SimulationError::NoFrames.into()),
    };
    export(&options, make, |done| steps.at(done))?;
    drop(steps);
    done(options.frames, started, arguments)
}

fn simulate(file: &SceneFile, seed: u64) -> Result<Simulation, Failure> {
    let scene = file.build(seed)?;
    Ok(Simulation::new(scene.world, scene.robot, &file.sensors, seed)?)
}

fn done(frames: u64, started: Instant, arguments: &SimulateArguments) -> Result<Status, Failure> {
    let seconds = started.elapsed().as_secs_f64();
    let rate = frames as f64 / seconds.max(1e-9);
    let out = arguments.out.display();
    print(&format!("{frames} frames in {seconds:.1} s ({rate:.1} a second) in {out}\n"))?;
    Ok(Status::Fine)
}

fn image_size(text: &str) -> Result<[u32; 2], String> {
    /// No camera is larger, and its buffers would not fit.
    const MOST: u32 = 8192;
    let parse = |part: &str| part.parse().ok().filter(|length| (1..=MOST).contains(length));
    text.split_once('x')
        .and_then(|(width, height)| Some([parse(width)?, parse(height)?]))
        .ok_or_else(|| format!("expected columns x rows from 1 to {MOST}, as 320x240, found '{text}'"))
}

impl From<SceneError> for Failure {
    fn from(error: SceneError) -> Self {
        Self::Configuration(error.to_string())
    }
}

impl From<SimulationError> for Failure {
    fn from(error: SimulationError) -> Self {
        Self::Configuration(error.to_string())
    }
}
