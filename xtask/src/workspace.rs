//! Where things lie in the checkout and in the user's cache.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The checkout's folders that the tasks read and write.
pub struct Workspace {
    /// The folder of the root `Cargo.toml`.
    pub root: PathBuf,
    /// Everything ROS that the set-up makes: underlay, overlay, logs and stamps.
    pub ros: PathBuf,
}

impl Workspace {
    /// The workspace this task runner was built from.
    pub fn locate() -> Result<Self> {
        // Cargo sets the variable at run time too; it follows a checkout that has been moved since the build.
        let manifest =
            env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
        let root = Path::new(&manifest).join("..");
        let root = fs::canonicalize(&root).with_context(|| format!("no checkout at {}", root.display()))?;
        let ros = root.join(".ros");
        Ok(Self { root, ros })
    }

    /// The virtual environment that is the Jazzy prefix when no ROS 2 is sourced.
    pub fn underlay(&self) -> PathBuf {
        self.ros.join("underlay")
    }

    /// The prefix of the interface packages that the underlay lacks.
    pub fn overlay(&self) -> PathBuf {
        self.ros.join("overlay")
    }

    /// The virtual environment of the Python tests and the training package.
    pub fn test_venv(&self) -> PathBuf {
        self.root.join(".venv")
    }

    /// The DDS profile that lets big messages through.
    pub fn dds_profile(&self) -> PathBuf {
        self.root.join("config/fastdds.xml")
    }

    /// The captured output of one step.
    pub fn log(&self, step: &str) -> PathBuf {
        self.ros.join("log").join(format!("{step}.log"))
    }

    /// Where cargo puts what it builds.
    pub fn target(&self) -> PathBuf {
        match env::var_os("CARGO_TARGET_DIR") {
            Some(target) => self.root.join(target),
            None => self.root.join("target"),
        }
    }

    /// The user's cache: what does not depend on the checkout.
    pub fn cache() -> Result<PathBuf> {
        if let Some(cache) = env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()) {
            return Ok(Path::new(&cache).join("isobath"));
        }
        let home = env::var_os("HOME")
            .filter(|value| !value.is_empty())
            .context("neither XDG_CACHE_HOME nor HOME is set, so there is no place for the cache")?;
        Ok(Path::new(&home).join(".cache/isobath"))
    }
}
