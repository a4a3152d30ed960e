//! Figures of both runs over frames that are drawn again and again.

use rayon::prelude::*;

use super::FrameBlocks;
use crate::sim::Random;

/// How often frames are drawn.
pub const RESAMPLES: usize = 4000;
/// Of the random numbers: the same runs give the same intervals.
const SEED: u64 = 0x1505_BA74;

/// Figures of two runs over the same frames.
pub trait PairedFigures: Sync {
    /// How many figures there are.
    fn count(&self) -> usize;
    /// Puts each figure of A and of B into `out`, over frames that count as often as `times` says. NaN is what
    /// these frames do not tell.
    fn figures(&self, times: &[u32], out: &mut [[f64; 2]]);
}

/// What came of the draws.
#[derive(Clone, Debug)]
pub struct Resamples {
    /// Figures of A and B over all frames, each once.
    pub of_all: Vec<[f64; 2]>,
    /// The same of each draw, one draw behind the other.
    drawn: Vec<[f64; 2]>,
}

impl Resamples {
    /// Draws frames of `blocks` [`RESAMPLES`] times, on all cores. The result does not depend on their number:
    /// every draw has random numbers of its own.
    pub fn draw(blocks: &FrameBlocks, figures: &dyn PairedFigures) -> Self {
        let count = figures.count();
        let mut of_all = vec![[f64::NAN; 2]; count];
        figures.figures(&vec![1; blocks.frames()], &mut of_all);
        let mut drawn = Vec::new();
        if blocks.count() >= super::MIN_BLOCKS && count > 0 {
            drawn = vec![[f64::NAN; 2]; count * RESAMPLES];
            drawn.par_chunks_mut(count).enumerate().for_each_init(
                || vec![0; blocks.frames()],
                |times, (number, out)| {
                    blocks.draw(&mut Random::new(SEED, &[number as u64]), times);
                    figures.figures(times, out);
                },
            );
        }
        Self { of_all, drawn }
    }

    /// Differences B − A of a figure by size, those that are known.
    pub fn differences(&self, figure: usize) -> Vec<f64> {
        let of_draws = self.drawn.iter().skip(figure).step_by(self.of_all.len().max(1));
        let mut differences: Vec<f64> =
            of_draws.map(|[a, b]| b - a).filter(|difference| difference.is_finite()).collect();
        differences.sort_unstable_by(f64::total_cmp);
        differences
    }
}
