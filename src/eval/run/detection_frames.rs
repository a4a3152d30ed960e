//! Truth boxes and detections of one recording, joined by stamp.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};

use nalgebra::{Point3, Vector3};

use super::boxes::{BoxFrame, Counts, Moving, moved, read};
use super::depth_frames::place;
use super::frame_marks::FrameMarks;
use super::kitti_annotations::{KittiAnnotations, Labelled};
use super::reading::{Damages, Progress, Reading};
use super::source::Source;
use super::topics::{find, frame};
use super::{EvalError, Joined, Matching, Need, StampJoin, TOLERANCE_NS};
use crate::bag::Bag;
use crate::eval::detection::{EvalBox, EvalClasses, KittiFrame};
use crate::eval::html::Fate;
use crate::geometry::{Box3d, Pose, TransformBuffer};
use crate::message::{CdrBuffer, Detection3DArray, PointCloud2, Stamp, TFMessage};
use crate::pipeline::detection::{DetectionFrame, DetectionIntake};
use crate::pipeline::{Accounting, Intake, Pacing, SensorInput, insert_transforms};

/// How long truth waits for its sweep after it was logged: longer than the intake waits for transforms.
const PATIENCE_NS: i64 = 1_000_000_000;
/// Sweeps that wait for their truth.
const PENDING_SWEEPS: usize = 8;

/// One sweep's truth and detections.
pub(super) struct DetectionPair {
    /// Stamp of the truth.
    pub stamp: Stamp,
    /// The recording with the truth.
    pub bag: Arc<Path>,
    /// Checksum of the truth message.
    pub truth_crc32: u32,
    /// Its place among all frames.
    pub sequence: u64,
    /// Classes known so far.
    pub classes: Arc<EvalClasses>,
    /// Truth within range, and the same boxes in the sweep's frame.
    pub truth: Vec<EvalBox>,
    pub truth_in_sweep: Vec<Box3d>,
    /// The sweep; `None` where there is none or its frame is not known.
    pub sweep: Option<DetectionFrame>,
    /// Frame of the truth into that of the sweep, where it is known.
    pub t_sweep_truth: Option<Pose>,
    /// Detections within range, in the frame of the truth.
    pub detections: Vec<EvalBox>,
    /// All labelled objects and all detections in the image, where the truth tells how difficult they are to find.
    pub kitti: Option<KittiFrame>,
    /// From the stamp of the detections to their log time, nanoseconds.
    pub age_ns: i64,
}

/// Truth of one sweep.
struct TruthFrame {
    frame: BoxFrame,
    sweep: Option<DetectionFrame>,
    /// Frame of the truth into that of the sweep.
    t_sweep_truth: Option<Pose>,
    /// What KITTI says of the boxes
    labelled: Option<Result<Labelled, String>>,
}

/// The truth boxes of a recording, each frame with its sweep.
pub(super) struct DetectionTruth<'a> {
    reading: Reading<'a>,
    bag: Arc<Path>,
    place: String,
    topic: usize,
    lidar: Option<usize>,
    tf_static: Option<usize>,
    kitti: KittiAnnotations,
    intake: DetectionIntake,
    transforms: TransformBuffer,
    moving: Moving,
    waiting: VecDeque<BoxFrame>,
    sweeps: VecDeque<DetectionFrame>,
    now: Stamp,
    ended: bool,
}

impl<'a> DetectionTruth<'a> {
    /// The truth on topic `name`; `None` if the recording has no such topic.
    pub fn open(
        bag: &Bag,
        source: &Source,
        name: &str,
        progress: &'a Progress,
    ) -> Result<Option<Self>, EvalError> {
        let (path, info) = (bag.path(), bag.info());
        let Some(topic) = find::<Detection3DArray<'_>>(path, info, name)? else { return Ok(None) };
        let lidar = find::<PointCloud2<'_>>(path, info, &source.topic("lidar/points"))?;
        let tf = find::<TFMessage<'_>>(path, info, &source.topic("/tf"))?;
        let tf_static = find::<TFMessage<'_>>(path, info, &source.topic("/tf_static"))?;
        let mut parameters = source.parameters.detection.clone();
        // Sweeps are wanted in their own frame here.
        let set = parameters.set_text("output_frame", "");
        set.map_err(|error| EvalError::Incomparable(error.to_string()))?;
        let kitti = KittiAnnotations::open(bag, source, name);
        let topics = [topic].into_iter().chain(lidar).chain(tf).chain(tf_static);
        let topics = topics.chain(kitti.topics()).collect();
        let account = Arc::new(Mutex::new(Accounting::default()));
        Ok(Some(Self {
            reading: Reading::logged(bag, topics, Some(progress))?,
            bag: Arc::from(path),
            place: place(path, name),
            topic,
            lidar,
            tf_static,
            kitti,
            intake: DetectionIntake::new(&parameters, Pacing::Lockstep, account),
            transforms: TransformBuffer::new(),
            moving: Moving::default(),
            waiting: VecDeque::new(),
            sweeps: VecDeque::new(),
            now: Stamp(i64::MIN),
            ended: false,
        }))
    }

    /// Whether the recording has sweeps to tell which boxes have points.
    pub const fn has_sweeps(&self) -> bool {
        self.lidar.is_some()
    }

    /// The next frame, complete.
    fn next(
        &mut self,
        classes: &mut Arc<EvalClasses>,
        counts: &mut Counts,
        damages: &mut Damages,
    ) -> Option<(Stamp, TruthFrame)> {
        loop {
            if let Some(done) = self.take_complete() {
                return Some((done.frame.stamp, done));
            }
            if self.ended {
                return None;
            }
            let Some(message) = self.reading.next(damages) else {
                self.waiting.extend(self.moving.finish());
                while let Some(sweep) = self.intake.flush() {
                    self.sweeps.push_back(sweep);
                }
                self.ended = true;
                continue;
            };
            let topic = Some(message.topic);
            self.now = message.log_time;
            if message.topic == self.topic {
                match read(&message.data, classes, counts) {
                    Ok(found) => self.waiting.extend(self.moving.push(found, self.now)),
                    Err(error) => damages.note(&self.place, &error),
                }
            } else if topic == self.lidar {
                self.intake.offer(SensorInput::Lidar(Arc::new(CdrBuffer(message.data))), self.now);
            } else if !self.kitti.offer(message.topic, &message.data, self.now, damages) {
                let is_static = topic == self.tf_static;
                // What is refused is missed at the look-up, which says so.
                let _ = insert_transforms(&mut self.transforms, &message.data, is_static);
                self.intake.offer(SensorInput::Transforms(message.data.into(), is_static), self.now);
            }
            while let Some(sweep) = self.intake.poll(self.now) {
                self.keep(sweep);
            }
        }
    }

    /// Keeps a sweep, in place of the oldest of which no truth is here yet: truth that is rarer than sweeps
    /// waits longer than they do.
    fn keep(&mut self, sweep: DetectionFrame) {
        self.sweeps.push_back(sweep);
        let wanted = |sweep: &DetectionFrame| {
            let mut stamps = self.moving.pending().chain(self.waiting.iter().map(|truth| truth.stamp));
            stamps.any(|stamp| stamp.since_ns(sweep.stamp).saturating_abs() <= TOLERANCE_NS)
        };
        let unwanted = self.sweeps.iter().filter(|sweep| !wanted(sweep)).count();
        if unwanted > PENDING_SWEEPS
            && let Some(oldest) = self.sweeps.iter().position(|sweep| !wanted(sweep))
        {
            self.sweeps.remove(oldest);
        }
    }

    /// The oldest frame, once its sweep is there or will not come.
    fn take_complete(&mut self) -> Option<TruthFrame> {
        let front = self.waiting.front()?;
        let apart = |sweep: &DetectionFrame| sweep.stamp.since_ns(front.stamp).saturating_abs();
        let nearest = self.sweeps.iter().enumerate().min_by_key(|(_, sweep)| apart(sweep));
        let found = nearest.filter(|(_, sweep)| apart(sweep) <= TOLERANCE_NS).map(|(index, _)| index);
        let exact = found.and_then(|index| self.sweeps.get(index)).is_some_and(|sweep| apart(sweep) == 0);
        let late = !(0..PATIENCE_NS).contains(&self.now.since_ns(front.logged));
        let has_sweep = exact || self.lidar.is_none();
        if !(has_sweep && self.kitti.has(front.logged) || late || self.ended) {
            return None;
        }
        let sweep = found.and_then(|index| self.sweeps.remove(index));
        let boxes = self.waiting.pop_front()?;
        let of_sweep = sweep.as_ref().map(|sweep| frame(&sweep.frame_id));
        let t_sweep_truth =
            of_sweep.and_then(|of_sweep| self.pose(of_sweep, &boxes.in_frame, boxes.stamp).ok());
        let labelled = self.kitti.take(&boxes, &self.transforms);
        Some(TruthFrame { frame: boxes, sweep, t_sweep_truth, labelled })
    }

    /// `t_target_source` at a time of the recording.
    fn pose(&self, target: &str, source: &str, at: Stamp) -> Result<Pose, String> {
        if target == source {
            return Ok(Pose::identity());
        }
        self.transforms.lookup(target, source, at).map_err(|error| error.to_string())
    }
}

/// The detections of a recording.
pub(super) struct DetectionOutputs {
    reading: Reading<'static>,
    place: String,
    topic: usize,
    moving: Moving,
    ended: bool,
}

impl DetectionOutputs {
    /// The outputs of a source; `None` if it has no detections. `several` bags made them.
    pub fn open(bag: &Bag, source: &Source, several: bool) -> Result<Option<Self>, EvalError> {
        let name = source.topic("detections");
        let Some(topic) = find::<Detection3DArray<'_>>(bag.path(), bag.info(), &name)? else {
            return Ok(None);
        };
        let reading = if source.live {
            Reading::logged(bag, vec![topic], None)?
        } else {
            Reading::written(bag, (!several).then(|| vec![topic]))?
        };
        let place = place(bag.path(), &name);
        Ok(Some(Self { reading, place, topic, moving: Moving::default(), ended: false }))
    }

    /// Begins the outputs of the next bag: `count` messages.
    pub fn next_bag(&mut self, count: u64) {
        self.reading.allow(count);
        self.moving = Moving::default();
        self.ended = false;
    }

    /// Passes over the outputs of a bag that has no truth.
    pub fn skip(&mut self, damages: &mut Damages) {
        while self.reading.next(damages).is_some() {}
    }

    fn next(
        &mut self,
        classes: &mut Arc<EvalClasses>,
        counts: &mut Counts,
        damages: &mut Damages,
    ) -> Option<(Stamp, BoxFrame)> {
        while !self.ended {
            let frame = match self.reading.next(damages) {
                Some(message) if message.topic != self.topic => None,
                Some(message) => match read(&message.data, classes, counts) {
                    Ok(found) => self.moving.push(found, message.log_time),
                    Err(error) => {
                        damages.note(&self.place, &error);
                        None
                    }
                },
                None => {
                    self.ended = true;
                    self.moving.finish()
                }
            };
            if let Some(frame) = frame {
                return Some((frame.stamp, frame));
            }
        }
        None
    }
}

/// Joins truth and detections; `pair` gets each pair, filtered by range, `marks` what is in none.
pub(super) fn join(
    truth: &mut DetectionTruth<'_>,
    outputs: &mut DetectionOutputs,
    classes: &mut Arc<EvalClasses>,
    counts: &mut Counts,
    marks: &mut FrameMarks,
    damages: &mut Damages,
    mut pair: impl FnMut(DetectionPair) -> Result<(), EvalError>,
) -> Result<Matching, EvalError> {
    let mut join = StampJoin::<TruthFrame, BoxFrame>::new(TOLERANCE_NS);
    let mut matching = Matching::default();
    loop {
        match join.poll() {
            Ok(Joined::Both(of_truth, found)) => {
                matching.matched += 1;
                let stamp = of_truth.frame.stamp;
                match truth.pose(&of_truth.frame.in_frame, &found.in_frame, stamp) {
                    Ok(t_truth_found) => {
                        let sequence = marks.number();
                        let bag = Arc::clone(&truth.bag);
                        if let Some(Err(why)) = &of_truth.labelled {
                            counts.without_difficulty.get_or_insert_with(|| (0, why.clone())).0 += 1;
                        }
                        pair(paired((bag, of_truth), found, &t_truth_found, classes, sequence))?;
                    }
                    Err(error) => {
                        let why = format!(
                            "detection truth in frame '{}', detections in '{}': {error}",
                            of_truth.frame.in_frame, found.in_frame
                        );
                        counts.without_transform.get_or_insert((0, why)).0 += 1;
                        marks.note(stamp, Fate::NotCompared);
                    }
                }
            }
            Ok(Joined::Left(alone)) => {
                matching.truth_without_output += 1;
                marks.note(alone.frame.stamp, Fate::NotPublished);
            }
            Ok(Joined::Right(alone)) => {
                matching.outputs_without_truth += 1;
                marks.note(alone.stamp, Fate::WithoutTruth);
            }
            Err(Need::Left) => join.push_left(truth.next(classes, counts, damages)),
            Err(Need::Right) => join.push_right(outputs.next(classes, counts, damages)),
            Err(Need::End) => break,
        }
    }
    matching.truth = matching.matched + matching.truth_without_output;
    matching.outputs = matching.matched + matching.outputs_without_truth;
    (matching.truth_time_jumps, matching.output_time_jumps) = join.jumps();
    Ok(matching)
}

fn paired(
    (bag, truth): (Arc<Path>, TruthFrame),
    found: BoxFrame,
    t_truth_found: &Pose,
    classes: &Arc<EvalClasses>,
    sequence: u64,
) -> DetectionPair {
    let TruthFrame { frame, sweep, t_sweep_truth, labelled } = truth;
    let labelled = labelled.and_then(Result::ok);
    let kitti = labelled.map(|labelled| labelled.with(&found.boxes, t_truth_found, classes));
    // Without a sweep the boxes are taken to be in the LiDAR's frame, as those of a simulation are.
    let lidar = t_sweep_truth.map_or(Point3::origin(), |pose| pose.inverse() * Point3::origin());
    let ranged = |found: EvalBox| {
        let range_m = (found.box3d.center - lidar).xy().norm();
        classes.counts(found.class, range_m).then_some(EvalBox { range_m, ..found })
    };
    let truth: Vec<EvalBox> = frame.boxes.into_iter().filter_map(ranged).collect();
    let rotation = t_truth_found.rotation;
    let detections = found.boxes.into_iter().filter_map(|found| {
        let [vx, vy] = found.velocity_mps;
        let velocity = rotation * Vector3::new(vx, vy, 0.0);
        let box3d = moved(&found.box3d, t_truth_found);
        ranged(EvalBox { box3d, velocity_mps: [velocity.x, velocity.y], ..found })
    });
    DetectionPair {
        stamp: frame.stamp,
        bag,
        truth_crc32: frame.crc32,
        sequence,
        classes: Arc::clone(classes),
        detections: detections.collect(),
        truth_in_sweep: t_sweep_truth
            .map(|pose| truth.iter().map(|of| moved(&of.box3d, &pose)).collect())
            .unwrap_or_default(),
        sweep: sweep.filter(|_| t_sweep_truth.is_some()),
        t_sweep_truth,
        truth,
        kitti,
        age_ns: found.logged.since_ns(found.stamp),
    }
}
