//! What is said to a process rather than to one of its nodes: how many cameras it serves.
//!
//! In parameter files it stands under `perception`, the executable; `-p` and `/**` reach it too.

use isobath::pipeline::{Constraint, DefaultValue, ParameterError, ParameterSet, ParameterSpec, Value};

use crate::arguments::ParameterOverride;

/// The name that these parameters are given under.
const NAME: &str = "perception";

/// The parameter that names the nodes of the depth pipeline.
pub const DEPTH_NODES: &str = "depth_nodes";

/// The parameters of a process.
pub const SUITE_PARAMETERS: &[ParameterSpec] = &[ParameterSpec {
    name: DEPTH_NODES,
    default: DefaultValue::String("depth"),
    constraint: Constraint::Any,
    description: "Names of the depth nodes, one a camera, separated by commas",
    live: false,
}];

/// The names in parameter `name`. A sentence for each parameter that a process does not have is logged.
pub fn node_names(
    overrides: &[ParameterOverride],
    name: &'static str,
) -> Result<Vec<String>, ParameterError> {
    let mut set = ParameterSet::new(NAME, SUITE_PARAMETERS);
    for entry in overrides {
        // The process has no namespace of its own: the last part of the pattern decides.
        let is_named = entry.pattern.rsplit('/').next() == Some(NAME);
        let is_known = SUITE_PARAMETERS.iter().any(|spec| spec.name == entry.name);
        if !(is_named || is_known && entry.pattern.ends_with('*')) {
            continue;
        }
        let value = entry.value.clone().unwrap_or_else(|| Value::String("[…]".into()));
        match set.set(&entry.name, value) {
            Err(error @ ParameterError::Unknown { .. }) => tracing::warn!("{error}"),
            result => result?,
        }
    }
    split(set.string(name)).ok_or_else(|| ParameterError::Range {
        node: NAME.into(),
        name,
        expected: "names of nodes separated by commas, each once".into(),
        found: set.string(name).into(),
    })
}

fn split(text: &str) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for name in text.split(',').map(str::trim) {
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_name || names.iter().any(|known| known == name) {
            return None;
        }
        names.push(name.to_owned());
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(pattern: &str, text: &str) -> Result<Vec<String>, ParameterError> {
        let entry = ParameterOverride {
            pattern: pattern.into(),
            name: DEPTH_NODES.into(),
            value: Some(Value::String(text.into())),
        };
        node_names(&[entry], DEPTH_NODES)
    }

    #[test]
    fn names_are_separated_by_commas() {
        assert_eq!(node_names(&[], DEPTH_NODES).unwrap(), ["depth"]);
        for pattern in ["/**", "/**/perception", "/robot/perception", "perception"] {
            assert_eq!(names(pattern, "front, rear").unwrap(), ["front", "rear"], "{pattern}");
        }
        assert_eq!(names("/**/depth", "front").unwrap(), ["depth"], "said to another");
    }

    #[test]
    fn what_is_no_list_of_names_is_an_error() {
        for text in ["", "front,", "front,front", "front rear", "/front", "2nd"] {
            let error = names("perception", text).unwrap_err().to_string();
            assert!(error.contains("depth_nodes") && error.contains("perception"), "{error}");
        }
    }
}
