use super::*;
use crate::message::{
    CameraInfo, CdrBuffer, Header, Image, Message, PointCloud2, RadarScan, TFMessage, TransformStamped,
    to_cdr,
};
use crate::pipeline::depth::DepthPipeline;
use crate::pipeline::{InputKind, Pipeline};

const MS: i64 = 1_000_000;

fn encoded<'a>(message: &impl Message<'a>) -> Vec<u8> {
    let mut bytes = Vec::new();
    to_cdr(message, &mut bytes);
    bytes
}

fn at(ms: i64) -> Stamp {
    Stamp(1_000_000_000_000 + ms * MS)
}

fn header(ms: i64, frame_id: &str) -> Header<'_> {
    Header { stamp: at(ms), frame_id }
}

fn image(ms: i64) -> SensorInput {
    image_of(ms, 4, "rgb8")
}

fn image_of(ms: i64, size: u32, encoding: &str) -> SensorInput {
    let header = header(ms, "camera");
    let image = Image { header, encoding, width: size, height: size, ..Default::default() };
    SensorInput::Image(Arc::new(CdrBuffer(encoded(&image))))
}

fn radar(ms: i64) -> SensorInput {
    let cloud = PointCloud2 { header: header(ms, "radar"), ..Default::default() };
    SensorInput::Radar(0, Arc::new(CdrBuffer(encoded(&cloud))))
}

fn camera_info() -> SensorInput {
    camera_info_of(4)
}

fn camera_info_of(size: u32) -> SensorInput {
    let mut info =
        CameraInfo { header: header(0, "camera"), height: size, width: size, ..Default::default() };
    info.k = [2.0, 0.0, 1.5, 0.0, 2.0, 1.5, 0.0, 0.0, 1.0];
    SensorInput::CameraInfo(encoded(&info).into())
}

fn transform(ms: i64, is_static: bool) -> SensorInput {
    let mut transform =
        TransformStamped { header: header(ms, "camera"), child_frame_id: "radar", ..Default::default() };
    transform.transform.rotation.w = 1.0;
    let message = TFMessage { transforms: [transform].into_iter().collect() };
    SensorInput::Transforms(encoded(&message).into(), is_static)
}

struct Live {
    parameters: ParameterSet,
    intake: DepthIntake,
    accounting: Arc<Mutex<Accounting>>,
}

impl Live {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(settings: &[(&str, &str)]) -> Self {
        let accounting = Arc::new(Mutex::new(Accounting::default()));
        let mut parameters = ParameterSet::new("depth", DepthPipeline::PARAMETERS);
        for (name, value) in settings {
            parameters.set_text(name, value).unwrap();
        }
        let intake = DepthIntake::new(&parameters, Pacing::KeepLatest, Arc::clone(&accounting));
        let mut live = Self { parameters, intake, accounting };
        live.offer(camera_info(), -1000);
        live
    }

    fn offer(&mut self, input: SensorInput, now_ms: i64) {
        self.intake.offer(input, at(now_ms));
    }

    fn poll(&mut self, now_ms: i64) -> Option<i64> {
        self.intake.poll(at(now_ms)).map(|frame| frame.stamp.since_ns(at(0)) / MS)
    }

    fn problem(&self, source: &str) -> Option<String> {
        let accounting = self.accounting.lock().unwrap();
        accounting.problems().get(source).map(|problem| problem.message.clone())
    }

    fn superseded(&self) -> u64 {
        let accounting = self.accounting.lock().unwrap();
        accounting.dropped().get(DropReason::Superseded.as_str()).copied().unwrap_or(0)
    }
}

#[test]
fn images_wait_for_a_slower_radar_and_all_come_out() {
    let mut live = Live::new();
    live.offer(transform(0, true), -1000);
    live.offer(radar(-5), -5);
    let mut frames = Vec::new();
    for ms in (0..1000).step_by(5) {
        if ms % 100 == 0 {
            live.offer(image(ms), ms);
        }
        if ms % 200 == 195 {
            live.offer(radar(ms), ms);
        }
        frames.extend(live.poll(ms));
    }
    assert_eq!(frames, (0..1000).step_by(100).collect::<Vec<_>>());
    assert_eq!(live.superseded(), 0);
}

#[test]
fn of_several_complete_images_the_newest_comes_out() {
    let mut live = Live::new();
    live.offer(transform(0, true), -1000);
    for ms in [0, 33, 66] {
        live.offer(image(ms), ms);
        live.offer(radar(ms), ms);
    }
    live.offer(image(99), 99);
    assert_eq!(live.poll(100), Some(66));
    assert_eq!(live.superseded(), 2);
    assert_eq!(live.poll(101), None, "the newest still waits for its radar");
    live.offer(radar(99), 102);
    assert_eq!(live.poll(102), Some(99));
}

#[test]
fn transforms_later_than_the_next_image_starve_nothing() {
    let mut live = Live::new();
    live.offer(transform(-100, false), -100);
    let mut frames = Vec::new();
    for ms in (0..400).step_by(10) {
        if ms % 30 == 0 {
            live.offer(image(ms), ms);
            live.offer(radar(ms), ms);
        }
        // Odometry that is computed 70 ms late.
        live.offer(transform(ms - 70, false), ms);
        frames.extend(live.poll(ms));
    }
    assert_eq!(frames, (0..330).step_by(30).collect::<Vec<_>>());
    assert_eq!(live.superseded(), 0);
}

#[test]
fn without_camera_info_memory_is_bounded_and_every_image_is_counted() {
    let mut live = Live::new();
    live.intake.calibrations = Calibrations::default();
    for ms in (0..1000).step_by(5) {
        live.offer(image(ms), ms);
        live.offer(radar(ms), ms);
        assert_eq!(live.poll(ms), None);
        assert!(live.intake.waiting.len() <= LIVE_PENDING);
    }
    live.intake.abandon();
    let accounting = live.accounting.lock().unwrap();
    assert_eq!(accounting.received(), 200);
    assert_eq!(accounting.dropped().values().sum::<u64>(), 200);
}

fn scan(ms: i64) -> SensorInput {
    let scan = RadarScan { header: header(ms, "radar"), returns: Vec::new() };
    SensorInput::RadarScan(0, encoded(&scan).into())
}

fn dropped(live: &Live, reason: DropReason) -> u64 {
    live.accounting.lock().unwrap().dropped().get(reason.as_str()).copied().unwrap_or(0)
}

#[test]
fn a_radar_scan_takes_the_place_of_a_cloud() {
    let mut live = Live::with(&[("radar_0.preset", "radar_scan")]);
    let topics = DepthPipeline::inputs(&live.parameters);
    assert!(topics.iter().any(|topic| topic.name == "radar_0/scan" && topic.kind == InputKind::RadarScan(0)));
    assert!(!topics.iter().any(|topic| topic.name == "radar_0/points"));
    live.offer(transform(0, true), -1000);
    live.offer(image(0), 0);
    live.offer(scan(5), 10);
    let frame = live.intake.poll(at(10)).unwrap();
    assert!(matches!(frame.radars[0].as_ref().unwrap().payload, RadarPayload::Scan(_)));
    live.offer(SensorInput::RadarScan(0, vec![0, 1, 0, 0, 7].into()), 20);
    assert!(live.accounting.lock().unwrap().problems()["radar_0/scan"].undecodable);
}

#[test]
fn an_image_without_a_required_radar_is_dropped_and_says_which_was_missing() {
    let mut live = Live::with(&[("radars", "2"), ("radar_1.required", "true")]);
    live.offer(transform(0, true), -1000);
    live.offer(image(0), 0);
    live.offer(radar(5), 10);
    assert_eq!(live.poll(149), None);
    assert_eq!(live.poll(400), None);
    assert_eq!(dropped(&live, DropReason::RadarAbsent), 1);
    assert!(live.accounting.lock().unwrap().problems().contains_key("radar_1/points"));

    // Radar 0 is not required: its place in tf is unknown, which is counted.
    let mut live = Live::with(&[("radars", "1"), ("radar_0.required", "false")]);
    live.offer(image(0), 0);
    live.offer(radar(5), 10);
    live.poll(10);
    assert_eq!(live.poll(200), Some(0));
    let mut live = Live::with(&[("radars", "1"), ("radar_0.required", "true")]);
    live.offer(image(0), 0);
    live.offer(radar(5), 10);
    live.poll(10);
    assert_eq!(live.poll(200), None);
    assert_eq!(dropped(&live, DropReason::NoTransform), 1);
}

#[test]
fn a_radar_that_stops_is_named_and_slows_nothing_for_long() {
    let mut live = Live::with(&[("radars", "2"), ("radar_1.window_ms", "30")]);
    live.offer(transform(0, true), -1000);
    let second = |ms: i64| {
        let SensorInput::Radar(_, cloud) = radar(ms) else { panic!("a radar makes clouds") };
        SensorInput::Radar(1, cloud)
    };
    let mut latencies = Vec::new();
    for ms in 0..2000 {
        if ms % 100 == 0 {
            live.offer(image(ms), ms);
        }
        if ms % 100 == 20 {
            live.offer(radar(ms - 15), ms);
            if ms < 1000 {
                live.offer(second(ms - 15), ms);
            }
        }
        latencies.extend(live.poll(ms).map(|stamp| ms - stamp));
    }
    // Three images wait for the timeout; the third gives way to the fourth, which is complete by then.
    assert_eq!(latencies, [&[20; 10][..], &[150, 150, 50], &[20; 6]].concat());
    assert_eq!(live.superseded(), 1);
    let accounting = live.accounting.lock().unwrap();
    assert_eq!(accounting.degraded().get("radar_1: absent"), Some(&9));
    assert_eq!(accounting.degraded().get("radar_0: absent"), None);
}

#[test]
fn an_unset_stamp_is_dropped_and_named() {
    let mut live = Live::new();
    let unset = Image { header: Header { stamp: Stamp(0), frame_id: "camera" }, ..Default::default() };
    live.offer(SensorInput::Image(Arc::new(CdrBuffer(encoded(&unset)))), 0);
    assert_eq!(dropped(&live, DropReason::ZeroStamp), 1);
    assert!(live.accounting.lock().unwrap().problems()["image zero_stamp"].message.contains("header.stamp"));
}

#[test]
fn a_recording_that_starts_again_is_taken_up_at_once() {
    let mut live = Live::new();
    for ms in (4000..5000).step_by(100) {
        live.offer(transform(ms, false), ms);
        live.offer(radar(ms), ms);
        live.offer(image(ms), ms);
        assert_eq!(live.poll(ms), Some(ms));
    }
    live.offer(image(5000), 5000);
    assert_eq!(live.poll(5000), None);
    live.offer(image(0), 0);
    assert_eq!(dropped(&live, DropReason::TimeJump), 1);
    live.offer(transform(0, false), 1);
    live.offer(radar(0), 1);
    assert_eq!(live.poll(1), Some(0));
    assert_eq!(live.accounting.lock().unwrap().degraded().len(), 0);
}

/// A radar that looks to the left of a robot that drives forward at 3 m/s from −0.5 s up to `until_ms`.
fn drive(live: &mut Live, until_ms: i64) {
    let quarter = std::f64::consts::FRAC_1_SQRT_2;
    let mut mount = TransformStamped { child_frame_id: "radar", ..Default::default() };
    mount.header.frame_id = "base";
    (mount.transform.rotation.z, mount.transform.rotation.w) = (quarter, quarter);
    let mut camera = TransformStamped { child_frame_id: "camera", ..Default::default() };
    camera.header.frame_id = "base";
    camera.transform.rotation.w = 1.0;
    let fixed = TFMessage { transforms: [mount, camera].into_iter().collect() };
    live.offer(SensorInput::Transforms(encoded(&fixed).into(), true), -1000);
    live.offer(odometry(-500), -500);
    live.offer(odometry(until_ms), until_ms);
}

fn odometry(ms: i64) -> SensorInput {
    let mut moved =
        TransformStamped { header: header(ms, "odom"), child_frame_id: "base", ..Default::default() };
    moved.transform.translation.x = 3e-3 * ms as f64;
    moved.transform.rotation.w = 1.0;
    let message = TFMessage { transforms: [moved].into_iter().collect() };
    SensorInput::Transforms(encoded(&message).into(), false)
}

#[test]
fn odometry_gives_the_velocity_of_the_radar_in_its_own_frame() {
    let mut live = Live::new();
    drive(&mut live, 100);
    live.offer(image(0), 0);
    live.offer(radar(5), 10);
    let frame = live.intake.poll(at(10)).unwrap();
    let [x, y, z] = frame.radars[0].as_ref().unwrap().velocity_mps.unwrap();
    assert!(x.abs() < 1e-5 && (y + 3.0).abs() < 1e-5 && z.abs() < 1e-5, "{x} {y} {z}");
}

#[test]
fn earlier_scans_are_moved_by_odometry() {
    let mut live = Live::with(&[("radar_scans", "3")]);
    drive(&mut live, 100);
    for ms in [-295, -195, -95] {
        live.offer(radar(ms), ms + 5);
    }
    live.offer(image(0), 0);
    live.offer(radar(5), 10);
    let frame = live.intake.poll(at(10)).unwrap();
    let message = frame.radars[0].as_ref().unwrap();
    let places: Vec<f64> = message.earlier.iter().map(|scan| scan.t_camera_radar.translation.x).collect();
    assert_eq!(places.len(), 2, "three scans with that of the frame");
    assert!((places[0] + 0.3).abs() < 1e-6 && (places[1] + 0.6).abs() < 1e-6, "{places:?}");
    assert!((message.earlier[0].velocity_mps[1] + 3.0).abs() < 1e-5);
}

#[test]
fn earlier_scans_wait_for_odometry_of_their_frame_and_do_without_where_there_is_none() {
    let mut live = Live::with(&[("radar_scans", "3")]);
    drive(&mut live, -50);
    live.offer(radar(-95), -90);
    live.offer(image(0), 0);
    live.offer(radar(5), 10);
    assert_eq!(live.poll(10), None, "odometry of 5 ms may still come");
    live.offer(odometry(50), 50);
    let frame = live.intake.poll(at(50)).unwrap();
    assert_eq!(frame.radars[0].as_ref().unwrap().earlier.len(), 1);
    // It does not come for the next.
    live.offer(image(200), 200);
    live.offer(radar(205), 210);
    assert_eq!(live.poll(210), None);
    let frame = live.intake.poll(at(400)).unwrap();
    assert_eq!(frame.radars[0].as_ref().unwrap().earlier.len(), 0);

    let mut without = Live::with(&[("radar_scans", "3")]);
    without.offer(transform(0, true), -100);
    without.offer(radar(-95), -90);
    without.offer(image(0), 0);
    without.offer(radar(5), 10);
    assert_eq!(without.poll(10), Some(0), "nothing to wait for");
}

#[test]
fn an_image_of_a_new_size_waits_for_its_camera_info() {
    let mut live = Live::new();
    live.offer(image(0), 0);
    live.offer(radar(0), 0);
    live.offer(transform(0, true), 0);
    assert_eq!(live.poll(0), Some(0));
    live.offer(image_of(100, 8, "rgb8"), 100);
    live.offer(radar(100), 100);
    assert_eq!(live.poll(100), None, "the info of the old size does not fit");
    live.offer(camera_info_of(8), 110);
    assert_eq!(live.poll(110), Some(100));
    assert_eq!(live.problem("image size").unwrap(), "the size changed from 4×4 to 8×8");
    live.offer(image_of(200, 6, "rgb8"), 200);
    live.offer(radar(200), 200);
    assert_eq!(live.poll(200), None);
    assert_eq!(live.poll(349), None);
    assert_eq!(live.poll(350), Some(200), "the processor says what is wrong with the one there is");
}

#[test]
fn another_encoding_is_told_with_both() {
    let mut live = Live::new();
    live.offer(image_of(0, 4, "rgb8"), 0);
    assert_eq!(live.problem("image encoding"), None);
    live.offer(image_of(30, 4, "mono16"), 30);
    let told = live.problem("image encoding").unwrap();
    assert!(told.contains("'rgb8'") && told.contains("'mono16'"), "{told}");
}

#[test]
fn a_jump_of_time_is_told_with_both_times() {
    let mut live = Live::new();
    live.offer(image(60_000), 60_000);
    live.offer(image(0), 60_030);
    let told = live.problem("time").unwrap();
    assert!(told.contains(&at(60_000).to_string()) && told.contains(&at(0).to_string()), "{told}");
}

#[test]
fn a_shorter_timeout_holds_for_what_waits_and_loses_nothing() {
    let mut live = Live::new();
    assert!(!live.intake.is_waiting());
    live.offer(image(0), 0);
    assert_eq!(live.poll(50), None, "its radar may come");
    assert!(live.intake.is_waiting());
    let mut parameters = ParameterSet::of::<DepthPipeline>("depth");
    parameters.set_text("sync_timeout_ms", "40").unwrap();
    live.intake.update(&parameters);
    assert_eq!(live.poll(51), Some(0));
    assert!(!live.intake.is_waiting());
}
