//! What is wrong with an input, told so that its reader knows what to do. Pure: facts in, sentences out.

use std::time::Duration;

use isobath::pipeline::InputKind;

use crate::arrivals::PATIENCE;
use crate::graph::Endpoint;

/// Fast DDS's default shared-memory segment holds 512 KiB; half of it is what gets through.
const FITS_DEFAULT_SEGMENT: usize = 256 << 10;

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
    /// Size of the newest message's data, bytes
    pub bytes: usize,
    /// Time without a message
    pub silent_for: Duration,
    /// How much of that is usual for this sensor
    pub patience: Duration,
    /// Whether messages come, but more slowly than from any whole sensor
    pub trickles: bool,
    /// Sensor's rate and arriving rate
    pub rates_hz: Option<(f64, f64)>,
    /// Publishers in the graph
    pub publishers: Vec<Endpoint>,
    /// How long there has been one
    pub published_for: Duration,
}

impl InputFacts {
    /// Whether the sensor says less than it did.
    pub fn is_silent(&self) -> bool {
        !self.is_transform() && self.silent_for > self.patience
    }

    fn is_transform(&self) -> bool {
        matches!(self.kind, InputKind::Transforms | InputKind::StaticTransforms)
    }

    /// Whether its messages, as far as any have come, are too big for Fast DDS as it is.
    fn is_big(&self) -> bool {
        !self.is_transform()
            && self.kind != InputKind::CameraInfo
            && (self.messages == 0 || self.bytes > FITS_DEFAULT_SEGMENT)
    }
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
    if fitting.len() > 1 && !input.is_transform() {
        let nodes: Vec<_> = fitting.iter().map(|publisher| publisher.node.as_str()).collect();
        warnings.push(format!(
            "'{topic}': expected one publisher, found {}: {}",
            nodes.len(),
            nodes.join(", ")
        ));
    }
    let silent_s = input.silent_for.as_secs_f64();
    if input.is_silent() && input.publishers.is_empty() {
        warnings.push(if input.messages == 0 {
            format!("nothing publishes on '{topic}' ({}): check the remapping", input.type_name)
        } else {
            format!("'{topic}' fell silent {silent_s:.1} s ago: nothing publishes on it any more")
        });
    } else if input.is_silent() && !fitting.is_empty() && input.published_for > input.patience {
        warnings.push(format!(
            "'{topic}' has {} publisher(s), but no message arrived for {silent_s:.1} s{}",
            fitting.len(),
            remedy(input, transport)
        ));
    } else if let Some((sensor, arriving)) = input.rates_hz
        && arriving < EXPECTED_SHARE * sensor
    {
        warnings.push(format!(
            "'{topic}' is stamped at {sensor:.1} Hz, but arrives at {arriving:.1} Hz{}",
            remedy(input, transport)
        ));
    } else if input.rates_hz.is_none()
        && input.trickles
        && input.published_for > PATIENCE
        && input.is_big()
        && transport.loses_big_messages()
    {
        // So few that their stamps do not tell the sensor's rate yet.
        warnings.push(format!(
            "'{topic}': only {} message(s) have arrived{}",
            input.messages,
            remedy(input, transport)
        ));
    }
    if input.lost > 0 {
        warnings.push(format!("'{topic}': {} messages found the node's queue full", input.lost));
    }
    warnings
}

fn remedy(input: &InputFacts, transport: &Transport) -> &'static str {
    if input.is_big() && transport.loses_big_messages() {
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
            bytes: 2_764_800,
            silent_for: Duration::from_millis(30),
            patience: Duration::from_millis(400),
            trickles: false,
            rates_hz: Some((30.0, 29.5)),
            publishers: vec![publisher("sensor_msgs/msg/Image", false)],
            published_for: Duration::from_secs(9),
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
    fn a_trickle_of_big_messages_without_the_profile_is_the_known_symptom() {
        let few = InputFacts { messages: 3, trickles: true, rates_hz: None, ..facts() };
        let warning = only(&few, &transport(false));
        assert!(warning.contains("only 3") && warning.contains("FASTRTPS_DEFAULT_PROFILES_FILE"));
        for healthy in [
            InputFacts { bytes: 100_000, ..few.clone() },
            InputFacts { published_for: Duration::from_secs(2), ..few.clone() },
            // Enough have come to know that the camera takes one picture a second.
            InputFacts { rates_hz: Some((1.0, 1.0)), ..few.clone() },
            InputFacts { trickles: false, ..few.clone() },
        ] {
            assert!(warnings(&healthy, &transport(false)).is_empty(), "{healthy:?}");
        }
        assert!(warnings(&few, &transport(true)).is_empty());
    }

    #[test]
    fn a_second_publisher_of_a_sensor_is_told_with_both_names() {
        let mut input = facts();
        input.publishers.push(Endpoint { node: "/camera_2".into(), ..input.publishers[0].clone() });
        let warning = only(&input, &transport(true));
        assert!(warning.contains("/camera, /camera_2"), "{warning}");
        let transforms = InputFacts { kind: InputKind::Transforms, rates_hz: None, ..input };
        assert!(warnings(&transforms, &transport(true)).is_empty());
    }

    #[test]
    fn silence_tells_a_missing_publisher_from_a_lossy_one() {
        let silent = InputFacts { silent_for: Duration::from_secs(5), ..facts() };
        assert!(only(&silent, &transport(false)).contains("1 publisher(s)"));
        let late = InputFacts { published_for: Duration::from_millis(300), ..silent.clone() };
        assert!(warnings(&late, &transport(false)).is_empty(), "its publisher has only just come");
        let gone = InputFacts { publishers: vec![], ..silent.clone() };
        assert!(only(&gone, &transport(false)).contains("any more"));
        let alone = InputFacts { messages: 0, ..gone };
        assert!(only(&alone, &transport(false)).contains("remapping"));
        let transforms = InputFacts { kind: InputKind::Transforms, ..alone };
        assert!(warnings(&transforms, &transport(false)).is_empty());
    }

    #[test]
    fn a_small_sensor_that_stops_is_not_blamed_on_the_transport() {
        let radar = InputFacts {
            topic: "/radar_1/points".into(),
            kind: InputKind::Radar(1),
            bytes: 4000,
            silent_for: Duration::from_millis(600),
            ..facts()
        };
        let warning = only(&radar, &transport(false));
        assert!(warning.contains("/radar_1/points") && warning.contains("0.6 s"), "{warning}");
        assert!(!warning.contains("shared-memory"), "{warning}");
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
