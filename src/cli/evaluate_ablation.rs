//! `isobath evaluate --ablate`: what is asked for, shown and tidied up beside the work itself.

use std::path::{Path, PathBuf};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::bag_progress::BagProgress;
use super::table::Table;
use super::{Failure, unpack_progress};
use crate::bag::UnpackWatch;
use crate::eval::ablation::{Ablation, AblationError, AblationWatch, ablate};
use crate::eval::run::EvaluateOptions;
use crate::replay::Progress;

/// Plays the runs again under all conditions, in a folder beside the first one's results that is gone afterwards.
pub(super) fn run(options: &EvaluateOptions, seed: u64) -> Result<Ablation, Failure> {
    let beside = options.runs.first().filter(|run| run.is_dir()).map_or(Path::new("."), PathBuf::as_path);
    let cannot_write = |error: std::io::Error| {
        Failure::Configuration(format!("--ablate: cannot write into '{}': {error}", beside.display()))
    };
    let scratch = tempfile::Builder::new().prefix(".ablation-").tempdir_in(beside).map_err(cannot_write)?;
    tidy_when_stopped(scratch.path().to_owned()).map_err(cannot_write)?;
    let mut watch = Watch { progress: BagProgress::new("playing"), condition: String::new() };
    let result = ablate(options, seed, scratch.path(), &mut watch);
    watch.progress.done();
    Ok(result?)
}

/// Removes `folder` when the command is told to stop, and stops it; for good, as a signal that was once listened to
/// does nothing by itself any more.
fn tidy_when_stopped(folder: PathBuf) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let wait = move || {
        if let Some(signal) = signals.forever().next() {
            // Whoever still writes ends with the process.
            let _ = std::fs::remove_dir_all(folder);
            signal_hook::low_level::exit(128 + signal);
        }
    };
    std::thread::Builder::new().name("tidying".to_owned()).spawn(wait).map(drop)
}

struct Watch {
    progress: BagProgress,
    condition: String,
}

impl Progress for Watch {
    fn bag(&mut self, name: &str, seconds: f64) {
        self.progress.start(&format!("{}: {name}", self.condition), seconds);
    }

    fn at(&mut self, seconds: f64) {
        self.progress.show(seconds);
    }

    fn unpacking(&self) -> Option<UnpackWatch> {
        Some(unpack_progress::watch())
    }
}

impl AblationWatch for Watch {
    fn condition(&mut self, number: usize, of: usize, name: &str) {
        self.condition = format!("{number} of {of}, {name}");
    }
}

/// The conditions beside each other, and what they come to.
pub(super) fn table(ablation: &Ablation) -> String {
    let figure = |value: f64| if value.is_nan() { "–".to_owned() } else { format!("{value:.4}") };
    let change = |value: f64| if value.is_nan() { "–".to_owned() } else { format!("{value:+.4}") };
    let range = |ends: Option<[f64; 2]>| {
        ends.map_or_else(String::new, |[low, high]| format!("{} to {}", change(low), change(high)))
    };
    let header = [
        "radar",
        "AbsRel",
        "δ1",
        "coverage",
        "− milder",
        "95 % interval",
        "− dropped",
        "95 % interval",
        "warned",
        "",
    ];
    let mut table = Table::new(header).right([1, 2, 3, 4, 5, 6, 7, 8]);
    for score in &ablation.conditions {
        let (cleaner, dropped) = (score.vs_cleaner, score.vs_dropped);
        let mark = match cleaner {
            Some(step) if step.better_than_cleaner == Some(true) => format!("better than {}", step.name),
            _ => String::new(),
        };
        table.row([
            score.name.to_owned(),
            figure(score.abs_rel),
            figure(score.delta1),
            figure(score.coverage),
            cleaner.map_or_else(String::new, |step| change(step.delta)),
            range(cleaner.and_then(|step| step.ci)),
            dropped.map_or_else(String::new, |step| change(step.delta)),
            range(dropped.and_then(|step| step.ci)),
            score.warned.to_string(),
            mark,
        ]);
    }
    let mut parts = vec![format!(
        "ablation of {}: {} frames\n{table}{}",
        ablation.models.join(", "),
        ablation.frames,
        ablation.verdict()
    )];
    parts.extend(ablation.influence.iter().map(|score| {
        format!(
            "{}: {:.2} clean, {:.2} shuffled; means of a second tell them apart with AUROC {:.3}, frames with {:.3}",
            score.figure, score.clean, score.shuffled, score.auroc, score.auroc_frame
        )
    }));
    parts.extend(ablation.notes.iter().map(|note| format!("note: {note}")));
    parts.join("\n") + "\n"
}

impl From<AblationError> for Failure {
    fn from(error: AblationError) -> Self {
        if error.is_input() { Self::Input(error.to_string()) } else { Self::Configuration(error.to_string()) }
    }
}
