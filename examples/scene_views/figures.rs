//! What a scene is like for depth and detection.

use std::collections::BTreeMap;

use anyhow::Context;
use glam::Vec3A;
use isobath::sim::{LidarModel, Placement, Ray, Scene, SensorMotion, Snapshot, sweep};

use crate::{pictures::camera_ray, sorted};

/// Where the LiDAR is above the ground, metres.
const LIDAR_M: f32 = 1.5;
/// Moments that are looked at of a 20-frame recording, and for how long it lasts, seconds.
pub const MOMENTS: u32 = 4;
const RECORDING_S: f64 = 2.0;
/// The sensors whose grids are counted.
pub const LIDARS: [&str; 2] = ["vlp-16", "os1-64"];
/// Cells along an edge of the grids.
pub const GRIDS: [usize; 2] = [256, 512];

/// What a recording is like.
pub struct Figures {
    pub build_ms: f64,
    pub triangles: usize,
    /// Scored ones of all moments, those of at most 20 points, those at least half hidden.
    pub boxes: usize,
    pub thin: usize,
    pub hidden: usize,
    pub log_depth: f32,
    pub cell_m: f32,
    /// Of each LiDAR and grid, without and with the ground, percent.
    pub occupied: Vec<[f64; 2]>,
    /// A moment's, by class.
    classes: BTreeMap<&'static str, usize>,
}

impl Figures {
    pub fn new(scene: &Scene, build_ms: f64) -> anyhow::Result<Self> {
        let start = scene.world.during(0.0, 0.0);
        let mut figures = Self {
            build_ms,
            triangles: scene.world.triangle_count(),
            boxes: 0,
            thin: 0,
            hidden: 0,
            log_depth: 0.0,
            cell_m: if is_indoors(&start, &scene.robot.placement(0.0)) { 0.1 } else { 0.2 },
            occupied: vec![[0.0; 2]; LIDARS.len() * GRIDS.len()],
            classes: BTreeMap::new(),
        };
        let mut log_depth = Vec::new();
        for moment in 0..MOMENTS {
            let time = f64::from(moment) * RECORDING_S / f64::from(MOMENTS);
            let snapshot = scene.world.during(time, time);
            let base = scene.robot.placement(time);
            figures.count_boxes(scene, &snapshot, &base);
            log_depth.push(f64::from(spread_of_log_depth(&snapshot, &base)));
            for (lidar, name) in LIDARS.iter().enumerate() {
                let model = LidarModel::named(name).context("a model of the catalogue")?;
                let points = points(&snapshot, model, &base);
                for (grid, &cells) in GRIDS.iter().enumerate() {
                    let shares = occupied_percent(&points, figures.cell_m, cells);
                    let pair = &mut figures.occupied[lidar * GRIDS.len() + grid];
                    *pair = [0, 1].map(|side| pair[side] + shares[side] / f64::from(MOMENTS));
                }
            }
        }
        figures.log_depth = sorted(log_depth.into_iter())[MOMENTS as usize / 2] as f32;
        Ok(figures)
    }

    /// Counts what an ideal sensor of 64 beams and 1024 columns sees of the objects within the range that is
    /// scored.
    fn count_boxes(&mut self, scene: &Scene, snapshot: &Snapshot<'_>, base: &Placement) {
        let seen = Seen::new(scene, snapshot, base);
        for ((number, object), (&points, &reached)) in
            (0..).zip(&scene.world.objects).zip(seen.visible.iter().zip(&seen.reached))
        {
            let (Some(class), Some(placement)) = (object.class, snapshot.placement(number, 0.0)) else {
                continue;
            };
            let distance = (placement.position - base.position).truncate().length();
            let range = if matches!(class.name(), "car" | "truck" | "bus") { 50.0 } else { 40.0 };
            if points == 0 || distance > range {
                continue;
            }
            self.boxes += 1;
            self.thin += usize::from(points <= 20);
            self.hidden += usize::from(2 * points <= reached);
            *self.classes.entry(class.name()).or_insert(0) += 1;
        }
    }

    /// One line of it all.
    pub fn line(&self) -> String {
        let share = |count: usize| 100.0 * count as f64 / self.boxes.max(1) as f64;
        let moments = f64::from(MOMENTS);
        let classes: Vec<_> = self
            .classes
            .iter()
            .map(|(name, &count)| format!("{name} {:.1}", count as f64 / moments))
            .collect();
        let occupied: Vec<_> = self.occupied.iter().map(|[a, b]| format!("{a:.2}/{b:.2}")).collect();
        format!(
            "{:.0} ms, {} triangles, {:.1} boxes, thin {:.0} %, hidden {:.0} %, log depth {:.2}, occupied {} %, {}",
            self.build_ms,
            self.triangles,
            self.boxes as f64 / moments,
            share(self.thin),
            share(self.hidden),
            self.log_depth,
            occupied.join(" "),
            classes.join(", ")
        )
    }
}

/// Whether there is a roof all about.
fn is_indoors(snapshot: &Snapshot<'_>, base: &Placement) -> bool {
    (0..9).all(|k: u8| {
        let (x, y) = (f32::from(k % 3) - 1.0, f32::from(k / 3) - 1.0);
        let origin = base.point(Vec3A::new(0.5 * x, 0.5 * y, 0.5));
        snapshot.cast(&Ray { origin, direction: Vec3A::Z, max_m: 30.0 }, 0.0).is_some()
    })
}

/// What a LiDAR that stands still measures, in its frame, and whether it is on the ground.
fn points(snapshot: &Snapshot<'_>, model: &LidarModel, base: &Placement) -> Vec<(Vec3A, bool)> {
    let mount = Placement { position: Vec3A::new(0.0, 0.0, LIDAR_M), ..Placement::IDENTITY };
    let start = base.then(&mount);
    let motion = SensorMotion { start, end: start, span_s: 0.1 };
    let returns = sweep(snapshot, model, &motion, 0, 0);
    let is_ground = |point: Vec3A, range_m: f32| {
        let direction = (start.rotation * point).normalize();
        let ray = Ray { origin: start.position, direction, max_m: 150.0 };
        snapshot.cast(&ray, 0.0).is_some_and(|hit| {
            let level = hit.object.is_none() && hit.normal.z > 0.85 && point.z < -0.3;
            level && (hit.distance_m - range_m).abs() < 0.2 + 0.02 * range_m
        })
    };
    returns.iter().map(|item| (item.position, is_ground(item.position, item.range_m))).collect()
}

/// The share of occupied cells of a grid about the sensor without and with the ground, percent.
fn occupied_percent(points: &[(Vec3A, bool)], cell_m: f32, cells: usize) -> [f64; 2] {
    let mut grids = [vec![false; cells * cells], vec![false; cells * cells]];
    for &(point, ground) in points {
        let index = |v: f32| (v / cell_m + 0.5 * cells as f32).floor();
        let (column, row) = (index(point.x), index(point.y));
        let inside = |v: f32| v >= 0.0 && v < cells as f32;
        if !(inside(column) && inside(row) && point.z.abs() < 5.0) {
            continue;
        }
        let at = row as usize * cells + column as usize;
        grids[1][at] = true;
        grids[0][at] |= !ground;
    }
    grids.map(|grid| 100.0 * grid.iter().filter(|&&full| full).count() as f64 / (cells * cells) as f64)
}

/// Points on each object, and the beams that would meet it if nothing else were there.
struct Seen {
    visible: Vec<usize>,
    reached: Vec<usize>,
}

impl Seen {
    fn new(scene: &Scene, snapshot: &Snapshot<'_>, base: &Placement) -> Self {
        let count = scene.world.objects.len();
        let mut seen = Self { visible: vec![0; count], reached: vec![0; count] };
        let origin = base.point(Vec3A::new(0.0, 0.0, LIDAR_M));
        let mut met = Vec::new();
        for beam in 0..64 {
            let (rise, flat) = (22.5 - 45.0 * beam as f32 / 63.0).to_radians().sin_cos();
            for column in 0..1024 {
                let (left, ahead) = (std::f32::consts::TAU * column as f32 / 1024.0).sin_cos();
                let direction = base.rotation * Vec3A::new(flat * ahead, flat * left, rise);
                met.clear();
                seen.beam(scene, snapshot, Ray { origin, direction, max_m: 120.0 }, &mut met);
            }
        }
        seen
    }

    fn beam(&mut self, scene: &Scene, snapshot: &Snapshot<'_>, mut ray: Ray, met: &mut Vec<u32>) {
        let mut first = true;
        for _ in 0..24 {
            let Some(hit) = snapshot.cast(&ray, 0.0) else { break };
            let clear = scene.world.materials[hit.material.0 as usize].transmission > 0.0;
            if let Some(object) = hit.object.filter(|object| !met.contains(object)) {
                met.push(object);
                self.reached[object as usize] += 1;
                self.visible[object as usize] += usize::from(first && !clear);
            }
            first &= clear;
            ray.origin = hit.point + 2e-3 * ray.direction;
        }
    }
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
