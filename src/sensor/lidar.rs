//! LiDAR points with a common intensity scale, where they would have been at the cloud's stamp.

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

    /// Points left out so far.
    pub const fn skipped(&self) -> usize {
        self.skipped
    }
}

/// Whether a position is that of a return.
#[inline]
pub(super) fn is_return([x, y, z]: [f32; 3]) -> bool {
    x.is_finite() && y.is_finite() && z.is_finite() && !(x == 0.0 && y == 0.0 && z == 0.0)
}

/// A value cut to 0..1; NaN, which a network would spread, is 0.
#[inline]
fn share(value: f32) -> f32 {
    if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) }
}

/// `N` little-endian floats from byte `at` on.
#[inline]
fn floats<const N: usize>(bytes: &[u8], at: usize) -> Option<[f32; N]> {
    let (values, _) = bytes.get(at..)?.as_chunks::<4>();
    values.first_chunk::<N>().map(|values| values.map(f32::from_le_bytes))
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
            let [x, y, z] = match &self.motion {
                Some((motion, times)) => motion.to_stamp(times.offset_s(i), position),
                None => position,
            };
            let intensity = self.intensity.map_or(0.0, |(field, scale)| share(field.f32(i) * scale));
            return Some(LidarPoint { x, y, z, intensity });
        }
        None
    }

    /// As repeated [`Self::next`]; how the points lie is looked up once, not at each of them.
    fn fold<B, F: FnMut(B, LidarPoint) -> B>(mut self, init: B, mut f: F) -> B {
        let Some((at, points)) = self.view.packed().filter(|_| self.next == 0) else {
            let mut folded = init;
            while let Some(point) = self.next() {
                folded = f(folded, point);
            }
            return folded;
        };
        let intensity = self.intensity;
        let intensity_at = intensity.and_then(|(field, _)| field.packed());
        points.enumerate().fold(init, |folded, (i, bytes)| {
            let Some(position) = floats::<3>(bytes, at).filter(|position| is_return(*position)) else {
                return folded;
            };
            let [x, y, z] = match &self.motion {
                Some((motion, times)) => motion.to_stamp(times.offset_s(i), position),
                None => position,
            };
            let intensity = match (intensity, intensity_at) {
                (Some((_, scale)), Some(at)) => floats::<1>(bytes, at).map_or(0.0, |[v]| share(v * scale)),
                (Some((field, scale)), None) => share(field.f32(i) * scale),
                (None, _) => 0.0,
            };
            f(folded, LidarPoint { x, y, z, intensity })
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.view.len() - self.next))
    }
}
