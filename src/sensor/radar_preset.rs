//! Which fields radar drivers publish, and in which units.

use std::{fmt, str::FromStr};

use super::{PointCloudView, SensorError};

/// The field layout of a radar driver's cloud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RadarPreset {
    /// Recognise the layout by its field names.
    #[default]
    Auto,
    /// TI mmWave drivers: `velocity` with `intensity` in dB, or `doppler` with `snr` and `noise`
    /// as 16-bit tenths of a dB.
    TiMmwave,
    /// Continental ARS548: `range_rate`, `rcs` and standard deviations.
    Ars548,
    /// smartmicro UMRR: `radial_speed`, `rcs`, `snr`.
    Smartmicro,
    /// Radar ego-velocity clouds: `v_doppler_mps`, `snr_db`.
    Reve,
    /// Positions, and whatever of the other names is there.
    Generic,
}

impl RadarPreset {
    /// Every preset, in the order of documentation.
    pub const ALL: [Self; 6] =
        [Self::Auto, Self::TiMmwave, Self::Ars548, Self::Smartmicro, Self::Reve, Self::Generic];

    /// The parameter value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::TiMmwave => "ti_mmwave",
            Self::Ars548 => "ars548",
            Self::Smartmicro => "smartmicro",
            Self::Reve => "reve",
            Self::Generic => "generic",
        }
    }

    /// Resolves `auto` by the fields of `view`; checks any other preset against them.
    pub(super) fn resolve(self, view: &PointCloudView<'_>) -> Result<Self, SensorError> {
        // An empty cloud may come without fields and decodes to no returns under any preset.
        if view.is_empty() {
            return Ok(if self == Self::Auto { Self::recognise(view) } else { self });
        }
        if self == Self::Auto {
            return Ok(Self::recognise(view));
        }
        if self.matches(view) {
            return Ok(self);
        }
        Err(SensorError::MissingField { expected: self.requirement(), found: view.field_names() })
    }

    fn recognise(view: &PointCloudView<'_>) -> Self {
        // `rcs` and `snr` are shared names; what tells the drivers apart is their name for Doppler.
        [Self::Ars548, Self::Smartmicro, Self::Reve, Self::TiMmwave]
            .into_iter()
            .find(|preset| preset.matches(view))
            .unwrap_or(Self::Generic)
    }

    fn matches(self, view: &PointCloudView<'_>) -> bool {
        let has = |name| view.field(name).is_some();
        match self {
            Self::Auto | Self::Generic => true,
            Self::TiMmwave => (has("velocity") && has("intensity")) || (has("doppler") && has("snr")),
            Self::Ars548 => has("range_rate") && has("rcs"),
            Self::Smartmicro => has("radial_speed"),
            Self::Reve => has("v_doppler_mps"),
        }
    }

    const fn requirement(self) -> &'static str {
        match self {
            Self::TiMmwave => "velocity and intensity, or doppler and snr (preset ti_mmwave)",
            Self::Ars548 => "range_rate and rcs (preset ars548)",
            Self::Smartmicro => "radial_speed (preset smartmicro)",
            Self::Reve => "v_doppler_mps (preset reve)",
            Self::Auto | Self::Generic => "x, y and z",
        }
    }
}

impl fmt::Display for RadarPreset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RadarPreset {
    type Err = SensorError;

    fn from_str(name: &str) -> Result<Self, SensorError> {
        Self::ALL.into_iter().find(|preset| preset.as_str() == name).ok_or_else(|| {
            SensorError::UnknownPreset {
                what: "radar preset",
                expected: Self::ALL.map(Self::as_str).join(" "),
                found: name.to_owned(),
            }
        })
    }
}
