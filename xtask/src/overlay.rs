//! Builds the interface packages that the ROS 2 in use lacks, from `ros_overlay/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::digest::Digest;
use crate::environment::Environment;
use crate::process::{run_logged, run_shown, step};
use crate::python::Python;
use crate::ros::Ros;
use crate::stamp::Stamp;
use crate::workspace::Workspace;

const PACKAGES: [&str; 3] = ["radar_msgs", "tf2_msgs", "vision_msgs"];

/// Types that only the overlay may bring, with their official Jazzy hashes: what detections are published as, and
/// what radars that publish no clouds publish.
const HASHES: [(&str, &str, &str); 2] = [
    (
        "vision_msgs",
        "Detection3DArray",
        "RIHS01_793f5eab9595ac1c0da07873cc859db42eae51f0ee76056db8562515d830e018",
    ),
    ("radar_msgs", "RadarScan", "RIHS01_9d270e9c9d9e2509e93e7c688fd8a813d75e43a6a37ef982e63e24e80e535cdc"),
];

/// Builds what is missing and gives back whether the build needs the overlay at all.
pub fn ensure(workspace: &Workspace, ros: &Ros, python: &Python) -> Result<bool> {
    let missing: Vec<&str> = PACKAGES.into_iter().filter(|package| !is_provided(ros, package)).collect();
    for package in &missing {
        build(workspace, ros, python, package)?;
    }
    if ros.has_type_hashes() {
        for (package, name, expected) in HASHES {
            if missing.contains(&package) {
                check_hash(&workspace.overlay(), package, name, expected)?;
            }
        }
    }
    Ok(!missing.is_empty())
}

fn is_provided(ros: &Ros, package: &str) -> bool {
    match ros {
        Ros::Wheels => false,
        Ros::Sourced { prefixes, .. } => {
            prefixes.iter().any(|prefix| prefix.join("share").join(package).join("package.xml").exists())
        }
    }
}

fn build(workspace: &Workspace, ros: &Ros, python: &Python, package: &str) -> Result<()> {
    let source = workspace.root.join("ros_overlay").join(package);
    let prefix = workspace.overlay();
    // Without the overlay itself: what an earlier build left there must not feed into this one.
    let environment = Environment::of(workspace, ros, false, python);
    let underlay = Stamp::new(&workspace.ros, "underlay").recorded().unwrap_or_default();
    let digest = Digest::default()
        .folder(&source)?
        .text(&prefix.to_string_lossy())
        .text(environment.get("AMENT_PREFIX_PATH").unwrap_or_default())
        .text(ros.distro())
        .text(&underlay)
        .hex();
    let stamp = Stamp::new(&workspace.ros, package);
    let installed = prefix.join("share").join(package).join("package.xml");
    if stamp.is(&digest) && installed.exists() {
        return Ok(());
    }
    let rebuilt = stamp.recorded().is_some();
    stamp.clear()?;

    let folder = workspace.ros.join("build").join(package);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let log = workspace.log(package);
    fs::remove_file(&log).ok();
    let what = format!("Building the interface package {package}");
    step(&what, || {
        let mut configure = Command::new("cmake");
        configure.arg("-S").arg(&source).arg("-B").arg(&folder).args([
            "-DBUILD_TESTING=OFF",
            "-DCMAKE_BUILD_TYPE=Release",
            &format!("-DCMAKE_INSTALL_PREFIX={}", prefix.display()),
            &format!("-DPython3_EXECUTABLE={}", python.path().display()),
            &format!("-DPYTHON_EXECUTABLE={}", python.path().display()),
        ]);
        run_logged(&what, environment.apply(&mut configure), &log)?;
        let mut install = Command::new("cmake");
        install.arg("--build").arg(&folder).args(["--target", "install", "--parallel"]);
        install.arg(std::thread::available_parallelism().map_or(2, std::num::NonZero::get).to_string());
        run_logged(&what, environment.apply(&mut install), &log)
    })?;
    fs::remove_dir_all(&folder).ok();
    if rebuilt {
        forget_bindings(workspace)?;
    }
    stamp.write(&digest)
}

/// r2r keeps bindings by search path, not by content: changed definitions need them generated again.
fn forget_bindings(workspace: &Workspace) -> Result<()> {
    let mut clean = Command::new(env!("CARGO"));
    clean.current_dir(&workspace.root).args(["clean", "-p", "r2r", "-p", "r2r_msg_gen", "-p", "r2r_actions"]);
    run_shown("Forgetting the old message bindings", &mut clean)
}

fn check_hash(overlay: &Path, package: &str, name: &str, expected: &str) -> Result<()> {
    let path: PathBuf = overlay.join(format!("share/{package}/msg/{name}.json"));
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let description: serde_json::Value =
        serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))?;
    let found = find_hash(&description, &format!("{package}/msg/{name}")).unwrap_or("none");
    if found != expected {
        bail!(
            "{}: the type hash of {package}/msg/{name} is {found}, expected {expected}: a definition in \
             ros_overlay/{package} differs from the official one",
            path.display()
        );
    }
    Ok(())
}

fn find_hash<'a>(description: &'a serde_json::Value, type_name: &str) -> Option<&'a str> {
    let hashes = description.get("type_hashes")?.as_array()?;
    let entry = hashes
        .iter()
        .find(|entry| entry.get("type_name").and_then(|name| name.as_str()) == Some(type_name))?;
    entry.get("hash_string")?.as_str()
}
