//! ONNX Runtime libraries old and wrong, through the command: a process holds one library only.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

fn isobath(library: &Path) -> Command {
    let mut command = Command::cargo_bin("isobath").unwrap();
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("ISOBATH_ORT_LIBRARY", library)
        .env_remove("ISOBATH_MODEL_PATH")
        .env_remove("AMENT_PREFIX_PATH");
    command
}

fn doctor(library: &Path) -> (Option<i32>, Value) {
    let output = isobath(library).args(["doctor", "--json"]).output().unwrap();
    (output.status.code(), serde_json::from_slice(&output.stdout).expect("one JSON value"))
}

fn replay(library: &Path, out: &Path) -> Output {
    let bag = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/real_sensors");
    isobath(library)
        .arg("replay")
        .arg(bag)
        .arg("--out")
        .arg(out)
        .args(["--remap", "image:=/camera/image_raw", "--remap", "camera_info:=/camera/camera_info"])
        .args([
            "--remap",
            "radar_0/points:=/radar_ars548/points",
            "--remap",
            "lidar/points:=/lidar_vlp16/points",
        ])
        .output()
        .unwrap()
}

/// `ISOBATH_TEST_ORT_OLD` names a library as old as those of JetPack 6; `cargo xtask test` sets it.
#[test]
fn an_old_library_runs_the_bundled_models() {
    let Some(library) = std::env::var_os("ISOBATH_TEST_ORT_OLD").map(PathBuf::from) else {
        eprintln!("ISOBATH_TEST_ORT_OLD is not set: no old ONNX Runtime was tried");
        return;
    };
    assert!(library.is_file(), "ISOBATH_TEST_ORT_OLD names {}, which is no file", library.display());
    let (code, report) = doctor(&library);
    assert_eq!(code, Some(0), "{report:#}");
    let runtime = &report["facts"]["onnxruntime"];
    assert!(runtime["library"]["version"].as_str().unwrap().starts_with("1.20."), "{runtime}");
    assert_eq!(runtime["providers"], serde_json::json!(["cpu"]));
    for name in ["depth_baseline", "detection_baseline"] {
        let models = report["facts"]["models"].as_array().unwrap();
        let model = models.iter().find(|model| model["name"] == name).expect(name);
        let file = &model["files"][0];
        // That the golden output was met is part of it.
        assert!(file["outcome"]["passed"]["load_ms"].is_u64(), "{file}");
    }
    let folder = TempDir::new().unwrap();
    let output = replay(&library, &folder.path().join("out"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("out/run.json")).unwrap()).unwrap();
    for node in ["depth", "detection"] {
        assert!(summary["nodes"][node]["published"].as_u64().unwrap() > 0, "{summary:#}");
        assert_eq!(summary["nodes"][node]["model"]["onnxruntime"], runtime["library"]["version"]);
    }
}

/// A shared library from C source.
fn compile(folder: &Path, source: &str) -> PathBuf {
    let (code, library) = (folder.join("stub.c"), folder.join("libonnxruntime.so"));
    fs::write(&code, source).unwrap();
    let compiler = std::process::Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &code])
        .output()
        .expect("a C compiler, which building this project needs too");
    assert!(compiler.status.success(), "{}", String::from_utf8_lossy(&compiler.stderr));
    library
}

/// A library that says it is `version` and offers no API.
fn stub(version: &str) -> String {
    format!(
        "typedef struct {{ const void *(*get_api)(unsigned); const char *(*version)(void); }} Base;\n\
         static const void *get_api(unsigned version) {{ (void)version; return 0; }}\n\
         static const char *version(void) {{ return \"{version}\"; }}\n\
         static const Base base = {{ get_api, version }};\n\
         const Base *OrtGetApiBase(void) {{ return &base; }}\n"
    )
}

/// Both the report and a replay name the library and say `expected`.
#[track_caller]
fn is_refused(library: &Path, expected: &[&str]) {
    let path = library.canonicalize().unwrap();
    let folder = TempDir::new().unwrap();
    let output = replay(library, &folder.path().join("out"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let (code, report) = doctor(library);
    assert_eq!(code, Some(1), "{report:#}");
    let findings = report["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["subject"] == "ONNX Runtime").unwrap();
    assert_eq!(finding["level"], "error");
    for text in [&stderr, finding["text"].as_str().unwrap()] {
        assert!(text.contains(path.to_str().unwrap()), "expected {} in {text}", path.display());
        for part in expected {
            assert!(text.contains(part), "expected {part:?} in {text}");
        }
    }
}

#[test]
fn a_library_too_old_names_both_versions() {
    let folder = TempDir::new().unwrap();
    let library = compile(folder.path(), &stub("1.10.0"));
    is_refused(&library, &["expected ONNX Runtime 1.17 or newer, found 1.10.0"]);
}

#[test]
fn a_version_that_is_none_or_not_true() {
    let folder = TempDir::new().unwrap();
    let library = compile(folder.path(), &stub("unknown"));
    is_refused(&library, &["expected ONNX Runtime 1.17 or newer, found unknown"]);
    let library = compile(folder.path(), &stub("1.99.0"));
    is_refused(&library, &["expected an ONNX Runtime library", "1.99.0", "no API of version 17"]);
}

#[test]
fn a_library_of_something_else() {
    let folder = TempDir::new().unwrap();
    let library = compile(folder.path(), "int answer(void) { return 42; }\n");
    is_refused(&library, &["expected an ONNX Runtime library", "no symbol OrtGetApiBase"]);
    let library = compile(folder.path(), "const void *OrtGetApiBase(void) { return 0; }\n");
    is_refused(&library, &["expected an ONNX Runtime library", "OrtGetApiBase returned nothing"]);
}

#[test]
fn a_file_that_is_no_library() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("libonnxruntime.so");
    for bytes in [&b"a text"[..], b"", b"\x7fELF\x02\x01\x01\0"] {
        fs::write(&file, bytes).unwrap();
        is_refused(&file, &["expected an ONNX Runtime library, found: "]);
    }
}
