//! What is wrong with an input, told so that its reader knows what to do. Pure: facts in, sentences out.

use std::time::Duration;

use isobath::pipeline::InputKind;

use crate::graph::Endpoint;

/// Start-up and slow sensors are no reason to complain.
const PATIENCE: Duration = Duration::from_secs(3);

/// Below this share of a sensor's messages something is lost on the way.
const EXPECTED_SHARE: f64 = 0.8;

/// What is known about one input.
#[derive(Clone, Debug)]
pub struct InputFacts {
    /// Name in the graph
    pub topic: String,
    /// What it carries
    pub kind: InputKind,
    /// Expected type
    pub type_name: &'static str,
    /// Messages so far
    pub messages: u64,
    /// Messages that this process was too busy to take
    pub lost: u64,
    /// Time without a message
    pub silent_for: Duration,
    /// Sensor's rate and arriving rate
    pub rates_hz: Option<(f64, f64)>,
    /// Publishers in the graph
    pub publishers: Vec<Endpoint>,
}

/// What is known about the transport.
#[derive(Clone, Debug)]
pub struct Transport {
    /// `rmw_fastrtps_cpp`, …
    pub middleware: String,
    /// Whether a Fast DDS profile is configured
    pub has_profile: bool,
}

impl Transport {
    /// Fast DDS with its default shared-memory segment, which big best-effort messages do not fit in.
    pub fn loses_big_messages(&self) -> bool {
        self.middleware.contains("fastrtps") && !self.has_profile
    }
}

/// One sentence for each thing that is wrong.
pub fn warnings(input: &InputFacts, transport: &Transport) -> Vec<String> {
    let topic = &input.topic;
    let mut warnings = Vec::new();
    for other in input.publishers.iter().filter(|publisher| publisher.type_name != input.type_name) {
        warnings.push(format!(
            "'{topic}': expected {}, but {} publishes {}",
            input.type_name, other.node, other.type_name
        ));
    }
    let fitting: Vec<_> =
        input.publishers.iter().filter(|publisher| publisher.type_name == input.type_name).collect();
    if input.kind == InputKind::StaticTransforms {
        for other in fitting.iter().filter(|publisher| !publisher.is_transient_local) {
            warnings.push(format!(
                "'{topic}': {} publishes with volatile durability, so that its transforms do not arrive: expected transient_local",
                other.node
            ));
        }
    }
    let is_transform = matches!(input.kind, InputKind::Transforms | InputKind::StaticTransforms);
    if !is_transform && input.silent_for > PATIENCE {
        if fitting.is_empty() && input.publishers.is_empty() {
            warnings
                .push(format!("nothing publishes on '{topic}' ({}): check the remapping", input.type_name));
        } else if !fitting.is_empty() {
            warnings.push(format!(
                "'{topic}' has {} publisher(s), but no message arrived for {:.0} s{}",
                fitting.len(),
                input.silent_for.as_secs_f64(),
                remedy(input, transport)
            ));
        }
    } else if let Some((sensor, arriving)) = input.rates_hz
        && arriving < EXPECTED_SHARE * sensor
    {
        warnings.push(format!(
            "'{topic}' is stamped at {sensor:.1} Hz, but arrives at {arriving:.1} Hz{}",
            remedy(input, transport)
        ));
    }
    if input.lost > 0 {
        warnings.push(format!("'{topic}': {} messages found the node's queue full", input.lost));
    }
    warnings
}

fn remedy(input: &InputFacts, transport: &Transport) -> &'static str {
    let is_big =
        !matches!(input.kind, InputKind::CameraInfo | InputKind::Transforms | InputKind::StaticTransforms);
    if is_big && transport.loses_big_messages() {
        ": big best-effort messages do not fit in Fast DDS's default shared-memory segment; start the \
         publisher and this node with FASTRTPS_DEFAULT_PROFILES_FILE=<share>/isobath/config/fastdds.xml"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> InputFacts {
        InputFacts {
            topic: "/image".into(),
            kind: InputKind::Image,
            type_name: "sensor_msgs/msg/Image",
            messages: 100,
            lost: 0,
            silent_for: Duration::from_millis(30),
            rates_hz: Some((30.0, 29.5)),
            publishers: vec![publisher("sensor_msgs/msg/Image", false)],
        }
    }

    fn publisher(type_name: &str, is_transient_local: bool) -> Endpoint {
        Endpoint { node: "/camera".into(), type_name: type_name.into(), is_transient_local }
    }

    fn transport(has_profile: bool) -> Transport {
        Transport { middleware: "rmw_fastrtps_cpp".into(), has_profile }
    }

    fn only(input: &InputFacts, transport: &Transport) -> String {
        let warnings = warnings(input, transport);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        warnings.into_iter().next().unwrap()
    }

    #[test]
    fn a_healthy_input_is_silent() {
        assert!(warnings(&facts(), &transport(false)).is_empty());
    }

    #[test]
    fn a_wrong_type_names_both_types_and_the_node() {
        let input = InputFacts {
            messages: 0,
            silent_for: Duration::from_secs(9),
            rates_hz: None,
            publishers: vec![publisher("sensor_msgs/msg/CompressedImage", false)],
            ..facts()
        };
        let warning = only(&input, &transport(true));
        for part in ["sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage", "/camera"] {
            assert!(warning.contains(part), "{warning}");
        }
    }

    #[test]
    fn losses_name_the_profile_only_where_it_helps() {
        let input = InputFacts { rates_hz: Some((30.0, 2.0)), ..facts() };
        assert!(only(&input, &transport(false)).contains("FASTRTPS_DEFAULT_PROFILES_FILE"));
        assert!(!only(&input, &transport(true)).contains("FASTRTPS_DEFAULT_PROFILES_FILE"));
        let cyclone = Transport { middleware: "rmw_cyclonedds_cpp".into(), has_profile: false };
        assert!(!only(&input, &cyclone).contains("FASTRTPS_DEFAULT_PROFILES_FILE"));
    }

    #[test]
    fn silence_tells_a_missing_publisher_from_a_lossy_one() {
        let silent = InputFacts { silent_for: Duration::from_secs(5), ..facts() };
        assert!(only(&silent, &transport(false)).contains("1 publisher(s)"));
        let alone = InputFacts { publishers: vec![], ..silent };
        assert!(only(&alone, &transport(false)).contains("remapping"));
        let transforms = InputFacts { kind: InputKind::Transforms, ..alone };
        assert!(warnings(&transforms, &transport(false)).is_empty());
    }

    #[test]
    fn volatile_static_transforms_never_arrive() {
        let input = InputFacts {
            kind: InputKind::StaticTransforms,
            type_name: "tf2_msgs/msg/TFMessage",
            publishers: vec![publisher("tf2_msgs/msg/TFMessage", false)],
            rates_hz: None,
            ..facts()
        };
        assert!(only(&input, &transport(true)).contains("transient_local"));
    }
}
