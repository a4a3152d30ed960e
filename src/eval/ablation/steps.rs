//! What is more than chance between conditions.

use super::condition::{CLEAN, DROPPED};
use super::frame_errors::FrameErrors;
use super::{CONDITIONS, VsCleaner, VsDropped};
use crate::eval::compare::{CompareError, Estimate, FrameBlocks, PairedMeans, Pairing, Resamples};

/// What chance makes of one condition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Chance {
    /// Where `AbsRel` lies
    pub interval: Option<[f64; 2]>,
    pub vs_cleaner: Option<VsCleaner>,
    pub vs_dropped: Option<VsDropped>,
}

/// Errors of one frame of the clean condition after the other, under each condition; NaN where it has none.
#[derive(Debug)]
pub(super) struct Errors {
    by_condition: Vec<Vec<f64>>,
    blocks: FrameBlocks,
}

impl Errors {
    /// From the errors under each condition, in the order of [`CONDITIONS`]. `recordings` are those of all.
    pub fn new(scored: &[FrameErrors], recordings: &[[u32; 2]]) -> Result<Self, CompareError> {
        let Some(clean) = scored.first() else {
            return Err(CompareError::NoCommonFrames { task: "depth", a: 0, b: 0 });
        };
        let mut blocks = FrameBlocks::default();
        let mut by_condition = Vec::with_capacity(scored.len());
        for (number, condition) in scored.iter().enumerate() {
            let pairing = Pairing::new("depth", &clean.frames, &condition.frames, recordings)?;
            let mut errors = vec![f64::NAN; clean.frames.len()];
            for [of_clean, of_condition] in &pairing.pairs {
                if let (Some(slot), Some(error)) =
                    (errors.get_mut(*of_clean), condition.abs_rel.get(*of_condition))
                {
                    *slot = *error;
                }
            }
            if number == 0 {
                // A stamp that comes twice is paired once.
                let kept = pairing.pairs.iter().map(|[of_clean, _]| *of_clean);
                errors = kept.filter_map(|place| errors.get(place).copied()).collect();
                blocks = pairing.blocks;
            }
            by_condition.push(errors);
        }
        Ok(Self { by_condition, blocks })
    }

    /// Length of the blocks that are drawn, seconds, and how many there are.
    pub fn blocks(&self) -> (f64, f64) {
        (self.blocks.block_s(), self.blocks.count())
    }

    /// What can be said of each condition.
    pub fn chances(&self) -> Vec<Chance> {
        let place = |name: &str| CONDITIONS.iter().position(|condition| condition.name == name);
        let of = |number: Option<usize>| number.and_then(|number| self.by_condition.get(number));
        let dropped = of(place(DROPPED));
        let nothing = vec![0.0; self.blocks.frames()];
        // Three figures a condition: B alone, B beside the milder neighbour and beside no radar.
        let mut pairs = Vec::with_capacity(3 * self.by_condition.len());
        for (condition, errors) in CONDITIONS.iter().zip(&self.by_condition) {
            let cleaner = of(condition.cleaner.and_then(place));
            for a in [Some(&nothing), cleaner, dropped] {
                pairs.push((a.unwrap_or(errors).clone(), errors.clone()));
            }
        }
        let means = PairedMeans::new(pairs);
        let estimates = Estimate::of_all(&self.blocks, &Resamples::draw(&self.blocks, &means));
        let chance = |(condition, estimates): (&super::Condition, &[Estimate])| {
            let [alone, vs_cleaner, vs_dropped] = estimates else {
                return Chance { interval: None, vs_cleaner: None, vs_dropped: None };
            };
            let is_below = |estimate: &Estimate| estimate.interval.map(|[_, high]| high < 0.0);
            Chance {
                interval: alone.interval,
                vs_cleaner: condition.cleaner.map(|name| VsCleaner {
                    name,
                    delta: vs_cleaner.b - vs_cleaner.a,
                    ci: vs_cleaner.interval,
                    better_than_cleaner: is_below(vs_cleaner),
                }),
                vs_dropped: (condition.name != DROPPED).then(|| VsDropped {
                    delta: vs_dropped.b - vs_dropped.a,
                    ci: vs_dropped.interval,
                    better_than_dropped: is_below(vs_dropped),
                }),
            }
        };
        CONDITIONS.iter().zip(estimates.chunks(3)).map(chance).collect()
    }
}

/// Whether the clean condition is better than no radar.
pub(super) fn radar_helps(chances: &[Chance]) -> Option<bool> {
    let clean = CONDITIONS.iter().position(|condition| condition.name == CLEAN)?;
    chances.get(clean)?.vs_dropped?.better_than_dropped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::compare::FrameName;
    use crate::sim::Random;

    /// 200 frames at 10 Hz of two recordings; conditions are as much worse than the clean one as `worse` says.
    fn scored(worse: impl Fn(&str) -> f64) -> Vec<FrameErrors> {
        let frames: Vec<FrameName> = (0..200)
            .map(|i| FrameName { recording: u32::from(i >= 100), stamp_ns: i64::from(i % 100) * 100_000_000 })
            .collect();
        let mut random = Random::new(1, &[]);
        let scene: Vec<f64> = frames.iter().map(|_| f64::from(random.between(0.08, 0.12))).collect();
        let condition = |condition: &super::super::Condition| {
            let noise = scene.iter().map(|error| {
                error
                    + worse(condition.name)
                    + if condition.name == CLEAN { 0.0 } else { 0.002 * f64::from(random.normal()) }
            });
            FrameErrors { frames: frames.clone(), abs_rel: noise.collect() }
        };
        CONDITIONS.iter().map(condition).collect()
    }

    fn by_name<'c>(chances: &'c [Chance], name: &str) -> &'c Chance {
        let place = CONDITIONS.iter().position(|condition| condition.name == name).unwrap();
        &chances[place]
    }

    #[test]
    fn a_worse_radar_that_gives_better_depth_is_found_and_noise_is_not() {
        let scored = scored(|name| match name {
            DROPPED => 0.05,
            "ghosts_10" => 0.02,
            "ghosts_30" => 0.01,
            _ => 0.0,
        });
        let errors = Errors::new(&scored, &[[0, 0], [1, 1]]).unwrap();
        assert!((errors.blocks().0 - 0.55 * 20.0_f64.cbrt()).abs() < 1e-9);
        let chances = errors.chances();
        assert_eq!(radar_helps(&chances), Some(true));
        let mut better = Vec::new();
        for (condition, chance) in CONDITIONS.iter().zip(&chances) {
            let [low, high] = chance.interval.unwrap();
            assert!(low < high && high - low < 0.02);
            let step = chance.vs_cleaner.as_ref();
            assert_eq!(step.map(|step| step.name), condition.cleaner);
            if step.is_some_and(|step| step.better_than_cleaner.unwrap()) {
                better.push(condition.name);
            }
        }
        // Of sixteen steps without a difference one in forty seems better by chance.
        assert!(better.contains(&"ghosts_30") && better.len() <= 3, "{better:?}");
        let ghosts = by_name(&chances, "ghosts_30");
        let step = ghosts.vs_cleaner.unwrap();
        assert!((step.delta + 0.01).abs() < 0.002 && step.ci.unwrap()[0] < step.delta);
        let dropped = ghosts.vs_dropped.unwrap();
        assert!((dropped.delta + 0.04).abs() < 0.002 && dropped.better_than_dropped == Some(true));
        assert_eq!(by_name(&chances, DROPPED).vs_dropped, None);
    }

    #[test]
    fn frames_that_a_condition_lacks_count_on_neither_side_and_few_decide_nothing() {
        let mut all = scored(|name| if name == "yaw_2_deg" { 1.0 } else { 0.0 });
        let yaw = CONDITIONS.iter().position(|condition| condition.name == "yaw_2_deg").unwrap();
        all[yaw].frames.truncate(150);
        all[yaw].abs_rel.truncate(150);
        let chances = Errors::new(&all, &[[0, 0], [1, 1]]).unwrap().chances();
        assert!((by_name(&chances, "yaw_2_deg").vs_cleaner.unwrap().delta - 1.0).abs() < 1e-3);

        for condition in &mut all {
            condition.frames.truncate(20);
            condition.abs_rel.truncate(20);
        }
        let chances = Errors::new(&all, &[[0, 0], [1, 1]]).unwrap().chances();
        let step = by_name(&chances, "yaw_2_deg").vs_cleaner.unwrap();
        assert_eq!((step.ci, step.better_than_cleaner, radar_helps(&chances)), (None, None, None));
        assert!((step.delta - 1.0).abs() < 1e-2);
    }
}
