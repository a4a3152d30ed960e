//! Models whose tensors have rows, or that come in two files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ndarray::Array2;
use ndarray_npy::{NpzReader, NpzWriter};

use super::tests::{bundled, copy_from, copy_of, edit_manifest, open, open_error};
use super::{
    GoldenFile, InferenceError, Manifest, ModelFolder, ModelSession, Precision, SessionOptions,
    inspect_folder,
};

fn row_sums() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/models/row_sums")
}

/// out = sum of three features + 10 · row + col + count, by `tests/golden/row_model.py`.
#[test]
fn a_run_has_as_many_rows_as_it_is_told() {
    let mut session = open(&row_sums()).unwrap();
    for rows in [1, 6, 2] {
        session.set_rows("pillars", rows).unwrap();
        assert!(session.output("out").1.is_empty(), "of another number of rows");
        let features = session.input_mut("features");
        assert_eq!(features.len(), 3 * rows);
        features.fill(0.5);
        let coords: Vec<i32> = (0..2 * rows as i32).collect();
        session.set_integers("coords", &coords).unwrap();
        session.set_integers("counts", &vec![100; rows]).unwrap();
        session.run().unwrap();
        let (shape, sums) = session.output("out");
        assert_eq!(shape, [rows, 1]);
        let expected: Vec<f32> = (0..rows).map(|i| 1.5 + (10 * 2 * i + 2 * i + 1 + 100) as f32).collect();
        assert_eq!(sums, expected);
    }
    for rows in [0, 7] {
        let error = session.set_rows("pillars", rows).unwrap_err().to_string();
        assert!(error.contains(&format!("expected 1 to 6 rows of pillars, found {rows}")), "{error}");
    }
    let error = session.set_integers("coords", &[1]).unwrap_err().to_string();
    assert!(error.contains("\"coords\": expected 4 values, found 1"), "{error}");
    assert!(session.input_mut("coords").is_empty(), "they are no floats");
}

#[test]
fn rows_of_the_golden_file_are_held_to_the_manifest() {
    let (_dir, path) = copy_from(&row_sums());
    edit_manifest(&path, "pillars: 6", "pillars: 3");
    assert!(matches!(open_error(&path), InferenceError::Rows { most: 3, found: 4, .. }));
    let (_dir, path) = copy_from(&row_sums());
    edit_manifest(&path, "[\"pillars\", 3]", "[5, 3]");
    let error = open_error(&path).to_string();
    assert!(error.contains("float32 of shape [5, 3], found shape [4, 3]"), "{error}");
    let (_dir, path) = copy_from(&row_sums());
    edit_manifest(&path, "\"dtype\": \"int32\"", "\"dtype\": \"int64\"");
    let error = open_error(&path).to_string();
    assert!(error.contains("expected int64 [pillars, 2], found int32 [pillars, 2]"), "{error}");
}

#[test]
fn depth_models_and_fixed_files_have_no_rows() {
    let (_dir, path) = copy_of("depth_baseline");
    edit_manifest(&path, "golden:", "max_rows: {frames: 2}\ngolden:");
    edit_manifest(&path, "[1, 1, 240, 320]", "[\"frames\", 1, 240, 320]");
    let error = open_error(&path).to_string();
    assert!(error.contains("kind depth") && error.contains("[frames, 1, 240, 320]"), "{error}");
    let (_dir, path) = copy_of("detection_baseline");
    edit_manifest(&path, "golden:", "max_rows: {sweeps: 2}\ngolden:");
    edit_manifest(&path, "[1, 5, 256, 256]", "[\"sweeps\", 5, 256, 256]");
    let error = open_error(&path).to_string();
    assert!(error.contains("expected float32 [sweeps, 5, 256, 256], found float32 [1, 5"), "{error}");
}

#[test]
fn both_files_of_a_model_are_opened_and_inspected() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/models/autoware_9");
    let folder = ModelFolder::open(&path).unwrap();
    let files = inspect_folder(&folder).unwrap().files;
    assert_eq!(files["fp32.encoder"].inputs[0].shape, ["pillars", "8", "9"]);
    assert_eq!(files["fp32"].outputs.len(), 6);
    let options = SessionOptions::default();
    let encoder = ModelSession::open_encoder(&folder, &options).unwrap();
    assert!(encoder.has_input("features") && !encoder.has_input("spatial_features"));
    assert!(encoder.model_path().ends_with("encoder.onnx"));
    assert!(!ModelSession::open(&folder, &options).unwrap().has_input("features"));
    let whole = ModelFolder::open(bundled("detection_baseline")).unwrap();
    let Err(error) = ModelSession::open_encoder(&whole, &options) else { panic!("there is no encoder") };
    assert!(error.to_string().contains("files.fp32.encoder"), "{error}");
}

/// The manifests that `docs/models.md` shows are ones.
#[test]
fn manifests_of_the_documentation_are_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/models.md");
    let text = fs::read_to_string(&path).unwrap();
    let blocks = text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let shown: Vec<_> = blocks.filter(|block| block.starts_with("kind:")).collect();
    assert_eq!(shown.len(), 2);
    for block in shown {
        let manifest = Manifest::parse(block, &path).unwrap();
        assert_eq!(manifest.outputs.iter().filter(|tensor| tensor.fixed_sizes().is_none()).count(), 0);
        assert!(manifest.max_rows("pillars") >= 16_000);
    }
}

#[test]
fn a_precision_may_have_a_golden_output_of_its_own() {
    let own = |precision: &str, value: f32| {
        let (_dir, path) = copy_from(&row_sums());
        let mut npz = NpzReader::new(fs::File::open(path.join("golden.npz")).unwrap()).unwrap();
        let features: Array2<f32> = npz.by_name("input_features").unwrap();
        let coords: Array2<i32> = npz.by_name("input_coords").unwrap();
        let counts: Array2<i64> = npz.by_name("input_counts").unwrap();
        let out: Array2<f32> = npz.by_name("output_out").unwrap();
        let mut npz = NpzWriter::new(fs::File::create(path.join("golden.npz")).unwrap());
        npz.add_array("input_features", &features).unwrap();
        npz.add_array("input_coords", &coords).unwrap();
        npz.add_array("input_counts", &counts).unwrap();
        npz.add_array("output_out", &out).unwrap();
        npz.add_array(format!("output_out.{precision}"), &(out + value)).unwrap();
        npz.finish().unwrap();
        open(&path).map(|_| ())
    };
    assert!(own("fp32", 0.0).is_ok());
    assert!(matches!(own("fp32", 1.0).unwrap_err(), InferenceError::GoldenMismatch { .. }));
    assert!(own("int8", 1.0).is_ok(), "of another file");
}

/// Nearer to each other than the golden file asks.
#[test]
fn the_sparse_and_the_dense_file_of_the_detector_are_one_function() {
    let folder = ModelFolder::open(bundled("detector_s")).unwrap();
    let mut golden = GoldenFile::open(bundled("detector_s").join("golden.npz")).unwrap();
    let rows = golden.rows("input_coords").unwrap();
    let features = golden.array("input_features", &[rows, 26]).unwrap();
    let coords = golden.integers::<i32>("input_coords", &[rows, 2]).unwrap();
    let mut outputs = [Precision::Fp32, Precision::SparseFp32].map(|precision| {
        let options = SessionOptions { precision: Some(precision), ..SessionOptions::default() };
        let mut session = ModelSession::open(&folder, &options).unwrap();
        session.set_rows("pillars", rows).unwrap();
        session.input_mut("features").copy_from_slice(&features);
        session.set_integers("coords", &coords).unwrap();
        session.run().unwrap();
        let roles = ["heatmap", "corner", "offset", "height", "size", "rotation"];
        roles.map(|role| (role, session.output(role).1.to_vec())).into_iter()
    });
    let [dense, sparse] = &mut outputs;
    for ((role, dense), (_, sparse)) in dense.zip(sparse) {
        assert_eq!(dense.len() % rows, 0);
        let off = dense.iter().zip(&sparse).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(!dense.is_empty() && off < 1e-4, "{role}: {off}");
    }
}
