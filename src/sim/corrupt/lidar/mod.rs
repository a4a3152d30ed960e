//! What goes wrong with LiDARs, one family of causes a file.
//!
//! A model sees a sweep and says what changes; it knows no messages.

mod beams;
mod density;
mod detector;
mod echo;
mod fog;
mod ground;
mod misalignment;
mod noise;
mod snow;
mod sweep;
mod wet_ground;

use super::cloud_edit::Changes;
use super::draw::Draws;
use super::{Kind, Severity};

pub(super) use misalignment::{MovedPoints, OFFSETS, calibration_error, misalign};
pub(super) use sweep::{Sweep, norm};

/// Stamps that are late, milliseconds: from what a driver buffers to what a clock is off without
/// synchronisation.
pub(super) const LATE_MS: [i64; 5] = [10, 25, 50, 100, 200];

/// A way in which a LiDAR's sweeps go wrong.
pub(super) trait LidarModel {
    /// Says what becomes of `sweep`.
    fn apply(&mut self, sweep: &Sweep<'_, '_>, draws: Draws, changes: &mut Changes<'_>);
}

/// The model of `kind`; `None` for kinds that are not about the points of a sweep.
pub(super) fn model(kind: Kind, severity: Severity) -> Option<Box<dyn LidarModel>> {
    Some(match kind {
        Kind::Fog => Box::new(fog::Fog::new(severity.of(fog::EXTINCTION))),
        Kind::Snow => Box::new(snow::Snow::new(severity.of(snow::RATE_MMPH))),
        Kind::Rain => Box::new(wet_ground::WetGround::new(severity.of(wet_ground::FILM_MM))),
        Kind::MissingBeams => Box::new(beams::MissingBeams::new(severity.of(beams::MISSING))),
        Kind::Crosstalk => Box::new(beams::Crosstalk::new(severity.of(beams::CROSSTALK))),
        Kind::IncompleteEcho => Box::new(echo::IncompleteEcho::new(severity.of(echo::LOST))),
        Kind::MotionBlur => Box::new(noise::MotionBlur(severity.of(noise::SHAKE_M))),
        Kind::Jitter => Box::new(noise::Jitter(severity.of(noise::JITTER_M))),
        Kind::DensityDrop => Box::new(density::DensityDrop::new(severity.of(density::DROPPED))),
        Kind::CutOut => Box::new(density::CutOut::new(severity.of(density::CLUSTERS))),
        Kind::LimitedFov => Box::new(density::LimitedFov(severity.of(density::HALF_FOV_DEG))),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::cloud_edit::CloudEdit;
    use super::super::draw::TopicDraws;
    use super::super::test_cloud::{CloudOptions, cloud_bytes};
    use super::*;
    use crate::message::from_cdr;
    use crate::sensor::PointCloudView;

    /// A return.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Point {
        pub position: [f32; 3],
        pub reflectivity: f32,
    }

    impl Point {
        pub fn range(&self) -> f32 {
            norm(self.position)
        }
    }

    /// A wall across x, up to 30° to each side, seen in no particular order.
    pub fn wall(count: usize, distance: f32, reflectivity: f32) -> Vec<Point> {
        (0..count)
            .map(|i| {
                let (y, z) = ((i * 37 % 113) as f32 / 113.0 - 0.5, (i * 53 % 101) as f32 / 101.0 - 0.5);
                Point { position: [distance, y * 0.3 * distance, z * 0.1 * distance], reflectivity }
            })
            .collect()
    }

    /// A circle around the sensor, once around.
    pub fn ring(count: usize, radius: f32, reflectivity: f32) -> Vec<Point> {
        let angle = |i: usize| i as f32 / count as f32 * std::f32::consts::TAU;
        let position = |i| [radius * angle(i).cos(), radius * angle(i).sin(), 0.1];
        (0..count).map(|i| Point { position: position(i), reflectivity }).collect()
    }

    /// What `model` makes of message number `message` with these points.
    pub fn applied(model: &mut dyn LidarModel, points: &[Point], message: u64) -> Vec<Point> {
        let positions: Vec<[f32; 3]> = points.iter().map(|point| point.position).collect();
        let reflectivities: Vec<f32> = points.iter().map(|point| point.reflectivity).collect();
        // Above 1, so that 0 to 255 is taken for the scale that it is.
        let bytes = cloud_bytes(&positions, &reflectivities, CloudOptions::PLAIN);
        let mut edit = CloudEdit::default();
        edit.load(&from_cdr(&bytes).unwrap()).unwrap();
        let draws = TopicDraws::new(11, "kind", "/points").message(message);
        edit.step(|view, cloud, changes| {
            model.apply(&Sweep::new(view, cloud)?, draws, changes);
            Ok(())
        })
        .unwrap();
        let cloud = edit.message();
        let view = PointCloudView::new(&cloud).unwrap();
        let intensity = view.field("intensity").unwrap();
        (0..view.len())
            .map(|i| Point { position: view.xyz(i), reflectivity: intensity.f32(i) / 255.0 })
            .collect()
    }

    /// How much is left of a street-like scene: the returns, and the sum of their reflectivities.
    fn left(kind: Kind, severity: Severity) -> (usize, f64) {
        let mut scene = wall(2000, 12.0, 0.6);
        scene.extend(ring(2000, 30.0, 0.2));
        scene.extend((0..2000).map(|i| {
            let (radius, angle) = (3.0 + 0.01 * i as f32, i as f32 * 0.7);
            Point { position: [radius * angle.cos(), radius * angle.sin(), -1.5], reflectivity: 0.15 }
        }));
        let mut model = model(kind, severity).unwrap();
        let after = applied(model.as_mut(), &scene, 0);
        (after.len(), after.iter().map(|point| f64::from(point.reflectivity)).sum())
    }

    #[test]
    fn what_is_lost_grows_with_severity() {
        for kind in [
            Kind::Fog,
            Kind::Rain,
            Kind::MissingBeams,
            Kind::IncompleteEcho,
            Kind::DensityDrop,
            Kind::CutOut,
            Kind::LimitedFov,
        ] {
            let found = Severity::ALL.map(|severity| left(kind, severity));
            for pair in found.windows(2) {
                assert!(pair[1].0 < pair[0].0 || pair[1].1 < pair[0].1, "{kind}: {found:?}");
            }
        }
    }

    #[test]
    fn what_is_wrong_grows_with_severity() {
        let before = ring(20_000, 40.0, 0.3);
        for kind in [Kind::Snow, Kind::Crosstalk, Kind::MotionBlur, Kind::Jitter] {
            let error = |severity| {
                let mut model = model(kind, severity).unwrap();
                let after = applied(model.as_mut(), &before, 0);
                assert_eq!(after.len(), before.len(), "{kind}");
                let moved = |(a, b): (&Point, &Point)| {
                    f64::from(norm(std::array::from_fn(|k| a.position[k] - b.position[k])))
                };
                before.iter().zip(&after).map(moved).sum::<f64>()
            };
            let found = Severity::ALL.map(error);
            assert!(found.is_sorted_by(|a, b| a < b), "{kind}: {found:?}");
        }
    }

    #[test]
    fn a_point_has_its_own_randomness() {
        // The points before it are others, and there are more of them: the same number, the same draw.
        let many = ring(1000, 20.0, 0.4);
        let few: Vec<Point> = wall(10, 9.0, 0.9).into_iter().chain(many[10..].iter().copied()).collect();
        for kind in [Kind::Jitter, Kind::Fog] {
            let of = |points: &[Point]| applied(model(kind, Severity::ALL[4]).unwrap().as_mut(), points, 3);
            let (a, b) = (of(&many), of(&few));
            assert_eq!(a[10..], b[10..], "{kind}");
        }
    }
}
