//! The `isobath` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    isobath::cli::main()
}
