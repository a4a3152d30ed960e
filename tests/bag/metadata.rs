//! `metadata.yaml` of every version, and what is no bag.

use std::fs;

use isobath::bag::{Bag, BagError, StorageKind};
use mcap::WriteOptions;
use tempfile::TempDir;

use crate::recordings::{read, small_mcap, to_sqlite, write_file};

/// What one version of the metadata looks like, in the words of its recorder.
struct Version {
    number: u32,
    distro: &'static str,
    /// `offered_qos_profiles` and, since Iron, the hash
    topic_fields: &'static str,
    /// Behind `topics_with_message_count`
    bag_fields: &'static str,
}

const HASH: &str = "RIHS01_df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18";

const VERSIONS: [Version; 8] = [
    Version { number: 2, distro: "Eloquent", topic_fields: "", bag_fields: "" },
    Version {
        number: 4,
        distro: "Foxy",
        topic_fields: "offered_qos_profiles: \"- history: 3\\n  depth: 0\\n  reliability: 1\\n  durability: 2\\n  \
                       deadline:\\n    sec: 2147483647\\n    nsec: 4294967295\"",
        bag_fields: "compression_format: \"\"\n  compression_mode: \"\"",
    },
    Version {
        number: 5,
        distro: "Humble",
        topic_fields: "offered_qos_profiles: \"- history: 3\\n  depth: 0\\n  reliability: 1\"",
        bag_fields: "compression_format: \"\"\n  compression_mode: \"\"\n  files:\n    - path: bag_0.db3\n      \
                     starting_time:\n        nanoseconds_since_epoch: 1\n      duration:\n        nanoseconds: \
                     2\n      message_count: 3",
    },
    Version {
        number: 6,
        distro: "between Humble and Iron",
        topic_fields: "offered_qos_profiles: \"\"",
        bag_fields: "compression_format: \"\"\n  compression_mode: \"\"\n  files: []\n  custom_data: ~",
    },
    Version {
        number: 7,
        distro: "Iron",
        topic_fields: "offered_qos_profiles: \"- history: keep_last\\n  depth: 10\"\n        \
                       type_description_hash: HASH",
        bag_fields: "compression_format: \"\"\n  compression_mode: \"\"\n  files: []\n  custom_data:\n    robot: \
                     seven",
    },
    Version {
        number: 8,
        distro: "between Iron and Jazzy",
        topic_fields: "offered_qos_profiles: \"\"\n        type_description_hash: HASH",
        bag_fields: "compression_format: \"\"\n  compression_mode: \"\"\n  files: []\n  custom_data: ~\n  \
                     ros_distro: rolling",
    },
    Version {
        number: 9,
        distro: "Jazzy and Kilted",
        topic_fields: "offered_qos_profiles:\n          - history: keep_last\n            depth: 10\n            \
                       reliability: reliable\n            durability: volatile\n            deadline:\n              \
                       sec: 9223372036\n              nsec: 854775807\n        type_description_hash: HASH",
        bag_fields: "compression_format: \"\"\n  compression_mode: \"\"\n  files: []\n  custom_data: ~\n  \
                     ros_distro: jazzy",
    },
    Version {
        number: 10,
        distro: "one to come",
        topic_fields: "offered_qos_profiles: []\n        type_description_hash: HASH\n        units: metres",
        bag_fields: "compression_format: \"\"\n  compression_mode: \"\"\n  files: []\n  custom_data: ~\n  \
                     ros_distro: later\n  clocks: {ros: 1}",
    },
];

#[test]
fn every_version_is_read() {
    let temp = TempDir::new().unwrap();
    let source = write_file(&temp, "source.mcap", &small_mcap(30, WriteOptions::new()));
    let (expected, _) = read(&source);
    for Version { number, distro, topic_fields, bag_fields } in VERSIONS {
        let folder = temp.path().join(format!("bag_{number}"));
        to_sqlite(&source, &folder);
        // Up to version 3 the path starts in front of the folder.
        let path = if number < 4 { format!("bag_{number}/bag_0.db3") } else { "bag_0.db3".to_owned() };
        let text = format!(
            "rosbag2_bagfile_information:\n  version: {number}\n  storage_identifier: sqlite3\n  \
             relative_file_paths:\n    - {path}\n  duration:\n    nanoseconds: 2\n  starting_time:\n    \
             nanoseconds_since_epoch: 1\n  message_count: 30\n  topics_with_message_count:\n    - \
             topic_metadata:\n        name: /a\n        type: std_msgs/msg/String\n        \
             serialization_format: cdr\n        {}\n      message_count: 20\n  {bag_fields}\n",
            topic_fields.replace("HASH", HASH)
        );
        fs::write(folder.join("metadata.yaml"), text).unwrap();
        let bag = Bag::open(&folder).unwrap_or_else(|error| panic!("{distro}: {error}"));
        assert_eq!(bag.info().storage, StorageKind::Sqlite3);
        assert_eq!(bag.info().compression, "none");
        let hash = bag.info().topics[0].type_hash.as_deref();
        assert_eq!(hash, (number >= 7).then_some(HASH), "{distro}");
        let (found, error) = read(&folder);
        assert!(error.is_none() && found == expected, "{distro}: {error:?}");
    }
}

/// Folder, its files with their content, what the error says.
type Case = (&'static str, &'static [(&'static str, &'static str)], &'static str);

#[test]
fn what_is_no_readable_bag_is_said_in_one_sentence() {
    let temp = TempDir::new().unwrap();
    let cases: [Case; 7] = [
        ("nothing", &[("readme.txt", "hi")], "neither metadata.yaml nor .mcap or .db3"),
        ("mixed", &[("a_0.mcap", ""), ("a_0.db3", "")], "one storage kind"),
        ("text", &[("a_0.mcap", "hello, this is no bag")], "starts with 'hello, this is n'"),
        ("hollow", &[("a_0.mcap", "")], "an empty file"),
        ("yaml", &[("metadata.yaml", "rosbag2_bagfile_information:\n  version: nine\n")], "metadata.yaml"),
        (
            "zero",
            &[(
                "metadata.yaml",
                "rosbag2_bagfile_information:\n  version: 0\n  storage_identifier: sqlite3\n  \
                relative_file_paths: [a.db3]\n",
            )],
            "version: expected a number from 1, found 0",
        ),
        (
            "missing",
            &[(
                "metadata.yaml",
                "rosbag2_bagfile_information:\n  version: 9\n  storage_identifier: mcap\n  \
                relative_file_paths: [a.mcap]\n  something_new: {a: 1}\n",
            )],
            "names 'a.mcap', which is not there",
        ),
    ];
    for (name, files, expected) in cases {
        let folder = temp.path().join(name);
        fs::create_dir(&folder).unwrap();
        for (file, content) in files {
            fs::write(folder.join(file), content).unwrap();
        }
        let text = Bag::open(&folder).err().expect(name).to_string();
        assert!(text.contains(expected), "{name}: {text}");
    }
    assert!(matches!(Bag::open(temp.path().join("absent")), Err(BagError::NotFound { .. })));
}
