//! Sweeps through a model of another project, with what the parameters leave out.

use std::{fs::File, path::PathBuf};

use ndarray::Array2;
use ndarray_npy::NpzReader;

use super::*;
use crate::geometry::SweepMotion;
use crate::message::{CdrBuffer, PointCloud2, PointField};
use crate::pipeline::detection::{DetectionPipeline, EarlierSweep};
use crate::pipeline::{Pacing, Pipeline};

fn tests_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// The sweep that `tests/golden/foreign_models.py` made for the model, and the number of its boxes.
fn sweep() -> (DetectionFrame, usize) {
    let (clouds, boxes) = clouds(1);
    (frame(clouds), boxes)
}

/// A frame of the first of `clouds` and, earlier, of the others, from the same place.
fn frame(mut clouds: Vec<CdrBuffer>) -> DetectionFrame {
    let newest = clouds.remove(0);
    let still = || SweepMotion::sample(0.0, 0.0, |_| Ok::<_, ()>(Pose::identity())).unwrap();
    let earlier = clouds.into_iter().map(|cloud| EarlierSweep {
        cloud: Arc::new(cloud),
        stamp: Stamp(1),
        motion: Box::new(still()),
        age_s: 0.1,
    });
    DetectionFrame {
        stamp: Stamp(1),
        frame_id: "lidar".into(),
        cloud: Arc::new(newest),
        t_output_cloud: None,
        motion: None,
        earlier: earlier.collect(),
    }
}

/// The points of that sweep as `parts` clouds in turn, and the number of its boxes.
fn clouds(parts: usize) -> (Vec<CdrBuffer>, usize) {
    let mut npz =
        NpzReader::new(File::open(tests_folder().join("golden/foreign_models.npz")).unwrap()).unwrap();
    let points: Array2<f32> = npz.by_name("pointpillars_points").unwrap();
    let boxes: Array2<f64> = npz.by_name("pointpillars_boxes").unwrap();
    let names = ["x", "y", "z", "intensity"];
    // Drivers publish intensities of 0 to 255.
    let scaled = points.rows().into_iter().map(|p| [p[0], p[1], p[2], p[3] * 255.0]);
    let scaled: Vec<[f32; 4]> = scaled.collect();
    let cloud = |first: usize| {
        let field =
            |(i, name): (u32, _)| PointField { name, offset: 4 * i, datatype: PointField::FLOAT32, count: 1 };
        let data: Vec<u8> = scaled
            .iter()
            .skip(first)
            .step_by(parts)
            .flatten()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let cloud = PointCloud2 {
            header: Header { stamp: Stamp(1), frame_id: "lidar" },
            height: 1,
            width: (data.len() / 16) as u32,
            fields: (0..).zip(names).map(field).collect(),
            point_step: 16,
            data: &data,
            ..PointCloud2::default()
        };
        let mut bytes = Vec::new();
        to_cdr(&cloud, &mut bytes);
        CdrBuffer(bytes)
    };
    ((0..parts).map(cloud).collect(), boxes.nrows())
}

fn parameters(settings: &[(&str, &str)]) -> ParameterSet {
    let mut parameters = ParameterSet::of::<DetectionPipeline>("detection");
    let model = tests_folder().join("data/models/pointpillars");
    parameters.set_text("model", model.to_str().unwrap()).unwrap();
    parameters.set_text("score_threshold", "0.4").unwrap();
    for (name, value) in settings {
        parameters.set_text(name, value).unwrap();
    }
    parameters
}

/// Detections of the sweep under `settings`, with the problems that were told.
fn detect(settings: &[(&str, &str)]) -> (Vec<Detection3d>, Vec<String>) {
    detect_in(&sweep().0, settings)
}

fn detect_in(frame: &DetectionFrame, settings: &[(&str, &str)]) -> (Vec<Detection3d>, Vec<String>) {
    let (parameters, accounting) = (parameters(settings), Arc::new(Mutex::new(Accounting::default())));
    let mut model = DetectionPipeline::load(&parameters).unwrap();
    let (_, mut processor) =
        DetectionPipeline::attach(&model, &parameters, Pacing::Lockstep, Arc::clone(&accounting)).unwrap();
    let mut messages = 0;
    processor.process(&mut model, frame, WantedTopics::ALL, &mut |_| messages += 1).unwrap();
    assert_eq!(messages, 2);
    let problems = accounting.lock().unwrap().problems().keys().cloned().collect();
    (processor.detections().to_vec(), problems)
}

#[test]
fn a_sweep_becomes_the_boxes_of_the_model() {
    let (detections, problems) = detect(&[]);
    assert_eq!((detections.len(), problems.len()), (sweep().1, 0));
}

#[test]
fn earlier_sweeps_are_seen_with_the_newest() {
    let (all, _) = detect(&[]);
    let (parts, _) = clouds(3);
    assert_eq!(detect_in(&frame(parts.clone()), &[]), (all.clone(), Vec::new()));
    assert_ne!(detect_in(&frame(parts[..1].to_vec()), &[]).0, all);
    let ego = [("ego_box", "-2, -2, -3, 2, 2, 2")];
    assert_eq!(detect_in(&frame(parts.clone()), &ego).0, detect(&ego).0, "of all sweeps");
    // A cloud that cannot be read was told when it came.
    let broken = [&parts[..1], &[CdrBuffer(vec![0, 1, 0, 0, 7])]].concat();
    assert_eq!(detect_in(&frame(broken), &[]), detect_in(&frame(parts[..1].to_vec()), &[]));
}

#[test]
fn points_of_the_ego_box_are_left_out() {
    let (all, _) = detect(&[]);
    let (fewer, problems) = detect(&[("ego_box", "-2, -2, -3, 2, 2, 2")]);
    assert_ne!(all, fewer);
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(detect(&[("ego_box", "-50 -50 -50 50 50 50")]).0, []);
    assert_eq!(detect(&[("ego_box", "40 40 0 50 50 1")]).0, all);
    let wrong = parameters(&[("ego_box", "1 2 3")]);
    let message = wrong.review().unwrap_err().to_string();
    assert!(message.contains("'ego_box'") && message.contains("found '1 2 3'"), "{message}");
}

#[test]
fn classes_have_thresholds_of_their_own() {
    let (all, _) = detect(&[]);
    let class = all[0].class;
    let parameters = parameters(&[]);
    let model = DetectionPipeline::load(&parameters).unwrap();
    let name = model.classes.name(class).unwrap();
    let (fewer, problems) = detect(&[("class_thresholds", &format!("{name} 1"))]);
    let others: Vec<_> =
        all.iter().filter(|found| found.class != class || found.score >= 1.0).copied().collect();
    assert_eq!((fewer, problems), (others, Vec::new()));
    assert_eq!(detect(&[("class_thresholds", &format!("{name} 1000 1"))]).0, all);
    let (same, problems) = detect(&[("class_thresholds", "tram 0.9")]);
    assert_eq!((same, problems), (all, vec!["class_thresholds".to_owned()]));
    let message = self::parameters(&[("class_thresholds", "tram")]).review().unwrap_err().to_string();
    assert!(message.contains("'class_thresholds'") && message.contains("found 'tram'"), "{message}");
}

#[test]
fn pillars_beyond_the_limit_are_told() {
    let (all, _) = detect(&[]);
    let (fewer, problems) = detect(&[("max_pillars", "5")]);
    assert_ne!(all, fewer);
    assert_eq!(problems, ["lidar/points max_pillars"]);
    assert_eq!(detect(&[("max_pillars", "399")]), (all, Vec::new()));
}
