//! Radar returns with units, whatever the driver calls its fields.

use super::{FieldReader, PointCloudView, RadarPreset, SensorError, field::Datatype};
use crate::message::RadarScan;

/// One detection. What the driver does not publish is NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RadarReturn {
    /// Metres, sensor frame.
    pub position: [f32; 3],
    /// Range rate in m/s, positive when receding.
    pub range_rate_mps: f32,
    /// Signal to noise in dB.
    pub snr_db: f32,
    /// Radar cross-section in dBsm.
    pub rcs_dbsm: f32,
    /// Standard deviation of the azimuth, radians.
    pub azimuth_std_rad: f32,
    /// Standard deviation of the elevation, radians.
    pub elevation_std_rad: f32,
    /// Standard deviation of the range, metres.
    pub range_std_m: f32,
}

/// A field with the factor to its unit; absent fields read as NaN.
#[derive(Clone, Copy)]
struct Channel<'a>(Option<(FieldReader<'a>, f32)>);

impl Channel<'_> {
    fn get(&self, i: usize) -> f32 {
        self.0.map_or(f32::NAN, |(field, scale)| field.f32(i) * scale)
    }
}

/// The fields of a radar cloud that its driver names in its own way.
#[derive(Clone, Copy, Debug)]
pub struct RadarFields<'a> {
    /// The layout, never `auto`
    pub preset: RadarPreset,
    /// Range rate in m/s, with the driver's sign
    pub range_rate: Option<FieldReader<'a>>,
    /// Signal to noise, with the factor to dB
    pub snr: Option<(FieldReader<'a>, f32)>,
}

impl<'a> RadarFields<'a> {
    /// The fields of `view`; an error when it is not of `preset`.
    pub fn of(view: &PointCloudView<'a>, preset: RadarPreset) -> Result<Self, SensorError> {
        let preset = preset.resolve(view)?;
        let (doppler, snr): (&[&str], &[&str]) = match preset {
            RadarPreset::TiMmwave => (&["velocity", "doppler"], &["snr", "intensity"]),
            RadarPreset::Ars548 => (&["range_rate"], &["snr"]),
            RadarPreset::Smartmicro => (&["radial_speed"], &["snr"]),
            RadarPreset::Reve => (&["v_doppler_mps"], &["snr_db"]),
            RadarPreset::Auto | RadarPreset::Generic => {
                (&["range_rate", "doppler", "velocity", "radial_speed", "v_doppler_mps"], &["snr_db", "snr"])
            }
        };
        // TI firmware counts signal to noise in tenths of a dB, in 16 bits; drivers that convert it
        // publish a float.
        let tenths = preset == RadarPreset::TiMmwave
            && view
                .field("snr")
                .is_some_and(|field| matches!(field.datatype(), Datatype::I16 | Datatype::U16));
        Ok(Self {
            preset,
            range_rate: first(view, doppler),
            snr: first(view, snr).map(|field| (field, if tenths { 0.1 } else { 1.0 })),
        })
    }

    /// Whether `view`, whose fields these are, is a radar's at all: it tells speeds or cross-sections.
    pub fn tell_a_radar(&self, view: &PointCloudView<'a>) -> bool {
        self.range_rate.is_some() || view.field("rcs").is_some()
    }
}

/// The first of `names` that the cloud has.
fn first<'a>(view: &PointCloudView<'a>, names: &[&str]) -> Option<FieldReader<'a>> {
    names.iter().find_map(|name| view.field(name))
}

/// Decodes a radar cloud into `out` (cleared, keeps its memory) and returns the preset used.
///
/// Returns without a finite position are left out: `view.len() - out.len()` of them.
/// `doppler_sign` is 1 for a driver whose velocities are positive when receding, else −1.
pub fn decode_radar(
    view: &PointCloudView<'_>,
    preset: RadarPreset,
    doppler_sign: f32,
    out: &mut Vec<RadarReturn>,
) -> Result<RadarPreset, SensorError> {
    out.clear();
    let fields = RadarFields::of(view, preset)?;
    let channel = |name| Channel(view.field(name).map(|field| (field, 1.0)));
    let range_rate = Channel(fields.range_rate.map(|field| (field, doppler_sign)));
    let snr = Channel(fields.snr);
    let rcs = channel("rcs");
    let azimuth_std = channel("azimuth_std");
    let elevation_std = channel("elevation_std");
    let range_std = channel("range_std");
    out.extend(view.points().enumerate().filter(|(_, position)| position.iter().all(|v| v.is_finite())).map(
        |(i, position)| RadarReturn {
            position,
            range_rate_mps: range_rate.get(i),
            snr_db: snr.get(i),
            rcs_dbsm: rcs.get(i),
            azimuth_std_rad: azimuth_std.get(i),
            elevation_std_rad: elevation_std.get(i),
            range_std_m: range_std.get(i),
        },
    ));
    Ok(fields.preset)
}

/// Decodes a `radar_msgs/RadarScan` into `out` (cleared, keeps its memory).
///
/// Azimuth turns anticlockwise seen from above (REP-103), as published by drivers; a comment in
/// the message definition says otherwise. Amplitude has no common reference and is not kept.
pub fn decode_radar_scan(scan: &RadarScan<'_>, doppler_sign: f32, out: &mut Vec<RadarReturn>) {
    out.clear();
    out.extend(scan.returns.iter().filter_map(|item| {
        let (sin_azimuth, cos_azimuth) = item.azimuth.sin_cos();
        let (sin_elevation, cos_elevation) = item.elevation.sin_cos();
        let planar = item.range * cos_elevation;
        let position = [planar * cos_azimuth, planar * sin_azimuth, item.range * sin_elevation];
        position.iter().all(|v| v.is_finite()).then_some(RadarReturn {
            position,
            range_rate_mps: item.doppler_velocity * doppler_sign,
            snr_db: f32::NAN,
            rcs_dbsm: f32::NAN,
            azimuth_std_rad: f32::NAN,
            elevation_std_rad: f32::NAN,
            range_std_m: f32::NAN,
        })
    }));
}
