//! How far the decompression of a bag's file is: a bar on a terminal, a line every few seconds elsewhere.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::bag::UnpackWatch;

/// Time between two lines; what is faster needs none.
const INTERVAL: Duration = Duration::from_secs(5);

struct Shown {
    bar: Option<ProgressBar>,
    last_line: Instant,
}

/// Shows what it hears on stderr.
pub(super) fn watch() -> UnpackWatch {
    let shown = Mutex::new(Shown { bar: None, last_line: Instant::now() });
    let terminal = std::io::stderr().is_terminal();
    Arc::new(move |path: &Path, done, of| {
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        if terminal {
            let bar = shown.bar.get_or_insert_with(|| {
                let bar = ProgressBar::new(of);
                if let Ok(style) =
                    ProgressStyle::with_template("decompressing {msg} {wide_bar} {percent:>3} %")
                {
                    bar.set_style(style);
                }
                bar.set_message(path.display().to_string());
                bar
            });
            bar.set_position(done);
            if done >= of
                && let Some(bar) = shown.bar.take()
            {
                bar.finish_and_clear();
            }
        } else if shown.last_line.elapsed() > INTERVAL {
            eprintln!("decompressing {}: {:.0} %", path.display(), done as f64 * 100.0 / of.max(1) as f64);
            shown.last_line = Instant::now();
        }
    })
}
