//! What a finished step leaves behind, so that the next run can skip it.
//!
//! A stamp is written last and by rename: a step that was killed has none and is done again.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The stamp of one step: a small file that holds the digest of the step's inputs.
pub struct Stamp(PathBuf);

impl Stamp {
    /// The stamp of `step` below the set-up folder `ros`.
    pub fn new(ros: &Path, step: &str) -> Self {
        Self(ros.join("stamps").join(step))
    }

    /// The digest that the last finished run was made with.
    pub fn recorded(&self) -> Option<String> {
        fs::read_to_string(&self.0).ok()
    }

    /// Whether the step has been finished with exactly these inputs.
    pub fn is(&self, digest: &str) -> bool {
        self.recorded().as_deref() == Some(digest)
    }

    /// Forgets the step, before something it made is changed.
    pub fn clear(&self) -> Result<()> {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", self.0.display()))
            }
            _ => Ok(()),
        }
    }

    /// Records that the step is finished.
    pub fn write(&self, digest: &str) -> Result<()> {
        write_atomically(&self.0, digest)
    }
}

/// Writes a text file so that a reader sees the old content or the new one, nothing between.
pub fn write_atomically(path: &Path, content: &str) -> Result<()> {
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    let write = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&temporary, content)?;
        fs::rename(&temporary, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
