//! LiDAR points with a common intensity scale, where they would have been at the cloud's stamp.

use super::field::Datatype;
use super::{EgoBox, FieldReader, PointCloudView, PointTimes};
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
    /// Seconds from the stamp of its sweep to that of the newest: 0 but for points of earlier sweeps.
    pub age_s: f32,
}

/// The valid returns of a cloud, in order. See [`super::LidarLayout::points`].
#[derive(Clone, Debug)]
pub struct LidarPoints<'v, 'a> {
    view: &'v PointCloudView<'a>,
    intensity: Option<(FieldReader<'a>, f32)>,
    motion: Option<(&'v SweepMotion, Option<PointTimes<'a>>)>,
    hidden: Option<EgoBox>,
    age_s: f32,
    next: usize,
    skipped: usize,
}

impl<'v, 'a> LidarPoints<'v, 'a> {
    /// The returns of `view`; those that are not finite or lie at the origin (how drivers write "no
    /// return") are skipped and counted. `intensity` comes with the factor to 0..1.
    pub(super) const fn new(view: &'v PointCloudView<'a>, intensity: Option<(FieldReader<'a>, f32)>) -> Self {
        Self { view, intensity, motion: None, hidden: None, age_s: 0.0, next: 0, skipped: 0 }
    }

    /// The same returns, each moved from where the sensor was at its time to where it was at the stamp.
    /// A point whose time is not a number stays where it is.
    #[must_use]
    pub const fn deskewed(mut self, motion: &'v SweepMotion, times: PointTimes<'a>) -> Self {
        self.motion = Some((motion, Some(times)));
        self
    }

    /// The same returns as those of an earlier sweep: each moved by `motion` from where the sensor was at its time,
    /// or at the sweep's stamp where that is not known, to where it was at the stamp of the newest sweep, `age_s` later.
    #[must_use]
    pub const fn earlier(
        mut self,
        motion: &'v SweepMotion,
        times: Option<PointTimes<'a>>,
        age_s: f32,
    ) -> Self {
        self.motion = Some((motion, times));
        self.age_s = age_s;
        self
    }

    /// The same without the returns that were measured inside `hidden`.
    #[must_use]
    pub const fn outside(mut self, hidden: Option<EgoBox>) -> Self {
        self.hidden = hidden;
        self
    }

    /// Whether a return was measured at `position`, of something else than the robot.
    #[inline]
    fn is_wanted(&self, position: [f32; 3]) -> bool {
        is_return(position) && !self.hidden.is_some_and(|hidden| hidden.contains(position))
    }

    /// Point `i`, which was measured at `position`.
    #[inline]
    fn point(&self, i: usize, position: [f32; 3], intensity: f32) -> LidarPoint {
        let [x, y, z] = match &self.motion {
            Some((motion, times)) => {
                let offset_s = times.as_ref().map_or(0.0, |times| times.offset_s(i));
                // A sweep that is moved as a whole is moved with all its points.
                let offset_s = if self.age_s > 0.0 && offset_s.is_nan() { 0.0 } else { offset_s };
                motion.to_stamp(offset_s, position)
            }
            None => position,
        };
        LidarPoint { x, y, z, intensity, age_s: self.age_s }
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
            if !self.is_wanted(position) {
                self.skipped += 1;
                continue;
            }
            let intensity = self.intensity.map_or(0.0, |(field, scale)| unit_intensity(field.f32(i) * scale));
            return Some(self.point(i, position, intensity));
        }
        None
    }

    /// The layout that most drivers publish is recognised once, not at each point.
    fn fold<B, F: FnMut(B, LidarPoint) -> B>(self, init: B, mut f: F) -> B {
        let mut state = init;
        let float = self.intensity.and_then(|(field, scale)| {
            (field.datatype() == Datatype::F32).then_some((field.offset(), scale))
        });
        if let (Some((xyz, records)), Some((offset, scale))) = (self.view.packed(), float) {
            for (i, record) in records.enumerate().skip(self.next) {
                let (Some(position), Some(intensity)) = (floats(record, xyz), floats(record, offset)) else {
                    break;
                };
                if self.is_wanted(position) {
                    let [intensity] = intensity;
                    state = f(state, self.point(i, position, unit_intensity(intensity * scale)));
                }
            }
            return state;
        }
        for point in self {
            state = f(state, point);
        }
        state
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.view.len() - self.next))
    }
}

#[cfg(test)]
mod tests {
    use crate::geometry::{Pose, SweepMotion};
    use crate::message::{PointCloud2, PointField, Stamp};
    use crate::sensor::{LidarPreset, PointCloudView, StampAt};

    #[test]
    fn all_at_once_and_one_by_one_give_the_same_points() {
        let rows = [
            [1.0, 2.0, 3.0, 51.0],
            [f32::NAN, 2.0, 3.0, 51.0],
            [0.0, 0.0, 0.0, 9.0],
            [0.0, -0.0, 4.0, f32::NAN],
            [5.0, f32::INFINITY, 1.0, 1.0],
            [-6.0, 7.0, 8.0, 900.0],
            [9.0, -1.0, 0.0, -3.0],
        ];
        let data: Vec<u8> = rows.as_flattened().iter().flat_map(|value| value.to_le_bytes()).collect();
        let fields = (0..).zip(["x", "y", "z", "intensity"]).map(|(i, name): (u32, _)| PointField {
            name,
            offset: 4 * i,
            datatype: PointField::FLOAT32,
            count: 1,
        });
        let cloud = PointCloud2 {
            height: 1,
            width: rows.len() as u32,
            fields: fields.collect(),
            point_step: 16,
            row_step: data.len() as u32,
            data: &data,
            ..PointCloud2::default()
        };
        let view = PointCloudView::new(&cloud).unwrap();
        let points = LidarPreset::Generic.layout(&view, Stamp(0), StampAt::Start).unwrap().points(&view);
        let expected: Vec<[f32; 4]> = vec![
            [1.0, 2.0, 3.0, 51.0 * (1.0 / 255.0)],
            [0.0, -0.0, 4.0, 0.0],
            [-6.0, 7.0, 8.0, 1.0],
            [9.0, -1.0, 0.0, 0.0],
        ];
        let (mut folded, mut stepped) = (Vec::new(), Vec::new());
        points.clone().for_each(|p| folded.push([p.x, p.y, p.z, p.intensity]));
        for p in points {
            stepped.push([p.x, p.y, p.z, p.intensity]);
        }
        assert_eq!(folded, expected);
        assert_eq!(stepped, expected);

        let points = LidarPreset::Generic.layout(&view, Stamp(0), StampAt::Start).unwrap().points(&view);
        let ahead =
            SweepMotion::sample(0.0, 0.0, |_| Ok::<_, ()>(Pose::translation(10.0, 0.0, 0.0))).unwrap();
        let robot = "-7 6 7 1 7 8".parse().unwrap();
        let seen: Vec<_> = points.earlier(&ahead, None, 0.5).outside(Some(robot)).collect();
        let expected = [[11.0, 2.0, 3.0], [10.0, 0.0, 4.0], [19.0, -1.0, 0.0]];
        assert_eq!(seen.iter().map(|p| [p.x, p.y, p.z]).collect::<Vec<_>>(), expected);
        assert!(seen.iter().all(|p| p.age_s == 0.5));
    }
}
