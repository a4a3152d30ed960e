//! Simulated radars beside real ones: returns a frame of a TI radar indoors, and what an ARS548 sees outdoors.
//!
//! `cargo run --release --example radar_realism -- [seeds] [plot.svg]` in the repository.

#![allow(clippy::print_stdout, reason = "its purpose")]

mod histogram;
mod plot;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use isobath::bag::{Bag, ReadFilter};
use isobath::message::{PointCloud2, from_cdr};
use isobath::sensor::{PointCloudView, RadarPreset, decode_radar};
use isobath::sim::{RadarFile, SceneFile, Simulation};

use histogram::Comparison;
use plot::Plot;

/// Frames of a seed, a second apart.
const FRAMES: u64 = 5;
/// Returns a frame of a real AWR1843AOP indoors: least, median, most.
const REAL_TI: [usize; 3] = [19, 41, 87];

/// What is compared of a return.
#[derive(Clone, Copy)]
pub struct Seen {
    /// Metres.
    pub range_m: f32,
    /// To the left.
    pub azimuth_deg: f32,
    /// Up.
    pub elevation_deg: f32,
    /// Positive when receding, percent of the car's speed: cars differ in speed.
    pub range_rate_percent: f32,
    /// Cross-section.
    pub rcs_dbsm: f32,
}

/// The frames of a radar.
#[derive(Default)]
pub struct Frames {
    /// Returns of each, sorted.
    pub counts: Vec<usize>,
    /// All returns.
    pub seen: Vec<Seen>,
    /// Those of the first frame of the first seed.
    pub first: Vec<Seen>,
    ghosts: usize,
    seconds: f64,
}

impl Frames {
    /// Least, median and most returns.
    fn spread(&self) -> [usize; 3] {
        let last = self.counts.len().saturating_sub(1);
        [0, last / 2, last].map(|index| self.counts.get(index).copied().unwrap_or(0))
    }

    fn row(&self, what: &str) -> String {
        let [least, median, most] = self.spread();
        let ghosts = 100.0 * self.ghosts as f64 / self.seen.len().max(1) as f64;
        let ms = 1e3 * self.seconds / self.counts.len().max(1) as f64;
        format!("| {what} | {least} | {median} | {most} | {ghosts:.0} % | {ms:.1} |")
    }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let seeds = arguments.next().map_or(Ok(8), |text| text.parse()).context("expected a number of seeds")?;
    let plot_to = arguments.next();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // One core, whatever the machine has.
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global()?;
    let real = real_ars548(&root.join("tests/data/real_sensors"))?;
    println!("| radar, scene | least | median | most returns a frame | ghosts | ms a scan |");
    println!("|---|---|---|---|---|---|");
    let [least, median, most] = REAL_TI;
    println!("| AWR1843AOP, real, indoors | {least} | {median} | {most} | | |");
    let run = |model: &str, scene: &str| {
        let frames = simulate(&root.join("config/scenes").join(scene).with_extension("yaml"), model, seeds)?;
        println!("{}", frames.row(&format!("{model}, {scene}")));
        anyhow::Ok(frames)
    };
    let mut indoors = Vec::new();
    for scene in ["warehouse", "hall", "corridor"] {
        indoors.push((scene, run("awr1843", scene)?.counts));
    }
    println!("| ARS548, real, street, one frame | | {} | | | |", real.len());
    let street = run("ars548", "street")?;
    for scene in ["yard", "field"] {
        run("ars548", scene)?;
    }
    let comparisons = Comparison::all(&real, &street.seen);
    println!(
        "\n| ars548, street | real: 10 %, median, 90 % | simulated | earth mover's distance | misplaced |"
    );
    println!("|---|---|---|---|---|");
    for comparison in &comparisons {
        println!("{}", comparison.row());
    }
    comparisons.iter().for_each(Comparison::print);
    if let Some(path) = plot_to {
        let mut plot = Plot::default();
        plot.counts(&indoors, REAL_TI);
        for comparison in &comparisons {
            plot.histogram(comparison);
        }
        plot.birds_eye("real ARS548", &real, plot::REAL);
        plot.birds_eye("simulated ars548", &street.first, plot::SIMULATED);
        std::fs::write(&path, plot.finish()).with_context(|| format!("writing {path}"))?;
    }
    Ok(())
}

fn simulate(scene: &Path, model: &str, seeds: u64) -> Result<Frames> {
    let mut file = SceneFile::load(scene)?;
    let radar = file.sensors.radars.iter().find(|radar| radar.model == model).cloned();
    let radar = radar.unwrap_or_else(|| RadarFile { model: model.to_owned(), ..RadarFile::default() });
    file.sensors.radars = vec![radar];
    let mut frames = Frames::default();
    for seed in 0..seeds {
        let built = file.build(seed)?;
        let simulation = Simulation::new(built.world, built.robot, &file.sensors, seed)?;
        for frame in 0..FRAMES {
            let rate_hz = simulation.radars.first().context("the radar is there")?.rate_hz();
            let number = (frame as f64 * rate_hz) as u64;
            let started = Instant::now();
            let scan = simulation.scan(0, number).context("the radar is there")?;
            frames.seconds += started.elapsed().as_secs_f64();
            frames.counts.push(scan.returns.len());
            frames.ghosts += scan.returns.iter().filter(|item| item.is_ghost).count();
            let way = scan.motion.end.position - scan.motion.start.position;
            let speed_mps = (way.length() / scan.motion.span_s as f32).max(0.1);
            frames.seen.extend(scan.returns.iter().map(|item| Seen {
                range_m: item.range_m,
                azimuth_deg: item.azimuth_rad.to_degrees(),
                elevation_deg: item.elevation_rad.to_degrees(),
                range_rate_percent: 100.0 * item.range_rate_mps / speed_mps,
                rcs_dbsm: item.rcs_dbsm,
            }));
            if seed == 0 && frame == 0 {
                frames.first.clone_from(&frames.seen);
            }
        }
    }
    frames.counts.sort_unstable();
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
    // What stands ahead comes as fast as the car drives, and most stands.
    let mut ahead: Vec<f32> = returns.iter().map(|item| -item.range_rate_mps).collect();
    ahead.sort_by(f32::total_cmp);
    let speed_mps = ahead.get(ahead.len() * 9 / 10).copied().context("an empty cloud")?;
    let seen = returns.iter().map(|item| {
        let [x, y, z] = item.position;
        Seen {
            range_m: x.hypot(y).hypot(z),
            azimuth_deg: y.atan2(x).to_degrees(),
            elevation_deg: z.atan2(x.hypot(y)).to_degrees(),
            range_rate_percent: 100.0 * item.range_rate_mps / speed_mps,
            rcs_dbsm: item.rcs_dbsm,
        }
    });
    Ok(seen.collect())
}
