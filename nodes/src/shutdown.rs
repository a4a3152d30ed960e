//! Stopping on SIGINT and SIGTERM.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens for the signals that end a node. r2r installs no handler of its own: without this the process
/// would die at once and its nodes would haunt the graph for 20 s.
pub struct Shutdown {
    interrupt: Signal,
    terminate: Signal,
}

impl Shutdown {
    /// Installs the handlers; needs a tokio runtime.
    pub fn install() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Completes with the signal's name when one arrives.
    pub async fn requested(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

/// Ends the process with `code` without running destructors of libraries whose threads may still work,
/// such as an inference that outlasts the shutdown. All nodes must be destroyed before.
pub fn exit(code: i32) -> ! {
    // SAFETY: `_exit` ends the process; standard streams are unbuffered or flushed by their users.
    unsafe { libc::_exit(code) }
}
