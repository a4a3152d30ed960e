//! Model folders as they are, and as they must be refused.

use std::{
    fs,
    path::{Path, PathBuf},
};

use proptest::prelude::*;
use tempfile::TempDir;

use super::{
    GoldenFile, InferenceError, ModelFolder, ModelSession, Precision, Provider, SessionOptions, Tolerance,
    golden::Difference, inspect, inspect_folder, inspect_onnx, library,
};

pub(super) fn bundled(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(name)
}

pub(super) fn copy_of(name: &str) -> (TempDir, PathBuf) {
    copy_from(&bundled(name))
}

pub(super) fn copy_from(folder: &Path) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(folder.file_name().unwrap());
    fs::create_dir(&path).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), path.join(entry.file_name())).unwrap();
    }
    (dir, path)
}

pub(super) fn edit_manifest(folder: &Path, from: &str, to: &str) {
    let file = folder.join("model.yaml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "the manifest no longer has {from:?}");
    fs::write(&file, text.replacen(from, to, 1)).unwrap();
}

pub(super) fn open(path: &Path) -> Result<ModelSession, InferenceError> {
    ModelSession::open(&ModelFolder::open(path)?, &SessionOptions::default())
}

pub(super) fn open_error(path: &Path) -> InferenceError {
    match open(path) {
        Ok(_) => panic!("{} was accepted", path.display()),
        Err(error) => error,
    }
}

#[test]
fn depth_baseline_meets_its_golden_output_and_honours_a_return() {
    let mut session = open(&bundled("depth_baseline")).unwrap();
    session.run().unwrap();
    assert!(session.output("depth").1.iter().all(|&d| d == 0.0), "no return, no depth");
    assert!(session.output("confidence").1.iter().all(|&c| c == 0.0));
    session.input_mut("prior")[100 * 320 + 50] = 7.5;
    session.run().unwrap();
    let (shape, depth) = session.output("depth");
    assert_eq!(shape, [1, 1, 240, 320]);
    assert!(depth.iter().all(|d| (d - 7.5).abs() < 0.01));
    let confidence = session.output("confidence").1;
    assert!(confidence[100 * 320 + 50] > 0.99 && confidence[100 * 320 + 300] < 0.05);
    assert_eq!((session.precision(), session.provider()), (Precision::Fp32, Provider::Cpu));
}

#[test]
fn detection_baseline_meets_its_golden_output_and_is_silent_on_nothing() {
    let mut session = open(&bundled("detection_baseline")).unwrap();
    session.run().unwrap();
    let (shape, heatmap) = session.output("heatmap");
    assert_eq!(shape, [1, 7, 256, 256]);
    assert!(heatmap.iter().all(|&h| h == 0.0));
}

#[test]
fn sessions_move_to_worker_threads() {
    fn is_send<T: Send>() {}
    is_send::<ModelSession>();
}

#[test]
fn a_nan_input_passes_through_without_an_error() {
    let mut session = open(&bundled("depth_baseline")).unwrap();
    session.input_mut("prior").fill(f32::NAN);
    session.run().unwrap();
}

#[test]
fn a_flipped_byte_is_a_checksum_error() {
    let (_dir, path) = copy_of("depth_baseline");
    let model = path.join("model.onnx");
    let mut bytes = fs::read(&model).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&model, bytes).unwrap();
    assert!(matches!(open_error(&path), InferenceError::Checksum { .. }));
}

#[test]
fn a_wrong_shape_says_expected_and_found() {
    let (_dir, path) = copy_of("depth_baseline");
    edit_manifest(&path, "240, 320", "240, 321");
    let error = open_error(&path).to_string();
    assert!(error.contains("321") && error.contains("320") && error.contains("prior"), "{error}");
}

#[test]
fn a_missing_tensor_lists_those_there() {
    let (_dir, path) = copy_of("depth_baseline");
    edit_manifest(&path, "\"name\": \"confidence\"", "\"name\": \"certainty\"");
    let error = open_error(&path).to_string();
    assert!(error.contains("certainty") && error.contains("confidence"), "{error}");
}

#[test]
fn a_tolerance_of_nothing_names_the_error() {
    let (_dir, path) = copy_of("depth_baseline");
    let golden = path.join("golden.npz");
    // Another model's golden file has other arrays.
    fs::copy(bundled("detection_baseline").join("golden.npz"), &golden).unwrap();
    assert!(matches!(open_error(&path), InferenceError::GoldenArray { .. }));
    fs::remove_file(&golden).unwrap();
    assert!(matches!(open_error(&path), InferenceError::Unreadable { .. }));
}

#[test]
fn a_file_that_is_no_onnx_is_said_so() {
    let (_dir, path) = copy_of("depth_baseline");
    let old = super::session::sha256_hex(&fs::read(path.join("model.onnx")).unwrap());
    fs::write(path.join("model.onnx"), b"hello").unwrap();
    edit_manifest(&path, &old, &super::session::sha256_hex(b"hello"));
    assert!(matches!(open_error(&path), InferenceError::NotOnnx { .. }));
}

#[test]
fn a_folder_without_manifest_lists_its_files() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("weights.onnx"), b"").unwrap();
    let error = open_error(dir.path()).to_string();
    assert!(error.contains("model.yaml") && error.contains("weights.onnx"), "{error}");
}

#[test]
fn an_unknown_field_and_a_path_outside_are_refused() {
    for (from, to) in [("kind:", "kidn: 1\nkind:"), ("\"model.onnx\"", "\"../model.onnx\"")] {
        let (_dir, path) = copy_of("depth_baseline");
        edit_manifest(&path, from, to);
        assert!(matches!(open_error(&path), InferenceError::Manifest { .. }), "{to}");
    }
}

#[test]
fn a_missing_precision_lists_those_there() {
    let folder = ModelFolder::open(bundled("depth_baseline")).unwrap();
    let error = folder.resolve_precision(Some(Precision::Int8), Provider::Cpu).unwrap_err().to_string();
    assert!(error.contains("int8") && error.ends_with("fp32"), "{error}");
    assert_eq!(folder.resolve_precision(None, Provider::TensorRt).unwrap(), Precision::Fp32);
}

#[test]
fn a_provider_that_cannot_run_is_an_error_not_the_cpu() {
    let folder = ModelFolder::open(bundled("depth_baseline")).unwrap();
    let options = SessionOptions { provider: Provider::TensorRt, ..SessionOptions::default() };
    match ModelSession::open(&folder, &options) {
        Ok(session) => assert_eq!(session.provider(), Provider::TensorRt),
        Err(error) => {
            assert!(
                matches!(
                    error,
                    InferenceError::ProviderNotBuiltIn { .. } | InferenceError::ProviderUnavailable { .. }
                ),
                "{error}"
            );
            assert!(error.to_string().contains("expected provider tensorrt"), "{error}");
        }
    }
}

#[test]
fn operators_of_this_project_run_on_the_cpu_alone() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/models/sparse_depth");
    let mut session = open(&path).unwrap();
    session.input_mut("image").fill(1.0);
    session.run().unwrap();
    assert!(session.output("depth").1.iter().all(|d| (d - 6.0).abs() < 1e-5), "1.5 + 0.5 + 2 and 2");
    let folder = ModelFolder::open(&path).unwrap();
    for provider in [Provider::Cuda, Provider::TensorRt] {
        let options =
            SessionOptions { provider, precision: Some(Precision::SparseFp32), ..SessionOptions::default() };
        let error = ModelSession::open(&folder, &options).err().unwrap();
        assert!(matches!(error, InferenceError::ProviderUnavailable { .. }), "{error}");
        assert!(
            error.to_string().ends_with("operators of ai.isobath, which run on the CPU alone"),
            "{error}"
        );
    }
}

#[test]
fn a_misspelt_model_gets_a_hint() {
    let roots = [Path::new(env!("CARGO_MANIFEST_DIR")).join("models")];
    let error = ModelFolder::find_in("depth_basline", &roots).unwrap_err().to_string();
    assert!(error.contains("did you mean \"depth_baseline\"?"), "{error}");
    assert!(error.contains("detection_baseline"), "{error}");
}

#[test]
fn words_round_trip() {
    for p in Precision::ALL {
        assert_eq!(p.as_str().parse::<Precision>().unwrap(), p);
    }
    for p in Provider::ALL {
        assert_eq!(p.as_str().parse::<Provider>().unwrap(), p);
    }
    assert!("fp64".parse::<Precision>().unwrap_err().to_string().contains("sparse_int8"));
}

#[test]
fn inspection_needs_no_library() {
    let folder = ModelFolder::open(bundled("detection_baseline")).unwrap();
    let summary = inspect_folder(&folder).unwrap();
    let onnx = &summary.files["fp32"];
    assert_eq!(onnx.inputs[0].shape, ["1", "5", "256", "256"]);
    assert_eq!(onnx.outputs.len(), 5);
    assert_eq!(onnx.opsets["ai.onnx"], 17);
    assert!(onnx.custom_domains.is_empty());
    assert!(inspect_onnx(bundled("none.onnx")).is_err());
}

#[test]
fn a_custom_domain_is_reported() {
    // ModelProto { graph { node { op_type "Conv" domain "ai.isobath" } } opset_import { version 1 } }
    let node = [&b"\x22\x04Conv\x3a\x0a"[..], b"ai.isobath"].concat();
    let graph = [&[0x0a, node.len() as u8][..], &node].concat();
    let model = [&[0x3a, graph.len() as u8][..], &graph, b"\x42\x02\x10\x01"].concat();
    let summary = inspect::summarise(&model).unwrap();
    assert!(summary.custom_domains.contains("ai.isobath"));
}

#[test]
fn reasons_come_without_the_place_in_the_runtime() {
    let text =
        "/src/bridge.cc:1209 Provider& Get() [ONNXRuntimeError] : 1 : FAIL : Failed to load library\nx.so";
    assert_eq!(super::session::one_line(text), "Failed to load library x.so");
    assert_eq!(super::session::one_line("bad\n value : 1"), "bad value : 1");
}

#[test]
fn library_versions_are_numbers_not_text() {
    assert!(library::is_recent_enough("1.18.0", 18) && library::is_recent_enough("1.100.1", 18));
    assert!(!library::is_recent_enough("1.9.3", 18) && !library::is_recent_enough("nonsense", 18));
    let cache = tempfile::tempdir().unwrap();
    for version in ["1.9.0", "1.32.0", "1.18.1"] {
        fs::create_dir(cache.path().join(version)).unwrap();
        fs::write(cache.path().join(version).join("libonnxruntime.so"), b"").unwrap();
    }
    assert!(library::cached(cache.path())[0].ends_with("1.32.0/libonnxruntime.so"));
}

#[test]
fn the_tolerance_counts_values_beyond_it() {
    let tolerance = Tolerance { abs: 0.1, rel: 0.0, mean: None };
    let d = Difference::between(&[1.0, f32::NAN, f32::NAN, 5.0], &[1.05, f32::NAN, 1.0, 2.0], tolerance);
    assert_eq!(d.count, 2);
    assert!(d.max_abs.is_infinite());
    let d = Difference::between(&[1.0, 2.0], &[1.05, 2.03], tolerance);
    assert!(d.count == 0 && (d.mean_abs(2) - 0.04).abs() < 1e-6);
}

#[test]
fn a_tolerance_that_accepts_everything_is_refused() {
    for value in [".nan", ".inf", "-0.001"] {
        let (_dir, path) = copy_of("depth_baseline");
        edit_manifest(&path, "abs: 0.001", &format!("abs: {value}"));
        let error = open_error(&path).to_string();
        assert!(error.contains("golden.tolerance.fp32.cpu") && error.contains("at least 0"), "{error}");
    }
}

#[test]
fn a_mistake_in_every_value_is_told_where_single_values_may_be_far_off() {
    for (mean, accepted) in [("", true), (", mean: 0.5", false), (", mean: 2", true)] {
        let (_dir, path) = copy_of("detection_baseline");
        write_golden(&path, |values| values.iter_mut().for_each(|v| *v += 1.0));
        let tolerance = "cpu:\n        abs: 0.001\n        rel: 0.001\n";
        edit_manifest(&path, tolerance, &format!("cpu: {{abs: 5, rel: 0{mean}}}\n"));
        match ModelFolder::open(&path)
            .and_then(|folder| ModelSession::open(&folder, &SessionOptions::default()))
        {
            Ok(_) => assert!(accepted, "{mean}"),
            Err(InferenceError::GoldenMean { mean, mean_abs, .. }) => {
                assert!(!accepted && (mean - 0.5).abs() < 1e-6 && (mean_abs - 1.0).abs() < 0.01);
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_tolerance_that_is_too_tight_or_missing_refuses_the_model() {
    let (_dir, path) = copy_of("depth_baseline");
    edit_manifest(&path, "cpu:", "cuda_of_old:");
    assert!(matches!(open_error(&path), InferenceError::Manifest { .. }), "no such provider");
    let (_dir, path) = copy_of("depth_baseline");
    edit_manifest(&path, "      cpu:\n        abs: 0.001\n        rel: 0.001\n", "");
    assert!(matches!(
        open_error(&path),
        InferenceError::NoTolerance { precision: Precision::Fp32, provider: Provider::Cpu, .. }
    ));
    let (_dir, path) = copy_of("detection_baseline");
    // Another model's numbers in arrays of the right names and shapes.
    write_golden(&path, |values| values.iter_mut().for_each(|v| *v += 1.0));
    assert!(matches!(open_error(&path), InferenceError::GoldenMismatch { .. }));
}

#[test]
fn golden_values_are_finite_and_arrays_of_other_shapes_cost_nothing() {
    let (_dir, path) = copy_of("depth_baseline");
    write_golden(&path, |values| values[7] = f32::NAN);
    let error = open_error(&path).to_string();
    assert!(error.contains("1 values that are not finite"), "{error}");

    // A header that claims 2^40 values, and one of 4 GiB: refused before any memory is taken.
    let claim = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,), }\n";
    let header = |version: u8, length: &[u8]| [&b"\x93NUMPY"[..], &[version, 0], length].concat();
    let big = [header(1, &(claim.len() as u16).to_le_bytes()), claim.to_vec()].concat();
    let long = header(2, &u32::MAX.to_le_bytes());
    for (bytes, expected) in [(big, "shape [1099511627776]"), (long, "NumPy format version 2")] {
        let file = path.join("forged.npz");
        let mut zip = zip::ZipWriter::new(fs::File::create(&file).unwrap());
        zip.start_file("a.npy", zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, &bytes).unwrap();
        zip.finish().unwrap();
        let error = GoldenFile::open(&file).unwrap().array("a", &[2]).unwrap_err().to_string();
        assert!(error.contains("[2]") && error.ends_with(expected), "{error}");
    }
}

/// Writes the folder's golden file anew with every output changed by `change`.
fn write_golden(folder: &Path, change: impl Fn(&mut [f32])) {
    let manifest = ModelFolder::open(folder).unwrap().manifest;
    let path = folder.join("golden.npz");
    let mut old = GoldenFile::open(&path).unwrap();
    let inputs = manifest.inputs.iter().map(|spec| (spec, format!("input_{}", spec.role)));
    let outputs = manifest.outputs.iter().map(|spec| (spec, format!("output_{}", spec.role)));
    let arrays: Vec<_> = inputs
        .chain(outputs)
        .map(|(spec, name)| {
            let mut values = old.array(&name, &spec.sizes(1)).unwrap();
            if name.starts_with("output_") {
                change(&mut values);
            }
            (name, ndarray::ArrayD::from_shape_vec(spec.sizes(1), values).unwrap())
        })
        .collect();
    let mut new = ndarray_npy::NpzWriter::new(fs::File::create(&path).unwrap());
    for (name, array) in &arrays {
        new.add_array(name.as_str(), array).unwrap();
    }
    new.finish().unwrap();
}

proptest! {
    #[test]
    fn any_bytes_are_summarised_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = inspect::summarise(&bytes);
    }

    #[test]
    fn a_model_cut_anywhere_is_summarised_or_refused(cut in 0.0_f64..1.0, flip in 0.0_f64..1.0, bit in 0_u8..8) {
        let mut bytes = fs::read(bundled("depth_baseline").join("model.onnx")).unwrap();
        let at = (bytes.len() as f64 * flip) as usize;
        bytes[at] ^= 1 << bit;
        bytes.truncate((bytes.len() as f64 * cut) as usize);
        let _ = inspect::summarise(&bytes);
    }
}
