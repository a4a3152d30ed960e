//! One sweep as the LiDAR corruptions see it.

use smallvec::SmallVec;

use super::super::cloud_edit::Changes;
use crate::message::PointCloud2;
use crate::sensor::{
    FieldReader, FieldWriter, LidarLayout, LidarPreset, PointCloudView, SensorError, StampAt,
};

/// Fields that tell how strong an echo was. What weakens one weakens all.
const STRENGTHS: [&str; 3] = ["intensity", "reflectivity", "signal"];
/// Reflectivity of points of which the cloud tells none: a mid grey.
const UNKNOWN_REFLECTIVITY: f32 = 0.2;
/// The smallest reflectivity: the smallest step of the 8 bits that drivers publish. A return of 0 was dark,
/// not absent.
const MIN_REFLECTIVITY: f32 = 1.0 / 255.0;
/// Height of an elevation band taken for a line where a cloud tells none, radians: 0.4°.
const BAND_RAD: f32 = 0.007;

/// A sweep and what its fields mean.
pub struct Sweep<'v, 'a> {
    view: &'v PointCloudView<'a>,
    layout: LidarLayout<'a>,
    intensity: Option<(FieldReader<'a>, f32)>,
    strengths: SmallVec<[(FieldReader<'a>, FieldWriter); 3]>,
    rows: usize,
    columns: usize,
}

impl<'v, 'a> Sweep<'v, 'a> {
    /// The sweep of `cloud`, whose view is `view`.
    pub fn new(view: &'v PointCloudView<'a>, cloud: &PointCloud2<'_>) -> Result<Self, SensorError> {
        let layout = LidarPreset::Auto.layout(view, cloud.header.stamp, StampAt::Start)?;
        let strengths = STRENGTHS.iter().filter_map(|name| view.field(name));
        let mut sweep = Self {
            view,
            intensity: None,
            strengths: strengths.map(|field| (field, field.writer())).collect(),
            rows: cloud.height as usize,
            columns: cloud.width as usize,
            layout,
        };
        sweep.intensity = sweep.scaled_intensity();
        Ok(sweep)
    }

    /// The intensity with its factor to 0..1. Floating-point values that stay within 1 are that already, as
    /// KITTI's are; ones that are all 0 tell nothing.
    fn scaled_intensity(&self) -> Option<(FieldReader<'a>, f32)> {
        let (field, scale) = self.layout.intensity()?;
        let max = self.returns().map(|i| field.f32(i)).filter(|v| v.is_finite()).fold(0.0, f32::max);
        match max {
            max if max <= 0.0 => None,
            max if max <= 1.0 && field.is_float() => Some((field, 1.0)),
            _ => Some((field, scale)),
        }
    }

    /// Whether the cloud tells how strong echoes were.
    pub const fn has_intensity(&self) -> bool {
        self.intensity.is_some()
    }

    /// The points that are returns.
    pub fn returns(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.view.len()).filter(|&i| {
            let position = self.view.xyz(i);
            position.iter().all(|v| v.is_finite()) && position != [0.0; 3]
        })
    }

    /// Position of point `i`, metres, sensor frame.
    #[inline]
    pub fn position(&self, i: usize) -> [f32; 3] {
        self.view.xyz(i)
    }

    /// Distance of point `i`, metres.
    #[inline]
    pub fn range(&self, i: usize) -> f32 {
        norm(self.position(i))
    }

    /// Reflectivity of point `i`: 1 is a white matt surface, retroreflectors may have more.
    #[inline]
    pub fn reflectivity(&self, i: usize) -> f32 {
        let Some((field, scale)) = self.intensity else { return UNKNOWN_REFLECTIVITY };
        let value = field.f32(i) * scale;
        // NaN too becomes the smallest.
        if value.is_finite() { value.max(MIN_REFLECTIVITY) } else { MIN_REFLECTIVITY }
    }

    /// Multiplies what the cloud tells of the strength of echo `i`.
    #[inline]
    pub fn weaken(&self, changes: &mut Changes<'_>, i: usize, factor: f32) {
        for (reader, writer) in &self.strengths {
            changes.write(*writer, i, reader.f64(i) * f64::from(factor));
        }
    }

    /// Makes echo `i` that of a surface of `reflectivity`.
    #[inline]
    pub fn set_reflectivity(&self, changes: &mut Changes<'_>, i: usize, reflectivity: f32) {
        let Some((field, scale)) = self.intensity else { return };
        let value = f64::from(reflectivity / scale);
        // Another scale of the same strength keeps its ratio.
        let ratio = f64::from(reflectivity / self.reflectivity(i));
        for (reader, writer) in &self.strengths {
            let same = reader.f64(i).to_bits() == field.f64(i).to_bits();
            changes.write(*writer, i, if same { value } else { reader.f64(i) * ratio });
        }
    }

    /// Moves point `i` along its ray to `range`, metres.
    #[inline]
    pub fn set_range(&self, changes: &mut Changes<'_>, i: usize, range: f32) {
        let position = self.position(i);
        let factor = range / norm(position);
        if factor.is_finite() {
            changes.move_to(i, position.map(|v| v * factor));
        }
    }

    /// The laser that measured point `i`: the driver's number, else the row of an organised cloud, else a
    /// band of elevation.
    #[inline]
    pub fn line(&self, i: usize) -> i64 {
        if let Some(field) = self.layout.line() {
            return field.f64(i) as i64;
        }
        if self.rows > 1 {
            return i.checked_div(self.columns).unwrap_or(0) as i64;
        }
        let [x, y, z] = self.position(i);
        (z.atan2(x.hypot(y)) / BAND_RAD).floor() as i64
    }

    /// When in its sweep point `i` was measured, 0..1: by its time, else by its azimuth.
    #[inline]
    pub fn phase(&self, i: usize) -> f32 {
        if let Some(times) = self.layout.times() {
            let (first, last) = (times.first_s(), times.last_s());
            let phase = (times.offset_s(i) - first) / (last - first);
            if phase.is_finite() {
                return phase.clamp(0.0, 1.0) as f32;
            }
        }
        let [x, y, _] = self.position(i);
        0.5 + y.atan2(x) / std::f32::consts::TAU
    }
}

/// Length of a vector.
#[inline]
pub fn norm([x, y, z]: [f32; 3]) -> f32 {
    // In double precision the square of the largest coordinate is finite.
    let [x, y, z] = [x, y, z].map(f64::from);
    (x * x + y * y + z * z).sqrt() as f32
}
