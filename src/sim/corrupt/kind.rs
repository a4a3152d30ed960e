//! The corruptions by name.

use std::fmt;
use std::str::FromStr;

use super::CorruptError;

/// Names less alike than this are no slip of the finger.
const ALIKE: f64 = 0.7;

/// What a corruption acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SensorKind {
    /// Cameras
    Camera,
    /// LiDARs
    Lidar,
    /// Radars
    Radar,
}

impl SensorKind {
    /// The messages it sends, for people.
    pub const fn messages(self) -> &'static str {
        match self {
            Self::Camera => "a camera's sensor_msgs/msg/Image or CompressedImage",
            Self::Lidar => "a LiDAR's sensor_msgs/msg/PointCloud2",
            Self::Radar => {
                "a radar's sensor_msgs/msg/PointCloud2 (with range rates or cross-sections) or radar_msgs/msg/RadarScan"
            }
        }
    }
}

macro_rules! kinds {
    ($($variant:ident $name:literal $sensor:ident $summary:literal)*) => {
        /// A way in which a sensor fails. What each does, its severities and their sources:
        /// `docs/corruptions.md`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind {
            $(#[doc = $summary] $variant,)*
        }

        impl Kind {
            /// Every kind, in the order of documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name on the command line.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// What it does, in one line.
            pub const fn summary(self) -> &'static str {
                match self {
                    $(Self::$variant => $summary,)*
                }
            }

            /// What it acts on.
            pub const fn sensor(self) -> SensorKind {
                match self {
                    $(Self::$variant => SensorKind::$sensor,)*
                }
            }
        }
    };
}

kinds! {
    Fog "fog" Lidar "echoes weakened by fog, lost, or beaten by the echo of the fog itself"
    Snow "snow" Lidar "echoes of snowflakes in front of the target, weakened echoes behind them"
    Rain "rain" Lidar "wet ground: a film of water mirrors the beam away, far ground is lost"
    MissingBeams "missing-beams" Lidar "lasers that stay dark"
    Crosstalk "crosstalk" Lidar "ranges that another LiDAR's pulse gave"
    IncompleteEcho "incomplete-echo" Lidar "dark surfaces above the ground that return no echo"
    MotionBlur "motion-blur" Lidar "a sensor that shakes within the sweep"
    Jitter "jitter" Lidar "independent noise on every point"
    DensityDrop "density-drop" Lidar "points lost at random"
    CutOut "cut-out" Lidar "clusters of points lost"
    LimitedFov "limited-fov" Lidar "only a sector to the front is seen"
    LidarTimeShift "lidar-time-shift" Lidar "stamps that are late"
    LidarMisalignment "lidar-misalignment" Lidar "a wrong extrinsic calibration"
    LowLight "low-light" Camera "little light: dark, with shot and read noise"
    OverExposure "over-exposure" Camera "too much light: bright parts burn out"
    Blur "blur" Camera "out of focus"
    CameraNoise "camera-noise" Camera "independent noise on every pixel"
    LensDirt "lens-dirt" Camera "specks on the lens, out of focus, in the same place all the time"
    Occlusion "occlusion" Camera "a part of the picture hidden behind something dark"
    FrameLoss "frame-loss" Camera "frames that never arrive"
    RadarDropout "radar-dropout" Radar "returns lost at random"
    Ghosts "ghosts" Radar "returns of signals that took a detour"
    AzimuthBias "azimuth-bias" Radar "a mounting angle that is off"
    DopplerSign "doppler-sign" Radar "cycles whose range rates have the wrong sign"
    RadarTimeShift "radar-time-shift" Radar "stamps that are late"
    Interference "interference" Radar "cycles in which another radar raises the noise: weak returns lost, false ones added"
}

/// Other names.
const ALIASES: [(&str, Kind); 1] = [("wet-ground", Kind::Rain)];

impl Kind {
    /// Every kind with its summary, a line each.
    pub fn list() -> String {
        let width = Self::ALL.iter().map(|kind| kind.as_str().len()).max().unwrap_or(0);
        let line = |kind: &Self| format!("{:<width$}  {}\n", kind.as_str(), kind.summary());
        Self::ALL.iter().map(line).collect()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = CorruptError;

    fn from_str(name: &str) -> Result<Self, CorruptError> {
        let names = || Self::ALL.iter().map(|kind| (kind.as_str(), *kind)).chain(ALIASES);
        if let Some((_, kind)) = names().find(|(known, _)| *known == name) {
            return Ok(kind);
        }
        let nearest = names()
            .map(|(known, _)| (strsim::jaro_winkler(known, name), known))
            .filter(|(alike, _)| *alike > ALIKE)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let nearest = nearest.map(|(_, known)| known.to_owned());
        Err(CorruptError::UnknownKind { found: name.to_owned(), nearest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_slips_are_told() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse::<Kind>().unwrap(), *kind);
        }
        assert_eq!("wet-ground".parse::<Kind>().unwrap(), Kind::Rain);
        let error = "fogg".parse::<Kind>().unwrap_err().to_string();
        assert!(error.ends_with("found 'fogg'; did you mean fog?"), "{error}");
        let error = "q".parse::<Kind>().unwrap_err().to_string();
        assert!(error.ends_with("found 'q'"), "{error}");
        assert_eq!(Kind::list().lines().count(), Kind::ALL.len());
    }
}
