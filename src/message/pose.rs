//! The `geometry_msgs` parts that messages are made of: metres and unit quaternions.

use super::{CdrError, CdrReader, CdrWriter};

/// `geometry_msgs/Point`, metres.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Along x.
    pub x: f64,
    /// Along y.
    pub y: f64,
    /// Along z.
    pub z: f64,
}

/// `geometry_msgs/Vector3`; the unit is the field's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Vector3 {
    /// Along x.
    pub x: f64,
    /// Along y.
    pub y: f64,
    /// Along z.
    pub z: f64,
}

/// `geometry_msgs/Quaternion`; the default is no rotation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quaternion {
    /// Imaginary part along x.
    pub x: f64,
    /// Imaginary part along y.
    pub y: f64,
    /// Imaginary part along z.
    pub z: f64,
    /// Real part.
    pub w: f64,
}

impl Default for Quaternion {
    fn default() -> Self {
        Self { x: 0.0, y: 0.0, z: 0.0, w: 1.0 }
    }
}

/// `geometry_msgs/Pose`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pose {
    /// Metres.
    pub position: Point,
    /// Unit quaternion.
    pub orientation: Quaternion,
}

/// `geometry_msgs/Transform`: maps points of the child frame into the header's frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Transform {
    /// Metres.
    pub translation: Vector3,
    /// Unit quaternion.
    pub rotation: Quaternion,
}

/// `geometry_msgs/PoseWithCovariance`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PoseWithCovariance {
    /// The mean.
    pub pose: Pose,
    /// 6×6 row-major over x, y, z, rotation about x, y, z; all zero when unknown.
    pub covariance: [f64; 36],
}

impl Default for PoseWithCovariance {
    fn default() -> Self {
        Self { pose: Pose::default(), covariance: [0.0; 36] }
    }
}

impl Point {
    pub(super) fn read(r: &mut CdrReader<'_>, field: &'static str) -> Result<Self, CdrError> {
        let [x, y, z] = r.f64_array(field)?;
        Ok(Self { x, y, z })
    }

    pub(super) fn write(&self, w: &mut CdrWriter<'_>) {
        w.f64_array(&[self.x, self.y, self.z]);
    }
}

impl Vector3 {
    pub(super) fn read(r: &mut CdrReader<'_>, field: &'static str) -> Result<Self, CdrError> {
        let [x, y, z] = r.f64_array(field)?;
        Ok(Self { x, y, z })
    }

    pub(super) fn write(&self, w: &mut CdrWriter<'_>) {
        w.f64_array(&[self.x, self.y, self.z]);
    }
}

impl Quaternion {
    pub(super) fn read(r: &mut CdrReader<'_>, field: &'static str) -> Result<Self, CdrError> {
        let [x, y, z, w] = r.f64_array(field)?;
        Ok(Self { x, y, z, w })
    }

    pub(super) fn write(&self, w: &mut CdrWriter<'_>) {
        w.f64_array(&[self.x, self.y, self.z, self.w]);
    }
}

impl Pose {
    pub(super) fn read(r: &mut CdrReader<'_>, field: &'static str) -> Result<Self, CdrError> {
        Ok(Self { position: Point::read(r, field)?, orientation: Quaternion::read(r, field)? })
    }

    pub(super) fn write(&self, w: &mut CdrWriter<'_>) {
        self.position.write(w);
        self.orientation.write(w);
    }
}

impl Transform {
    pub(super) fn read(r: &mut CdrReader<'_>, field: &'static str) -> Result<Self, CdrError> {
        Ok(Self { translation: Vector3::read(r, field)?, rotation: Quaternion::read(r, field)? })
    }

    pub(super) fn write(&self, w: &mut CdrWriter<'_>) {
        self.translation.write(w);
        self.rotation.write(w);
    }
}

impl PoseWithCovariance {
    pub(super) fn read(r: &mut CdrReader<'_>, field: &'static str) -> Result<Self, CdrError> {
        Ok(Self { pose: Pose::read(r, field)?, covariance: r.f64_array(field)? })
    }

    pub(super) fn write(&self, w: &mut CdrWriter<'_>) {
        self.pose.write(w);
        w.f64_array(&self.covariance);
    }
}
