//! TensorRT engines kept between runs, because building one takes minutes.
//!
//! An engine is good for one model file on one kind of GPU with one TensorRT, so each combination has a
//! folder of its own. What an interrupted build left is thrown away.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use super::{Precision, session::sha256_hex};

/// Written when a session came up with the engine; a folder without it holds half an engine at most.
const COMPLETE: &str = "complete";

/// Everything an engine depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct EngineKey<'a> {
    /// Of the ONNX file, lower-case hex.
    pub model_sha256: &'a str,
    /// The file's number format, which decides the builder's.
    pub precision: Precision,
    /// Name of the GPU.
    pub gpu: &'a str,
    /// Version of TensorRT.
    pub tensorrt: &'a str,
    /// Version of ONNX Runtime, which cuts the graph into engines.
    pub onnxruntime: &'a str,
}

impl EngineKey<'_> {
    /// The key for people, one line each; what the folder's name is a digest of.
    fn text(&self) -> String {
        let Self { model_sha256, precision, gpu, tensorrt, onnxruntime } = self;
        format!(
            "model {model_sha256}\nprecision {precision}\ngpu {gpu}\ntensorrt {tensorrt}\nonnxruntime {onnxruntime}\n"
        )
    }

    fn folder_name(&self) -> String {
        let gpu: String = self.gpu.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let digest = sha256_hex(self.text().as_bytes());
        format!("{gpu}-{}-{}", self.precision, digest.get(..24).unwrap_or(&digest))
    }
}

/// The folder of one engine, held against other processes until it is dropped.
#[derive(Debug)]
pub(super) struct EngineCache {
    folder: PathBuf,
    key: String,
    _lock: File,
}

impl EngineCache {
    /// Takes the folder for `key` below `root`, which is made where it is missing. `wait` is called when
    /// another process holds it, before waiting for that process.
    pub fn open(root: &Path, key: &EngineKey<'_>, wait: impl FnOnce()) -> io::Result<Self> {
        let folder = root.join(key.folder_name());
        fs::create_dir_all(&folder)?;
        // Beside the folder, whose content may go.
        let lock = File::create(folder.with_extension("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                wait();
                lock.lock()?;
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let this = Self { folder, key: key.text(), _lock: lock };
        if !this.holds_engine() {
            fs::remove_dir_all(&this.folder)?;
            fs::create_dir_all(&this.folder)?;
        }
        Ok(this)
    }

    /// Where ONNX Runtime keeps the engine and its timing cache.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether an engine was finished here.
    pub fn holds_engine(&self) -> bool {
        fs::read_to_string(self.folder.join(COMPLETE)).is_ok_and(|text| text == self.key)
    }

    /// Says that the engine is whole.
    pub fn finish(&self) -> io::Result<()> {
        fs::write(self.folder.join(COMPLETE), &self.key)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const KEY: EngineKey<'static> = EngineKey {
        model_sha256: "ee74543a",
        precision: Precision::Fp16,
        gpu: "NVIDIA Jetson Orin Nano (8/16)",
        tensorrt: "100300",
        onnxruntime: "1.20.1",
    };

    #[test]
    fn every_part_of_the_key_gives_another_folder() {
        let keys = [
            KEY,
            EngineKey { model_sha256: "ee74543b", ..KEY },
            EngineKey { precision: Precision::Fp32, ..KEY },
            EngineKey { gpu: "NVIDIA Jetson Orin Nano (8_16)", ..KEY },
            EngineKey { tensorrt: "100301", ..KEY },
            EngineKey { onnxruntime: "1.20.2", ..KEY },
        ];
        let names: BTreeSet<String> = keys.iter().map(EngineKey::folder_name).collect();
        assert_eq!(names.len(), keys.len());
        for name in names {
            assert!(name.starts_with("NVIDIA_Jetson_Orin_Nano__8_16_-fp"), "{name}");
            assert_eq!(Path::new(&name).components().count(), 1, "{name}");
        }
    }

    #[test]
    fn a_finished_engine_stays_and_a_half_one_goes() {
        let root = tempfile::tempdir().unwrap();
        let open = || EngineCache::open(root.path(), &KEY, || panic!("nobody else holds it")).unwrap();
        let engine = {
            let cache = open();
            assert!(!cache.holds_engine());
            let engine = cache.folder().join("a.engine");
            fs::write(&engine, b"half").unwrap();
            engine
        };
        assert!(!open().holds_engine());
        assert!(!engine.exists(), "half an engine must not be loaded");
        {
            let cache = open();
            fs::write(&engine, b"whole").unwrap();
            cache.finish().unwrap();
        }
        assert!(open().holds_engine() && engine.exists());
    }

    #[test]
    fn a_second_process_waits_for_the_first() {
        let root = tempfile::tempdir().unwrap();
        let first = EngineCache::open(root.path(), &KEY, || {}).unwrap();
        let (waits, waiting) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| {
                EngineCache::open(root.path(), &KEY, || waits.send(()).unwrap()).map(|c| c.holds_engine())
            });
            waiting.recv().unwrap();
            first.finish().unwrap();
            drop(first);
            assert!(second.join().unwrap().unwrap(), "the second sees what the first finished");
        });
    }
}
