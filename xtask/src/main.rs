//! Set-up, demo and checks of the repository: `cargo xtask <command>`.

mod aarch64;
mod debian;
mod demo;
mod digest;
mod environment;
mod onnxruntime;
mod overlay;
mod process;
mod python;
mod ros;
mod setup;
mod stamp;
mod test;
mod wheels;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::workspace::Workspace;

const USAGE: &str = "\
Usage: cargo xtask <command>

  setup            prepare ROS 2, ONNX Runtime and the build tools; does nothing when they are there
  demo [options]   set up, build, run the suite on a ROS 2 graph fed from a bag; options go to the demo
  test             set up, then run every check that CI runs
  env              print the environment of the set-up: eval \"$(cargo xtask env)\"
";

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let Some(command) = arguments.next() else { bail!("no command given\n\n{USAGE}") };
    let rest: Vec<String> = arguments.collect();
    if command != "demo"
        && let Some(unexpected) = rest.first()
    {
        bail!("`cargo xtask {command}` takes no arguments, found `{unexpected}`\n\n{USAGE}");
    }
    let workspace = Workspace::locate()?;
    match command.as_str() {
        "setup" => setup::run(&workspace).map(|_| ExitCode::SUCCESS),
        "demo" => demo::run(&workspace, &rest),
        "test" => test::run(&workspace).map(|()| ExitCode::SUCCESS),
        "env" => environment::print(&workspace).map(|()| ExitCode::SUCCESS),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        unknown => bail!("unknown command `{unknown}`\n\n{USAGE}"),
    }
}
