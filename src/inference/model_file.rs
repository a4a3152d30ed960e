//! The bytes of a network: an ONNX file, or one that zstd made smaller (`.onnx.zst`).
//!
//! In: a path. Out: the file as it is stored, which is what checksums count, and the network in it.
//! Weights of 8 bits of which half are zero are half as large again when compressed; the zeros cost
//! nothing on disk, and decompressing takes milliseconds beside the start of a session.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use zstd::stream::read::Decoder;

use super::InferenceError;

/// First bytes of a zstd frame (RFC 8878); no ONNX file begins with them.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Protocol buffers, and so ONNX files without external data, are no larger than this.
const MOST_BYTES: u64 = 1 << 31;

/// A network as it is stored and as it runs.
pub(super) struct ModelBytes {
    stored: Vec<u8>,
    unpacked: Option<Vec<u8>>,
}

impl ModelBytes {
    /// Reads `path`; refuses a compressed file that is damaged or holds more than 2 GiB.
    pub fn read(path: &Path) -> Result<Self, InferenceError> {
        let stored = fs::read(path).map_err(|source| InferenceError::Unreadable {
            path: path.to_owned(),
            what: "model file",
            source,
        })?;
        let unpacked = stored.starts_with(&ZSTD_MAGIC).then(|| unpack(&stored)).transpose().map_err(|e| {
            InferenceError::NotOnnx { path: path.to_owned(), reason: format!("compressed with zstd: {e}") }
        })?;
        Ok(Self { stored, unpacked })
    }

    /// The file as it is.
    pub fn stored(&self) -> &[u8] {
        &self.stored
    }

    /// The ONNX model in it.
    pub fn onnx(&self) -> &[u8] {
        self.unpacked.as_deref().unwrap_or(&self.stored)
    }
}

fn unpack(stored: &[u8]) -> io::Result<Vec<u8>> {
    let mut onnx = Vec::new();
    Decoder::with_buffer(stored)?.take(MOST_BYTES + 1).read_to_end(&mut onnx)?;
    if onnx.len() as u64 > MOST_BYTES {
        return Err(io::Error::other("expected at most 2 GiB, found more"));
    }
    Ok(onnx)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_compressed_is_what_runs_and_damage_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model.onnx.zst");
        let plain = b"a network that repeats, repeats, repeats itself".repeat(40);
        let packed = zstd::encode_all(plain.as_slice(), 19).unwrap();
        fs::write(&path, &packed).unwrap();
        let found = ModelBytes::read(&path).unwrap();
        assert!(found.stored() == packed && found.onnx() == plain && packed.len() < plain.len() / 4);
        fs::write(&path, &plain).unwrap();
        assert_eq!(ModelBytes::read(&path).unwrap().onnx(), plain);
        // Cut off, and of another kind behind the first bytes.
        for damaged in [&packed[..packed.len() - 4], &[&ZSTD_MAGIC[..], b"\xff\xff\xff\xff"].concat()] {
            fs::write(&path, damaged).unwrap();
            let error = ModelBytes::read(&path).err().unwrap().to_string();
            assert!(error.contains("model.onnx.zst") && error.contains("compressed with zstd"), "{error}");
        }
    }
}
