//! What this machine is and has. All the looking is here, no judgement.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde::Serialize;

use super::dds_profile::shared_memory_segment;
use super::models::{self, ModelFacts};
use crate::inference::{LibraryInfo, Provider, SparseKernels, cache_folder, load_library};

/// Everything the findings are made of.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Facts {
    /// Version of this program.
    pub isobath: &'static str,
    /// The sourced ROS 2.
    pub ros: RosFacts,
    /// How processes reach each other.
    pub transport: TransportFacts,
    /// ONNX Runtime.
    pub onnxruntime: RuntimeFacts,
    /// The processor.
    pub cpu: CpuFacts,
    /// Whether the device files of an NVIDIA GPU are there.
    pub has_nvidia_gpu: bool,
    /// Models by name.
    pub models: Vec<ModelFacts>,
    /// Where libraries and engines are kept between runs.
    pub cache: CacheFacts,
}

/// The sourced ROS 2.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct RosFacts {
    /// `ROS_DISTRO`.
    pub distribution: Option<String>,
    /// `AMENT_PREFIX_PATH`.
    pub prefixes: Vec<PathBuf>,
    /// `RMW_IMPLEMENTATION`.
    pub middleware: Option<String>,
    /// Names of the middlewares in the prefixes.
    pub middlewares_installed: Vec<String>,
}

/// How processes reach each other.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct TransportFacts {
    /// The profiles that the environment names for Fast DDS.
    pub profiles: Vec<ProfileFacts>,
    /// The profile that comes with this package, where it lies here.
    pub shipped_profile: Option<PathBuf>,
    /// `/dev/shm`.
    pub shared_memory: Option<SpaceFacts>,
    /// `net.core.rmem_max`, bytes.
    pub receive_buffer_max: Option<u64>,
}

/// A profile named by the environment.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ProfileFacts {
    /// The environment variable.
    pub variable: &'static str,
    /// The file it names.
    pub path: PathBuf,
    /// Whether the file can be read.
    pub is_readable: bool,
    /// Largest shared-memory segment it sets, bytes.
    pub segment_size: Option<u64>,
}

/// Space of a file system, bytes.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct SpaceFacts {
    /// In all.
    pub size: u64,
    /// Free for this user.
    pub free: u64,
}

/// ONNX Runtime.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct RuntimeFacts {
    /// The library found.
    pub library: Option<LibraryInfo>,
    /// Providers it was built with, best for a GPU last.
    pub providers: Vec<Provider>,
    /// Why there is none, or why it did not answer.
    pub error: Option<String>,
}

/// The processor.
#[derive(Clone, Debug, Default, Serialize)]
pub(in crate::cli) struct CpuFacts {
    /// As the system calls it.
    pub name: String,
    /// `x86_64`, `aarch64`, …
    pub architecture: &'static str,
    /// Cores that this process may use.
    pub cores: usize,
    /// Those of the features that matter here.
    pub features: Vec<&'static str>,
    /// What runs sparse networks of 32-bit floats.
    pub sparse_f32: &'static str,
    /// What runs sparse networks of 8-bit integers.
    pub sparse_int8: &'static str,
}

/// The folder kept between runs.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct CacheFacts {
    /// `${XDG_CACHE_HOME:-~/.cache}/isobath`; none without a home.
    pub path: Option<PathBuf>,
    /// Of the file system it lies, or will lie, on.
    pub space: Option<SpaceFacts>,
}

impl Facts {
    /// Looks at the environment, the file system, the processor and every model.
    pub fn collect() -> Self {
        let ros = RosFacts::collect();
        let transport = TransportFacts::collect(&ros.prefixes);
        let onnxruntime = RuntimeFacts::collect();
        let gpu_devices = ["/dev/nvidiactl", "/dev/nvhost-gpu", "/dev/nvgpu"];
        let has_nvidia_gpu = gpu_devices.iter().any(|device| Path::new(device).exists());
        let mut providers = onnxruntime.providers.clone();
        providers.retain(|&provider| has_nvidia_gpu || provider == Provider::Cpu);
        let models = models::collect(&providers);
        Self {
            isobath: env!("CARGO_PKG_VERSION"),
            ros,
            transport,
            onnxruntime,
            cpu: CpuFacts::collect(),
            has_nvidia_gpu,
            models,
            cache: CacheFacts::collect(),
        }
    }
}

/// A variable that is set to something.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

impl RosFacts {
    fn collect() -> Self {
        let prefixes: Vec<PathBuf> = variable("AMENT_PREFIX_PATH")
            .map(|value| env::split_paths(&value).filter(|path| !path.as_os_str().is_empty()).collect())
            .unwrap_or_default();
        let mut middlewares_installed: Vec<String> = prefixes
            .iter()
            .filter_map(|prefix| fs::read_dir(prefix.join("lib")).ok())
            .flat_map(Iterator::flatten)
            .filter_map(|entry| middleware_of(&entry.file_name().to_string_lossy()))
            .collect();
        middlewares_installed.sort();
        middlewares_installed.dedup();
        Self {
            distribution: variable("ROS_DISTRO"),
            prefixes,
            middleware: variable("RMW_IMPLEMENTATION"),
            middlewares_installed,
        }
    }
}

/// `librmw_fastrtps_cpp.so` → `rmw_fastrtps_cpp`; none for what middlewares share and for type support.
fn middleware_of(file_name: &str) -> Option<String> {
    let name = file_name.strip_prefix("lib")?.strip_suffix(".so")?;
    let is_middleware = name.starts_with("rmw_")
        && !["common", "implementation", "shared", "__", "test"].iter().any(|part| name.contains(part));
    is_middleware.then(|| name.to_owned())
}

impl TransportFacts {
    fn collect(prefixes: &[PathBuf]) -> Self {
        let profiles = ["FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"]
            .into_iter()
            .filter_map(|name| {
                let path = PathBuf::from(variable(name)?);
                let text = fs::read_to_string(&path).ok();
                Some(ProfileFacts {
                    variable: name,
                    path,
                    is_readable: text.is_some(),
                    segment_size: text.as_deref().and_then(shared_memory_segment),
                })
            })
            .collect();
        let installed = prefixes.iter().map(|prefix| prefix.join("share/isobath/config/fastdds.xml"));
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/fastdds.xml");
        Self {
            profiles,
            shipped_profile: installed.chain([checkout]).find(|path| path.is_file()),
            shared_memory: space(Path::new("/dev/shm")),
            receive_buffer_max: fs::read_to_string("/proc/sys/net/core/rmem_max")
                .ok()
                .and_then(|text| text.trim().parse().ok()),
        }
    }
}

/// Space of the file system that `path` lies on.
fn space(path: &Path) -> Option<SpaceFacts> {
    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    // SAFETY: an all-zero statvfs is a valid value of this struct of integers; the path is
    // NUL-terminated and the call writes nothing but the struct.
    let found = unsafe {
        let mut found: libc::statvfs = std::mem::zeroed();
        (libc::statvfs(path.as_ptr(), &raw mut found) == 0).then_some(found)
    }?;
    // The fields' widths differ between platforms.
    let block = found.f_frsize as u64;
    Some(SpaceFacts {
        size: block.saturating_mul(found.f_blocks as u64),
        free: block.saturating_mul(found.f_bavail as u64),
    })
}

impl RuntimeFacts {
    fn collect() -> Self {
        let library = match load_library(None) {
            Ok(library) => library,
            Err(error) => return Self { error: Some(error.to_string()), ..Self::default() },
        };
        let mut facts = Self { library: Some(library), ..Self::default() };
        for provider in Provider::ALL {
            match provider.is_built_in() {
                Ok(true) => facts.providers.push(provider),
                Ok(false) => {}
                Err(error) => facts.error = Some(error.to_string()),
            }
        }
        facts
    }
}

impl CpuFacts {
    /// Looks at the processor.
    pub fn collect() -> Self {
        // A choice that does not work here is told where a model is opened.
        let kernels = SparseKernels::choose();
        Self {
            name: cpu_name(),
            architecture: env::consts::ARCH,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            features: features(),
            sparse_f32: kernels.as_ref().map_or("none", |kernels| kernels.float.as_str()),
            sparse_int8: kernels.as_ref().map_or("none", |kernels| kernels.int8.as_str()),
        }
    }
}

/// The processor's name on a PC, the board's where processors have none.
fn cpu_name() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let named = info.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == "model name").then(|| value.trim().to_owned())
    });
    let board = || fs::read_to_string("/proc/device-tree/model").ok();
    let name = named.or_else(board).unwrap_or_else(|| env::consts::ARCH.to_owned());
    name.trim_matches(['\0', '\n', ' ']).to_owned()
}

#[cfg(target_arch = "x86_64")]
fn features() -> Vec<&'static str> {
    [
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("avxvnni", is_x86_feature_detected!("avxvnni")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512vnni", is_x86_feature_detected!("avx512vnni")),
    ]
    .into_iter()
    .filter_map(|(name, is_there)| is_there.then_some(name))
    .collect()
}

#[cfg(target_arch = "aarch64")]
fn features() -> Vec<&'static str> {
    use std::arch::is_aarch64_feature_detected;
    [
        ("neon", is_aarch64_feature_detected!("neon")),
        ("fp16", is_aarch64_feature_detected!("fp16")),
        ("dotprod", is_aarch64_feature_detected!("dotprod")),
        ("i8mm", is_aarch64_feature_detected!("i8mm")),
    ]
    .into_iter()
    .filter_map(|(name, is_there)| is_there.then_some(name))
    .collect()
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn features() -> Vec<&'static str> {
    Vec::new()
}

impl CacheFacts {
    fn collect() -> Self {
        let path = cache_folder();
        let space = path.as_deref().and_then(|path| path.ancestors().find_map(space));
        Self { path, space }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn middlewares_are_told_from_what_they_share() {
        assert_eq!(middleware_of("librmw_fastrtps_cpp.so").as_deref(), Some("rmw_fastrtps_cpp"));
        assert_eq!(middleware_of("librmw_connextdds.so").as_deref(), Some("rmw_connextdds"));
        for other in [
            "librmw.so",
            "librmw_implementation.so",
            "librmw_dds_common.so",
            "librmw_dds_common__rosidl_generator_c.so",
            "librmw_fastrtps_shared_cpp.so",
            "librmw_fastrtps_cpp.a",
            "libonnxruntime.so",
        ] {
            assert_eq!(middleware_of(other), None, "{other}");
        }
    }

    #[test]
    fn space_of_a_folder_is_known() {
        let found = space(Path::new("/")).expect("the root is a file system");
        assert!(found.size > 0 && found.free <= found.size);
        assert!(space(Path::new("/no/such/folder")).is_none());
    }
}
