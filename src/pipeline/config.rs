//! ROS parameter files and `node.parameter=value` assignments.

use std::path::Path;

use serde_json::{Map, Value as Json};

use super::{
    ParameterError, ParameterSet, Pipeline, Value, depth::DepthPipeline, detection::DetectionPipeline,
};

/// The parameters of both nodes.
#[derive(Clone, Debug)]
pub struct NodeParameters {
    /// Of node `depth`
    pub depth: ParameterSet,
    /// Of node `detection`
    pub detection: ParameterSet,
}

impl Default for NodeParameters {
    fn default() -> Self {
        Self {
            depth: ParameterSet::of::<DepthPipeline>(DepthPipeline::NODE),
            detection: ParameterSet::of::<DetectionPipeline>(DetectionPipeline::NODE),
        }
    }
}

impl NodeParameters {
    /// The set of the node called `node`.
    pub fn node_mut(&mut self, node: &str) -> Result<&mut ParameterSet, ParameterError> {
        match node {
            "depth" => Ok(&mut self.depth),
            "detection" => Ok(&mut self.detection),
            other => Err(ParameterError::Node(other.to_owned())),
        }
    }

    /// Takes over what the file at `path` sets for these nodes.
    pub fn load(&mut self, path: &Path) -> Result<(), ParameterError> {
        for (node, name, value) in read_parameter_file(path)? {
            for set in [&mut self.depth, &mut self.detection] {
                if node == "*" {
                    // A wildcard speaks to every node; each takes what it declares.
                    if set.specs().iter().any(|spec| spec.name == name) {
                        set.set(&name, value.clone())?;
                    }
                } else if node == set.node() && name != "use_sim_time" {
                    set.set(&name, value.clone())?;
                }
            }
        }
        Ok(())
    }

    /// Takes over one `node.parameter=value`.
    pub fn assign(&mut self, assignment: &str) -> Result<(), ParameterError> {
        let (node, name, value) = split_assignment(assignment)?;
        self.node_mut(node)?.set_text(name, value)
    }
}

/// Splits `node.parameter=value`; the parameter's name may hold dots.
pub fn split_assignment(text: &str) -> Result<(&str, &str, &str), ParameterError> {
    let parts = text.split_once('=').and_then(|(key, value)| {
        key.split_once('.').map(|(node, name)| (node.trim(), name.trim(), value.trim()))
    });
    parts.ok_or_else(|| ParameterError::Assignment(text.to_owned()))
}

/// The `(node, parameter, value)` triples of a ROS parameter file, in its order.
///
/// A node is the last part of its key (`/**/depth`, `/robot/depth` and `depth` are all `depth`); `/**`
/// alone is `*`.
pub fn read_parameter_file(path: &Path) -> Result<Vec<(String, String, Value)>, ParameterError> {
    let fail = |reason: String| ParameterError::File { path: path.display().to_string(), reason };
    let text = std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
    parse_parameters(&text).map_err(fail)
}

fn parse_parameters(text: &str) -> Result<Vec<(String, String, Value)>, String> {
    let root: Option<Map<String, Json>> =
        serde_saphyr::from_str(text).map_err(|error| error.to_string().replace('\n', " "))?;
    let mut triples = Vec::new();
    for (key, body) in root.unwrap_or_default() {
        collect_nodes(&key, &body, &mut triples)?;
    }
    Ok(triples)
}

fn collect_nodes(key: &str, body: &Json, out: &mut Vec<(String, String, Value)>) -> Result<(), String> {
    let Json::Object(fields) = body else {
        return Err(format!("expected 'ros__parameters' below '{key}', found {body}"));
    };
    for (name, value) in fields {
        if name == "ros__parameters" {
            let node = key.rsplit('/').next().unwrap_or(key);
            let node = if node == "**" { "*" } else { node };
            flatten(node, "", value, out)?;
        } else {
            collect_nodes(&format!("{key}/{name}"), value, out)?;
        }
    }
    Ok(())
}

fn flatten(
    node: &str,
    prefix: &str,
    value: &Json,
    out: &mut Vec<(String, String, Value)>,
) -> Result<(), String> {
    let value = match value {
        Json::Object(fields) => {
            for (name, value) in fields {
                let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                flatten(node, &name, value, out)?;
            }
            return Ok(());
        }
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => Value::Integer(integer),
            None => Value::Double(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::String(text.clone()),
        Json::Null if prefix.is_empty() => return Ok(()),
        other => return Err(format!("parameter '{prefix}' of '{node}': expected one value, found {other}")),
    };
    out.push((node.to_owned(), prefix.to_owned(), value));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_in_the_usual_forms() {
        let text = "/**/depth:\n  ros__parameters:\n    threads: 2\n    radar_0:\n      preset: auto\n\
                    robot:\n  detection:\n    ros__parameters: {score_threshold: 0.25}\n\
                    /**:\n  ros__parameters:\n    use_sim_time: true\n";
        let triples = parse_parameters(text).unwrap();
        let expected = [
            ("depth", "threads", Value::Integer(2)),
            ("depth", "radar_0.preset", Value::String("auto".into())),
            ("detection", "score_threshold", Value::Double(0.25)),
            ("*", "use_sim_time", Value::Bool(true)),
        ];
        assert_eq!(triples.len(), expected.len());
        for ((node, name, value), (n, p, v)) in triples.iter().zip(expected) {
            assert_eq!((node.as_str(), name.as_str(), value), (n, p, &v));
        }
    }

    #[test]
    fn malformed_files_and_assignments_are_one_error() {
        assert!(parse_parameters("depth: 3").unwrap_err().contains("ros__parameters"));
        assert!(parse_parameters("depth: {ros__parameters: {a: [1, 2]}}").is_err());
        assert!(parse_parameters("a: [").is_err());
        assert!(split_assignment("threads=2").is_err());
        assert_eq!(
            split_assignment("depth.radar_0.preset=auto").unwrap(),
            ("depth", "radar_0.preset", "auto")
        );
    }
}
