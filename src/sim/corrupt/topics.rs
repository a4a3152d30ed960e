//! Which topics of a recording are whose: by type, by what the first messages hold, by name.

use crate::bag::{Bag, BagError, BagInfo, ReadFilter, TopicInfo};
use crate::message::{CompressedImage, Image, Message, PointCloud2, RadarScan, TFMessage, from_cdr};
use crate::sensor::{PixelFormat, PointCloudView, RadarFields, RadarPreset, SensorError};

use super::lidar::Sweep;
use super::{CorruptError, Kind, SensorKind};

/// What a topic is, as far as corruptions are concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A sensor's readings
    Sensor(SensorKind),
    /// A camera's depth image
    Depth,
    /// What results are compared with
    Truth,
    /// An image or a cloud that cannot be read, with the reason
    Unreadable(String),
    /// Anything else
    Other,
}

/// What is known of a topic before its messages are changed.
#[derive(Clone, Debug)]
pub(super) struct Topic {
    /// What it is
    pub role: Role,
    /// Frame of the first message that could be read
    pub frame_id: String,
    /// Whether its clouds tell how strong echoes were
    pub has_intensity: bool,
    /// Fields of its first cloud
    pub fields: String,
}

impl Topic {
    /// What there is to say before a message is read; whether a message has to be.
    fn of(info: &TopicInfo) -> (Self, bool) {
        let open = |role| (role, true);
        let (role, undecided) = match info.type_name.as_str() {
            _ if info.name.split('/').any(|part| part == "truth") => (Role::Truth, false),
            RadarScan::TYPE_NAME => open(Role::Sensor(SensorKind::Radar)),
            PointCloud2::TYPE_NAME | Image::TYPE_NAME | CompressedImage::TYPE_NAME => {
                open(Role::Unreadable("no message that could be read".to_owned()))
            }
            _ => (Role::Other, false),
        };
        (Self { role, frame_id: String::new(), has_intensity: false, fields: String::new() }, undecided)
    }

    /// Learns from a message; whether that settles it.
    fn learn(&mut self, info: &TopicInfo, bytes: &[u8]) -> bool {
        let learned = match info.type_name.as_str() {
            PointCloud2::TYPE_NAME => self.learn_cloud(bytes),
            Image::TYPE_NAME => self.learn_image(&info.name, bytes),
            CompressedImage::TYPE_NAME => self.learn_compressed(bytes),
            _ => Ok(true),
        };
        match learned {
            Ok(settled) => settled,
            Err(reason) => {
                if let Role::Unreadable(known) = &mut self.role {
                    *known = reason;
                }
                false
            }
        }
    }

    fn learn_cloud(&mut self, bytes: &[u8]) -> Result<bool, String> {
        let cloud: PointCloud2<'_> = from_cdr(bytes).map_err(|error| error.to_string())?;
        let view = PointCloudView::new(&cloud).map_err(|error| error.to_string())?;
        if view.is_empty() && cloud.fields.is_empty() {
            return Err("no cloud with fields".to_owned());
        }
        let text = |error: SensorError| error.to_string();
        let fields = RadarFields::of(&view, RadarPreset::Auto).map_err(text)?;
        let is_radar = fields.tell_a_radar(&view);
        self.role = Role::Sensor(if is_radar { SensorKind::Radar } else { SensorKind::Lidar });
        cloud.header.frame_id.clone_into(&mut self.frame_id);
        self.has_intensity = Sweep::new(&view, &cloud).map_err(text)?.has_intensity();
        self.fields = view.field_names();
        // An empty cloud may leave out what the next ones have.
        Ok(!view.is_empty())
    }

    fn learn_image(&mut self, name: &str, bytes: &[u8]) -> Result<bool, String> {
        let image: Image<'_> = from_cdr(bytes).map_err(|error| error.to_string())?;
        let format = PixelFormat::from_encoding(image.encoding).map_err(|error| error.to_string())?;
        // REP-118 allows depth as mono16; only the name can tell.
        let is_depth = format.is_depth() || format == PixelFormat::Mono16 && name.contains("depth");
        self.role = if is_depth { Role::Depth } else { Role::Sensor(SensorKind::Camera) };
        Ok(true)
    }

    fn learn_compressed(&mut self, bytes: &[u8]) -> Result<bool, String> {
        let image: CompressedImage<'_> = from_cdr(bytes).map_err(|error| error.to_string())?;
        self.role =
            match crate::sensor::decode_compressed(&image, &mut crate::sensor::DecodedImage::default()) {
                Err(SensorError::CompressedDepth { .. }) => Role::Depth,
                Err(error) => return Err(error.to_string()),
                Ok(()) => Role::Sensor(SensorKind::Camera),
            };
        Ok(true)
    }

    /// What it is, for people.
    fn describe(&self) -> String {
        match &self.role {
            Role::Sensor(SensorKind::Camera) => "a camera".to_owned(),
            Role::Sensor(SensorKind::Lidar) => "a LiDAR".to_owned(),
            Role::Sensor(SensorKind::Radar) => "a radar".to_owned(),
            Role::Depth => "depth".to_owned(),
            Role::Truth => "truth".to_owned(),
            Role::Unreadable(reason) => reason.clone(),
            Role::Other => "no sensor's".to_owned(),
        }
    }
}

/// Looks at the first messages of each topic that may be a sensor's. What is damaged is passed over here.
pub(super) fn look(bag: &Bag) -> Result<Vec<Topic>, BagError> {
    let infos = &bag.info().topics;
    let (mut topics, mut undecided): (Vec<Topic>, Vec<bool>) = infos.iter().map(Topic::of).unzip();
    let wanted = undecided.iter().zip(infos).enumerate();
    let wanted = wanted.filter(|(_, (undecided, info))| **undecided && info.count > 0).map(|(i, _)| i);
    let wanted: Vec<usize> = wanted.collect();
    if wanted.is_empty() {
        return Ok(topics);
    }
    let mut left = wanted.len();
    let filter = ReadFilter { topics: Some(wanted), ..ReadFilter::default() };
    for message in bag.messages(&filter)?.filter_map(Result::ok) {
        let i = message.topic;
        if let (Some(topic), Some(undecided), Some(info)) =
            (topics.get_mut(i), undecided.get_mut(i), infos.get(i))
            && *undecided
            && topic.learn(info, &message.data)
        {
            *undecided = false;
            left -= 1;
            if left == 0 {
                break;
            }
        }
    }
    Ok(topics)
}

/// The topics that each of `kinds` changes: those of its sensor; with `only`, those of them that it names. A
/// topic that is named serves kinds for whose messages it is of the type, when it is none of another kind's
/// sensor: then the name knows better than the fields.
pub(super) fn select(
    bag: &Bag,
    topics: &[Topic],
    kinds: &[Kind],
    only: &[String],
) -> Result<Vec<Vec<usize>>, CorruptError> {
    let info = bag.info();
    let mut named = Vec::new();
    for name in only {
        let Some(index) = find(info, name) else {
            return Err(CorruptError::UnknownTopic {
                bag: bag.path().to_owned(),
                expected: names(info.topics.iter().map(|topic| topic.name.as_str())),
                found: name.clone(),
            });
        };
        named.push(index);
    }
    let is_of =
        |index: usize, sensor| topics.get(index).is_some_and(|topic| topic.role == Role::Sensor(sensor));
    let overridden = |index: usize, kind: &Kind| {
        let role = topics.get(index).map(|topic| &topic.role);
        let cloud = info.topics.get(index).is_some_and(|topic| topic.type_name == PointCloud2::TYPE_NAME);
        cloud
            && matches!(role, Some(Role::Sensor(_)))
            && kind.sensor() != SensorKind::Camera
            && !kinds.iter().any(|other| is_of(index, other.sensor()))
    };
    for index in &named {
        let (Some(topic), Some(of)) = (topics.get(*index), info.topics.get(*index)) else { continue };
        if !kinds.iter().any(|kind| is_of(*index, kind.sensor()) || overridden(*index, kind)) {
            return Err(CorruptError::WrongTopic {
                topic: of.name.clone(),
                kinds: names(kinds.iter().map(|kind| kind.as_str())),
                found: format!("{} ({})", of.type_name, topic.describe()),
            });
        }
    }
    kinds
        .iter()
        .map(|kind| {
            let chosen: Vec<usize> = if only.is_empty() {
                (0..topics.len()).filter(|i| is_of(*i, kind.sensor())).collect()
            } else {
                named.iter().copied().filter(|i| is_of(*i, kind.sensor()) || overridden(*i, kind)).collect()
            };
            if chosen.is_empty() {
                return Err(no_topic(bag, topics, *kind, &named));
            }
            Ok(chosen)
        })
        .collect()
}

/// With or without the slash in front.
fn find(info: &BagInfo, name: &str) -> Option<usize> {
    let plain = |name: &str| name.trim_start_matches('/').to_owned();
    info.topics.iter().position(|topic| plain(&topic.name) == plain(name))
}

fn names<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.collect::<Vec<_>>().join(" ")
}

fn no_topic(bag: &Bag, topics: &[Topic], kind: Kind, named: &[usize]) -> CorruptError {
    let of_sensors = bag.info().topics.iter().zip(topics).enumerate();
    let seen = of_sensors
        .filter(|(i, (_, topic))| topic.role != Role::Other && (named.is_empty() || named.contains(i)));
    let seen: Vec<String> =
        seen.map(|(_, (info, topic))| format!("{} ({})", info.name, topic.describe())).collect();
    CorruptError::NoTopic {
        kind,
        expected: kind.sensor().messages(),
        bag: bag.path().to_owned(),
        found: if seen.is_empty() { "no sensor's topic".to_owned() } else { seen.join(", ") },
    }
}

/// Whether some static transform has `frame` as its child.
pub(super) fn is_static_child(bag: &Bag, frame: &str) -> Result<bool, BagError> {
    let infos = bag.info().topics.iter().enumerate();
    let fixed =
        infos.filter(|(_, info)| info.type_name == TFMessage::TYPE_NAME && info.name.ends_with("tf_static"));
    let filter = ReadFilter { topics: Some(fixed.map(|(i, _)| i).collect()), ..ReadFilter::default() };
    let plain = |name: &str| name.trim_start_matches('/').to_owned();
    for message in bag.messages(&filter)?.filter_map(Result::ok) {
        if let Ok(tf) = from_cdr::<TFMessage<'_>>(&message.data)
            && tf.transforms.iter().any(|transform| plain(transform.child_frame_id) == plain(frame))
        {
            return Ok(true);
        }
    }
    Ok(false)
}
