//! The command, started where its models are found.

use assert_cmd::Command;

/// `isobath`, without arguments yet.
pub fn isobath() -> Command {
    let mut command = Command::cargo_bin("isobath").unwrap();
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}
