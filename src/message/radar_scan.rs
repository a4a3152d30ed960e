//! `radar_msgs/RadarScan`.

use super::{CdrError, CdrReader, CdrWriter, Header, Message};

/// The returns of one radar cycle.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RadarScan<'a> {
    /// Time and sensor frame.
    pub header: Header<'a>,
    /// In no particular order.
    pub returns: Vec<RadarReturn>,
}

/// `radar_msgs/RadarReturn`, polar in the sensor frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RadarReturn {
    /// Metres.
    pub range: f32,
    /// Radians in the azimuth plane.
    pub azimuth: f32,
    /// Radians, up is positive; 0 from a planar radar.
    pub elevation: f32,
    /// m/s along the ray.
    pub doppler_velocity: f32,
    /// dB.
    pub amplitude: f32,
}

impl<'a> Message<'a> for RadarScan<'a> {
    const TYPE_NAME: &'static str = "radar_msgs/msg/RadarScan";
    const TYPE_HASH: &'static str = "RIHS01_9d270e9c9d9e2509e93e7c688fd8a813d75e43a6a37ef982e63e24e80e535cdc";
    const DEFINITION: &'static str = definition!(
        "radar_msgs/RadarScan",
        "std_msgs/Header",
        "builtin_interfaces/Time",
        "radar_msgs/RadarReturn"
    );

    fn read(r: &mut CdrReader<'a>) -> Result<Self, CdrError> {
        Ok(Self {
            header: Header::read(r)?,
            returns: r.sequence("returns", 20, |r| {
                Ok(RadarReturn {
                    range: r.f32("returns.range")?,
                    azimuth: r.f32("returns.azimuth")?,
                    elevation: r.f32("returns.elevation")?,
                    doppler_velocity: r.f32("returns.doppler_velocity")?,
                    amplitude: r.f32("returns.amplitude")?,
                })
            })?,
        })
    }

    fn write(&self, w: &mut CdrWriter<'_>) {
        self.header.write(w);
        w.sequence(&self.returns, |item, w| {
            for value in [item.range, item.azimuth, item.elevation, item.doppler_velocity, item.amplitude] {
                w.f32(value);
            }
        });
    }
}
