//! How a sensor moved during one sweep.
//!
//! A scanner takes 50 to 100 ms for a sweep, in which a robot drives and turns. With the sensor's pose at some
//! tens of times, every point can be moved to where it would have been measured at the time of the stamp
//! ("de-skewing").

use super::Pose;

/// The most times at which poses are known. A sweep of 0.1 s then has one every 1.6 ms: a sensor that turns by
/// 1 rad/s displaces a point at 30 m by less than 25 mm until the middle of the next.
pub const MAX_POSES: usize = 64;
/// Poses nearer to each other than this add nothing, seconds.
const MIN_STEP_S: f64 = 1e-3;

/// A rotation and a translation, rows of a 3 × 4 matrix.
type Rows = [[f32; 4]; 3];

const IDENTITY: Rows = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]];

/// Poses of a sensor in equal steps over a sweep, relative to its pose at the stamp.
#[derive(Clone, Debug)]
pub struct SweepMotion {
    first_s: f64,
    steps_per_s: f64,
    poses: [Rows; MAX_POSES],
    count: usize,
}

impl SweepMotion {
    /// Asks `t_stamp_sensor` for the sensor's pose in the middle of each step between `first_s` and `last_s`,
    /// seconds from the stamp: the transform that maps points of the sensor at that time into the sensor at the
    /// stamp. The first error ends it.
    pub fn sample<E>(
        first_s: f64,
        last_s: f64,
        mut t_stamp_sensor: impl FnMut(f64) -> Result<Pose, E>,
    ) -> Result<Self, E> {
        let span_s = (last_s - first_s).max(0.0);
        // The cast saturates; a sweep of no length has one pose.
        let count = ((span_s / MIN_STEP_S).ceil() as usize).clamp(1, MAX_POSES);
        let step_s = span_s / count as f64;
        let mut poses = [IDENTITY; MAX_POSES];
        // From the end: what is known last is missing first.
        for (step, pose) in poses.iter_mut().enumerate().take(count).rev() {
            *pose = rows(&t_stamp_sensor(first_s + (step as f64 + 0.5) * step_s)?);
        }
        let steps_per_s = if step_s > 0.0 { step_s.recip() } else { 0.0 };
        Ok(Self { first_s, steps_per_s, poses, count })
    }

    /// Moves a point measured `offset_s` after the stamp to where it would have been measured at the stamp,
    /// metres. Times outside the sweep have the pose of its first or last step; without a time the point stays.
    #[inline]
    pub fn to_stamp(&self, offset_s: f64, [x, y, z]: [f32; 3]) -> [f32; 3] {
        if offset_s.is_nan() {
            return [x, y, z];
        }
        // The cast saturates at 0, and the index stays inside the array.
        let step = (((offset_s - self.first_s) * self.steps_per_s) as usize).min(self.count - 1);
        self.poses[step % MAX_POSES].map(|[a, b, c, t]| a * x + b * y + c * z + t)
    }
}

fn rows(pose: &Pose) -> Rows {
    let matrix = pose.to_homogeneous();
    std::array::from_fn(|row| std::array::from_fn(|column| matrix[(row, column)] as f32))
}

#[cfg(test)]
mod tests {
    use nalgebra::{Point3, Vector3};
    use proptest::prelude::*;

    use super::*;

    /// Constant velocity and turn rate: where the sensor is `t` seconds after the stamp.
    fn moving(velocity: Vector3<f64>, yaw_rate: f64, t: f64) -> Pose {
        let rotation = nalgebra::UnitQuaternion::from_euler_angles(0.0, 0.0, yaw_rate * t);
        Pose::from_parts((velocity * t).into(), rotation)
    }

    #[test]
    fn an_unknown_pose_ends_it() {
        let mut asked = Vec::new();
        let result = SweepMotion::sample(0.0, 0.1, |t| {
            asked.push(t);
            if t < 0.09 { Err("unknown") } else { Ok(Pose::identity()) }
        });
        assert_eq!(result.err(), Some("unknown"));
        assert!(asked.len() < 10 && asked.is_sorted_by(|a, b| a > b), "{asked:?}");
    }

    #[test]
    fn times_outside_have_the_nearest_pose_and_no_time_none() {
        let pose = |t: f64| Ok::<_, ()>(Pose::translation(if t < 0.0 { -1.0 } else { 1.0 }, 0.0, 0.0));
        let motion = SweepMotion::sample(-0.05, 0.05, pose).unwrap();
        for (offset, x) in [(-9.0, -1.0), (-0.04, -1.0), (0.04, 1.0), (9.0, 1.0), (f64::INFINITY, 1.0)] {
            assert_eq!(motion.to_stamp(offset, [0.0; 3]), [x, 0.0, 0.0], "{offset}");
        }
        assert_eq!(motion.to_stamp(f64::NAN, [1.0, 2.0, 3.0]), [1.0, 2.0, 3.0]);
        let instant = SweepMotion::sample(0.0, 0.0, pose).unwrap();
        assert_eq!(instant.to_stamp(0.0, [0.0; 3]), [1.0, 0.0, 0.0]);
    }

    proptest! {
        #[test]
        fn points_of_a_moving_sensor_come_to_rest(
            velocity in prop::array::uniform3(-20.0..20.0f64),
            yaw_rate in -2.0..2.0f64,
            (first, span) in (-0.1..0.1f64, 0.0..0.1f64),
            world in prop::array::uniform3(-50.0..50.0f64),
            share in 0.0..1.0f64,
        ) {
            let velocity = Vector3::from(velocity);
            let motion = SweepMotion::sample(first, first + span, |t| {
                Ok::<_, ()>(moving(velocity, yaw_rate, t))
            }).unwrap();
            let world = Point3::from(world);
            let offset = first + share * span;
            let seen = moving(velocity, yaw_rate, offset).inverse() * world;
            let found = motion.to_stamp(offset, [seen.x as f32, seen.y as f32, seen.z as f32]);
            let error = (0..3).map(|i| (f64::from(found[i]) - world[i]).powi(2)).sum::<f64>().sqrt();
            // Half a step of the fastest motion there is.
            let step_s = (span / MAX_POSES as f64).max(MIN_STEP_S);
            let speed = velocity.norm() + yaw_rate.abs() * world.coords.norm();
            prop_assert!(error <= speed * step_s / 2.0 * 1.2 + 1e-3, "{error}");
        }
    }
}
