//! The camera infos that came, to find the one that speaks of an image.

use std::collections::VecDeque;
use std::sync::Arc;

use super::image_message::Size;
use crate::geometry::CameraModel;
use crate::message::{CameraInfo, Stamp, from_cdr};

/// Camera infos kept to find the one of an image's stamp.
const KEPT: usize = 8;

/// A camera info and the camera it describes.
pub struct Calibration {
    /// The message as CDR, to be published again beside the depth
    pub bytes: Arc<[u8]>,
    /// Optical frame
    pub frame_id: String,
    /// Stamp of the message
    pub stamp: Stamp,
    /// K and D at the size of the image
    pub camera: CameraModel,
}

/// The last camera infos, of all cameras.
#[derive(Default)]
pub(super) struct Calibrations(VecDeque<Arc<Calibration>>);

impl Calibrations {
    /// Keeps a camera info as CDR; its stamp, or what is wrong with it.
    pub fn offer(&mut self, bytes: Arc<[u8]>) -> Result<Stamp, String> {
        let info = from_cdr::<CameraInfo<'_>>(&bytes).map_err(|error| error.to_string())?;
        let camera = CameraModel::from_camera_info(&info).map_err(|error| error.to_string())?;
        let (frame_id, stamp) = (info.header.frame_id.to_owned(), info.header.stamp);
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(Arc::new(Calibration { bytes, frame_id, stamp, camera }));
        Ok(stamp)
    }

    /// The one of `stamp`, which speaks of this very image, else the newest of this camera and image size.
    pub fn of_image(&self, frame_id: &str, size: Option<Size>, stamp: Stamp) -> Option<Arc<Calibration>> {
        let mut of_camera = self.of_camera(frame_id);
        let exact = of_camera.clone().find(|info| info.stamp == stamp);
        let fits = |info: &&Arc<Calibration>| {
            size.is_none_or(|size| size == (info.camera.width, info.camera.height))
        };
        exact.or_else(|| of_camera.find(fits)).cloned()
    }

    /// The newest of this camera, of whatever size.
    pub fn newest(&self, frame_id: &str) -> Option<Arc<Calibration>> {
        self.of_camera(frame_id).next().cloned()
    }

    /// The frame of the oldest that is kept.
    pub fn any_frame(&self) -> Option<&str> {
        self.0.front().map(|info| info.frame_id.as_str())
    }

    fn of_camera<'a>(&'a self, frame_id: &'a str) -> impl Iterator<Item = &'a Arc<Calibration>> + Clone {
        self.0.iter().rev().filter(move |info| info.frame_id == frame_id)
    }
}
