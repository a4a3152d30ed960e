//! The ground under a LiDAR.

use super::super::draw::Draws;
use super::Sweep;

/// Returns looked at, and planes tried.
const SAMPLES: usize = 2000;
const TRIALS: usize = 300;
/// Returns this near to the plane belong to it, metres.
const THICKNESS_M: f32 = 0.15;
/// Ground farther than this from the sensor says little about the plane, metres.
const REACH_M: f32 = 40.0;
/// Steepest ground, as the vertical part of its normal: 20°, a sensor that is tilted or a ramp.
const MIN_UPRIGHT: f32 = 0.94;
/// The sensor is at least this high above ground, metres. What is level and higher is a ceiling.
const MIN_HEIGHT_M: f32 = 0.05;
/// The smallest share of the returns that is a ground.
const MIN_SHARE: f32 = 0.05;

/// A plane: the points with `normal · p + offset = 0`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ground {
    /// Up, of length 1
    pub normal: [f32; 3],
    /// Height of the sensor above it, metres
    pub offset: f32,
}

impl Ground {
    /// The largest nearly level plane below the sensor, by RANSAC; `None` when there is none worth the name.
    /// The sensor's z axis points up within 20°.
    pub fn find(sweep: &Sweep<'_, '_>, draws: Draws, sample: &mut Vec<[f32; 3]>) -> Option<Self> {
        let count = sweep.returns().count();
        let stride = count.div_ceil(SAMPLES).max(1);
        sample.clear();
        sample.extend(
            sweep.returns().step_by(stride).map(|i| sweep.position(i)).filter(|p| super::norm(*p) < REACH_M),
        );
        // Ground is below the sensor; planes are drawn through three returns that are.
        sample.sort_unstable_by(|a, b| a[2].total_cmp(&b[2]));
        let low = sample.get(..sample.partition_point(|p| p[2] < -MIN_HEIGHT_M)).unwrap_or_default();
        let mut random = draws.at(usize::MAX);
        let mut best = (sample.len() as f32 * MIN_SHARE, None);
        for _ in 0..TRIALS {
            let (Some(&a), Some(&b), Some(&c)) = (random.pick(low), random.pick(low), random.pick(low))
            else {
                return None;
            };
            let Some(plane) = Self::through(a, b, c) else { continue };
            let on = sample.iter().filter(|p| plane.height(**p).abs() < THICKNESS_M).count() as f32;
            if on > best.0 {
                best = (on, Some(plane));
            }
        }
        best.1
    }

    fn through(a: [f32; 3], b: [f32; 3], c: [f32; 3]) -> Option<Self> {
        let [u, v] = [b, c].map(|p| [p[0] - a[0], p[1] - a[1], p[2] - a[2]]);
        let cross = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
        let length = super::norm(cross).copysign(cross[2]);
        let normal = cross.map(|value| value / length);
        let offset = -dot(normal, a);
        let fits = normal[2] >= MIN_UPRIGHT && offset >= MIN_HEIGHT_M && offset.is_finite();
        fits.then_some(Self { normal, offset })
    }

    /// Height of a position above the plane, metres.
    #[inline]
    pub fn height(&self, position: [f32; 3]) -> f32 {
        dot(self.normal, position) + self.offset
    }

    /// Whether a position is on the ground.
    #[inline]
    pub fn holds(&self, position: [f32; 3]) -> bool {
        self.height(position).abs() < THICKNESS_M
    }

    /// Cosine of the angle between the beam to `position` and the normal.
    #[inline]
    pub fn incidence(&self, position: [f32; 3]) -> f32 {
        (dot(self.normal, position) / super::norm(position)).abs().min(1.0)
    }
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}
