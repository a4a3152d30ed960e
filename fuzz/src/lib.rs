//! What the targets share.

pub mod mcap_file;
pub mod sqlite_file;

use std::{fs, path::Path};

/// Writes `bytes` as `name` into a folder in memory, hands over the file's path and removes it again.
///
/// # Panics
///
/// Where no file can be written: that is no finding, but nothing can be tested either.
pub fn with_file<R>(name: &str, bytes: &[u8], use_it: impl FnOnce(&Path) -> R) -> R {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let folder = folder.expect("a folder for one input");
    let path = folder.path().join(name);
    fs::write(&path, bytes).expect("space for one input");
    use_it(&path)
}
