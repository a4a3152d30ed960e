//! Runs other programs: one progress line each, output kept in a log, failures told in one sentence.

use std::fs::{self, File};
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How many of a log's last lines a failure repeats.
const TAIL_LINES: usize = 15;

/// Does `work` between a progress line that names it and one that tells how long it took.
pub fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let mut terminal = std::io::stderr();
    // A terminal gets one line that is completed, a log gets two lines with times that can be told apart.
    if terminal.is_terminal() {
        eprint!("  {what} …");
        terminal.flush().ok();
    } else {
        eprintln!("  {what} …");
    }
    let result = work();
    let outcome = if result.is_ok() { "done" } else { "failed" };
    let seconds = start.elapsed().as_secs_f64();
    if terminal.is_terminal() {
        eprintln!(" {outcome} ({seconds:.1} s)");
    } else {
        eprintln!("  {what}: {outcome} ({seconds:.1} s)");
    }
    result
}

/// Runs a command as one step; its output goes to `log`, which is started anew.
pub fn run_step(what: &str, command: &mut Command, log: &Path) -> Result<()> {
    step(what, || {
        fs::remove_file(log).ok();
        run_logged(what, command, log)
    })
}

/// Runs a command with its output appended to `log`.
pub fn run_logged(what: &str, command: &mut Command, log: &Path) -> Result<()> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut output = File::options()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("cannot write the log {}", log.display()))?;
    writeln!(output, "$ {command:?}").with_context(|| format!("cannot write the log {}", log.display()))?;
    let errors = output.try_clone().with_context(|| format!("cannot write the log {}", log.display()))?;
    let status = command
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .status()
        .with_context(|| format!("{what}: cannot start `{}`", program(command)))?;
    if !status.success() {
        let text = fs::read(log).unwrap_or_default();
        bail!(
            "{what} failed: `{}` ended with {status}; the whole output is in {}, its last lines are:\n{}",
            program(command),
            log.display(),
            last_lines(&String::from_utf8_lossy(&text))
        );
    }
    Ok(())
}

/// Runs a command with its output shown as it comes.
pub fn run_shown(what: &str, command: &mut Command) -> Result<()> {
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("{what}: cannot start `{}`", program(command)))?;
    if !status.success() {
        bail!("{what} failed: `{}` ended with {status}, see its output above", program(command));
    }
    Ok(())
}

/// What a command prints, trimmed; an error when it cannot run or fails.
pub fn capture(command: &mut Command) -> Result<String> {
    let output: Output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{}`", program(command)))?;
    if !output.status.success() {
        bail!(
            "`{}` ended with {}: {}",
            program(command),
            output.status,
            last_lines(&String::from_utf8_lossy(&output.stderr))
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether a command runs and succeeds, with nothing shown.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// A duration as a person reads it.
pub fn human(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

fn program(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().take(3).map(|word| word.to_string_lossy().into_owned()));
    if command.get_args().count() > 3 {
        words.push("…".to_owned());
    }
    words.join(" ")
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let start = lines.len().saturating_sub(TAIL_LINES);
    lines.iter().skip(start).map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_command_the_log_and_its_last_lines() {
        let log = std::env::temp_dir().join(format!("isobath-xtask-{}.log", std::process::id()));
        let mut command = Command::new("sh");
        command.args(["-c", "echo one; echo the reason >&2; exit 3"]);
        let error = run_logged("Probe", &mut command, &log).unwrap_err().to_string();
        fs::remove_file(&log).ok();
        assert!(error.starts_with("Probe failed: `sh -c"), "{error}");
        assert!(error.contains("exit status: 3"), "{error}");
        assert!(error.contains(&*log.to_string_lossy()), "{error}");
        assert!(error.ends_with("the reason"), "{error}");
    }

    #[test]
    fn durations_read_naturally() {
        assert_eq!(human(Duration::from_millis(1_540)), "1.5 s");
        assert_eq!(human(Duration::from_secs(125)), "2 min 05 s");
    }
}
