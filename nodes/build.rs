//! Lets the executables find the ROS libraries they were linked with, without `LD_LIBRARY_PATH`.

use std::env;
use std::path::Path;

fn main() {
    println!("cargo:rerun-if-env-changed=AMENT_PREFIX_PATH");
    let prefixes = env::var_os("AMENT_PREFIX_PATH").unwrap_or_default();
    for prefix in env::split_paths(&prefixes) {
        let libraries = prefix.join("lib");
        if libraries.is_dir() {
            add_search_path(&libraries);
        }
    }
}

/// An old-style RPATH, unlike a RUNPATH, also serves libraries without a run path of their own. What ROS
/// opens by name at run time, such as the type supports of an overlay, still needs a sourced `setup.bash`.
fn add_search_path(libraries: &Path) {
    println!("cargo:rustc-link-arg=-Wl,--disable-new-dtags,-rpath,{}", libraries.display());
}
