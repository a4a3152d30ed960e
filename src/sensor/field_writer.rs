//! Writing one field of any point of a cloud, as [`FieldReader`] reads it.

use super::FieldReader;
use super::field::{Datatype, Layout};

/// Puts values into the data of a cloud that is laid out as the one its [`FieldReader`] reads. See
/// [`FieldReader::writer`].
#[derive(Clone, Copy, Debug)]
pub struct FieldWriter {
    /// Without data
    layout: Layout<'static>,
    offset: usize,
    datatype: Datatype,
}

impl FieldReader<'_> {
    /// Writes what this reads, into a copy of the data.
    pub const fn writer(&self) -> FieldWriter {
        let (layout, offset, datatype) = self.parts();
        let layout = Layout {
            data: &[],
            len: layout.len,
            width: layout.width,
            point_step: layout.point_step,
            row_step: layout.row_step,
            big_endian: layout.big_endian,
        };
        FieldWriter { layout, offset, datatype }
    }

    /// Whether values are floating point: integers cannot say "not a number".
    pub const fn is_float(&self) -> bool {
        matches!(self.datatype(), Datatype::F32 | Datatype::F64)
    }
}

impl FieldWriter {
    /// Writes `value` for point `i`; nothing where `data` ends before it. Integers take the nearest value
    /// that they can hold, and 0 for NaN.
    #[inline]
    pub fn write(&self, data: &mut [u8], i: usize, value: f64) {
        if self.layout.width == 0 {
            return;
        }
        let Some(bytes) = data.get_mut(self.layout.start(i) + self.offset..) else { return };
        macro_rules! write {
            ($value:expr) => {{
                let value = $value;
                if let Some(place) = bytes.first_chunk_mut() {
                    *place = if self.layout.big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
                }
            }};
        }
        // Casts to integers saturate.
        match self.datatype {
            Datatype::I8 => write!(value.round() as i8),
            Datatype::U8 => write!(value.round() as u8),
            Datatype::I16 => write!(value.round() as i16),
            Datatype::U16 => write!(value.round() as u16),
            Datatype::I32 => write!(value.round() as i32),
            Datatype::U32 => write!(value.round() as u32),
            Datatype::F32 => write!(value as f32),
            Datatype::F64 => write!(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::message::{PointCloud2, PointField};
    use crate::sensor::PointCloudView;

    const STEP: u32 = 23;

    fn cloud(big_endian: bool, datatype: u8, data: &[u8]) -> PointCloud2<'_> {
        let field = |name, offset, datatype| PointField { name, offset, datatype, count: 1 };
        let float = PointField::FLOAT32;
        let fields =
            [field("x", 1, float), field("y", 5, float), field("z", 9, float), field("v", 13, datatype)];
        PointCloud2 {
            height: 2,
            width: 2,
            fields: fields.into_iter().collect(),
            is_bigendian: big_endian,
            point_step: STEP,
            row_step: 2 * STEP + 3,
            data,
            ..PointCloud2::default()
        }
    }

    #[test]
    fn what_is_written_is_read_back_in_every_datatype_and_byte_order() {
        for (big_endian, datatype) in [false, true].into_iter().flat_map(|b| (1..=8).map(move |d| (b, d))) {
            let before = vec![7; 2 * (2 * STEP as usize + 3)];
            let view = PointCloudView::new(&cloud(big_endian, datatype, &before)).unwrap();
            let reader = view.field("v").unwrap();
            let written = |values: &[(usize, f64)]| {
                let mut data = before.clone();
                for (i, value) in values {
                    reader.writer().write(&mut data, *i, *value);
                }
                let view = PointCloudView::new(&cloud(big_endian, datatype, &data)).unwrap();
                let found = view.field("v").unwrap();
                let changed = before.iter().zip(&data).filter(|(a, b)| a != b).count();
                ([0, 1, 2, 3].map(|i| found.f64(i)), changed)
            };
            let (found, changed) = written(&[(2, 101.0), (99, 101.0)]);
            assert_eq!(found[2], 101.0, "datatype {datatype}");
            assert!((1..=8).contains(&changed) && found[1].to_bits() == reader.f64(1).to_bits());
            if !reader.is_float() {
                let (found, _) = written(&[(0, f64::MAX), (1, f64::NAN), (3, -1e30)]);
                assert!(found[0] >= 127.0 && found[1] == 0.0 && found[3] <= 0.0);
            }
        }
    }
}
