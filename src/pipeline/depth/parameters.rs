//! The parameters of node `depth`.

use super::MAX_RADARS;
use crate::pipeline::parameters::Default;
use crate::pipeline::{Constraint, ParameterError, ParameterSet, ParameterSpec, rules};
use crate::sensor::RadarPreset;

const PRESETS: Constraint =
    Constraint::OneOf(&["auto", "ti_mmwave", "ars548", "smartmicro", "reve", "generic", RADAR_SCAN]);
/// The value of `radar_N.preset` that stands for another message type, not for a layout of fields.
const RADAR_SCAN: &str = "radar_scan";
const OFFSET: Constraint = Constraint::Doubles(-1000.0, 1000.0);
const SIGN: Constraint = Constraint::OneOf(&["+", "-"]);

const fn text(
    name: &'static str,
    default: &'static str,
    constraint: Constraint,
    description: &'static str,
) -> ParameterSpec {
    ParameterSpec { name, default: Default::String(default), constraint, description, live: false }
}

const fn integer(
    name: &'static str,
    default: i64,
    range: (i64, i64),
    description: &'static str,
) -> ParameterSpec {
    let constraint = Constraint::Integers(range.0, range.1);
    ParameterSpec { name, default: Default::Integer(default), constraint, description, live: false }
}

const fn offset(name: &'static str) -> ParameterSpec {
    ParameterSpec {
        name,
        default: Default::Double(0.0),
        constraint: OFFSET,
        description: "Milliseconds added to this radar's stamps; negative for a driver that stamps late",
        live: true,
    }
}

const fn window(name: &'static str) -> ParameterSpec {
    live(integer(
        name,
        0,
        (0, 5000),
        "Largest difference of this radar's stamp from the image's in milliseconds; 0 is sync_window_ms",
    ))
}

const fn required(name: &'static str) -> ParameterSpec {
    ParameterSpec {
        name,
        default: Default::Bool(false),
        constraint: Constraint::Any,
        description: "Whether an image without this radar is dropped instead of done without it",
        live: true,
    }
}

/// A running node takes it at once.
const fn live(spec: ParameterSpec) -> ParameterSpec {
    ParameterSpec { live: true, ..spec }
}

pub(super) const DEPTH_PARAMETERS: &[ParameterSpec] = &[
    text("model", "depth_baseline", Constraint::Any, "Name of a bundled model, or path of a model folder"),
    text(
        "precision",
        "auto",
        Constraint::OneOf(&["auto", "fp32", "fp16", "int8", "int8_sym", "sparse_fp32", "sparse_int8"]),
        "Which of the model's files runs; auto takes the one meant for the provider",
    ),
    text(
        "provider",
        "cpu",
        Constraint::OneOf(&["cpu", "cuda", "tensorrt"]),
        "ONNX Runtime execution provider; one that cannot run is an error",
    ),
    integer("threads", 1, (1, 64), "Threads of the model's session"),
    text(
        "record",
        "default",
        Constraint::OneOf(&["default", "all"]),
        "What replay records: default leaves out points and preview",
    ),
    text(
        "image_transport",
        "raw",
        Constraint::OneOf(&["raw", "compressed"]),
        "raw subscribes to image, compressed to image/compressed",
    ),
    integer("radars", 1, (0, MAX_RADARS as i64), "Number of radars; 0 uses no radar anywhere"),
    text(
        "radar_0.preset",
        "auto",
        PRESETS,
        "What radar 0 publishes; auto recognises the fields of its clouds",
    ),
    text(
        "radar_1.preset",
        "auto",
        PRESETS,
        "What radar 1 publishes; auto recognises the fields of its clouds",
    ),
    text(
        "radar_2.preset",
        "auto",
        PRESETS,
        "What radar 2 publishes; auto recognises the fields of its clouds",
    ),
    text(
        "radar_3.preset",
        "auto",
        PRESETS,
        "What radar 3 publishes; auto recognises the fields of its clouds",
    ),
    live(text(
        "radar_0.doppler_sign",
        "+",
        SIGN,
        "+ if radar 0 reports receding targets as positive, - if not",
    )),
    live(text(
        "radar_1.doppler_sign",
        "+",
        SIGN,
        "+ if radar 1 reports receding targets as positive, - if not",
    )),
    live(text(
        "radar_2.doppler_sign",
        "+",
        SIGN,
        "+ if radar 2 reports receding targets as positive, - if not",
    )),
    live(text(
        "radar_3.doppler_sign",
        "+",
        SIGN,
        "+ if radar 3 reports receding targets as positive, - if not",
    )),
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
    live(integer(
        "radar_scans",
        4,
        (1, 10),
        "Scans of each radar that a frame uses: the one at its stamp, and those before it within a second, moved by odometry",
    )),
    live(integer("sync_window_ms", 100, (1, 5000), "Largest difference of a radar's stamp from the image's")),
    live(integer(
        "sync_timeout_ms",
        150,
        (0, 10_000),
        "How long an image waits for its radars, info and transforms",
    )),
    live(integer(
        "points_stride",
        2,
        (1, 64),
        "Every how many pixels depth/points has a point, in both directions",
    )),
];

/// Rules between these parameters.
pub(super) fn review(parameters: &ParameterSet) -> Result<Vec<String>, ParameterError> {
    rules::precision_fits_provider(parameters)?;
    let radars = radar_count(parameters);
    let unused = (radars..MAX_RADARS)
        .flat_map(|radar| {
            ["preset", "doppler_sign", "offset_ms", "window_ms", "required"]
                .map(|name| format!("radar_{radar}.{name}"))
        })
        .filter(|name| parameters.is_changed(name));
    Ok(unused.map(|name| rules::no_effect(parameters, &name, &format!("radars is {radars}"))).collect())
}

/// Number of radars, 0 to 4.
pub(super) fn radar_count(parameters: &ParameterSet) -> usize {
    usize::try_from(parameters.integer("radars")).unwrap_or(0).min(MAX_RADARS)
}

/// Scans of each radar that a frame uses.
pub(super) fn radar_scans(parameters: &ParameterSet) -> usize {
    usize::try_from(parameters.integer("radar_scans")).unwrap_or(1)
}

/// What one radar publishes and what becomes of it.
#[derive(Clone, Debug)]
pub(super) struct RadarSettings {
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
        let name = |field: &str| format!("radar_{radar}.{field}");
        let preset = parameters.string(&name("preset"));
        let is_scan = preset == RADAR_SCAN;
        let window_ms = match parameters.integer(&name("window_ms")) {
            0 => parameters.integer("sync_window_ms"),
            window_ms => window_ms,
        };
        RadarSettings {
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
