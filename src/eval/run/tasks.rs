//! Each task over all runs: one thread reads, one takes what was read to all cores.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use super::boxes::Counts;
use super::depth_frames::{self, DepthOutputs, DepthTruth};
use super::depth_score::{self, DepthScores};
use super::detection_frames::{self, DetectionOutputs, DetectionTruth};
use super::detection_score::{self, DetectionScores, SweepLayout};
use super::frame_marks::FrameMarks;
use super::frame_tables::{DepthTable, DetectionTables};
use super::reading::{Damages, Progress};
use super::source::{Segment, Source};
use super::topics::absolute;
use super::{EvalError, EvaluateOptions, Matching};
use crate::bag::{Bag, UnpackWatch};
use crate::eval::detection::EvalClasses;

/// Pairs that wait between the thread that reads and the one that compares: bounds the memory.
const QUEUE: usize = 4;

/// The next items, at least one and `limit` at most; `None` when the sender is gone.
pub(super) fn batch<T>(items: &Receiver<T>, limit: usize) -> Option<Vec<T>> {
    let mut batch = vec![items.recv().ok()?];
    batch.extend(items.try_iter().take(limit - 1));
    Some(batch)
}

/// A task that has a truth.
pub(super) struct Scored<S> {
    pub scores: S,
    pub matching: Matching,
    /// Frames that were not compared
    pub marks: FrameMarks,
    pub counts: Counts,
    pub damages: Damages,
    /// Whether the truth of every run came with sweeps
    pub has_sweeps: bool,
}

/// What both tasks go through.
pub(super) struct Work<'a> {
    pub sources: &'a [Source],
    pub options: &'a EvaluateOptions,
    /// Where the tables go.
    pub folder: &'a Path,
    pub progress: &'a Progress,
    pub unpack: Option<UnpackWatch>,
}

impl Work<'_> {
    fn open(&self, path: &PathBuf) -> Result<Bag, EvalError> {
        Ok(Bag::open_watched(path, self.unpack.clone())?)
    }

    /// `None` where no run has both depth and its truth.
    pub fn depth(&self) -> Result<Option<Scored<DepthScores>>, EvalError> {
        let (sender, pairs) = sync_channel(QUEUE);
        let live: Vec<bool> = self.sources.iter().map(|source| source.live).collect();
        std::thread::scope(|scope| {
            let table = DepthTable::new(self.folder);
            let scorer = scope.spawn(move || depth_score::score(&pairs, &live, table));
            let mut damages = Damages::default();
            let mut matching = Matching::default();
            let mut marks = FrameMarks::default();
            let mut any = false;
            let read: Result<(), EvalError> = (|| {
                for (run, source) in self.sources.iter().enumerate() {
                    marks.run = run;
                    let outputs = self.open(&source.outputs)?;
                    let several = source.segments.len() > 1;
                    let Some(mut outputs) = DepthOutputs::open(&outputs, source, several)? else { continue };
                    for Segment { bag, outputs: count } in &source.segments {
                        outputs.next_bag(count.unwrap_or(u64::MAX));
                        let bag = self.open(bag)?;
                        let name = truth_topic(source, self.options.depth_truth.as_ref(), "truth/depth");
                        let Some(mut truth) = DepthTruth::open(&bag, source, &name, self.progress)? else {
                            outputs.skip(&mut damages);
                            continue;
                        };
                        any = true;
                        let send = |pair| sender.send((run, pair)).map_err(|_| EvalError::Thread("depth"));
                        matching.merge(&depth_frames::join(
                            &mut truth,
                            &mut outputs,
                            &mut marks,
                            &mut damages,
                            send,
                        )?);
                    }
                }
                Ok(())
            })();
            drop(sender);
            let scores = scorer.join().map_err(|_| EvalError::Thread("depth"))??;
            read?;
            let counts = Counts::default();
            Ok(any.then_some(Scored { scores, matching, marks, counts, damages, has_sweeps: true }))
        })
    }

    /// `None` where no run has both detections and their truth.
    pub fn detection(&self) -> Result<Option<Scored<DetectionScores>>, EvalError> {
        let (sender, pairs) = sync_channel(QUEUE);
        let layouts: Vec<SweepLayout> = self.sources.iter().map(sweep_layout).collect();
        std::thread::scope(|scope| {
            let tables = DetectionTables::new(self.folder);
            let scorer = scope.spawn(move || detection_score::score(&pairs, &layouts, tables));
            let mut damages = Damages::default();
            let mut counts = Counts::default();
            let mut matching = Matching::default();
            let mut marks = FrameMarks::default();
            let mut classes = Arc::new(EvalClasses::default());
            let (mut any, mut has_sweeps) = (false, true);
            let read: Result<(), EvalError> = (|| {
                for (run, source) in self.sources.iter().enumerate() {
                    marks.run = run;
                    let outputs = self.open(&source.outputs)?;
                    let several = source.segments.len() > 1;
                    let Some(mut outputs) = DetectionOutputs::open(&outputs, source, several)? else {
                        continue;
                    };
                    for Segment { bag, outputs: count } in &source.segments {
                        outputs.next_bag(count.unwrap_or(u64::MAX));
                        let bag = self.open(bag)?;
                        let asked = self.options.detection_truth.as_ref();
                        let name = truth_topic(source, asked, "truth/detections");
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
                            &mut marks,
                            &mut damages,
                            send,
                        )?);
                    }
                }
                Ok(())
            })();
            drop(sender);
            let scores = scorer.join().map_err(|_| EvalError::Thread("detection"))??;
            read?;
            // Also where no pair came, the classes that were seen are known.
            let scores = DetectionScores { classes, ..scores };
            Ok(any.then_some(Scored { scores, matching, marks, counts, damages, has_sweeps }))
        })
    }
}

fn truth_topic(source: &Source, asked: Option<&String>, default: &str) -> String {
    asked.map_or_else(|| source.topic(default), |name| absolute(name))
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
