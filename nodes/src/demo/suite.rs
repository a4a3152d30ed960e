//! The suite as a child process, started and stopped as on a robot.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::options::checkout_file;

/// The suite promises to be gone this long after SIGINT; loaded machines get twice that here.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// The running suite. Dropped without [`Suite::stop`], it is killed.
pub struct Suite {
    child: Child,
}

impl Suite {
    /// Starts `perception` from the folder of this executable, with the shipped parameters.
    pub fn start() -> Result<Self> {
        let executable = std::env::current_exe().context("cannot find this executable")?;
        let perception = executable.with_file_name("perception");
        let mut command = Command::new(&perception);
        if let Some(parameters) = checkout_file("config/perception.yaml") {
            command.arg("--ros-args").arg("--params-file").arg(parameters);
        }
        let child = command.spawn().with_context(|| format!("cannot start '{}'", perception.display()))?;
        Ok(Self { child })
    }

    /// Fails if the suite has ended by itself.
    pub fn check(&mut self) -> Result<()> {
        match self.child.try_wait().context("cannot watch the suite")? {
            Some(status) => bail!("the suite ended early: {status}"),
            None => Ok(()),
        }
    }

    /// Interrupts the suite and waits for its end.
    pub fn stop(mut self) -> Result<()> {
        self.check()?;
        // SAFETY: kill touches no memory; the child has not been waited for, so that its id is its own.
        unsafe { libc::kill(self.child.id().cast_signed(), libc::SIGINT) };
        let asked = Instant::now();
        while asked.elapsed() < STOP_TIMEOUT {
            if let Some(status) = self.child.try_wait().context("cannot watch the suite")? {
                if status.success() {
                    return Ok(());
                }
                bail!("the suite ended with {status} (signal {:?})", status.signal());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        bail!("the suite was still running {} s after SIGINT", STOP_TIMEOUT.as_secs())
    }
}

impl Drop for Suite {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // Nothing more can be done about a child that cannot be killed.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
