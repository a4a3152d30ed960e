//! Clouds for tests, in many layouts.

use crate::message::{Header, PointCloud2, PointField, Stamp, to_cdr};

/// How a cloud is laid out.
#[derive(Clone, Copy, Debug)]
pub(super) struct CloudOptions {
    /// 1 for an unordered cloud
    pub rows: u32,
    /// Byte order
    pub big_endian: bool,
    /// Bytes before the first field
    pub gap: u32,
}

impl CloudOptions {
    /// What most drivers publish.
    pub const PLAIN: Self = Self { rows: 1, big_endian: false, gap: 0 };

    /// Several layouts.
    pub fn all() -> Vec<Self> {
        let rows = [1, 3];
        let with = |rows| [false, true].map(|big_endian| Self { rows, big_endian, gap: rows - 1 });
        rows.into_iter().flat_map(with).chain([Self { gap: 3, ..Self::PLAIN }]).collect()
    }
}

/// A serialized cloud: x, y, z, intensity (0..1, published as 0..255), ring (u16, counting in 16 lines).
pub(super) fn cloud_bytes(positions: &[[f32; 3]], intensities: &[f32], options: CloudOptions) -> Vec<u8> {
    let CloudOptions { rows, big_endian, gap } = options;
    let step = gap + 18;
    let width = positions.len() as u32 / rows;
    let row_step = width * step + if rows > 1 { 5 } else { 0 };
    let mut data = vec![0x5a; (row_step * rows) as usize];
    for (i, (position, intensity)) in positions.iter().zip(intensities).enumerate() {
        let start = (i as u32 / width * row_step + i as u32 % width * step + gap) as usize;
        let values = position.iter().copied().chain([intensity * 255.0]);
        for (place, value) in data[start..].chunks_exact_mut(4).zip(values) {
            place.copy_from_slice(&if big_endian { value.to_be_bytes() } else { value.to_le_bytes() });
        }
        let line = (i % 16) as u16;
        data[start + 16..start + 18].copy_from_slice(&if big_endian {
            line.to_be_bytes()
        } else {
            line.to_le_bytes()
        });
    }
    let field = |name, offset, datatype| PointField { name, offset: gap + offset, datatype, count: 1 };
    let cloud = PointCloud2 {
        header: Header { stamp: Stamp(1_000_000_000), frame_id: "lidar" },
        height: rows,
        width,
        fields: [
            field("x", 0, PointField::FLOAT32),
            field("y", 4, PointField::FLOAT32),
            field("z", 8, PointField::FLOAT32),
            field("intensity", 12, PointField::FLOAT32),
            field("ring", 16, PointField::UINT16),
        ]
        .into_iter()
        .collect(),
        is_bigendian: big_endian,
        point_step: step,
        row_step,
        data: &data,
        is_dense: true,
    };
    let mut bytes = Vec::new();
    to_cdr(&cloud, &mut bytes);
    bytes
}
