//! All runs, both tasks.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value as Json;

use super::fate_timeline::timelines;
use super::frame_tables::remove_old;
use super::page::Shown;
use super::reading::{Damages, Progress};
use super::sections::{depth_section, detection_section};
use super::source::Source;
use super::tasks::Work;
use super::topics::{absolute, expect, find, names};
use super::{DepthSection, EvalError, Report, RunReport, TOLERANCE_NS};
use crate::bag::{Bag, UnpackWatch};
use crate::eval::ablation::Ablation;
use crate::message::{Detection3DArray, Image, Message};
use crate::replay::{FRAMES_FILE, Remap};

/// How often whoever watches hears of the progress.
const WATCH_INTERVAL: Duration = Duration::from_millis(100);

/// What to evaluate.
#[derive(Clone, Debug, Default)]
pub struct EvaluateOptions {
    /// Run folders and bags with outputs, pooled
    pub runs: Vec<PathBuf>,
    /// The bag with the truth, instead of those that the runs were made of
    pub truth: Option<PathBuf>,
    /// Topic of the depth truth; `truth/depth` where there is one by default
    pub depth_truth: Option<String>,
    /// Topic of the detection truth; `truth/detections` where there is one by default
    pub detection_truth: Option<String>,
    /// Topic names that differ from those of the nodes
    pub remaps: Vec<Remap>,
    /// What bad radars do to the depth of the runs, where that was found out, to be reported beside the rest
    pub ablation: Option<Ablation>,
}

/// Hears about the progress.
pub trait EvaluateWatch {
    /// `seconds` of `of` are read, over all recordings and tasks.
    fn at(&mut self, seconds: f64, of: f64);
    /// Who hears of the decompression of files.
    fn unpacking(&self) -> Option<UnpackWatch> {
        None
    }
}

/// Nobody watches.
pub struct NoWatch;

impl EvaluateWatch for NoWatch {
    fn at(&mut self, _seconds: f64, _of: f64) {}
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The report, which is written.
    pub report: Report,
    /// Where it is.
    pub path: PathBuf,
    /// Where it is as a page to look at.
    pub page: PathBuf,
    /// Why a task that has a truth could not be scored; empty if all were.
    pub refused: Vec<String>,
    /// What of the input was unreadable.
    pub damage: Vec<String>,
}

/// Evaluates and writes `report.json` and `report.html` into the first run's folder.
pub fn evaluate(options: &EvaluateOptions, watch: &mut dyn EvaluateWatch) -> Result<Evaluation, EvalError> {
    let mut sources = Vec::with_capacity(options.runs.len());
    for path in &options.runs {
        sources.push(Source::find(path, options.truth.as_deref(), &options.remaps)?);
    }
    let unpack = watch.unpacking();
    let opened = open_all(&sources, unpack.as_ref())?;
    let Outlook { mut notes, seconds: total_s } = look(&sources, &opened, options)?;
    drop(opened);

    let folder = sources.first().map(|source| source.folder.clone()).unwrap_or_default();
    remove_old(&folder)?;
    let progress = Progress::default();
    let work = Work { sources: &sources, options, folder: &folder, progress: &progress, unpack };
    let (depth, detection) = std::thread::scope(|scope| {
        let depth = scope.spawn(|| work.depth());
        let detection = scope.spawn(|| work.detection());
        while !(depth.is_finished() && detection.is_finished()) {
            watch.at(progress.ms() as f64 * 1e-3, total_s);
            std::thread::sleep(WATCH_INTERVAL);
        }
        let ended = |task| move |_| EvalError::Thread(task);
        (depth.join().map_err(ended("depth")), detection.join().map_err(ended("detection")))
    });
    let (mut depth, mut detection) = (depth??, detection??);
    let shown = Shown::take(&mut depth, &mut detection);

    let mut refused = Vec::new();
    let mut damages = Damages::default();
    let depth = depth.map(|scored| depth_section(scored, &mut notes, &mut refused, &mut damages));
    let detection = detection.map(|scored| detection_section(scored, &mut notes, &mut refused, &mut damages));
    if depth.is_none() && detection.is_none() {
        notes.push(no_truth(&sources, options));
    }
    notes.extend(refused.iter().cloned());
    notes.extend(damages.lines());
    let runs = sources.iter().map(|source| run_report(source, &mut notes)).collect();
    let report = Report {
        isobath: env!("CARGO_PKG_VERSION"),
        tolerance_ms: TOLERANCE_NS as f64 * 1e-6,
        notes,
        runs,
        depth: depth.flatten(),
        detection: detection.flatten(),
        ablation: options.ablation.clone(),
    };
    let page = shown.write(&report, &sources, work.unpack.as_ref(), &folder)?;
    let path = report.write(&folder)?;
    Ok(Evaluation { report, path, page, refused, damage: damages.lines() })
}

/// The depth of runs alone, without a report: figures, and the table of frames in `folder`. It is an error if there is
/// nothing to compare.
pub(in crate::eval) fn score_depth(
    options: &EvaluateOptions,
    folder: &Path,
) -> Result<DepthSection, EvalError> {
    let mut sources = Vec::with_capacity(options.runs.len());
    for path in &options.runs {
        sources.push(Source::find(path, options.truth.as_deref(), &options.remaps)?);
    }
    remove_old(folder)?;
    let progress = Progress::default();
    let work = Work { sources: &sources, options, folder, progress: &progress, unpack: None };
    let Some(scored) = work.depth()? else {
        return Err(EvalError::Incomparable(no_truth(&sources, options)));
    };
    let (mut notes, mut refused) = (Vec::new(), Vec::new());
    let section = depth_section(scored, &mut notes, &mut refused, &mut Damages::default());
    match section.filter(|section| section.figures.frames > 0) {
        Some(section) => Ok(section),
        None => Err(EvalError::Incomparable(refused.into_iter().chain(notes).collect::<Vec<_>>().join("; "))),
    }
}

/// Bags of one source.
struct Opened {
    outputs: Bag,
    truth: Vec<Bag>,
}

fn open_all(sources: &[Source], watch: Option<&UnpackWatch>) -> Result<Vec<Opened>, EvalError> {
    let open = |path: &PathBuf| Bag::open_watched(path, watch.cloned());
    let mut opened = Vec::with_capacity(sources.len());
    for source in sources {
        let truth = source.segments.iter().map(|segment| open(&segment.bag)).collect::<Result<_, _>>()?;
        opened.push(Opened { outputs: open(&source.outputs)?, truth });
    }
    Ok(opened)
}

fn seconds(bag: &Bag) -> f64 {
    bag.info().end.since_ns(bag.info().start) as f64 * 1e-9
}

/// What there is to be done.
#[derive(Default)]
struct Outlook {
    /// What is worth a note
    notes: Vec<String>,
    /// Seconds of recording that are read, over both tasks
    seconds: f64,
}

/// What was asked for must be there, and what is there must have the right type.
fn look(sources: &[Source], opened: &[Opened], options: &EvaluateOptions) -> Result<Outlook, EvalError> {
    let mut outlook = Outlook::default();
    for (source, bags) in sources.iter().zip(opened) {
        let (path, info) = (bags.outputs.path(), bags.outputs.info());
        let (depth, detections) = (source.topic("depth/image"), source.topic("detections"));
        let has_depth = find::<Image<'_>>(path, info, &depth)?.is_some();
        let has_detections = find::<Detection3DArray<'_>>(path, info, &detections)?.is_some();
        if !has_depth && !has_detections && !source.live {
            outlook.notes.push(format!("'{}': the run published nothing", source.path.display()));
        } else if !has_depth && !has_detections {
            let (bag, found) = (path.to_owned(), names(info));
            return Err(EvalError::NoOutputs { bag, depth, detections, found });
        }
        for bag in &bags.truth {
            let asked = options.depth_truth.as_deref();
            let depth = has_truth::<Image<'_>>(bag, source, asked, "truth/depth")?;
            let asked = options.detection_truth.as_deref();
            let detection = has_truth::<Detection3DArray<'_>>(bag, source, asked, "truth/detections")?;
            let tasks = u8::from(has_depth && depth) + u8::from(has_detections && detection);
            outlook.seconds += f64::from(tasks) * seconds(bag);
        }
    }
    Ok(outlook)
}

/// Whether `bag` has the truth; an error if it was asked for and is not there.
fn has_truth<'m, M: Message<'m>>(
    bag: &Bag,
    source: &Source,
    asked: Option<&str>,
    default: &str,
) -> Result<bool, EvalError> {
    let (path, info) = (bag.path(), bag.info());
    match asked {
        Some(name) => expect::<M>(path, info, &absolute(name)).map(|_| true),
        None => find::<M>(path, info, &source.topic(default)).map(|topic| topic.is_some()),
    }
}

fn no_truth(sources: &[Source], options: &EvaluateOptions) -> String {
    let bags: Vec<String> = sources
        .iter()
        .flat_map(|source| &source.segments)
        .map(|segment| format!("'{}'", segment.bag.display()))
        .collect();
    let depth = options.depth_truth.as_deref().unwrap_or("truth/depth");
    let detection = options.detection_truth.as_deref().unwrap_or("truth/detections");
    format!(
        "no truth that goes with an output: expected '{}' ({}) or '{}' ({}) in {}; --depth-truth, \
         --detection-truth and --truth name others",
        absolute(depth),
        Image::TYPE_NAME,
        absolute(detection),
        Detection3DArray::TYPE_NAME,
        bags.join(", ")
    )
}

fn run_report(source: &Source, notes: &mut Vec<String>) -> RunReport {
    let mut replay = source.summary.clone();
    if let Some(Json::Object(summary)) = &mut replay {
        summary.remove("config");
    }
    let timelines = if source.live { Ok(None) } else { timelines(&source.folder) };
    let timelines = timelines.unwrap_or_else(|error| {
        let path = source.path.join(FRAMES_FILE);
        notes.push(format!("'{}' cannot be read, so there is no timeline of drops: {error}", path.display()));
        None
    });
    RunReport {
        path: source.path.display().to_string(),
        truth: source.segments.iter().map(|segment| segment.bag.display().to_string()).collect(),
        replay,
        timelines,
    }
}
