//! The parameters of node `detection`.

use crate::pipeline::parameters::Default;
use crate::pipeline::{Constraint, ParameterError, ParameterSet, ParameterSpec, rules};

const fn text(
    name: &'static str,
    default: &'static str,
    constraint: Constraint,
    description: &'static str,
) -> ParameterSpec {
    ParameterSpec { name, default: Default::String(default), constraint, description, live: false }
}

const fn live(
    name: &'static str,
    default: f64,
    range: (f64, f64),
    description: &'static str,
) -> ParameterSpec {
    let constraint = Constraint::Doubles(range.0, range.1);
    ParameterSpec { name, default: Default::Double(default), constraint, description, live: true }
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

pub(super) const DETECTION_PARAMETERS: &[ParameterSpec] = &[
    text(
        "model",
        "detection_baseline",
        Constraint::Any,
        "Name of a bundled model, or path of a model folder",
    ),
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
        "What replay records; this node has nothing that default leaves out",
    ),
    live("score_threshold", 0.05, (0.05, 1.0), "Lowest score on detections"),
    live("marker_threshold", 0.3, (0.05, 1.0), "Lowest score on detections/markers"),
    live("range", 0.0, (0.0, 1000.0), "Farthest detection from the LiDAR in metres; 0 is the model's range"),
    text(
        "lidar_preset",
        "auto",
        Constraint::OneOf(&[
            "auto",
            "velodyne",
            "ouster",
            "hesai",
            "livox",
            "robosense",
            "nebula",
            "generic",
        ]),
        "Field layout of the cloud; auto recognises it",
    ),
    text(
        "stamp_at",
        "start",
        Constraint::OneOf(&["start", "middle", "end"]),
        "Where in the sweep the cloud's stamp lies, when point times count from the sweep's start",
    ),
    text(
        "deskew_frame",
        "odom",
        Constraint::Any,
        "Fixed frame through which tf tells the LiDAR's motion during a sweep; empty leaves points as they are",
    ),
    ParameterSpec {
        live: true,
        ..text(
            "output_frame",
            "",
            Constraint::Any,
            "Frame of the detections, through tf at the sweep's stamp; empty is the cloud's own",
        )
    },
    ParameterSpec {
        live: true,
        ..integer("sync_timeout_ms", 150, (0, 10_000), "How long a sweep waits for its transforms")
    },
];

/// Rules between these parameters.
pub(super) fn review(parameters: &ParameterSet) -> Result<Vec<String>, ParameterError> {
    rules::precision_fits_provider(parameters)?;
    let (score, marker) = (parameters.double("score_threshold"), parameters.double("marker_threshold"));
    let hidden = (marker < score).then(|| {
        let why = format!("no detection scores below the score_threshold of {score}");
        rules::no_effect(parameters, "marker_threshold", &why)
    });
    Ok(hidden.into_iter().collect())
}
