//! A calibration put over the messages of a bag.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Calibration;
use crate::message::{CameraInfo, CdrReader, Header, Message, Stamp, TFMessage, from_cdr, to_cdr};
use crate::pipeline::{InputKind, SensorInput};

/// Adds what the file says, and leaves out what the bag says about the same frames.
pub(in crate::replay) struct Overlay<'a> {
    calibration: &'a Calibration,
    /// Frames whose values of the bag were left out.
    replaced: BTreeSet<String>,
}

impl<'a> Overlay<'a> {
    /// Of `calibration`, over one bag.
    pub fn new(calibration: &'a Calibration) -> Self {
        Self { calibration, replaced: BTreeSet::new() }
    }

    /// What holds from the start.
    pub fn opening(&self) -> Vec<SensorInput> {
        let mut inputs = Vec::new();
        if !self.calibration.transforms.is_empty() {
            inputs.push(SensorInput::Transforms(encoded(&self.calibration.transforms_message()), true));
        }
        // So that an image of another frame is told which frames there are.
        let infos =
            self.calibration.cameras.keys().filter_map(|frame| self.calibration.camera_info(frame, Stamp(0)));
        inputs.extend(infos.map(|info| SensorInput::CameraInfo(encoded(&info))));
        inputs
    }

    /// The camera info that belongs to the image in `data`.
    pub fn before(&self, kind: InputKind, data: &[u8]) -> Option<SensorInput> {
        if !matches!(kind, InputKind::Image | InputKind::CompressedImage) {
            return None;
        }
        let mut reader = CdrReader::new(data, Header::TYPE_NAME).ok()?;
        let header = Header::read(&mut reader).ok()?;
        let info = self.calibration.camera_info(header.frame_id, header.stamp)?;
        Some(SensorInput::CameraInfo(encoded(&info)))
    }

    /// What of a message is left; `None` when nothing is. A message that cannot be decoded stays, for
    /// the pipeline to complain of.
    pub fn filter(&mut self, kinds: &[InputKind], data: Vec<u8>) -> Option<Vec<u8>> {
        let of_kind = |wanted: fn(&InputKind) -> bool| kinds.iter().any(wanted);
        if of_kind(|kind| matches!(kind, InputKind::Transforms | InputKind::StaticTransforms)) {
            return self.filter_transforms(data);
        }
        if of_kind(|kind| matches!(kind, InputKind::CameraInfo))
            && let Ok(info) = from_cdr::<CameraInfo<'_>>(&data)
            && self.calibration.cameras.contains_key(bare(info.header.frame_id))
        {
            let frame = bare(info.header.frame_id).to_owned();
            self.note(&frame, "camera info of");
            return None;
        }
        Some(data)
    }

    fn filter_transforms(&mut self, data: Vec<u8>) -> Option<Vec<u8>> {
        let Ok(mut message) = from_cdr::<TFMessage<'_>>(&data) else { return Some(data) };
        let given = |child: &str| self.calibration.transforms.iter().any(|fixed| fixed.child == bare(child));
        let replaced: Vec<String> = message
            .transforms
            .iter()
            .map(|transform| bare(transform.child_frame_id))
            .filter(|child| given(child))
            .map(str::to_owned)
            .collect();
        if replaced.is_empty() {
            return Some(data);
        }
        message.transforms.retain(|transform| !given(transform.child_frame_id));
        let left = (!message.transforms.is_empty()).then(|| {
            let mut left = Vec::new();
            to_cdr(&message, &mut left);
            left
        });
        for child in replaced {
            self.note(&child, "transform to");
        }
        left
    }

    /// Says once of each frame that the file's values are used.
    fn note(&mut self, frame: &str, what: &str) {
        if self.replaced.insert(format!("{what} {frame}")) {
            tracing::warn!("the calibration file's {what} '{frame}' is used, the bag's is not");
        }
    }
}

/// A frame id as the calibration has them.
fn bare(frame: &str) -> &str {
    frame.trim_start_matches('/')
}

fn encoded<'m, M: Message<'m>>(message: &M) -> Arc<[u8]> {
    let mut bytes = Vec::new();
    to_cdr(message, &mut bytes);
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Image, TransformStamped};
    use crate::replay::calibration::{CameraCalibration, FixedTransform};

    fn calibration() -> Calibration {
        let camera = CameraCalibration {
            width: 4,
            height: 3,
            distortion_model: "plumb_bob".into(),
            d: vec![0.1, 0.0, 0.0, 0.0, 0.0],
            k: [5.0, 0.0, 2.0, 0.0, 6.0, 1.5, 0.0, 0.0, 1.0],
            r: [0.0; 9],
            p: [0.0; 12],
        };
        Calibration {
            transforms: vec![FixedTransform {
                parent: "base".into(),
                child: "radar".into(),
                translation: [1.0, 2.0, 3.0],
                rotation: [0.0, 0.0, 1.0, 0.0],
            }],
            cameras: [("camera".to_owned(), camera)].into(),
        }
    }

    fn bytes<'m, M: Message<'m>>(message: &M) -> Vec<u8> {
        encoded(message).to_vec()
    }

    #[test]
    fn what_the_file_says_is_sent_first() {
        let calibration = calibration();
        let opening = Overlay::new(&calibration).opening();
        let [SensorInput::Transforms(tf, true), SensorInput::CameraInfo(info)] = opening.as_slice() else {
            panic!("a static transform and a camera info")
        };
        let tf: TFMessage<'_> = from_cdr(tf).unwrap();
        assert_eq!((tf.transforms[0].header.frame_id, tf.transforms[0].child_frame_id), ("base", "radar"));
        assert_eq!(
            (tf.transforms[0].transform.translation.y, tf.transforms[0].transform.rotation.z),
            (2.0, 1.0)
        );
        let info: CameraInfo<'_> = from_cdr(info).unwrap();
        assert_eq!((info.width, info.height, info.k[4], info.d[0]), (4, 3, 6.0, 0.1));
    }

    #[test]
    fn an_image_gets_the_camera_info_of_its_frame_and_stamp() {
        let calibration = calibration();
        let overlay = Overlay::new(&calibration);
        let image =
            |frame_id| bytes(&Image { header: Header { stamp: Stamp(7), frame_id }, ..Image::default() });
        let Some(SensorInput::CameraInfo(info)) = overlay.before(InputKind::Image, &image("camera")) else {
            panic!("an info")
        };
        let info: CameraInfo<'_> = from_cdr(&info).unwrap();
        assert_eq!((info.header.stamp, info.header.frame_id), (Stamp(7), "camera"));
        assert!(overlay.before(InputKind::Image, &image("other")).is_none());
        assert!(overlay.before(InputKind::Lidar, &image("camera")).is_none());
        assert!(overlay.before(InputKind::Image, &[1, 2]).is_none());
    }

    #[test]
    fn the_bag_is_not_heard_about_frames_of_the_file() {
        let calibration = calibration();
        let mut overlay = Overlay::new(&calibration);
        let to = |child_frame_id| TransformStamped { child_frame_id, ..TransformStamped::default() };
        let message = |children: &[&'static str]| {
            bytes(&TFMessage { transforms: children.iter().copied().map(to).collect() })
        };
        let tf = [InputKind::StaticTransforms];
        assert_eq!(overlay.filter(&tf, message(&["/radar"])), None);
        assert_eq!(overlay.filter(&tf, message(&["radar", "lidar"])), Some(message(&["lidar"])));
        assert_eq!(overlay.filter(&tf, message(&["lidar"])), Some(message(&["lidar"])));
        assert_eq!(overlay.filter(&tf, vec![9]), Some(vec![9]));
        assert_eq!(overlay.replaced.len(), 1, "one note however often");
        let info = |frame_id| {
            bytes(&CameraInfo { header: Header { stamp: Stamp(1), frame_id }, ..CameraInfo::default() })
        };
        assert_eq!(overlay.filter(&[InputKind::CameraInfo], info("camera")), None);
        assert_eq!(overlay.filter(&[InputKind::CameraInfo], info("other")), Some(info("other")));
    }
}
