//! The layouts of LiDAR drivers against numpy, and what is refused.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

use isobath::message::{CdrBuffer, LendCloud, PointCloud2, PointField, Stamp};
use isobath::sensor::{LidarPreset, PointCloudView, SensorError, StampAt};
use serde::Deserialize;

/// One case of `tests/golden/lidar_layouts.py`.
#[derive(Deserialize)]
struct Case {
    name: String,
    preset: String,
    auto: String,
    stamp_at: String,
    cdr: String,
    tolerance_s: f64,
    expected: Expected,
}

#[derive(Deserialize)]
struct Expected {
    xyz: Vec<[f64; 3]>,
    intensity: Option<Vec<f64>>,
    line: Option<Vec<u32>>,
    offset_s: Option<Vec<f64>>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("golden/lidar_layouts.json")).unwrap()
}

fn message(case: &Case) -> CdrBuffer {
    let digits = case.cdr.as_bytes().chunks_exact(2);
    CdrBuffer(
        digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect(),
    )
}

fn check(case: &Case, preset: LidarPreset, resolved: &str) {
    let name = format!("{} as {preset}", case.name);
    let buffer = message(case);
    let cloud = buffer.cloud().unwrap();
    let view = PointCloudView::new(&cloud).unwrap();
    let layout = preset.layout(&view, cloud.header.stamp, case.stamp_at.parse().unwrap()).unwrap();
    assert_eq!(layout.preset().as_str(), resolved, "{name}");
    let expected = &case.expected;

    let mut points = layout.points(&view);
    let found: Vec<_> = points.by_ref().collect();
    assert_eq!((found.len(), points.skipped()), (expected.xyz.len(), 3), "{name}");
    for (i, point) in found.iter().enumerate() {
        let xyz = [point.x, point.y, point.z].map(f64::from);
        let error = (0..3).map(|axis| (xyz[axis] - expected.xyz[i][axis]).abs()).fold(0.0, f64::max);
        assert!(error < 1e-5, "{name}: point {i}");
        let intensity = expected.intensity.as_ref().map_or(0.0, |values| values[i]);
        assert!((f64::from(point.intensity) - intensity).abs() < 1e-6, "{name}: intensity {i}");
    }

    let valid: Vec<usize> = (0..view.len())
        .filter(|&i| view.xyz(i).iter().all(|v| v.is_finite()) && view.xyz(i) != [0.0; 3])
        .collect();
    let lines = layout.line().map(|line| valid.iter().map(|&i| line.f64(i) as u32).collect::<Vec<_>>());
    assert_eq!(lines, expected.line, "{name}");
    assert_eq!(layout.times().is_some(), expected.offset_s.is_some(), "{name}");
    if let (Some(times), Some(offsets)) = (layout.times(), &expected.offset_s) {
        for (&i, offset) in valid.iter().zip(offsets) {
            let found = times.offset_s(i);
            assert!((found - offset).abs() <= case.tolerance_s, "{name}: {found} for {offset}");
        }
        assert!((times.first_s() - offsets.first().unwrap()).abs() <= case.tolerance_s, "{name}");
        assert!((times.last_s() - offsets.last().unwrap()).abs() <= case.tolerance_s, "{name}");
    }
}

#[test]
fn layouts_of_drivers_mean_what_numpy_reads() {
    let cases = cases();
    for case in &cases {
        check(case, case.preset.parse().unwrap(), &case.preset);
        check(case, LidarPreset::Auto, &case.auto);
    }
    for preset in LidarPreset::ALL.into_iter().filter(|preset| *preset != LidarPreset::Auto) {
        assert!(cases.iter().any(|case| case.preset == preset.as_str()), "no case of {preset}");
        assert_eq!(preset.as_str().parse(), Ok(preset));
    }
    assert!("pandar".parse::<LidarPreset>().is_err());
}

#[test]
fn a_preset_that_does_not_fit_says_what_it_expected_and_what_there_is() {
    let cases = cases();
    let mut refused = 0;
    for case in &cases {
        let buffer = message(case);
        let cloud = buffer.cloud().unwrap();
        let view = PointCloudView::new(&cloud).unwrap();
        for preset in LidarPreset::ALL {
            let any = [LidarPreset::Auto, LidarPreset::Generic].contains(&preset);
            let same = preset.as_str() == case.preset;
            let twin = |name: &str| ["hesai", "robosense"].contains(&name);
            if any || same || (twin(preset.as_str()) && twin(&case.preset)) {
                continue;
            }
            let Err(error) = preset.layout(&view, cloud.header.stamp, StampAt::Start) else {
                panic!("{} was read as {preset}", case.name);
            };
            let text = error.to_string();
            assert!(text.contains(preset.as_str()), "{text}");
            assert!(text.contains("x f") || text.contains("sweep of at most 1 s"), "{text}");
            refused += 1;
        }
    }
    assert!(refused > 70, "{refused}");
}

/// A cloud of little-endian fields in a row.
fn cloud<'a>(fields: &[(&'a str, u8)], data: &'a [u8]) -> PointCloud2<'a> {
    let size = |datatype| match datatype {
        PointField::INT8 | PointField::UINT8 => 1,
        PointField::INT16 | PointField::UINT16 => 2,
        PointField::FLOAT64 => 8,
        _ => 4,
    };
    let mut step = 0;
    let fields = fields
        .iter()
        .map(|&(name, datatype)| {
            let offset = step;
            step += size(datatype);
            PointField { name, offset, datatype, count: 1 }
        })
        .collect();
    let width = data.len() as u32 / step;
    PointCloud2 {
        header: isobath::message::Header { stamp: Stamp(1_000_000_000_000), frame_id: "lidar" },
        height: 1,
        width,
        fields,
        point_step: step,
        row_step: step * width,
        data,
        ..PointCloud2::default()
    }
}

const F4: u8 = PointField::FLOAT32;
const VELODYNE: [(&str, u8); 6] =
    [("x", F4), ("y", F4), ("z", F4), ("intensity", F4), ("ring", F4), ("time", F4)];

/// Points at (1, 2, 3) with these times in the last of six floats.
fn timed(times: &[f32]) -> Vec<u8> {
    let points = times.iter().flat_map(|&time| [1.0, 2.0, 3.0, 4.0, 5.0, time]);
    points.flat_map(f32::to_le_bytes).collect()
}

#[test]
fn times_of_no_sweep_are_an_error_of_the_preset_and_unused_otherwise() {
    let data = timed(&[0.0, 70_000.0]);
    let cloud = cloud(&VELODYNE, &data);
    let view = PointCloudView::new(&cloud).unwrap();
    let layout = |preset: LidarPreset| preset.layout(&view, cloud.header.stamp, StampAt::Start);
    let error = layout(LidarPreset::Velodyne).unwrap_err().to_string();
    assert!(error.contains("'time'") && error.contains("70000"), "{error}");
    // 70 ms in microseconds is a sweep.
    assert!((layout(LidarPreset::Auto).unwrap().times().unwrap().last_s() - 0.07).abs() < 1e-6);

    let data = timed(&[0.0, 3.0e5, 5.0e10]);
    let cloud = self::cloud(&VELODYNE, &data);
    let view = PointCloudView::new(&cloud).unwrap();
    let layout = LidarPreset::Auto.layout(&view, cloud.header.stamp, StampAt::Start).unwrap();
    assert_eq!((layout.preset(), layout.times().is_none()), (LidarPreset::Generic, true));
    assert_eq!(layout.points(&view).count(), 3);
}

#[test]
fn times_that_are_no_numbers_do_not_count() {
    let data = timed(&[f32::NAN, 0.0, f32::INFINITY, 0.1, f32::NEG_INFINITY]);
    let cloud = cloud(&VELODYNE, &data);
    let view = PointCloudView::new(&cloud).unwrap();
    let times =
        LidarPreset::Velodyne.layout(&view, cloud.header.stamp, StampAt::Start).unwrap().times().unwrap();
    assert!(times.first_s() == 0.0 && (times.last_s() - 0.1).abs() < 1e-6);
    let data = timed(&[f32::NAN; 3]);
    let cloud = self::cloud(&VELODYNE, &data);
    let view = PointCloudView::new(&cloud).unwrap();
    assert!(
        LidarPreset::Velodyne.layout(&view, cloud.header.stamp, StampAt::Start).unwrap().times().is_none()
    );
}

#[test]
fn clouds_that_contradict_themselves_are_refused() {
    let data = timed(&[0.0, 0.1]);
    let good = cloud(&VELODYNE, &data);
    let refuse = |change: fn(&mut PointCloud2<'_>)| {
        let mut bad = good.clone();
        change(&mut bad);
        PointCloudView::new(&bad).err()
    };
    let field = |error: &Option<SensorError>| matches!(error, Some(SensorError::Field { .. }));
    assert_eq!(refuse(|_| {}), None);
    assert!(matches!(refuse(|c| c.width = u32::MAX), Some(SensorError::DataLength { .. })));
    assert!(matches!(
        refuse(|c| (c.width, c.height, c.row_step) = (u32::MAX, u32::MAX, u32::MAX)),
        Some(SensorError::CloudLayout { what: "row_step", .. } | SensorError::DataLength { .. })
    ));
    assert!(matches!(refuse(|c| c.point_step = 0), Some(SensorError::CloudLayout { .. })));
    assert!(matches!(
        refuse(|c| (c.height, c.width, c.row_step) = (2, 1, 23)),
        Some(SensorError::CloudLayout { what: "row_step", expected: 24, found: 23 })
    ));
    assert!(field(&refuse(|c| c.fields[5].offset = u32::MAX)));
    assert!(field(&refuse(|c| c.fields[5].count = u32::MAX)));
    assert!(field(&refuse(|c| c.fields[0].datatype = 0)));
    assert!(field(&refuse(|c| c.fields[0].datatype = 9)));
    assert!(matches!(refuse(|c| c.fields[1].name = "yy"), Some(SensorError::MissingField { .. })));
    // Drivers write a count of 0 for one element.
    assert_eq!(refuse(|c| c.fields[4].count = 0), None);
}

#[test]
fn an_empty_cloud_fits_every_preset() {
    let empty = PointCloud2::default();
    let view = PointCloudView::new(&empty).unwrap();
    for preset in LidarPreset::ALL {
        let layout = preset.layout(&view, Stamp(1), StampAt::End).unwrap();
        assert_eq!((layout.points(&view).count(), layout.times().is_none()), (0, true));
    }
}

#[test]
fn integer_and_double_coordinates_are_metres_too() {
    let mut data = Vec::new();
    for (x, y, z) in [(3i16, -4i16, 0.5f64), (-7, 8, -1.25)] {
        data.extend(x.to_le_bytes());
        data.extend(y.to_le_bytes());
        data.extend(z.to_le_bytes());
    }
    let fields = [("x", PointField::INT16), ("y", PointField::INT16), ("z", PointField::FLOAT64)];
    let cloud = cloud(&fields, &data);
    let view = PointCloudView::new(&cloud).unwrap();
    let layout = LidarPreset::Auto.layout(&view, cloud.header.stamp, StampAt::Start).unwrap();
    let points: Vec<_> = layout.points(&view).map(|p| [p.x, p.y, p.z]).collect();
    assert_eq!(points, [[3.0, -4.0, 0.5], [-7.0, 8.0, -1.25]]);
}
