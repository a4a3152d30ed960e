//! What commands print on stdout.

use std::io::{self, ErrorKind, Write};

use super::Failure;

/// Prints `text`. A reader that has seen enough, as `head` does, is no error.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::Configuration(format!("stdout: {error}")))
        }
        _ => Ok(()),
    }
}
