//! Finding and loading ONNX Runtime.
//!
//! `ort` panics when the library it is pointed at cannot be used, so the file is opened and its
//! version read here first.

use std::{
    env,
    ffi::{CStr, CString},
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::Mutex,
};

use ort::environment::Environment;
use serde::Serialize;

use super::{InferenceError, cache_folder};

/// The library in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LibraryInfo {
    /// Its file.
    pub path: PathBuf,
    /// What it calls itself, such as `1.32.0`.
    pub version: String,
}

const FILE_NAME: &str = "libonnxruntime.so";

static LOADED: Mutex<Option<(LibraryInfo, Environment)>> = Mutex::new(None);

/// Loads ONNX Runtime once per process; later calls return what is loaded.
///
/// Order: `explicit`, `ISOBATH_ORT_LIBRARY`, `ORT_DYLIB_PATH`, the newest version in
/// `${XDG_CACHE_HOME:-~/.cache}/isobath/onnxruntime/<version>/`, system folders. A path that was
/// named but does not exist is an error, never skipped.
pub fn load_library(explicit: Option<&Path>) -> Result<LibraryInfo, InferenceError> {
    load(explicit).map(|(info, _)| info)
}

/// The environment sessions are made in; loads the library when nothing did before.
pub(super) fn environment() -> Result<Environment, InferenceError> {
    load(None).map(|(_, environment)| environment)
}

fn load(explicit: Option<&Path>) -> Result<(LibraryInfo, Environment), InferenceError> {
    let mut loaded = LOADED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some((info, environment)) = &*loaded {
        if let Some(asked) =
            explicit.filter(|p| fs::canonicalize(p).ok() != fs::canonicalize(&info.path).ok())
        {
            return Err(InferenceError::LibraryAlreadyLoaded {
                asked: asked.to_owned(),
                loaded: info.path.clone(),
            });
        }
        return Ok((info.clone(), environment.clone()));
    }
    let path = find(explicit)?;
    let version = read_version(&path)?;
    let required = ort::MINOR_VERSION;
    if !is_recent_enough(&version, required) {
        return Err(InferenceError::LibraryTooOld { path, required, found: version });
    }
    let unusable = |reason: String| InferenceError::LibraryUnusable { path: path.clone(), reason };
    let environment = ort::init_from(&path)
        .map_err(|e| unusable(e.to_string()))?
        .with_name("isobath")
        .with_telemetry(false)
        .build()
        .map_err(|e| unusable(e.to_string()))?;
    let info = LibraryInfo { path, version };
    *loaded = Some((info.clone(), environment.clone()));
    Ok((info, environment))
}

fn find(explicit: Option<&Path>) -> Result<PathBuf, InferenceError> {
    let named = explicit.map(|p| ("the caller", p.to_owned())).or_else(|| {
        ["ISOBATH_ORT_LIBRARY", "ORT_DYLIB_PATH"]
            .into_iter()
            .find_map(|name| env::var_os(name).filter(|v| !v.is_empty()).map(|v| (name, PathBuf::from(v))))
    });
    if let Some((named_by, path)) = named {
        // A relative path would mean something else to the loader, which searches its own folders.
        return match fs::canonicalize(&path) {
            Ok(found) if found.is_file() => Ok(found),
            _ => Err(InferenceError::LibraryNamedMissing { named_by, path }),
        };
    }
    let looked_at = search_paths();
    looked_at.iter().find(|p| p.is_file()).cloned().ok_or(InferenceError::LibraryMissing { looked_at })
}

/// Where the library is looked for when nothing names it, best first.
pub fn search_paths() -> Vec<PathBuf> {
    let mut paths = cache_folder().map(|c| cached(&c.join("onnxruntime"))).unwrap_or_default();
    for folder in ["/usr/local/lib", "/usr/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"] {
        paths.push(Path::new(folder).join(FILE_NAME));
    }
    paths
}

/// The libraries in `<root>/<version>/`, newest first; the pattern itself when there is none.
pub(super) fn cached(root: &Path) -> Vec<PathBuf> {
    let mut versions: Vec<(Vec<u32>, PathBuf)> = fs::read_dir(root)
        .into_iter()
        .flat_map(Iterator::flatten)
        .map(|e| (version_numbers(&e.file_name().to_string_lossy()), e.path().join(FILE_NAME)))
        .filter(|(_, path)| path.is_file())
        .collect();
    versions.sort_by(|a, b| b.cmp(a));
    if versions.is_empty() {
        return vec![root.join("<version>").join(FILE_NAME)];
    }
    versions.into_iter().map(|(_, path)| path).collect()
}

fn version_numbers(version: &str) -> Vec<u32> {
    version.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect()
}

pub(super) fn is_recent_enough(version: &str, required_minor: u32) -> bool {
    match version_numbers(version)[..] {
        [1, minor, ..] => minor >= required_minor,
        _ => false,
    }
}

/// Opens the library and asks for its version; the handle stays open for the process.
fn read_version(path: &Path) -> Result<String, InferenceError> {
    let unusable = |reason: String| InferenceError::LibraryUnusable { path: path.to_owned(), reason };
    let c_path = CString::new(path.as_os_str().as_bytes()).map_err(|e| unusable(e.to_string()))?;
    // SAFETY: the path and the symbol name are NUL-terminated, every pointer is checked before use,
    // and `OrtGetApiBase` has had this signature since ONNX Runtime 1.0.
    unsafe {
        let handle = libc::dlopen(c_path.as_ptr(), libc::RTLD_LAZY | libc::RTLD_LOCAL);
        if handle.is_null() {
            let message = libc::dlerror();
            let reason = if message.is_null() {
                "the loader gave no reason".to_owned()
            } else {
                CStr::from_ptr(message).to_string_lossy().into_owned()
            };
            return Err(unusable(reason));
        }
        let symbol = libc::dlsym(handle, c"OrtGetApiBase".as_ptr());
        if symbol.is_null() {
            libc::dlclose(handle);
            return Err(unusable("no symbol OrtGetApiBase".to_owned()));
        }
        let get_base: unsafe extern "C" fn() -> *const ort::sys::OrtApiBase = std::mem::transmute(symbol);
        let base = get_base();
        if base.is_null() {
            return Err(unusable("OrtGetApiBase returned nothing".to_owned()));
        }
        let version = ((*base).GetVersionString)();
        if version.is_null() {
            return Err(unusable("no version string".to_owned()));
        }
        let version = CStr::from_ptr(version).to_string_lossy().into_owned();
        // A library that is as new as it must be and lacks the API all the same would end the process later.
        let required = ort::MINOR_VERSION;
        if is_recent_enough(&version, required) && ((*base).GetApi)(required).is_null() {
            return Err(unusable(format!("version {version} with no API of version {required}")));
        }
        Ok(version)
    }
}
