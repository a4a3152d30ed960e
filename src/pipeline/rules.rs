//! Rules between parameters that both pipelines have.

use super::{ParameterError, ParameterSet};

/// The sparse operators are the project's own and run on the CPU only.
pub(super) fn precision_fits_provider(parameters: &ParameterSet) -> Result<(), ParameterError> {
    let (precision, provider) = (parameters.string("precision"), parameters.string("provider"));
    if precision.starts_with("sparse_") && provider != "cpu" {
        return Err(ParameterError::Together {
            node: parameters.node().to_owned(),
            expected: "provider 'cpu' for a sparse precision".into(),
            found: format!("precision '{precision}' with provider '{provider}'"),
        });
    }
    Ok(())
}

/// The sentence for a parameter that is set but does nothing, because `why`.
pub(super) fn no_effect(parameters: &ParameterSet, name: &str, why: &str) -> String {
    format!("parameter '{name}' of node '{}' has no effect: {why}", parameters.node())
}

#[cfg(test)]
mod tests {
    use crate::pipeline::depth::DepthPipeline;
    use crate::pipeline::detection::DetectionPipeline;
    use crate::pipeline::{ParameterSet, Pipeline};

    fn depth(assignments: &[(&str, &str)]) -> ParameterSet {
        set(ParameterSet::of::<DepthPipeline>("depth_front"), assignments)
    }

    fn detection(assignments: &[(&str, &str)]) -> ParameterSet {
        set(ParameterSet::of::<DetectionPipeline>(DetectionPipeline::NODE), assignments)
    }

    fn set(mut set: ParameterSet, assignments: &[(&str, &str)]) -> ParameterSet {
        for (name, value) in assignments {
            set.set_text(name, value).unwrap();
        }
        set
    }

    #[test]
    fn defaults_go_together() {
        assert!(depth(&[]).review().unwrap().is_empty());
        assert!(detection(&[]).review().unwrap().is_empty());
    }

    #[test]
    fn a_sparse_precision_needs_the_cpu() {
        let error = detection(&[("precision", "sparse_int8"), ("provider", "cuda")]).review().unwrap_err();
        for part in ["sparse_int8", "cuda", "'cpu'", "detection"] {
            assert!(error.to_string().contains(part), "{error}");
        }
        assert!(detection(&[("precision", "sparse_int8")]).review().is_ok());
        assert!(depth(&[("precision", "sparse_fp32"), ("provider", "tensorrt")]).review().is_err());
    }

    #[test]
    fn settings_of_a_radar_that_is_not_used_are_told() {
        let unused = depth(&[("radar_0.preset", "reve"), ("radar_2.offset_ms", "-30"), ("radars", "2")]);
        let notes = unused.review().unwrap();
        assert_eq!(notes.len(), 1, "{notes:?}");
        for part in ["radar_2.offset_ms", "depth_front", "radars is 2"] {
            assert!(notes[0].contains(part), "{notes:?}");
        }
        let none = depth(&[("radar_0.doppler_sign", "-"), ("radars", "0")]);
        assert_eq!(none.review().unwrap().len(), 1);
    }

    #[test]
    fn a_marker_threshold_below_the_score_threshold_is_told() {
        let notes = detection(&[("score_threshold", "0.5")]).review().unwrap();
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].contains("marker_threshold") && notes[0].contains("0.5"), "{notes:?}");
        assert!(detection(&[("score_threshold", "0.3")]).review().unwrap().is_empty());
    }
}
