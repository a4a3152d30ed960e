//! How often a regression is caught, and how often chance is taken for one.

use super::{ComparedFigure, Estimate, FrameBlocks, Gate, PairedMeans, Resamples};
use crate::sim::Random;

/// A stationary AR(1) process with mean 0 and standard deviation 1.
struct Drift {
    random: Random,
    correlation: f64,
    state: f64,
}

impl Drift {
    fn new(mut random: Random, correlation: f64) -> Self {
        let state = f64::from(random.normal());
        Self { random, correlation, state }
    }

    fn next(&mut self) -> f64 {
        let new = (1.0 - self.correlation * self.correlation).sqrt() * f64::from(self.random.normal());
        self.state = self.correlation * self.state + new;
        self.state
    }
}

/// What a trial is drawn from.
#[derive(Clone, Copy, Debug)]
struct World {
    /// Spread of the logarithm of the errors of one run that the other does not share, and how alike it is
    /// from frame to frame.
    own: [f64; 2],
    /// Errors of B are larger by this.
    factor: f64,
}

/// AbsRel of A and B by frame, at 10 Hz. How difficult the scene is changes slowly and is the same for both;
/// each run has errors of its own besides, log-normal and alike from frame to frame.
fn trial(world: World, number: u64) -> [Vec<f64>; 3] {
    let frames = 100 + Random::new(number, &[0]).below(201);
    let mut scene = Drift::new(Random::new(number, &[1]), 0.97);
    let mut own = [2, 3].map(|run| Drift::new(Random::new(number, &[run]), world.own[1]));
    let mut series = [const { Vec::new() }; 3];
    for frame in 0..frames {
        let difficulty = (0.12_f64).ln() + 0.4 * scene.next();
        series[0].push(frame as f64 * 0.1);
        for (run, own) in own.iter_mut().enumerate() {
            let factor = if run == 1 { world.factor } else { 1.0 };
            series[1 + run].push(factor * (difficulty + world.own[0] * own.next()).exp());
        }
    }
    series
}

/// How many of `count` trials the default gate fails.
fn failures(world: World, count: u64) -> u64 {
    let fails = |number: u64| {
        let [times_s, a, b] = trial(world, number);
        let stamps: Vec<i64> = times_s.iter().map(|time_s| (time_s * 1e9).round() as i64).collect();
        let blocks = FrameBlocks::new([&stamps[..]]);
        let resamples = Resamples::draw(&blocks, &PairedMeans::new([(a, b)]));
        let estimates = Estimate::of_all(&blocks, &resamples);
        let figures = [ComparedFigure::new("depth.abs_rel".to_owned(), &estimates[0], true)];
        let gate = Gate::judge(&figures, &[], |_| None).unwrap();
        assert!(!gate.undecided);
        u64::from(gate.failed)
    };
    (0..count).map(fails).sum()
}

#[test]
fn three_percent_are_caught_and_noise_is_not() {
    for own in [[0.03, 0.0], [0.025, 0.4], [0.02, 0.6]] {
        let planted = failures(World { own, factor: 1.03 }, 50);
        let same = failures(World { own, factor: 1.0 }, 50);
        println!("{own:?}: {planted} of 50 planted, {same} of 50 same");
        assert!(planted >= 48, "{own:?}: {planted} of 50 regressions were caught");
        assert!(same <= 2, "{own:?}: {same} of 50 were taken for regressions");
    }
}

#[test]
fn chance_is_taken_for_a_regression_less_than_once_in_a_hundred() {
    // Where noise is large no regression is seen, but none is invented either.
    let false_alarms = failures(World { own: [0.2, 0.4], factor: 1.0 }, 1000);
    println!("{false_alarms} of 1000");
    assert!(false_alarms <= 10, "{false_alarms} of 1000");
}
