//! Simulated LiDARs beside real ones: a VLP-16 and a QT64 that stand on desks of offices.
//!
//! `cargo run --release --example lidar_realism [seeds]` in the repository prints tables; a path after the
//! seeds is where the plot goes, as SVG.

#![allow(clippy::print_stdout, reason = "its purpose")]

mod plot;

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Context, Result};
use glam::{Quat, Vec3A};
use isobath::bag::{Bag, ReadFilter};
use isobath::message::{PointCloud2, from_cdr};
use isobath::sensor::PointCloudView;
use isobath::sim::{
    LidarModel, LidarPoint, Placement, Random, Ray, SceneFile, SensorMotion, Snapshot, World, sweep,
};

use plot::{Curve, Panel};

/// Edge of the cells of the bird's-eye grid, metres, and cells along its edge.
const CELL_M: f32 = 0.1;
const CELLS: usize = 256;
/// Desks of a scene that a sensor is put on.
const DESKS: usize = 4;
/// From the desk to the optical centre: what the real sweeps show, metres.
const HEIGHTS_M: [(&str, f32); 2] = [("vlp-16", 0.045), ("qt64", 0.065)];

/// What is compared of a return: metres, sensor frame; intensity as the driver scales it.
#[derive(Clone, Copy)]
struct Seen {
    position: Vec3A,
    intensity: Option<f32>,
}

/// The returns of some sweeps.
#[derive(Default)]
struct Sweeps {
    counts: Vec<usize>,
    rings: Vec<usize>,
    ground: usize,
    cells: usize,
    seen: Vec<Seen>,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let seeds = arguments.next().map_or(Ok(8), |text| text.parse()).context("expected a number of seeds")?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scene = SceneFile::load(&root.join("config/scenes/corridor.yaml"))?;
    let mut panels = Vec::new();
    println!("| sweeps | points: least, median, most | of the pulses | rings | ground | cells |");
    println!("|---|---|---|---|---|---|");
    let mut details = Vec::new();
    for (name, height_m) in HEIGHTS_M {
        let model = LidarModel::named(name).context("a model of the catalogue")?;
        let mut real = Sweeps::default();
        real.add(real_sweep(&root.join("tests/data/real_sensors"), name)?);
        let simulated = simulate(&scene, model, height_m, seeds)?;
        for (whose, sweeps) in [("real", &real), ("simulated", &simulated)] {
            println!("| {name}, {whose}, {} | {}", sweeps.counts.len(), sweeps.line(model));
            details.push((format!("{name}, {whose}"), sweeps.quantiles()));
        }
        panels.extend(panels_of(name, &real, &simulated));
    }
    println!("\n| quantiles | of | 5 % | 25 % | 50 % | 75 % | 95 % |\n|---|---|---|---|---|---|---|");
    for (whose, quantiles) in &details {
        for (what, [a, b, c, d, e]) in quantiles {
            println!("| {whose} | {what} | {a:.1} | {b:.1} | {c:.1} | {d:.1} | {e:.1} |");
        }
    }
    for panel in &panels {
        panel.print();
    }
    if let Some(path) = arguments.next() {
        std::fs::write(&path, plot::svg(&panels)).with_context(|| format!("cannot write {path}"))?;
    }
    Ok(())
}

fn panels_of(name: &str, real: &Sweeps, simulated: &Sweeps) -> Vec<Panel> {
    let panel = |what: &str, width: f32, bins: usize, of: &dyn Fn(&Seen) -> Option<f32>| {
        let curve = |label: &'static str, sweeps: &Sweeps| {
            let values: Vec<f32> = sweeps.seen.iter().filter_map(of).collect();
            Curve::new(label, &values, width, bins)
        };
        let (real, simulated) = (curve("real", real), curve("simulated", simulated));
        Panel { title: format!("{name}: {what}"), width, real, simulated }
    };
    let mut panels = vec![panel("range, m", 0.5, 20, &|seen| Some(seen.position.length()))];
    if real.seen.iter().any(|seen| seen.intensity.is_some()) {
        panels.push(panel("intensity", 5.0, 26, &|seen| seen.intensity));
    }
    panels
}

impl Sweeps {
    fn add(&mut self, seen: Vec<Seen>) {
        self.counts.push(seen.len());
        self.rings.push(rings(&seen));
        self.ground += ground(&seen);
        self.cells += cells(&seen);
        self.seen.extend(seen);
    }

    /// The rest of a row of the first table.
    fn line(&self, model: &LidarModel) -> String {
        let sorted = |values: &[usize]| {
            let mut values = values.to_vec();
            values.sort_unstable();
            values
        };
        let (counts, rings) = (sorted(&self.counts), sorted(&self.rings));
        let at = |values: &[usize], share: usize| {
            values.get(values.len().saturating_sub(1) * share / 100).copied().unwrap_or(0)
        };
        let pulses = model.pulses() * counts.len().max(1);
        format!(
            "{}, {}, {} | {:.0} % | {} | {:.1} % | {:.1} % |",
            at(&counts, 0),
            at(&counts, 50),
            at(&counts, 100),
            100.0 * self.seen.len() as f64 / pulses as f64,
            at(&rings, 50),
            100.0 * self.ground as f64 / self.seen.len().max(1) as f64,
            100.0 * self.cells as f64 / (CELLS * CELLS * counts.len().max(1)) as f64
        )
    }

    fn quantiles(&self) -> Vec<(&'static str, [f32; 5])> {
        let of = |mut values: Vec<f32>| {
            values.sort_by(f32::total_cmp);
            [5, 25, 50, 75, 95].map(|share| {
                values.get(values.len().saturating_sub(1) * share / 100).copied().unwrap_or(f32::NAN)
            })
        };
        let intensities: Vec<f32> = self.seen.iter().filter_map(|seen| seen.intensity).collect();
        let mut quantiles = vec![("range, m", of(self.seen.iter().map(|s| s.position.length()).collect()))];
        if !intensities.is_empty() {
            quantiles.push(("intensity", of(intensities)));
        }
        quantiles
    }
}

/// Rings with returns: elevations that differ by more than a quarter of a degree from the next lower one.
fn rings(seen: &[Seen]) -> usize {
    let elevation = |seen: &Seen| (seen.position.z / seen.position.length()).asin().to_degrees();
    let mut elevations: Vec<f32> = seen.iter().map(elevation).collect();
    elevations.sort_by(f32::total_cmp);
    usize::from(!elevations.is_empty())
        + elevations.windows(2).filter(|pair| pair[1] - pair[0] > 0.25).count()
}

/// Returns from the floor: those about the lowest level, at least 0.6 m below the sensor, that has one in 500
/// of all.
fn ground(seen: &[Seen]) -> usize {
    const STEP_M: f32 = 0.04;
    let about = |z: f32| seen.iter().filter(|seen| (seen.position.z - z).abs() <= STEP_M).count();
    let levels = (0..40).map(|step| -2.2 + STEP_M * step as f32);
    let found: Vec<(f32, usize)> = levels.take_while(|&z| z < -0.6).map(|z| (z, about(z))).collect();
    let Some(first) = found.iter().position(|&(_, count)| 500 * count > seen.len()) else { return 0 };
    // The level's middle is within the next few steps.
    found.iter().skip(first).take(3).map(|&(_, count)| count).max().unwrap_or(0)
}

/// Occupied cells of a bird's-eye grid about the sensor.
fn cells(seen: &[Seen]) -> usize {
    let index = |v: f32| (v / CELL_M + 0.5 * CELLS as f32).floor();
    let inside = |v: &f32| *v >= 0.0 && *v < CELLS as f32;
    let cells = seen.iter().filter_map(|seen| {
        let [x, y] = [seen.position.x, seen.position.y].map(index);
        (inside(&x) && inside(&y)).then_some((x as u16, y as u16))
    });
    cells.collect::<HashSet<_>>().len()
}

fn real_sweep(bag: &Path, name: &str) -> Result<Vec<Seen>> {
    let bag = Bag::open(bag)?;
    let topic = if name == "vlp-16" { "/lidar_vlp16/points" } else { "/lidar_qt64/points" };
    let topic = bag.info().topic_index(topic).context("no such LiDAR in the sample")?;
    let mut messages = bag.messages(&ReadFilter { topics: Some(vec![topic]), ..ReadFilter::default() })?;
    let message = messages.next().context("an empty topic")??;
    let cloud: PointCloud2<'_> = from_cdr(&message.data)?;
    let view = PointCloudView::new(&cloud)?;
    let intensity = view.field("intensity");
    let seen = view.points().enumerate().map(|(index, position)| Seen {
        position: position.into(),
        intensity: intensity.as_ref().map(|field| field.f32(index)),
    });
    Ok(seen.collect())
}

fn simulate(file: &SceneFile, model: &LidarModel, height_m: f32, seeds: u64) -> Result<Sweeps> {
    let mut sweeps = Sweeps::default();
    for seed in 0..seeds {
        let scene = file.build(seed)?;
        let snapshot = scene.world.during(0.0, 1.0 / model.rate_hz());
        for (frame, desk) in (0..).zip(desks(&snapshot, &scene.world, seed)) {
            let mut random = Random::new(seed, &[frame]);
            let start = Placement {
                position: desk + Vec3A::Z * height_m,
                rotation: Quat::from_rotation_z(random.between(0.0, std::f32::consts::TAU)),
            };
            let motion = SensorMotion { start, end: start, span_s: 1.0 / model.rate_hz() };
            let points = sweep(&snapshot, model, &motion, seed, frame);
            let seen =
                |point: &LidarPoint| Seen { position: point.position, intensity: Some(point.intensity) };
            sweeps.add(points.iter().map(seen).collect());
        }
    }
    Ok(sweeps)
}

/// Places on desks with room for a sensor, in different rooms or at different ends of one.
fn desks(snapshot: &Snapshot<'_>, world: &World, seed: u64) -> Vec<Vec3A> {
    let mut random = Random::new(seed, &[1]);
    let mut found: Vec<Vec3A> = Vec::new();
    for _ in 0..200_000 {
        let at = Vec3A::new(random.between(-20.0, 40.0), random.between(-16.0, 16.0), 1.3);
        let top = |x: f32, y: f32| {
            let ray = Ray { origin: at + Vec3A::new(x, y, 0.0), direction: Vec3A::NEG_Z, max_m: 1.0 };
            let hit = snapshot.cast(&ray, 0.0)?;
            let wood = world.materials.get(usize::from(hit.material.0))?.name == "furniture";
            (wood && hit.normal.z > 0.99 && (0.65..0.8).contains(&hit.point.z)).then_some(hit.point)
        };
        let Some(place) = top(0.0, 0.0) else { continue };
        let level = |(x, y): (f32, f32)| top(x, y).is_some_and(|p| (p.z - place.z).abs() < 1e-3);
        let roomy = [(0.08, 0.0), (-0.08, 0.0), (0.0, 0.08), (0.0, -0.08)].into_iter().all(level);
        if roomy && found.iter().all(|other| other.distance(place) > 3.0) {
            found.push(place);
        }
        if found.len() == DESKS {
            break;
        }
    }
    found
}
