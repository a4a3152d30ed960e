//! What the radar did to each frame of a condition, as the runs told it.

use std::path::Path;

use super::influence::auroc;
use super::report::InfluenceScore;
use crate::eval::run::EvalError;
use crate::pipeline::Pipeline;
use crate::pipeline::depth::DepthPipeline;
use crate::replay::FRAMES_FILE;
use crate::table::{ParquetColumns, TableError};

/// Time over which `/diagnostics` takes its means, nanoseconds.
const WINDOW_NS: i64 = 1_000_000_000;
/// The columns that say whether the radar fits.
const FIGURES: [&str; 3] = ["radar_persistence", "radar_match", "radar_agreement"];

/// A figure of all frames.
#[derive(Clone, Debug, Default)]
struct Figure {
    /// Of each frame
    frames: Vec<f64>,
    /// Means of the frames of the second that ends with each frame
    seconds: Vec<f64>,
}

/// The figures of all frames of a condition.
#[derive(Clone, Debug, Default)]
pub(super) struct FrameInfluence([Figure; FIGURES.len()]);

impl FrameInfluence {
    /// Adds the frames of a run.
    pub fn read(&mut self, run: &Path) -> Result<(), EvalError> {
        let path = run.join(FRAMES_FILE);
        let mut read = || -> Result<(), TableError> {
            let columns = ParquetColumns::open(&path)?;
            let (nodes, bags) = (columns.texts("node")?, columns.integers("bag_index")?);
            let stamps = columns.integers("stamp_ns")?;
            let is_depth = |row: &usize| {
                let node = nodes.rows.get(*row).and_then(|name| nodes.names.get(usize::from(*name)));
                node.is_some_and(|name| name == DepthPipeline::NODE)
            };
            let rows: Vec<usize> = (0..stamps.len()).filter(is_depth).collect();
            let places: Vec<(i64, i64)> = rows.iter().map(|row| (bags[*row], stamps[*row])).collect();
            for (figure, column) in self.0.iter_mut().zip(FIGURES) {
                let values = columns.floats(column)?;
                let values: Vec<f64> = rows.iter().map(|row| values[*row]).collect();
                figure.seconds.extend(means(&places, &values));
                figure.frames.extend(values);
            }
            Ok(())
        };
        read().map_err(|error| EvalError::RunFile { path: path.clone(), reason: error.to_string() })
    }

    /// How well these clean frames are told from `shuffled` ones; figures that the model does not give are left out.
    pub fn scores(&self, shuffled: &Self) -> Vec<InfluenceScore> {
        let figures = FIGURES.iter().zip(self.0.iter().zip(&shuffled.0));
        figures
            .filter_map(|(name, (clean, shuffled))| {
                Some(InfluenceScore {
                    figure: name,
                    auroc: auroc(&clean.seconds, &shuffled.seconds)?,
                    auroc_frame: auroc(&clean.frames, &shuffled.frames)?,
                    clean: mean(&clean.frames),
                    shuffled: mean(&shuffled.frames),
                })
            })
            .collect()
    }
}

/// Means of what is known in the second that ends with each frame, of `(bag, stamp)` in their order.
fn means(places: &[(i64, i64)], values: &[f64]) -> Vec<f64> {
    let mut first = 0;
    places
        .iter()
        .enumerate()
        .map(|(last, (bag, stamp))| {
            let is_before = |(of, at): &(i64, i64)| of != bag || !(0..WINDOW_NS).contains(&(stamp - at));
            while first < last && is_before(&places[first]) {
                first += 1;
            }
            mean(&values[first..=last])
        })
        .collect()
}

/// Of what is finite; NaN of nothing.
fn mean(values: &[f64]) -> f64 {
    let known = values.iter().filter(|value| value.is_finite());
    let (sum, count) = known.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    sum / f64::from(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_that_before_a_frame_of_its_own_bag() {
        let s = WINDOW_NS;
        let places = [(0, 0), (0, s / 2), (0, s), (0, 5 * s), (1, 5 * s), (1, 5 * s + 1)];
        let values = [1.0, 2.0, 4.0, 8.0, f64::NAN, 6.0];
        let found = means(&places, &values);
        assert_eq!(found[..4], [1.0, 1.5, 3.0, 8.0]);
        assert!(found[4].is_nan());
        assert_eq!(found[5], 6.0);
        assert!(means(&[], &[]).is_empty());
    }

    #[test]
    fn a_figure_that_nothing_tells_has_no_score() {
        let figure = |frames: &[f64]| Figure { frames: frames.to_vec(), seconds: frames.to_vec() };
        let none = || figure(&[f64::NAN]);
        let clean = FrameInfluence([none(), none(), figure(&[0.9, 0.8])]);
        let shuffled = FrameInfluence([none(), none(), figure(&[0.1, 0.85])]);
        let scores = clean.scores(&shuffled);
        assert_eq!(scores.len(), 1);
        assert_eq!((scores[0].figure, scores[0].auroc), ("radar_agreement", 0.75));
        assert!((scores[0].clean - 0.85).abs() < 1e-12);
    }
}
