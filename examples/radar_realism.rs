//! Simulated radars beside real ones: returns a frame of a TI radar indoors, and what an ARS548 sees in a
//! street.
//!
//! `cargo run --release --example radar_realism [seeds]` in the repository.

#![allow(clippy::print_stdout, reason = "its purpose")]

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use isobath::bag::{Bag, ReadFilter};
use isobath::message::{PointCloud2, from_cdr};
use isobath::sensor::{PointCloudView, RadarPreset, decode_radar};
use isobath::sim::{RadarFile, SceneFile, Simulation};

/// Frames of a seed, a second apart.
const FRAMES: u64 = 5;

/// What is compared of a return.
#[derive(Clone, Copy)]
struct Seen {
    range_m: f32,
    azimuth_deg: f32,
    elevation_deg: f32,
    range_rate_mps: f32,
    rcs_dbsm: f32,
}

/// The frames of a radar.
#[derive(Default)]
struct Frames {
    counts: Vec<usize>,
    seen: Vec<Seen>,
    ghosts: usize,
    seconds: f64,
}

fn main() -> Result<()> {
    let seeds =
        std::env::args().nth(1).map_or(Ok(6), |text| text.parse()).context("expected a number of seeds")?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    println!("| radar, scene | returns a frame: least, median, most | ghosts and false alarms | ms a scan |");
    println!("|---|---|---|---|");
    println!("| AWR1843AOP, real, indoors | 19, 41, 87 | | |");
    let mut scenes: Vec<_> = std::fs::read_dir(root.join("config/scenes"))?.collect::<Result<_, _>>()?;
    scenes.sort_by_key(std::fs::DirEntry::path);
    for scene in &scenes {
        simulate(&scene.path(), "awr1843", seeds)?;
    }
    let real = real_ars548(&root.join("tests/data/real_sensors"))?;
    println!("| ARS548, real, street | {} | | |", real.len());
    let mut street = None;
    for scene in &scenes {
        let frames = simulate(&scene.path(), "ars548", seeds)?;
        if scene.path().ends_with("street.yaml") {
            street = Some(frames);
        }
    }
    let Some(street) = street else { bail!("expected config/scenes/street.yaml") };
    compare("range, m", &real, &street.seen, &[0, 10, 20, 40, 60, 80, 120, 160, 200, 250, 300], |s| {
        s.range_m
    });
    compare("azimuth, °", &real, &street.seen, &[-60, -40, -20, -10, 0, 10, 20, 40, 60], |s| s.azimuth_deg);
    compare("elevation, °", &real, &street.seen, &[-25, -10, -5, -2, 0, 2, 5, 10, 25], |s| s.elevation_deg);
    compare(
        "cross-section, dBsm",
        &real,
        &street.seen,
        &[-60, -20, -15, -10, -5, 0, 5, 10, 15, 20, 60],
        |s| s.rcs_dbsm,
    );
    // The speeds of the two cars differ: shares of its own speed.
    let speed = |seen: &[Seen]| {
        let mut ahead: Vec<f32> = seen.iter().map(|s| -s.range_rate_mps).collect();
        ahead.sort_by(f32::total_cmp);
        ahead.get(ahead.len() * 9 / 10).copied().unwrap_or(1.0).max(0.1)
    };
    let percent = |seen: &[Seen]| -> Vec<Seen> {
        let speed = speed(seen);
        seen.iter().map(|s| Seen { range_rate_mps: 100.0 * s.range_rate_mps / speed, ..*s }).collect()
    };
    let bins = [-1000, -110, -100, -95, -90, -80, -70, -50, 0, 1000];
    compare("range rate, % of the car's speed", &percent(&real), &percent(&street.seen), &bins, |s| {
        s.range_rate_mps
    });
    Ok(())
}

fn simulate(scene: &Path, model: &str, seeds: u64) -> Result<Frames> {
    let mut file = SceneFile::load(scene)?;
    file.sensors.radars = vec![RadarFile { model: model.to_owned(), ..RadarFile::default() }];
    let mut frames = Frames::default();
    for seed in 0..seeds {
        let built = file.build(seed)?;
        let simulation = Simulation::new(built.world, built.robot, &file.sensors, seed)?;
        for frame in 0..FRAMES {
            let number = (frame as f64 * simulation.radars[0].rate_hz()) as u64;
            let started = Instant::now();
            let scan = simulation.scan(0, number).context("the radar is there")?;
            frames.seconds += started.elapsed().as_secs_f64();
            frames.counts.push(scan.returns.len());
            frames.ghosts += scan.returns.iter().filter(|item| item.is_ghost).count();
            frames.seen.extend(scan.returns.iter().map(|item| Seen {
                range_m: item.range_m,
                azimuth_deg: item.azimuth_rad.to_degrees(),
                elevation_deg: item.elevation_rad.to_degrees(),
                range_rate_mps: item.range_rate_mps,
                rcs_dbsm: item.rcs_dbsm,
            }));
        }
    }
    frames.counts.sort_unstable();
    let counts = &frames.counts;
    let at = |share: usize| counts.get((counts.len() - 1) * share / 100).copied().unwrap_or(0);
    println!(
        "| {model}, {} | {}, {}, {} | {:.0} % | {:.1} |",
        file.name,
        at(0),
        at(50),
        at(100),
        100.0 * frames.ghosts as f64 / frames.seen.len().max(1) as f64,
        1e3 * frames.seconds / counts.len() as f64
    );
    Ok(frames)
}

fn real_ars548(bag: &Path) -> Result<Vec<Seen>> {
    let bag = Bag::open(bag)?;
    let topic = bag.info().topic_index("/radar_ars548/points").context("no ARS548 in the sample")?;
    let mut messages = bag.messages(&ReadFilter { topics: Some(vec![topic]), ..ReadFilter::default() })?;
    let message = messages.next().context("an empty topic")??;
    let cloud: PointCloud2<'_> = from_cdr(&message.data)?;
    let mut returns = Vec::new();
    decode_radar(&PointCloudView::new(&cloud)?, RadarPreset::Ars548, 1.0, &mut returns)?;
    let seen = returns.iter().map(|item| {
        let [x, y, z] = item.position;
        Seen {
            range_m: x.hypot(y).hypot(z),
            azimuth_deg: y.atan2(x).to_degrees(),
            elevation_deg: z.atan2(x.hypot(y)).to_degrees(),
            range_rate_mps: item.range_rate_mps,
            rcs_dbsm: item.rcs_dbsm,
        }
    });
    Ok(seen.collect())
}

/// Prints the shares of two sets in bins.
fn compare(what: &str, real: &[Seen], simulated: &[Seen], bins: &[i32], of: impl Fn(&Seen) -> f32) {
    println!("\n| {what} | real, % | simulated, % |\n|---|---|---|");
    for pair in bins.windows(2) {
        let [low, high] = pair else { continue };
        let share = |seen: &[Seen]| {
            let inside = |s: &&Seen| (*low as f32..*high as f32).contains(&of(s));
            100.0 * seen.iter().filter(inside).count() as f64 / seen.len().max(1) as f64
        };
        println!("| {low}…{high} | {:.1} | {:.1} |", share(real), share(simulated));
    }
}
