//! How clouds that this project writes are laid out.

use smallvec::SmallVec;

use super::{Header, PointCloud2, PointField};

/// Fields and size of a cloud's points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloudLayout {
    /// Fields of one point.
    pub fields: &'static [PointField<'static>],
    /// Bytes from one point to the next.
    pub step: u32,
}

impl CloudLayout {
    /// The unordered, little-endian cloud of some points' bytes.
    pub fn cloud<'a>(&self, header: Header<'a>, data: &'a [u8]) -> PointCloud2<'a> {
        let width = data.len() as u32 / self.step.max(1);
        PointCloud2 {
            header,
            height: 1,
            width,
            fields: SmallVec::from_slice(self.fields),
            is_bigendian: false,
            point_step: self.step,
            row_step: self.step * width,
            data,
            is_dense: true,
        }
    }
}

impl PointField<'static> {
    /// A field of one value.
    pub const fn scalar(name: &'static str, offset: u32, datatype: u8) -> Self {
        Self { name, offset, datatype, count: 1 }
    }
}
