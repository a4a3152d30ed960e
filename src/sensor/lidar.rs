//! LiDAR points with a common intensity scale.

use super::{FieldReader, PointCloudView, field::Datatype};

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

/// The valid returns of a cloud, in order. See [`lidar_points`].
#[derive(Clone, Debug)]
pub struct LidarPoints<'v, 'a> {
    view: &'v PointCloudView<'a>,
    intensity: Option<(FieldReader<'a>, f32)>,
    next: usize,
    skipped: usize,
}

/// The returns of a cloud; those that are not finite or lie at the origin (how drivers write "no
/// return") are skipped and counted.
///
/// Intensity comes from `intensity`, else `reflectivity`. Integers are scaled by the range of their
/// type. Floats are taken as 0 to 255, which the Velodyne, Hesai, Livox and Robosense drivers
/// publish; what exceeds it (Ouster's signal photons) is clamped to 1.
pub fn lidar_points<'v, 'a>(view: &'v PointCloudView<'a>) -> LidarPoints<'v, 'a> {
    let intensity = view.field("intensity").or_else(|| view.field("reflectivity")).map(|field| {
        let full_scale = match field.datatype() {
            Datatype::U8 | Datatype::F32 | Datatype::F64 => 255.0,
            Datatype::I8 => f32::from(i8::MAX),
            Datatype::U16 => f32::from(u16::MAX),
            Datatype::I16 => f32::from(i16::MAX),
            Datatype::U32 => u32::MAX as f32,
            Datatype::I32 => i32::MAX as f32,
        };
        (field, 1.0 / full_scale)
    });
    LidarPoints { view, intensity, next: 0, skipped: 0 }
}

impl LidarPoints<'_, '_> {
    /// Points left out so far.
    pub const fn skipped(&self) -> usize {
        self.skipped
    }
}

impl Iterator for LidarPoints<'_, '_> {
    type Item = LidarPoint;

    #[inline]
    fn next(&mut self) -> Option<LidarPoint> {
        while self.next < self.view.len() {
            let i = self.next;
            self.next += 1;
            let [x, y, z] = self.view.xyz(i);
            if !(x.is_finite() && y.is_finite() && z.is_finite()) || (x == 0.0 && y == 0.0 && z == 0.0) {
                self.skipped += 1;
                continue;
            }
            let intensity =
                self.intensity.map_or(0.0, |(field, scale)| (field.f32(i) * scale).clamp(0.0, 1.0));
            // `clamp` keeps a NaN, which a network would spread.
            let intensity = if intensity.is_nan() { 0.0 } else { intensity };
            return Some(LidarPoint { x, y, z, intensity });
        }
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.view.len() - self.next))
    }
}
