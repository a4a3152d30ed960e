//! One field of every point of a cloud.

use super::SensorError;
use crate::message::PointField;

/// The eight datatypes of `sensor_msgs/PointField`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Datatype {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    F32,
    F64,
}

impl Datatype {
    pub(super) fn of(field: &PointField<'_>) -> Result<Self, SensorError> {
        Ok(match field.datatype {
            PointField::INT8 => Self::I8,
            PointField::UINT8 => Self::U8,
            PointField::INT16 => Self::I16,
            PointField::UINT16 => Self::U16,
            PointField::INT32 => Self::I32,
            PointField::UINT32 => Self::U32,
            PointField::FLOAT32 => Self::F32,
            PointField::FLOAT64 => Self::F64,
            other => {
                return Err(SensorError::Field {
                    name: field.name.to_owned(),
                    expected: "a datatype of 1 to 8".to_owned(),
                    found: other.to_string(),
                });
            }
        })
    }

    /// Kind and size in bytes, as numpy writes them.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::I8 => "i1",
            Self::U8 => "u1",
            Self::I16 => "i2",
            Self::U16 => "u2",
            Self::I32 => "i4",
            Self::U32 => "u4",
            Self::F32 => "f4",
            Self::F64 => "f8",
        }
    }

    pub(super) const fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

/// Where the points of a cloud lie; `rows * width` points, all inside the data.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout<'a> {
    pub(super) data: &'a [u8],
    pub(super) len: usize,
    pub(super) width: usize,
    pub(super) point_step: usize,
    pub(super) row_step: usize,
    pub(super) big_endian: bool,
}

impl Layout<'_> {
    /// First byte of point `i`.
    #[inline]
    pub(super) fn start(&self, i: usize) -> usize {
        if self.row_step == self.width * self.point_step {
            i * self.point_step
        } else {
            (i / self.width) * self.row_step + (i % self.width) * self.point_step
        }
    }
}

/// Reads one field of any point, whatever its datatype, byte order and alignment.
#[derive(Clone, Copy, Debug)]
pub struct FieldReader<'a> {
    layout: Layout<'a>,
    offset: usize,
    datatype: Datatype,
}

impl<'a> FieldReader<'a> {
    pub(super) const fn new(layout: Layout<'a>, offset: usize, datatype: Datatype) -> Self {
        Self { layout, offset, datatype }
    }

    pub(super) const fn datatype(&self) -> Datatype {
        self.datatype
    }

    /// Where in the bytes of a point the value lies, if it is a little-endian float.
    pub(super) fn packed(&self) -> Option<usize> {
        (self.datatype == Datatype::F32 && !self.layout.big_endian).then_some(self.offset)
    }

    /// Value of point `i` (the first element of an array field); NaN beyond the last point.
    #[inline]
    pub fn f64(&self, i: usize) -> f64 {
        self.value(i).unwrap_or(f64::NAN)
    }

    /// As [`FieldReader::f64`], rounded to single precision.
    #[inline]
    pub fn f32(&self, i: usize) -> f32 {
        self.f64(i) as f32
    }

    #[inline]
    fn value(&self, i: usize) -> Option<f64> {
        if i >= self.layout.len {
            return None;
        }
        let bytes = self.layout.data.get(self.layout.start(i) + self.offset..)?;
        macro_rules! read {
            ($type:ty) => {{
                let bytes = *bytes.first_chunk()?;
                f64::from(if self.layout.big_endian {
                    <$type>::from_be_bytes(bytes)
                } else {
                    <$type>::from_le_bytes(bytes)
                })
            }};
        }
        Some(match self.datatype {
            Datatype::I8 => read!(i8),
            Datatype::U8 => read!(u8),
            Datatype::I16 => read!(i16),
            Datatype::U16 => read!(u16),
            Datatype::I32 => read!(i32),
            Datatype::U32 => read!(u32),
            Datatype::F32 => read!(f32),
            Datatype::F64 => read!(f64),
        })
    }
}
