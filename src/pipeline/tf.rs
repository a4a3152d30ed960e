//! Received transforms into a buffer.

use nalgebra::{Quaternion, Translation3, UnitQuaternion};

use crate::geometry::{Pose, TransformBuffer};
use crate::message::{TFMessage, from_cdr};

/// Inserts the transforms of a `tf2_msgs/TFMessage`. The first that cannot be taken is described in the
/// error; the others are in.
pub fn insert_transforms(buffer: &mut TransformBuffer, bytes: &[u8], is_static: bool) -> Result<(), String> {
    let message: TFMessage<'_> = from_cdr(bytes).map_err(|error| error.to_string())?;
    let mut first_error = None;
    for transform in &message.transforms {
        let t = transform.transform.translation;
        let r = transform.transform.rotation;
        let rotation = Quaternion::new(r.w, r.x, r.y, r.z);
        let finite = [t.x, t.y, t.z, r.x, r.y, r.z, r.w].iter().all(|value| value.is_finite());
        let result = if finite && rotation.norm() > 1e-6 {
            let pose =
                Pose::from_parts(Translation3::new(t.x, t.y, t.z), UnitQuaternion::from_quaternion(rotation));
            let header = &transform.header;
            buffer
                .insert(header.frame_id, transform.child_frame_id, &pose, header.stamp, is_static)
                .map_err(|error| error.to_string())
        } else {
            Err(format!(
                "transform {} → {}: expected finite values and a rotation of length 1",
                transform.header.frame_id, transform.child_frame_id
            ))
        };
        if let Err(error) = result {
            first_error.get_or_insert(error);
        }
    }
    first_error.map_or(Ok(()), Err)
}
