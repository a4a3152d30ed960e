//! `cargo xtask demo`: from whatever the machine has to the suite running on a ROS 2 graph.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::process::run_shown;
use crate::setup;
use crate::workspace::Workspace;

/// Sets up, builds, and gives the terminal to the demo; its exit code becomes ours.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    let setup = setup::run(workspace)?;
    eprintln!("Building the suite");
    // The whole workspace, as the tests build it: a part of it would resolve other features and build r2r twice.
    let mut build = Command::new(env!("CARGO"));
    build.current_dir(&workspace.root).args(["build", "--workspace", "--bins", "--locked"]);
    run_shown("Building the suite", setup.environment.apply(&mut build))?;

    let executable = workspace.target().join("debug/isobath_demo");
    let mut demo = Command::new(&executable);
    demo.current_dir(&workspace.root).args(arguments);
    let status = setup
        .environment
        .apply(&mut demo)
        .status()
        .with_context(|| format!("cannot start the demo {}", executable.display()))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}
