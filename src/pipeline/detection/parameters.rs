//! The parameters of node `detection`.

use crate::detection::ClassThresholds;
use crate::pipeline::{Constraint, ParameterError, ParameterSet, ParameterSpec as Spec, rules};
use crate::sensor::EgoBox;

pub(super) const DETECTION_PARAMETERS: &[Spec] = &[
    Spec::text("model", "detector_s", Constraint::Any, "Name of a bundled model, or path of a model folder"),
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
        "What replay records; this node has nothing that default leaves out",
    ),
    Spec::double("score_threshold", 0.05, (0.05, 1.0), "Lowest score on detections").live(),
    Spec::double("marker_threshold", 0.3, (0.05, 1.0), "Lowest score on detections/markers").live(),
    Spec::text(
        "class_thresholds",
        "",
        Constraint::Any,
        "CLASS SCORE or CLASS METRES SCORE, with commas between: lowest score of a class, from a distance on",
    )
    .live(),
    Spec::double(
        "range",
        0.0,
        (0.0, 1000.0),
        "Farthest detection from the LiDAR in metres; 0 is the model's range",
    )
    .live(),
    Spec::flag(
        "ground_removal",
        true,
        "Whether pillars in which nothing stands on the ground are left out; the bundled baseline sees all",
    )
    .live(),
    Spec::integer(
        "max_pillars",
        0,
        (0, 1_000_000),
        "Most pillars of a sweep that the network sees, the nearest; 0 is what the model allows",
    )
    .live(),
    Spec::text(
        "ego_box",
        "",
        Constraint::Any,
        "x0 y0 z0 x1 y1 z1 in the LiDAR's frame, metres: points inside are left out; empty leaves none out",
    ),
    Spec::text(
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
    Spec::text(
        "stamp_at",
        "start",
        Constraint::OneOf(&["start", "middle", "end"]),
        "Where in the sweep the cloud's stamp lies, when point times count from the sweep's start",
    ),
    Spec::text(
        "deskew_frame",
        "odom",
        Constraint::Any,
        "Fixed frame through which tf tells the LiDAR's motion during a sweep; empty leaves points as they are",
    ),
    Spec::integer(
        "sweeps",
        1,
        (1, 10),
        "Sweeps that the network sees together: the newest and those before, moved to it through deskew_frame",
    ),
    Spec::text(
        "output_frame",
        "",
        Constraint::Any,
        "Frame of the detections, through tf at the sweep's stamp; empty is the cloud's own",
    )
    .live(),
    Spec::integer("sync_timeout_ms", 150, (0, 10_000), "How long a sweep waits for its transforms").live(),
];

/// Rules between these parameters.
pub(super) fn review(parameters: &ParameterSet) -> Result<Vec<String>, ParameterError> {
    rules::precision_fits_provider(parameters)?;
    ego_box(parameters)?;
    class_thresholds(parameters)?;
    let (score, marker) = (parameters.double("score_threshold"), parameters.double("marker_threshold"));
    let hidden = (marker < score).then(|| {
        let why = format!("no detection scores below the score_threshold of {score}");
        rules::no_effect(parameters, "marker_threshold", &why)
    });
    let alone = (parameters.integer("sweeps") > 1 && parameters.string("deskew_frame").is_empty())
        .then(|| rules::no_effect(parameters, "sweeps", "deskew_frame is empty"));
    Ok(hidden.into_iter().chain(alone).collect())
}

/// The box whose points are left out.
pub(super) fn ego_box(parameters: &ParameterSet) -> Result<Option<EgoBox>, ParameterError> {
    let text = parameters.string("ego_box");
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| ParameterError::Range {
        node: parameters.node().to_owned(),
        name: "ego_box",
        expected: "x0 y0 z0 below x1 y1 z1, metres, or nothing".to_owned(),
        found: text.to_owned(),
    })
}

/// Lowest scores by class.
pub(super) fn class_thresholds(parameters: &ParameterSet) -> Result<ClassThresholds, ParameterError> {
    let text = parameters.string("class_thresholds");
    text.parse().map_err(|_| ParameterError::Range {
        node: parameters.node().to_owned(),
        name: "class_thresholds",
        expected: "'CLASS SCORE' or 'CLASS METRES SCORE' with commas between, or nothing".to_owned(),
        found: text.to_owned(),
    })
}
