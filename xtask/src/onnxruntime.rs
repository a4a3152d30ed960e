//! Puts the ONNX Runtime library where the suite looks for it without any environment variable.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::digest::sha256_of_file;
use crate::process::{run_logged, step};
use crate::python::Python;
use crate::workspace::Workspace;

const VERSION: &str = "1.32.0";

/// SHA-256 of the library inside the Python wheel, by architecture.
const LIBRARIES: [(&str, &str); 2] = [
    ("x86_64", "6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f"),
    ("aarch64", "49852228a93995158b2a813d4df487d47a1b76b0eaa894507ef49e91b6d7954a"),
];

/// Fetches the library unless the cache has it; `python` is one with pip.
pub fn ensure(workspace: &Workspace, python: &Python) -> Result<()> {
    let folder = Workspace::cache()?.join("onnxruntime").join(VERSION);
    let library = folder.join("libonnxruntime.so");
    // It comes into place by rename after its checksum was verified, so a present file is a whole one.
    if library.exists() {
        return Ok(());
    }
    let arch = std::env::consts::ARCH;
    let Some((_, expected)) = LIBRARIES.iter().find(|(known, _)| *known == arch) else {
        bail!(
            "there is no ready-made ONNX Runtime {VERSION} for {arch}: build it and set ISOBATH_ORT_LIBRARY to its libonnxruntime.so"
        );
    };
    step(&format!("Fetching ONNX Runtime {VERSION} for {arch}"), || {
        let work = folder.join(format!("fetch.{}", std::process::id()));
        let result = fetch(&work, python, arch, &workspace.log("onnxruntime"))
            .and_then(|()| place(&work, &library, expected));
        fs::remove_dir_all(&work).ok();
        result
    })
}

fn fetch(work: &Path, python: &Python, arch: &str, log: &Path) -> Result<()> {
    fs::create_dir_all(work).with_context(|| format!("cannot make {}", work.display()))?;
    fs::remove_file(log).ok();
    // One Python version for everyone: the library is the same in all, and so one checksum does.
    let mut download = python.pip("download");
    download
        .args([
            "--no-deps",
            "--only-binary=:all:",
            "--implementation",
            "cp",
            "--python-version",
            "3.11",
            "--abi",
            "cp311",
        ])
        .args(["--platform", &format!("manylinux_2_28_{arch}"), "--dest"])
        .arg(work)
        .arg(format!("onnxruntime=={VERSION}"));
    run_logged("Fetching ONNX Runtime", &mut download, log)?;
    let wheel = fs::read_dir(work)
        .with_context(|| format!("cannot list {}", work.display()))?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .with_context(|| format!("pip left no wheel in {}", work.display()))?;
    let mut unpack = Command::new(python.path());
    unpack.args(["-m", "zipfile", "-e"]).arg(wheel).arg(work);
    run_logged("Unpacking ONNX Runtime", &mut unpack, log)
}

fn place(work: &Path, library: &Path, expected: &str) -> Result<()> {
    let unpacked = work.join(format!("onnxruntime/capi/libonnxruntime.so.{VERSION}"));
    let found = sha256_of_file(&unpacked)?;
    if found != expected {
        bail!(
            "the downloaded ONNX Runtime {VERSION} has SHA-256 {found}, expected {expected}: it is not used"
        );
    }
    fs::rename(&unpacked, library).with_context(|| format!("cannot place {}", library.display()))
}
