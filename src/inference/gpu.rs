//! Which GPU and which TensorRT are here, told without linking either.

use std::{
    ffi::{CString, c_int},
    fs,
    path::Path,
};

/// Name of the one kind of GPU in this machine. None when the driver names none, or several kinds:
/// which of them computes is then not known.
pub(super) fn gpu_name() -> Option<String> {
    gpu_name_below(Path::new("/"))
}

fn gpu_name_below(root: &Path) -> Option<String> {
    let cards = fs::read_dir(root.join("proc/driver/nvidia/gpus"));
    let mut names: Vec<String> = cards
        .into_iter()
        .flat_map(Iterator::flatten)
        .map(|card| {
            let text = fs::read_to_string(card.path().join("information")).unwrap_or_default();
            let model = text.lines().find_map(|line| line.strip_prefix("Model:"));
            model.unwrap_or_default().trim().to_owned()
        })
        .collect();
    names.sort();
    names.dedup();
    match names.as_slice() {
        [] => board_name(root),
        [name] if !name.is_empty() && name != "Unknown" => Some(name.clone()),
        _ => None,
    }
}

/// A Jetson has its GPU on the chip: the board's name says which.
fn board_name(root: &Path) -> Option<String> {
    let bytes = fs::read(root.join("proc/device-tree/model")).ok()?;
    let name = String::from_utf8_lossy(&bytes).trim_matches(['\0', ' ', '\n']).to_owned();
    name.contains("NVIDIA").then_some(name)
}

/// Version of the TensorRT that ONNX Runtime's provider library at `provider` loads, as a number. Loads
/// it, as the session is going to.
pub(super) fn tensorrt_version(provider: &Path) -> Option<String> {
    let name = CString::new(tensorrt_name(&fs::read(provider).ok()?)?).ok()?;
    // SAFETY: both names are NUL-terminated, the symbol is checked before use, and
    // `getInferLibVersion` takes nothing and returns an int in every TensorRT (NvInferRuntimeBase.h).
    unsafe {
        let handle = libc::dlopen(name.as_ptr(), libc::RTLD_LAZY | libc::RTLD_LOCAL);
        if handle.is_null() {
            return None;
        }
        let symbol = libc::dlsym(handle, c"getInferLibVersion".as_ptr());
        if symbol.is_null() {
            return None;
        }
        let version: unsafe extern "C" fn() -> c_int = std::mem::transmute(symbol);
        Some(version().to_string())
    }
}

/// The name of TensorRT's library among the dependencies of `library`, an ELF file.
fn tensorrt_name(library: &[u8]) -> Option<String> {
    const NAME: &[u8] = b"libnvinfer.so.";
    let start = library.windows(NAME.len()).position(|window| window == NAME)?;
    let name = library.get(start..)?.split(|&byte| byte == 0).next()?;
    let is_version = name.get(NAME.len()..)?.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    if is_version { String::from_utf8(name.to_vec()).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(cards: &[&str], board: Option<&str>) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (i, information) in cards.iter().enumerate() {
            let card = root.path().join(format!("proc/driver/nvidia/gpus/0000:0{i}:00.0"));
            fs::create_dir_all(&card).unwrap();
            fs::write(card.join("information"), information).unwrap();
        }
        if let Some(name) = board {
            fs::create_dir_all(root.path().join("proc/device-tree")).unwrap();
            fs::write(root.path().join("proc/device-tree/model"), name).unwrap();
        }
        root
    }

    #[test]
    fn one_kind_of_gpu_has_a_name() {
        let card = "Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 61\nGPU UUID: \t GPU-1\n";
        let orin = "NVIDIA Jetson Orin Nano Developer Kit\0";
        let name = |cards: &[&str], board| gpu_name_below(machine(cards, board).path());
        assert_eq!(name(&[card], None).as_deref(), Some("NVIDIA H100 80GB HBM3"));
        assert_eq!(name(&[card, card], Some(orin)).as_deref(), Some("NVIDIA H100 80GB HBM3"));
        assert_eq!(name(&[], Some(orin)).as_deref(), Some("NVIDIA Jetson Orin Nano Developer Kit"));
    }

    #[test]
    fn an_unknown_or_ambiguous_gpu_has_none() {
        let name = |cards: &[&str], board| gpu_name_below(machine(cards, board).path());
        assert_eq!(name(&[], None), None);
        assert_eq!(name(&[], Some("Raspberry Pi 5 Model B Rev 1.0\0")), None);
        assert_eq!(name(&["Model: \t NVIDIA A2\n", "Model: \t NVIDIA T4\n"], None), None);
        assert_eq!(name(&["Model: \t Unknown\n"], None), None);
        assert_eq!(name(&["IRQ: 1\n"], None), None);
    }

    #[test]
    fn the_provider_library_names_its_tensorrt() {
        let library = b"\x7fELF\0libnvinfer_plugin.so.10\0libnvinfer.so.10\0libcudart.so.12\0";
        assert_eq!(tensorrt_name(library).as_deref(), Some("libnvinfer.so.10"));
        assert_eq!(tensorrt_name(b"cannot load libnvinfer.so.x\0"), None);
        assert_eq!(tensorrt_name(b""), None);
        assert_eq!(tensorrt_version(Path::new("/no/such/provider.so")), None);
    }
}
