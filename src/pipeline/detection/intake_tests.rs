//! Which sweeps go to the model, when, and with which motion.

use nalgebra::{Point3, UnitQuaternion, Vector3};

use super::*;
use crate::geometry::pose_to_parts;
use crate::message::{
    CdrBuffer, Header, Message, PointCloud2, PointField, TFMessage, TransformStamped, to_cdr,
};
use crate::pipeline::Pipeline;
use crate::pipeline::detection::DetectionPipeline;
use crate::sensor::{LidarPoints, LidarPreset, PointCloudView, StampAt};

const MS: i64 = 1_000_000;
const SWEEP_MS: i64 = 100;

fn encoded<'a>(message: &impl Message<'a>) -> Vec<u8> {
    let mut bytes = Vec::new();
    to_cdr(message, &mut bytes);
    bytes
}

fn at(ms: i64) -> Stamp {
    Stamp(1_000_000_000_000 + ms * MS)
}

/// Where the robot is in `odom`, seconds after the first stamp: it drives at 5 m/s and turns at 1.2 rad/s.
fn t_odom_base(t_s: f64) -> Pose {
    let rotation = UnitQuaternion::from_euler_angles(0.0, 0.0, 1.2 * t_s);
    Pose::from_parts((Vector3::new(5.0, 1.0, 0.0) * t_s).into(), rotation)
}

fn t_base_lidar() -> Pose {
    let rotation = UnitQuaternion::from_euler_angles(0.02, -0.03, 0.4);
    Pose::from_parts(Vector3::new(0.3, 0.1, 1.5).into(), rotation)
}

/// The wall: the plane x = 20 of `odom`, seen by a LiDAR that measures a point every 2 ms, each from where it is
/// then. Positions in the LiDAR's frame at their time, with the seconds since the stamp.
fn wall(stamp_ms: i64) -> Vec<[f32; 4]> {
    (0..50)
        .map(|i| {
            let offset_s = f64::from(i) * 2e-3;
            let on_wall = Point3::new(20.0, f64::from(i) * 0.5 - 12.0, f64::from(i % 7) * 0.4);
            let t_odom_lidar = t_odom_base(stamp_ms as f64 * 1e-3 + offset_s) * t_base_lidar();
            let p = t_odom_lidar.inverse() * on_wall;
            [p.x as f32, p.y as f32, p.z as f32, offset_s as f32]
        })
        .collect()
}

fn cloud(ms: i64, points: &[[f32; 4]]) -> SensorInput {
    let names = ["x", "y", "z", "time", "intensity", "ring"];
    let fields = (0..6u32).zip(names).map(|(i, name)| PointField {
        name,
        offset: 4 * i,
        datatype: PointField::FLOAT32,
        count: 1,
    });
    let data: Vec<u8> =
        points.iter().flat_map(|&[x, y, z, t]| [x, y, z, t, 9.0, 1.0]).flat_map(f32::to_le_bytes).collect();
    SensorInput::Lidar(Arc::new(CdrBuffer(encoded(&PointCloud2 {
        header: Header { stamp: if ms == i64::MIN { Stamp(0) } else { at(ms) }, frame_id: "lidar" },
        height: 1,
        width: points.len() as u32,
        fields: fields.collect(),
        point_step: 24,
        data: &data,
        ..PointCloud2::default()
    }))))
}

fn transform(parent: &str, child: &str, ms: i64, pose: &Pose, is_static: bool) -> SensorInput {
    let mut transform = TransformStamped {
        header: Header { stamp: at(ms), frame_id: parent },
        child_frame_id: child,
        ..Default::default()
    };
    let ([x, y, z], [qx, qy, qz, qw]) = pose_to_parts(pose);
    let (t, r) = (&mut transform.transform.translation, &mut transform.transform.rotation);
    (t.x, t.y, t.z) = (x, y, z);
    (r.x, r.y, r.z, r.w) = (qx, qy, qz, qw);
    SensorInput::Transforms(
        encoded(&TFMessage { transforms: [transform].into_iter().collect() }).into(),
        is_static,
    )
}

struct Live {
    intake: DetectionIntake,
    accounting: Arc<Mutex<Accounting>>,
}

impl Live {
    fn new(pacing: Pacing, settings: &[(&str, &str)]) -> Self {
        let accounting = Arc::new(Mutex::new(Accounting::default()));
        let mut parameters = ParameterSet::new("detection", DetectionPipeline::PARAMETERS);
        for (name, value) in settings {
            parameters.set_text(name, value).unwrap();
        }
        Self { intake: DetectionIntake::new(&parameters, pacing, Arc::clone(&accounting)), accounting }
    }

    fn mounted(pacing: Pacing, settings: &[(&str, &str)]) -> Self {
        let mut live = Self::new(pacing, settings);
        live.offer(transform("base", "lidar", 0, &t_base_lidar(), true), 0);
        live
    }

    fn offer(&mut self, input: SensorInput, now_ms: i64) {
        self.intake.offer(input, at(now_ms));
    }

    /// Odometry of the robot at `ms`, heard at `now_ms`.
    fn drive(&mut self, ms: i64, now_ms: i64) {
        self.offer(transform("odom", "base", ms, &t_odom_base(ms as f64 * 1e-3), false), now_ms);
    }

    fn poll(&mut self, now_ms: i64) -> Option<DetectionFrame> {
        self.intake.poll(at(now_ms))
    }

    fn dropped(&self, reason: DropReason) -> u64 {
        self.accounting.lock().unwrap().dropped().get(reason.as_str()).copied().unwrap_or(0)
    }

    fn degraded(&self) -> u64 {
        self.count("lidar: no_motion")
    }

    fn count(&self, what: &str) -> u64 {
        self.accounting.lock().unwrap().degraded().get(what).copied().unwrap_or(0)
    }
}

/// How far the points of `frame` are from the wall when all are taken to be seen from the pose at its stamp.
fn distance_from_wall(frame: &DetectionFrame, stamp_at: StampAt) -> f64 {
    let cloud = frame.cloud.cloud().unwrap();
    let view = PointCloudView::new(&cloud).unwrap();
    let layout = LidarPreset::Auto.layout(&view, frame.stamp, stamp_at).unwrap();
    assert_eq!(layout.preset(), LidarPreset::Velodyne);
    let mut points = layout.points(&view);
    if let Some((motion, times)) = frame.motion.as_deref().zip(layout.times()) {
        points = points.deskewed(motion, times);
    }
    farthest(points, frame.stamp)
}

/// How far one of `points`, seen from where the LiDAR is at `stamp`, is from the wall.
fn farthest(points: LidarPoints<'_, '_>, stamp: Stamp) -> f64 {
    let t_odom_lidar = t_odom_base(stamp.since_ns(at(0)) as f64 * 1e-9) * t_base_lidar();
    points
        .map(|p| {
            let p = t_odom_lidar * Point3::new(f64::from(p.x), f64::from(p.y), f64::from(p.z));
            (p.x - 20.0).abs()
        })
        .fold(0.0, f64::max)
}

/// Ages of the sweeps that `frame` is seen with, milliseconds; all of them show the wall where it is.
fn earlier_ms(frame: &DetectionFrame) -> Vec<i64> {
    let ages = frame.earlier.iter().map(|sweep| {
        let cloud = sweep.cloud.cloud().unwrap();
        let view = PointCloudView::new(&cloud).unwrap();
        let layout = LidarPreset::Auto.layout(&view, sweep.stamp, StampAt::Start).unwrap();
        let points = layout.points(&view).earlier(&sweep.motion, layout.times(), sweep.age_s);
        assert_eq!(points.clone().count(), 50);
        assert!(points.clone().all(|point| (point.age_s - sweep.age_s).abs() < 1e-6));
        let off = farthest(points, frame.stamp);
        assert!(off < 0.025, "{off} m after {} s", sweep.age_s);
        (f64::from(sweep.age_s) * 1e3).round() as i64
    });
    ages.collect()
}

#[test]
fn a_wall_seen_while_driving_and_turning_is_flat_again() {
    let mut live = Live::mounted(Pacing::KeepLatest, &[]);
    (0..=60).for_each(|i| live.drive(i * 10, i * 10));
    live.offer(cloud(200, &wall(200)), 310);
    let frame = live.poll(310).unwrap();
    assert!(frame.motion.is_some());
    // Poses are 1.6 ms apart: 1 ms of 5 m/s and of 1.2 rad/s at 25 m at the most.
    let flat = distance_from_wall(&frame, StampAt::Start);
    let skewed = distance_from_wall(&DetectionFrame { motion: None, ..frame }, StampAt::Start);
    assert!(flat < 0.025 && skewed > 0.5, "{flat} m, {skewed} m without");
    assert_eq!(live.degraded(), 0);
}

#[test]
fn the_stamp_may_be_that_of_the_end_of_the_sweep() {
    for (stamp_at, times) in [("start", "from the stamp"), ("end", "from the start")] {
        let mut live = Live::mounted(Pacing::KeepLatest, &[("stamp_at", stamp_at)]);
        (0..=60).for_each(|i| live.drive(i * 10, i * 10));
        let mut points = wall(200);
        let last = points[49][3];
        if times == "from the stamp" {
            for point in &mut points {
                point[3] -= last;
            }
        }
        live.offer(cloud(298, &points), 310);
        let frame = live.poll(310).unwrap();
        assert!(frame.motion.is_some());
        let flat = distance_from_wall(&frame, stamp_at.parse().unwrap());
        assert!(flat < 0.025, "{flat} m with times {times}");
    }
}

#[test]
fn a_sweep_waits_for_the_odometry_of_its_last_point_and_no_longer_than_the_timeout() {
    let mut live = Live::mounted(Pacing::KeepLatest, &[]);
    (0..=20).for_each(|i| live.drive(i * 10, i * 10));
    live.offer(cloud(150, &wall(150)), 255);
    assert!(live.poll(255).is_none());
    (21..=25).for_each(|i| live.drive(i * 10, i * 10 + 30));
    assert!(live.poll(280).unwrap().motion.is_some());

    live.offer(cloud(260, &wall(260)), 360);
    assert!(live.poll(360 + 149).is_none());
    assert!(live.poll(360 + 150).unwrap().motion.is_none(), "published as it is");
    assert_eq!((live.degraded(), live.dropped(DropReason::NoTransform)), (1, 0));
    let accounting = live.accounting.lock().unwrap();
    let problem = &accounting.problems()["lidar/points"];
    assert!(problem.message.contains("not de-skewed") && problem.message.contains("known only until"));
}

#[test]
fn odometry_that_has_died_delays_nothing() {
    let mut live = Live::mounted(Pacing::KeepLatest, &[]);
    (0..=20).for_each(|i| live.drive(i * 10, i * 10));
    live.offer(cloud(5000, &wall(5000)), 5100);
    assert!(live.poll(5100).unwrap().motion.is_none());
    assert_eq!(live.degraded(), 1);
}

#[test]
fn nobody_waits_for_a_motion_that_is_not_wanted_or_not_there() {
    let points = wall(0);
    let still: Vec<[f32; 4]> = points.iter().map(|&[x, y, z, _]| [x, y, z, 0.0]).collect();
    for (settings, odometry, points) in [
        (&[("deskew_frame", "")][..], true, &points),
        (&[], false, &points),
        (&[("deskew_frame", "map")], true, &points),
        (&[], true, &still),
    ] {
        let mut live = Live::mounted(Pacing::KeepLatest, settings);
        if odometry {
            live.drive(0, 0);
        }
        live.offer(cloud(0, points), SWEEP_MS);
        assert!(live.poll(SWEEP_MS).unwrap().motion.is_none());
        assert_eq!(live.degraded(), 0);
    }
    // The fixed frame is there, but nobody says where the LiDAR is mounted.
    let mut live = Live::new(Pacing::KeepLatest, &[]);
    live.drive(0, 0);
    live.offer(cloud(0, &points), SWEEP_MS);
    assert!(live.poll(SWEEP_MS).unwrap().motion.is_none());
    assert_eq!(live.degraded(), 1);
}

#[test]
fn transforms_later_than_the_next_sweep_starve_nothing() {
    for pacing in [Pacing::KeepLatest, Pacing::Lockstep] {
        let mut live = Live::mounted(pacing, &[]);
        let mut stamps = Vec::new();
        for ms in (0..2000).step_by(10) {
            if ms % SWEEP_MS == 0 {
                live.offer(cloud(ms - SWEEP_MS, &wall(ms - SWEEP_MS)), ms);
            }
            live.drive(ms - 120, ms);
            if let Some(frame) = live.poll(ms) {
                assert!(frame.motion.is_some() || frame.stamp < at(0), "{}", frame.stamp);
                stamps.push(frame.stamp);
            }
        }
        assert!(stamps.len() >= 17, "{stamps:?}");
        assert_eq!(live.dropped(DropReason::Superseded), 0);
    }
}

#[test]
fn a_newer_complete_sweep_supersedes_and_memory_is_bounded() {
    let mut live = Live::new(Pacing::KeepLatest, &[]);
    for i in 0..50 {
        live.offer(cloud(i * 100, &[]), i * 100);
        assert!(live.intake.waiting.len() <= LIVE_PENDING);
    }
    assert_eq!(live.poll(5000).map(|frame| frame.stamp), Some(at(4900)));
    assert!(live.poll(5000).is_none());
    assert_eq!(live.dropped(DropReason::Superseded), 49);
}

#[test]
fn an_unset_stamp_is_dropped_and_named() {
    let mut live = Live::new(Pacing::KeepLatest, &[]);
    live.offer(cloud(i64::MIN, &[]), 0);
    assert!(live.poll(0).is_none());
    assert_eq!(live.dropped(DropReason::ZeroStamp), 1);
    let accounting = live.accounting.lock().unwrap();
    assert!(accounting.dropped().contains_key("zero_stamp"));
    assert!(accounting.problems()["lidar/points zero_stamp"].message.contains("header.stamp"));
}

#[test]
fn a_recording_that_starts_again_is_taken_up_at_once() {
    let mut live = Live::mounted(Pacing::Lockstep, &[]);
    (0..=400).for_each(|i| live.drive(i * 10, i * 10));
    live.offer(cloud(3950, &wall(3950)), 4050);
    assert!(live.poll(4050).is_none(), "waits for odometry");
    // The bag loops: its first sweep comes before its first odometry.
    live.offer(cloud(0, &wall(0)), 0);
    assert_eq!(live.dropped(DropReason::TimeJump), 1);
    assert!(live.poll(0).unwrap().motion.is_none());
    (0..=25).for_each(|i| live.drive(i * 10, 250));
    live.offer(cloud(100, &wall(100)), 250);
    let frame = live.poll(250).unwrap();
    assert!(distance_from_wall(&frame, StampAt::Start) < 0.025);
    let accounting = live.accounting.lock().unwrap();
    assert_eq!((accounting.received(), accounting.waiting()), (3, 2));
}

#[test]
fn earlier_sweeps_are_seen_from_where_the_lidar_is_now() {
    for pacing in [Pacing::KeepLatest, Pacing::Lockstep] {
        let mut live = Live::mounted(pacing, &[("sweeps", "3")]);
        (0..=90).for_each(|i| live.drive(i * 10, i * 10));
        let mut found = Vec::new();
        for ms in [200, 300, 400, 500, 600] {
            live.offer(cloud(ms, &wall(ms)), ms + 110);
            let frame = live.poll(ms + 110).unwrap();
            assert!(frame.motion.is_some());
            found.push(earlier_ms(&frame));
        }
        let expected: [&[i64]; 5] = [&[], &[100], &[100, 200], &[100, 200], &[100, 200]];
        assert_eq!(found, expected, "{pacing:?}");
        assert_eq!((live.degraded(), live.count("lidar: earlier_sweep")), (0, 0));
    }
    let mut live = Live::mounted(Pacing::KeepLatest, &[]);
    (0..=60).for_each(|i| live.drive(i * 10, i * 10));
    for ms in [200, 300] {
        live.offer(cloud(ms, &wall(ms)), ms + 110);
        assert!(live.poll(ms + 110).unwrap().earlier.is_empty(), "one sweep by default");
    }
}

#[test]
fn sweeps_that_the_model_had_no_time_for_are_seen_with_the_next() {
    let mut live = Live::mounted(Pacing::KeepLatest, &[("sweeps", "3")]);
    (0..=90).for_each(|i| live.drive(i * 10, i * 10));
    for ms in [200, 300, 400] {
        live.offer(cloud(ms, &wall(ms)), 510);
    }
    assert_eq!(earlier_ms(&live.poll(510).unwrap()), [100, 200]);
    assert_eq!(live.dropped(DropReason::Superseded), 2);
    // Long ago is no help, nor is another recording.
    (200..=320).for_each(|i| live.drive(i * 10, i * 10));
    live.offer(cloud(3000, &wall(3000)), 3110);
    assert!(earlier_ms(&live.poll(3110).unwrap()).is_empty());
    live.offer(cloud(1500, &wall(1500)), 3200);
    assert!(live.poll(9000).unwrap().earlier.is_empty());
}

#[test]
fn without_odometry_earlier_sweeps_are_left_out_and_that_is_told() {
    let mut live = Live::mounted(Pacing::KeepLatest, &[("sweeps", "2")]);
    for ms in [200, 300] {
        live.offer(cloud(ms, &wall(ms)), ms + 110);
        assert!(live.poll(ms + 110).unwrap().earlier.is_empty());
    }
    assert_eq!(live.count("lidar: earlier_sweep"), 2);
    let accounting = live.accounting.lock().unwrap();
    let message = &accounting.problems()["lidar/points sweeps"].message;
    assert!(message.contains("nobody publishes deskew_frame"), "{message}");
}

#[test]
fn what_is_kept_is_bounded() {
    let mut history = History::new(2, LOCKSTEP_PENDING);
    let cloud: Arc<dyn LendCloud> = Arc::new(CdrBuffer::default());
    for ms in 0..200 {
        let cloud = Arc::clone(&cloud);
        history.add(|| Received { stamp: at(ms), frame_id: "lidar".into(), cloud, span_s: None });
    }
    assert_eq!(Arc::strong_count(&cloud), 1 + 2 + LOCKSTEP_PENDING);
    history.forget_before(at(199));
    assert_eq!(Arc::strong_count(&cloud), 1 + 3);
    let before: Vec<_> = history.before(at(199)).map(|sweep| sweep.stamp).collect();
    assert_eq!(before, [at(198), at(197)]);
}
