//! Compares pairs of images on all cores and adds up what comes of it.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use rayon::prelude::*;

use super::EvalError;
use super::depth_frames::DepthPair;
use super::frame_tables::{DepthTable, FrameId};
use super::reading::Damages;
use super::report::WorstFrame;
use super::topics::frame;
use crate::eval::depth::{
    DepthAverage, DepthEvalError, DepthFigures, DepthImages, DepthSums, NearMask, score_image,
};
use crate::eval::html::{DepthView, Fate, FrameMark, WorstViews};
use crate::message::{Image, from_cdr};
use crate::sensor::{ImageView, SensorError};

/// Most pairs that are compared at once: bounds the memory.
const BATCH: usize = 8;

/// A pair and the run that it is of.
pub(super) type OfRun = (usize, DepthPair);

/// What came of all pairs.
#[derive(Debug, Default)]
pub(super) struct DepthScores {
    pub average: DepthAverage,
    pub worst: Worst,
    /// What is shown of the worst
    pub views: WorstViews<DepthView>,
    /// What became of each pair
    pub marks: Vec<FrameMark>,
    /// Pairs that could not be compared, and why the first could not
    pub incomparable: Option<(u64, String)>,
    pub damages: Damages,
    /// Milliseconds from the stamp to the arrival, of outputs recorded live
    pub ages_ms: Vec<f64>,
}

enum Trouble {
    Damaged(&'static str, String),
    Incomparable(String),
}

/// Takes pairs until their sender is gone. `live` tells of each run whether log times are those of arrival.
/// Figures of each image go into `table`.
pub(super) fn score(
    pairs: &Receiver<OfRun>,
    live: &[bool],
    mut table: DepthTable,
) -> Result<DepthScores, EvalError> {
    let mut scores = DepthScores::default();
    while let Some(batch) = super::tasks::batch(pairs, BATCH) {
        let results: Vec<_> =
            batch.par_iter().map(|(_, pair)| (crc32fast::hash(&pair.truth), compare(pair))).collect();
        for ((run, pair), (truth_crc32, result)) in batch.iter().zip(results) {
            if live.get(*run).is_some_and(|live| *live) {
                scores.ages_ms.push(pair.output.log_time.since_ns(pair.stamp) as f64 * 1e-6);
            }
            let mut fate = Fate::NotCompared;
            match result {
                Ok(sums) => {
                    if let Some(figures) = scores.average.add(&sums) {
                        scores.worst.add(*run, pair, &figures);
                        let frame = FrameId { run: *run, bag: &pair.bag, stamp: pair.stamp, truth_crc32 };
                        table.row(frame, &sums, &figures)?;
                        scores.views.offer(figures.abs_rel, || view(*run, pair, figures));
                        fate = Fate::Scored(figures.abs_rel);
                    }
                }
                Err(Trouble::Damaged(place, what)) => scores.damages.note(place, &what),
                Err(Trouble::Incomparable(what)) => {
                    scores.incomparable.get_or_insert((0, what)).0 += 1;
                }
            }
            let (sequence, stamp) = (pair.sequence, pair.stamp);
            scores.marks.push(FrameMark { sequence, run: *run, stamp, fate });
        }
    }
    table.finish()?;
    Ok(scores)
}

fn compare(pair: &DepthPair) -> Result<DepthSums, Trouble> {
    let image = |place, bytes| {
        from_cdr::<Image<'_>>(bytes).map_err(|error| Trouble::Damaged(place, error.to_string()))
    };
    let truth = image("depth truth", &pair.truth)?;
    let predicted = image("depth/image", &pair.output.depth)?;
    let confidence = match &pair.output.confidence {
        Some(bytes) => Some(image("depth/confidence", bytes)?),
        None => None,
    };
    let (of_truth, of_depth) = (frame(truth.header.frame_id), frame(predicted.header.frame_id));
    // A depth image is of one camera; no transform makes it that of another.
    if of_truth != of_depth && !of_truth.is_empty() {
        return Err(Trouble::Incomparable(format!(
            "depth truth: expected an image of the camera that depth is of, in frame '{of_depth}', found frame \
             '{of_truth}'"
        )));
    }
    // Only an image that has the pixels it announces may ask for a mask of its size.
    let near = match (&pair.returns_px, ImageView::new_depth(&predicted)) {
        (Some(returns_px), Ok(view)) => {
            Some(NearMask::new(view.width(), view.height(), returns_px.iter().copied()))
        }
        _ => None,
    };
    let images = DepthImages {
        truth: &truth,
        predicted: &predicted,
        confidence: confidence.as_ref(),
        near: near.as_ref(),
    };
    score_image(&images).map_err(|error| match error {
        DepthEvalError::Image { which, source } if !matches!(source, SensorError::Encoding { .. }) => {
            Trouble::Damaged(which, source.to_string())
        }
        other => Trouble::Incomparable(other.to_string()),
    })
}

/// What is shown of a pair that was compared.
fn view(run: usize, pair: &DepthPair, figures: DepthFigures) -> Option<DepthView> {
    let (truth, depth) = (from_cdr(&pair.truth).ok()?, from_cdr(&pair.output.depth).ok()?);
    DepthView::new((run, pair.stamp, pair.logged, Arc::clone(&pair.bag)), figures, &truth, &depth)
}

/// The frames with the largest errors.
#[derive(Debug, Default)]
pub(super) struct Worst(Vec<WorstFrame>);

impl Worst {
    /// How many are kept.
    const COUNT: usize = 10;

    fn add(&mut self, run: usize, pair: &DepthPair, figures: &DepthFigures) {
        self.insert(WorstFrame { run, stamp: pair.stamp.to_string(), figure: figures.abs_rel }, |a, b| a > b);
    }

    /// Keeps `frame` if its figure is `worse` than one that is kept. Of equal ones the earlier stay.
    pub fn insert(&mut self, frame: WorstFrame, worse: fn(f64, f64) -> bool) {
        let position =
            self.0.iter().position(|kept| worse(frame.figure, kept.figure)).unwrap_or(self.0.len());
        if position < Self::COUNT {
            self.0.insert(position, frame);
            self.0.truncate(Self::COUNT);
        }
    }

    /// From the worst on.
    pub fn into_frames(self) -> Vec<WorstFrame> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::run::depth_frames::DepthOutput;
    use crate::message::{Header, Stamp, to_cdr};

    fn cdr(frame_id: &str, encoding: &str, pixels: &[f32]) -> Vec<u8> {
        let data: Vec<u8> = pixels.iter().flat_map(|pixel| pixel.to_le_bytes()).collect();
        let width = pixels.len() as u32;
        let header = Header { stamp: Stamp(5), frame_id };
        let image =
            Image { header, height: 1, width, encoding, is_bigendian: false, step: 4 * width, data: &data };
        let mut bytes = Vec::new();
        to_cdr(&image, &mut bytes);
        bytes
    }

    fn pair(truth: Vec<u8>, depth: Vec<u8>) -> DepthPair {
        let output = DepthOutput::new(Stamp(5), Stamp(2_000_005), depth, None);
        let bag = Arc::from(std::path::Path::new("bag"));
        DepthPair { stamp: Stamp(5), logged: Stamp(5), bag, sequence: 0, truth, returns_px: None, output }
    }

    fn scored(pairs: Vec<DepthPair>) -> DepthScores {
        let (sender, receiver) = std::sync::mpsc::channel();
        for pair in pairs {
            sender.send((0, pair)).unwrap();
        }
        drop(sender);
        let folder = tempfile::tempdir().unwrap();
        score(&receiver, &[true], DepthTable::new(folder.path())).unwrap()
    }

    #[test]
    fn other_cameras_and_colours_cannot_be_compared_and_damage_is_told() {
        let depth = || cdr("camera", "32FC1", &[2.0; 20]);
        let scores = scored(vec![
            pair(depth(), depth()),
            pair(cdr("/camera", "32FC1", &[4.0; 20]), depth()),
            pair(cdr("rear", "32FC1", &[2.0; 20]), depth()),
            pair(cdr("camera", "rgba8", &[2.0; 20]), depth()),
            pair(vec![0, 1, 0, 0, 7], depth()),
        ]);
        assert_eq!((scores.average.frames(), scores.average.report().figures.abs_rel), (2, 0.25));
        let (count, first) = scores.incomparable.unwrap();
        assert!(count == 2 && first.contains("'camera', found frame 'rear'"), "{first}");
        assert_eq!(scores.damages.lines().len(), 1);
        assert_eq!(scores.ages_ms, [2.0; 5]);
        let worst = scores.worst.into_frames();
        assert_eq!(worst.iter().map(|frame| frame.figure).collect::<Vec<_>>(), [0.5, 0.0]);
    }

    #[test]
    fn an_image_that_announces_more_than_it_has_is_damage() {
        let huge = Image { width: u32::MAX, height: u32::MAX, encoding: "32FC1", ..Image::default() };
        let mut bytes = Vec::new();
        to_cdr(&huge, &mut bytes);
        let mut pair = pair(bytes.clone(), bytes);
        pair.returns_px = Some(vec![(1.0, 1.0)]);
        let scores = scored(vec![pair]);
        assert_eq!((scores.average.frames(), scores.damages.lines().len()), (0, 1));
    }

    #[test]
    fn the_worst_are_kept() {
        let mut worst = Worst::default();
        for i in 0..100 {
            let figure = f64::from(i * 37 % 100);
            worst.insert(WorstFrame { run: i as usize, stamp: String::new(), figure }, |a, b| a > b);
        }
        let figures: Vec<f64> = worst.into_frames().iter().map(|frame| frame.figure).collect();
        assert_eq!(figures, (90..100).rev().map(f64::from).collect::<Vec<_>>());
    }
}
