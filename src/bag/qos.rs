//! The quality of service a publisher offered, as rosbag2 stores it with each topic: YAML text in
//! MCAP channels and SQLite topics, a YAML list in `metadata.yaml` of version 9.
//!
//! Recorders before Iron wrote the numbers of the rmw enums, later ones write names; both are read.

use std::fmt::Write as _;

use serde::Deserialize;

/// Seconds and nanoseconds; rmw's "infinite" is [`QosDuration::INFINITE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct QosDuration {
    /// Whole seconds.
    pub sec: u64,
    /// Nanoseconds.
    pub nsec: u64,
}

impl QosDuration {
    /// `RMW_DURATION_INFINITE`.
    pub const INFINITE: Self = Self { sec: 9_223_372_036, nsec: 854_775_807 };
}

/// One publisher's offer. Policies carry rmw's own names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct OfferedQos {
    /// `keep_last` or `keep_all`.
    #[serde(deserialize_with = "history")]
    pub history: String,
    /// Messages kept by `keep_last`.
    pub depth: u64,
    /// `reliable` or `best_effort`.
    #[serde(deserialize_with = "reliability")]
    pub reliability: String,
    /// `volatile` or `transient_local`.
    #[serde(deserialize_with = "durability")]
    pub durability: String,
    /// Longest promised time between messages.
    pub deadline: QosDuration,
    /// How long a message is valid.
    pub lifespan: QosDuration,
    /// `automatic` or `manual_by_topic`.
    #[serde(deserialize_with = "liveliness")]
    pub liveliness: String,
    /// How often liveliness is asserted.
    pub liveliness_lease_duration: QosDuration,
    /// Whether DDS names carry no ROS prefix.
    pub avoid_ros_namespace_conventions: bool,
}

impl OfferedQos {
    /// Reliable, volatile, `keep_last(depth)`: what this package offers for its outputs.
    pub fn reliable(depth: u64) -> Self {
        Self {
            history: "keep_last".into(),
            depth,
            reliability: "reliable".into(),
            durability: "volatile".into(),
            deadline: QosDuration::INFINITE,
            lifespan: QosDuration::INFINITE,
            liveliness: "automatic".into(),
            liveliness_lease_duration: QosDuration::INFINITE,
            avoid_ros_namespace_conventions: false,
        }
    }

    /// What sensor drivers offer: best effort, `keep_last(5)`.
    pub fn sensor_data() -> Self {
        Self { reliability: "best_effort".into(), ..Self::reliable(5) }
    }

    /// Reliable and kept for late subscribers, as `/tf_static` is.
    pub fn latched(depth: u64) -> Self {
        Self { durability: "transient_local".into(), ..Self::reliable(depth) }
    }

    /// The list stored as `text`; empty text is an empty list. The error says what does not parse.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        serde_saphyr::from_str(text).map_err(|error| error.to_string())
    }

    /// The list as YAML text, each line after `indent` spaces, without a final newline. Empty for
    /// an empty list.
    pub fn list_to_yaml(list: &[Self], indent: usize) -> String {
        let mut text = String::new();
        let pad = " ".repeat(indent);
        for qos in list {
            // Writing into a String cannot fail.
            let _ = write!(
                text,
                "{pad}- history: {}\n{pad}  depth: {}\n{pad}  reliability: {}\n{pad}  durability: {}\n",
                qos.history, qos.depth, qos.reliability, qos.durability
            );
            for (name, duration) in [("deadline", qos.deadline), ("lifespan", qos.lifespan)] {
                push_duration(&mut text, &pad, name, duration);
            }
            let _ = writeln!(text, "{pad}  liveliness: {}", qos.liveliness);
            push_duration(&mut text, &pad, "liveliness_lease_duration", qos.liveliness_lease_duration);
            let _ = writeln!(
                text,
                "{pad}  avoid_ros_namespace_conventions: {}",
                qos.avoid_ros_namespace_conventions
            );
        }
        text.truncate(text.trim_end().len());
        text
    }
}

fn push_duration(text: &mut String, pad: &str, name: &str, duration: QosDuration) {
    let _ =
        write!(text, "{pad}  {name}:\n{pad}    sec: {}\n{pad}    nsec: {}\n", duration.sec, duration.nsec);
}

/// A policy as a name or as the number of its rmw enum.
#[derive(Deserialize)]
#[serde(untagged)]
enum Policy {
    Number(usize),
    Name(String),
}

/// Reads a policy; `names[i]` is the name of number `i` (`rmw/types.h`).
fn policy<'de, D: serde::Deserializer<'de>>(deserializer: D, names: &[&str]) -> Result<String, D::Error> {
    let known = match Policy::deserialize(deserializer)? {
        Policy::Number(number) => names.get(number).copied(),
        Policy::Name(name) => names.iter().copied().find(|known| *known == name),
    };
    known.map(str::to_owned).ok_or_else(|| {
        serde::de::Error::custom(format!("expected one of {} or its number", names.join(", ")))
    })
}

fn history<'de, D: serde::Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    policy(d, &["system_default", "keep_last", "keep_all", "unknown"])
}

fn reliability<'de, D: serde::Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    policy(d, &["system_default", "reliable", "best_effort", "unknown", "best_available"])
}

fn durability<'de, D: serde::Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    policy(d, &["system_default", "transient_local", "volatile", "unknown", "best_available"])
}

fn liveliness<'de, D: serde::Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    policy(
        d,
        &["system_default", "automatic", "manual_by_node", "manual_by_topic", "unknown", "best_available"],
    )
}

#[cfg(test)]
mod tests {
    use super::OfferedQos;

    #[test]
    fn names_round_trip() {
        let list = [OfferedQos::reliable(10), OfferedQos::sensor_data(), OfferedQos::latched(1)];
        for indent in [0, 8] {
            let text = OfferedQos::list_to_yaml(&list, indent);
            assert_eq!(OfferedQos::parse_list(&text), Ok(list.to_vec()), "{text}");
        }
    }

    #[test]
    fn numbers_of_older_recorders_are_read() {
        let text = "- history: 1\n  depth: 5\n  reliability: 2\n  durability: 2\n  deadline:\n    \
                    sec: 9223372036\n    nsec: 854775807\n  lifespan:\n    sec: 9223372036\n    nsec: \
                    854775807\n  liveliness: 1\n  liveliness_lease_duration:\n    sec: 9223372036\n    \
                    nsec: 854775807\n  avoid_ros_namespace_conventions: false";
        assert_eq!(OfferedQos::parse_list(text), Ok(vec![OfferedQos::sensor_data()]));
    }

    #[test]
    fn nothing_and_nonsense() {
        assert_eq!(OfferedQos::parse_list(""), Ok(vec![]));
        assert_eq!(OfferedQos::parse_list("[]"), Ok(vec![]));
        assert!(OfferedQos::parse_list("- history: 77").is_err());
        assert!(OfferedQos::parse_list("hello").is_err());
    }
}
