//! A storage file that rosbag2 compressed as a whole (`compression_mode: file`).
//!
//! In: a zstd file, RFC 8878. Out: its content in a temporary file, decompressed as a stream; never in
//! memory. The temporary file lies in `TMPDIR` (`/tmp` where that is not set) and has no name as soon
//! as it is open, so that it goes when the process does.

use std::{
    fs::File,
    io::{ErrorKind, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use tempfile::NamedTempFile;
use zstd::{stream::read::Decoder, zstd_safe};

use super::{BagError, StorageKind, open::content_kind};

/// First bytes of a zstd frame.
pub const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Longest header of a zstd frame.
const FRAME_HEADER_BYTES: u64 = 18;

/// Bytes decompressed at once.
const BLOCK_BYTES: usize = 1 << 20;

/// Hears how far the decompression of a file is: its path, bytes read, bytes in all.
pub type UnpackWatch = Arc<dyn Fn(&Path, u64, u64) + Send + Sync>;

/// The content of a compressed file.
pub struct Unpacked {
    /// What it is.
    pub kind: StorageKind,
    /// Where it is.
    pub content: Content,
    /// Why it ends early, if it does.
    pub damage: Option<BagError>,
}

/// A temporary file.
pub enum Content {
    /// Without a name: the MCAP reader needs none.
    Unnamed(File),
    /// `SQLite` opens files by name. Whoever opens it drops this at once, and the name with it.
    Named(NamedTempFile),
}

impl Content {
    fn file(&mut self) -> &mut File {
        match self {
            Self::Unnamed(file) => file,
            Self::Named(file) => file.as_file_mut(),
        }
    }
}

/// Decompresses `path`. A file that is cut off or damaged gives what lies before the damage; one whose
/// content is no storage is an error.
pub fn unpack(path: &Path, watch: Option<&UnpackWatch>) -> Result<Unpacked, BagError> {
    let fail = |error| BagError::io(path, error);
    let mut source = File::open(path).map_err(fail)?;
    let size = source.metadata().map_err(fail)?.len();
    let mut header = Vec::new();
    Read::by_ref(&mut source).take(FRAME_HEADER_BYTES).read_to_end(&mut header).map_err(fail)?;
    let needed = zstd_safe::get_frame_content_size(&header).ok().flatten();
    let folder = std::env::temp_dir();
    let free = free_bytes(&folder);
    if let (Some(needed), Some(free)) = (needed, free)
        && needed > free
    {
        return Err(no_space(path, folder, Some(needed), free));
    }

    let counted = Counted { source: header.as_slice().chain(source), read: 0 };
    let mut decoder = Decoder::new(counted).map_err(fail)?;
    let mut buffer = vec![0; BLOCK_BYTES];
    let mut written = 0;
    let mut target: Option<(StorageKind, Content)> = None;
    let damage = loop {
        let (count, error) = fill(&mut decoder, &mut buffer);
        let block = buffer.get(..count).unwrap_or_default();
        let content = match &mut target {
            Some((_, content)) => content,
            None => match (content_kind(block), &error) {
                (Ok(kind), _) => &mut target.insert((kind, create(&folder, kind)?)).1,
                (Err(_), Some(error)) => return Err(damaged(path, error.kind(), 0, error)),
                (Err(found), None) => {
                    let found = format!("zstd around {found}");
                    return Err(BagError::UnknownStorage { path: path.to_path_buf(), found });
                }
            },
        };
        content.file().write_all(block).map_err(|error| match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                no_space(path, folder.clone(), needed, free_bytes(&folder).unwrap_or(0))
            }
            _ => BagError::io(&folder, error),
        })?;
        written += count as u64;
        if let Some(watch) = watch {
            watch(path, decoder.get_ref().get_ref().position(), size);
        }
        if let Some(error) = error {
            break Some(damaged(path, error.kind(), written, &error));
        }
        if count < buffer.len() {
            break None;
        }
    };
    match target {
        Some((kind, content)) => Ok(Unpacked { kind, content, damage }),
        None => Err(damaged(path, ErrorKind::UnexpectedEof, 0, &"no content")),
    }
}

fn create(folder: &Path, kind: StorageKind) -> Result<Content, BagError> {
    let fail = |error| BagError::io(folder, error);
    match kind {
        StorageKind::Mcap => tempfile::tempfile_in(folder).map(Content::Unnamed).map_err(fail),
        StorageKind::Sqlite3 => tempfile::Builder::new()
            .prefix("isobath-")
            .suffix(".db3")
            .tempfile_in(folder)
            .map(Content::Named)
            .map_err(fail),
    }
}

/// Fills `buffer` as far as there is something: how much, and why it ended early.
fn fill(source: &mut impl Read, buffer: &mut [u8]) -> (usize, Option<std::io::Error>) {
    let mut count = 0;
    while let Some(rest) = buffer.get_mut(count..)
        && !rest.is_empty()
    {
        match source.read(rest) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (count, Some(error)),
        }
    }
    (count, None)
}

/// A file being decompressed that knows how much of it was read.
struct Counted<R> {
    source: R,
    read: u64,
}

impl<R> Counted<R> {
    const fn position(&self) -> u64 {
        self.read
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.read += count as u64;
        Ok(count)
    }
}

fn damaged(path: &Path, kind: ErrorKind, offset: u64, error: &dyn std::fmt::Display) -> BagError {
    let message = match kind {
        ErrorKind::UnexpectedEof => "the file ends within a frame: cut off".to_owned(),
        _ => error.to_string(),
    };
    BagError::Packed { path: path.to_path_buf(), offset, message }
}

fn no_space(path: &Path, folder: PathBuf, needed: Option<u64>, free: u64) -> BagError {
    BagError::NoSpace { path: path.to_path_buf(), folder, needed, free }
}

/// Bytes that can still be written below `folder`; `None` where the system does not tell.
fn free_bytes(folder: &Path) -> Option<u64> {
    use std::os::unix::ffi::OsStrExt;
    let folder = std::ffi::CString::new(folder.as_os_str().as_bytes()).ok()?;
    // SAFETY: an all-zero statvfs is a valid value of this struct of integers; the path is
    // NUL-terminated and the call writes nothing but the struct.
    let found = unsafe {
        let mut found: libc::statvfs = std::mem::zeroed();
        (libc::statvfs(folder.as_ptr(), &raw mut found) == 0).then_some(found)
    }?;
    // The fields' widths differ between platforms.
    Some((found.f_frsize as u64).saturating_mul(found.f_bavail as u64))
}
