//! Model folders that are wrong, through the command: one sentence with what was expected and what was
//! found, exit code 1. And a model that fails on a frame, which costs that frame alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use assert_cmd::Command;
use isobath::{
    bag::{BagWriter, OfferedQos},
    message::{CameraInfo, Header, Image, Message, Stamp, to_cdr},
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// Size of the images and of the test model's tensors.
const WIDTH: u32 = 12;
const HEIGHT: u32 = 8;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/models").join(name)
}

/// A bag with one grey image for each brightness, ten a second.
fn bag(folder: &Path, brightness: &[u8]) -> PathBuf {
    let path = folder.join("bag");
    let mut bag = BagWriter::create(&path).unwrap();
    let mut topic = |name: &str, type_name, hash, definition| {
        bag.add_topic(name, type_name, Some(hash), definition, &[OfferedQos::sensor_data()]).unwrap()
    };
    let image = topic("/image", Image::TYPE_NAME, Image::TYPE_HASH, Image::DEFINITION);
    let info = topic("/camera_info", CameraInfo::TYPE_NAME, CameraInfo::TYPE_HASH, CameraInfo::DEFINITION);
    let mut bytes = Vec::new();
    for (i, &grey) in brightness.iter().enumerate() {
        let stamp = Stamp(1_000_000_000 + 100_000_000 * i as i64);
        let header = Header { stamp, frame_id: "camera" };
        let camera = CameraInfo {
            header,
            height: HEIGHT,
            width: WIDTH,
            distortion_model: "plumb_bob",
            k: [10.0, 0.0, 6.0, 0.0, 10.0, 4.0, 0.0, 0.0, 1.0],
            r: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
            p: [10.0, 0.0, 6.0, 0.0, 0.0, 10.0, 4.0, 0.0, 0.0, 0.0, 1.0, 0.0],
            ..CameraInfo::default()
        };
        to_cdr(&camera, &mut bytes);
        bag.write(info, stamp, &bytes).unwrap();
        let pixels = vec![grey; (WIDTH * HEIGHT) as usize];
        let message = Image {
            header,
            height: HEIGHT,
            width: WIDTH,
            encoding: "mono8",
            is_bigendian: false,
            step: WIDTH,
            data: &pixels,
        };
        to_cdr(&message, &mut bytes);
        bag.write(image, stamp, &bytes).unwrap();
    }
    bag.finish().unwrap();
    path
}

/// Replays a bag of images through the depth model in `model`.
fn replay(folder: &Path, brightness: &[u8], model: &Path, more: &[&str]) -> std::process::Output {
    let model = format!("depth.model={}", model.display());
    Command::cargo_bin("isobath")
        .unwrap()
        .arg("replay")
        .arg(bag(folder, brightness))
        .arg("--out")
        .arg(folder.join("out"))
        .args(["--set", "depth.radars=0", "--set", &model])
        .args(more)
        .output()
        .unwrap()
}

/// The test model in a folder of its own, to be spoilt.
struct Spoilt(TempDir);

impl Spoilt {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("model")).unwrap();
        for name in ["model.yaml", "model.onnx", "golden.npz"] {
            fs::copy(data("nan_depth").join(name), folder.path().join("model").join(name)).unwrap();
        }
        Self(folder)
    }

    fn model(&self) -> PathBuf {
        self.0.path().join("model")
    }

    fn edit(self, from: &str, to: &str) -> Self {
        let file = self.model().join("model.yaml");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "the manifest no longer has {from:?}");
        fs::write(&file, text.replacen(from, to, 1)).unwrap();
        self
    }

    /// Another ONNX file under a checksum that fits.
    fn with_onnx(self, bytes: &[u8]) -> Self {
        let file = self.model().join("model.onnx");
        let hex = |bytes: &[u8]| {
            let bytes: Vec<String> = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            bytes.concat()
        };
        let old = hex(&fs::read(&file).unwrap());
        fs::write(&file, bytes).unwrap();
        self.edit(&old, &hex(bytes))
    }

    /// The command refuses it with one sentence that holds every one of `expected`, and nothing else.
    #[track_caller]
    fn is_refused(&self, expected: &[&str]) {
        self.is_refused_with(&[], expected);
    }

    #[track_caller]
    fn is_refused_with(&self, more: &[&str], expected: &[&str]) {
        let run = TempDir::new().unwrap();
        let output = replay(run.path(), &[10], &self.model(), more);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        let sentences: Vec<&str> = stderr.lines().filter(|line| !line.starts_with("replaying")).collect();
        let [sentence] = sentences.as_slice() else { panic!("expected one sentence, found {stderr}") };
        for part in expected {
            assert!(sentence.contains(part), "expected {part:?} in {sentence}");
        }
    }
}

#[test]
fn the_test_model_itself_runs() {
    let run = TempDir::new().unwrap();
    let output = replay(run.path(), &[10, 20], &data("nan_depth"), &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: Value =
        serde_json::from_str(&fs::read_to_string(run.path().join("out/run.json")).unwrap()).unwrap();
    assert_eq!(summary["providers"]["depth"], "cpu");
    assert_eq!(summary["nodes"]["depth"]["model"]["provider"], "cpu");
    assert_eq!(summary["nodes"]["depth"]["model"]["precision"], "fp32");
}

#[test]
fn nan_from_a_model_costs_its_frame_alone() {
    let run = TempDir::new().unwrap();
    let output = replay(run.path(), &[10, 60, 200, 90, 120], &data("nan_depth"), &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: Value =
        serde_json::from_str(&fs::read_to_string(run.path().join("out/run.json")).unwrap()).unwrap();
    let depth = &summary["nodes"]["depth"];
    assert_eq!((&depth["received"], &depth["published"]), (&5.into(), &4.into()), "{depth}");
    assert_eq!(depth["dropped"], serde_json::json!({ "inference_failed": 1 }));
    assert!(depth["problems"].to_string().contains("not finite"), "{depth}");
}

#[test]
fn bytes_that_are_no_model() {
    let whole = fs::read(data("nan_depth").join("model.onnx")).unwrap();
    // A protobuf message of another type: two fields, both of kinds that ONNX has too.
    let other = b"\x08\x01\x12\x05hello";
    for bytes in [&whole[..whole.len() / 2], b"garbage that is no protobuf", other, b""] {
        Spoilt::new().with_onnx(bytes).is_refused(&["model.onnx", "expected an ONNX model, found"]);
    }
}

#[test]
fn a_model_that_onnx_runtime_refuses() {
    let mut bytes = fs::read(data("nan_depth").join("model.onnx")).unwrap();
    let at = bytes.windows(4).position(|window| window == b"Sqrt").unwrap();
    bytes[at..at + 4].copy_from_slice(b"Zqrt");
    Spoilt::new().with_onnx(&bytes).is_refused(&["model.onnx", "could not make a session", "Zqrt"]);
}

#[test]
fn tensors_other_than_the_manifest_says() {
    Spoilt::new()
        .edit("\"shape\": [1, 3, 8, 12]", "\"shape\": [1, 3, 8, 13]")
        .is_refused(&["expected image [1, 3, 8, 12]", "found [1, 3, 8, 13]"]);
    Spoilt::new()
        .edit("\"shape\": [1, 3, 8, 12]", "\"shape\": [1, 3, 8, 13]")
        .edit("\"shape\": [1, 1, 8, 12]", "\"shape\": [1, 1, 8, 13]")
        .edit("\"shape\": [1, 1, 8, 12]", "\"shape\": [1, 1, 8, 13]")
        .is_refused(&[
            "input tensor \"image\"",
            "expected float32 [1, 3, 8, 13]",
            "found float32 [1, 3, 8, 12]",
        ]);
    Spoilt::new()
        .edit("\"name\": \"image\"", "\"name\": \"picture\"")
        .is_refused(&["input tensor \"picture\"", "found only tensors image"]);
    Spoilt::new()
        .edit("\"name\": \"confidence\"", "\"name\": \"certainty\"")
        .is_refused(&["output tensor \"certainty\"", "found only tensors depth, confidence"]);
    let double = fs::read(data("double.onnx")).unwrap();
    Spoilt::new().with_onnx(&double).is_refused(&[
        "input tensor \"image\"",
        "expected float32",
        "found float64",
    ]);
    Spoilt::new()
        .edit("[1, 3, 8, 12], \"dtype\": \"float32\"", "[1, 3, 8, 12], \"dtype\": \"float64\"")
        .is_refused(&["model.yaml", "float64", "float32", "int32", "int64"]);
    // The file leaves the size open; what comes out is checked as well.
    let flat = fs::read(data("flat.onnx")).unwrap();
    Spoilt::new().with_onnx(&flat).is_refused(&[
        "output tensor \"depth\"",
        "expected float32 [1, 1, 8, 12]",
        "found float32 [1, 1, 1, 96]",
    ]);
}

#[test]
fn files_other_than_the_manifest_says() {
    let spoilt = Spoilt::new();
    let file = spoilt.model().join("model.onnx");
    let mut bytes = fs::read(&file).unwrap();
    bytes[20] ^= 1;
    fs::write(&file, bytes).unwrap();
    spoilt.is_refused(&["model.onnx", "expected SHA-256 2e3aad37", "found "]);
    fs::remove_file(&file).unwrap();
    spoilt.is_refused(&["model.onnx", "expected a readable model file"]);
    let spoilt = Spoilt::new();
    fs::remove_file(spoilt.model().join("golden.npz")).unwrap();
    spoilt.is_refused(&["golden.npz", "expected a readable golden file"]);
    fs::write(spoilt.model().join("golden.npz"), b"no archive").unwrap();
    spoilt.is_refused(&["golden.npz", "expected a readable golden file"]);
}

#[test]
fn an_output_that_differs_from_the_golden_one() {
    let mut bytes = fs::read(data("nan_depth").join("model.onnx")).unwrap();
    // The constant 2.0 becomes 3.0.
    let two = 2.0_f32.to_le_bytes();
    let at = bytes.windows(4).position(|window| window == two).unwrap();
    bytes[at..at + 4].copy_from_slice(&3.0_f32.to_le_bytes());
    Spoilt::new().with_onnx(&bytes).is_refused(&[
        "output \"depth\" differs from the golden output on cpu",
        "expected within abs 1e-4 + rel 1e-4",
        "in 96 of 96 values",
    ]);
    Spoilt::new()
        .edit("      cpu:\n        abs: 0.0001\n        rel: 0.0001\n", "")
        .is_refused(&["model.yaml", "expected golden.tolerance.fp32.cpu, found none"]);
}

#[test]
fn manifests_with_wrong_keys_say_where() {
    Spoilt::new().edit("licence:", "license:").is_refused(&["model.yaml", "line 10", "license", "licence"]);
    Spoilt::new().edit("  max_m: 10.0\n", "").is_refused(&["model.yaml", "line 8", "max_m"]);
    Spoilt::new().edit("min_m: 0.2", "min_m: near").is_refused(&[
        "model.yaml: line 4 column 10",
        "floating point",
        "(at `min_m: near`)",
    ]);
    Spoilt::new().edit("kind: \"depth\"", "kind: \"sound\"").is_refused(&[
        "model.yaml",
        "line 1",
        "sound",
        "detection",
    ]);
    Spoilt::new().edit("fusion: \"none\"", "fusion: [").is_refused(&["model.yaml", "line "]);
}

#[test]
fn precisions_and_folders_that_are_not_there() {
    Spoilt::new().is_refused_with(
        &["--set", "depth.precision=int8"],
        &["expected a model file of precision int8, found fp32"],
    );
    let spoilt = Spoilt::new();
    fs::remove_file(spoilt.model().join("model.yaml")).unwrap();
    spoilt.is_refused(&["expected a model.yaml in the model folder, found golden.npz, model.onnx"]);
}

#[test]
fn providers_that_the_library_lacks_are_errors_never_the_cpu() {
    for provider in ["cuda", "tensorrt"] {
        Spoilt::new().is_refused_with(
            &["--set", &format!("depth.provider={provider}")],
            &["model.onnx", &format!("expected provider {provider}"), "found ONNX Runtime", "with cpu alone"],
        );
    }
}
