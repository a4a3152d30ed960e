//! Point cloud views over real driver layouts, and over any layout there could be.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

use std::collections::BTreeMap;

use isobath::{
    message::{PointCloud2, PointField, RadarReturn, RadarScan, from_cdr},
    sensor::{PointCloudView, RadarPreset, SensorError, decode_radar, decode_radar_scan, lidar_points},
};
use proptest::prelude::*;

const VLP16: &[u8] = include_bytes!("data/vlp16.cdr");
const QT64: &[u8] = include_bytes!("data/qt64.cdr");
const ARS548: &[u8] = include_bytes!("data/ars548.cdr");

fn numpy_values(name: &str) -> BTreeMap<String, Vec<f64>> {
    let mut clouds: BTreeMap<String, BTreeMap<String, Vec<f64>>> =
        serde_json::from_str(include_str!("data/clouds.json")).unwrap();
    let mut values = clouds.remove(name).unwrap();
    // Every fraction in these clouds is single precision; the JSON parser may miss its last bit.
    for value in values.values_mut().flatten().filter(|value| value.fract() != 0.0) {
        *value = f64::from(*value as f32);
    }
    values
}

#[test]
fn real_clouds_read_as_numpy_reads_them() {
    for (name, bytes) in [("vlp16", VLP16), ("qt64", QT64), ("ars548", ARS548)] {
        let view = PointCloudView::new(&from_cdr(bytes).unwrap()).unwrap();
        let expected = numpy_values(name);
        assert_eq!(view.len(), 40);
        for (field, values) in &expected {
            let reader = view.field(field).unwrap();
            for (i, value) in values.iter().enumerate() {
                assert_eq!(reader.f64(i), *value, "{name}.{field}[{i}]");
            }
        }
        for (i, [x, y, z]) in view.points().enumerate() {
            assert_eq!([f64::from(x), f64::from(y), f64::from(z)], ["x", "y", "z"].map(|n| expected[n][i]));
        }
        assert!(view.xyz(40)[0].is_nan() && view.field("x").unwrap().f64(40).is_nan());
    }
}

#[test]
fn lidar_intensity_is_zero_to_one() {
    let view = PointCloudView::new(&from_cdr(VLP16).unwrap()).unwrap();
    let raw = &numpy_values("vlp16")["intensity"];
    let points: Vec<_> = lidar_points(&view).collect();
    assert_eq!(points.len(), 40);
    for (point, raw) in points.iter().zip(raw) {
        assert!((f64::from(point.intensity) - raw / 255.0).abs() < 1e-6);
    }
    let view = PointCloudView::new(&from_cdr(QT64).unwrap()).unwrap();
    assert!(lidar_points(&view).all(|point| point.intensity == 0.0));
}

#[test]
fn lidar_points_that_are_no_returns_are_skipped_and_counted() {
    let points = [[1.0, 2.0, 3.0, 300.0], [f32::NAN, 0.0, 0.0, 1.0], [0.0; 4], [1.0, 0.0, 0.0, f32::NAN]];
    let data: Vec<u8> = points.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
    let view = PointCloudView::new(&floats(&["x", "y", "z", "intensity"], &data)).unwrap();
    let mut points = lidar_points(&view);
    let found: Vec<_> = points.by_ref().map(|point| (point.x, point.intensity)).collect();
    assert_eq!((found, points.skipped()), (vec![(1.0, 1.0), (1.0, 0.0)], 2));
}

#[test]
fn the_ars548_is_recognised() {
    let view = PointCloudView::new(&from_cdr(ARS548).unwrap()).unwrap();
    let expected = numpy_values("ars548");
    let mut returns = Vec::new();
    assert_eq!(decode_radar(&view, RadarPreset::Auto, -1.0, &mut returns).unwrap(), RadarPreset::Ars548);
    assert_eq!(returns.len(), 40);
    for (i, item) in returns.iter().enumerate() {
        assert_eq!(f64::from(item.range_rate_mps), -expected["range_rate"][i]);
        assert_eq!(f64::from(item.rcs_dbsm), expected["rcs"][i]);
        assert_eq!(f64::from(item.range_std_m), expected["range_std"][i]);
        assert_eq!(f64::from(item.azimuth_std_rad), expected["azimuth_std"][i]);
        assert!(item.snr_db.is_nan());
    }
}

/// An unordered cloud of little-endian floats.
fn floats<'a>(names: &[&'a str], data: &'a [u8]) -> PointCloud2<'a> {
    let step = 4 * names.len() as u32;
    let field = |(i, name): (usize, &&'a str)| PointField {
        name,
        offset: 4 * i as u32,
        datatype: PointField::FLOAT32,
        count: 1,
    };
    PointCloud2 {
        height: 1,
        width: data.len() as u32 / step,
        fields: names.iter().enumerate().map(field).collect(),
        point_step: step,
        data,
        ..PointCloud2::default()
    }
}

/// Field names, the preset they mean, and range rate, SNR and RCS of the first return.
type Case = (&'static [&'static str], RadarPreset, [Option<f32>; 3]);

#[test]
fn radar_layouts_are_recognised_by_their_fields() {
    let data: Vec<u8> = (1..=7u8).flat_map(|value| f32::from(value).to_le_bytes()).collect();
    let cases: [Case; 6] = [
        (&["x", "y", "z", "intensity", "velocity"], RadarPreset::TiMmwave, [Some(5.0), Some(4.0), None]),
        (
            &["x", "y", "z", "radial_speed", "rcs", "snr"],
            RadarPreset::Smartmicro,
            [Some(4.0), Some(6.0), Some(5.0)],
        ),
        (&["x", "y", "z", "snr_db", "v_doppler_mps"], RadarPreset::Reve, [Some(5.0), Some(4.0), None]),
        (&["x", "y", "z", "range_rate", "rcs"], RadarPreset::Ars548, [Some(4.0), None, Some(5.0)]),
        (&["x", "y", "z"], RadarPreset::Generic, [None; 3]),
        (&["x", "y", "z", "doppler"], RadarPreset::Generic, [Some(4.0), None, None]),
    ];
    let mut returns = Vec::new();
    for (names, preset, expected) in cases {
        let view = PointCloudView::new(&floats(names, &data)).unwrap();
        assert_eq!(decode_radar(&view, RadarPreset::Auto, 1.0, &mut returns).unwrap(), preset, "{names:?}");
        let found = [returns[0].range_rate_mps, returns[0].snr_db, returns[0].rcs_dbsm];
        assert_eq!(found.map(|value| (!value.is_nan()).then_some(value)), expected, "{names:?}");
    }
    let view = PointCloudView::new(&floats(&["x", "y", "z"], &data)).unwrap();
    let error = decode_radar(&view, RadarPreset::Ars548, 1.0, &mut returns).unwrap_err().to_string();
    assert!(error.contains("range_rate") && error.contains("x y z"), "{error}");
    assert!(returns.is_empty());
}

#[test]
fn sixteen_bit_snr_counts_tenths_of_a_decibel() {
    let mut data: Vec<u8> = [1.0f32, 2.0, 3.0, -0.5].iter().flat_map(|value| value.to_le_bytes()).collect();
    data.extend_from_slice(&[185, 0, 20, 0]);
    let mut cloud = floats(&["x", "y", "z", "doppler"], &data);
    (cloud.point_step, cloud.width) = (20, 1);
    for (name, offset) in [("snr", 16), ("noise", 18)] {
        cloud.fields.push(PointField { name, offset, datatype: PointField::INT16, count: 1 });
    }
    let mut returns = Vec::new();
    let view = PointCloudView::new(&cloud).unwrap();
    assert_eq!(decode_radar(&view, RadarPreset::Auto, 1.0, &mut returns).unwrap(), RadarPreset::TiMmwave);
    assert!((returns[0].snr_db - 18.5).abs() < 1e-5 && returns[0].range_rate_mps == -0.5);
}

#[test]
fn radar_scans_become_cartesian() {
    let quarter = std::f32::consts::FRAC_PI_2;
    let item = RadarReturn { range: 2.0, azimuth: quarter, doppler_velocity: 3.0, ..RadarReturn::default() };
    let up = RadarReturn { range: 2.0, elevation: quarter, ..item };
    let mut returns = Vec::new();
    let scan = RadarScan {
        returns: vec![item, up, RadarReturn { range: f32::NAN, ..item }],
        ..RadarScan::default()
    };
    decode_radar_scan(&scan, -1.0, &mut returns);
    assert_eq!(returns.len(), 2);
    assert!((returns[0].position[1] - 2.0).abs() < 1e-6 && returns[0].range_rate_mps == -3.0);
    assert!((returns[1].position[2] - 2.0).abs() < 1e-6);
}

#[test]
fn presets_are_named() {
    for preset in RadarPreset::ALL {
        assert_eq!(preset.as_str().parse(), Ok(preset));
    }
    assert!(matches!("radar".parse::<RadarPreset>(), Err(SensorError::UnknownPreset { .. })));
}

#[test]
fn an_empty_cloud_needs_no_fields() {
    let view = PointCloudView::new(&PointCloud2::default()).unwrap();
    let mut returns = Vec::new();
    assert!(view.is_empty() && lidar_points(&view).next().is_none());
    assert!(decode_radar(&view, RadarPreset::Ars548, 1.0, &mut returns).is_ok());
}

const NAMES: [&str; 3] = ["x", "y", "z"];

/// `value`, which every datatype can hold, in the bytes of `datatype`.
fn bytes_of(value: i8, datatype: u8, big_endian: bool) -> Vec<u8> {
    let mut bytes = match datatype {
        PointField::INT8 | PointField::UINT8 => vec![value as u8],
        PointField::INT16 | PointField::UINT16 => i16::from(value).to_le_bytes().to_vec(),
        PointField::INT32 | PointField::UINT32 => i32::from(value).to_le_bytes().to_vec(),
        PointField::FLOAT32 => f32::from(value).to_le_bytes().to_vec(),
        _ => f64::from(value).to_le_bytes().to_vec(),
    };
    if big_endian {
        bytes.reverse();
    }
    bytes
}

proptest! {
    #[test]
    fn any_layout_reads_back(
        datatypes in prop::array::uniform3(1u8..=8),
        gaps in prop::array::uniform4(0usize..4),
        order in Just(vec![0usize, 1, 2]).prop_shuffle(),
        big_endian in any::<bool>(),
        (height, width, padding) in (1usize..4, 1usize..5, 0usize..6),
        values in prop::collection::vec(prop::array::uniform3(0i8..=127), 12),
    ) {
        let mut offsets = [0; 3];
        let mut step = 0;
        for (slot, &which) in order.iter().enumerate() {
            step += gaps[slot];
            offsets[which] = step;
            step += bytes_of(0, datatypes[which], false).len();
        }
        step += gaps[3];
        let row_step = step * width + padding;
        let mut data = vec![0xaa; row_step * height];
        for (i, point) in values.iter().take(width * height).enumerate() {
            let start = i / width * row_step + i % width * step;
            for which in 0..3 {
                let bytes = bytes_of(point[which], datatypes[which], big_endian);
                data[start + offsets[which]..][..bytes.len()].copy_from_slice(&bytes);
            }
        }
        let field = |which: usize| PointField {
            name: NAMES[which], offset: offsets[which] as u32, datatype: datatypes[which], count: 1,
        };
        let mut cloud = PointCloud2 {
            height: height as u32, width: width as u32, fields: order.iter().map(|&which| field(which)).collect(),
            is_bigendian: big_endian, point_step: step as u32, row_step: row_step as u32, data: &data,
            ..PointCloud2::default()
        };
        let view = PointCloudView::new(&cloud).unwrap();
        prop_assert_eq!(view.len(), width * height);
        for (i, found) in view.points().enumerate() {
            prop_assert_eq!(found, values[i].map(f32::from));
        }
        cloud.data = &data[..row_step * (height - 1) + step * width - 1];
        let is_short = matches!(PointCloudView::new(&cloud), Err(SensorError::DataLength { .. }));
        prop_assert!(is_short);
    }

    #[test]
    fn any_header_ends_in_a_result(
        sizes in prop::array::uniform4(prop_oneof![0u32..40, any::<u32>()]),
        fields in prop::collection::vec((0usize..3, prop_oneof![0u32..40, any::<u32>()], 0u8..10, any::<u32>()), 0..5),
        data in prop::collection::vec(any::<u8>(), 0..200),
        is_bigendian in any::<bool>(),
    ) {
        let [height, width, point_step, row_step] = sizes;
        let fields = fields.into_iter()
            .map(|(which, offset, datatype, count)| PointField { name: NAMES[which], offset, datatype, count })
            .collect();
        let cloud = PointCloud2 {
            height, width, fields, is_bigendian, point_step, row_step, data: &data, ..PointCloud2::default()
        };
        if let Ok(view) = PointCloudView::new(&cloud) {
            let _ = lidar_points(&view).count();
            let _ = decode_radar(&view, RadarPreset::Auto, 1.0, &mut Vec::new());
        }
    }
}
