//! All runs, both tasks.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use serde_json::Value as Json;

use super::depth_frames::{self, DepthOutputs, DepthTruth};
use super::depth_score::{self, DepthScores};
use super::detection_frames::{self, Counts, DetectionOutputs, DetectionTruth};
use super::detection_score::{self, DetectionScores, SweepLayout};
use super::reading::{Damages, Progress};
use super::report::percentiles;
use super::source::{Segment, Source};
use super::topics::{absolute, expect, find, names};
use super::{DepthSection, DetectionSection, EvalError, Matching, Report, RunReport, TOLERANCE_NS};
use crate::bag::{Bag, UnpackWatch};
use crate::eval::detection::EvalClasses;
use crate::message::{Detection3DArray, Image, Message};
use crate::replay::Remap;

/// Pairs that wait between the thread that reads and the one that compares: bounds the memory.
const QUEUE: usize = 4;
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
    /// Why a task that has a truth could not be scored; empty if all were.
    pub refused: Vec<String>,
    /// What of the input was unreadable.
    pub damage: Vec<String>,
}

/// Evaluates and writes `report.json` into the first run's folder.
pub fn evaluate(options: &EvaluateOptions, watch: &mut dyn EvaluateWatch) -> Result<Evaluation, EvalError> {
    let mut sources = Vec::with_capacity(options.runs.len());
    for path in &options.runs {
        sources.push(Source::find(path, options.truth.as_deref(), &options.remaps)?);
    }
    let unpack = watch.unpacking();
    let opened = open_all(&sources, unpack.as_ref())?;
    let mut notes = check_topics(&sources, &opened, options)?;
    let total_s = 2.0 * opened.iter().flat_map(|bags| &bags.truth).map(seconds).sum::<f64>();
    drop(opened);

    let progress = Progress::default();
    let work = Work { sources: &sources, options, progress: &progress, unpack };
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
    let (depth, detection) = (depth??, detection??);

    let mut refused = Vec::new();
    let mut damages = Damages::default();
    let depth = depth.map(|scored| depth_section(scored, &mut notes, &mut refused, &mut damages));
    let detection = detection.map(|scored| detection_section(scored, &mut notes, &mut refused, &mut damages));
    if depth.is_none() && detection.is_none() {
        notes.push(no_truth(&sources, options));
    }
    notes.extend(refused.iter().cloned());
    notes.extend(damages.lines());
    let report = Report {
        isobath: env!("CARGO_PKG_VERSION"),
        tolerance_ms: TOLERANCE_NS as f64 * 1e-6,
        notes,
        runs: sources.iter().map(run_report).collect(),
        depth: depth.flatten(),
        detection: detection.flatten(),
    };
    let folder = sources.first().map(|source| source.folder.clone()).unwrap_or_default();
    let path = report.write(&folder)?;
    Ok(Evaluation { report, path, refused, damage: damages.lines() })
}

/// The next items, at least one and `limit` at most; `None` when the sender is gone.
pub(super) fn batch<T>(items: &Receiver<T>, limit: usize) -> Option<Vec<T>> {
    let mut batch = vec![items.recv().ok()?];
    batch.extend(items.try_iter().take(limit - 1));
    Some(batch)
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

/// What was asked for must be there, and what is there must have the right type. Gives what is worth a note.
fn check_topics(
    sources: &[Source],
    opened: &[Opened],
    options: &EvaluateOptions,
) -> Result<Vec<String>, EvalError> {
    let mut notes = Vec::new();
    for (source, bags) in sources.iter().zip(opened) {
        let (path, info) = (bags.outputs.path(), bags.outputs.info());
        let (depth, detections) = (source.topic("depth/image"), source.topic("detections"));
        let has_depth = find::<Image<'_>>(path, info, &depth)?.is_some();
        let has_detections = find::<Detection3DArray<'_>>(path, info, &detections)?.is_some();
        if !has_depth && !has_detections && !source.live {
            notes.push(format!("'{}': the run published nothing", source.path.display()));
        } else if !has_depth && !has_detections {
            let (bag, found) = (path.to_owned(), names(info));
            return Err(EvalError::NoOutputs { bag, depth, detections, found });
        }
        for bag in &bags.truth {
            let (path, info) = (bag.path(), bag.info());
            check_truth::<Image<'_>>(path, info, source, options.depth_truth.as_deref(), "truth/depth")?;
            let name = options.detection_truth.as_deref();
            check_truth::<Detection3DArray<'_>>(path, info, source, name, "truth/detections")?;
        }
    }
    Ok(notes)
}

fn check_truth<'m, M: Message<'m>>(
    bag: &std::path::Path,
    info: &crate::bag::BagInfo,
    source: &Source,
    asked: Option<&str>,
    default: &str,
) -> Result<(), EvalError> {
    match asked {
        Some(name) => expect::<M>(bag, info, &absolute(name)).map(|_| ()),
        None => find::<M>(bag, info, &source.topic(default)).map(|_| ()),
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

fn run_report(source: &Source) -> RunReport {
    let mut replay = source.summary.clone();
    if let Some(Json::Object(summary)) = &mut replay {
        summary.remove("config");
    }
    RunReport {
        path: source.path.display().to_string(),
        truth: source.segments.iter().map(|segment| segment.bag.display().to_string()).collect(),
        replay,
    }
}

/// A task that has a truth.
struct Scored<S> {
    scores: S,
    matching: Matching,
    counts: Counts,
    damages: Damages,
    /// Whether the truth of every run came with sweeps
    has_sweeps: bool,
}

struct Work<'a> {
    sources: &'a [Source],
    options: &'a EvaluateOptions,
    progress: &'a Progress,
    unpack: Option<UnpackWatch>,
}

impl Work<'_> {
    fn open(&self, path: &PathBuf) -> Result<Bag, EvalError> {
        Ok(Bag::open_watched(path, self.unpack.clone())?)
    }

    fn truth_topic(&self, source: &Source, asked: Option<&String>, default: &str) -> String {
        asked.map_or_else(|| source.topic(default), |name| absolute(name))
    }

    /// `None` where no run has both depth and its truth.
    fn depth(&self) -> Result<Option<Scored<DepthScores>>, EvalError> {
        let (sender, pairs) = sync_channel(QUEUE);
        let live: Vec<bool> = self.sources.iter().map(|source| source.live).collect();
        std::thread::scope(|scope| {
            let scorer = scope.spawn(move || depth_score::score(&pairs, &live));
            let mut damages = Damages::default();
            let mut matching = Matching::default();
            let mut any = false;
            let read: Result<(), EvalError> = (|| {
                for (run, source) in self.sources.iter().enumerate() {
                    let outputs = self.open(&source.outputs)?;
                    let several = source.segments.len() > 1;
                    let Some(mut outputs) = DepthOutputs::open(&outputs, source, several)? else { continue };
                    for Segment { bag, outputs: count } in &source.segments {
                        outputs.next_bag(count.unwrap_or(u64::MAX));
                        let bag = self.open(bag)?;
                        let name = self.truth_topic(source, self.options.depth_truth.as_ref(), "truth/depth");
                        let Some(mut truth) = DepthTruth::open(&bag, source, &name, self.progress)? else {
                            outputs.skip(&mut damages);
                            continue;
                        };
                        any = true;
                        let send = |pair| sender.send((run, pair)).map_err(|_| EvalError::Thread("depth"));
                        matching.merge(&depth_frames::join(&mut truth, &mut outputs, &mut damages, send)?);
                    }
                }
                Ok(())
            })();
            drop(sender);
            let scores = scorer.join().map_err(|_| EvalError::Thread("depth"))?;
            read?;
            let counts = Counts::default();
            Ok(any.then_some(Scored { scores, matching, counts, damages, has_sweeps: true }))
        })
    }

    /// `None` where no run has both detections and their truth.
    fn detection(&self) -> Result<Option<Scored<DetectionScores>>, EvalError> {
        let (sender, pairs) = sync_channel(QUEUE);
        let layouts: Vec<SweepLayout> = self.sources.iter().map(sweep_layout).collect();
        std::thread::scope(|scope| {
            let scorer = scope.spawn(move || detection_score::score(&pairs, &layouts));
            let mut damages = Damages::default();
            let mut counts = Counts::default();
            let mut matching = Matching::default();
            let mut classes = Arc::new(EvalClasses::default());
            let (mut any, mut has_sweeps) = (false, true);
            let read: Result<(), EvalError> = (|| {
                for (run, source) in self.sources.iter().enumerate() {
                    let outputs = self.open(&source.outputs)?;
                    let several = source.segments.len() > 1;
                    let Some(mut outputs) = DetectionOutputs::open(&outputs, source, several)? else {
                        continue;
                    };
                    for Segment { bag, outputs: count } in &source.segments {
                        outputs.next_bag(count.unwrap_or(u64::MAX));
                        let bag = self.open(bag)?;
                        let asked = self.options.detection_truth.as_ref();
                        let name = self.truth_topic(source, asked, "truth/detections");
                        let Some(mut truth) = DetectionTruth::open(&bag, source, &name, self.progress)?
                        else {
                            outputs.skip(&mut damages);
                            continue;
                        };
                        any = true;
                        has_sweeps &= truth.has_sweeps();
                        let send =
                            |pair| sender.send((run, pair)).map_err(|_| EvalError::Thread("detection"));
                        matching.merge(&detection_frames::join(
                            &mut truth,
                            &mut outputs,
                            &mut classes,
                            &mut counts,
                            &mut damages,
                            send,
                        )?);
                    }
                }
                Ok(())
            })();
            drop(sender);
            let scores = scorer.join().map_err(|_| EvalError::Thread("detection"))?;
            read?;
            // Also where no pair came, the classes that were seen are known.
            let scores = DetectionScores { classes, ..scores };
            Ok(any.then_some(Scored { scores, matching, counts, damages, has_sweeps }))
        })
    }
}

/// How the node read the sweeps of a run.
fn sweep_layout(source: &Source) -> SweepLayout {
    let parameters = &source.parameters.detection;
    SweepLayout {
        preset: parameters.string("lidar_preset").parse().unwrap_or_default(),
        stamp_at: parameters.string("stamp_at").parse().unwrap_or_default(),
        live: source.live,
    }
}

/// What is worth a note in the matching of one task.
fn matching_notes(task: &str, matching: &Matching, notes: &mut Vec<String>) {
    if matching.matched == 0 {
        notes.push(format!(
            "{task}: nothing was scored: {} truth messages and {} outputs, none of which are within {} ms of each other",
            matching.truth,
            matching.outputs,
            TOLERANCE_NS / 1_000_000
        ));
    } else if matching.truth_without_output > 0 {
        notes.push(format!(
            "{task}: nothing was published for {} of {} truth messages; the figures are over the others",
            matching.truth_without_output, matching.truth
        ));
    }
    if matching.outputs_without_truth > 0 && matching.matched > 0 {
        notes.push(format!(
            "{task}: {} of {} outputs have no truth",
            matching.outputs_without_truth, matching.outputs
        ));
    }
    let (of_truth, of_outputs) = (matching.truth_time_jumps, matching.output_time_jumps);
    if of_truth > 0 || of_outputs > 0 {
        let matched =
            if of_truth == of_outputs { "" } else { ": frames about the jumps may be matched wrongly" };
        notes.push(format!(
            "{task}: time runs back {of_truth} times in the truth and {of_outputs} times in the outputs{matched}"
        ));
    }
}

/// `None`, with the reason among `refused`, where nothing could be compared though both were there.
fn depth_section(
    scored: Scored<DepthScores>,
    notes: &mut Vec<String>,
    refused: &mut Vec<String>,
    damages: &mut Damages,
) -> Option<DepthSection> {
    let Scored { scores, matching, damages: of_reading, .. } = scored;
    damages.merge(of_reading);
    damages.merge(scores.damages);
    matching_notes("depth", &matching, notes);
    let incomparable = scores.incomparable.as_ref().map_or(0, |(count, _)| *count);
    if let Some((count, why)) = scores.incomparable {
        if count == matching.matched {
            refused.push(why);
            return None;
        }
        notes.push(format!("{count} of {} pairs of depth images were not compared: {why}", matching.matched));
    }
    Some(DepthSection {
        figures: scores.average.report(),
        matching,
        incomparable,
        age_ms: percentiles(scores.ages_ms),
        worst: scores.worst.into_frames(),
    })
}

/// `None`, with the reason among `refused`, where nothing could be compared though both were there.
fn detection_section(
    scored: Scored<DetectionScores>,
    notes: &mut Vec<String>,
    refused: &mut Vec<String>,
    damages: &mut Damages,
) -> Option<DetectionSection> {
    let Scored { scores, matching, counts, damages: of_reading, has_sweeps } = scored;
    damages.merge(of_reading);
    damages.merge(scores.damages);
    matching_notes("detection", &matching, notes);
    let without_transform = counts.without_transform.as_ref().map_or(0, |(count, _)| *count);
    if let Some((count, why)) = counts.without_transform {
        if count == matching.matched {
            refused.push(why);
            return None;
        }
        notes.push(format!("{count} of {} frames were not scored: {why}", matching.matched));
    }
    if !has_sweeps {
        notes.push(
            "detection: no sweeps on 'lidar/points' beside the truth: boxes without LiDAR points are scored too, \
             distances are from the origin of the truth's frame; --remap lidar/points:=<topic> names another"
                .to_owned(),
        );
    } else if scores.frames_without_sweep > 0 {
        notes.push(format!(
            "detection: {} of {} frames have no sweep: boxes without LiDAR points are scored there too",
            scores.frames_without_sweep, matching.matched
        ));
    }
    if scores.eval.frames() > 0 && scores.eval.detections() == 0 {
        notes.push("detection: there is not one detection within range".to_owned());
    }
    let other_classes = scores.eval.other_classes(&scores.classes);
    Some(DetectionSection {
        figures: scores.eval.report(&scores.classes),
        matching,
        truth_without_points: scores.without_points,
        frames_without_sweep: scores.frames_without_sweep,
        unusable_boxes: counts.unusable,
        without_transform,
        other_classes,
        age_ms: percentiles(scores.ages_ms),
        worst: scores.worst.into_frames(),
    })
}
