//! Parameters: one table a node, shared by the commands and the live nodes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use super::{ParameterError, Pipeline};

/// A parameter's value, in the types ROS parameters have.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `true` or `false`
    Bool(bool),
    /// Signed 64-bit
    Integer(i64),
    /// IEEE double
    Double(f64),
    /// UTF-8
    String(String),
}

impl Value {
    /// The type's name as `ros2 param` prints it.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Bool(_) => "boolean",
            Self::Integer(_) => "integer",
            Self::Double(_) => "double",
            Self::String(_) => "string",
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Double(value) => write!(f, "{value:?}"),
            Self::String(value) => write!(f, "{value}"),
        }
    }
}

/// A value as a table of constants can hold it.
#[derive(Clone, Copy, Debug)]
pub enum Default {
    /// A boolean parameter
    Bool(bool),
    /// An integer parameter
    Integer(i64),
    /// A double parameter
    Double(f64),
    /// A string parameter
    String(&'static str),
}

impl Default {
    /// As a [`Value`].
    pub fn value(self) -> Value {
        match self {
            Self::Bool(value) => Value::Bool(value),
            Self::Integer(value) => Value::Integer(value),
            Self::Double(value) => Value::Double(value),
            Self::String(value) => Value::String(value.to_owned()),
        }
    }
}

/// Which values of the right type are allowed.
#[derive(Clone, Copy, Debug)]
pub enum Constraint {
    /// All of them
    Any,
    /// One of these strings
    OneOf(&'static [&'static str]),
    /// Integers from the first to the second, both included
    Integers(i64, i64),
    /// Finite doubles from the first to the second, both included
    Doubles(f64, f64),
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => write!(f, "any value"),
            Self::OneOf(choices) => write!(f, "one of {}", choices.join(", ")),
            Self::Integers(low, high) => write!(f, "from {low} to {high}"),
            Self::Doubles(low, high) => write!(f, "from {low} to {high}"),
        }
    }
}

/// What is known about a parameter before anybody sets it.
#[derive(Clone, Copy, Debug)]
pub struct ParameterSpec {
    /// Name with dots for nesting, `radar_0.preset`
    pub name: &'static str,
    /// The value it has when nothing sets it
    pub default: Default,
    /// Which values it takes
    pub constraint: Constraint,
    /// One sentence with the unit
    pub description: &'static str,
    /// Whether a running node takes a new value at once; others need a restart
    pub live: bool,
}

impl ParameterSpec {
    /// A string.
    pub const fn text(
        name: &'static str,
        default: &'static str,
        constraint: Constraint,
        description: &'static str,
    ) -> Self {
        Self { name, default: Default::String(default), constraint, description, live: false }
    }

    /// An integer in `range`, both ends included.
    pub const fn integer(
        name: &'static str,
        default: i64,
        range: (i64, i64),
        description: &'static str,
    ) -> Self {
        let constraint = Constraint::Integers(range.0, range.1);
        Self { name, default: Default::Integer(default), constraint, description, live: false }
    }

    /// A finite number in `range`, both ends included.
    pub const fn double(
        name: &'static str,
        default: f64,
        range: (f64, f64),
        description: &'static str,
    ) -> Self {
        let constraint = Constraint::Doubles(range.0, range.1);
        Self { name, default: Default::Double(default), constraint, description, live: false }
    }

    /// `true` or `false`.
    pub const fn flag(name: &'static str, default: bool, description: &'static str) -> Self {
        let (default, constraint) = (Default::Bool(default), Constraint::Any);
        Self { name, default, constraint, description, live: false }
    }

    /// The same, taken over by a running node.
    #[must_use]
    pub const fn live(self) -> Self {
        Self { live: true, ..self }
    }
}

/// Looks at the values of a set together, as [`Pipeline::review`] does.
type Review = fn(&ParameterSet) -> Result<Vec<String>, ParameterError>;

/// The parameters of one node: every declared name has a valid value at all times.
#[derive(Clone, Debug)]
pub struct ParameterSet {
    node: Cow<'static, str>,
    specs: &'static [ParameterSpec],
    review: Review,
    values: BTreeMap<&'static str, Value>,
}

impl ParameterSet {
    /// All defaults of `node`, any of which go together.
    pub fn new(node: impl Into<Cow<'static, str>>, specs: &'static [ParameterSpec]) -> Self {
        let values = specs.iter().map(|spec| (spec.name, spec.default.value())).collect();
        Self { node: node.into(), specs, review: |_| Ok(Vec::new()), values }
    }

    /// All defaults of pipeline `P` for a node called `node`.
    pub fn of<P: Pipeline>(node: impl Into<Cow<'static, str>>) -> Self {
        Self { review: P::review, ..Self::new(node, P::PARAMETERS) }
    }

    /// The node these belong to.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// Looks at all values together: a sentence for each that has no effect beside the others, an error
    /// for those that contradict each other.
    pub fn review(&self) -> Result<Vec<String>, ParameterError> {
        (self.review)(self)
    }

    /// The table behind this set.
    pub const fn specs(&self) -> &'static [ParameterSpec] {
        self.specs
    }

    /// Names and values in name order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.values.iter().map(|(name, value)| (*name, value))
    }

    /// Checks `value` for `name` without setting it; an integer for a double parameter is converted.
    pub fn check(&self, name: &str, value: Value) -> Result<(&'static ParameterSpec, Value), ParameterError> {
        let Some(spec) = self.specs.iter().find(|spec| spec.name == name) else {
            return Err(ParameterError::Unknown {
                node: self.node.to_string(),
                name: name.to_owned(),
                nearest: self.nearest(name),
            });
        };
        let expected = spec.default.value();
        let value = match (&expected, value) {
            (Value::Double(_), Value::Integer(number)) => Value::Double(number as f64),
            (_, value) => value,
        };
        if std::mem::discriminant(&expected) != std::mem::discriminant(&value) {
            return Err(ParameterError::Type {
                node: self.node.to_string(),
                name: spec.name,
                expected: expected.type_name(),
                found: value.type_name(),
                value: value.to_string(),
            });
        }
        let allowed = match (&spec.constraint, &value) {
            (Constraint::OneOf(choices), Value::String(text)) => choices.contains(&text.as_str()),
            (Constraint::Integers(low, high), Value::Integer(number)) => (low..=high).contains(&number),
            (Constraint::Doubles(low, high), Value::Double(number)) => {
                number.is_finite() && low <= number && number <= high
            }
            (Constraint::Any, Value::Double(number)) => number.is_finite(),
            _ => true,
        };
        if !allowed {
            return Err(ParameterError::Range {
                node: self.node.to_string(),
                name: spec.name,
                expected: spec.constraint.to_string(),
                found: value.to_string(),
            });
        }
        Ok((spec, value))
    }

    /// Sets `name`, or leaves everything as it was.
    pub fn set(&mut self, name: &str, value: Value) -> Result<(), ParameterError> {
        let (spec, value) = self.check(name, value)?;
        self.values.insert(spec.name, value);
        Ok(())
    }

    /// Sets `name` from text as a command line gives it, read in the parameter's own type.
    pub fn set_text(&mut self, name: &str, text: &str) -> Result<(), ParameterError> {
        let value = match self.values.get(name) {
            Some(Value::Bool(_)) => text.parse().map(Value::Bool).ok(),
            Some(Value::Integer(_)) => text.parse().map(Value::Integer).ok(),
            Some(Value::Double(_)) => text.parse().map(Value::Double).ok(),
            Some(Value::String(_)) | None => None,
        };
        self.set(name, value.unwrap_or_else(|| Value::String(text.to_owned())))
    }

    /// A boolean parameter; `false` for a name that is none.
    pub fn bool(&self, name: &str) -> bool {
        matches!(self.values.get(name), Some(Value::Bool(true)))
    }

    /// An integer parameter; 0 for a name that is none.
    pub fn integer(&self, name: &str) -> i64 {
        if let Some(Value::Integer(value)) = self.values.get(name) { *value } else { 0 }
    }

    /// A double parameter; 0 for a name that is none.
    pub fn double(&self, name: &str) -> f64 {
        if let Some(Value::Double(value)) = self.values.get(name) { *value } else { 0.0 }
    }

    /// A string parameter; empty for a name that is none.
    pub fn string(&self, name: &str) -> &str {
        if let Some(Value::String(value)) = self.values.get(name) { value } else { "" }
    }

    /// Whether `name` has another value than its default.
    pub fn is_changed(&self, name: &str) -> bool {
        let default = self.specs.iter().find(|spec| spec.name == name).map(|spec| spec.default.value());
        default.as_ref() != self.values.get(name)
    }

    fn nearest(&self, name: &str) -> String {
        self.specs
            .iter()
            .max_by(|a, b| strsim::jaro_winkler(a.name, name).total_cmp(&strsim::jaro_winkler(b.name, name)))
            .map_or_else(String::new, |spec| spec.name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECS: &[ParameterSpec] = &[
        ParameterSpec::integer("threads", 1, (1, 64), ""),
        ParameterSpec::double("score_threshold", 0.1, (0.0, 1.0), "").live(),
        ParameterSpec::text("provider", "cpu", Constraint::OneOf(&["cpu", "cuda"]), ""),
    ];

    #[test]
    fn a_wrong_value_is_refused_and_leaves_the_old_one() {
        let mut set = ParameterSet::new("depth", SPECS);
        assert!(matches!(set.set("threads", Value::Integer(0)), Err(ParameterError::Range { .. })));
        assert!(matches!(set.set("threads", Value::Bool(true)), Err(ParameterError::Type { .. })));
        assert!(matches!(set.set_text("threads", "two"), Err(ParameterError::Type { .. })));
        assert!(set.set("score_threshold", Value::Double(f64::NAN)).is_err());
        assert!(set.set_text("provider", "gpu").is_err());
        assert_eq!(set.integer("threads"), 1);
    }

    #[test]
    fn an_integer_serves_a_double_parameter() {
        let mut set = ParameterSet::new("depth", SPECS);
        set.set("score_threshold", Value::Integer(1)).unwrap();
        assert_eq!(set.double("score_threshold"), 1.0);
    }

    #[test]
    fn a_set_tells_what_differs_from_the_defaults() {
        let mut set = ParameterSet::new("depth", SPECS);
        assert!(!set.is_changed("threads") && !set.is_changed("nothing"));
        set.set("threads", Value::Integer(2)).unwrap();
        assert!(set.is_changed("threads"));
    }

    #[test]
    fn an_unknown_name_gets_the_nearest_known_one() {
        let error = ParameterSet::new("depth", SPECS).set_text("score_treshold", "0.5").unwrap_err();
        assert!(error.to_string().contains("score_threshold"), "{error}");
    }
}
