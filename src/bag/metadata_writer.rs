//! `metadata.yaml` of version 9, in the field order rosbag2 writes.

use std::{borrow::Cow, collections::BTreeMap, fmt::Write as _};

use super::{TopicInfo, info::TimeSpan, qos::OfferedQos};

/// What is to be described: one storage file.
pub struct Recorded<'a> {
    /// Its name inside the bag folder.
    pub file: &'a str,
    /// Topics with their counts.
    pub topics: &'a [TopicInfo],
    /// First and last log time, `None` without messages.
    pub span: Option<TimeSpan>,
    /// What the recording's maker has to say.
    pub custom_data: &'a BTreeMap<String, String>,
}

/// The text of the file.
pub fn metadata_yaml(recorded: &Recorded<'_>) -> String {
    let count: u64 = recorded.topics.iter().map(|topic| topic.count).sum();
    let (duration, start) = recorded.span.map_or((0, i64::MAX), |s| (s.last.since_ns(s.first), s.first.0));
    let file = scalar(recorded.file);
    let mut text = format!(
        "rosbag2_bagfile_information:
  version: 9
  storage_identifier: mcap
  duration:
    nanoseconds: {duration}
  starting_time:
    nanoseconds_since_epoch: {start}
  message_count: {count}
"
    );
    // Writing into a String cannot fail.
    let _ = match recorded.topics {
        [] => writeln!(text, "  topics_with_message_count: []"),
        _ => writeln!(text, "  topics_with_message_count:"),
    };
    for topic in recorded.topics {
        let _ = write!(
            text,
            "    - topic_metadata:
        name: {}
        type: {}
        serialization_format: cdr
        offered_qos_profiles:",
            scalar(&topic.name),
            scalar(&topic.type_name)
        );
        let _ = match topic.offered_qos.as_slice() {
            [] => writeln!(text, " []"),
            list => writeln!(text, "\n{}", OfferedQos::list_to_yaml(list, 10)),
        };
        let _ = write!(
            text,
            "        type_description_hash: {}
      message_count: {}
",
            scalar(topic.type_hash.as_deref().unwrap_or_default()),
            topic.count
        );
    }
    let _ = write!(
        text,
        "  compression_format: \"\"
  compression_mode: \"\"
  relative_file_paths:
    - {file}
  files:
    - path: {file}
      starting_time:
        nanoseconds_since_epoch: {start}
      duration:
        nanoseconds: {duration}
      message_count: {count}
  custom_data:"
    );
    if recorded.custom_data.is_empty() {
        text.push_str(" ~");
    }
    for (key, value) in recorded.custom_data {
        let _ = write!(text, "\n    {}: {}", scalar(key), scalar(value));
    }
    text.push_str("\n  ros_distro: isobath\n");
    text
}

/// A string as a YAML scalar, quoted unless it is plain beyond doubt.
fn scalar(value: &str) -> Cow<'_, str> {
    let plain = value.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && value.contains(['/', '_'])
        && value.chars().all(|c| c.is_ascii_alphanumeric() || "/_.-".contains(c));
    if plain {
        return value.into();
    }
    let mut quoted = String::from("\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\U{:08x}", c as u32);
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted.into()
}

#[cfg(test)]
mod tests {
    use super::scalar;

    #[test]
    fn doubtful_scalars_are_quoted() {
        assert_eq!(scalar("/camera/image_raw"), "/camera/image_raw");
        assert_eq!(scalar("true"), "\"true\"");
        assert_eq!(scalar(""), "\"\"");
        assert_eq!(scalar("a: \"b\"\n"), "\"a: \\\"b\\\"\\U0000000a\"");
    }
}
