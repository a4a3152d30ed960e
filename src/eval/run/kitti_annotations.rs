//! What an imported KITTI benchmark says of its objects beside their boxes, and the camera that saw them.

use std::collections::VecDeque;

use serde::Deserialize;
use serde_json::Value as Json;

use super::TOLERANCE_NS;
use super::boxes::{BoxFrame, moved};
use super::depth_frames::place;
use super::reading::Damages;
use super::source::Source;
use super::topics::frame;
use crate::bag::Bag;
use crate::eval::detection::{EvalBox, EvalClasses, KittiClass, KittiDetection, KittiFrame, KittiTruth};
use crate::geometry::{CameraModel, Pose, TransformBuffer, image_box};
use crate::import::Difficulty;
use crate::message::{CameraInfo, Message, Stamp, Text, from_cdr};

/// Messages that wait for their boxes.
const PENDING: usize = 16;
/// `source` of the annotations that are read: others do not tell how high objects are in the image.
const SOURCE: &str = "kitti_object";

/// One message of `truth/annotations`.
#[derive(Debug, Deserialize)]
struct Annotations {
    objects: Vec<Object>,
}

#[derive(Debug, Deserialize)]
struct Object {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    difficulty: Option<String>,
}

/// Class and level of each object; `None` for those that KITTI does not evaluate.
type Levels = Vec<Option<(KittiClass, Option<Difficulty>)>>;

/// The camera of a moment.
#[derive(Clone, Debug)]
struct Camera {
    stamp: Stamp,
    frame_id: String,
    model: Result<CameraModel, String>,
}

/// A topic and what its damages are noted under.
type Topic = (usize, String);

/// Annotations and cameras that may still be asked for.
#[derive(Debug, Default)]
pub(super) struct KittiAnnotations {
    annotated_on: Option<Topic>,
    seen_on: Option<Topic>,
    /// By log time: that of the boxes.
    annotations: VecDeque<(Stamp, Option<Levels>)>,
    cameras: VecDeque<Camera>,
}

/// The labelled objects of a sweep, and how the camera sees the frame that they are in.
#[derive(Debug)]
pub(super) struct Labelled {
    truth: Vec<KittiTruth>,
    camera: CameraModel,
    t_camera_truth: Pose,
}

impl KittiAnnotations {
    /// Those beside the truth on topic `truth`. Topics of their names with other types are no error.
    pub fn open(bag: &Bag, source: &Source, truth: &str) -> Self {
        let of = |name: &str, type_name: &str| {
            let name = source.topic(name);
            let mut topics = bag.info().topics.iter();
            let index = topics.position(|topic| topic.name == name && topic.type_name == type_name)?;
            Some((index, place(bag.path(), &name)))
        };
        let is_theirs = truth == source.topic("truth/detections");
        let annotated_on = of("truth/annotations", Text::TYPE_NAME).filter(|_| is_theirs);
        let seen_on = annotated_on.as_ref().and_then(|_| of("camera_info", CameraInfo::TYPE_NAME));
        Self { annotated_on, seen_on, ..Self::default() }
    }

    /// The topics that are read for them.
    pub fn topics(&self) -> impl Iterator<Item = usize> + '_ {
        self.annotated_on.iter().chain(&self.seen_on).map(|(topic, _)| *topic)
    }

    /// Takes a message if it is of one of their topics; whether it is.
    pub fn offer(&mut self, topic: usize, data: &[u8], logged: Stamp, damages: &mut Damages) -> bool {
        let is = |of: &Option<Topic>| of.as_ref().is_some_and(|(own, _)| *own == topic);
        let (taken, of) = if is(&self.annotated_on) {
            (self.annotate(data, logged), &self.annotated_on)
        } else if is(&self.seen_on) {
            (self.see(data), &self.seen_on)
        } else {
            return false;
        };
        if let (Err(error), Some((_, place))) = (taken, of) {
            damages.note(place, &error);
        }
        true
    }

    /// Takes a message of `truth/annotations`. One that is not of KITTI's benchmark says nothing.
    fn annotate(&mut self, data: &[u8], logged: Stamp) -> Result<(), String> {
        let text: Text<'_> = from_cdr(data).map_err(|error| error.to_string())?;
        let json = serde_json::from_str(text.data).unwrap_or(Json::Null);
        let mut levels = None;
        if json.get("source").and_then(Json::as_str) == Some(SOURCE) {
            let read = Annotations::deserialize(&json).map_err(|error| error.to_string())?;
            levels = Some(read.objects.iter().map(level).collect::<Result<_, _>>()?);
        }
        keep(&mut self.annotations, (logged, levels));
        Ok(())
    }

    /// Takes a message of `camera_info`.
    fn see(&mut self, data: &[u8]) -> Result<(), String> {
        let info: CameraInfo<'_> = from_cdr(data).map_err(|error| error.to_string())?;
        let camera = Camera {
            stamp: info.header.stamp,
            frame_id: frame(info.header.frame_id).to_owned(),
            model: CameraModel::from_camera_info(&info).map_err(|error| error.to_string()),
        };
        keep(&mut self.cameras, camera);
        Ok(())
    }

    /// Whether all that is said of boxes is here.
    pub fn has(&self, logged: Stamp) -> bool {
        self.annotated_on.is_none() || self.annotations.iter().any(|(stamp, _)| *stamp == logged)
    }

    /// What is said of the boxes of a frame; `None` where nothing of KITTI's is, an error where it cannot be used.
    pub fn take(
        &mut self,
        boxes: &BoxFrame,
        transforms: &TransformBuffer,
    ) -> Option<Result<Labelled, String>> {
        let place = self.annotations.iter().position(|(stamp, _)| *stamp == boxes.logged)?;
        let (_, levels) = self.annotations.remove(place)?;
        Some(self.labelled(&levels?, boxes, transforms))
    }

    fn labelled(
        &self,
        levels: &Levels,
        boxes: &BoxFrame,
        transforms: &TransformBuffer,
    ) -> Result<Labelled, String> {
        if levels.len() != boxes.places.sent {
            return Err(format!(
                "truth/annotations: expected {} objects, one a truth box, found {}",
                boxes.places.sent,
                levels.len()
            ));
        }
        let apart = |camera: &&Camera| camera.stamp.since_ns(boxes.stamp).saturating_abs();
        let camera = self.cameras.iter().min_by_key(apart).filter(|camera| apart(camera) <= TOLERANCE_NS);
        let camera = camera.ok_or("expected camera_info at the stamp of the truth boxes, found none")?;
        let model = camera.model.clone().map_err(|error| format!("camera_info: {error}"))?;
        let t_camera_truth = transforms
            .lookup(&camera.frame_id, &boxes.in_frame, boxes.stamp)
            .map_err(|error| error.to_string())?;
        let of_box = |(place, of): (&u32, &EvalBox)| {
            let (class, level) = levels.get(*place as usize).copied().flatten()?;
            Some(KittiTruth { class, box3d: of.box3d, level })
        };
        let truth = boxes.places.used.iter().zip(&boxes.boxes).filter_map(of_box).collect();
        Ok(Labelled { truth, camera: model, t_camera_truth })
    }
}

impl Labelled {
    /// With the detections of the sweep that are in the image, as files of results for KITTI have them.
    pub fn with(self, detections: &[EvalBox], t_truth_found: &Pose, classes: &EvalClasses) -> KittiFrame {
        let in_image = |found: &EvalBox| {
            let box3d = moved(&found.box3d, t_truth_found);
            let [_, top, _, bottom] = image_box(&self.camera, &box3d, &self.t_camera_truth)?;
            let class = classes.get(found.class).and_then(|class| KittiClass::named(&class.name));
            Some(KittiDetection { class, box3d, score: found.score, height_px: bottom - top })
        };
        let detections = detections.iter().filter_map(in_image).collect();
        KittiFrame { truth: self.truth, detections }
    }
}

fn level(object: &Object) -> Result<Option<(KittiClass, Option<Difficulty>)>, String> {
    let level =
        match object.difficulty.as_deref() {
            None => None,
            Some(name) => Some(Difficulty::named(name).ok_or_else(|| {
                format!("difficulty: expected easy, moderate, hard or null, found '{name}'")
            })?),
        };
    let of_kind = KittiClass::of_kind(&object.kind);
    Ok(of_kind.map(|(class, is_own)| (class, level.filter(|_| is_own))))
}

fn keep<T>(items: &mut VecDeque<T>, item: T) {
    if items.len() >= PENDING {
        items.pop_front();
    }
    items.push_back(item);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::to_cdr;

    fn annotate(text: &str) -> (KittiAnnotations, Result<(), String>) {
        let mut bytes = Vec::new();
        to_cdr(&Text { data: text }, &mut bytes);
        let mut annotations = KittiAnnotations::default();
        let result = annotations.annotate(&bytes, Stamp(7));
        (annotations, result)
    }

    #[test]
    fn levels_are_those_of_the_labels_and_neighbours_have_none() {
        let text = r#"{"source": "kitti_object", "objects": [
            {"type": "Car", "difficulty": "easy", "alpha": 1}, {"type": "Van", "difficulty": "easy"},
            {"type": "Pedestrian", "difficulty": null}, {"type": "Truck", "difficulty": "hard"}]}"#;
        let (annotations, result) = annotate(text);
        result.unwrap();
        assert!(annotations.annotations[0].0 == Stamp(7));
        let (_, levels) = &annotations.annotations[0];
        let expected = [
            Some((KittiClass::Car, Some(Difficulty::Easy))),
            Some((KittiClass::Car, None)),
            Some((KittiClass::Pedestrian, None)),
            None,
        ];
        assert_eq!(levels.as_deref(), Some(&expected[..]));
    }

    #[test]
    fn other_data_sets_say_nothing_of_levels_and_what_is_none_is_told() {
        let nuscenes = r#"{"source": "nuscenes", "objects": [{"category": "vehicle.car"}]}"#;
        for text in [nuscenes, "{}", "[1]", "not JSON"] {
            let (annotations, result) = annotate(text);
            assert_eq!(result, Ok(()));
            assert!(annotations.annotations[0].1.is_none(), "{text}");
        }
        let missing = annotate(r#"{"source": "kitti_object"}"#).1.unwrap_err();
        assert!(missing.contains("objects"), "{missing}");
        let text = r#"{"source": "kitti_object", "objects": [{"type": "Car", "difficulty": "Easy"}]}"#;
        assert!(annotate(text).1.unwrap_err().contains("found 'Easy'"));
    }
}
