//! Received transforms into a buffer.

use nalgebra::{Quaternion, Translation3, UnitQuaternion};

use crate::geometry::{Pose, TransformBuffer};
use crate::message::{CdrError, TFMessage, from_cdr};

/// Why transforms were not taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TransformsError {
    /// The message is damaged; nothing of it was taken
    #[error(transparent)]
    Undecodable(#[from] CdrError),
    /// One transform was not taken, the first if there were several; the others were
    #[error("{0}")]
    Refused(String),
}

/// Inserts the transforms of a `tf2_msgs/TFMessage`.
pub fn insert_transforms(
    buffer: &mut TransformBuffer,
    bytes: &[u8],
    is_static: bool,
) -> Result<(), TransformsError> {
    let message: TFMessage<'_> = from_cdr(bytes)?;
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
    first_error.map_or(Ok(()), |error| Err(TransformsError::Refused(error)))
}
