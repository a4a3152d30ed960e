//! Plays a bag into the launched suite over DDS and shows what it publishes.

use std::process::ExitCode;

fn main() -> ExitCode {
    isobath_nodes::demo::main()
}
