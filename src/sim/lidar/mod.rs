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

use smallvec::SmallVec;

use self::model::Beam;
use super::{Packet, RAYS, Random, Ray, SensorMotion, Snapshot};

pub use encode::encode;
pub use model::LidarModel;

/// The stream of what a LiDAR draws.
const LIDAR: u64 = 0x4C49_4400;
/// Columns of one task.
const BLOCK_COLUMNS: usize = 16;
/// Columns, and beams, whose rays share their way through the scene.
const TILE: usize = 4;

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
    // Neighbours in space, whatever the order they are fired in.
    let mut by_elevation: Vec<usize> = (0..model.beams.len()).collect();
    by_elevation.sort_by(|&a, &b| model.beams[a].direction.z.total_cmp(&model.beams[b].direction.z));
    let sweep = Firings { snapshot, model, motion, seed, frame, by_elevation };
    let blocks = columns.par_chunks(BLOCK_COLUMNS).map(|columns| {
        let mut found = vec![None; columns.len() * model.beams.len()];
        for (tile, columns) in columns.chunks(TILE).enumerate() {
            let first = tile * TILE * model.beams.len();
            for beams in sweep.by_elevation.chunks(TILE) {
                sweep.measure(columns, beams, &mut found[first..]);
            }
        }
        found.into_iter().flatten().collect::<Vec<_>>()
    });
    blocks.collect::<Vec<_>>().concat()
}

/// What is fired at, from where.
struct Firings<'a> {
    snapshot: &'a Snapshot<'a>,
    model: &'a LidarModel,
    motion: &'a SensorMotion,
    seed: u64,
    frame: u64,
    by_elevation: Vec<usize>,
}

impl Firings<'_> {
    /// Some beams in some columns, [`RAYS`] in all; what they find goes to its place in `found`, columns with
    /// their beams in the order they are fired.
    fn measure(&self, columns: &[u32], beams: &[usize], found: &mut [Option<LidarPoint>]) {
        let (model, optics) = (self.model, &self.model.optics);
        let mut packet = Packet::default();
        let mut pulses: SmallVec<[Pulse<'_>; RAYS]> = SmallVec::new();
        for (row, &column) in columns.iter().enumerate() {
            let turn = Vec2::from_angle(model.start + model.step * column as f32);
            for &index in beams {
                let beam = &model.beams[index];
                let purpose = [LIDAR, self.frame, u64::from(column) << 16 | index as u64];
                let mut random = Random::new(self.seed, &purpose);
                let time_s = model.firing_s(column, beam);
                let moment = ((time_s * model.rate_hz) as f32).min(1.0);
                let sensor = self.motion.at(moment);
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
                packet.set(pulses.len(), &ray, moment);
                let place = row * model.beams.len() + index;
                pulses.push(Pulse { beam, ray, moment, time_s, direction, random, place });
            }
        }
        let mut hits = [None; RAYS];
        self.snapshot.cast_packet(&mut packet, |place, hit| hits[place] = Some(hit));
        for (mut pulse, hit) in pulses.into_iter().zip(hits) {
            let Some(hit) = hit else { continue };
            let echo = echo::strongest(self.snapshot, optics, &pulse.ray, hit, pulse.moment);
            let Some(echo) = echo else { continue };
            let Some((range_m, reflectivity)) = optics.receive(&echo, &mut pulse.random) else { continue };
            found[pulse.place] = Some(LidarPoint {
                position: range_m * pulse.direction,
                intensity: intensity(reflectivity),
                ring: pulse.beam.ring,
                time_s: pulse.time_s as f32,
                moment: pulse.moment,
                range_m,
                object: echo.object,
            });
        }
    }
}

/// One firing of one beam.
struct Pulse<'a> {
    beam: &'a Beam,
    ray: Ray,
    moment: f32,
    /// Since the start of the sweep, seconds.
    time_s: f64,
    /// Sensor frame at its time.
    direction: Vec3A,
    /// The rest of what it draws.
    random: Random,
    /// Among what is found.
    place: usize,
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
