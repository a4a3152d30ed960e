//! What the process has used so far.

/// The largest resident set so far in MB (2^20 bytes); `None` where the system does not tell.
///
/// From `/proc`, because what `getrusage` tells includes the process that started this one.
pub(crate) fn peak_memory_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes / 1024.0)
}

/// CPU time of all threads in seconds and the largest resident set in MB (2^20 bytes).
pub(super) fn used() -> (f64, f64) {
    // SAFETY: an all-zero rusage is a valid value of that plain C struct.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a live rusage; the call writes nothing else.
    if unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) } != 0 {
        return (0.0, 0.0);
    }
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    let memory_mb = peak_memory_mb().unwrap_or(usage.ru_maxrss as f64 / 1024.0);
    (seconds(usage.ru_utime) + seconds(usage.ru_stime), memory_mb)
}
