//! Which ROS 2 the build uses: the one the user sourced, else Jazzy from Python wheels.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// The distributions that the ROS client library supports and this project is built for.
const SUPPORTED: [&str; 3] = ["humble", "jazzy", "lyrical"];

/// Where ROS 2 comes from.
#[derive(Debug, PartialEq, Eq)]
pub enum Ros {
    /// The user's environment holds it.
    Sourced { distro: String, prefixes: Vec<PathBuf> },
    /// It is, or will be, in the checkout's set-up folder.
    Wheels,
}

impl Ros {
    /// Reads the environment; `ours` is the checkout's set-up folder.
    pub fn detect(ours: &Path) -> Result<Self> {
        Self::from_variables(
            env::var("ROS_DISTRO").ok().as_deref(),
            env::var("AMENT_PREFIX_PATH").ok().as_deref(),
            ours,
        )
    }

    fn from_variables(distro: Option<&str>, prefixes: Option<&str>, ours: &Path) -> Result<Self> {
        let distro = distro.unwrap_or_default();
        let all: Vec<PathBuf> = env::split_paths(prefixes.unwrap_or_default())
            .filter(|path| !path.as_os_str().is_empty())
            .collect();
        // A shell that sourced this checkout's own set-up says nothing new.
        let foreign: Vec<PathBuf> = all.iter().filter(|path| !path.starts_with(ours)).cloned().collect();
        let underlay_is_ours = all.iter().any(|path| path.starts_with(ours.join("underlay")));
        if underlay_is_ours || (distro.is_empty() && foreign.is_empty()) {
            return Ok(Self::Wheels);
        }
        if foreign.is_empty() {
            bail!(
                "ROS_DISTRO is `{distro}` but AMENT_PREFIX_PATH is empty: source its setup.bash, or unset ROS_DISTRO"
            );
        }
        match distro {
            "" => bail!(
                "AMENT_PREFIX_PATH is set but ROS_DISTRO is not: source the setup.bash of a ROS 2 distribution"
            ),
            "kilted" => bail!(
                "ROS 2 kilted is sourced, which r2r, the ROS client library used here, does not support: source one \
                 of {}, or none to have Jazzy set up in .ros",
                SUPPORTED.join(", ")
            ),
            known if SUPPORTED.contains(&known) => {
                Ok(Self::Sourced { distro: known.to_owned(), prefixes: foreign })
            }
            other => bail!(
                "ROS 2 `{other}` is sourced, supported are {}: source one of them, or none to have Jazzy set up in .ros",
                SUPPORTED.join(", ")
            ),
        }
    }

    pub fn distro(&self) -> &str {
        match self {
            Self::Sourced { distro, .. } => distro,
            Self::Wheels => "jazzy",
        }
    }

    /// Whether interface hashes exist there: Humble is older than they are.
    pub fn has_type_hashes(&self) -> bool {
        self.distro() != "humble"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(distro: Option<&str>, prefixes: Option<&str>) -> Result<Ros> {
        Ros::from_variables(distro, prefixes, Path::new("/checkout/.ros"))
    }

    #[test]
    fn nothing_sourced_means_wheels() {
        assert_eq!(detect(None, None).unwrap(), Ros::Wheels);
        assert_eq!(detect(None, Some("")).unwrap(), Ros::Wheels);
    }

    #[test]
    fn the_checkouts_own_environment_means_wheels() {
        let own = "/checkout/.ros/overlay:/checkout/.ros/underlay";
        assert_eq!(detect(Some("jazzy"), Some(own)).unwrap(), Ros::Wheels);
    }

    #[test]
    fn a_sourced_distribution_is_used_without_our_overlay() {
        let found = detect(Some("humble"), Some("/checkout/.ros/overlay:/opt/ros/humble")).unwrap();
        let prefixes = vec![PathBuf::from("/opt/ros/humble")];
        assert_eq!(found, Ros::Sourced { distro: "humble".to_owned(), prefixes });
        assert!(!found.has_type_hashes());
    }

    #[test]
    fn unsupported_and_half_sourced_distributions_are_explained() {
        let kilted = detect(Some("kilted"), Some("/opt/ros/kilted")).unwrap_err().to_string();
        assert!(kilted.contains("kilted") && kilted.contains("humble, jazzy, lyrical"), "{kilted}");
        assert!(detect(Some("noetic"), Some("/opt/ros/noetic")).is_err());
        assert!(detect(Some("jazzy"), None).is_err());
        assert!(detect(None, Some("/opt/ros/jazzy")).is_err());
    }
}
