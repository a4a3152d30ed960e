//! `metadata.yaml` of every version, and what is no bag.

use std::fs;

use isobath::bag::{Bag, BagError};
use tempfile::TempDir;

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
