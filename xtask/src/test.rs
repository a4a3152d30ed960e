//! `cargo xtask test`: what CI runs, cheapest first, ending at the first failure.

use std::fs;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::aarch64;
use crate::digest::Digest;
use crate::onnxruntime;
use crate::process::{capture, human, run_shown, run_step, step};
use crate::python::Python;
use crate::setup::{self, Setup};
use crate::stamp::Stamp;
use crate::workspace::Workspace;

/// The version of cargo-deny that `deny.toml` is written for, and the oldest that reads it.
const CARGO_DENY: &str = "0.20.2";
const CARGO_DENY_OLDEST: (u32, u32) = (0, 20);

pub fn run(workspace: &Workspace) -> Result<()> {
    let start = Instant::now();
    check("Formatting", || cargo(workspace, None, &["fmt", "--all", "--check"], &[]))?;
    check("Dependencies", || check_dependencies(workspace))?;
    let setup = setup::run(workspace)?;
    check("Lints", || {
        let arguments =
            ["clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "-D", "warnings"];
        cargo(workspace, Some(&setup), &arguments, &[])
    })?;
    check("Fuzz targets", || {
        let arguments = [
            "check",
            "--manifest-path=fuzz/Cargo.toml",
            "--target-dir=target",
            "--no-default-features",
            "--locked",
            "--quiet",
        ];
        cargo(workspace, Some(&setup), &arguments, &[])
    })?;
    check("Documentation", || {
        let arguments = ["doc", "--workspace", "--no-deps", "--locked", "--quiet"];
        cargo(workspace, Some(&setup), &arguments, &[("RUSTDOCFLAGS", "-D warnings")])
    })?;
    let python = ensure_venv(workspace, &setup.system_python)?;
    check("Build", || {
        cargo(workspace, Some(&setup), &["build", "--workspace", "--bins", "--locked", "--quiet"], &[])
    })?;
    let old_onnxruntime = onnxruntime::ensure_old(workspace, &python)?;
    check("Rust tests", || {
        let variables = [
            // The tests of recordings ask it for a second opinion.
            ("ISOBATH_TEST_PYTHON", python.path().to_string_lossy()),
            ("ISOBATH_TEST_ORT_OLD", old_onnxruntime.to_string_lossy()),
        ];
        let variables = variables.each_ref().map(|(name, value)| (*name, value.as_ref()));
        cargo(workspace, Some(&setup), &["test", "--workspace", "--locked", "--quiet"], &variables)
    })?;
    check("Kernels on 64-bit Arm", || aarch64::test(workspace))?;
    check("Python tests", || python_tests(workspace, &python))?;
    check("ROS graph tests", || graph_tests(workspace, &setup))?;
    eprintln!("All checks passed ({})", human(start.elapsed()));
    Ok(())
}

/// Runs one check with its name before and its duration after.
fn check(name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    eprintln!("== {name}");
    let start = Instant::now();
    work().with_context(|| format!("check `{name}`"))?;
    eprintln!("== {name}: fine ({})", human(start.elapsed()));
    Ok(())
}

fn cargo(
    workspace: &Workspace,
    setup: Option<&Setup>,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> Result<()> {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(&workspace.root).args(arguments).envs(variables.iter().copied());
    if let Some(setup) = setup {
        setup.environment.apply(&mut command);
    }
    run_shown(&format!("cargo {}", arguments.first().copied().unwrap_or_default()), &mut command)
}

fn check_dependencies(workspace: &Workspace) -> Result<()> {
    let arguments = ["--log-level", "error", "check", "bans", "licenses", "sources"];
    let mut command = if has_cargo_deny("cargo-deny") {
        Command::new("cargo-deny")
    } else {
        let root = Workspace::cache()?.join("tools").join(format!("cargo-deny-{CARGO_DENY}"));
        let installed = root.join("bin/cargo-deny");
        if !has_cargo_deny(&installed) {
            let mut install = Command::new(env!("CARGO"));
            // Unoptimised builds in half the time, and the check takes a second either way.
            install
                .args(["install", "cargo-deny", "--version", CARGO_DENY, "--locked", "--debug", "--root"])
                .arg(&root);
            // Elsewhere than the workspace's own build, which other settings would make start anew.
            install.env("CARGO_TARGET_DIR", root.join("target")).env_remove("CARGO_MANIFEST_DIR");
            let log = workspace.log("cargo-deny");
            run_step(&format!("Building cargo-deny {CARGO_DENY}"), &mut install, &log)?;
            fs::remove_dir_all(root.join("target")).ok();
        }
        Command::new(installed)
    };
    run_shown("cargo deny", command.current_dir(&workspace.root).args(arguments))
}

fn has_cargo_deny(program: impl AsRef<std::ffi::OsStr>) -> bool {
    capture(Command::new(program).arg("--version")).is_ok_and(|version| is_recent(&version))
}

/// Reads `cargo-deny 0.20.2`.
fn is_recent(version: &str) -> bool {
    let Some(number) = version.split_whitespace().nth(1) else { return false };
    let mut parts = number.split('.').map_while(|part| part.parse::<u32>().ok());
    match (parts.next(), parts.next()) {
        (Some(major), Some(minor)) => (major, minor) >= CARGO_DENY_OLDEST,
        _ => false,
    }
}

/// The virtual environment of the Python tests, made when missing or when its list of packages changed.
fn ensure_venv(workspace: &Workspace, python: &Python) -> Result<Python> {
    let venv = workspace.test_venv();
    let requirements = workspace.root.join("tests/requirements.txt");
    let digest = Digest::default()
        .file(&requirements)?
        .file(&workspace.root.join("training/pyproject.toml"))?
        .text(&venv.to_string_lossy())
        .text(&python.path().to_string_lossy())
        .text(&python.version())
        .hex();
    let stamp = Stamp::new(&workspace.ros, "venv");
    if stamp.is(&digest) && venv.join("bin/python").exists() {
        return Python::of_venv(&venv);
    }
    stamp.clear()?;
    let made = step("Installing the Python packages of the tests", || {
        python.make_venv(&venv, &requirements, &workspace.log("venv"))
    })?;
    stamp.write(&digest)?;
    Ok(made)
}

/// Bags against the `rosbags` library, models against ONNX Runtime, the training package: no ROS involved.
fn python_tests(workspace: &Workspace, python: &Python) -> Result<()> {
    let mut command = Command::new(python.path());
    // These tests run executables too; nothing of ROS may be needed for that.
    for variable in ["PYTHONPATH", "AMENT_PREFIX_PATH", "LD_LIBRARY_PATH"] {
        command.env_remove(variable);
    }
    command
        .current_dir(&workspace.root)
        .args(["-m", "pytest", "-q", "--ignore", "tests/graph", "tests", "training"])
        .env("CARGO_TARGET_DIR", workspace.target());
    run_pytest("Python tests", &mut command)
}

/// Nodes on a real graph, watched by rclpy.
fn graph_tests(workspace: &Workspace, setup: &Setup) -> Result<()> {
    if !setup.ros_python.runs("import pytest") {
        bail!(
            "the Python of the sourced ROS 2 lacks pytest: install it (apt-get install python3-pytest), then run again"
        );
    }
    let mut command = Command::new(setup.ros_python.path());
    setup.environment.apply(&mut command);
    command
        .current_dir(&workspace.root)
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/graph"])
        .env("CARGO_TARGET_DIR", workspace.target());
    run_pytest(&format!("Tests on a ROS 2 {} graph", setup.ros.distro()), &mut command)
}

fn run_pytest(what: &str, command: &mut Command) -> Result<()> {
    run_shown(what, command.env("PYTHONDONTWRITEBYTECODE", "1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_cargo_deny_are_compared_as_numbers() {
        assert!(is_recent("cargo-deny 0.20.2"));
        assert!(is_recent("cargo-deny 1.0.0"));
        assert!(!is_recent("cargo-deny 0.9.3"));
        assert!(!is_recent("cargo-deny"));
        assert!(!is_recent("error: no such command"));
    }
}
