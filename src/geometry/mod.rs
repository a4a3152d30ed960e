//! Poses in time, camera models and boxes: pure functions on `nalgebra` types, in `f64`.
//!
//! Frames are written into names: `t_target_source` maps points of `source` into `target`.
//! Axes follow REP-103 (x forward, y left, z up); camera optical frames x right, y down, z forward.

mod box3d;
mod camera;
mod distortion;
mod image_box;
mod pose;
mod ray_table;
mod rotated_iou;
mod sweep_motion;
mod transform_buffer;
mod transform_error;

pub use box3d::Box3d;
pub use camera::{CameraError, CameraModel, CameraParameters, Roi};
pub use distortion::Distortion;
pub use image_box::image_box;
pub use pose::{Pose, PoseError, pose_from_parts, pose_from_yaw, pose_to_parts};
pub use ray_table::RayTable;
pub use rotated_iou::{iou_3d, rotated_iou_bev};
pub use sweep_motion::{MAX_POSES, SweepMotion};
pub use transform_buffer::TransformBuffer;
pub use transform_error::TransformError;
