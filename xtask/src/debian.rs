//! Installs the Debian packages that the build needs and the machine lacks.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::process::{capture, run_step, succeeds};
use crate::python::Python;

/// Makes sure that a compiler, libclang (bindgen reads the ROS headers with it) and a Python that can build
/// extensions are there.
pub fn ensure(python: Option<&Python>, log: &Path) -> Result<()> {
    let missing = missing(python);
    if missing.is_empty() { Ok(()) } else { install(&missing, log) }
}

/// Installs packages, or says why not.
pub fn install(packages: &[&str], log: &Path) -> Result<()> {
    let list = packages.join(" ");
    if !succeeds(Command::new("apt-get").arg("--version")) {
        bail!(
            "this machine lacks what Debian calls {list}, and has no apt-get: install their equivalents, then run again"
        );
    }
    let Some(prefix) = privileges() else {
        bail!(
            "the Debian packages {list} are missing and neither root nor sudo is available: have them installed \
             (apt-get install {list}), then run again"
        );
    };
    let apt = |arguments: &[&str]| {
        let mut words: Vec<&str> = prefix.to_vec();
        words.extend(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]);
        words.extend(arguments);
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        command
    };
    run_step("Reading the Debian package lists", &mut apt(&["update"]), log)?;
    let mut install = vec!["install", "-y", "--no-install-recommends"];
    install.extend(packages);
    run_step(&format!("Installing the Debian packages {list}"), &mut apt(&install), log)
}

fn missing(python: Option<&Python>) -> Vec<&'static str> {
    let mut missing = Vec::new();
    match python {
        None => missing.extend(["python3", "python3-venv", "python3-dev"]),
        Some(python) => {
            if !python.runs("import ensurepip, venv") {
                missing.push("python3-venv");
            }
            let headers =
                "import os, sysconfig; open(os.path.join(sysconfig.get_path('include'), 'Python.h')).close()";
            if !python.runs(headers) {
                missing.push("python3-dev");
            }
        }
    }
    for (package, program) in [("g++", "g++"), ("make", "make"), ("clang", "clang")] {
        if !succeeds(Command::new(program).arg("--version")) {
            missing.push(package);
        }
    }
    if !has_libclang() {
        missing.push("libclang-dev");
    }
    missing
}

/// Looks where bindgen looks: `LIBCLANG_PATH`, then the folders of distributions.
fn has_libclang() -> bool {
    if std::env::var_os("LIBCLANG_PATH").is_some() {
        return true;
    }
    let triplet = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
    let mut folders: Vec<PathBuf> = vec![triplet.into(), "/usr/lib64".into(), "/usr/lib".into()];
    let versions = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    folders.extend(
        versions
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("llvm-"))
            .map(|e| e.path().join("lib")),
    );
    folders.iter().any(|folder| {
        std::fs::read_dir(folder).into_iter().flatten().flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libclang.so") || name.starts_with("libclang-")
        })
    })
}

/// The words to put before a command that changes the system, or `None` when there is no way.
fn privileges() -> Option<&'static [&'static str]> {
    if capture(Command::new("id").arg("-u")).is_ok_and(|id| id == "0") {
        return Some(&[]);
    }
    if succeeds(Command::new("sudo").args(["-n", "true"])) {
        return Some(&["sudo", "-n"]);
    }
    // Without a terminal a password prompt would hang for ever.
    (std::io::stdin().is_terminal() && succeeds(Command::new("sudo").arg("--version"))).then_some(&["sudo"])
}
