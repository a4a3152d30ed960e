//! A recording made for the demo.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use isobath::sim::{RecordOptions, SceneFile, Simulation, record};

/// Images simulated: some seconds, which the player repeats.
const FRAMES: u64 = 30;
/// Of the scenes that nothing is trained or tested on.
const SEED: u64 = 799_999;

/// A simulated recording, removed when it is dropped.
pub struct Simulated {
    folder: tempfile::TempDir,
}

impl Simulated {
    /// The rosbag2.
    pub fn bag(&self) -> PathBuf {
        self.folder.path().join("bag")
    }
}

/// Simulates the scene file at `path`.
pub fn simulate(path: &Path) -> Result<Simulated> {
    let file = SceneFile::load(path)?;
    let scene = file.build(SEED)?;
    let simulation = Simulation::new(scene.world, scene.robot, &file.sensors, SEED)?;
    let simulated = Simulated { folder: tempfile::tempdir().context("cannot make a folder")? };
    println!("Simulating {FRAMES} frames of {}", path.display());
    let options = RecordOptions { out: simulated.bag(), frames: FRAMES, remarks: Vec::new() };
    record(&simulation, &options, |_| {})?;
    Ok(simulated)
}
