//! Looks at scenes: a plainly lit view along the robot's heading and one from above as PNG, and what the
//! scene is like for depth and detection.
//!
//! `cargo run --release --example scene_views -- config/scenes/street.yaml --seeds 0..8 --out /tmp/views`

#![allow(clippy::print_stdout, reason = "its purpose")]

mod figures;
mod pictures;

use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;
use isobath::sim::{Scene, SceneFile};

use figures::{Figures, GRIDS, LIDARS, MOMENTS};

#[derive(Parser)]
struct Options {
    /// Scene files
    #[arg(required = true)]
    scenes: Vec<PathBuf>,
    /// First seed and the one after the last
    #[arg(long, default_value = "0..1")]
    seeds: String,
    /// Where pictures go; none are made without it
    #[arg(long)]
    out: Option<PathBuf>,
    /// Height from which the view from above looks down, metres
    #[arg(long, default_value_t = 2.6)]
    above: f32,
    /// How much it shows, metres
    #[arg(long, default_value_t = 100.0)]
    extent: f32,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let (first, end) = options.seeds.split_once("..").context("--seeds: expected a..b")?;
    let seeds = first.parse()?..end.parse::<u64>()?;
    let mut rows = Vec::new();
    for path in &options.scenes {
        let file = SceneFile::load(path)?;
        let mut all = Vec::new();
        for seed in seeds.clone() {
            let (scene, build_ms) = build(&file, seed)?;
            let figures = Figures::new(&scene, build_ms)?;
            println!("{} {seed}: {}", scene.name, figures.line());
            all.push(figures);
            if let Some(folder) = &options.out {
                std::fs::create_dir_all(folder)?;
                let picture = |kind: &str| folder.join(format!("{}_{seed}_{kind}.png", scene.name));
                let snapshot = scene.world.during(0.0, 0.0);
                pictures::front(&scene, &snapshot).save(picture("front"))?;
                pictures::above(&scene, &snapshot, [options.above, options.extent]).save(picture("above"))?;
            }
        }
        rows.push((file.name, all));
    }
    println!(
        "\n| scene | boxes: least, median | ≤ 20 points | half hidden | log depth | triangles | CPU ms to build |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (name, all) in &rows {
        println!("| {name} | {}", difficulty(all));
    }
    println!("\n| scene, cell | {} |", occupancy_heads().join(" | "));
    println!("|---|{}", "---|".repeat(LIDARS.len() * GRIDS.len()));
    for (name, all) in &rows {
        println!("| {name} {}", occupancy(all));
    }
    Ok(())
}

/// A scene and what it takes to build it, the better of two tries, milliseconds.
fn build(file: &SceneFile, seed: u64) -> anyhow::Result<(Scene, f64)> {
    let timed = || -> anyhow::Result<(Scene, f64)> {
        let begin = cpu_ms();
        let scene = file.build(seed)?;
        Ok((scene, cpu_ms() - begin))
    };
    let ((_, one), (scene, other)) = (timed()?, timed()?);
    Ok((scene, one.min(other)))
}

/// What this thread has used of a processor, milliseconds; 0 where the system does not tell.
fn cpu_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|used| used.parse::<f64>().ok()).unwrap_or(0.0) * 1e-6
}

/// The rest of a row of the first table.
fn difficulty(all: &[Figures]) -> String {
    let sum = |of: fn(&Figures) -> usize| all.iter().map(of).sum::<usize>();
    let percent = |of| 100.0 * sum(of) as f64 / sum(|figures| figures.boxes).max(1) as f64;
    let boxes = sorted(all.iter().map(|figures| figures.boxes as f64 * 20.0 / f64::from(MOMENTS)));
    let depth = sorted(all.iter().map(|figures| f64::from(figures.log_depth)));
    let triangles = sorted(all.iter().map(|figures| figures.triangles as f64));
    let build = sorted(all.iter().map(|figures| figures.build_ms));
    let at = |values: &[f64], share: usize| {
        values.get((values.len().saturating_sub(1)) * share / 100).copied().unwrap_or(0.0)
    };
    format!(
        "{:.0}, {:.0} | {:.0} % | {:.0} % | {:.2} | {:.0}, {:.0} k | {:.0}, {:.0} |",
        at(&boxes, 0),
        at(&boxes, 50),
        percent(|figures| figures.thin),
        percent(|figures| figures.hidden),
        at(&depth, 50),
        at(&triangles, 50) / 1e3,
        at(&triangles, 100) / 1e3,
        at(&build, 50),
        at(&build, 100),
    )
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn occupancy_heads() -> Vec<String> {
    let of = |name: &str| GRIDS.map(|cells| format!("{name}, {cells}²"));
    LIDARS.iter().flat_map(|name| of(name)).collect()
}

/// The rest of a row of the second table: medians without and with the ground.
fn occupancy(all: &[Figures]) -> String {
    let cell = all.first().map_or(0.0, |figures| figures.cell_m);
    let columns = (0..LIDARS.len() * GRIDS.len()).map(|column| {
        let median = |side: usize| {
            let values = sorted(all.iter().map(|f| f.occupied.get(column).map_or(0.0, |pair| pair[side])));
            values.get(values.len() / 2).copied().unwrap_or(0.0)
        };
        format!("{:.1} / {:.1} %", median(0), median(1))
    });
    format!("{cell} m | {} |", columns.collect::<Vec<_>>().join(" | "))
}
