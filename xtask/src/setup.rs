//! `cargo xtask setup`: everything the build, the demo and the tests need, in order, skipping what is there.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::digest::Digest;
use crate::environment::{self, Environment};
use crate::process::human;
use crate::python::Python;
use crate::ros::Ros;
use crate::stamp::Stamp;
use crate::workspace::Workspace;
use crate::{debian, onnxruntime, overlay, wheels};

/// What the set-up leads to.
pub struct Setup {
    pub environment: Environment,
    /// The Python that can import rclpy.
    pub ros_python: Python,
    /// The machine's own Python, for environments without ROS.
    pub system_python: Python,
    pub ros: Ros,
}

pub fn run(workspace: &Workspace) -> Result<Setup> {
    let start = Instant::now();
    let ros = Ros::detect(&workspace.ros)?;
    let _lock = lock(workspace)?;

    let system_python = Python::find();
    debian::ensure(system_python.as_ref(), &workspace.log("debian"))?;
    let system_python = system_python
        .or_else(Python::find)
        .with_context(|| format!("no {} found as python3 or python3.x on the PATH", Python::accepted()))?;

    let ros_python = match ros {
        Ros::Wheels => {
            wheels::ensure(workspace, &system_python)?;
            Python::of_venv(&workspace.underlay())?
        }
        Ros::Sourced { .. } => system_python.clone(),
    };
    let with_overlay = overlay::ensure(workspace, &ros, &ros_python)?;
    let pip_python = match ros {
        Ros::Wheels => ros_python.clone(),
        // A system Python need not have pip; a virtual environment always does.
        Ros::Sourced { .. } => pip_venv(workspace, &system_python)?,
    };
    onnxruntime::ensure(workspace, &pip_python)?;

    let environment = Environment::of(workspace, &ros, with_overlay, &ros_python);
    environment::write_setup_file(workspace, &ros, &environment)?;
    eprintln!("Set up: ROS 2 {} ({})", ros.distro(), human(start.elapsed()));
    Ok(Setup { environment, ros_python, system_python, ros })
}

/// An empty virtual environment, for its pip.
fn pip_venv(workspace: &Workspace, python: &Python) -> Result<Python> {
    let venv = workspace.ros.join("pip");
    let stamp = Stamp::new(&workspace.ros, "pip");
    let digest = Digest::default().text(&python.path().to_string_lossy()).text(&python.version()).hex();
    if !stamp.is(&digest) {
        stamp.clear()?;
        python.make_venv(&venv, Path::new("/dev/null"), &workspace.log("pip"))?;
        stamp.write(&digest)?;
    }
    Python::of_venv(&venv)
}

/// Two set-ups at once would write into the same prefix: the second waits.
fn lock(workspace: &Workspace) -> Result<File> {
    fs::create_dir_all(&workspace.ros).with_context(|| format!("cannot make {}", workspace.ros.display()))?;
    let path = workspace.ros.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            eprintln!("Waiting for another set-up of this checkout to end");
            file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
        }
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("cannot lock {}", path.display()));
        }
    }
    Ok(file)
}
