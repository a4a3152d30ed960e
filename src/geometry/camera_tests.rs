//! Calibrations accepted and refused, projection against OpenCV, and the way back.

use nalgebra::Point3;
use proptest::prelude::*;
use serde::Deserialize;

use super::{CameraError, CameraModel, CameraParameters, Roi};
use crate::geometry::{Distortion, RayTable};
use crate::message::CameraInfo;

const K: [f64; 9] = [500.0, 0.0, 319.5, 0.0, 510.0, 239.5, 0.0, 0.0, 1.0];

fn parameters<'a>(distortion_model: &'a str, d: &'a [f64]) -> CameraParameters<'a> {
    CameraParameters {
        width: 640,
        height: 480,
        k: K,
        distortion_model,
        d,
        roi: Roi::default(),
        binning: (0, 0),
    }
}

#[derive(Deserialize)]
struct Golden {
    opencv: String,
    cases: Vec<GoldenCase>,
}

#[derive(Deserialize)]
struct GoldenCase {
    model: String,
    k: [f64; 9],
    d: Vec<f64>,
    points: Vec<[f64; 3]>,
    pixels: Vec<[f64; 2]>,
    ray_pixels: Vec<[f64; 2]>,
    rays: Vec<[f64; 2]>,
}

#[test]
fn projection_agrees_with_opencv() {
    let golden: Golden =
        serde_json::from_str(include_str!("../../tests/golden/camera_projection.json")).unwrap();
    assert!(!golden.opencv.is_empty());
    assert_eq!(golden.cases.len(), 4);
    for case in &golden.cases {
        let camera =
            CameraModel::new(&CameraParameters { k: case.k, ..parameters(&case.model, &case.d) }).unwrap();
        assert_eq!(case.points.len(), case.pixels.len());
        for (&point, &[u, v]) in case.points.iter().zip(&case.pixels) {
            let (found_u, found_v) = camera.project(&Point3::from(point)).unwrap();
            assert!((found_u - u).hypot(found_v - v) < 1e-6, "{} {point:?}", case.model);
            let ray = camera.unproject(u, v).unwrap();
            assert!((ray.x - point[0] / point[2]).hypot(ray.y - point[1] / point[2]) < 1e-7);
        }
        assert_eq!((case.ray_pixels.len(), case.rays.len()), (7, 7));
        for (&[u, v], &[x, y]) in case.ray_pixels.iter().zip(&case.rays) {
            let ray = camera.unproject(u, v).unwrap();
            assert!((ray.x - x).hypot(ray.y - y) < 1e-7, "{} {u} {v}: {ray:?}", case.model);
        }
    }
}

#[test]
fn uncalibrated_and_impossible_cameras_are_refused() {
    for (index, value) in
        [(0, 0.0), (4, -1.0), (0, f64::NAN), (4, f64::INFINITY), (2, f64::NAN), (1, f64::NAN)]
    {
        let mut bad = parameters("", &[]);
        bad.k[index] = value;
        assert!(matches!(CameraModel::new(&bad), Err(CameraError::NotCalibrated { .. })));
    }
    assert!(matches!(
        CameraModel::from_camera_info(&CameraInfo::default()),
        Err(CameraError::NotCalibrated { .. })
    ));
    for (width, height) in [(0, 0), (640, 0), (0, 480)] {
        let info = CameraInfo { width, height, k: K, ..CameraInfo::default() };
        let error = CameraModel::from_camera_info(&info).unwrap_err();
        assert_eq!(error, CameraError::NoSize { width, height });
        assert!(error.to_string().contains(&format!("found {width}×{height}")));
    }
    let roi = Roi { x_offset: 600, y_offset: 0, width: 41, height: 1 };
    let outside = CameraModel::new(&CameraParameters { roi, ..parameters("", &[]) });
    assert!(matches!(outside, Err(CameraError::RoiOutside { .. })));
    let binning = (641, 1);
    assert!(matches!(
        CameraModel::new(&CameraParameters { binning, ..parameters("", &[]) }),
        Err(CameraError::NoPixels { .. })
    ));
}

#[test]
fn distortion_models_are_recognised_or_refused() {
    let read = |model, d: &[f64]| CameraModel::new(&parameters(model, d)).map(|camera| camera.distortion);
    assert_eq!(read("", &[]), Ok(Distortion::None));
    assert_eq!(read("plumb_bob", &[0.0; 5]), Ok(Distortion::None));
    assert_eq!(read("equidistant", &[0.0; 4]), Ok(Distortion::Equidistant([0.0; 4])));
    assert_eq!(read("plumb_bob", &[0.1; 4]), Ok(Distortion::PlumbBob([0.1, 0.1, 0.1, 0.1, 0.0])));
    let mut fourteen = [0.0; 14];
    fourteen[0] = 0.1;
    assert!(matches!(read("rational_polynomial", &fourteen), Ok(Distortion::RationalPolynomial(_))));
    fourteen[9] = 0.1;
    for (model, d) in [
        ("rational_polynomial", &fourteen[..]),
        ("plumb_bob", &[0.1; 3]),
        ("plumb_bob", &[f64::NAN; 5]),
        ("equidistant", &[]),
    ] {
        assert!(matches!(read(model, d), Err(CameraError::BadCoefficients { .. })), "{model}");
    }
    for (model, d) in [("", &[0.1; 5][..]), ("thin_prism", &[])] {
        assert!(matches!(read(model, d), Err(CameraError::UnknownDistortion { .. })), "{model}");
    }
}

#[test]
fn roi_and_binning_keep_the_pixel_convention() {
    let full = CameraModel::new(&parameters("", &[])).unwrap();
    let roi = Roi { x_offset: 100, y_offset: 40, width: 400, height: 0 };
    let part = CameraModel::new(&CameraParameters { roi, binning: (2, 4), ..parameters("", &[]) }).unwrap();
    assert_eq!((part.width, part.height), (200, 110));
    let point = Point3::new(0.3, -0.2, 2.0);
    let (u, v) = full.project(&point).unwrap();
    let (part_u, part_v) = part.project(&point).unwrap();
    assert!((part_u - ((u - 99.5) * 0.5 - 0.5)).abs() < 1e-9);
    assert!((part_v - ((v - 40.0 + 0.5) / 4.0 - 0.5)).abs() < 1e-9);
    let half = full.scaled(320, 240);
    let (half_u, half_v) = half.project(&point).unwrap();
    assert!((half_u - ((u + 0.5) * 0.5 - 0.5)).hypot(half_v - ((v + 0.5) * 0.5 - 0.5)) < 1e-9);
    assert_eq!(half.scaled(640, 480), full);
}

#[test]
fn points_behind_or_beyond_the_fold_have_no_pixel() {
    let camera = CameraModel::new(&parameters("plumb_bob", &[-0.3, 0.0, 0.0, 0.0, 0.0])).unwrap();
    // r(1 − 0.3 r²) folds back at r = √(1/0.9).
    let fold = (1.0_f64 / 0.9).sqrt();
    assert!(camera.project(&Point3::new(fold - 1e-4, 0.0, 1.0)).is_some());
    assert!(camera.project(&Point3::new(fold + 1e-6, 0.0, 1.0)).is_none());
    assert!(camera.unproject(319.5 + 500.0 * (fold * 2.0 / 3.0 + 1e-3), 239.5).is_none());
    for z in [0.0, -1.0, f64::NAN] {
        assert!(camera.project(&Point3::new(0.0, 0.0, z)).is_none());
    }
    assert!(camera.project(&Point3::new(f64::NAN, 0.0, 1.0)).is_none());
    assert!(camera.unproject(f64::NAN, 0.0).is_none());
}

#[test]
fn a_lens_folded_by_its_tangential_terms_ends_before_the_fold() {
    // The radial terms alone never fold, but flatten out near 1.15; there p1 and p2 turn the map back.
    let d = [-0.299_93, -0.042_84, 0.001_41, -0.001_59, 0.035_58];
    let camera = CameraModel::new(&parameters("plumb_bob", &d)).unwrap();
    assert!((0.9..1.15).contains(&camera.valid_radius), "{}", camera.valid_radius);
    assert!(camera.project(&Point3::new(0.663, -0.941, 1.0)).is_none());
    // The radial terms of the same lens see everything.
    let radial = CameraModel::new(&parameters("plumb_bob", &[d[0], d[1], 0.0, 0.0, d[4]])).unwrap();
    assert!(radial.valid_radius > 10.0, "{}", radial.valid_radius);
}

#[test]
fn the_ray_table_holds_every_pixel_s_ray() {
    let camera =
        CameraModel::new(&parameters("plumb_bob", &[-0.2, 0.05, 0.001, -0.001, 0.0])).unwrap().scaled(32, 24);
    let table = RayTable::new(&camera);
    assert!(table.is_for(&camera, 1) && !table.is_for(&camera.scaled(33, 24), 1));
    assert_eq!((table.rays().len(), table.row(24).len()), (32 * 24, 0));
    let ray = camera.unproject(5.0, 7.0).unwrap();
    assert_eq!(table.row(7)[5], [ray.x as f32, ray.y as f32]);

    let sampled = RayTable::sampled(&camera, 5);
    assert!(sampled.is_for(&camera, 5) && !sampled.is_for(&camera, 1));
    assert_eq!((sampled.rays().len(), sampled.row(5).len()), (7 * 5, 0));
    assert_eq!(sampled.row(1)[6], table.row(5)[30]);
}

fn lenses() -> impl Strategy<Value = CameraModel> {
    let small = || -0.002..0.002_f64;
    prop_oneof![
        Just(CameraModel::new(&parameters("", &[])).unwrap()),
        (-0.4..0.3_f64, -0.1..0.2_f64, small(), small(), -0.05..0.05_f64).prop_map(|(k1, k2, p1, p2, k3)| {
            CameraModel::new(&parameters("plumb_bob", &[k1, k2, p1, p2, k3])).unwrap()
        }),
        (prop::array::uniform6(-0.3..0.3_f64), small(), small()).prop_map(
            |([k1, k2, k3, k4, k5, k6], p1, p2)| {
                let d = [k1, k2, p1, p2, k3, k4, k5, k6];
                CameraModel::new(&parameters("rational_polynomial", &d)).unwrap()
            }
        ),
        prop::array::uniform4(-0.05..0.05_f64)
            .prop_map(|d| CameraModel::new(&parameters("equidistant", &d)).unwrap()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn unprojection_inverts_projection(camera in lenses(), share in 0.0..0.9_f64, turn in 0.0..7.0_f64, z in 0.1..80.0_f64) {
        // Up to 60° from the axis, and clear of the fold, where the inverse has no derivative.
        let radius = share * camera.valid_radius.min(1.8);
        let (x, y) = (radius * turn.cos(), radius * turn.sin());
        let (u, v) = camera.project(&Point3::new(x * z, y * z, z)).unwrap();
        let ray = camera.unproject(u, v).unwrap();
        prop_assert!((ray.x - x).hypot(ray.y - y) < 1e-5, "{:?} {:?} {:?}", camera.distortion, (x, y), ray);
    }

    #[test]
    fn projection_inverts_unprojection(camera in lenses(), u in -0.5..639.5_f64, v in -0.5..479.5_f64) {
        if let Some(ray) = camera.unproject(u, v) {
            let (found_u, found_v) = camera.project(&Point3::from(ray)).unwrap();
            prop_assert!((found_u - u).hypot(found_v - v) < 1e-5);
        }
    }
}
