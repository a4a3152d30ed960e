//! A point cloud message as typed fields.

use smallvec::SmallVec;

use super::{
    FieldReader, SensorError,
    field::{Datatype, Layout},
};
use crate::message::{PointCloud2, PointField};

/// A checked view of a cloud: x, y and z exist, and every field of every point is inside the data.
/// Fields may have any order, offset, datatype, byte order and alignment.
#[derive(Clone, Debug)]
pub struct PointCloudView<'a> {
    layout: Layout<'a>,
    fields: SmallVec<[PointField<'a>; 24]>,
    xyz: Xyz,
}

/// How positions are read.
#[derive(Clone, Copy, Debug)]
enum Xyz {
    /// Three little-endian floats in a row, from this offset: what nearly every driver publishes.
    Packed(usize),
    /// Anything else.
    Fields([(usize, Datatype); 3]),
    /// A cloud without points may come without fields.
    Empty,
}

impl<'a> PointCloudView<'a> {
    /// Checks steps, lengths and fields. A cloud without points needs no fields.
    pub fn new(cloud: &PointCloud2<'a>) -> Result<Self, SensorError> {
        // Products of two 32-bit numbers fit 64 bits; sums of such products are checked.
        let points = u64::from(cloud.width) * u64::from(cloud.height);
        let row = u64::from(cloud.width) * u64::from(cloud.point_step);
        if points > 0 && cloud.point_step == 0 {
            return Err(SensorError::CloudLayout { what: "point_step", expected: 1, found: 0 });
        }
        // The row step of a single row says nothing, and drivers leave it wrong.
        let row_step = if cloud.height <= 1 { row } else { u64::from(cloud.row_step) };
        if row_step < row {
            return Err(SensorError::CloudLayout { what: "row_step", expected: row, found: cloud.row_step });
        }
        let expected = u64::from(cloud.height.saturating_sub(1)).saturating_mul(row_step).saturating_add(row);
        if points > 0 && (cloud.data.len() as u64) < expected {
            return Err(SensorError::DataLength { what: "point cloud", expected, found: cloud.data.len() });
        }
        let layout = Layout {
            data: cloud.data,
            len: points as usize,
            width: cloud.width as usize,
            point_step: cloud.point_step as usize,
            row_step: row_step as usize,
            big_endian: cloud.is_bigendian,
        };
        for field in &cloud.fields {
            let size = Datatype::of(field)?.size() as u64 * u64::from(field.count.max(1));
            let end = u64::from(field.offset) + size;
            if end > u64::from(cloud.point_step) && points > 0 {
                return Err(SensorError::Field {
                    name: field.name.to_owned(),
                    expected: format!("to end within the point of {} bytes", cloud.point_step),
                    found: format!("an end at byte {end}"),
                });
            }
        }
        let mut view = Self { layout, fields: cloud.fields.clone(), xyz: Xyz::Empty };
        if points > 0 {
            view.xyz = view.find_xyz()?;
        }
        Ok(view)
    }

    fn find_xyz(&self) -> Result<Xyz, SensorError> {
        let (Some(x), Some(y), Some(z)) = (self.place("x"), self.place("y"), self.place("z")) else {
            return Err(SensorError::MissingField {
                expected: "fields x, y and z",
                found: self.field_names(),
            });
        };
        let packed = !self.layout.big_endian
            && [x, y, z].iter().all(|(_, datatype)| *datatype == Datatype::F32)
            && y.0 == x.0 + 4
            && z.0 == x.0 + 8;
        Ok(if packed { Xyz::Packed(x.0) } else { Xyz::Fields([x, y, z]) })
    }

    /// Number of points.
    pub const fn len(&self) -> usize {
        self.layout.len
    }

    /// Whether there are no points.
    pub const fn is_empty(&self) -> bool {
        self.layout.len == 0
    }

    /// A reader of the field called `name`.
    pub fn field(&self, name: &str) -> Option<FieldReader<'a>> {
        let (offset, datatype) = self.place(name)?;
        Some(FieldReader::new(self.layout, offset, datatype))
    }

    /// Names of all fields, for messages to people.
    pub fn field_names(&self) -> String {
        self.fields.iter().map(|field| field.name).collect::<Vec<_>>().join(" ")
    }

    /// Names and datatypes of all fields, as `x f4`, for messages to people.
    pub fn typed_field_names(&self) -> String {
        let name = |field: &PointField<'_>| match Datatype::of(field) {
            Ok(datatype) => format!("{} {}", field.name, datatype.code()),
            Err(_) => field.name.to_owned(),
        };
        self.fields.iter().map(name).collect::<Vec<_>>().join(", ")
    }

    /// Position of point `i` in metres, sensor frame; NaN beyond the last point.
    #[inline]
    pub fn xyz(&self, i: usize) -> [f32; 3] {
        match &self.xyz {
            Xyz::Packed(offset) if i < self.layout.len => {
                let start = self.layout.start(i) + offset;
                match self.layout.data.get(start..).and_then(<[u8]>::first_chunk::<12>) {
                    Some(&[a, b, c, d, e, f, g, h, j, k, l, m]) => [
                        f32::from_le_bytes([a, b, c, d]),
                        f32::from_le_bytes([e, f, g, h]),
                        f32::from_le_bytes([j, k, l, m]),
                    ],
                    None => [f32::NAN; 3],
                }
            }
            Xyz::Fields(fields) => {
                fields.map(|(offset, datatype)| FieldReader::new(self.layout, offset, datatype).f32(i))
            }
            _ => [f32::NAN; 3],
        }
    }

    /// The bytes of each point in order, and where in them lie x, y and z as three little-endian floats;
    /// `None` when they lie in another way.
    pub(super) fn packed(&self) -> Option<(usize, impl Iterator<Item = &'a [u8]> + use<'a>)> {
        let Xyz::Packed(offset) = self.xyz else { return None };
        let Layout { data, len, width, point_step, row_step, .. } = self.layout;
        // There are points, so that no length is 0 and all rows are in the data.
        let rows = data.chunks(row_step).take(len / width);
        let points =
            move |row: &'a [u8]| row.get(..width * point_step).unwrap_or(&[]).chunks_exact(point_step);
        Some((offset, rows.flat_map(points)))
    }

    /// All positions in order, as [`PointCloudView::xyz`].
    pub fn points(&self) -> impl ExactSizeIterator<Item = [f32; 3]> + '_ {
        (0..self.len()).map(|i| self.xyz(i))
    }

    fn place(&self, name: &str) -> Option<(usize, Datatype)> {
        let field = self.fields.iter().find(|field| field.name == name)?;
        Some((field.offset as usize, Datatype::of(field).ok()?))
    }
}
