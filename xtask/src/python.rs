//! Finds a Python and makes virtual environments with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{capture, run_logged, succeeds};

/// The versions that the ROS wheels exist for.
const OLDEST_MINOR: u32 = 10;
const NEWEST_MINOR: u32 = 14;

/// A Python 3 interpreter.
#[derive(Clone)]
pub struct Python {
    path: PathBuf,
    minor: u32,
}

impl Python {
    /// `python3` if its version fits, else the newest named version that does.
    pub fn find() -> Option<Self> {
        let named = (OLDEST_MINOR..=NEWEST_MINOR).rev().map(|minor| format!("python3.{minor}"));
        std::iter::once("python3".to_owned()).chain(named).find_map(|name| {
            let version = capture(Command::new(&name).args([
                "-c",
                "import sys; print(sys.version_info.major, sys.version_info.minor, sys.executable)",
            ]))
            .ok()?;
            Self::parse(&version)
        })
    }

    /// The interpreter of an existing virtual environment.
    pub fn of_venv(venv: &Path) -> Result<Self> {
        let path = venv.join("bin/python");
        let version = capture(Command::new(&path).args([
            "-c",
            "import sys; print(sys.version_info.major, sys.version_info.minor, sys.executable)",
        ]))?;
        Self::parse(&version).with_context(|| format!("{} is Python {version}", path.display()))
    }

    fn parse(version: &str) -> Option<Self> {
        let mut words = version.splitn(3, ' ');
        let major: u32 = words.next()?.parse().ok()?;
        let minor: u32 = words.next()?.parse().ok()?;
        let path = PathBuf::from(words.next()?);
        (major == 3 && (OLDEST_MINOR..=NEWEST_MINOR).contains(&minor)).then_some(Self { path, minor })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What messages call the accepted versions.
    pub fn accepted() -> String {
        format!("Python 3.{OLDEST_MINOR} to 3.{NEWEST_MINOR}")
    }

    /// `3.11` and so on, as in `lib/python3.11/site-packages`.
    pub fn version(&self) -> String {
        format!("3.{}", self.minor)
    }

    /// Whether the code runs without an error.
    pub fn runs(&self, code: &str) -> bool {
        succeeds(Command::new(&self.path).args(["-c", code]))
    }

    /// What the code prints.
    pub fn evaluate(&self, code: &str) -> Result<String> {
        capture(Command::new(&self.path).args(["-c", code]))
    }

    /// Makes a virtual environment anew at `venv` and installs what the file `requirements` lists; paths in it
    /// are relative to the folder that holds the file.
    pub fn make_venv(&self, venv: &Path, requirements: &Path, log: &Path) -> Result<Self> {
        if venv.exists() {
            fs::remove_dir_all(venv)
                .with_context(|| format!("cannot remove the unfinished {}", venv.display()))?;
        }
        fs::remove_file(log).ok();
        run_logged(
            "Making a virtual environment",
            Command::new(&self.path).args(["-m", "venv"]).arg(venv),
            log,
        )?;
        let made = Self::of_venv(venv)?;
        let mut pip = made.pip("install");
        pip.current_dir(requirements.parent().unwrap_or(venv)).arg("--requirement").arg(requirements);
        run_logged("Installing Python packages", &mut pip, log)?;
        Ok(made)
    }

    /// `pip <command>` with what makes it quiet and free of questions.
    pub fn pip(&self, command: &str) -> Command {
        let mut pip = Command::new(&self.path);
        pip.args([
            "-m",
            "pip",
            "--disable-pip-version-check",
            "--no-input",
            command,
            "--progress-bar",
            "off",
        ])
        // The ROS wheels re-execute Python at start to set LD_LIBRARY_PATH; the fix-ups make that needless.
        .env("_ROS_WHEELS_BOOTSTRAP_COMPLETE", "1")
        .env_remove("PYTHONPATH");
        pip
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_outside_the_range_are_refused() {
        assert!(Python::parse("3 9 /usr/bin/python3").is_none());
        assert!(Python::parse("3 15 /usr/bin/python3").is_none());
        assert!(Python::parse("2 11 /usr/bin/python2").is_none());
        let python = Python::parse("3 11 /opt/with space/python3").unwrap();
        assert_eq!(python.version(), "3.11");
        assert_eq!(python.path(), Path::new("/opt/with space/python3"));
    }
}
