//! Truth and depth images of one recording, joined by stamp.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::frame_marks::FrameMarks;
use super::reading::{Damages, Progress, Reading};
use super::source::Source;
use super::topics::find;
use super::{EvalError, Joined, Matching, Need, StampJoin, TOLERANCE_NS};
use crate::bag::{Bag, BagInfo};
use crate::eval::html::Fate;
use crate::message::{CdrBuffer, Image, Stamp, from_cdr, to_cdr};
use crate::pipeline::depth::{DepthFrame, DepthIntake, DepthPipeline, MAX_RADARS, RadarReader};
use crate::pipeline::{
    Accounting, InputKind, Intake, Pacing, ParameterSet, Pipeline, SensorInput, type_name_of,
};

/// How long a truth image waits for the returns of the radars after it was logged: longer than the intake waits.
const PATIENCE_NS: i64 = 500_000_000;
/// Depth images that wait for their confidence.
const PENDING_OUTPUTS: usize = 3;

/// A truth image and what the node published for it, serialized.
pub(super) struct DepthPair {
    /// Stamp of the truth.
    pub stamp: Stamp,
    /// When the truth was logged, and in which recording.
    pub logged: Stamp,
    pub bag: Arc<Path>,
    /// Its place among all frames.
    pub sequence: u64,
    /// The truth.
    pub truth: Vec<u8>,
    /// Where the radars' returns appear, pixels of the camera's image; `None` where that is not known.
    pub returns_px: Option<Vec<(f64, f64)>>,
    /// Depth and confidence.
    pub output: DepthOutput,
}

/// What the node published for one image.
pub(super) struct DepthOutput {
    stamp: Stamp,
    /// When it was logged.
    pub log_time: Stamp,
    /// `depth/image`.
    pub depth: Vec<u8>,
    /// `depth/confidence`.
    pub confidence: Option<Vec<u8>>,
}

impl DepthOutput {
    /// An image with its confidence.
    pub fn new(stamp: Stamp, log_time: Stamp, depth: Vec<u8>, confidence: Option<Vec<u8>>) -> Self {
        Self { stamp, log_time, depth, confidence }
    }
}

struct WaitingTruth {
    stamp: Stamp,
    logged: Stamp,
    data: Vec<u8>,
    returns_px: Option<Vec<(f64, f64)>>,
}

/// The truth images of a recording, each with the radar returns that belong to it.
pub(super) struct DepthTruth<'a> {
    reading: Reading<'a>,
    bag: Arc<Path>,
    place: String,
    topic: usize,
    inputs: Vec<(usize, InputKind)>,
    /// Collects radars as the node does, with truth images as triggers; `None` without radars
    returns: Option<(DepthIntake, RadarReader)>,
    waiting: VecDeque<WaitingTruth>,
    now: Stamp,
    ended: bool,
}

impl<'a> DepthTruth<'a> {
    /// The truth on topic `name`; `None` if the recording has no such topic.
    pub fn open(
        bag: &Bag,
        source: &Source,
        name: &str,
        progress: &'a Progress,
    ) -> Result<Option<Self>, EvalError> {
        let Some(topic) = find::<Image<'_>>(bag.path(), bag.info(), name)? else { return Ok(None) };
        let mut parameters = source.parameters.depth.clone();
        // Truth is an uncompressed image, and one without a radar is still truth.
        for (name, value) in [("image_transport", "raw"), ("radar_0.required", "false")] {
            let set = parameters.set_text(name, value);
            set.map_err(|error| EvalError::Incomparable(error.to_string()))?;
        }
        for radar in 1..MAX_RADARS {
            let set = parameters.set_text(&format!("radar_{radar}.required"), "false");
            set.map_err(|error| EvalError::Incomparable(error.to_string()))?;
        }
        let inputs = radar_inputs(bag.info(), source, &parameters);
        let account = Arc::new(Mutex::new(Accounting::default()));
        let returns = (!inputs.is_empty()).then(|| {
            let intake = DepthIntake::new(&parameters, Pacing::Lockstep, Arc::clone(&account));
            (intake, RadarReader::new(&parameters, account))
        });
        let topics = inputs.iter().map(|(topic, _)| *topic).chain([topic]).collect();
        Ok(Some(Self {
            reading: Reading::logged(bag, topics, Some(progress))?,
            bag: Arc::from(bag.path()),
            place: place(bag.path(), name),
            topic,
            inputs,
            returns,
            waiting: VecDeque::new(),
            now: Stamp(i64::MIN),
            ended: false,
        }))
    }

    /// The next truth image, complete.
    fn next(&mut self, damages: &mut Damages) -> Option<(Stamp, WaitingTruth)> {
        loop {
            let complete = |waiting: &WaitingTruth| {
                self.ended
                    || self.returns.is_none()
                    || waiting.returns_px.is_some()
                    || !(0..PATIENCE_NS).contains(&self.now.since_ns(waiting.logged))
            };
            if self.waiting.front().is_some_and(complete) {
                return self.waiting.pop_front().map(|truth| (truth.stamp, truth));
            }
            if self.ended {
                return None;
            }
            let Some(message) = self.reading.next(damages) else {
                while let Some(frame) = self.returns.as_mut().and_then(|(intake, _)| intake.flush()) {
                    self.take(&frame);
                }
                self.ended = true;
                continue;
            };
            self.now = message.log_time;
            if message.topic == self.topic {
                self.offer_truth(message.data, damages);
            } else if let Some((intake, _)) = &mut self.returns {
                let of_topic = self.inputs.iter().filter(|(topic, _)| *topic == message.topic);
                for (_, kind) in of_topic {
                    if let Some(input) = input(*kind, &message.data) {
                        intake.offer(input, self.now);
                    }
                }
            }
            while let Some(frame) = self.returns.as_mut().and_then(|(intake, _)| intake.poll(self.now)) {
                self.take(&frame);
            }
        }
    }

    fn offer_truth(&mut self, data: Vec<u8>, damages: &mut Damages) {
        // Collecting looks at no pixels.
        let (stamp, image) = match from_cdr::<Image<'_>>(&data) {
            Ok(image) => {
                let mut bytes = Vec::new();
                to_cdr(&Image { data: &[], ..image }, &mut bytes);
                (image.header.stamp, CdrBuffer(bytes))
            }
            Err(error) => return damages.note(&self.place, &error),
        };
        if let Some((intake, _)) = &mut self.returns {
            intake.offer(SensorInput::Image(Arc::new(image)), self.now);
        }
        self.waiting.push_back(WaitingTruth { stamp, logged: self.now, data, returns_px: None });
    }

    /// Gives the truth image of `frame` its returns.
    fn take(&mut self, frame: &DepthFrame) {
        let Some((_, reader)) = &mut self.returns else { return };
        if frame.radars.iter().all(Option::is_none) || reader.collect(frame).is_err() {
            return;
        }
        let camera = &frame.calibration.camera;
        let pixels = reader
            .placed()
            .iter()
            .filter_map(|found| camera.project(&nalgebra::Point3::from(found.position).cast()))
            .collect();
        let of_frame = |truth: &&mut WaitingTruth| truth.stamp == frame.stamp && truth.returns_px.is_none();
        if let Some(truth) = self.waiting.iter_mut().find(of_frame) {
            truth.returns_px = Some(pixels);
        }
    }
}

/// The topics that tell where radar returns appear in the image; empty if one of the kinds is missing.
fn radar_inputs(info: &BagInfo, source: &Source, parameters: &ParameterSet) -> Vec<(usize, InputKind)> {
    let mut inputs = Vec::new();
    for input in DepthPipeline::inputs(parameters) {
        if matches!(input.kind, InputKind::Image | InputKind::CompressedImage) {
            continue;
        }
        let name = source.topic(&input.name);
        let fits = |topic: &&crate::bag::TopicInfo| {
            topic.name == name && topic.type_name == type_name_of(input.kind)
        };
        if let Some((index, _)) = info.topics.iter().enumerate().find(|(_, topic)| fits(topic)) {
            inputs.push((index, input.kind));
        }
    }
    let has = |wanted: fn(InputKind) -> bool| inputs.iter().any(|(_, kind)| wanted(*kind));
    let complete = has(|kind| matches!(kind, InputKind::Radar(_) | InputKind::RadarScan(_)))
        && has(|kind| kind == InputKind::CameraInfo)
        && has(|kind| matches!(kind, InputKind::Transforms | InputKind::StaticTransforms));
    if complete { inputs } else { Vec::new() }
}

fn input(kind: InputKind, data: &[u8]) -> Option<SensorInput> {
    Some(match kind {
        InputKind::CameraInfo => SensorInput::CameraInfo(data.into()),
        InputKind::Radar(radar) => SensorInput::Radar(radar, Arc::new(CdrBuffer(data.to_vec()))),
        InputKind::RadarScan(radar) => SensorInput::RadarScan(radar, data.into()),
        InputKind::Transforms => SensorInput::Transforms(data.into(), false),
        InputKind::StaticTransforms => SensorInput::Transforms(data.into(), true),
        InputKind::Image | InputKind::CompressedImage | InputKind::Lidar => return None,
    })
}

/// The depth images of a recording, each with its confidence.
pub(super) struct DepthOutputs {
    reading: Reading<'static>,
    place: String,
    depth: usize,
    confidence: Option<usize>,
    waiting: VecDeque<DepthOutput>,
    /// Confidences that came before their depth
    early: VecDeque<(Stamp, Vec<u8>)>,
    ended: bool,
}

impl DepthOutputs {
    /// The outputs of a source; `None` if it has no depth. `several` bags made them.
    pub fn open(bag: &Bag, source: &Source, several: bool) -> Result<Option<Self>, EvalError> {
        let name = source.topic("depth/image");
        let Some(depth) = find::<Image<'_>>(bag.path(), bag.info(), &name)? else { return Ok(None) };
        let confidence = find::<Image<'_>>(bag.path(), bag.info(), &source.topic("depth/confidence"))?;
        let topics: Vec<usize> = [depth].into_iter().chain(confidence).collect();
        let reading = if source.live {
            Reading::logged(bag, topics, None)?
        } else {
            Reading::written(bag, (!several).then_some(topics))?
        };
        Ok(Some(Self {
            reading,
            place: place(bag.path(), &name),
            depth,
            confidence,
            waiting: VecDeque::new(),
            early: VecDeque::new(),
            ended: false,
        }))
    }

    /// Begins the outputs of the next bag: `count` messages.
    pub fn next_bag(&mut self, count: u64) {
        self.reading.allow(count);
        self.waiting.clear();
        self.early.clear();
        self.ended = false;
    }

    /// Passes over the outputs of a bag that has no truth.
    pub fn skip(&mut self, damages: &mut Damages) {
        while self.reading.next(damages).is_some() {}
    }

    fn next(&mut self, damages: &mut Damages) -> Option<(Stamp, DepthOutput)> {
        loop {
            let complete = |output: &DepthOutput| {
                self.ended
                    || self.confidence.is_none()
                    || output.confidence.is_some()
                    || self.waiting.len() > PENDING_OUTPUTS
            };
            if self.waiting.front().is_some_and(complete) {
                return self.waiting.pop_front().map(|output| (output.stamp, output));
            }
            if self.ended {
                return None;
            }
            let Some(message) = self.reading.next(damages) else {
                self.ended = true;
                continue;
            };
            let is_depth = message.topic == self.depth;
            if !is_depth && Some(message.topic) != self.confidence {
                continue;
            }
            let stamp = match from_cdr::<Image<'_>>(&message.data) {
                Ok(image) => image.header.stamp,
                Err(error) => {
                    damages.note(&self.place, &error);
                    continue;
                }
            };
            if is_depth {
                let early = self.early.iter().position(|(of, _)| *of == stamp);
                let confidence = early.and_then(|index| self.early.remove(index)).map(|(_, data)| data);
                let log_time = message.log_time;
                self.waiting.push_back(DepthOutput::new(stamp, log_time, message.data, confidence));
            } else if let Some(output) =
                self.waiting.iter_mut().find(|output| output.stamp == stamp && output.confidence.is_none())
            {
                output.confidence = Some(message.data);
            } else {
                if self.early.len() >= PENDING_OUTPUTS {
                    self.early.pop_front();
                }
                self.early.push_back((stamp, message.data));
            }
        }
    }
}

/// Joins truth and outputs; `pair` gets each pair, `marks` what is in none.
pub(super) fn join(
    truth: &mut DepthTruth<'_>,
    outputs: &mut DepthOutputs,
    marks: &mut FrameMarks,
    damages: &mut Damages,
    mut pair: impl FnMut(DepthPair) -> Result<(), EvalError>,
) -> Result<Matching, EvalError> {
    let mut join = StampJoin::new(TOLERANCE_NS);
    let mut matching = Matching::default();
    loop {
        match join.poll() {
            Ok(Joined::Both(found, output)) => {
                matching.matched += 1;
                let WaitingTruth { stamp, logged, data, returns_px } = found;
                let (bag, sequence) = (Arc::clone(&truth.bag), marks.number());
                pair(DepthPair { stamp, logged, bag, sequence, truth: data, returns_px, output })?;
            }
            Ok(Joined::Left(alone)) => {
                matching.truth_without_output += 1;
                marks.note(alone.stamp, Fate::NotPublished);
            }
            Ok(Joined::Right(alone)) => {
                matching.outputs_without_truth += 1;
                marks.note(alone.stamp, Fate::WithoutTruth);
            }
            Err(Need::Left) => join.push_left(truth.next(damages)),
            Err(Need::Right) => join.push_right(outputs.next(damages)),
            Err(Need::End) => break,
        }
    }
    matching.truth = matching.matched + matching.truth_without_output;
    matching.outputs = matching.matched + matching.outputs_without_truth;
    (matching.truth_time_jumps, matching.output_time_jumps) = join.jumps();
    Ok(matching)
}

/// A topic of a recording, for messages to people.
pub(super) fn place(bag: &Path, topic: &str) -> String {
    format!("bag '{}', topic '{topic}'", bag.display())
}
