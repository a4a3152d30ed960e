//! How far work on a bag is: a bar on a terminal, a line every few seconds elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Time between two lines; what is faster needs none.
const INTERVAL: Duration = Duration::from_secs(5);

/// Shows on stderr how many seconds of a bag are done.
pub(super) struct BagProgress {
    /// What is being done, as `replaying`
    verb: &'static str,
    drawn: Option<ProgressBar>,
    last_line: Option<Instant>,
    seconds: f64,
}

impl BagProgress {
    /// Shows nothing yet.
    pub fn new(verb: &'static str) -> Self {
        Self { verb, drawn: None, last_line: None, seconds: 0.0 }
    }

    /// A bag of `seconds` begins.
    pub fn start(&mut self, name: &str, seconds: f64) {
        self.done();
        self.seconds = seconds;
        if std::io::stderr().is_terminal() {
            let bar = ProgressBar::new((seconds * 1e3) as u64);
            if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {percent:>3} % {eta}") {
                bar.set_style(style);
            }
            bar.set_message(name.to_owned());
            self.drawn = Some(bar);
        } else {
            eprintln!("{} {name}: {seconds:.1} s of recording", self.verb);
            self.last_line = Some(Instant::now());
        }
    }

    /// `seconds` of it are done.
    pub fn show(&mut self, seconds: f64) {
        if let Some(bar) = &self.drawn {
            bar.set_position((seconds * 1e3) as u64);
        } else if self.last_line.is_some_and(|last| last.elapsed() > INTERVAL) {
            eprintln!("  {seconds:.1} of {:.1} s", self.seconds);
            self.last_line = Some(Instant::now());
        }
    }

    /// Takes the bar away.
    pub fn done(&mut self) {
        if let Some(bar) = self.drawn.take() {
            bar.finish_and_clear();
        }
    }
}
