//! A simulation as a rosbag2 with the topics that the nodes subscribe to, and the truth beside them.
//!
//! Messages are logged when they could have been sent: images at the end of the exposure, sweeps and scans at
//! their end. Equal seeds give equal bytes at any number of threads.

mod topics;
mod transforms;
mod writing;

use std::path::PathBuf;
use std::sync::Mutex;

use rayon::prelude::*;
use smallvec::smallvec;

use self::{topics::Topics, writing::Writing};
use super::{CameraFrame, Scan, Simulation, SimulationError, Sweep, TruthBox, lidar, radar};
use crate::bag::{BagError, BagWriter, OutFolder};
use crate::message::{
    BoundingBox3D, CameraInfo, Clock, Detection3D, Detection3DArray, Header, Image, ObjectHypothesis,
    ObjectHypothesisWithPose, PoseWithCovariance, Stamp, Vector3,
};

/// The stamp of the world's time 0: simulated recordings look like recent ones.
const EPOCH_NS: i64 = 1_760_000_000_000_000_000;
/// Transforms a second.
const TRANSFORM_HZ: f64 = 100.0;
/// Images that are rendered at the same time, with what the other sensors measure meanwhile.
const BATCH_IMAGES: usize = 2;

/// What to record.
#[derive(Clone, Debug)]
pub struct RecordOptions {
    /// New folder of the bag.
    pub out: PathBuf,
    /// Images; the other sensors look as long as these take.
    pub frames: u64,
    /// What to remember in the recording, as (key, value).
    pub remarks: Vec<(String, String)>,
}

/// Records. `progress` is called with the number of images that are done. When this fails, nothing is left in a
/// folder; a plain file may be left half-written.
pub fn record(
    simulation: &Simulation,
    options: &RecordOptions,
    mut progress: impl FnMut(u64),
) -> Result<(), SimulationError> {
    let folder = OutFolder::for_new_bag(&options.out).map_err(BagError::from)?;
    let mut writer = BagWriter::create(&options.out)?;
    for (key, value) in &options.remarks {
        writer.set_custom_data(key, value);
    }
    let radar_frames: Vec<String> =
        (0..simulation.mounts.radars.len()).map(|index| format!("radar_{index}")).collect();
    let topics = Topics::add(&mut writer, radar_frames.len())?;
    let writing = Writing::start(writer);
    let mut recorder = Recorder { simulation, topics, writing, radar_frames, data: Vec::new() };
    let spare = Mutex::new(Vec::new());
    let events = events(simulation, options.frames);
    let mut rest = events.as_slice();
    let taken = std::iter::from_fn(|| {
        let (batch, others) = rest.split_at(batch_length(rest));
        rest = others;
        (!batch.is_empty()).then_some(batch)
    })
    .try_for_each(|batch| {
        // Together, so that no core waits for the end of a single frame.
        let measured: Vec<_> =
            batch.par_iter().map(|event| measure(simulation, event.kind, &spare)).collect();
        batch.iter().zip(measured).try_for_each(|(event, measured)| {
            recorder.write(event, &measured)?;
            if let (Kind::Image(number), Measured::Image(frame)) = (event.kind, measured) {
                keep(&spare, frame);
                progress(number + 1);
            }
            Ok(())
        })
    });
    // If the thread that writes has failed, its error is the cause of the other.
    recorder.writing.finish().and(taken)?;
    folder.into_iter().for_each(OutFolder::keep);
    Ok(())
}

/// Something that a sensor, or the robot, reports.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Event {
    /// When it is logged.
    log: Stamp,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Fixed,
    Pose(u64),
    Sweep(u64),
    Scan(usize, u64),
    Image(u64),
}

/// All that happens, in the order of the log.
fn events(simulation: &Simulation, frames: u64) -> Vec<Event> {
    let at = |time_s: f64, kind| Event { log: stamp(time_s), kind };
    let mut events = vec![at(0.0, Kind::Fixed)];
    let until_s = simulation.last_time_s(frames) + 0.2;
    events.extend((0..=(until_s * TRANSFORM_HZ) as u64).map(|k| at(k as f64 / TRANSFORM_HZ, Kind::Pose(k))));
    events.extend((0..frames).map(|k| at(simulation.camera_log_s(k), Kind::Image(k))));
    events.extend((0..simulation.sweeps(frames)).map(|k| at(simulation.sweep_times_s(k).1, Kind::Sweep(k))));
    for radar in 0..simulation.radars.len() {
        let scans = 0..simulation.scans(radar, frames);
        events.extend(scans.map(|k| at(simulation.scan_times_s(radar, k).1, Kind::Scan(radar, k))));
    }
    events.sort_by_key(|event| (event.log, event.kind));
    events
}

/// How many of the next events are measured together: up to the last of [`BATCH_IMAGES`] images.
fn batch_length(events: &[Event]) -> usize {
    let mut images = (1..).zip(events).filter(|(_, event)| matches!(event.kind, Kind::Image(_)));
    images.nth(BATCH_IMAGES - 1).map_or(events.len(), |(length, _)| length)
}

/// What a sensor has measured.
enum Measured {
    Image(CameraFrame),
    Sweep(Sweep),
    Scan(Option<Scan>),
    /// Nothing that takes time.
    Pose,
}

fn measure(simulation: &Simulation, kind: Kind, spare: &Mutex<Vec<CameraFrame>>) -> Measured {
    match kind {
        Kind::Image(number) => {
            let mut frame = spare.lock().ok().and_then(|mut spare| spare.pop()).unwrap_or_default();
            simulation.render(number, &mut frame);
            Measured::Image(frame)
        }
        Kind::Sweep(number) => Measured::Sweep(simulation.sweep(number)),
        Kind::Scan(radar, number) => Measured::Scan(simulation.scan(radar, number)),
        Kind::Fixed | Kind::Pose(_) => Measured::Pose,
    }
}

/// Keeps a frame's buffers for another.
fn keep(spare: &Mutex<Vec<CameraFrame>>, frame: CameraFrame) {
    if let Ok(mut spare) = spare.lock() {
        spare.push(frame);
    }
}

struct Recorder<'a> {
    simulation: &'a Simulation,
    topics: Topics,
    writing: Writing,
    radar_frames: Vec<String>,
    /// Of the cloud that is being written.
    data: Vec<u8>,
}

impl Recorder<'_> {
    fn write(&mut self, event: &Event, measured: &Measured) -> Result<(), SimulationError> {
        match (event.kind, measured) {
            (Kind::Fixed, _) => {
                let message = transforms::fixed(self.simulation, event.log, &self.radar_frames);
                self.writing.send(self.topics.tf_static, event.log, &message)
            }
            (Kind::Pose(number), _) => {
                let time_s = number as f64 / TRANSFORM_HZ;
                self.writing.send(self.topics.clock, event.log, &Clock { clock: event.log })?;
                let tf = transforms::moving(self.simulation, time_s, event.log);
                self.writing.send(self.topics.tf, event.log, &tf)?;
                let odometry = transforms::odometry(self.simulation, time_s, event.log);
                self.writing.send(self.topics.odometry, event.log, &odometry)
            }
            (Kind::Image(number), Measured::Image(frame)) => self.image(number, frame, event.log),
            (Kind::Sweep(number), Measured::Sweep(sweep)) => self.sweep(number, sweep, event.log),
            (Kind::Scan(radar, number), Measured::Scan(Some(scan))) => {
                self.scan(radar, number, scan, event.log)
            }
            _ => Ok(()),
        }
    }

    fn image(&mut self, number: u64, frame: &CameraFrame, log: Stamp) -> Result<(), SimulationError> {
        let header =
            Header { stamp: stamp(self.simulation.camera_time_s(number)), frame_id: "camera_optical_frame" };
        self.writing.send(self.topics.camera_info, log, &camera_info(self.simulation, header))?;
        let (width, height) = (frame.width as u32, frame.height as u32);
        let image = Image {
            header,
            height,
            width,
            encoding: "rgb8",
            is_bigendian: false,
            step: 3 * width,
            data: &frame.rgb,
        };
        self.writing.send(self.topics.image, log, &image)?;
        let depth =
            Image { encoding: "32FC1", step: 4 * width, data: bytemuck::cast_slice(&frame.depth_m), ..image };
        self.writing.send(self.topics.depth_truth, log, &depth)
    }

    fn sweep(&mut self, number: u64, sweep: &Sweep, log: Stamp) -> Result<(), SimulationError> {
        let header = Header { stamp: stamp(self.simulation.sweep_times_s(number).0), frame_id: "lidar" };
        let layout = lidar::encode(&sweep.points, self.simulation.lidar, &mut self.data);
        let cloud = layout.cloud(header, &self.data);
        self.writing.send(self.topics.lidar, log, &cloud)?;
        self.writing.send(self.topics.detection_truth, log, &detections(&sweep.boxes, header))
    }

    fn scan(&mut self, radar: usize, number: u64, scan: &Scan, log: Stamp) -> Result<(), SimulationError> {
        let (Some(frame_id), Some(&topic), Some(model)) =
            (self.radar_frames.get(radar), self.topics.radars.get(radar), self.simulation.radars.get(radar))
        else {
            return Ok(());
        };
        let (start_s, end_s) = self.simulation.scan_times_s(radar, number);
        let header = Header { stamp: stamp(0.5 * (start_s + end_s)), frame_id };
        let layout = radar::encode(&scan.returns, model, &mut self.data);
        let cloud = layout.cloud(header, &self.data);
        self.writing.send(topic, log, &cloud)
    }
}

fn stamp(time_s: f64) -> Stamp {
    Stamp(EPOCH_NS + (time_s * 1e9).round() as i64)
}

fn camera_info<'a>(simulation: &Simulation, header: Header<'a>) -> CameraInfo<'a> {
    let model = simulation.camera.model();
    let (name, d) = model.distortion.to_message();
    let k = model.k();
    let [fx, _, cx, _, fy, cy, ..] = k;
    CameraInfo {
        header,
        height: model.height,
        width: model.width,
        distortion_model: name,
        d,
        k,
        r: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p: [fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
        ..CameraInfo::default()
    }
}

fn detections<'a>(boxes: &[TruthBox], header: Header<'a>) -> Detection3DArray<'a> {
    let detection = |truth: &TruthBox| {
        let pose = transforms::pose(&truth.pose);
        let [x, y, z] = truth.size.map(f64::from);
        Detection3D {
            header,
            results: smallvec![ObjectHypothesisWithPose {
                hypothesis: ObjectHypothesis { class_id: truth.class.name().into(), score: 1.0 },
                pose: PoseWithCovariance { pose, covariance: [0.0; 36] },
            }],
            bbox: BoundingBox3D { center: pose, size: Vector3 { x, y, z } },
            id: truth.object.to_string().into(),
        }
    };
    Detection3DArray { header, detections: boxes.iter().map(detection).collect() }
}
