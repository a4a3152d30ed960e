//! A node's parameters as ROS sees them: overrides at start, the six parameter services, descriptors and
//! `/parameter_events`. r2r's own parameter handler knows neither ranges nor events.

use isobath::pipeline::{Constraint, ParameterError, ParameterSet, ParameterSpec, Value};
use r2r::rcl_interfaces::msg::{
    FloatingPointRange, IntegerRange, ListParametersResult, Parameter, ParameterDescriptor, ParameterEvent,
    ParameterType, ParameterValue, SetParametersResult,
};

use crate::arguments::ParameterOverride;
use crate::clock::system_now;
use crate::names::NodeName;

/// The one parameter that every ROS node has.
const USE_SIM_TIME: &str = "use_sim_time";

/// A node's parameters.
#[derive(Clone, Debug)]
pub struct NodeParameters {
    set: ParameterSet,
    use_sim_time: bool,
    notes: Vec<String>,
}

impl NodeParameters {
    /// The defaults of `set` with what `overrides` give to the node called `name`. Also returns a sentence
    /// for each parameter that the node does not have.
    ///
    /// A wildcard (and `-p name:=value`) speaks to all nodes: what one of `others` declares is theirs.
    pub fn declare(
        mut set: ParameterSet,
        name: &NodeName,
        overrides: &[ParameterOverride],
        others: &[&'static [ParameterSpec]],
    ) -> Result<(Self, Vec<String>), ParameterError> {
        let mut use_sim_time = false;
        let mut unknown = Vec::new();
        for entry in overrides.iter().filter(|entry| name.matches(&entry.pattern)) {
            if entry.name == USE_SIM_TIME {
                use_sim_time = check_sim_time(set.node(), entry.value.as_ref())?;
                continue;
            }
            // A list is no value of any parameter; as text it meets the type check with the right name.
            let value = entry.value.clone().unwrap_or_else(|| Value::String("[…]".into()));
            match set.set(&entry.name, value) {
                Err(error @ ParameterError::Unknown { .. }) => {
                    let is_anothers = others.iter().any(|specs| has(specs, &entry.name));
                    if !(is_anothers && entry.pattern.contains('*')) {
                        unknown.push(error.to_string());
                    }
                }
                result => result?,
            }
        }
        let notes = set.review()?;
        Ok((Self { set, use_sim_time, notes }, unknown))
    }

    /// A sentence for each value that has no effect beside the others.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The values.
    pub const fn set(&self) -> &ParameterSet {
        &self.set
    }

    /// Whether time comes from `/clock`.
    pub const fn use_sim_time(&self) -> bool {
        self.use_sim_time
    }

    /// Serves `rcl_interfaces/srv/SetParameters` for one parameter: sets it, or says why not.
    pub fn change(&mut self, parameter: &Parameter) -> SetParametersResult {
        self.change_all(std::slice::from_ref(parameter))
    }

    /// Sets all of `parameters`, or none. What is worth knowing about a change that was made stands in the
    /// result's reason.
    pub fn change_all(&mut self, parameters: &[Parameter]) -> SetParametersResult {
        match self.changed(parameters) {
            Ok((set, notes)) => {
                self.set = set;
                let news: Vec<_> = notes.iter().filter(|note| !self.notes.contains(note)).cloned().collect();
                self.notes = notes;
                SetParametersResult { successful: true, reason: news.join("; ") }
            }
            Err(reason) => SetParametersResult { successful: false, reason },
        }
    }

    /// The values with `parameters` changed, looked at together, and the notes on them.
    fn changed(&self, parameters: &[Parameter]) -> Result<(ParameterSet, Vec<String>), String> {
        let mut set = self.set.clone();
        for parameter in parameters {
            if let Some(value) = self.check_change(parameter)? {
                set.set(&parameter.name, value).map_err(|error| error.to_string())?;
            }
        }
        let notes = set.review().map_err(|error| error.to_string())?;
        Ok((set, notes))
    }

    /// The value to set, `None` for one that cannot change and has it already.
    fn check_change(&self, parameter: &Parameter) -> Result<Option<Value>, String> {
        let name = parameter.name.as_str();
        if name == USE_SIM_TIME {
            let wanted = value_of(&parameter.value);
            let wanted = check_sim_time(self.set.node(), wanted.as_ref()).map_err(|e| e.to_string())?;
            return if wanted == self.use_sim_time { Ok(None) } else { Err(at_start(name)) };
        }
        let Some(value) = value_of(&parameter.value) else {
            return Err(match self.get(name) {
                Some(current) => format!(
                    "parameter '{name}': expected a {}, found {}",
                    current.type_name(),
                    type_name(parameter.value.type_)
                ),
                None => self.unknown(name),
            });
        };
        let (spec, value) = self.set.check(name, value).map_err(|error| error.to_string())?;
        if spec.live {
            // Also the value it has: another of the same call may have changed it.
            Ok(Some(value))
        } else if self.get(name).as_ref() == Some(&value) {
            Ok(None)
        } else {
            Err(at_start(name))
        }
    }

    fn unknown(&self, name: &str) -> String {
        self.set.check(name, Value::Bool(false)).err().map_or_else(String::new, |error| error.to_string())
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<Value> {
        if name == USE_SIM_TIME {
            return Some(Value::Bool(self.use_sim_time));
        }
        self.set.iter().find_map(|(known, value)| (known == name).then(|| value.clone()))
    }

    /// The value of `name` as a message; "not set" for a name that is none.
    pub fn get_message(&self, name: &str) -> ParameterValue {
        self.get(name).as_ref().map_or_else(ParameterValue::default, message_of)
    }

    /// What is known about `name`.
    pub fn describe(&self, name: &str) -> ParameterDescriptor {
        let mut descriptor = ParameterDescriptor { name: name.to_owned(), ..Default::default() };
        if name == USE_SIM_TIME {
            descriptor.type_ = ParameterType::PARAMETER_BOOL as u8;
            descriptor.description = "Whether time comes from /clock instead of the system".into();
            descriptor.read_only = true;
        }
        let Some(spec) = self.set.specs().iter().find(|spec| spec.name == name) else { return descriptor };
        descriptor.type_ = message_of(&spec.default.value()).type_;
        spec.description.clone_into(&mut descriptor.description);
        descriptor.read_only = !spec.live;
        match spec.constraint {
            Constraint::Any => {}
            Constraint::OneOf(_) => descriptor.additional_constraints = spec.constraint.to_string(),
            Constraint::Integers(from_value, to_value) => {
                descriptor.integer_range.push(IntegerRange { from_value, to_value, step: 0 });
            }
            Constraint::Doubles(from_value, to_value) => {
                descriptor.floating_point_range.push(FloatingPointRange { from_value, to_value, step: 0.0 });
            }
        }
        descriptor
    }

    /// The names that start with one of `prefixes` (all without prefixes), at most `depth` parts deep
    /// below the prefix; a depth of 0 is no limit.
    pub fn list(&self, prefixes: &[String], depth: u64) -> ListParametersResult {
        let deep = |rest: &str| depth != 0 && rest.matches('.').count() as u64 >= depth;
        let mut result = ListParametersResult::default();
        for (name, _) in self.set.iter().chain([(USE_SIM_TIME, &Value::Bool(false))]) {
            let wanted = if prefixes.is_empty() {
                !deep(name)
            } else {
                prefixes.iter().any(|prefix| {
                    name == prefix
                        || name
                            .strip_prefix(prefix.as_str())
                            .and_then(|rest| rest.strip_prefix('.'))
                            .is_some_and(|rest| !deep(rest))
                })
            };
            if !wanted {
                continue;
            }
            if let Some((prefix, _)) = name.rsplit_once('.')
                && result.prefixes.iter().all(|known| known != prefix)
            {
                result.prefixes.push(prefix.to_owned());
            }
            result.names.push(name.to_owned());
        }
        result
    }

    /// What `/parameter_events` says at the start: everything is new.
    pub fn declared_event(&self, node: &NodeName) -> ParameterEvent {
        let names = self.set.iter().map(|(name, _)| name).chain([USE_SIM_TIME]);
        let new_parameters =
            names.map(|name| Parameter { name: name.to_owned(), value: self.get_message(name) }).collect();
        ParameterEvent { new_parameters, ..event(node) }
    }

    /// What `/parameter_events` says when `names` changed.
    pub fn changed_event(&self, node: &NodeName, names: &[String]) -> ParameterEvent {
        let changed_parameters = names
            .iter()
            .map(|name| Parameter { name: name.clone(), value: self.get_message(name) })
            .collect();
        ParameterEvent { changed_parameters, ..event(node) }
    }
}

fn event(node: &NodeName) -> ParameterEvent {
    let (sec, nanosec) = system_now().to_parts();
    ParameterEvent {
        stamp: r2r::builtin_interfaces::msg::Time { sec, nanosec },
        node: node.full(),
        ..Default::default()
    }
}

fn has(specs: &[ParameterSpec], name: &str) -> bool {
    specs.iter().any(|spec| spec.name == name)
}

fn at_start(name: &str) -> String {
    format!("parameter '{name}' is read at start only: set it in the parameter file and restart the node")
}

fn check_sim_time(node: &str, value: Option<&Value>) -> Result<bool, ParameterError> {
    match value {
        Some(Value::Bool(value)) => Ok(*value),
        other => Err(ParameterError::Type {
            node: node.to_owned(),
            name: USE_SIM_TIME,
            expected: "boolean",
            found: other.map_or("list", Value::type_name),
            value: other.map_or_else(String::new, ToString::to_string),
        }),
    }
}

/// `None` for lists and "not set".
fn value_of(message: &ParameterValue) -> Option<Value> {
    match i64::from(message.type_) {
        t if t == ParameterType::PARAMETER_BOOL as i64 => Some(Value::Bool(message.bool_value)),
        t if t == ParameterType::PARAMETER_INTEGER as i64 => Some(Value::Integer(message.integer_value)),
        t if t == ParameterType::PARAMETER_DOUBLE as i64 => Some(Value::Double(message.double_value)),
        t if t == ParameterType::PARAMETER_STRING as i64 => Some(Value::String(message.string_value.clone())),
        _ => None,
    }
}

fn message_of(value: &Value) -> ParameterValue {
    let mut message = ParameterValue::default();
    match value {
        Value::Bool(value) => {
            message.type_ = ParameterType::PARAMETER_BOOL as u8;
            message.bool_value = *value;
        }
        Value::Integer(value) => {
            message.type_ = ParameterType::PARAMETER_INTEGER as u8;
            message.integer_value = *value;
        }
        Value::Double(value) => {
            message.type_ = ParameterType::PARAMETER_DOUBLE as u8;
            message.double_value = *value;
        }
        Value::String(value) => {
            message.type_ = ParameterType::PARAMETER_STRING as u8;
            message.string_value.clone_from(value);
        }
    }
    message
}

fn type_name(type_: u8) -> &'static str {
    if i64::from(type_) == ParameterType::PARAMETER_NOT_SET as i64 { "no value" } else { "a list" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isobath::pipeline::Pipeline;
    use isobath::pipeline::depth::DepthPipeline;
    use isobath::pipeline::detection::DetectionPipeline;

    fn declare(entries: &[(&str, &str, Value)]) -> Result<(NodeParameters, Vec<String>), ParameterError> {
        let overrides: Vec<_> = entries
            .iter()
            .map(|(pattern, name, value)| ParameterOverride {
                pattern: (*pattern).into(),
                name: (*name).into(),
                value: Some(value.clone()),
            })
            .collect();
        let name = NodeName { name: "detection".into(), namespace: "/".into() };
        let tables = [DepthPipeline::PARAMETERS, DetectionPipeline::PARAMETERS];
        let set = ParameterSet::of::<DetectionPipeline>(DetectionPipeline::NODE);
        NodeParameters::declare(set, &name, &overrides, &tables)
    }

    fn parameter(name: &str, value: &Value) -> Parameter {
        Parameter { name: name.into(), value: message_of(value) }
    }

    #[test]
    fn overrides_reach_their_node_and_unknown_names_are_told() {
        let (parameters, unknown) = declare(&[
            ("/**", "use_sim_time", Value::Bool(true)),
            ("/**/detection", "score_threshold", Value::Integer(1)),
            ("depth", "score_threshold", Value::Double(0.9)),
            ("/**", "radars", Value::Integer(2)),
            ("/**", "scor_threshold", Value::Double(0.1)),
            ("detection", "radars", Value::Integer(2)),
        ])
        .unwrap();
        assert!(parameters.use_sim_time());
        assert_eq!(parameters.set().double("score_threshold"), 1.0);
        assert_eq!(unknown.len(), 2, "{unknown:?}");
        assert!(unknown[0].contains("score_threshold") && unknown[1].contains("radars"));
    }

    #[test]
    fn a_bad_value_in_a_file_is_an_error() {
        assert!(declare(&[("detection", "score_threshold", Value::Double(2.0))]).is_err());
        assert!(declare(&[("detection", "use_sim_time", Value::Integer(1))]).is_err());
    }

    #[test]
    fn services_say_why_a_change_is_refused() {
        let (mut parameters, _) = declare(&[]).unwrap();
        assert!(parameters.change(&parameter("score_threshold", &Value::Double(0.5))).successful);
        assert_eq!(parameters.set().double("score_threshold"), 0.5);
        for (name, value, why) in [
            ("score_threshold", Value::Double(7.0), "0.05 to 1"),
            ("score_threshold", Value::String("high".into()), "double"),
            ("model", Value::String("other".into()), "restart"),
            ("score_treshold", Value::Double(0.5), "nearest is 'score_threshold'"),
            ("use_sim_time", Value::Bool(true), "restart"),
        ] {
            let result = parameters.change(&parameter(name, &value));
            assert!(!result.successful && result.reason.contains(why), "{name}: {}", result.reason);
        }
        // The value it has is no change.
        assert!(parameters.change(&parameter("model", &Value::String("detector_s".into()))).successful);
    }

    #[test]
    fn a_change_that_leaves_another_without_effect_says_so_once() {
        let (mut parameters, _) = declare(&[]).unwrap();
        assert!(parameters.notes().is_empty());
        let result = parameters.change(&parameter("score_threshold", &Value::Double(0.5)));
        assert!(result.successful && result.reason.contains("marker_threshold"), "{}", result.reason);
        assert_eq!(parameters.notes().len(), 1);
        let result = parameters.change(&parameter("range", &Value::Double(20.0)));
        assert!(result.successful && result.reason.is_empty(), "{}", result.reason);
        let both = [
            parameter("score_threshold", &Value::Double(0.6)),
            parameter("marker_threshold", &Value::Double(0.7)),
        ];
        assert_eq!(parameters.change_all(&both).reason, "", "looked at together");
        assert!(parameters.notes().is_empty());
    }

    #[test]
    fn values_that_contradict_each_other_are_an_error_at_start() {
        let sparse = |provider: &str| {
            declare(&[
                ("/**", "precision", Value::String("sparse_int8".into())),
                ("/**", "provider", Value::String(provider.into())),
            ])
        };
        assert!(sparse("cpu").is_ok());
        assert!(sparse("cuda").unwrap_err().to_string().contains("sparse_int8"));
    }

    #[test]
    fn the_last_of_an_atomic_change_wins() {
        let (mut parameters, _) = declare(&[]).unwrap();
        let there_and_back = [
            parameter("score_threshold", &Value::Double(0.9)),
            parameter("score_threshold", &Value::Double(0.05)),
        ];
        assert!(parameters.change_all(&there_and_back).successful);
        assert_eq!(parameters.set().double("score_threshold"), 0.05);
    }

    #[test]
    fn an_atomic_change_is_all_or_nothing() {
        let (mut parameters, _) = declare(&[]).unwrap();
        let both = [
            parameter("score_threshold", &Value::Double(0.9)),
            parameter("score_threshold", &Value::Double(-1.0)),
        ];
        assert!(!parameters.change_all(&both).successful);
        assert_eq!(parameters.set().double("score_threshold"), 0.05);
        assert!(parameters.change_all(&both[..1]).successful);
        assert_eq!(parameters.set().double("score_threshold"), 0.9);
    }

    #[test]
    fn lists_and_descriptors() {
        let (parameters, _) = declare(&[]).unwrap();
        let names = parameters.list(&[], 0).names;
        assert_eq!(names.len(), DetectionPipeline::PARAMETERS.len() + 1);
        assert!(names.iter().any(|name| name == "use_sim_time"));
        let descriptor = parameters.describe("score_threshold");
        assert_eq!((descriptor.type_, descriptor.read_only), (3, false));
        assert_eq!(descriptor.floating_point_range[0].to_value, 1.0);
        assert!(parameters.describe("provider").read_only);
        assert!(parameters.describe("provider").additional_constraints.contains("cuda"));
        assert_eq!(parameters.describe("nothing").type_, 0);
        assert_eq!(parameters.get_message("nothing").type_, 0);
    }

    #[test]
    fn lists_by_prefix_and_depth() {
        let name = NodeName { name: "depth".into(), namespace: "/".into() };
        let set = ParameterSet::of::<DepthPipeline>(DepthPipeline::NODE);
        let (parameters, _) = NodeParameters::declare(set, &name, &[], &[]).unwrap();
        let radar = parameters.list(&["radar_0".into()], 0);
        assert_eq!(radar.names.len(), 7);
        assert_eq!(radar.prefixes, ["radar_0"]);
        assert!(parameters.list(&[], 1).names.iter().all(|name| !name.contains('.')));
        assert!(parameters.list(&[], 2).names.iter().any(|name| name.contains('.')));
    }
}
