//! From draws to intervals.

use super::block_bootstrap::{RESAMPLES, Resamples};
use super::{FrameBlocks, MIN_BLOCKS};

/// Of the interval that is shown.
pub const CONFIDENCE: f64 = 0.95;
/// Of the interval that a gate looks at.
pub const GATE_CONFIDENCE: f64 = 0.99;
/// Quantiles of the normal distribution at the upper ends of both.
const NORMAL: f64 = 1.959_963_985;
const GATE_NORMAL: f64 = 2.575_829_304;

/// A figure of both runs and how far they differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Of A.
    pub a: f64,
    /// Of B.
    pub b: f64,
    /// Where B − A lies with [`CONFIDENCE`]; `None` where there are too few blocks.
    pub interval: Option<[f64; 2]>,
    /// The same with [`GATE_CONFIDENCE`].
    pub gate_interval: Option<[f64; 2]>,
}

impl Estimate {
    /// Of each figure. Intervals are between percentiles of the draws, widened about the difference as Student's
    /// distribution is wider than the normal one: percentiles of few blocks are too narrow.
    pub fn of_all(blocks: &FrameBlocks, resamples: &Resamples) -> Vec<Self> {
        let count = blocks.count();
        let figures = resamples.of_all.iter().enumerate();
        figures
            .map(|(number, &[a, b])| {
                let differences = resamples.differences(number);
                // What less than half of the draws tell would be about other frames than all.
                let known = count >= MIN_BLOCKS && 2 * differences.len() > RESAMPLES && (b - a).is_finite();
                let interval = |confidence: f64, normal: f64| {
                    let wider = student(normal, count - 1.0) / normal * (count / (count - 1.0)).sqrt();
                    let tail = (1.0 - confidence) / 2.0;
                    let end = |share| b - a + wider * (quantile(&differences, share) - (b - a));
                    [end(tail), end(1.0 - tail)]
                };
                Self {
                    a,
                    b,
                    interval: known.then(|| interval(CONFIDENCE, NORMAL)),
                    gate_interval: known.then(|| interval(GATE_CONFIDENCE, GATE_NORMAL)),
                }
            })
            .collect()
    }
}

/// Linear between neighbours; `sorted` is not empty.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * sorted.len().saturating_sub(1) as f64;
    let value = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
    let (below, above) = (value(place.floor() as usize), value(place.ceil() as usize));
    below + (above - below) * place.fract()
}

/// Quantile of Student's distribution with `n` ≥ 4 degrees of freedom where the normal one has `z`: the expansion
/// of Abramowitz & Stegun 26.7.5, to 1 % there.
fn student(z: f64, n: f64) -> f64 {
    let z2 = z * z;
    let terms = [
        (z2 + 1.0) / 4.0,
        ((5.0 * z2 + 16.0) * z2 + 3.0) / 96.0,
        (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) / 384.0,
        ((((79.0 * z2 + 776.0) * z2 + 1482.0) * z2 - 1920.0) * z2 - 945.0) / 92_160.0,
    ];
    z * (1.0 + terms.iter().rev().fold(0.0, |sum, term| (sum + term) / n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::compare::PairedMeans;
    use crate::sim::Random;

    #[test]
    fn students_quantiles_are_those_of_the_tables() {
        for (n, at_95, at_99) in [(4.0, 2.776, 4.604), (10.0, 2.228, 3.169), (30.0, 2.042, 2.750)] {
            assert!((student(NORMAL, n) / at_95 - 1.0).abs() < 0.005, "{n}");
            assert!((student(GATE_NORMAL, n) / at_99 - 1.0).abs() < 0.01, "{n}");
        }
    }

    /// Share of 500 series with a true difference of 0.01 whose intervals of 95 and 99 % hold it. Frames are
    /// 0.1 s apart, their differences an AR(1) process.
    fn coverage(frames: usize, correlation: f64) -> [f64; 2] {
        let stamps: Vec<i64> = (0..frames as i64).map(|i| i * 100_000_000).collect();
        let blocks = FrameBlocks::new([&stamps[..]]);
        let (mut held, trials) = ([0; 2], 500);
        for trial in 0..trials {
            let mut random = Random::new(11, &[trial]);
            let mut state = f64::from(random.normal());
            let values = (0..frames).map(|_| {
                let new = (1.0 - correlation * correlation).sqrt() * f64::from(random.normal());
                state = correlation * state + new;
                0.11 + 0.05 * state
            });
            let b: Vec<f64> = values.collect();
            let means = PairedMeans::new([(vec![0.1; frames], b)]);
            let estimates = Estimate::of_all(&blocks, &Resamples::draw(&blocks, &means));
            let ends = [estimates[0].interval.unwrap(), estimates[0].gate_interval.unwrap()];
            for (held, [low, high]) in held.iter_mut().zip(ends) {
                *held += u32::from(low < 0.01 && 0.01 < high);
            }
        }
        held.map(|held| f64::from(held) / trials as f64)
    }

    #[test]
    fn intervals_hold_the_truth_as_often_as_they_say() {
        for (frames, correlation) in [(60, 0.3), (100, 0.0), (100, 0.6), (300, 0.6)] {
            let [of_95, of_99] = coverage(frames, correlation);
            println!("{frames} frames, correlation {correlation}: {of_95} and {of_99}");
            assert!((0.92..=0.99).contains(&of_95), "{frames} {correlation}: {of_95}");
            assert!(of_99 >= 0.975, "{frames} {correlation}: {of_99}");
        }
        // Errors that are alike over many seconds are more than blocks hold.
        let [of_95, of_99] = coverage(300, 0.8);
        println!("300 frames, correlation 0.8: {of_95} and {of_99}");
        assert!(of_95 >= 0.88 && of_99 >= 0.95, "{of_95} {of_99}");
    }

    #[test]
    fn few_blocks_have_no_interval() {
        let stamps: Vec<i64> = (0..40).map(|i| i * 100_000_000).collect();
        let blocks = FrameBlocks::new([&stamps[..]]);
        let means = PairedMeans::new([(vec![1.0; 40], vec![2.0; 40])]);
        let estimates = Estimate::of_all(&blocks, &Resamples::draw(&blocks, &means));
        assert_eq!(estimates, [Estimate { a: 1.0, b: 2.0, interval: None, gate_interval: None }]);
    }
}
