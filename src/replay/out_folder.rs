//! The folder for the results, which is as it was before if the replay fails.

use std::path::{Path, PathBuf};

use super::ReplayError;

/// What a replay writes into it.
const FILES: [&str; 3] = ["outputs.mcap", "run.json", "run.json.partial"];

/// A folder that is about to get results. Dropped without [`OutFolder::keep`], it loses again what was
/// written into it.
pub(super) struct OutFolder {
    path: PathBuf,
    created: bool,
    kept: bool,
}

impl OutFolder {
    /// Refuses a folder that holds something, unless `resume` allows to replace an unfinished run.
    /// Touches nothing.
    pub fn check(path: &Path, resume: bool) -> Result<(), ReplayError> {
        match std::fs::read_dir(path) {
            Ok(mut entries) => match entries.next() {
                Some(_) if !resume => Err(ReplayError::OutNotEmpty(path.to_owned())),
                _ => Ok(()),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(cannot_write(path, &error)),
        }
    }

    /// Makes the folder, and removes the files of an earlier run.
    pub fn create(path: &Path) -> Result<Self, ReplayError> {
        let created = !path.exists();
        std::fs::create_dir_all(path).map_err(|error| cannot_write(path, &error))?;
        let folder = Self { path: path.to_owned(), created, kept: false };
        for file in folder.files().filter(|file| file.exists()) {
            std::fs::remove_file(&file).map_err(|error| cannot_write(&file, &error))?;
        }
        Ok(folder)
    }

    /// Leaves the results where they are.
    pub fn keep(mut self) {
        self.kept = true;
    }

    fn files(&self) -> impl Iterator<Item = PathBuf> {
        FILES.iter().map(|file| self.path.join(file))
    }
}

impl Drop for OutFolder {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // The error that ended the replay is the one to tell.
        for file in self.files() {
            let _ = std::fs::remove_file(file);
        }
        if self.created {
            let _ = std::fs::remove_dir(&self.path);
        }
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> ReplayError {
    ReplayError::Write { path: path.to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_failed_replay_leaves_nothing_behind() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("out");
        let folder = OutFolder::create(&path).unwrap();
        fs::write(path.join("outputs.mcap"), "half").unwrap();
        drop(folder);
        assert!(!path.exists());

        fs::create_dir(&path).unwrap();
        fs::write(path.join("mine.txt"), "mine").unwrap();
        assert!(matches!(OutFolder::check(&path, false), Err(ReplayError::OutNotEmpty(_))));
        OutFolder::check(&path, true).unwrap();
        let folder = OutFolder::create(&path).unwrap();
        fs::write(path.join("outputs.mcap"), "half").unwrap();
        drop(folder);
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1, "what was there before stays");

        let folder = OutFolder::create(&path).unwrap();
        fs::write(path.join("run.json"), "{}").unwrap();
        folder.keep();
        assert!(path.join("run.json").exists());
    }
}
