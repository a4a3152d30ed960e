//! Stretches of frames that follow each other, cut into blocks.
//!
//! Errors of neighbouring frames are alike, so frames drawn one by one would seem to tell more than they do.
//! Blocks of frames are drawn instead, long enough for what is alike to stay together (Künsch 1989), and wrapped
//! about the ends of a stretch, so that every frame is drawn equally often (Politis & Romano 1992).

use crate::sim::Random;

/// Length of a block, seconds, times the cube root of the seconds of frames there are: 1.2 s of 10 s, 2.1 s of a
/// minute. The growth is the best for the width of an interval (Hall, Horowitz & Jing 1995), the factor was chosen
/// where intervals of simulated errors at 10 Hz hold the truth as often as they say.
const BLOCK_GROWTH: f64 = 0.55;
/// Fewer blocks than this tell nothing about chance.
pub const MIN_BLOCKS: f64 = 5.0;

/// Frames that follow each other in one recording.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    first: usize,
    frames: usize,
    /// Frames of a block.
    block: usize,
}

/// All frames of a comparison, by stretch.
#[derive(Clone, Debug, Default)]
pub struct FrameBlocks {
    stretches: Vec<Stretch>,
    /// The stretch of each frame.
    of_frame: Vec<u32>,
    block_s: f64,
}

impl FrameBlocks {
    /// From the stamps of each stretch, nanoseconds, in the order of the frames. A block has as many frames as fit
    /// into its length at the median rate of its stretch, at least one, at most the stretch.
    pub fn new<'a>(stretches: impl IntoIterator<Item = &'a [i64]>) -> Self {
        let stretches: Vec<_> = stretches.into_iter().filter(|stamps| !stamps.is_empty()).collect();
        let gaps_s: Vec<Option<f64>> = stretches.iter().map(|stamps| median_gap_s(stamps)).collect();
        let lengths_s =
            stretches.iter().zip(&gaps_s).map(|(stamps, gap_s)| Some((*gap_s)? * stamps.len() as f64));
        let block_s = BLOCK_GROWTH * lengths_s.flatten().sum::<f64>().cbrt();
        let mut blocks = Self { block_s, ..Self::default() };
        for (stamps, gap_s) in stretches.into_iter().zip(gaps_s) {
            let number = blocks.stretches.len() as u32;
            let block = gap_s.map_or(1.0, |gap_s| (block_s / gap_s).round());
            blocks.stretches.push(Stretch {
                first: blocks.of_frame.len(),
                frames: stamps.len(),
                block: (block as usize).clamp(1, stamps.len()),
            });
            blocks.of_frame.extend(stamps.iter().map(|_| number));
        }
        blocks
    }

    /// How many frames there are.
    pub fn frames(&self) -> usize {
        self.of_frame.len()
    }

    /// Length of a block, seconds.
    pub const fn block_s(&self) -> f64 {
        self.block_s
    }

    /// How many blocks they make.
    pub fn count(&self) -> f64 {
        self.stretches.iter().map(|stretch| stretch.frames as f64 / stretch.block as f64).sum()
    }

    /// Draws as many frames as there are, block by block, with replacement. `times` is how often each was drawn:
    /// an element a frame.
    pub fn draw(&self, random: &mut Random, times: &mut [u32]) {
        times.fill(0);
        let mut left = self.frames();
        while left > 0 {
            let start = random.below(self.frames());
            let Some(stretch) =
                self.of_frame.get(start).and_then(|number| self.stretches.get(*number as usize))
            else {
                return;
            };
            let taken = stretch.block.min(left);
            left -= taken;
            let end = stretch.first + stretch.frames;
            let before_end = taken.min(end - start);
            let wrapped = stretch.first..stretch.first + (taken - before_end);
            for range in [start..start + before_end, wrapped] {
                times.get_mut(range).into_iter().flatten().for_each(|times| *times += 1);
            }
        }
    }
}

/// Median time between neighbours, seconds; `None` where there is none that is positive.
fn median_gap_s(stamps: &[i64]) -> Option<f64> {
    let gaps = stamps.windows(2).filter_map(|pair| match pair {
        [a, b] => b.checked_sub(*a).filter(|gap| *gap > 0),
        _ => None,
    });
    let mut gaps: Vec<i64> = gaps.collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).map(|gap| *gap as f64 * 1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamps(frames: i64, gap_ms: i64) -> Vec<i64> {
        (0..frames).map(|i| i * gap_ms * 1_000_000).collect()
    }

    #[test]
    fn blocks_are_as_long_at_every_rate() {
        let (fast, slow, alone) = (stamps(90, 50), stamps(30, 2000), stamps(1, 1));
        let blocks = FrameBlocks::new([&fast[..], &slow[..], &[], &alone[..]]);
        let expected_s = 0.55 * 64.5_f64.cbrt();
        assert!((blocks.block_s() - expected_s).abs() < 1e-9);
        assert_eq!((blocks.frames(), blocks.count()), (121, 90.0 / 44.0 + 30.0 + 1.0));
        let same = [7; 10];
        assert_eq!(FrameBlocks::new([&same[..]]).count(), 10.0, "without time each frame is a block");
        assert_eq!(FrameBlocks::new([&stamps(2, 100)[..]]).count(), 1.0);
        let hostile = [i64::MIN, i64::MAX, i64::MIN];
        assert_eq!(FrameBlocks::new([&hostile[..]]).frames(), 3);
    }

    #[test]
    fn every_frame_is_drawn_equally_often_and_with_its_neighbours() {
        let (a, b) = (stamps(47, 100), stamps(13, 100));
        let blocks = FrameBlocks::new([&a[..], &b[..]]);
        let mut random = Random::new(3, &[]);
        let (mut times, mut sums) = (vec![0; 60], vec![0_u64; 60]);
        let (mut together, draws) = (0, 20_000);
        for _ in 0..draws {
            blocks.draw(&mut random, &mut times);
            assert_eq!(times.iter().sum::<u32>(), 60);
            sums.iter_mut().zip(&times).for_each(|(sum, times)| *sum += u64::from(*times));
            together += u32::from((times[20] > 0) == (times[21] > 0));
        }
        let far = |sum: &&u64| (**sum as f64 / f64::from(draws) - 1.0).abs() > 0.08;
        assert_eq!(sums.iter().filter(far).count(), 0, "{sums:?}");
        assert!(f64::from(together) / f64::from(draws) > 0.85, "{together}");
    }
}
