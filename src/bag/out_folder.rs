//! The folder for new results, which is as it was before if the command fails.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Why a folder cannot take results.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutFolderError {
    /// It holds something
    #[error("folder '{0}' is not empty; give another --out")]
    NotEmpty(PathBuf),
    /// A bag is a folder; this is the name of a file
    #[error("--out: expected a folder for a new bag, found '{0}', a file name")]
    IsFile(PathBuf),
    /// It cannot be made or looked at
    #[error("cannot write '{path}': {reason}")]
    Write {
        /// File or folder
        path: PathBuf,
        /// What the system said
        reason: String,
    },
}

/// A folder that is about to get results. Dropped without [`OutFolder::keep`], it loses again what was
/// written into it.
#[derive(Debug)]
pub struct OutFolder {
    path: PathBuf,
    /// What was there before; `None` for a new folder, which goes as a whole
    before: Option<BTreeSet<OsString>>,
    kept: bool,
}

impl OutFolder {
    /// Refuses a folder that holds something. Touches nothing.
    pub fn check(path: &Path) -> Result<(), OutFolderError> {
        match std::fs::read_dir(path) {
            Ok(mut entries) => match entries.next() {
                Some(_) => Err(OutFolderError::NotEmpty(path.to_owned())),
                None => Ok(()),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(cannot_write(path, &error)),
        }
    }

    /// As [`OutFolder::check`], and refuses the name of an MCAP file: a bag is a folder.
    pub fn check_for_bag(path: &Path) -> Result<(), OutFolderError> {
        if path.extension().is_some_and(|extension| extension == "mcap") {
            return Err(OutFolderError::IsFile(path.to_owned()));
        }
        Self::check(path)
    }

    /// The folder of a new bag at `path`; `None` where that is the name of a plain MCAP file.
    pub fn for_new_bag(path: &Path) -> Result<Option<Self>, OutFolderError> {
        match Self::check_for_bag(path) {
            Err(OutFolderError::IsFile(_)) => Ok(None),
            checked => checked.and_then(|()| Self::create(path, &[])).map(Some),
        }
    }

    /// Makes the folder unless it is there, and removes the files in it that are called as one of `replaced`.
    /// What else it holds stays, whatever becomes of the results.
    pub fn create(path: &Path, replaced: &[&str]) -> Result<Self, OutFolderError> {
        let is_new = !path.exists();
        std::fs::create_dir_all(path).map_err(|error| cannot_write(path, &error))?;
        if is_new {
            return Ok(Self { path: path.to_owned(), before: None, kept: false });
        }
        for file in replaced.iter().map(|file| path.join(file)).filter(|file| file.exists()) {
            std::fs::remove_file(&file).map_err(|error| cannot_write(&file, &error))?;
        }
        let entries = std::fs::read_dir(path).map_err(|error| cannot_write(path, &error))?;
        let before = entries.flatten().map(|entry| entry.file_name()).collect();
        Ok(Self { path: path.to_owned(), before: Some(before), kept: false })
    }

    /// Leaves the results where they are.
    pub fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for OutFolder {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // The error that ended the command is the one to tell.
        let was_there = |name: &OsString| self.before.as_ref().is_some_and(|before| before.contains(name));
        for entry in std::fs::read_dir(&self.path).into_iter().flatten().flatten() {
            if !was_there(&entry.file_name()) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
        if self.before.is_none() {
            let _ = std::fs::remove_dir(&self.path);
        }
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> OutFolderError {
    OutFolderError::Write { path: path.to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_failed_command_leaves_nothing_behind() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("out");
        let folder = OutFolder::create(&path, &[]).unwrap();
        fs::write(path.join("outputs.mcap"), "half").unwrap();
        drop(folder);
        assert!(!path.exists());

        fs::create_dir(&path).unwrap();
        let folder = OutFolder::create(&path, &[]).unwrap();
        fs::write(path.join("outputs.mcap"), "half").unwrap();
        drop(folder);
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0, "a folder that was there stays");
    }

    #[test]
    fn what_was_there_before_stays() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path();
        fs::write(path.join("mine.txt"), "mine").unwrap();
        fs::write(path.join("run.json"), "old").unwrap();
        assert_eq!(OutFolder::check(path), Err(OutFolderError::NotEmpty(path.to_owned())));
        let folder = OutFolder::create(path, &["run.json"]).unwrap();
        assert!(!path.join("run.json").exists());
        fs::write(path.join("outputs.mcap"), "half").unwrap();
        drop(folder);
        assert_eq!(fs::read_dir(path).unwrap().count(), 1);

        let folder = OutFolder::create(path, &["run.json"]).unwrap();
        fs::write(path.join("run.json"), "{}").unwrap();
        folder.keep();
        assert!(path.join("run.json").exists() && path.join("mine.txt").exists());
    }

    #[test]
    fn what_is_no_folder_is_told() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(OutFolder::check(&file), Err(OutFolderError::Write { .. })));
        let bag = temp.path().join("bag.mcap");
        assert_eq!(OutFolder::check_for_bag(&bag), Err(OutFolderError::IsFile(bag.clone())));
    }
}
