//! Point clouds: views, LiDAR points and radar returns of any layout.

#![no_main]

use arbitrary::Arbitrary;
use isobath::{
    message::{Header, PointCloud2, PointField, RadarScan, Stamp, from_cdr},
    sensor::{
        DopplerSigns, LidarPreset, PointCloudView, RadarPreset, StampAt, decode_radar, decode_radar_scan,
        lidar_points,
    },
};
use libfuzzer_sys::fuzz_target;

/// Every field name that a driver is known to publish, so that random layouts get past the name check.
const NAMES: [&str; 35] = [
    "x",
    "y",
    "z",
    "intensity",
    "reflectivity",
    "velocity",
    "doppler",
    "range_rate",
    "radial_speed",
    "v_doppler_mps",
    "snr",
    "snr_db",
    "noise",
    "noise_db",
    "power",
    "rcs",
    "range",
    "range_std",
    "azimuth",
    "azimuth_std",
    "azimuth_angle",
    "elevation",
    "elevation_std",
    "elevation_angle",
    "ring",
    "channel",
    "line",
    "signal",
    "t",
    "time",
    "timestamp",
    "time_stamp",
    "offset_time",
    "time_offset",
    "",
];

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    /// A serialized `PointCloud2` or `RadarScan`.
    Serialized(&'a [u8]),
    Fields(Cloud<'a>),
}

#[derive(Arbitrary, Debug)]
struct Cloud<'a> {
    size: Size,
    fields: Vec<Field>,
    is_bigendian: bool,
    is_dense: bool,
    data: &'a [u8],
}

/// Sizes that fit each other, and sizes that need not.
#[derive(Arbitrary, Debug)]
enum Size {
    Near { width: u8, height: u8, point_step: u8, padding: u8 },
    Any { width: u32, height: u32, point_step: u32, row_step: u32 },
}

#[derive(Arbitrary, Debug)]
struct Field {
    name: u8,
    offset: Offset,
    datatype: u8,
    count: u8,
}

#[derive(Arbitrary, Debug)]
enum Offset {
    Near(u8),
    Any(u32),
}

impl<'a> Cloud<'a> {
    fn message(&self) -> PointCloud2<'a> {
        let (width, height, point_step, row_step) = match self.size {
            Size::Near { width, height, point_step, padding } => {
                let [w, h, step, pad] = [width, height, point_step, padding].map(u32::from);
                (w, h, step, w * step + pad)
            }
            Size::Any { width, height, point_step, row_step } => (width, height, point_step, row_step),
        };
        let fields = self.fields.iter().map(|field| PointField {
            name: NAMES[usize::from(field.name) % NAMES.len()],
            offset: match field.offset {
                Offset::Near(offset) => offset.into(),
                Offset::Any(offset) => offset,
            },
            // The eight that exist, one below and one above.
            datatype: field.datatype % 10,
            count: field.count.into(),
        });
        PointCloud2 {
            header: Header::default(),
            height,
            width,
            fields: fields.collect(),
            is_bigendian: self.is_bigendian,
            point_step,
            row_step,
            data: self.data,
            is_dense: self.is_dense,
        }
    }
}

fn look_at(cloud: &PointCloud2<'_>) {
    let Ok(view) = PointCloudView::new(cloud) else { return };
    let mut points = lidar_points(&view);
    let mut kept = 0;
    for point in points.by_ref() {
        assert!(point.x.is_finite() && point.y.is_finite() && point.z.is_finite());
        assert!((0.0..=1.0).contains(&point.intensity));
        kept += 1;
    }
    assert_eq!(kept + points.skipped(), view.len());
    for name in NAMES {
        if let Some(field) = view.field(name) {
            for i in [0, view.len() / 2, view.len().saturating_sub(1), view.len(), usize::MAX] {
                let value = field.f64(i);
                assert!(i < view.len() || value.is_nan());
            }
        }
    }
    for preset in LidarPreset::ALL {
        for stamp_at in [StampAt::Start, StampAt::End] {
            let Ok(layout) = preset.layout(&view, Stamp(1_700_000_000_000_000_000), stamp_at) else {
                continue;
            };
            assert!(layout.points(&view).count() <= view.len());
            if let Some(times) = layout.times() {
                assert!(times.first_s() <= times.last_s());
                let _ = times.offset_s(0);
                assert!(times.offset_s(view.len()).is_nan());
            }
        }
    }
    let mut returns = Vec::new();
    let mut signs = DopplerSigns::default();
    for preset in RadarPreset::ALL {
        if decode_radar(&view, preset, -1.0, &mut returns).is_ok() {
            signs.add(&returns, [3.0, 0.5, 0.0]);
            assert!(returns.len() <= view.len());
            assert!(returns.iter().all(|found| found.position.iter().all(|v| v.is_finite())));
        }
    }
}

fuzz_target!(|input: Input<'_>| {
    match input {
        Input::Fields(cloud) => look_at(&cloud.message()),
        Input::Serialized(bytes) => {
            if let Ok(cloud) = from_cdr::<PointCloud2>(bytes) {
                look_at(&cloud);
            }
            if let Ok(scan) = from_cdr::<RadarScan>(bytes) {
                let mut returns = Vec::new();
                decode_radar_scan(&scan, 1.0, &mut returns);
                assert!(returns.iter().all(|found| found.position.iter().all(|v| v.is_finite())));
            }
        }
    }
});
