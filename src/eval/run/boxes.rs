//! Messages with boxes as boxes that metrics understand.

use std::collections::VecDeque;
use std::sync::Arc;

use nalgebra::Vector3;

use super::topics::frame;
use crate::eval::detection::{EvalBox, EvalClasses, VelocityById};
use crate::geometry::{Box3d, Pose, pose_from_parts};
use crate::message::{CdrError, Detection3D, Detection3DArray, Stamp, from_cdr};

/// Most boxes of one message: every pair of them is compared. Detectors give some hundreds.
const MAX_BOXES: usize = 5000;

/// The boxes of one message with the id of each.
pub(super) struct Identified {
    stamp: Stamp,
    frame_id: String,
    boxes: Vec<(EvalBox, String)>,
    crc32: u32,
    places: Places,
}

/// Which boxes of a message are used.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// The place in the message of each box that is.
    pub used: Vec<u32>,
    /// How many the message has.
    pub sent: usize,
}

/// What is counted on the way.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    /// Boxes that are none (not finite, without size or class) and those beyond [`MAX_BOXES`].
    pub unusable: u64,
    /// Pairs whose detections could not be brought into the frame of the truth, and why the first could not.
    pub without_transform: Option<(u64, String)>,
    /// Frames whose objects have a difficulty that cannot be used, and why the first cannot.
    pub without_difficulty: Option<(u64, String)>,
}

/// Reads a message; boxes are where they are, classes in `classes`.
pub(super) fn read(
    data: &[u8],
    classes: &mut Arc<EvalClasses>,
    counts: &mut Counts,
) -> Result<Identified, CdrError> {
    let message: Detection3DArray<'_> = from_cdr(data)?;
    let mut boxes = Vec::with_capacity(message.detections.len());
    counts.unusable += message.detections.len().saturating_sub(MAX_BOXES) as u64;
    let mut places = Places { used: Vec::with_capacity(boxes.capacity()), sent: message.detections.len() };
    for (place, detection) in (0..).zip(message.detections.iter().take(MAX_BOXES)) {
        match eval_box(detection, classes) {
            Some(found) => {
                boxes.push((found, detection.id.clone().into_owned()));
                places.used.push(place);
            }
            None => counts.unusable += 1,
        }
    }
    let frame_id = frame(message.header.frame_id).to_owned();
    Ok(Identified { stamp: message.header.stamp, frame_id, boxes, crc32: crc32fast::hash(data), places })
}

/// A box by its surest hypothesis; `None` if it is not finite or has no size or class.
fn eval_box(detection: &Detection3D<'_>, classes: &mut Arc<EvalClasses>) -> Option<EvalBox> {
    let results = detection.results.iter().map(|result| &result.hypothesis);
    let hypothesis = results
        .filter(|hypothesis| hypothesis.score.is_finite())
        .reduce(|best, other| if other.score > best.score { other } else { best })?;
    let class = match classes.id(&hypothesis.class_id) {
        Some(class) => class,
        None => Arc::make_mut(classes).id_or_add(&hypothesis.class_id)?,
    };
    let (p, q, size) =
        (detection.bbox.center.position, detection.bbox.center.orientation, detection.bbox.size);
    let pose = pose_from_parts([p.x, p.y, p.z], [q.x, q.y, q.z, q.w]).ok()?;
    let size = Vector3::new(size.x, size.y, size.z);
    if !size.iter().all(|edge| edge.is_finite() && *edge > 0.0) {
        return None;
    }
    let forward = pose.rotation * Vector3::x();
    Some(EvalBox {
        class,
        box3d: Box3d { center: pose.translation.vector.into(), size, yaw: forward.y.atan2(forward.x) },
        score: hypothesis.score,
        velocity_mps: [f64::NAN; 2],
        range_m: f64::NAN,
    })
}

/// Moves a box into another frame; its heading turns with the transform's yaw.
pub(super) fn moved(box3d: &Box3d, pose: &Pose) -> Box3d {
    let forward = pose.rotation * Vector3::new(box3d.yaw.cos(), box3d.yaw.sin(), 0.0);
    Box3d { center: pose * box3d.center, size: box3d.size, yaw: forward.y.atan2(forward.x) }
}

/// What is kept of a message beside its boxes.
struct Head {
    stamp: Stamp,
    in_frame: String,
    logged: Stamp,
    crc32: u32,
    places: Places,
}

/// Takes messages with boxes and gives them with velocities, one frame later.
#[derive(Default)]
pub(super) struct Moving {
    velocity: VelocityById,
    heads: VecDeque<Head>,
}

/// Boxes with velocities, and when they were logged.
pub(super) struct BoxFrame {
    pub stamp: Stamp,
    /// Frame that the boxes are in.
    pub in_frame: String,
    pub logged: Stamp,
    pub boxes: Vec<EvalBox>,
    /// Checksum of the message.
    pub crc32: u32,
    /// Where in the message each box was.
    pub places: Places,
}

impl Moving {
    /// Stamps of the messages that it holds.
    pub fn pending(&self) -> impl Iterator<Item = Stamp> + '_ {
        self.heads.iter().map(|head| head.stamp)
    }

    /// Takes a message; gives the one before, complete.
    pub fn push(&mut self, found: Identified, logged: Stamp) -> Option<BoxFrame> {
        let Identified { stamp, frame_id: in_frame, boxes, crc32, places } = found;
        self.heads.push_back(Head { stamp, in_frame, logged, crc32, places });
        let done = self.velocity.push(stamp, boxes);
        self.frame(done)
    }

    /// Gives the last message.
    pub fn finish(&mut self) -> Option<BoxFrame> {
        let done = self.velocity.finish();
        self.frame(done)
    }

    fn frame(&mut self, boxes: Option<Vec<EvalBox>>) -> Option<BoxFrame> {
        let boxes = boxes?;
        let Head { stamp, in_frame, logged, crc32, places } = self.heads.pop_front()?;
        Some(BoxFrame { stamp, in_frame, logged, boxes, crc32, places })
    }
}
