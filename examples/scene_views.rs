//! Looks at scenes without their sensors: a plainly lit view along the robot's heading and one from above
//! as PNG, and what the scene is like for depth and detection.
//!
//! `cargo run --release --example scene_views -- config/scenes/street.yaml --seeds 0..8 --out /tmp/views`

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use clap::Parser;
use glam::Vec3A;
use image::{Rgb, RgbImage};
use isobath::sim::{Placement, Ray, Scene, SceneFile, Snapshot};

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
    /// Cells that occupancy is counted in, metres: 0.1 indoors, 0.2 outdoors
    #[arg(long, default_value_t = 0.2)]
    cell: f32,
    /// How much it shows, metres
    #[arg(long, default_value_t = 100.0)]
    extent: f32,
}

/// Where the camera and the LiDAR are above the ground, metres.
const CAMERA_M: f32 = 0.9;
const LIDAR_M: f32 = 1.5;

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let (first, end) = options.seeds.split_once("..").context("--seeds: expected a..b")?;
    println!("scene seed  build_ms triangles  boxes  thin  hidden  logdepth  occupied  with_ground  classes");
    for path in &options.scenes {
        let file = SceneFile::load(path)?;
        for seed in first.parse()?..end.parse::<u64>()? {
            let begin = Instant::now();
            let scene = file.build(seed)?;
            let build_ms = begin.elapsed().as_secs_f64() * 1e3;
            let figures = Figures::new(&scene, options.cell);
            println!(
                "{:9} {seed:4}  {build_ms:8.1} {:9}  {figures}",
                scene.name,
                scene.world.triangle_count()
            );
            if let Some(folder) = &options.out {
                std::fs::create_dir_all(folder)?;
                let picture = |kind: &str| folder.join(format!("{}_{seed}_{kind}.png", scene.name));
                let snapshot = scene.world.during(0.0, 0.0);
                front(&scene, &snapshot).save(picture("front"))?;
                above(&scene, &snapshot, &options).save(picture("above"))?;
            }
        }
    }
    Ok(())
}

/// What a 20-frame recording is like.
struct Figures {
    boxes: usize,
    thin: f32,
    hidden: f32,
    log_depth: f32,
    occupied: f32,
    with_ground: f32,
    classes: String,
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:5}  {:4.2}  {:6.2}  {:8.2}  {:7.2}%  {:10.2}%  {}",
            self.boxes, self.thin, self.hidden, self.log_depth, self.occupied, self.with_ground, self.classes
        )
    }
}

impl Figures {
    fn new(scene: &Scene, cell_m: f32) -> Self {
        const FRAMES: u32 = 4;
        let (mut boxes, mut thin, mut hidden) = (0, 0, 0);
        let (mut log_depth, mut occupied, mut with_ground) = (Vec::new(), 0.0, 0.0);
        let mut classes = std::collections::BTreeMap::new();
        for frame in 0..FRAMES {
            let time = f64::from(frame) * 2.0 / f64::from(FRAMES);
            let snapshot = scene.world.during(time, time);
            let base = scene.robot.placement(time);
            let sweep = Sweep::new(scene, &snapshot, &base);
            for (number, object) in (0..).zip(&scene.world.objects) {
                let Some(class) = object.class else { continue };
                let Some(placement) = snapshot.placement(number, 0.0) else { continue };
                let offset = placement.position - base.position;
                let range = if matches!(class.name(), "car" | "truck" | "bus") { 50.0 } else { 40.0 };
                let points = sweep.visible[number as usize];
                if points == 0 || offset.truncate().length() > range {
                    continue;
                }
                boxes += 1;
                thin += usize::from(points <= 20);
                hidden += usize::from(2 * points <= sweep.reached[number as usize]);
                *classes.entry(class.name()).or_insert(0) += 1;
            }
            let [without, with] = sweep.occupancy(cell_m);
            occupied += without / FRAMES as f32;
            with_ground += with / FRAMES as f32;
            log_depth.push(spread_of_log_depth(&snapshot, &base));
        }
        log_depth.sort_by(f32::total_cmp);
        let share = |count: usize| count as f32 / boxes.max(1) as f32;
        let classes =
            classes.iter().map(|(name, count)| format!("{name} {:.1}", *count as f32 / FRAMES as f32));
        Self {
            boxes: boxes * 20 / FRAMES as usize,
            thin: share(thin),
            hidden: share(hidden),
            log_depth: log_depth[log_depth.len() / 2],
            occupied,
            with_ground,
            classes: classes.collect::<Vec<_>>().join(", "),
        }
    }
}

/// A sweep of 64 beams.
struct Sweep {
    /// Points on each object, and the beams that would meet it if nothing else were there.
    visible: Vec<usize>,
    reached: Vec<usize>,
    /// In the LiDAR's frame, and whether they are on the ground.
    points: Vec<(Vec3A, bool)>,
}

impl Sweep {
    fn new(scene: &Scene, snapshot: &Snapshot<'_>, base: &Placement) -> Self {
        let count = scene.world.objects.len();
        let mut sweep = Self { visible: vec![0; count], reached: vec![0; count], points: Vec::new() };
        let origin = base.point(Vec3A::new(0.0, 0.0, LIDAR_M));
        for beam in 0..64 {
            let (rise, flat) = (22.5 - 45.0 * beam as f32 / 63.0).to_radians().sin_cos();
            for column in 0..1024 {
                let (left, ahead) = (std::f32::consts::TAU * column as f32 / 1024.0).sin_cos();
                let direction = base.rotation * Vec3A::new(flat * ahead, flat * left, rise);
                sweep.beam(scene, snapshot, base, Ray { origin, direction, max_m: 120.0 });
            }
        }
        sweep
    }

    fn beam(&mut self, scene: &Scene, snapshot: &Snapshot<'_>, base: &Placement, mut ray: Ray) {
        let mut met: Vec<u32> = Vec::new();
        let mut first = true;
        for _ in 0..24 {
            let Some(hit) = snapshot.cast(&ray, 0.0) else { break };
            let clear = scene.world.materials[hit.material.0 as usize].transmission > 0.0;
            if let Some(object) = hit.object.filter(|object| !met.contains(object)) {
                met.push(object);
                self.reached[object as usize] += 1;
                self.visible[object as usize] += usize::from(first && !clear);
            }
            if first && !clear {
                let local = base.to_local(hit.point) - Vec3A::new(0.0, 0.0, LIDAR_M);
                let ground = hit.object.is_none() && hit.normal.z > 0.85 && local.z < -0.3;
                self.points.push((local, ground));
                first = false;
            }
            ray.origin = hit.point + 2e-3 * ray.direction;
        }
    }

    /// Share of occupied cells without and with the ground, percent.
    fn occupancy(&self, cell: f32) -> [f32; 2] {
        const CELLS: usize = 512;
        let mut grids = [vec![false; CELLS * CELLS], vec![false; CELLS * CELLS]];
        for &(point, ground) in &self.points {
            let index = |v: f32| (v / cell + 0.5 * CELLS as f32).floor();
            let (column, row) = (index(point.x), index(point.y));
            let inside = |v: f32| v >= 0.0 && v < CELLS as f32;
            if !(inside(column) && inside(row) && point.z.abs() < 5.0) {
                continue;
            }
            let at = row as usize * CELLS + column as usize;
            grids[1][at] = true;
            grids[0][at] |= !ground;
        }
        grids.map(|grid| 100.0 * grid.iter().filter(|&&full| full).count() as f32 / (CELLS * CELLS) as f32)
    }
}

fn camera_ray(base: &Placement, x: f32, y: f32) -> Ray {
    let origin = base.point(Vec3A::new(0.2, 0.0, CAMERA_M));
    let direction = base.rotation * Vec3A::new(1.0, -x, -y).normalize();
    Ray { origin, direction, max_m: 500.0 }
}

/// Standard deviation of the logarithm of depth over an image.
fn spread_of_log_depth(snapshot: &Snapshot<'_>, base: &Placement) -> f32 {
    let (mut sum, mut squares, mut count) = (0.0, 0.0, 0.0);
    for row in 0..90 {
        for column in 0..120 {
            let (x, y) = ((column as f32 - 59.5) / 59.5 * 0.75, (row as f32 - 44.5) / 44.5 * 0.5625);
            let ray = camera_ray(base, x, y);
            let Some(hit) = snapshot.cast(&ray, 0.0) else { continue };
            let depth = base.to_local(hit.point).x - 0.2;
            if (0.2..80.0).contains(&depth) {
                let log = depth.ln();
                (sum, squares, count) = (sum + log, squares + log * log, count + 1.0);
            }
        }
    }
    let mean: f32 = sum / f32::max(count, 1.0);
    (squares / f32::max(count, 1.0) - mean * mean).max(0.0).sqrt()
}

fn shade(scene: &Scene, snapshot: &Snapshot<'_>, ray: &Ray) -> [f32; 3] {
    let mut ray = *ray;
    let mut through = 1.0;
    for _ in 0..6 {
        let Some(hit) = snapshot.cast(&ray, 0.0) else {
            return scene.world.lighting.horizon.map(|c| c * through);
        };
        let material = &scene.world.materials[hit.material.0 as usize];
        if material.transmission > 0.0 {
            through *= material.transmission;
            ray.origin = hit.point + 2e-3 * ray.direction;
            continue;
        }
        let sun = Vec3A::new(0.35, 0.5, 0.79);
        let to_sun = Ray { origin: hit.point + 1e-2 * hit.normal, direction: sun, max_m: 100.0 };
        let lit = if snapshot.is_blocked(&to_sun, 0.0) { 0.0 } else { 0.5 * hit.normal.dot(sun).max(0.0) };
        let light = 0.35 + lit + 0.15 * hit.normal.dot(-ray.direction);
        return [0, 1, 2].map(|k: usize| {
            through * (material.albedo[k] * hit.tint[k] * light + 0.3 * material.emission[k])
        });
    }
    [0.0; 3]
}

fn pixel(rgb: [f32; 3]) -> Rgb<u8> {
    Rgb(rgb.map(|c| (255.0 * c.clamp(0.0, 1.0).powf(1.0 / 2.2)) as u8))
}

fn front(scene: &Scene, snapshot: &Snapshot<'_>) -> RgbImage {
    let base = scene.robot.placement(0.0);
    RgbImage::from_fn(640, 480, |column, row| {
        let (x, y) = ((column as f32 - 319.5) / 319.5 * 0.8, (row as f32 - 239.5) / 239.5 * 0.6);
        pixel(shade(scene, snapshot, &camera_ray(&base, x, y)))
    })
}

fn above(scene: &Scene, snapshot: &Snapshot<'_>, options: &Options) -> RgbImage {
    let base = scene.robot.placement(0.0);
    let mut image = RgbImage::from_fn(800, 800, |column, row| {
        let (x, y) = (0.5 - row as f32 / 800.0, 0.5 - column as f32 / 800.0);
        let local = Vec3A::new(x * options.extent, y * options.extent, options.above);
        let ray = Ray { origin: base.position + local, direction: Vec3A::NEG_Z, max_m: 200.0 };
        pixel(shade(scene, snapshot, &ray))
    });
    // Where the robot drives within a minute.
    for step in 0..600 {
        let offset = scene.robot.placement(f64::from(step) * 0.1).position - base.position;
        let (row, column) = (0.5 - offset.x / options.extent, 0.5 - offset.y / options.extent);
        if (0.0..1.0).contains(&row) && (0.0..1.0).contains(&column) {
            image.put_pixel((column * 800.0) as u32, (row * 800.0) as u32, Rgb([255, 0, 0]));
        }
    }
    image
}
