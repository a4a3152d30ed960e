//! One recording into another, message by message.

use std::path::PathBuf;

use super::draw::TopicDraws;
use super::message_edit::{Act, MessageEdit, Step};
use super::ranking::MessageShare;
use super::topics::{Topic, is_static_child, look, select};
use super::{CorruptError, Kind, Severity, camera, lidar, radar};
use crate::bag::{Bag, BagInfo, BagWriter, OutFolder, ReadFilter, TopicId, UnpackWatch};
use crate::geometry::Pose;
use crate::message::{Message, TFMessage, from_cdr, to_cdr};

/// Key of the custom data in which a recording says how it was corrupted.
pub const CUSTOM_DATA_KEY: &str = "isobath.corruption";

/// What is to be done.
#[derive(Clone, Debug)]
pub struct CorruptOptions {
    /// The recording
    pub bag: PathBuf,
    /// What goes wrong, in this order
    pub kinds: Vec<Kind>,
    /// How bad all of it is
    pub severity: Severity,
    /// Of all random numbers
    pub seed: u64,
    /// The only topics that may be changed; empty for all of the kinds' sensors
    pub topics: Vec<String>,
    /// Folder for the new recording: not there, or empty
    pub out: PathBuf,
}

/// What was done to one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorruptedTopic {
    /// Its name
    pub name: String,
    /// The kinds that changed it
    pub kinds: Vec<Kind>,
    /// Its messages in the recording
    pub messages: u64,
    /// Those that are not in the new one
    pub lost: u64,
    /// Those that could not be read, and are as they were
    pub unreadable: u64,
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct CorruptSummary {
    /// The topics that were changed
    pub topics: Vec<CorruptedTopic>,
    /// The first thing that could not be read, for people
    pub damage: Option<String>,
}

/// Who hears of the progress.
pub trait CorruptWatch {
    /// So many of `of` seconds of the recording are done.
    fn at(&mut self, seconds: f64, of: f64);
    /// Who hears of the decompression of files.
    fn unpacking(&self) -> Option<UnpackWatch> {
        None
    }
}

/// A topic that is changed.
struct Plan {
    steps: Vec<Step>,
    done: CorruptedTopic,
    count: u64,
}

/// Everything that is to be changed.
struct Plans {
    /// Parallel to the topics of the recording
    topics: Vec<Option<Plan>>,
    /// Frames whose calibration is off
    frames: Vec<(String, Pose)>,
}

/// Writes a recording with what `options` ask for. What cannot be read of the input is told in the summary;
/// when this fails, nothing is left in the folder.
pub fn corrupt(
    options: &CorruptOptions,
    watch: &mut dyn CorruptWatch,
) -> Result<CorruptSummary, CorruptError> {
    check_kinds(&options.kinds)?;
    OutFolder::check_for_bag(&options.out)?;
    let bag = Bag::open_watched(&options.bag, watch.unpacking())?;
    let info = bag.info();
    if let Some(topic) = info.topics.iter().find(|topic| topic.encoding != "cdr") {
        let (topic, found) = (topic.name.clone(), topic.encoding.clone());
        return Err(CorruptError::Encoding { bag: bag.path().to_owned(), topic, found });
    }
    let mut plans = plan(&bag, options)?;

    let folder = OutFolder::create(&options.out, &[])?;
    let mut writer = BagWriter::create(&options.out)?;
    let mut ids = Vec::with_capacity(info.topics.len());
    for topic in &info.topics {
        let hash = topic.type_hash.as_deref();
        ids.push(writer.add_topic(
            &topic.name,
            &topic.type_name,
            hash,
            &topic.definition,
            &topic.offered_qos,
        )?);
    }
    for (key, value) in bag.custom_data() {
        writer.set_custom_data(key, value);
    }
    let said = bag.custom_data().get(CUSTOM_DATA_KEY);
    let note = note(options, &plans);
    writer.set_custom_data(
        CUSTOM_DATA_KEY,
        &said.map_or_else(|| note.clone(), |said| format!("{said}; {note}")),
    );

    let damage = copy(&bag, &mut plans, &ids, &mut writer, watch)?;
    writer.finish()?;
    folder.keep();
    let topics = plans.topics.into_iter().flatten().map(|plan| plan.done).collect();
    Ok(CorruptSummary { topics, damage })
}

fn check_kinds(kinds: &[Kind]) -> Result<(), CorruptError> {
    if kinds.is_empty() {
        return Err(CorruptError::NoKind);
    }
    let again = kinds.iter().enumerate().find(|(i, kind)| kinds.iter().take(*i).any(|other| other == *kind));
    again.map_or(Ok(()), |(_, kind)| Err(CorruptError::Twice(*kind)))
}

fn plan(bag: &Bag, options: &CorruptOptions) -> Result<Plans, CorruptError> {
    let info = bag.info();
    let topics = look(bag)?;
    let mut plans = Plans { topics: info.topics.iter().map(|_| None).collect(), frames: Vec::new() };
    for (kind, chosen) in options.kinds.iter().zip(select(bag, &topics, &options.kinds, &options.topics)?) {
        for index in chosen {
            let (Some(topic), Some(of), Some(plan)) =
                (topics.get(index), info.topics.get(index), plans.topics.get_mut(index))
            else {
                continue;
            };
            if *kind == Kind::IncompleteEcho && !topic.has_intensity {
                let (topic, found) = (of.name.clone(), topic.fields.clone());
                return Err(CorruptError::NoIntensity { kind: *kind, topic, found });
            }
            let plan = plan.get_or_insert_with(|| new_plan(info, index));
            plan.done.kinds.push(*kind);
            let draws = TopicDraws::new(options.seed, kind.as_str(), &of.name);
            let act = if *kind == Kind::LidarMisalignment {
                misalignment(bag, topic, options, &mut plans.frames)?
            } else {
                act(*kind, options.severity)
            };
            plan.steps.extend(act.map(|act| Step { draws, act }));
        }
    }
    Ok(plans)
}

fn new_plan(info: &BagInfo, index: usize) -> Plan {
    let (name, count) =
        info.topics.get(index).map_or_else(Default::default, |of| (of.name.clone(), of.count));
    Plan {
        steps: Vec::new(),
        done: CorruptedTopic { name, kinds: Vec::new(), messages: 0, lost: 0, unreadable: 0 },
        count,
    }
}

/// What a kind does to messages of its own topic; [`Kind::LidarMisalignment`] is not among them.
pub(super) fn act(kind: Kind, severity: Severity) -> Option<Act> {
    let delay = |late_ms| Some(Act::Delay(severity.of(late_ms) * 1_000_000));
    match kind {
        Kind::FrameLoss => Some(Act::Lose(severity.of(camera::LOST_FRAMES), MessageShare::default())),
        Kind::LidarTimeShift => delay(lidar::LATE_MS),
        Kind::RadarTimeShift => delay(radar::LATE_MS),
        _ => lidar::model(kind, severity)
            .map(Act::Lidar)
            .or_else(|| camera::model(kind, severity).map(Act::Camera))
            .or_else(|| radar::model(kind, severity).map(Act::Radar)),
    }
}

/// A wrong calibration of the frame of `topic`: in the static transforms, else by moving its points. Topics of
/// the same frame share the error.
fn misalignment(
    bag: &Bag,
    topic: &Topic,
    options: &CorruptOptions,
    frames: &mut Vec<(String, Pose)>,
) -> Result<Option<Act>, CorruptError> {
    let frame = topic.frame_id.trim_start_matches('/');
    let draws = TopicDraws::new(options.seed, Kind::LidarMisalignment.as_str(), frame);
    let error = lidar::calibration_error(options.severity.of(lidar::OFFSETS), draws);
    if !is_static_child(bag, frame)? {
        return Ok(Some(Act::Lidar(Box::new(lidar::MovedPoints(error)))));
    }
    if !frames.iter().any(|(known, _)| known == frame) {
        frames.push((frame.to_owned(), error));
    }
    Ok(None)
}

/// How the recording was corrupted, in one line.
fn note(options: &CorruptOptions, plans: &Plans) -> String {
    let kinds: Vec<&str> = options.kinds.iter().map(|kind| kind.as_str()).collect();
    let topics: Vec<&str> = plans.topics.iter().flatten().map(|plan| plan.done.name.as_str()).collect();
    format!(
        "{} of severity {} with seed {} on {} (isobath {})",
        kinds.join(" "),
        options.severity.level(),
        options.seed,
        topics.join(" "),
        env!("CARGO_PKG_VERSION")
    )
}

/// Copies the messages, those of the plans changed; what could not be read.
fn copy(
    bag: &Bag,
    plans: &mut Plans,
    ids: &[TopicId],
    writer: &mut BagWriter,
    watch: &mut dyn CorruptWatch,
) -> Result<Option<String>, CorruptError> {
    let info = bag.info();
    let seconds = |ns: i64| ns as f64 * 1e-9;
    let of = seconds(info.end.since_ns(info.start));
    let mut damage = None;
    let mut edit = MessageEdit::default();
    let mut transforms = Vec::new();
    for message in bag.messages(&ReadFilter::default())? {
        let message = match message {
            Ok(message) => message,
            Err(error) => {
                damage.get_or_insert_with(|| error.to_string());
                continue;
            }
        };
        let (Some(id), Some(topic)) = (ids.get(message.topic), info.topics.get(message.topic)) else {
            continue;
        };
        let mut bytes = Some(message.data.as_slice());
        if let Some(Some(plan)) = plans.topics.get_mut(message.topic) {
            let at = (plan.done.messages, plan.count);
            plan.done.messages += 1;
            match edit.apply(&topic.type_name, &message.data, &mut plan.steps, at) {
                Ok(changed) => {
                    plan.done.lost += u64::from(changed.is_none());
                    bytes = changed;
                }
                Err(error) => {
                    plan.done.unreadable += 1;
                    damage.get_or_insert_with(|| format!("{}: {error}", topic.name));
                }
            }
        } else if topic.type_name == TFMessage::TYPE_NAME && !plans.frames.is_empty() {
            match misaligned(&message.data, &plans.frames, &mut transforms) {
                Ok(true) => bytes = Some(&transforms),
                Ok(false) => {}
                Err(error) => {
                    damage.get_or_insert_with(|| format!("{}: {error}", topic.name));
                }
            }
        }
        if let Some(bytes) = bytes {
            writer.write(*id, message.log_time, bytes)?;
        }
        watch.at(seconds(message.log_time.since_ns(info.start)), of);
    }
    Ok(damage)
}

/// Puts the errors of `frames` into transforms; whether any was there.
fn misaligned(
    bytes: &[u8],
    frames: &[(String, Pose)],
    out: &mut Vec<u8>,
) -> Result<bool, crate::message::CdrError> {
    let mut message: TFMessage<'_> = from_cdr(bytes)?;
    let mut changed = false;
    for (frame, error) in frames {
        changed |= lidar::misalign(&mut message, frame, error);
    }
    if changed {
        to_cdr(&message, out);
    }
    Ok(changed)
}
