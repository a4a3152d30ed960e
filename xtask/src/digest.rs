//! SHA-256 of files and of the inputs a step depends on.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest as _, Sha256};

/// A running digest over texts and files; every part is delimited, so two lists never collide.
#[derive(Default)]
pub struct Digest(Sha256);

impl Digest {
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes());
        self
    }

    pub fn file(&mut self, path: &Path) -> Result<&mut Self> {
        self.bytes(&fs::read(path).with_context(|| format!("cannot read {}", path.display()))?);
        Ok(self)
    }

    /// Adds every file below `folder`, names and contents, in a fixed order.
    pub fn folder(&mut self, folder: &Path) -> Result<&mut Self> {
        let mut entries = fs::read_dir(folder)
            .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
            .with_context(|| format!("cannot list {}", folder.display()))?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            self.text(&entry.file_name().to_string_lossy());
            let path = entry.path();
            if path.is_dir() {
                self.folder(&path)?;
            } else {
                self.file(&path)?;
            }
        }
        Ok(self)
    }

    pub fn hex(&self) -> String {
        to_hex(&self.0.clone().finalize())
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }
}

/// The plain SHA-256 of one file, as `sha256sum` prints it.
pub fn sha256_of_file(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(to_hex(&Sha256::digest(&bytes)))
}

fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_that_of_sha256sum() {
        assert_eq!(
            to_hex(&Sha256::digest(b"abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn parts_are_delimited() {
        let mut joined = Digest::default();
        joined.text("ab").text("c");
        let mut other = Digest::default();
        other.text("a").text("bc");
        assert_ne!(joined.hex(), other.hex());
    }
}
