//! `isobath corrupt`.

use std::path::PathBuf;

use clap::Args;

use super::bag_progress::BagProgress;
use super::output::print;
use super::table::Table;
use super::{Failure, Status, unpack_progress};
use crate::bag::UnpackWatch;
use crate::sim::corrupt::{
    CorruptError, CorruptOptions, CorruptSummary, CorruptWatch, Kind, Severity, corrupt,
};

/// In place of a kind, to have them listed.
const HELP: &str = "help";

#[derive(Args)]
pub(super) struct CorruptArguments {
    /// A rosbag2 folder, .mcap or .db3 file, also compressed with zstd
    bag: Option<PathBuf>,
    /// What goes wrong; may be given several times. `--kind help` lists the kinds
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// How bad it is, 1 to 5
    #[arg(long, allow_negative_numbers = true)]
    severity: Option<String>,
    /// Of the random numbers: the same seed gives the same bytes
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Change this topic only; may be given several times. Without it, every topic of the kind's sensor
    #[arg(long = "topic", value_name = "TOPIC")]
    topics: Vec<String>,
    /// Folder for the new bag
    #[arg(long)]
    out: Option<PathBuf>,
}

pub(super) fn run(arguments: &CorruptArguments) -> Result<Status, Failure> {
    if arguments.kinds.iter().any(|kind| kind == HELP) {
        print(&Kind::list())?;
        return Ok(Status::Fine);
    }
    let missing = |what: &str| Failure::Configuration(format!("expected {what}, found none"));
    let options = CorruptOptions {
        kinds: arguments.kinds.iter().map(|name| kind(name)).collect::<Result<_, _>>()?,
        bag: arguments.bag.clone().ok_or_else(|| missing("a bag"))?,
        severity: match arguments.severity.as_deref() {
            Some(text) => text.parse::<Severity>()?,
            None => return Err(missing("--severity, a whole number from 1 to 5")),
        },
        seed: arguments.seed,
        topics: arguments.topics.clone(),
        out: arguments.out.clone().ok_or_else(|| missing("--out, a folder for the new bag"))?,
    };
    let mut watch = Watch { progress: BagProgress::new("corrupting"), options: &options, started: false };
    let result = corrupt(&options, &mut watch);
    watch.progress.done();
    let summary = result?;
    print(&table(&summary, &options))?;
    if let Some(damage) = summary.damage {
        eprintln!("isobath: part of the input could not be read: {damage}");
        return Ok(Status::PartlyDecoded);
    }
    Ok(Status::Fine)
}

/// Whoever does not know a kind is shown all of them.
fn kind(name: &str) -> Result<Kind, Failure> {
    name.parse().map_err(|error: CorruptError| {
        Failure::Configuration(format!("{error}\n{}", Kind::list().trim_end()))
    })
}

struct Watch<'o> {
    progress: BagProgress,
    options: &'o CorruptOptions,
    started: bool,
}

impl CorruptWatch for Watch<'_> {
    fn at(&mut self, seconds: f64, of: f64) {
        if !std::mem::replace(&mut self.started, true) {
            self.progress.start(&self.options.bag.display().to_string(), of);
        }
        self.progress.show(seconds);
    }

    fn unpacking(&self) -> Option<UnpackWatch> {
        Some(unpack_progress::watch())
    }
}

/// What became of which topic, and where it is.
fn table(summary: &CorruptSummary, options: &CorruptOptions) -> String {
    let mut table = Table::new(["topic", "messages", "lost", "unreadable", "kinds"]).right([1, 2, 3]);
    for topic in &summary.topics {
        let kinds: Vec<&str> = topic.kinds.iter().map(|kind| kind.as_str()).collect();
        table.row([
            topic.name.clone(),
            topic.messages.to_string(),
            topic.lost.to_string(),
            topic.unreadable.to_string(),
            kinds.join(" "),
        ]);
    }
    format!(
        "{table}severity {}, seed {}; new bag in {}\n",
        options.severity.level(),
        options.seed,
        options.out.display()
    )
}
