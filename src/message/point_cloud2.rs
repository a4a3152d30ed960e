//! `sensor_msgs/PointCloud2`.

use smallvec::SmallVec;

use super::{CdrError, CdrReader, CdrWriter, Header, Message};

/// A point cloud as its driver laid it out; [`crate::sensor::PointCloudView`] reads its fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PointCloud2<'a> {
    /// Acquisition time and sensor frame.
    pub header: Header<'a>,
    /// Rows; 1 for an unordered cloud.
    pub height: u32,
    /// Points in a row.
    pub width: u32,
    /// Layout of one point.
    pub fields: SmallVec<[PointField<'a>; 24]>,
    /// Byte order of the fields.
    pub is_bigendian: bool,
    /// Bytes from one point to the next.
    pub point_step: u32,
    /// Bytes from one row to the next.
    pub row_step: u32,
    /// Rows, `row_step * height` bytes.
    pub data: &'a [u8],
    /// Whether every point is finite.
    pub is_dense: bool,
}

/// `sensor_msgs/PointField`: one named value in a point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PointField<'a> {
    /// As `x`, `intensity`.
    pub name: &'a str,
    /// Bytes from the start of the point.
    pub offset: u32,
    /// One of the constants of this type.
    pub datatype: u8,
    /// Elements; drivers also write 0 for one.
    pub count: u32,
}

impl PointField<'_> {
    /// Signed byte.
    pub const INT8: u8 = 1;
    /// Byte.
    pub const UINT8: u8 = 2;
    /// Signed, 2 bytes.
    pub const INT16: u8 = 3;
    /// Unsigned, 2 bytes.
    pub const UINT16: u8 = 4;
    /// Signed, 4 bytes.
    pub const INT32: u8 = 5;
    /// Unsigned, 4 bytes.
    pub const UINT32: u8 = 6;
    /// Single precision.
    pub const FLOAT32: u8 = 7;
    /// Double precision.
    pub const FLOAT64: u8 = 8;
}

impl<'a> Message<'a> for PointCloud2<'a> {
    const TYPE_NAME: &'static str = "sensor_msgs/msg/PointCloud2";
    const TYPE_HASH: &'static str = "RIHS01_9198cabf7da3796ae6fe19c4cb3bdd3525492988c70522628af5daa124bae2b5";
    const DEFINITION: &'static str = definition!(
        "sensor_msgs/PointCloud2",
        "std_msgs/Header",
        "builtin_interfaces/Time",
        "sensor_msgs/PointField"
    );

    fn read(r: &mut CdrReader<'a>) -> Result<Self, CdrError> {
        Ok(Self {
            header: Header::read(r)?,
            height: r.u32("height")?,
            width: r.u32("width")?,
            fields: r.sequence("fields", 17, |r| {
                Ok(PointField {
                    name: r.str("fields.name")?,
                    offset: r.u32("fields.offset")?,
                    datatype: r.u8("fields.datatype")?,
                    count: r.u32("fields.count")?,
                })
            })?,
            is_bigendian: r.bool("is_bigendian")?,
            point_step: r.u32("point_step")?,
            row_step: r.u32("row_step")?,
            data: r.bytes("data")?,
            is_dense: r.bool("is_dense")?,
        })
    }

    fn write(&self, w: &mut CdrWriter<'_>) {
        self.header.write(w);
        w.u32(self.height);
        w.u32(self.width);
        w.sequence(&self.fields, |field, w| {
            w.str(field.name);
            w.u32(field.offset);
            w.u8(field.datatype);
            w.u32(field.count);
        });
        w.bool(self.is_bigendian);
        w.u32(self.point_step);
        w.u32(self.row_step);
        w.bytes(self.data);
        w.bool(self.is_dense);
    }
}
