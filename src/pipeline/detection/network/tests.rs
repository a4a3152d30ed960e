//! Networks on pillars, this project's and those with the interfaces of other projects: their boxes against a decoding
//! in numpy, and folders that do not fit. Models and boxes from `tests/golden/pillar_model.py` and
//! `foreign_models.py`.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use ndarray::Array2;
use ndarray_npy::NpzReader;
use tempfile::TempDir;

use super::*;
use crate::inference::Precision;

const LIMITS: DecodeLimits = DecodeLimits { score_threshold: 0.4, max_detections: 500 };

fn tests_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn load(folder: &Path) -> Result<Network, String> {
    load_with(folder, &SessionOptions::default())
}

fn load_with(folder: &Path, options: &SessionOptions) -> Result<Network, String> {
    let folder = ModelFolder::open(folder).map_err(|error| error.to_string())?;
    let settings = folder.manifest.detection_settings().unwrap();
    let classes = ClassTable::new(settings.classes.iter().cloned()).map_err(|error| error.to_string())?;
    let source = NetworkSource { folder: &folder, settings, classes: &classes, options };
    Network::load(&source).map_err(|error| error.to_string())
}

fn model(name: &str) -> Network {
    load(&tests_folder().join("data/models").join(name)).unwrap()
}

/// The sweep of a model of another project with its boxes.
fn golden(model: &str) -> (Vec<LidarPoint>, Array2<f64>) {
    golden_of("foreign_models", &format!("{model}_points"), model)
}

/// The sweep `points` in a golden file with the boxes of a model: x y z length width height yaw score class.
fn golden_of(file: &str, points: &str, model: &str) -> (Vec<LidarPoint>, Array2<f64>) {
    let file = File::open(tests_folder().join("golden").join(file).with_extension("npz")).unwrap();
    let mut npz = NpzReader::new(file).unwrap();
    let points: Array2<f32> = npz.by_name(points).unwrap();
    let points = points.rows().into_iter();
    let points =
        points.map(|p| LidarPoint { x: p[0], y: p[1], z: p[2], intensity: p[3], age_s: 0.0 }).collect();
    (points, npz.by_name(&format!("{model}_boxes")).unwrap())
}

fn detect(network: &mut Network, points: impl IntoIterator<Item = LidarPoint>) -> Vec<Detection3d> {
    let counts = network.prepare(points, SweepLimits::default()).unwrap();
    assert_eq!(counts, SweepCounts::default());
    network.run().unwrap();
    let mut detections = Vec::new();
    network.decode(LIMITS, &mut detections).unwrap();
    detections
}

#[track_caller]
fn agrees_with_numpy(name: &str) {
    agree(name, &mut model(name), golden(name));
}

#[track_caller]
fn agree(name: &str, network: &mut Network, (points, expected): (Vec<LidarPoint>, Array2<f64>)) {
    // What was there before leaves nothing.
    detect(network, points.iter().map(|p| LidarPoint { x: -p.x, ..*p }));
    let found = detect(network, points.iter().copied());
    assert_eq!(found.len(), expected.nrows(), "{found:?}");
    for (row, (found, expected)) in found.iter().zip(expected.rows()).enumerate() {
        let Detection3d { box3d, class, score } = found;
        let (center, size) = (box3d.center, box3d.size);
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-4 * b.abs().max(1.0);
        let values = [center.x, center.y, center.z, size.x, size.y, size.z];
        let turned = (box3d.yaw - expected[6]).rem_euclid(std::f64::consts::TAU);
        assert!(
            values.iter().zip(&expected.to_vec()).all(|(a, b)| near(*a, *b))
                && near(turned.min(std::f64::consts::TAU - turned), 0.0)
                && near(f64::from(*score), expected[7])
                && f64::from(*class) == expected[8],
            "{name}, box {row}: expected {expected}, found {found:?}"
        );
    }
}

#[test]
fn pillars_agree_with_numpy_computed_densely_and_sparsely() {
    for (name, precision) in [
        ("pillars", Precision::Fp32),
        ("pillars", Precision::SparseFp32),
        ("pillars_dilated", Precision::Fp32),
        ("pillars_dilated", Precision::SparseFp32),
        ("pillars_dense", Precision::Fp32),
    ] {
        for threads in [1, 2] {
            let options = SessionOptions { precision: Some(precision), threads, ..SessionOptions::default() };
            let folder = tests_folder().join("data/models").join(name);
            let mut network = load_with(&folder, &options).unwrap();
            agree(name, &mut network, golden_of("pillar_model", "points", name));
            // A sweep without anything is no reason to fail.
            assert!(detect(&mut network, []).is_empty());
            assert_eq!(network.active_share(), 0.0);
        }
    }
}

#[test]
fn of_too_many_pillars_the_nearest_stay() {
    let (points, _) = golden_of("pillar_model", "points", "pillars");
    let mut network = model("pillars");
    let limits = SweepLimits { max_pillars: Some(50), keeps_ground: false };
    let counts = network.prepare(points.iter().copied(), limits).unwrap();
    assert!(counts.dropped_pillars > 50);
    network.run().unwrap();
    // With the ground there are more than the model allows.
    let limits = SweepLimits { max_pillars: None, keeps_ground: true };
    let with_ground = network.prepare(points.iter().copied(), limits).unwrap();
    assert!(with_ground.dropped_pillars > 0, "{with_ground:?}");
    network.run().unwrap();
}

#[test]
fn autoware_with_nine_features_agrees_with_numpy() {
    agrees_with_numpy("autoware_9");
}

#[test]
fn autoware_with_ten_features_agrees_with_numpy() {
    agrees_with_numpy("autoware_10");
}

#[test]
fn autoware_with_eleven_features_agrees_with_numpy() {
    agrees_with_numpy("autoware_11");
}

#[test]
fn pointpillars_agrees_with_numpy() {
    agrees_with_numpy("pointpillars");
}

#[test]
fn pointpillars_with_channels_last_agrees_with_numpy() {
    agrees_with_numpy("pointpillars_channels_last");
}

#[test]
fn boxes_do_not_depend_on_the_order_of_the_scan() {
    for name in ["autoware_11", "pointpillars"] {
        let (points, _) = golden(name);
        // Four times the points, so that pillars overflow.
        let moved = |k: u8| points.iter().map(move |p| LidarPoint { z: p.z + f32::from(k) * 0.01, ..*p });
        let crowded: Vec<_> = (0..4).flat_map(moved).collect();
        let mut network = model(name);
        let forwards = detect(&mut network, crowded.iter().copied());
        let backwards = detect(&mut network, crowded.iter().rev().copied());
        assert!(!forwards.is_empty());
        assert_eq!(forwards, backwards, "{name}: bit for bit");
    }
}

#[test]
fn pillars_beyond_the_limit_are_counted() {
    for name in ["autoware_9", "pointpillars"] {
        let (points, _) = golden(name);
        let mut network = model(name);
        detect(&mut network, points.iter().copied());
        let pillars = (network.active_share() * 32.0 * 16.0).round() as usize;
        let limits = SweepLimits { max_pillars: Some(10), keeps_ground: false };
        let counts = network.prepare(points.iter().copied(), limits).unwrap();
        assert_eq!(counts.dropped_pillars, pillars - 10);
        assert!((network.active_share() - 10.0 / 512.0).abs() < 1e-9);
        network.run().unwrap();
        network.decode(LIMITS, &mut Vec::new()).unwrap();
    }
}

/// Nothing in range: networks with anchors do not run, the others see an empty grid.
#[test]
fn a_sweep_without_points_has_boxes_of_an_empty_grid() {
    let far = LidarPoint { x: 100.0, y: 0.0, z: 0.0, ..LidarPoint::default() };
    for name in ["autoware_9", "pointpillars"] {
        let mut network = model(name);
        let (points, _) = golden(name);
        let empty = detect(&mut network, [far]);
        detect(&mut network, points);
        assert_eq!(detect(&mut network, []), empty, "{name}");
        assert!(empty.is_empty(), "{name}: the biases alone score low");
    }
}

fn copy_of(folder: &Path) -> TempDir {
    let dir = TempDir::new().unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
    }
    dir
}

/// A copy of a model's folder with a changed manifest.
#[track_caller]
fn changed(name: &str, changes: &[(&str, &str)]) -> TempDir {
    let dir = copy_of(&tests_folder().join("data/models").join(name));
    let file = dir.path().join("model.yaml");
    let mut text = fs::read_to_string(&file).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "the manifest no longer has {from:?}");
        text = text.replacen(from, to, 1);
    }
    fs::write(&file, text).unwrap();
    dir
}

/// A changed model is refused with every part of `expected`.
#[track_caller]
fn refused(name: &str, changes: &[(&str, &str)], expected: &[&str]) {
    let dir = changed(name, changes);
    let Err(message) = load(dir.path()) else { panic!("{name} was accepted with {changes:?}") };
    for part in expected {
        assert!(message.contains(part), "{changes:?}: expected {part:?} in {message}");
    }
}

#[test]
fn folders_of_another_interface_are_refused() {
    let bev = ("interface: \"pointpillars\"\n", "suppression_radius: [1, 1, 1]\n");
    refused("pointpillars", &[bev], &["expected none for an interface without anchors"]);
    refused(
        "pointpillars",
        &[("interface: \"pointpillars\"", "interface: \"yolo\"")],
        &["yolo", "autoware_centerpoint"],
    );
    refused(
        "autoware_9",
        &[("interface: \"autoware_centerpoint\"\n", "suppression_radius: [1, 1, 1]\n")],
        &["expected one input bev [1, 5, 32, 16]", "spatial_features"],
    );
    refused("autoware_9", &[("\"x_from_mean\", ", "")], &["[pillars, points, 8]", "found [pillars, 8, 9]"]);
    refused("autoware_9", &[("\"time\"", "\"ring\"")], &["detection.features", "found ring"]);
    refused(
        "pointpillars",
        &[("\"role\": \"counts\"", "\"role\": \"numbers\"")],
        &["counts [pillars]", "numbers"],
    );
    refused(
        "pointpillars",
        &[("\"shape\": [\"pillars\", 4]", "\"shape\": [\"pillars\", 2]")],
        &["coords [pillars, 4] (batch, z, y, x)"],
    );
}

#[test]
fn networks_on_pillars_obey_the_suppression_of_their_manifest() {
    let (points, expected) = golden_of("pillar_model", "points", "pillars");
    assert!(expected.nrows() > 5);
    let rule = "  stride: 1\n  suppression: [{rule: circle, radius_m: 100.0}]\n";
    for name in ["pillars", "pillars_dense"] {
        let dir = changed(name, &[("  stride: 1\n", rule)]);
        assert_eq!(detect(&mut load(dir.path()).unwrap(), points.iter().copied()).len(), 1, "{name}");
    }
}

#[test]
fn pillars_that_do_not_fit_are_refused() {
    refused(
        "pillars",
        &[("\"pillars\", 26", "\"pillars\", 25")],
        &["features [pillars, 26]", "[pillars, 25]"],
    );
    refused(
        "pillars",
        &[("\"car\", ", ""), ("[1.0, 1.5", "[1.5")],
        &["heatmap [pillars, 6]", "[pillars, 7]"],
    );
    refused("pillars", &[("[1.0, 1.5", "[1.5")], &["suppression_radius", "each of 7 classes, found 6"]);
    refused("pillars", &[("25.6, 25.6, 6.0]", "25.0, 25.6, 6.0]")], &["whole number of cells"]);
    refused("pillars_dense", &[("25.6, 25.6, 6.0]", "12.8, 25.6, 6.0]")], &["64", "48"]);
    let anchors = "  stride: 1\n  anchors: {sizes: [[1, 1, 1]], bottoms: [0], rotations: [0], placement: cell_centers}\n";
    refused("pillars", &[("  stride: 1\n", anchors)], &["expected none for an interface without anchors"]);
}

#[test]
fn another_class_count_is_refused() {
    let two = ("[\"car\", \"pedestrian\", \"cyclist\"]", "[\"car\", \"pedestrian\"]");
    refused("autoware_9", &[two], &["expected output heatmap [1, 2, 8, 16]", "found Some([1, 3, 8, 16])"]);
    refused(
        "pointpillars",
        &[two],
        &["expected output scores [1, 12, H, W]", "(6 anchors of 2 classes), found Some([1, 18, 8, 16])"],
    );
    refused(
        "pointpillars",
        &[("rotations: [0.0, 1.57]", "rotations: [0.0]")],
        &["expected output scores [1, 9, H, W]", "(3 anchors of 3 classes)"],
    );
    refused("pointpillars", &[("bins: 2", "bins: 4")], &["expected output directions [1, 24, 8, 16]"]);
    refused("pointpillars", &[("[3.9, 1.6, 1.56]", "[3.9, 0.0, 1.56]")], &["three positive lengths"]);
}

#[test]
fn another_range_or_stride_is_refused() {
    let wider = ("[-6.4, -3.2, -3.0, 6.4, 3.2, 2.0]", "[-6.4, -6.4, -3.0, 6.4, 6.4, 2.0]");
    refused(
        "autoware_9",
        &[wider],
        &["expected one input spatial_features [1, 8, 32, 32]", "[1, 8, 16, 32]"],
    );
    refused("pointpillars", &[wider], &["head of 16 x 8 cells (x, y): expected 32 x 32"]);
    refused("autoware_9", &[("stride: 2", "stride: 4")], &["stride 4", "found 2"]);
    refused("pointpillars", &[("stride: 2", "stride: 1")], &["stride 1", "found 2"]);
    refused("pointpillars", &[("-3.0, 6.4", "-3.0, .nan")], &["detection.range"]);
    refused("pointpillars", &[("pillars: 400", "pillars: 2")], &["expected 1 to 2 rows of pillars, found 5"]);
    refused(
        "pointpillars",
        &[("score_threshold: 0.5", "score_threshold: 0.5\n  suppression: [{rule: iou, threshold: 2}]")],
        &["detection.suppression", "threshold: 2.0"],
    );
}

#[test]
fn an_encoder_is_there_where_it_belongs() {
    refused("autoware_9", &[("    encoder:\n", "    encoder_of_old:\n")], &["model.yaml"]);
    let text = fs::read_to_string(tests_folder().join("data/models/autoware_9/model.yaml")).unwrap();
    let section = &text[text.find("\nencoder:\n").unwrap() + 1..text.find("max_rows:").unwrap()];
    refused("autoware_9", &[(section, "")], &["files.fp32.encoder: expected no encoder"]);
    refused(
        "autoware_9",
        &[(
            "\"pillar_features\", \"shape\": [\"pillars\", 1, 8]",
            "\"other\", \"shape\": [\"pillars\", 1, 8]",
        )],
        &["expected encoder output pillar_features"],
    );
}

#[test]
fn a_manifest_chooses_how_boxes_are_suppressed() {
    let dir = copy_of(&tests_folder().join("data/models/pointpillars"));
    let file = dir.path().join("model.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let (points, _) = golden("pointpillars");
    let with = |rules: &str| {
        let line =
            format!("score_threshold: 0.5\n  suppression_radius: [1.0, 1.0, 1.0]\n  suppression: {rules}");
        fs::write(&file, text.replacen("score_threshold: 0.5", &line, 1)).unwrap();
        detect(&mut load(dir.path()).unwrap(), points.iter().copied())
    };
    let all = with("[]");
    for (rules, across) in [("[{rule: circle, radius_m: 1.0}]", true), ("[{rule: class_distance}]", false)] {
        let found = with(rules);
        assert!(found.len() < all.len() && all[0] == found[0], "{} of {}", found.len(), all.len());
        for (i, a) in found.iter().enumerate() {
            let near = |b: &&Detection3d| (a.box3d.center - b.box3d.center).xy().norm() < 1.0;
            let same = |b: &&Detection3d| across || a.class == b.class;
            assert!(!found[..i].iter().filter(same).any(|b| near(&b)), "{rules}");
        }
    }
    let across = with("[{rule: iou, threshold: 0.01, across_classes: true}]");
    assert!(across.len() < golden("pointpillars").1.nrows());
}

/// The bundled model finds its boxes the same way whether its suppression is said or not, and by other rules.
#[test]
fn a_birds_eye_view_model_may_suppress_otherwise_too() {
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/detection_baseline");
    let dir = copy_of(&bundled);
    let file = dir.path().join("model.yaml");
    let text = fs::read_to_string(&file).unwrap();
    // Two cars of walls and roofs on a grid of 0.2 m.
    let car = |x: f32| {
        let cells = (0..20).flat_map(|i| (0..9).map(move |j| (i, j)));
        let heights = move |(i, j)| {
            [-1.2, -0.6, 0.0].map(|z| LidarPoint {
                x: x + i as f32 * 0.2,
                y: j as f32 * 0.2 - 0.8,
                z,
                intensity: 0.5,
                age_s: 0.0,
            })
        };
        cells.flat_map(heights).collect::<Vec<_>>()
    };
    let sweep = [car(8.0), car(-20.0)].concat();
    let with = |rules: &str| {
        let line = format!("score_threshold: 0.3\n{rules}");
        fs::write(&file, text.replacen("score_threshold: 0.3\n", &line, 1)).unwrap();
        let mut network = load(dir.path()).unwrap();
        network.prepare(sweep.iter().copied(), SweepLimits::default()).unwrap();
        network.run().unwrap();
        let mut detections = Vec::new();
        network.decode(DecodeLimits { score_threshold: 0.05, max_detections: 500 }, &mut detections).unwrap();
        detections
    };
    let usual = with("");
    assert!(usual.len() >= 2, "{usual:?}");
    assert_eq!(with("  suppression: [{rule: class_distance}]\n"), usual);
    assert_eq!(with("  suppression: [{rule: circle, radius_m: 1000}]\n"), usual[..1]);
    assert!(with("  suppression: []\n").len() >= usual.len());
}
