//! The parameters of node `depth`.

use super::MAX_RADARS;
use crate::pipeline::{Constraint, ParameterError, ParameterSet, ParameterSpec as Spec, rules};
use crate::sensor::RadarPreset;

const PRESETS: Constraint =
    Constraint::OneOf(&["auto", "ti_mmwave", "ars548", "smartmicro", "reve", "generic", RADAR_SCAN]);
/// The value of `radar_N.preset` that stands for another message type, not for a layout of fields.
const RADAR_SCAN: &str = "radar_scan";
/// Least signal to noise or cross-section that lets everything through.
const GATE_OPEN: f64 = -200.0;
const SIGN: Constraint = Constraint::OneOf(&["+", "-"]);

const SNR: &str =
    "Returns of less signal to noise, dB, are left out; those of drivers that do not tell it are kept";
const RCS: &str =
    "Returns of less radar cross-section, dBsm, are left out; those of drivers that do not tell it are kept";

const fn offset(name: &'static str) -> Spec {
    let description = "Milliseconds added to this radar's stamps; negative for a driver that stamps late";
    Spec::double(name, 0.0, (-1000.0, 1000.0), description).live()
}

/// A gate that is open by default.
const fn gate(name: &'static str, description: &'static str) -> Spec {
    Spec::double(name, GATE_OPEN, (GATE_OPEN, 200.0), description).live()
}

const fn window(name: &'static str) -> Spec {
    Spec::integer(
        name,
        0,
        (0, 5000),
        "Largest difference of this radar's stamp from the image's in milliseconds; 0 is sync_window_ms",
    )
    .live()
}

const fn required(name: &'static str) -> Spec {
    Spec::flag(name, false, "Whether an image without this radar is dropped instead of done without it")
        .live()
}

pub(super) const DEPTH_PARAMETERS: &[Spec] = &[
    Spec::text("model", "depth_s", Constraint::Any, "Name of a bundled model, or path of a model folder"),
    Spec::text(
        "precision",
        "auto",
        Constraint::OneOf(&["auto", "fp32", "fp16", "int8", "int8_sym", "sparse_fp32", "sparse_int8"]),
        "Which of the model's files runs; auto takes the one meant for the provider",
    ),
    Spec::text(
        "provider",
        "cpu",
        Constraint::OneOf(&["cpu", "cuda", "tensorrt"]),
        "ONNX Runtime execution provider; one that cannot run is an error",
    ),
    Spec::integer("threads", 1, (1, 64), "Threads of the model's session"),
    Spec::text(
        "record",
        "default",
        Constraint::OneOf(&["default", "all"]),
        "What replay records: default leaves out points and preview",
    ),
    Spec::text(
        "image_transport",
        "raw",
        Constraint::OneOf(&["raw", "compressed"]),
        "raw subscribes to image, compressed to image/compressed",
    ),
    Spec::integer("radars", 1, (0, MAX_RADARS as i64), "Number of radars; 0 uses no radar anywhere"),
    Spec::text(
        "radar_0.preset",
        "auto",
        PRESETS,
        "What radar 0 publishes; auto recognises the fields of its clouds",
    ),
    Spec::text(
        "radar_1.preset",
        "auto",
        PRESETS,
        "What radar 1 publishes; auto recognises the fields of its clouds",
    ),
    Spec::text(
        "radar_2.preset",
        "auto",
        PRESETS,
        "What radar 2 publishes; auto recognises the fields of its clouds",
    ),
    Spec::text(
        "radar_3.preset",
        "auto",
        PRESETS,
        "What radar 3 publishes; auto recognises the fields of its clouds",
    ),
    Spec::text(
        "radar_0.doppler_sign",
        "+",
        SIGN,
        "+ if radar 0 reports receding targets as positive, - if not",
    ).live(),
    Spec::text(
        "radar_1.doppler_sign",
        "+",
        SIGN,
        "+ if radar 1 reports receding targets as positive, - if not",
    ).live(),
    Spec::text(
        "radar_2.doppler_sign",
        "+",
        SIGN,
        "+ if radar 2 reports receding targets as positive, - if not",
    ).live(),
    Spec::text(
        "radar_3.doppler_sign",
        "+",
        SIGN,
        "+ if radar 3 reports receding targets as positive, - if not",
    ).live(),
    offset("radar_0.offset_ms"),
    offset("radar_1.offset_ms"),
    offset("radar_2.offset_ms"),
    offset("radar_3.offset_ms"),
    window("radar_0.window_ms"),
    window("radar_1.window_ms"),
    window("radar_2.window_ms"),
    window("radar_3.window_ms"),
    required("radar_0.required"),
    required("radar_1.required"),
    required("radar_2.required"),
    required("radar_3.required"),
    gate("radar_0.min_snr_db", SNR),
    gate("radar_1.min_snr_db", SNR),
    gate("radar_2.min_snr_db", SNR),
    gate("radar_3.min_snr_db", SNR),
    gate("radar_0.min_rcs_dbsm", RCS),
    gate("radar_1.min_rcs_dbsm", RCS),
    gate("radar_2.min_rcs_dbsm", RCS),
    gate("radar_3.min_rcs_dbsm", RCS),
    Spec::flag(
        "lidar_prior",
        false,
        "Whether points of lidar/points are drawn as returns too; takes the place of a radar",
    ),
    Spec::integer(
        "radar_scans",
        4,
        (1, 10),
        "Scans of each radar that a frame uses: the one at its stamp, and those before it within a second, moved by odometry",
    ).live(),
    Spec::double(
        "smoothing",
        0.0,
        (0.0, 0.95),
        "Share of the depth of the frame before in pixels that still show the same surface; 0 is off",
    ).live(),
    Spec::integer("sync_window_ms", 100, (1, 5000), "Largest difference of a radar's stamp from the image's").live(),
    Spec::integer(
        "sync_timeout_ms",
        150,
        (0, 10_000),
        "How long an image waits for its radars, info and transforms",
    ).live(),
    Spec::integer(
        "points_stride",
        2,
        (1, 64),
        "Every how many pixels depth/points has a point, in both directions",
    ).live(),
    Spec::double(
        "points_min_confidence",
        0.3,
        (0.0, 1.0),
        "Least confidence of a pixel in depth/points: the probability that its depth is within 10 %; 0 takes all",
    ).live(),
    Spec::double(
        "points_max_step",
        0.15,
        (0.0, 10.0),
        "Largest relative step of depth between neighbours of the network's image in depth/points, so that no points float between an object and what is behind; 0 takes all",
    ).live(),
];

/// Rules between these parameters.
pub(super) fn review(parameters: &ParameterSet) -> Result<Vec<String>, ParameterError> {
    rules::precision_fits_provider(parameters)?;
    let radars = radar_count(parameters);
    if source_count(parameters) > MAX_RADARS {
        return Err(ParameterError::Together {
            node: parameters.node().to_owned(),
            expected: format!("at most {} radars beside lidar_prior", MAX_RADARS - 1),
            found: format!("radars {radars} with lidar_prior true"),
        });
    }
    let unused = (radars..MAX_RADARS)
        .flat_map(|radar| {
            ["preset", "doppler_sign", "offset_ms", "window_ms", "required", "min_snr_db", "min_rcs_dbsm"]
                .map(|name| format!("radar_{radar}.{name}"))
        })
        .filter(|name| parameters.is_changed(name));
    Ok(unused.map(|name| rules::no_effect(parameters, &name, &format!("radars is {radars}"))).collect())
}

/// Number of radars, 0 to 4.
pub(super) fn radar_count(parameters: &ParameterSet) -> usize {
    usize::try_from(parameters.integer("radars")).unwrap_or(0).min(MAX_RADARS)
}

/// Number of sources of returns: the radars, and the LiDAR where it is one.
pub(super) fn source_count(parameters: &ParameterSet) -> usize {
    radar_count(parameters) + usize::from(parameters.bool("lidar_prior"))
}

/// Scans of each radar that a frame uses.
pub(super) fn radar_scans(parameters: &ParameterSet) -> usize {
    usize::try_from(parameters.integer("radar_scans")).unwrap_or(1)
}

/// What one radar publishes and what becomes of it.
#[derive(Clone, Debug)]
pub(super) struct RadarSettings {
    /// `radar_N`, or `lidar`
    pub name: String,
    /// Whether it is the LiDAR that takes the place of a radar
    pub is_lidar: bool,
    /// Least signal to noise, dB
    pub min_snr_db: f32,
    /// Least radar cross-section, dBsm
    pub min_rcs_dbsm: f32,
    /// Input topic, relative
    pub topic: String,
    /// Whether it publishes `radar_msgs/RadarScan` instead of clouds
    pub is_scan: bool,
    /// Field layout of its clouds
    pub preset: RadarPreset,
    /// +1 or −1
    pub doppler_sign: f32,
    /// Added to its stamps
    pub offset_ns: i64,
    /// Largest distance from an image's stamp
    pub window_ns: i64,
    /// Whether there is no frame without it
    pub required: bool,
}

/// The settings of all radars, used or not.
pub(super) fn radar_settings(parameters: &ParameterSet) -> [RadarSettings; MAX_RADARS] {
    std::array::from_fn(|radar| {
        if parameters.bool("lidar_prior") && radar == radar_count(parameters) {
            return lidar_settings(parameters);
        }
        let name = |field: &str| format!("radar_{radar}.{field}");
        let preset = parameters.string(&name("preset"));
        let is_scan = preset == RADAR_SCAN;
        let window_ms = match parameters.integer(&name("window_ms")) {
            0 => parameters.integer("sync_window_ms"),
            window_ms => window_ms,
        };
        RadarSettings {
            name: format!("radar_{radar}"),
            is_lidar: false,
            min_snr_db: parameters.double(&name("min_snr_db")) as f32,
            min_rcs_dbsm: parameters.double(&name("min_rcs_dbsm")) as f32,
            topic: format!("radar_{radar}/{}", if is_scan { "scan" } else { "points" }),
            is_scan,
            // The constraint admits only names that parse, and the one that is no layout.
            preset: preset.parse().unwrap_or(RadarPreset::Auto),
            doppler_sign: if parameters.string(&name("doppler_sign")) == "-" { -1.0 } else { 1.0 },
            offset_ns: (parameters.double(&name("offset_ms")) * 1e6) as i64,
            window_ns: window_ms * 1_000_000,
            required: parameters.bool(&name("required")),
        }
    })
}

/// The LiDAR as one more source of returns.
fn lidar_settings(parameters: &ParameterSet) -> RadarSettings {
    RadarSettings {
        name: "lidar".into(),
        is_lidar: true,
        min_snr_db: GATE_OPEN as f32,
        min_rcs_dbsm: GATE_OPEN as f32,
        topic: "lidar/points".into(),
        is_scan: false,
        preset: RadarPreset::Generic,
        doppler_sign: 1.0,
        offset_ns: 0,
        window_ns: parameters.integer("sync_window_ms") * 1_000_000,
        required: false,
    }
}
