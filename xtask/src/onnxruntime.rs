//! Puts the ONNX Runtime library where the suite looks for it without any environment variable.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::digest::sha256_of_file;
use crate::process::{run_logged, step};
use crate::python::Python;
use crate::workspace::Workspace;

/// One version of the library.
struct Release {
    version: &'static str,
    /// SHA-256 of the library inside the Python wheel, by architecture.
    libraries: [(&'static str, &'static str); 2],
}

/// What the suite runs with.
const CURRENT: Release = Release {
    version: "1.32.0",
    libraries: [
        ("x86_64", "6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f"),
        ("aarch64", "49852228a93995158b2a813d4df487d47a1b76b0eaa894507ef49e91b6d7954a"),
    ],
};

/// As old as the builds for JetPack 6.
const OLD: Release = Release {
    version: "1.20.1",
    libraries: [
        ("x86_64", "be3dd32e78f6906fd4fa6208dbd296031fa1c3ffb42b40f706cf68d3de269f2b"),
        ("aarch64", "421034f743da872315a6631ed02d8de6bf06273277f9bcc2de75770b1c2a5db6"),
    ],
};

/// Fetches the library unless the cache has it; `python` is one with pip.
pub fn ensure(workspace: &Workspace, python: &Python) -> Result<()> {
    CURRENT.ensure(workspace, python, "onnxruntime").map(|_| ())
}

/// Fetches the old library that tests load, to where the suite does not look for one, and gives its path.
pub fn ensure_old(workspace: &Workspace, python: &Python) -> Result<PathBuf> {
    OLD.ensure(workspace, python, "onnxruntime-test")
}

impl Release {
    /// Fetches the library into `place` of the cache unless it is there.
    fn ensure(&self, workspace: &Workspace, python: &Python, place: &str) -> Result<PathBuf> {
        let version = self.version;
        let folder = Workspace::cache()?.join(place).join(version);
        let library = folder.join("libonnxruntime.so");
        // It comes into place by rename after its checksum was verified, so a present file is a whole one.
        if library.exists() {
            return Ok(library);
        }
        let arch = std::env::consts::ARCH;
        let Some((_, expected)) = self.libraries.iter().find(|(known, _)| *known == arch) else {
            bail!(
                "there is no ready-made ONNX Runtime {version} for {arch}: build it and set ISOBATH_ORT_LIBRARY to its libonnxruntime.so"
            );
        };
        step(&format!("Fetching ONNX Runtime {version} for {arch}"), || {
            let work = folder.join(format!("fetch.{}", std::process::id()));
            let result = self
                .fetch(&work, python, arch, &workspace.log("onnxruntime"))
                .and_then(|()| self.place(&work, &library, expected));
            fs::remove_dir_all(&work).ok();
            result
        })?;
        Ok(library)
    }

    fn fetch(&self, work: &Path, python: &Python, arch: &str, log: &Path) -> Result<()> {
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
            .args(["--platform", &format!("manylinux_2_28_{arch}")])
            // Older wheels are tagged for the older C library that they run on.
            .args(["--platform", &format!("manylinux_2_27_{arch}"), "--dest"])
            .arg(work)
            .arg(format!("onnxruntime=={}", self.version));
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

    fn place(&self, work: &Path, library: &Path, expected: &str) -> Result<()> {
        let version = self.version;
        let unpacked = work.join(format!("onnxruntime/capi/libonnxruntime.so.{version}"));
        let found = sha256_of_file(&unpacked)?;
        if found != expected {
            bail!(
                "the downloaded ONNX Runtime {version} has SHA-256 {found}, expected {expected}: it is not used"
            );
        }
        fs::rename(&unpacked, library).with_context(|| format!("cannot place {}", library.display()))
    }
}
