//! Signs of life from work that takes minutes.

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

/// Does `work`, called `what`. `report` gets a line before it, one every `interval` while it lasts, from
/// another thread, and one when it succeeded.
pub(super) fn with_progress<T, E>(
    what: &str,
    interval: Duration,
    report: impl Fn(String) + Sync,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    report(format!("{what}: this takes minutes once"));
    let start = Instant::now();
    let (running, ended) = mpsc::channel::<()>();
    let result = thread::scope(|scope| {
        let report = &report;
        scope.spawn(move || {
            // The sender goes with the end of the work, which ends the wait at once.
            while ended.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                report(format!("{what}: {:.0} s so far", start.elapsed().as_secs_f64()));
            }
        });
        let result = work();
        drop(running);
        result
    });
    if result.is_ok() {
        report(format!("{what}: done in {:.0} s", start.elapsed().as_secs_f64()));
    }
    result
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn lines(succeeds: bool, interval: Duration, duration: Duration) -> Vec<String> {
        let lines = Mutex::new(Vec::new());
        let result = with_progress(
            "building",
            interval,
            |line| lines.lock().unwrap().push(line),
            || {
                thread::sleep(duration);
                if succeeds { Ok(()) } else { Err(()) }
            },
        );
        assert_eq!(result.is_ok(), succeeds);
        lines.into_inner().unwrap()
    }

    #[test]
    fn long_work_is_reported_while_it_lasts() {
        let lines = lines(true, Duration::from_millis(5), Duration::from_millis(200));
        assert_eq!(lines[0], "building: this takes minutes once");
        assert!(lines.len() > 4 && lines[1] == "building: 0 s so far", "{lines:?}");
        assert_eq!(lines.last().unwrap(), "building: done in 0 s");
    }

    #[test]
    fn work_that_fails_is_not_done() {
        let lines = lines(false, Duration::from_mins(10), Duration::ZERO);
        assert_eq!(lines, ["building: this takes minutes once"], "and nobody waits for the interval");
    }
}
