//! Which fields LiDAR drivers publish, and in which units.
//!
//! | preset | recognised by | intensity | line | time |
//! |---|---|---|---|---|
//! | `velodyne` | `time` f4 | `intensity`, 0–255 | `ring` | s from the stamp, negative when it is that of the last packet |
//! | `ouster` | `t` u4, `reflectivity` | `reflectivity`, 0–255, calibrated | `ring` | ns from the sweep's first column |
//! | `hesai` | `timestamp` f8, `ring` | `intensity`, 0–255 | `ring` | s of the stamp's clock |
//! | `livox` | `line` with `timestamp` f8 or `offset_time` u4 | `intensity` or `reflectivity`, 0–255 | `line` | ns of the stamp's clock, or ns from the stamp |
//! | `robosense` | as `hesai` | `intensity`, 0–255 | `ring` | s of the stamp's clock |
//! | `nebula` | `time_stamp` u4 | `intensity`, 0–255 | `channel` | ns from the stamp |
//! | `generic` | – | `intensity`, `reflectivity` or `signal`, by datatype | any of these | any of these, the unit that gives a sweep |
//!
//! Sources: `velodyne_pointcloud` (`PointcloudXYZIRT`, `OrganizedCloudXYZIRT`), `ouster_ros`
//! (`os_point.h`, `sensor_point_types.h`), `hesai_ros_driver` 2 (`source_driver_ros2.hpp`), `livox_ros_driver2`
//! (`LivoxPointXyzrtlt`; `CustomPoint` for converted messages), `rslidar_sdk` (`PointXYZIRT`), Nebula
//! (`point_types.hpp`: `PointXYZIRCAEDT` and before). Hesai and `RoboSense` publish the same fields with the same
//! meaning: `auto` calls both `hesai`.

use std::{fmt, str::FromStr};

use super::field::Datatype;
use super::lidar_time::{MAX_SWEEP_S, TimeBase, TimeMeaning};
use super::{FieldReader, LidarPoints, PointCloudView, PointTimes, SensorError, StampAt};
use crate::message::Stamp;

/// Intensities that drivers call 0 to 255, in whatever datatype.
const FULL_SCALE: f32 = 255.0;

/// The field layout of a LiDAR driver's cloud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LidarPreset {
    /// Recognise the layout by field names, datatypes and plausible times.
    #[default]
    Auto,
    /// `velodyne_pointcloud`
    Velodyne,
    /// `ouster_ros` and `ros2_ouster`, point types with `t` and `reflectivity`
    Ouster,
    /// `hesai_ros_driver`
    Hesai,
    /// `livox_ros_driver2` as PointCloud2, or converted from its `CustomMsg`
    Livox,
    /// `rslidar_sdk`
    Robosense,
    /// Nebula
    Nebula,
    /// Positions, and whatever of the other names is there.
    Generic,
}

/// A time field as one driver writes it.
type TimeField = (&'static str, Datatype, f64, TimeBase);

/// What one driver publishes. The first name of each that is there counts.
struct Rule {
    intensity: &'static [&'static str],
    line: &'static [&'static str],
    time: &'static [TimeField],
    needs: &'static str,
}

const VELODYNE: Rule = Rule {
    intensity: &["intensity"],
    line: &["ring"],
    time: &[("time", Datatype::F32, 1.0, TimeBase::Sweep)],
    needs: "intensity, ring and time f4 (preset velodyne)",
};
const OUSTER: Rule = Rule {
    intensity: &["reflectivity"],
    line: &["ring", "channel"],
    time: &[("t", Datatype::U32, 1e-9, TimeBase::Sweep)],
    needs: "reflectivity, ring and t u4 (preset ouster)",
};
const HESAI: Rule = Rule {
    intensity: &["intensity"],
    line: &["ring"],
    time: &[("timestamp", Datatype::F64, 1.0, TimeBase::Clock)],
    needs: "intensity, ring and timestamp f8 (preset hesai)",
};
const ROBOSENSE: Rule = Rule { needs: "intensity, ring and timestamp f8 (preset robosense)", ..HESAI };
const LIVOX: Rule = Rule {
    intensity: &["intensity", "reflectivity"],
    line: &["line"],
    time: &[
        ("timestamp", Datatype::F64, 1e-9, TimeBase::Clock),
        ("offset_time", Datatype::U32, 1e-9, TimeBase::Sweep),
    ],
    needs: "intensity or reflectivity, line, and timestamp f8 or offset_time u4 (preset livox)",
};
const NEBULA: Rule = Rule {
    intensity: &["intensity"],
    line: &["channel", "ring"],
    time: &[("time_stamp", Datatype::U32, 1e-9, TimeBase::Sweep)],
    needs: "intensity, channel and time_stamp u4 (preset nebula)",
};
const GENERIC_INTENSITY: [&str; 3] = ["intensity", "reflectivity", "signal"];
const GENERIC_LINE: [&str; 3] = ["ring", "channel", "line"];
const GENERIC_TIME: [&str; 6] = ["time", "t", "timestamp", "time_stamp", "offset_time", "time_offset"];

impl LidarPreset {
    /// Every preset, in the order of documentation.
    pub const ALL: [Self; 8] = [
        Self::Auto,
        Self::Velodyne,
        Self::Ouster,
        Self::Hesai,
        Self::Livox,
        Self::Robosense,
        Self::Nebula,
        Self::Generic,
    ];

    /// The parameter value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Velodyne => "velodyne",
            Self::Ouster => "ouster",
            Self::Hesai => "hesai",
            Self::Livox => "livox",
            Self::Robosense => "robosense",
            Self::Nebula => "nebula",
            Self::Generic => "generic",
        }
    }

    const fn rule(self) -> Option<Rule> {
        match self {
            Self::Auto | Self::Generic => None,
            Self::Velodyne => Some(VELODYNE),
            Self::Ouster => Some(OUSTER),
            Self::Hesai => Some(HESAI),
            Self::Livox => Some(LIVOX),
            Self::Robosense => Some(ROBOSENSE),
            Self::Nebula => Some(NEBULA),
        }
    }

    /// What the fields of `view`, a cloud of `stamp`, mean. `auto` and `generic` take any cloud that has
    /// positions; any other preset fails when a field that its driver always writes is missing, has
    /// another datatype, or holds times of no sweep.
    ///
    /// `stamp_at` says where the stamp lies among times that count from the start of the sweep.
    pub fn layout<'a>(
        self,
        view: &PointCloudView<'a>,
        stamp: Stamp,
        stamp_at: StampAt,
    ) -> Result<LidarLayout<'a>, SensorError> {
        if view.is_empty() {
            // An empty cloud may come without fields and has no points under any preset.
            return Ok(LidarLayout { preset: self, intensity: None, line: None, times: None });
        }
        let Some(rule) = self.rule() else {
            let known = [Self::Ouster, Self::Nebula, Self::Livox, Self::Velodyne, Self::Hesai];
            let fits = known.into_iter().filter(|_| self == Self::Auto).find_map(|preset| {
                let found = preset.rule()?.find(view)?;
                found.layout(preset, view, stamp, stamp_at).ok()
            });
            return Ok(fits.unwrap_or_else(|| generic(view, stamp, stamp_at)));
        };
        let found = rule.find(view).ok_or_else(|| SensorError::MissingField {
            expected: rule.needs,
            found: view.typed_field_names(),
        })?;
        found.layout(self, view, stamp, stamp_at).map_err(|span| {
            let (name, _, unit_s, _) = found.time;
            SensorError::PointTimes {
                preset: self.as_str(),
                name: name.to_owned(),
                expected_s: MAX_SWEEP_S as u32,
                found_s: (span * unit_s).to_string(),
            }
        })
    }
}

impl Rule {
    /// The fields of `view` that this driver always writes, if they are all there.
    fn find<'a>(&self, view: &PointCloudView<'a>) -> Option<Found<'a>> {
        let of_type = |&&(name, datatype, ..): &&TimeField| {
            view.field(name).is_some_and(|field| field.datatype() == datatype)
        };
        let time = *self.time.iter().find(of_type)?;
        Some(Found {
            intensity: first(view, self.intensity)?,
            line: first(view, self.line)?,
            times: view.field(time.0)?,
            time,
        })
    }
}

/// The fields of a cloud that its driver's rule names.
struct Found<'a> {
    intensity: FieldReader<'a>,
    line: FieldReader<'a>,
    times: FieldReader<'a>,
    time: TimeField,
}

impl<'a> Found<'a> {
    /// Fails with the span of the times, in the field's unit, when no sweep lasts so long.
    fn layout(
        &self,
        preset: LidarPreset,
        view: &PointCloudView<'a>,
        stamp: Stamp,
        stamp_at: StampAt,
    ) -> Result<LidarLayout<'a>, f64> {
        let (_, _, unit_s, base) = self.time;
        let meaning = TimeMeaning { unit_s: Some(unit_s), base: Some(base) };
        let times = PointTimes::new(view, self.times, meaning, stamp, stamp_at)?;
        let intensity = Some((self.intensity, 1.0 / FULL_SCALE));
        Ok(LidarLayout { preset, intensity, line: Some(self.line), times })
    }
}

/// Whatever fields there are. Intensities are scaled by their datatype: integers by its range, floats as 0 to
/// 255, which is what drivers publish. Times that make no sweep in any unit are not used.
fn generic<'a>(view: &PointCloudView<'a>, stamp: Stamp, stamp_at: StampAt) -> LidarLayout<'a> {
    let intensity = first(view, &GENERIC_INTENSITY).map(|field| {
        let full_scale = match field.datatype() {
            Datatype::U8 | Datatype::F32 | Datatype::F64 => FULL_SCALE,
            Datatype::I8 => f32::from(i8::MAX),
            Datatype::U16 => f32::from(u16::MAX),
            Datatype::I16 => f32::from(i16::MAX),
            Datatype::U32 => u32::MAX as f32,
            Datatype::I32 => i32::MAX as f32,
        };
        (field, 1.0 / full_scale)
    });
    let times = first(view, &GENERIC_TIME).and_then(|field| {
        // Only a double can hold the time of a clock.
        let base = (field.datatype() != Datatype::F64).then_some(TimeBase::Sweep);
        let meaning = TimeMeaning { unit_s: None, base };
        PointTimes::new(view, field, meaning, stamp, stamp_at).ok().flatten()
    });
    let line = first(view, &GENERIC_LINE);
    LidarLayout { preset: LidarPreset::Generic, intensity, line, times }
}

/// The valid returns of a cloud of any layout, where they were measured.
pub fn lidar_points<'v, 'a>(view: &'v PointCloudView<'a>) -> LidarPoints<'v, 'a> {
    match LidarPreset::Auto.layout(view, Stamp::default(), StampAt::Start) {
        Ok(layout) => layout.points(view),
        Err(_) => LidarPoints::new(view, None),
    }
}

/// The first of `names` that the cloud has.
fn first<'a>(view: &PointCloudView<'a>, names: &[&str]) -> Option<FieldReader<'a>> {
    names.iter().find_map(|name| view.field(name))
}

/// What the fields of one cloud mean. See [`LidarPreset::layout`].
#[derive(Clone, Copy, Debug)]
pub struct LidarLayout<'a> {
    preset: LidarPreset,
    intensity: Option<(FieldReader<'a>, f32)>,
    line: Option<FieldReader<'a>>,
    times: Option<PointTimes<'a>>,
}

impl<'a> LidarLayout<'a> {
    /// The preset that fits, never `auto` unless the cloud is empty.
    pub const fn preset(&self) -> LidarPreset {
        self.preset
    }

    /// The number of the laser or line that measured a point, as its driver counts; `None` when the cloud tells none.
    pub const fn line(&self) -> Option<FieldReader<'a>> {
        self.line
    }

    /// How strongly each point reflects, with the factor to 0..1; `None` when the cloud does not tell.
    pub const fn intensity(&self) -> Option<(FieldReader<'a>, f32)> {
        self.intensity
    }

    /// When each point was measured; `None` when the cloud does not tell, or has one time for all.
    pub const fn times(&self) -> Option<PointTimes<'a>> {
        self.times
    }

    /// The valid returns of `view`, the cloud that this is the layout of.
    pub const fn points<'v>(&self, view: &'v PointCloudView<'a>) -> LidarPoints<'v, 'a> {
        LidarPoints::new(view, self.intensity)
    }
}

/// One line for a person: the preset, and what the cloud has of the rest.
impl fmt::Display for LidarLayout<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with = |has: bool| if has { "with" } else { "without" };
        write!(
            f,
            "layout {}, {} intensity, {} times of points",
            self.preset,
            with(self.intensity.is_some()),
            with(self.times.is_some())
        )
    }
}

impl fmt::Display for LidarPreset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for LidarPreset {
    type Err = SensorError;

    fn from_str(name: &str) -> Result<Self, SensorError> {
        Self::ALL.into_iter().find(|preset| preset.as_str() == name).ok_or_else(|| {
            SensorError::UnknownPreset {
                what: "lidar preset",
                expected: Self::ALL.map(Self::as_str).join(" "),
                found: name.to_owned(),
            }
        })
    }
}
