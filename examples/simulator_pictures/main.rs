//! The pictures of `docs/simulator.md` and `docs/corruptions.md`: every scene as its sensors see it, and every
//! corruption at three severities.
//!
//! `cargo run --release --example simulator_pictures [-- --out docs/images]` in the repository.

#![allow(clippy::print_stdout, reason = "its purpose")]

mod panels;
mod recorded;
mod sheet;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Parser;
use isobath::bag::UnpackWatch;
use isobath::sim::corrupt::{CorruptOptions, CorruptWatch, Kind, SensorKind, Severity, corrupt};
use isobath::sim::{RecordOptions, SceneFile, Simulation, record};

use panels::{Look, panel};
use recorded::Recorded;
use sheet::Sheet;

#[derive(Parser)]
struct Options {
    /// Folder of the pictures
    #[arg(long, default_value = "docs/images")]
    out: PathBuf,
    /// Seed of the scenes
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Image to show, counted from 0
    #[arg(long, default_value_t = 12)]
    image: u64,
}

/// Whoever corrupts asks how it goes; nobody waits for this.
struct Quiet;

impl CorruptWatch for Quiet {
    fn at(&mut self, _seconds: f64, _of: f64) {}

    fn unpacking(&self) -> Option<UnpackWatch> {
        None
    }
}

fn main() -> Result<()> {
    let options = Options::parse();
    let scratch = tempfile::tempdir()?;
    std::fs::create_dir_all(&options.out)?;
    let mut files: Vec<PathBuf> =
        std::fs::read_dir("config/scenes")?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();
    let mut sheet = Sheet::new(files.len(), Look::ALL.len());
    for (row, file) in files.iter().enumerate() {
        let bag = scratch.path().join(format!("scene_{row}"));
        let name = simulate(file, &options, &bag)?;
        let recorded = Recorded::load(&bag)?;
        let stamp = recorded.image_stamp(options.image as usize)?;
        for (column, look) in Look::ALL.into_iter().enumerate() {
            let title = format!("{name}: {}", look.title());
            sheet.place(row, column, panel(&recorded, &recorded, look, stamp)?, &title)?;
        }
        println!("{name}");
    }
    sheet.save(&options.out.join("scenes.jpg"))?;

    for (sensor, scene, file) in [
        (SensorKind::Camera, "warehouse", "corruptions_camera.jpg"),
        (SensorKind::Lidar, "street", "corruptions_lidar.jpg"),
        (SensorKind::Radar, "warehouse", "corruptions_radar.jpg"),
    ] {
        let scene = Path::new("config/scenes").join(scene).with_extension("yaml");
        corruptions(sensor, &scene, &options, scratch.path())?.save(&options.out.join(file))?;
    }
    Ok(())
}

fn simulate(file: &Path, options: &Options, bag: &Path) -> Result<String> {
    let scene = SceneFile::load(file)?;
    let built = scene.build(options.seed)?;
    let simulation = Simulation::new(built.world, built.robot, &scene.sensors, options.seed)?;
    // A little more, for sweeps and scans that come late.
    let frames = options.image + 4;
    record(&simulation, &RecordOptions { out: bag.to_owned(), frames, remarks: Vec::new() }, |_| ())?;
    Ok(scene.name)
}

/// A row for each kind of a sensor's corruptions: the clean recording, then severities 1, 3 and 5.
fn corruptions(sensor: SensorKind, scene: &Path, options: &Options, scratch: &Path) -> Result<Sheet> {
    let kinds: Vec<Kind> = Kind::ALL.iter().copied().filter(|kind| kind.sensor() == sensor).collect();
    let bag =
        scratch.join(format!("clean_{}", kinds.first().context("a sensor without corruptions")?.as_str()));
    simulate(scene, options, &bag)?;
    let clean = Recorded::load(&bag)?;
    let stamp = clean.image_stamp(options.image as usize)?;
    let look = match sensor {
        SensorKind::Camera => Look::Camera,
        SensorKind::Lidar => Look::Lidar,
        SensorKind::Radar => Look::Radar,
    };
    let mut sheet = Sheet::new(kinds.len(), 4);
    for (row, kind) in kinds.into_iter().enumerate() {
        sheet.place(row, 0, panel(&clean, &clean, look, stamp)?, "clean")?;
        for (column, level) in [(1, "1"), (2, "3"), (3, "5")] {
            let out = scratch.join(format!("{}_{level}", kind.as_str()));
            let severity: Severity = level.parse()?;
            let options = CorruptOptions {
                bag: bag.clone(),
                kinds: vec![kind],
                severity,
                seed: options.seed,
                topics: Vec::new(),
                out: out.clone(),
            };
            let summary = corrupt(&options, &mut Quiet)?;
            if let Some(damage) = summary.damage {
                bail!("{damage}");
            }
            let recorded = Recorded::load(&out)?;
            let title = format!("{} {level}", kind.as_str());
            sheet.place(row, column, panel(&recorded, &clean, look, stamp)?, &title)?;
            std::fs::remove_dir_all(&out)?;
        }
        println!("{}", kind.as_str());
    }
    Ok(sheet)
}
