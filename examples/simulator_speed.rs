//! How fast the simulator is: the tables of `docs/simulator.md`. Recordings hold all sensors and the truth,
//! arrays only what is named; both include building the scenes. Best on a machine with nothing else to do.
//!
//! `cargo run --release --example simulator_speed` in the repository.

#![allow(clippy::print_stdout, reason = "its purpose")]

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use isobath::sim::{
    ExportOptions, ExportedSensors, RecordOptions, SceneFile, Simulation, SimulationError, export, record,
};

/// Images of a recording.
const FRAMES: u64 = 40;
/// Frames of the arrays.
const ARRAY_FRAMES: u64 = 240;
/// Frames of a scene before the next seed.
const FRAMES_PER_SCENE: u64 = 10;
/// Images from one frame to the next.
const EVERY: u64 = 5;
const SEED: u64 = 3;
/// Lengths of the warehouse that grows, metres.
const LENGTHS_M: [u32; 4] = [25, 50, 100, 200];

fn main() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut counts: Vec<usize> =
        (0..usize::BITS).map(|power| 1 << power).take_while(|&n| n < cores).collect();
    counts.push(cores);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir("config/scenes")?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();

    let header: Vec<String> =
        counts.iter().map(|n| format!("{n} thread{}", if *n == 1 { "" } else { "s" })).collect();
    println!("| recording, frames a second | triangles | scene, ms | {} |", header.join(" | "));
    println!("|---|---|---|{}", "---|".repeat(counts.len()));
    for file in &files {
        let scene = SceneFile::load(file)?;
        recording(&scene, &scene.name, &counts, scratch.path())?;
    }
    for length_m in LENGTHS_M {
        // The key's first line in the shipped file.
        let text = std::fs::read_to_string("config/scenes/warehouse.yaml")?;
        let text = text.replace("length_m: [44, 70]", &format!("length_m: {length_m}"));
        let text = text.replace("width_m: [24, 40]", "width_m: 30");
        let path = scratch.path().join("warehouse.yaml");
        std::fs::write(&path, text)?;
        recording(
            &SceneFile::load(&path)?,
            &format!("warehouse, {length_m} × 30 m"),
            &counts,
            scratch.path(),
        )?;
    }

    println!("\n| arrays, all scenes in turn, frames a second | {} |", header.join(" | "));
    println!("|---|{}", "---|".repeat(counts.len()));
    let none = ExportedSensors { camera: false, lidar: false, radar: false };
    let camera = ExportedSensors { camera: true, radar: true, ..none };
    arrays("camera 320 × 240, depth, radar", &files, camera, &counts, scratch.path())?;
    arrays("LiDAR, boxes", &files, ExportedSensors { lidar: true, ..none }, &counts, scratch.path())
}

/// One line: all sensors of a scene.
fn recording(scene: &SceneFile, name: &str, threads: &[usize], scratch: &Path) -> Result<()> {
    let started = Instant::now();
    let built = scene.build(SEED)?;
    let build_ms = 1e3 * started.elapsed().as_secs_f64();
    print!("| {name} | {} | {build_ms:.0} |", built.world.triangle_count());
    for &threads in threads {
        let rate = in_threads(threads, || -> Result<f64> {
            let out = scratch.join("recording");
            let started = Instant::now();
            let built = scene.build(SEED)?;
            let simulation = Simulation::new(built.world, built.robot, &scene.sensors, SEED)?;
            record(
                &simulation,
                &RecordOptions { out: out.clone(), frames: FRAMES, remarks: Vec::new() },
                |_| (),
            )?;
            let rate = FRAMES as f64 / started.elapsed().as_secs_f64();
            std::fs::remove_dir_all(&out)?;
            Ok(rate)
        })??;
        print!(" {rate:.1} |");
    }
    println!();
    Ok(())
}

/// One line: some sensors of all scenes.
fn arrays(
    name: &str,
    files: &[PathBuf],
    sensors: ExportedSensors,
    threads: &[usize],
    scratch: &Path,
) -> Result<()> {
    let mut scenes = files.iter().map(|file| SceneFile::load(file)).collect::<Result<Vec<_>, _>>()?;
    for scene in &mut scenes {
        (scene.sensors.camera.width, scene.sensors.camera.height) = (320, 240);
    }
    print!("| {name} |");
    for &threads in threads {
        let rate = in_threads(threads, || -> Result<f64> {
            let options = ExportOptions {
                out: scratch.join("arrays"),
                frames: ARRAY_FRAMES,
                frames_per_scene: NonZero::new(FRAMES_PER_SCENE).context("frames of a scene")?,
                every: NonZero::new(EVERY).context("images from frame to frame")?,
                sensors,
                scenes: scenes.iter().map(|scene| scene.name.clone()).collect(),
            };
            let make = |number: u64| -> Result<Simulation, Failure> {
                let scene = &scenes[(number % scenes.len() as u64) as usize];
                let built = scene.build(SEED + number).map_err(|error| Failure(error.to_string()))?;
                Ok(Simulation::new(built.world, built.robot, &scene.sensors, SEED + number)?)
            };
            let started = Instant::now();
            export(&options, make, |_| ())?;
            let rate = ARRAY_FRAMES as f64 / started.elapsed().as_secs_f64();
            std::fs::remove_dir_all(&options.out)?;
            Ok(rate)
        })??;
        print!(" {rate:.1} |");
    }
    println!();
    Ok(())
}

/// Runs something with so many threads.
fn in_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> Result<T> {
    Ok(rayon::ThreadPoolBuilder::new().num_threads(threads).build()?.install(work))
}

/// Why there is no scene.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Failure(String);

impl From<SimulationError> for Failure {
    fn from(error: SimulationError) -> Self {
        Self(error.to_string())
    }
}
