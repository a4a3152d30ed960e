//! Scanning LiDARs: every pulse of a sweep against the moving world.
//!
//! In: a snapshot that spans the sweep, how the sensor moves meanwhile. Out: the returns in the order they
//! were measured, each in the sensor's frame at its own time, and their bytes as a driver lays them out.
//!
//! The power that comes back is that of the LiDAR equation for a beam that lies on the surface as a whole,
//! ρ·cos θ/R² (Wagner et al.: "Gaussian decomposition and calibration of a novel small-footprint
//! full-waveform digitising airborne laser scanner", ISPRS 60, 2006), in units of what the model's datasheet
//! says it can still find.

mod catalogue;
mod echo;
mod encode;
mod model;

use glam::{Vec2, Vec3A};
use rayon::prelude::*;

use super::{Random, Ray, SensorMotion, Snapshot};

pub use encode::encode;
pub use model::LidarModel;

/// The stream of what a LiDAR draws.
const LIDAR: u64 = 0x4C49_4400;
/// Columns of one task.
const BLOCK_COLUMNS: usize = 16;

/// One return.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LidarPoint {
    /// Metres, sensor frame at the time of its firing.
    pub position: Vec3A,
    /// As drivers scale it: 100 for a matt white surface that is hit squarely, up to 255 for retroreflectors.
    pub intensity: f32,
    /// Number of the laser, as the model's driver counts.
    pub ring: u16,
    /// Of its firing, since the start of the sweep, seconds.
    pub time_s: f32,
    /// The same as a share of the snapshot, 0..1.
    pub moment: f32,
    /// Distance, metres.
    pub range_m: f32,
    /// Number of the object that was hit, `None` for scenery.
    pub object: Option<u32>,
}

/// The returns of one sweep. The snapshot and `motion` span all of it. Equal arguments give equal points at
/// any number of threads.
pub fn sweep(
    snapshot: &Snapshot<'_>,
    model: &LidarModel,
    motion: &SensorMotion,
    seed: u64,
    frame: u64,
) -> Vec<LidarPoint> {
    let columns: Vec<u32> = (0..model.columns).collect();
    let blocks = columns.par_chunks(BLOCK_COLUMNS).map(|columns| {
        let mut points = Vec::with_capacity(columns.len() * model.beams.len());
        for &column in columns {
            measure(snapshot, model, motion, &[seed, frame, u64::from(column)], &mut points);
        }
        points
    });
    blocks.collect::<Vec<_>>().concat()
}

/// One firing of every beam.
fn measure(
    snapshot: &Snapshot<'_>,
    model: &LidarModel,
    motion: &SensorMotion,
    &[seed, frame, column]: &[u64; 3],
    points: &mut Vec<LidarPoint>,
) {
    let turn = Vec2::from_angle(model.start + model.step * column as f32);
    let optics = &model.optics;
    for (index, beam) in (0..).zip(&model.beams) {
        let mut random = Random::new(seed, &[LIDAR, frame, column << 16 | index]);
        let time_s = model.firing_s(column as u32, beam);
        let moment = ((time_s * model.rate_hz) as f32).min(1.0);
        let sensor = motion.at(moment);
        let level = turn.rotate(Vec2::new(beam.direction.x, beam.direction.y));
        let direction = Vec3A::new(level.x, level.y, beam.direction.z);
        // The pulse comes back from somewhere within the beam.
        let within = 0.25 * optics.divergence;
        let off = Vec3A::new(random.between(-within, within), random.between(-within, within), 0.0);
        let off = off + Vec3A::Z * random.between(-within, within);
        let ray = Ray {
            origin: sensor.position,
            direction: sensor.rotation * (direction + off).normalize(),
            max_m: optics.max_m,
        };
        let Some(echo) = echo::strongest(snapshot, optics, &ray, moment) else { continue };
        let Some((range_m, reflectivity)) = optics.receive(&echo, &mut random) else { continue };
        points.push(LidarPoint {
            position: range_m * direction,
            intensity: intensity(reflectivity),
            ring: beam.ring,
            time_s: time_s as f32,
            moment,
            range_m,
            object: echo.object,
        });
    }
}

/// Brighter than a matt surface can be: sensors take what is below for white and what is above for
/// retroreflectors.
const RETROREFLECTS: f32 = 1.6;

/// What drivers call calibrated: up to 100 linear in the share that a matt surface scatters, above, for
/// retroreflectors, logarithmic, full at a hundred times a white surface.
fn intensity(reflectivity: f32) -> f32 {
    let scaled = if reflectivity < RETROREFLECTS {
        100.0 * reflectivity.min(1.0)
    } else {
        100.0 + 77.5 * reflectivity.log10()
    };
    scaled.round().clamp(0.0, 255.0)
}

#[cfg(test)]
mod tests;
