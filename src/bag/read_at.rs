//! Reading at a position: what the MCAP reader needs from a file.

use std::{fs::File, os::unix::fs::FileExt};

/// Bytes that can be read from any position without moving a cursor.
pub trait ReadAt: Send + Sync {
    /// Length in bytes when it was opened; a file that grows afterwards is read up to here.
    fn size(&self) -> u64;
    /// Fills `buffer` from byte `offset`.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<()>;
}

/// A file with the length it had when it was opened.
pub struct SizedFile {
    file: File,
    size: u64,
}

impl SizedFile {
    /// Takes over an open file.
    pub fn new(file: File) -> std::io::Result<Self> {
        let size = file.metadata()?.len();
        Ok(Self { file, size })
    }
}

impl ReadAt for SizedFile {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }
}
