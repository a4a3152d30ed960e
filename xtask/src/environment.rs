//! The environment that building against the ROS 2 in use and running on it needs.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::python::Python;
use crate::ros::Ros;
use crate::stamp::write_atomically;
use crate::workspace::Workspace;

/// Lists of folders that get the prefixes put before what is there, and the subfolder each wants.
const PATHS: [(&str, &str); 3] =
    [("AMENT_PREFIX_PATH", ""), ("CMAKE_PREFIX_PATH", ""), ("LD_LIBRARY_PATH", "lib")];

/// Variables to set.
#[derive(Default)]
pub struct Environment {
    /// Whole values.
    variables: BTreeMap<&'static str, String>,
    /// Whole values that only count where the user has none.
    defaults: BTreeMap<&'static str, String>,
    /// The folders of each list that are ours, in front of what the user has.
    additions: BTreeMap<&'static str, Vec<PathBuf>>,
}

impl Environment {
    /// The environment for `ros`, with the overlay in front when the build needs it.
    pub fn of(workspace: &Workspace, ros: &Ros, with_overlay: bool, python: &Python) -> Self {
        let mut prefixes = Vec::new();
        if with_overlay {
            prefixes.push(workspace.overlay());
        }
        let mut environment = Self::default();
        if *ros == Ros::Wheels {
            prefixes.push(workspace.underlay());
            environment.additions.insert("PATH", vec![workspace.underlay().join("bin")]);
            for (name, value) in [
                ("ROS_DISTRO", ros.distro()),
                ("ROS_VERSION", "2"),
                ("ROS_PYTHON_VERSION", "3"),
                // Stops the wheels from executing Python a second time at start to set LD_LIBRARY_PATH.
                ("_ROS_WHEELS_BOOTSTRAP_COMPLETE", "1"),
            ] {
                environment.variables.insert(name, value.to_owned());
            }
        }
        for (list, folder) in PATHS {
            let folders = prefixes
                .iter()
                .map(|prefix| if folder.is_empty() { prefix.clone() } else { prefix.join(folder) });
            environment.additions.insert(list, folders.collect());
        }
        if with_overlay {
            let site_packages = format!("lib/python{}/site-packages", python.version());
            environment.additions.insert("PYTHONPATH", vec![workspace.overlay().join(site_packages)]);
        }
        for (list, folders) in &environment.additions {
            environment.variables.insert(list, prepend(folders, env::var(list).ok().as_deref()));
        }
        // Fast DDS has too little shared memory for images and clouds by default; a profile of the user's own
        // wins. Versions 2 and 3 read different variables.
        let profile = workspace.dds_profile().to_string_lossy().into_owned();
        environment.defaults.insert("FASTRTPS_DEFAULT_PROFILES_FILE", profile.clone());
        environment.defaults.insert("FASTDDS_DEFAULT_PROFILES_FILE", profile);
        environment
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Sets the variables for one command.
    pub fn apply<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        // Cargo sets these for the task runner itself; inherited, they would make build scripts run again.
        for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH"] {
            command.env_remove(name);
        }
        let defaults = self.defaults.iter().filter(|(name, _)| env::var_os(name).is_none());
        command.envs(&self.variables).envs(defaults)
    }

    /// The variables as shell commands that may be evaluated twice.
    fn exports(&self) -> String {
        let mut lines = Vec::new();
        for (name, value) in &self.variables {
            if !self.additions.contains_key(name) {
                lines.push(format!("export {name}={}", quote(value)));
            }
        }
        for (name, value) in &self.defaults {
            lines.push(format!("export {name}=${{{name}:-{}}}", quote(value)));
        }
        for (name, folders) in &self.additions {
            for folder in folders.iter().rev() {
                let folder = quote(&folder.to_string_lossy());
                let prepend = format!("export {name}={folder}${{{name}:+:${name}}}");
                lines.push(format!("case \":${{{name}:-}}:\" in *:{folder}:*) ;; *) {prepend} ;; esac"));
            }
        }
        lines.join("\n") + "\n"
    }
}

/// Writes the file that a person or colcon sources; it works from any POSIX shell.
pub fn write_setup_file(workspace: &Workspace, ros: &Ros, environment: &Environment) -> Result<()> {
    let mut text =
        format!("# ROS 2 {} as Isobath is built against it. Made by `cargo xtask setup`.\n", ros.distro());
    text.push_str(&environment.exports());
    for name in
        ["setup.bash", "setup.sh", "setup.zsh", "local_setup.bash", "local_setup.sh", "local_setup.zsh"]
    {
        let path = workspace.ros.join(name);
        if std::fs::read_to_string(&path).ok().as_deref() != Some(&text) {
            write_atomically(&path, &text)?;
        }
    }
    Ok(())
}

/// Prints the set-up's environment; everything else goes to stderr, so the output can be evaluated.
pub fn print(workspace: &Workspace) -> Result<()> {
    let file = workspace.ros.join("setup.sh");
    if !file.exists() {
        bail!("nothing is set up yet: run `cargo xtask setup` first");
    }
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    print!("{text}");
    Ok(())
}

/// The folders, then what the list holds besides them.
fn prepend(folders: &[PathBuf], current: Option<&str>) -> String {
    let current = current.unwrap_or_default();
    let rest = current
        .split(':')
        .filter(|entry| !entry.is_empty() && !folders.iter().any(|f| f == Path::new(entry)));
    let own = folders.iter().map(|folder| folder.to_string_lossy().into_owned());
    own.chain(rest.map(str::to_owned)).collect::<Vec<_>>().join(":")
}

/// Quotes for a POSIX shell.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prepending_moves_instead_of_repeating() {
        let folders = vec![PathBuf::from("/overlay"), PathBuf::from("/underlay")];
        assert_eq!(prepend(&folders, Some("/usr:/underlay::/x")), "/overlay:/underlay:/usr:/x");
        assert_eq!(prepend(&folders, None), "/overlay:/underlay");
    }

    #[test]
    fn evaluating_the_exports_twice_is_the_same_as_once() {
        let additions = BTreeMap::from([("SOME_PATH", vec![PathBuf::from("/it's"), PathBuf::from("/b c")])]);
        let variables = BTreeMap::from([("NAME", "a b".to_owned())]);
        let defaults = BTreeMap::from([("UNSET", "/d e".to_owned()), ("SET", "unused".to_owned())]);
        let environment = Environment { variables, defaults, additions };
        let script = format!(
            "unset UNSET; SET=mine; SOME_PATH=/old\n{0}{0}printf '%s|%s|%s|%s' \"$NAME\" \"$SOME_PATH\" \"$UNSET\" \"$SET\"",
            environment.exports()
        );
        let output = crate::process::capture(Command::new("sh").args(["-c", &script])).unwrap();
        assert_eq!(output, "a b|/it's:/b c:/old|/d e|mine");
    }
}
