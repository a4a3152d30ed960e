//! The `isobath` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    isobath::allocator::configure();
    isobath::cli::main()
}
