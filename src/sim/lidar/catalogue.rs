//! The tables of the models, nominal: angles of single units differ by some tenths of a degree and come in
//! calibration files. Optics are typical values and not measured ones: where a maker gives no range at 10 %
//! it follows from the range at 80 % by the square law, rounded; noise, divergence and pulse length are rounded
//! too. Fitted to real sweeps of offices (`examples/lidar_realism`) are where near echoes begin, 0.5 m for the
//! VLP-16 and 0.1 m for the QT64. The OS1 is a revision with 45° for 64 beams; its first datasheet has 33° and 40 m at 10 %.
//!
//! | model | source |
//! |---|---|
//! | `vlp-16` | Velodyne, VLP-16 User Manual 63-9243 (chapters 6 and 9), datasheet 63-9229 |
//! | `hdl-32e` | Velodyne, HDL-32E User Manual 63-9113 (appendix on firing), datasheet 97-0038 |
//! | `hdl-64e` | Velodyne, HDL-64E S3 User Manual 63-HDL64ES3; azimuths in the pattern of a calibration file of the ROS driver |
//! | `os1-64`, `os1-128` | Ouster, OS1 datasheet and Software User Manual (beam intrinsics, measurement blocks) |
//! | `qt64` | Hesai, PandarQT User Manual (appendices A and B): channel distribution and firing times |
//! | `ld-mrs` | SICK, LD-MRS Operating Instructions 8012948 (chapter 3.4) |

use std::{f32::consts::PI, sync::LazyLock};

use glam::Vec3A;

use super::model::{Beam, Layout, LidarModel, Optics};

impl LidarModel {
    /// Every model, in the order of documentation.
    pub const NAMES: [&str; 7] = ["vlp-16", "hdl-32e", "hdl-64e", "os1-64", "os1-128", "qt64", "ld-mrs"];

    /// The model of a name; `None` if there is none.
    pub fn named(name: &str) -> Option<&'static Self> {
        static MODELS: LazyLock<[LidarModel; 7]> =
            LazyLock::new(|| [vlp_16(), hdl_32e(), hdl_64e(), os1(64), os1(128), qt64(), ld_mrs()]);
        MODELS.iter().find(|model| model.name == name)
    }
}

/// One beam of a table: elevation and azimuth in degrees (up, left), firing time in microseconds.
type Row = (f32, f32, f32);

/// A head that turns clockwise once in a sweep, the seam at its back.
fn turning(
    name: &'static str,
    layout: Layout,
    rate_hz: f64,
    columns: u32,
    rows: &[Row],
    optics: Optics,
) -> LidarModel {
    let column_s = 1.0 / (rate_hz * f64::from(columns));
    let step = -2.0 * PI / columns as f32;
    LidarModel {
        name,
        layout,
        rate_hz,
        columns,
        column_s,
        start: PI,
        step,
        beams: beams(rows, step / column_s as f32, layout),
        optics,
    }
}

/// Numbers rings as the drivers do: from the lowest up, Ouster's from the top down.
fn beams(rows: &[Row], turn_per_s: f32, layout: Layout) -> Vec<Beam> {
    let ring = |elevation: f32| match layout {
        Layout::Ouster => rows.iter().filter(|row| row.0 > elevation).count(),
        Layout::Velodyne | Layout::Hesai => rows.iter().filter(|row| row.0 < elevation).count(),
    };
    let beam = |&(elevation, azimuth, delay_us): &Row| {
        let delay_s = delay_us * 1e-6;
        let (up, out) = elevation.to_radians().sin_cos();
        let (left, ahead) = (azimuth.to_radians() + turn_per_s * delay_s).sin_cos();
        Beam { direction: Vec3A::new(out * ahead, out * left, up), delay_s, ring: ring(elevation) as u16 }
    };
    let mut beams: Vec<Beam> = rows.iter().map(beam).collect();
    beams.sort_by(|a, b| a.delay_s.total_cmp(&b.delay_s));
    beams
}

/// 16 lasers, every second one up and down in turn, 2.304 µs apart; a firing sequence takes 55.296 µs.
fn vlp_16() -> LidarModel {
    let row = |k: u8| {
        let elevation = if k.is_multiple_of(2) { -15 + i16::from(k) } else { i16::from(k) };
        (f32::from(elevation), 0.0, 2.304 * f32::from(k))
    };
    let optics = Optics {
        min_m: 0.5,
        max_m: 100.0,
        range_10_m: 40.0,
        noise_m: 0.01,
        weak_noise_m: 0.04,
        resolution_m: 0.002,
        divergence: 0.003,
        pulse_m: 0.9,
    };
    turning("vlp-16", Layout::Velodyne, 10.0, 1808, &(0..16).map(row).collect::<Vec<_>>(), optics)
}

/// 32 lasers from −30.67° to 10.67°, the lower and the upper half in turn, 1.152 µs apart; a firing sequence
/// takes 46.08 µs.
fn hdl_32e() -> LidarModel {
    let row = |k: u8| {
        let place = f32::from(k / 2 + 16 * (k % 2));
        (-92.0 / 3.0 + 4.0 / 3.0 * place, 0.0, 1.152 * f32::from(k))
    };
    let optics = Optics {
        min_m: 0.9,
        max_m: 100.0,
        range_10_m: 40.0,
        noise_m: 0.01,
        weak_noise_m: 0.04,
        resolution_m: 0.002,
        divergence: 0.003,
        pulse_m: 0.9,
    };
    turning("hdl-32e", Layout::Velodyne, 10.0, 2170, &(0..32).map(row).collect::<Vec<_>>(), optics)
}

/// An upper block of 32 lasers, 1/3° apart from 2°, and a lower one, 1/2° apart from −8.83°. One of each
/// fires at a time; both blocks take 48 µs.
fn hdl_64e() -> LidarModel {
    // From the top laser down; the lower block's lasers are half as far apart again.
    const AZIMUTHS: [f32; 12] = [2.1, -0.1, -2.2, -4.4, 5.7, 3.4, 1.3, -0.9, -2.9, -5.2, 6.4, 4.2];
    let azimuth = |k: u8| AZIMUTHS[usize::from(k) % AZIMUTHS.len()];
    let upper = (0..32_u8).map(|k| (2.0 - f32::from(k) / 3.0, azimuth(k), 1.5 * f32::from(k)));
    let lower = (0..32_u8).map(|k| (-8.83 - f32::from(k) / 2.0, 1.5 * azimuth(k + 4), 1.5 * f32::from(k)));
    let optics = Optics {
        min_m: 0.9,
        max_m: 120.0,
        range_10_m: 50.0,
        noise_m: 0.012,
        weak_noise_m: 0.05,
        resolution_m: 0.002,
        divergence: 0.002,
        pulse_m: 0.75,
    };
    turning("hdl-64e", Layout::Velodyne, 10.0, 2083, &upper.chain(lower).collect::<Vec<_>>(), optics)
}

/// Evenly from 22.5° up to as much down, in four columns; all beams of a measurement block fire at once.
fn os1(beams: u8) -> LidarModel {
    const AZIMUTHS: [f32; 4] = [-4.23, -1.41, 1.41, 4.23];
    let row = |k: u8| {
        let elevation = 22.5 - 45.0 * f32::from(k) / f32::from(beams - 1);
        (elevation, AZIMUTHS[usize::from(k) % AZIMUTHS.len()], 0.0)
    };
    let optics = Optics {
        min_m: 0.5,
        max_m: 120.0,
        range_10_m: 45.0,
        noise_m: 0.008,
        weak_noise_m: 0.05,
        resolution_m: 0.003,
        divergence: 0.0031,
        pulse_m: 0.3,
    };
    let name = if beams == 64 { "os1-64" } else { "os1-128" };
    turning(name, Layout::Ouster, 10.0, 1024, &(0..beams).map(row).collect::<Vec<_>>(), optics)
}

/// 64 channels over 104°. They sit in one line across the axis, so that a channel looks the more to the side
/// the steeper it looks.
fn qt64() -> LidarModel {
    /// Of the channels above the horizon; those below mirror them to 0.02°.
    const ELEVATIONS: [f32; 32] = [
        0.725, 2.175, 3.626, 5.079, 6.534, 7.993, 9.456, 10.923, 12.397, 13.877, 15.365, 16.861, 18.368,
        19.885, 21.415, 22.959, 24.524, 26.101, 27.697, 29.315, 30.957, 32.627, 34.328, 36.064, 37.840,
        39.662, 41.537, 43.475, 45.487, 47.587, 49.795, 52.133,
    ];
    let below = ELEVATIONS.iter().rev().map(|elevation| -elevation);
    let row = |(k, elevation): (u8, f32)| {
        let delay_us = 12.31 + 2.057 * f32::from(k) + 0.39 * f32::from(k / 8) + 0.6 * f32::from(k / 16);
        (elevation, -5.38 / elevation.to_radians().cos(), delay_us)
    };
    let rows: Vec<Row> = (0..).zip(below.chain(ELEVATIONS)).map(row).collect();
    let optics = Optics {
        min_m: 0.1,
        max_m: 60.0,
        range_10_m: 20.0,
        noise_m: 0.01,
        weak_noise_m: 0.03,
        resolution_m: 0.004,
        divergence: 0.007,
        pulse_m: 0.6,
    };
    turning("qt64", Layout::Hesai, 10.0, 600, &rows, optics)
}

/// Four planes 0.8° apart that a mirror sweeps from 50° on the left to 60° on the right, 0.25° a step, at
/// 12.5 Hz.
fn ld_mrs() -> LidarModel {
    let step = -0.25_f32.to_radians();
    let rate_hz = 12.5;
    // The mirror turns all the way round; while it looks away nothing is measured.
    let column_s = 0.25 / (360.0 * rate_hz);
    let row = |k: u8| (-1.2 + 0.8 * f32::from(k), 0.0, 0.0);
    let rows: Vec<Row> = (0..4).map(row).collect();
    LidarModel {
        name: "ld-mrs",
        layout: Layout::Velodyne,
        rate_hz,
        columns: 440,
        column_s,
        start: 50.0_f32.to_radians(),
        step,
        beams: beams(&rows, step / column_s as f32, Layout::Velodyne),
        optics: Optics {
            min_m: 0.5,
            max_m: 250.0,
            range_10_m: 50.0,
            noise_m: 0.04,
            weak_noise_m: 0.1,
            resolution_m: 0.04,
            divergence: 0.0014,
            pulse_m: 0.6,
        },
    }
}
