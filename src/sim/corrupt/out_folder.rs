//! The folder for the new recording, which is as it was before if the command fails.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::CorruptError;

/// A folder that is about to get a recording. Dropped without [`OutFolder::keep`], it loses again what was
/// written into it.
pub(super) struct OutFolder {
    path: PathBuf,
    created: bool,
    kept: bool,
}

impl OutFolder {
    /// Refuses a folder that holds something, and what cannot be one. Touches nothing.
    pub fn check(path: &Path) -> Result<(), CorruptError> {
        if path.extension().is_some_and(|extension| extension == "mcap") {
            return Err(CorruptError::OutIsFile(path.to_owned()));
        }
        match std::fs::read_dir(path) {
            Ok(mut entries) => match entries.next() {
                Some(_) => Err(CorruptError::OutNotEmpty(path.to_owned())),
                None => Ok(()),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(cannot_write(path, &error)),
        }
    }

    /// Makes the folder, which [`OutFolder::check`] found missing or empty.
    pub fn create(path: &Path) -> Result<Self, CorruptError> {
        let created = !path.exists();
        std::fs::create_dir_all(path).map_err(|error| cannot_write(path, &error))?;
        Ok(Self { path: path.to_owned(), created, kept: false })
    }

    /// Leaves the recording where it is.
    pub fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for OutFolder {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // It was empty. The error that ended the command is the one to tell.
        for entry in std::fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let _ = std::fs::remove_file(entry.path());
        }
        if self.created {
            let _ = std::fs::remove_dir(&self.path);
        }
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> CorruptError {
    CorruptError::Write { path: path.to_owned(), reason: error.to_string() }
}
