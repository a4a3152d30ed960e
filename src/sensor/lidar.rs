//! LiDAR points with a common intensity scale, where they would have been at the cloud's stamp.

use super::field::Datatype;
use super::{FieldReader, PointCloudView, PointTimes};
use crate::geometry::SweepMotion;

/// One return.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LidarPoint {
    /// Metres, sensor frame.
    pub x: f32,
    /// Metres, sensor frame.
    pub y: f32,
    /// Metres, sensor frame.
    pub z: f32,
    /// 0 to 1; 0 when the sensor tells none.
    pub intensity: f32,
}

/// The valid returns of a cloud, in order. See [`super::LidarLayout::points`].
#[derive(Clone, Debug)]
pub struct LidarPoints<'v, 'a> {
    view: &'v PointCloudView<'a>,
    intensity: Option<(FieldReader<'a>, f32)>,
    motion: Option<(&'v SweepMotion, PointTimes<'a>)>,
    next: usize,
    skipped: usize,
}

impl<'v, 'a> LidarPoints<'v, 'a> {
    /// The returns of `view`; those that are not finite or lie at the origin (how drivers write "no
    /// return") are skipped and counted. `intensity` comes with the factor to 0..1.
    pub(super) const fn new(view: &'v PointCloudView<'a>, intensity: Option<(FieldReader<'a>, f32)>) -> Self {
        Self { view, intensity, motion: None, next: 0, skipped: 0 }
    }

    /// The same returns, each moved from where the sensor was at its time to where it was at the stamp.
    /// A point whose time is not a number stays where it is.
    #[must_use]
    pub const fn deskewed(mut self, motion: &'v SweepMotion, times: PointTimes<'a>) -> Self {
        self.motion = Some((motion, times));
        self
    }

    /// Point `i`, which was measured at `position`.
    #[inline]
    fn point(&self, i: usize, position: [f32; 3], intensity: f32) -> LidarPoint {
        let [x, y, z] = match &self.motion {
            Some((motion, times)) => motion.to_stamp(times.offset_s(i), position),
            None => position,
        };
        LidarPoint { x, y, z, intensity }
    }

    /// Points left out so far.
    pub const fn skipped(&self) -> usize {
        self.skipped
    }
}

/// Whether a position is that of a return.
#[inline]
pub(super) fn is_return([x, y, z]: [f32; 3]) -> bool {
    // Without branches, of which a sweep's missing returns would mispredict many.
    x.is_finite() & y.is_finite() & z.is_finite() & !((x == 0.0) & (y == 0.0) & (z == 0.0))
}

/// Intensity as a network takes it: 0..1, and 0 for NaN, which `clamp` keeps and a network would spread.
#[inline]
fn unit_intensity(scaled: f32) -> f32 {
    let clamped = scaled.clamp(0.0, 1.0);
    if clamped.is_nan() { 0.0 } else { clamped }
}

/// Little-endian floats from `offset` of a point's bytes.
#[inline]
fn floats<const N: usize>(record: &[u8], offset: usize) -> Option<[f32; N]> {
    let bytes = record.get(offset..)?.get(..4 * N)?.as_chunks::<4>().0;
    let mut values = [0.0; N];
    for (value, bytes) in values.iter_mut().zip(bytes) {
        *value = f32::from_le_bytes(*bytes);
    }
    Some(values)
}

impl Iterator for LidarPoints<'_, '_> {
    type Item = LidarPoint;

    #[inline]
    fn next(&mut self) -> Option<LidarPoint> {
        while self.next < self.view.len() {
            let i = self.next;
            self.next += 1;
            let position = self.view.xyz(i);
            if !is_return(position) {
                self.skipped += 1;
                continue;
            }
            let intensity = self.intensity.map_or(0.0, |(field, scale)| unit_intensity(field.f32(i) * scale));
            return Some(self.point(i, position, intensity));
        }
        None
    }

    /// The layout that most drivers publish is recognised once, not at each point.
    fn fold<B, F: FnMut(B, LidarPoint) -> B>(mut self, init: B, mut f: F) -> B {
        let mut state = init;
        let float = self.intensity.and_then(|(field, scale)| {
            (field.datatype() == Datatype::F32).then_some((field.offset(), scale))
        });
        if let (Some((xyz, records)), Some((offset, scale))) = (self.view.packed(), float) {
            for (i, record) in records.enumerate().skip(self.next) {
                let (Some(position), Some(intensity)) = (floats(record, xyz), floats(record, offset)) else {
                    break;
                };
                if is_return(position) {
                    let [intensity] = intensity;
                    state = f(state, self.point(i, position, unit_intensity(intensity * scale)));
                }
            }
            return state;
        }
        while let Some(point) = self.next() {
            state = f(state, point);
        }
        state
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.view.len() - self.next))
    }
}
