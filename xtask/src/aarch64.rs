//! The kernels' tests on an emulated 64-bit Arm processor, for machines that are none.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::debian;
use crate::process::{capture, run_shown, run_step, succeeds};
use crate::workspace::Workspace;

const TARGET: &str = "aarch64-unknown-linux-gnu";
const LINKER: &str = "aarch64-linux-gnu-gcc";
const EMULATOR: &str = "qemu-aarch64";

/// Where Debian puts the C library of the other architecture.
const LIBRARIES: &str = "/usr/aarch64-linux-gnu";

/// A processor with the dot product of 8-bit integers, and one without.
const PROCESSORS: [&str; 2] = ["max", "cortex-a53"];

/// Runs the tests on each of [`PROCESSORS`]. Where the tools cannot be had, says so and lets it be.
pub fn test(workspace: &Workspace) -> Result<()> {
    if cfg!(target_arch = "aarch64") {
        eprintln!("  nothing to emulate: this machine is one");
        return Ok(());
    }
    if let Err(reason) = ensure_tools(workspace) {
        eprintln!("  SKIPPED: the kernels of 64-bit Arm were not tested: {reason:#}");
        return Ok(());
    }
    for processor in PROCESSORS {
        let mut command = Command::new(env!("CARGO"));
        command
            .current_dir(&workspace.root)
            .args(["test", "--package", "isobath_kernels", "--target", TARGET, "--locked", "--quiet"])
            .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", LINKER)
            .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", format!("{EMULATOR} -L {LIBRARIES}"))
            .env("QEMU_CPU", processor);
        run_shown(&format!("the kernels' tests on an emulated {processor}"), &mut command)?;
    }
    Ok(())
}

/// The emulator, a linker with the C library, and the standard library of Rust.
fn ensure_tools(workspace: &Workspace) -> Result<()> {
    let missing: Vec<&str> = [
        ("qemu-user", succeeds(Command::new(EMULATOR).arg("--version"))),
        ("gcc-aarch64-linux-gnu", succeeds(Command::new(LINKER).arg("--version"))),
        ("libc6-dev-arm64-cross", Path::new(LIBRARIES).join("lib/libc.so.6").exists()),
    ]
    .into_iter()
    .filter_map(|(package, is_there)| (!is_there).then_some(package))
    .collect();
    let log = workspace.log("aarch64");
    if !missing.is_empty() {
        debian::install(&missing, &log)?;
    }
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let libraries = || {
        capture(Command::new(&rustc).current_dir(&workspace.root).args([
            "--print",
            "target-libdir",
            "--target",
            TARGET,
        ]))
    };
    if Path::new(&libraries()?).exists() {
        return Ok(());
    }
    let mut add = Command::new("rustup");
    add.current_dir(&workspace.root).args(["target", "add", TARGET]);
    run_step(&format!("Installing the Rust target {TARGET}"), &mut add, &log).context("rustup")
}
