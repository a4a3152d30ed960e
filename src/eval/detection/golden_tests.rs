//! Against other implementations; the scripts are in `tests/golden/`.

use std::fs::File;
use std::path::Path;

use nalgebra::{Point3, Vector3};
use ndarray::{Array1, Array2, Array3, Array4};
use ndarray_npy::NpzReader;

use super::kitti_levels::KittiLevels;
use super::*;
use crate::geometry::{Box3d, CameraModel, image_box, pose_from_parts};
use crate::import::Difficulty;

fn golden(name: &str) -> NpzReader<File> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    NpzReader::new(File::open(path).unwrap()).unwrap()
}

/// Centimetres or thousandths.
fn scaled(value: i16, scale: f64) -> f64 {
    f64::from(value) / scale
}

/// Truth and detections by frame.
#[derive(Default, Clone)]
struct Frame {
    truth: Vec<EvalBox>,
    detections: Vec<EvalBox>,
}

impl Frame {
    fn add(&mut self, found: EvalBox, score: i16) {
        if score < 0 { self.truth.push(found) } else { self.detections.push(found) }
    }
}

fn evaluate(classes: &EvalClasses, frames: &[Frame]) -> DetectionReport {
    let mut eval = DetectionEval::default();
    for frame in frames {
        eval.add(classes, &frame.truth, &frame.detections);
    }
    eval.report(classes)
}

#[track_caller]
fn assert_close(found: f64, expected: f64, what: &str) {
    let equal = (found - expected).abs() < 1e-6 || found.is_nan() && expected.is_nan();
    assert!(equal, "{what}: expected {expected}, found {found}");
}

#[test]
fn nuscenes_metrics_are_those_of_its_devkit() {
    let mut file = golden("nuscenes_metrics.npz");
    let names: Array2<u8> = file.by_name("classes").unwrap();
    let names: Vec<String> = names
        .rows()
        .into_iter()
        .map(|row| String::from_utf8(row.to_vec()).unwrap().trim().to_owned())
        .collect();
    let classes = EvalClasses::new(names.iter().map(String::as_str));
    let frames: Array1<i16> = file.by_name("frames").unwrap();
    let rows: Array1<i16> = file.by_name("rows").unwrap();
    let boxes: Array2<i16> = file.by_name("boxes").unwrap();
    let ap: Array3<f64> = file.by_name("ap").unwrap();
    let errors: Array3<f64> = file.by_name("errors").unwrap();
    let scores: Array2<f64> = file.by_name("scores").unwrap();
    assert!(rows.len() >= 200);
    let mut first = 0;
    for case in 0..rows.len() {
        let mut in_frames = vec![Frame::default(); frames[case] as usize];
        for row in first..first + rows[case] as usize {
            let column: Vec<i16> = boxes.column(row).to_vec();
            let [frame, class, x, y, length, width, height, yaw, vx, vy, score] = column[..] else {
                panic!()
            };
            let velocity = |v: i16| if v == i16::MIN { f64::NAN } else { scaled(v, 100.0) };
            let found = EvalBox {
                class: class as u16,
                box3d: Box3d {
                    center: Point3::new(scaled(x, 100.0), scaled(y, 100.0), 0.0),
                    size: Vector3::new(scaled(length, 100.0), scaled(width, 100.0), scaled(height, 100.0)),
                    yaw: scaled(yaw, 1000.0),
                },
                score: scaled(score, 1000.0),
                velocity_mps: [velocity(vx), velocity(vy)],
                range_m: 0.0,
            };
            in_frames[frame as usize].add(found, score);
        }
        first += rows[case] as usize;
        let report = evaluate(&classes, &in_frames).nuscenes;
        for (number, class) in classes.iter().enumerate() {
            let of = &report.per_class[&class.name];
            let what = |name: &str| format!("case {case}, {}, {name}", class.name);
            for (distance, found) in of.ap_by_distance.iter().enumerate() {
                assert_close(*found, ap[[case, number, distance]], &what("AP"));
            }
            for (error, (name, found)) in [
                ("ATE", of.ate),
                ("ASE", of.ase),
                ("AOE", of.aoe),
                ("AVE", of.ave.unwrap_or(if class.has_velocity { 1.0 } else { f64::NAN })),
            ]
            .into_iter()
            .enumerate()
            {
                assert_close(found, errors[[case, number, error]], &what(name));
            }
        }
        assert_close(report.map_devkit, scores[[case, 0]], &format!("case {case}, mAP"));
        assert_close(report.nds_devkit, scores[[case, 1]], &format!("case {case}, NDS"));
    }
}

#[test]
fn overlap_metrics_are_those_of_numpy() {
    let mut file = golden("overlap_metrics.npz");
    let rows: Array1<i16> = file.by_name("rows").unwrap();
    let boxes: Array2<i16> = file.by_name("boxes").unwrap();
    let expected: Array3<f64> = file.by_name("ap").unwrap();
    let classes = EvalClasses::new(["car", "pedestrian"]);
    let mut first = 0;
    for case in 0..rows.len() {
        let mut frames: Vec<Frame> = Vec::new();
        for row in first..first + rows[case] as usize {
            let column: Vec<i16> = boxes.column(row).to_vec();
            let [frame, class, x, y, z, length, width, height, yaw, score] = column[..] else { panic!() };
            let metres = |values: [i16; 3]| values.map(|value| scaled(value, 100.0));
            let found = EvalBox {
                class: class as u16,
                box3d: Box3d {
                    center: Point3::from(metres([x, y, z])),
                    size: Vector3::from(metres([length, width, height])),
                    yaw: scaled(yaw, 1000.0),
                },
                score: scaled(score, 1000.0),
                velocity_mps: [f64::NAN; 2],
                range_m: 0.0,
            };
            frames.resize(frames.len().max(frame as usize + 1), Frame::default());
            frames[frame as usize].add(found, score);
        }
        first += rows[case] as usize;
        let report = evaluate(&classes, &frames);
        for (number, name) in ["car", "pedestrian"].into_iter().enumerate() {
            let (kitti, waymo) = (report.kitti_r40.get(name), report.waymo.get(name));
            let found = [
                ("KITTI BEV", kitti.map(|found| found.bev)),
                ("KITTI 3D", kitti.map(|found| found.volume)),
                ("KITTI BEV, devkit", kitti.map(|found| found.bev_devkit)),
                ("KITTI 3D, devkit", kitti.map(|found| found.volume_devkit)),
                ("Waymo AP", waymo.map(|found| found.ap)),
                ("Waymo APH", waymo.map(|found| found.aph)),
            ];
            for (metric, (what, found)) in found.into_iter().enumerate() {
                let what = format!("case {case}, {name}, {what}");
                assert_close(found.unwrap_or(-1.0), expected[[case, number, metric]], &what);
            }
        }
    }
}

#[test]
fn kitti_by_difficulty_is_that_of_numpy() {
    let mut file = golden("kitti_levels.npz");
    let rows: Array1<i16> = file.by_name("rows").unwrap();
    let boxes: Array2<i16> = file.by_name("boxes").unwrap();
    let images: Array2<f32> = file.by_name("image").unwrap();
    let camera: Array1<f64> = file.by_name("camera").unwrap();
    let position: Array1<f64> = file.by_name("camera_position").unwrap();
    let expected: Array4<f64> = file.by_name("ap").unwrap();
    let [width, height, fx, fy, cx, cy] = camera.to_vec()[..] else { panic!() };
    let camera = CameraModel::pinhole(width as u32, height as u32, fx, fy, cx, cy).unwrap();
    let t_truth_camera =
        pose_from_parts([position[0], position[1], position[2]], [0.5, -0.5, 0.5, -0.5]).unwrap();
    let kinds = ["Car", "Van", "Pedestrian", "Person_sitting", "Cyclist", "Truck"];
    let classes = [Some(KittiClass::Car), Some(KittiClass::Pedestrian), Some(KittiClass::Cyclist), None];
    let mut first = 0;
    for case in 0..rows.len() {
        let mut frames: Vec<KittiFrame> = Vec::new();
        for row in first..first + rows[case] as usize {
            let column: Vec<i16> = boxes.column(row).to_vec();
            let [frame, kind, x, y, z, length, width, height, yaw, score, height_px, occluded, truncated] =
                column[..]
            else {
                panic!()
            };
            let metres = |values: [i16; 3]| values.map(|value| scaled(value, 100.0));
            let box3d = Box3d {
                center: Point3::from(metres([x, y, z])),
                size: Vector3::from(metres([length, width, height])),
                yaw: scaled(yaw, 1000.0),
            };
            let seen = image_box(&camera, &box3d, &t_truth_camera.inverse());
            for (found, expected) in seen.unwrap_or([-1.0; 4]).iter().zip(images.row(row)) {
                assert!((found - f64::from(*expected)).abs() < 1e-3, "row {row}: {seen:?}");
            }
            frames.resize(frames.len().max(frame as usize + 1), KittiFrame::default());
            let frame = &mut frames[frame as usize];
            if score < 0 {
                let Some((class, is_own)) = KittiClass::of_kind(kinds[kind as usize]) else { continue };
                let labelled = (scaled(height_px, 10.0), f64::from(occluded), scaled(truncated, 100.0));
                let level = Difficulty::of(labelled.0, labelled.1, labelled.2).filter(|_| is_own);
                frame.truth.push(KittiTruth { class, box3d, level });
            } else if let Some([_, top, _, bottom]) = seen {
                frame.detections.push(KittiDetection {
                    class: classes[kind as usize],
                    box3d,
                    score: scaled(score, 1000.0),
                    height_px: bottom - top,
                });
            }
        }
        first += rows[case] as usize;
        let mut levels = KittiLevels::default();
        for frame in &frames {
            levels.add(frame);
        }
        for (number, name) in ["car", "pedestrian", "bicycle"].into_iter().enumerate() {
            let found = levels.reports(name);
            for (level, found) in [found.easy, found.moderate, found.hard].into_iter().enumerate() {
                let values = found.map_or([-1.0; 2], |found| [found.bev, found.volume]);
                for (which, value) in values.into_iter().enumerate() {
                    let what = format!("case {case}, {name}, level {level}, {which}");
                    assert_close(value, expected[[case, number, level, which]], &what);
                }
            }
        }
    }
}

/// A car at `x`, metres, as far from the LiDAR as it is from the origin.
fn car(x: f64, score: f64) -> EvalBox {
    EvalBox {
        class: 0,
        box3d: Box3d { center: Point3::new(x, 0.0, 0.0), size: Vector3::new(4.0, 2.0, 1.5), yaw: 0.0 },
        score,
        velocity_mps: [f64::NAN; 2],
        range_m: x,
    }
}

#[test]
fn sweeps_without_detections_are_zero_and_no_sweeps_unknown() {
    let classes = EvalClasses::default();
    let none = serde_json::to_value(DetectionEval::default().report(&classes)).unwrap();
    assert!(none["nuscenes"]["map"].is_null() && none["nuscenes"]["nds3"].is_null());
    assert_eq!(none["kitti_r40"], serde_json::json!({}));
    let empty = evaluate(&classes, &[Frame { truth: vec![car(5.0, 1.0)], detections: vec![] }]);
    assert_eq!((empty.nuscenes.map, empty.nuscenes.nds3, empty.kitti_r40["car"].volume), (0.0, 0.0, 0.0));
    assert_eq!(empty.nuscenes.per_class["car"].ate, 1.0);
}

#[test]
fn a_detection_counts_in_the_range_of_what_it_found() {
    let classes = EvalClasses::default();
    let frame = Frame {
        truth: vec![car(9.9, 1.0), car(25.0, 1.0)],
        detections: vec![car(10.1, 0.9), car(45.0, 0.8), car(25.0, 0.1)],
    };
    let by_range = evaluate(&classes, &[frame]).nuscenes.by_range;
    let rows: Vec<(f64, f64, u64)> =
        by_range.iter().map(|row| (row.min_m, (1e9 * row.map).round() * 1e-9, row.truth)).collect();
    assert_eq!(rows, [(0.0, 1.0, 1), (20.0, 1.0, 1)]);
}

#[test]
fn figures_of_a_sweep_count_what_is_sure() {
    let classes = EvalClasses::default();
    let mut eval = DetectionEval::default();
    let truth = [car(5.0, 1.0), car(15.0, 1.0)];
    let figures =
        eval.add(&classes, &truth, &[car(5.5, 0.9), car(15.0, 0.2), car(30.0, 0.4), car(1.0, f64::NAN)]);
    let expected = DetectionFigures { truth: 2, detections: 3, found: 1, missed: 1, wrong: 1 };
    assert_eq!(figures, expected);
    assert_eq!(figures.f1(), 0.5);
    assert_eq!(DetectionFigures::default().f1(), 1.0);
}
