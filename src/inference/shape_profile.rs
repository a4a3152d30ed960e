//! Which shapes a TensorRT engine must serve.
//!
//! Without a profile an engine serves the shapes of its first run, and one with more rows builds it again, which
//! takes minutes. Option names of ONNX Runtime's TensorRT provider: `trt_profile_min_shapes` and its siblings.

use super::TensorSpec;

/// The share of the most rows that engines are tuned for: sweeps seldom have as many as are allowed.
const USUAL_SHARE: usize = 4;

/// `name:1x32x9,other:1x4` for the fewest, the usual and the most rows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ShapeProfile {
    pub min: String,
    pub usual: String,
    pub max: String,
}

impl ShapeProfile {
    /// For `inputs` with 1 to `max_rows` of their rows; none when all shapes are fixed.
    pub fn of(inputs: &[TensorSpec], max_rows: impl Fn(&str) -> usize) -> Option<Self> {
        // TensorRT wants all inputs of a profile or none.
        inputs.iter().any(|input| input.rows().is_some()).then(|| {
            let shapes = |rows: &dyn Fn(usize) -> usize| {
                let shape = |input: &TensorSpec| {
                    let sizes = input.sizes(input.rows().map_or(1, |name| rows(max_rows(name))));
                    let sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
                    format!("{}:{}", input.name, sizes.join("x"))
                };
                inputs.iter().map(shape).collect::<Vec<_>>().join(",")
            };
            Self {
                min: shapes(&|_| 1),
                usual: shapes(&|most| most.div_ceil(USUAL_SHARE)),
                max: shapes(&|most| most),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_spans_one_row_to_the_most() {
        let inputs: Vec<TensorSpec> = serde_saphyr::from_str(
            r#"
            - {name: "voxels", role: "features", shape: ["pillars", 32, 4], dtype: "float32"}
            - {name: "scale", role: "scale", shape: [1, 4], dtype: "float32"}
            "#,
        )
        .unwrap();
        let profile = ShapeProfile::of(&inputs, |_| 40_000).unwrap();
        assert_eq!(profile.min, "voxels:1x32x4,scale:1x4");
        assert_eq!(profile.usual, "voxels:10000x32x4,scale:1x4");
        assert_eq!(profile.max, "voxels:40000x32x4,scale:1x4");
        assert_eq!(ShapeProfile::of(&inputs[1..], |_| 1), None);
    }
}
