//! The tensors that a manifest promises: names, roles, shapes and element types.
//!
//! A size is a number, or for the outermost one a word such as `pillars`: as many rows as a run has. The
//! manifest's `max_rows` says how many they can be at most.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// Largest number of values one tensor may have (1 GiB of f32): a typo must not exhaust memory.
pub(super) const MAX_TENSOR_VALUES: usize = 1 << 28;

/// One size of a shape.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a whole number or a word as size")]
pub enum Dimension {
    /// The same in every run.
    Fixed(usize),
    /// As many as a run has, by the name that all tensors with as many share.
    Rows(String),
}

impl PartialEq<usize> for Dimension {
    fn eq(&self, other: &usize) -> bool {
        matches!(self, Self::Fixed(size) if size == other)
    }
}

impl fmt::Debug for Dimension {
    /// As the manifest has it, without quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(size) => size.fmt(f),
            Self::Rows(name) => f.write_str(name),
        }
    }
}

/// Type of a tensor's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ElementType {
    /// 32-bit floating point
    Float32,
    /// 32-bit signed integers; of inputs only
    Int32,
    /// 64-bit signed integers; of inputs only
    Int64,
}

impl ElementType {
    /// NumPy's word for it, which is the manifest's.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
        }
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One input or output tensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TensorSpec {
    /// Name in the ONNX graph.
    pub name: String,
    /// What it means to the pipeline, such as `prior` or `heatmap`.
    pub role: String,
    /// Sizes, outermost first; that one alone may be a name.
    pub shape: Vec<Dimension>,
    /// Element type.
    pub dtype: ElementType,
}

impl TensorSpec {
    /// Name of the rows, when their number changes from run to run.
    pub fn rows(&self) -> Option<&str> {
        match self.shape.first() {
            Some(Dimension::Rows(name)) => Some(name),
            _ => None,
        }
    }

    /// The sizes of a run with `rows` rows; of a fixed shape, its sizes.
    pub fn sizes(&self, rows: usize) -> Vec<usize> {
        let size = |dimension: &Dimension| match dimension {
            Dimension::Fixed(size) => *size,
            Dimension::Rows(_) => rows,
        };
        self.shape.iter().map(size).collect()
    }

    /// The sizes of a shape without names.
    pub fn fixed_sizes(&self) -> Option<Vec<usize>> {
        let fixed = self.shape.iter().all(|dimension| matches!(dimension, Dimension::Fixed(_)));
        fixed.then(|| self.sizes(0))
    }

    /// Number of values with `rows` rows; 0 when it overflows, which the manifest check refuses.
    pub fn len_with(&self, rows: usize) -> usize {
        self.sizes(rows).iter().try_fold(1_usize, |n, &size| n.checked_mul(size)).unwrap_or(0)
    }

    /// Checks one tensor of a manifest by itself.
    pub(super) fn check(&self, side: &str, max_rows: &BTreeMap<String, usize>) -> Result<(), String> {
        let fail = |expected: String, found: String| {
            Err(format!("{side}: tensor {:?}: expected {expected}, found {found}", self.name))
        };
        if self.shape.iter().skip(1).any(|dimension| matches!(dimension, Dimension::Rows(_))) {
            return fail("a name for the first size alone".into(), format!("{:?}", self.shape));
        }
        let most = match self.rows() {
            None => 1,
            Some(name) => match max_rows.get(name) {
                Some(&most) => most,
                None => return fail(format!("max_rows.{name}"), "none".into()),
            },
        };
        let values = self.len_with(most);
        if values == 0 || values > MAX_TENSOR_VALUES {
            return fail(
                format!("a shape of 1 to {MAX_TENSOR_VALUES} values"),
                format!(
                    "{:?}{}",
                    self.shape,
                    self.rows().map_or(String::new(), |r| format!(" of {most} {r}"))
                ),
            );
        }
        if side.ends_with("outputs") && self.dtype != ElementType::Float32 {
            return fail("dtype float32".into(), self.dtype.to_string());
        }
        Ok(())
    }
}

/// Checks the tensors of one ONNX file together: all of them sound, names and roles once each, and no output
/// with rows that no input has.
pub(super) fn check_tensors(
    part: &str,
    inputs: &[TensorSpec],
    outputs: &[TensorSpec],
    max_rows: &BTreeMap<String, usize>,
) -> Result<(), String> {
    for (side, tensors) in [(format!("{part}inputs"), inputs), (format!("{part}outputs"), outputs)] {
        if tensors.is_empty() {
            return Err(format!("{side}: expected at least one tensor, found none"));
        }
        for (i, tensor) in tensors.iter().enumerate() {
            tensor.check(&side, max_rows)?;
            if tensors.iter().take(i).any(|other| other.role == tensor.role || other.name == tensor.name) {
                return Err(format!(
                    "{side}: expected names and roles once each, found {:?} twice",
                    tensor.name
                ));
            }
        }
    }
    for output in outputs {
        let known = output.rows().is_none_or(|rows| inputs.iter().any(|input| input.rows() == Some(rows)));
        if !known {
            return Err(format!(
                "{part}outputs: tensor {:?}: expected rows that an input has too, found {:?}",
                output.name, output.shape
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> TensorSpec {
        serde_saphyr::from_str(text).unwrap()
    }

    fn pillars(name: &str) -> TensorSpec {
        spec(&format!(
            r#"{{"name": "{name}", "role": "{name}", "shape": ["pillars", 32, 9], "dtype": "float32"}}"#
        ))
    }

    #[test]
    fn a_name_stands_for_the_rows_of_a_run() {
        let tensor = pillars("features");
        assert_eq!(
            (tensor.rows(), tensor.sizes(7), tensor.len_with(7)),
            (Some("pillars"), vec![7, 32, 9], 2016)
        );
        assert_eq!(tensor.fixed_sizes(), None);
        assert_eq!(format!("{:?}", tensor.shape), "[pillars, 32, 9]");
        let image = spec(r#"{"name": "i", "role": "i", "shape": [1, 3, 4, 5], "dtype": "int64"}"#);
        assert_eq!(
            (image.rows(), image.fixed_sizes(), image.dtype),
            (None, Some(vec![1, 3, 4, 5]), ElementType::Int64)
        );
        assert!(image.shape == [1, 3, 4, 5] && tensor.shape != [7, 32, 9]);
        let again: TensorSpec = serde_json::from_str(&serde_json::to_string(&tensor).unwrap()).unwrap();
        assert_eq!(again, tensor);
    }

    #[test]
    fn sizes_are_numbers_or_words() {
        let text = r#"{"name": "i", "role": "i", "shape": [1, -3], "dtype": "float32"}"#;
        let error = serde_saphyr::from_str::<TensorSpec>(text).unwrap_err().to_string();
        assert!(error.contains("expected a whole number or a word"), "{error}");
    }

    #[test]
    fn rows_are_bounded_known_and_outermost() {
        let limits = |most: usize| BTreeMap::from([("pillars".to_owned(), most)]);
        let (input, mut output) = (pillars("in"), pillars("out"));
        let check = |output: &TensorSpec, limits: &BTreeMap<String, usize>| {
            check_tensors("", std::slice::from_ref(&input), std::slice::from_ref(output), limits)
        };
        assert_eq!(check(&output, &limits(40_000)), Ok(()));
        let refused = |output: &TensorSpec, limits: &BTreeMap<String, usize>, part: &str| {
            let reason = check(output, limits).unwrap_err();
            assert!(reason.contains(part), "{reason}");
        };
        refused(&output, &BTreeMap::new(), "expected max_rows.pillars, found none");
        refused(&output, &limits(0), "of 0 pillars");
        refused(&output, &limits(1 << 40), "found [pillars, 32, 9] of");
        output.shape = vec![Dimension::Fixed(1), Dimension::Rows("pillars".into())];
        refused(&output, &limits(9), "a name for the first size alone");
        output.shape = vec![Dimension::Rows("boxes".into())];
        refused(
            &output,
            &[("pillars".to_owned(), 9), ("boxes".to_owned(), 9)].into(),
            "rows that an input has",
        );
        output.shape = vec![Dimension::Fixed(2)];
        output.dtype = ElementType::Int32;
        refused(&output, &limits(9), "expected dtype float32, found int32");
    }
}
