//! Whether a radar sees again what it saw before: returns of a still world stay where they are.

/// How near to an earlier return one is taken to be of the same thing: metres of range, radians of azimuth.
/// Elevation is too uncertain to tell anything apart.
const SAME_RANGE_M: f32 = 0.3;
const SAME_AZIMUTH_RAD: f32 = 0.05;
/// The same returns this much nearer or farther tell how many meet an earlier one by chance, metres.
const ELSEWHERE_M: [f32; 4] = [-3.0, -1.5, 1.5, 3.0];
/// What this much more than all chance would be worth; keeps crowded scans, where chance is all, from counting.
const SURE: f32 = 1.05;
/// Returns that it takes to say something.
const FEWEST: u32 = 5;

/// Returns of one or several radars against those of the scans before. Reuses its memory from frame to frame.
#[derive(Debug, Default)]
pub struct Persistence {
    now: Vec<[f32; 2]>,
    /// By range once [`Self::end_radar`] has begun
    before: Vec<[f32; 2]>,
    returns: u32,
    again: u32,
    by_chance: u32,
}

impl Persistence {
    /// Forgets everything.
    pub fn clear(&mut self) {
        let Self { now, before, returns, again, by_chance } = self;
        (*returns, *again, *by_chance) = (0, 0, 0);
        now.clear();
        before.clear();
    }

    /// A still return of the newest scan, metres in the radar's frame.
    pub fn add_now(&mut self, position: [f32; 3]) {
        self.now.push(range_and_azimuth(position));
    }

    /// A still return of an earlier scan, metres in the frame of the radar where it is now.
    pub fn add_before(&mut self, position: [f32; 3]) {
        self.before.push(range_and_azimuth(position));
    }

    /// Counts the returns of one radar; the next ones are of another.
    pub fn end_radar(&mut self) {
        let Self { now, before, returns, again, by_chance } = self;
        if !before.is_empty() {
            before.sort_unstable_by(|a, b| a[0].total_cmp(&b[0]));
            for [range_m, azimuth_rad] in &*now {
                let has_near = |shift_m: f32| u32::from(is_near(before, range_m + shift_m, *azimuth_rad));
                *returns += 1;
                *again += has_near(0.0);
                *by_chance += ELSEWHERE_M.into_iter().map(has_near).sum::<u32>();
            }
        }
        now.clear();
        before.clear();
    }

    /// Share of the newest returns that were there before, beyond those that would be by chance: about 0 when
    /// the scans have nothing to do with each other, negative at worst, at most 1. `None` without earlier scans.
    pub fn share(&self) -> Option<f32> {
        (self.returns >= FEWEST).then(|| {
            let returns = self.returns as f32;
            let by_chance = self.by_chance as f32 / (returns * ELSEWHERE_M.len() as f32);
            (self.again as f32 / returns - by_chance) / (SURE - by_chance)
        })
    }
}

fn range_and_azimuth([x, y, z]: [f32; 3]) -> [f32; 2] {
    [x.hypot(y).hypot(z), y.atan2(x)]
}

/// Whether one of `returns`, ascending in range, is at this place. NaN is near nothing.
fn is_near(returns: &[[f32; 2]], range_m: f32, azimuth_rad: f32) -> bool {
    let first = returns.partition_point(|found| found[0] < range_m - SAME_RANGE_M);
    returns[first..]
        .iter()
        .take_while(|found| found[0] <= range_m + SAME_RANGE_M)
        .any(|found| (found[1] - azimuth_rad).abs() <= SAME_AZIMUTH_RAD)
}

#[cfg(test)]
mod tests {
    use super::Persistence;

    /// Places of a world that is as full as scans are.
    fn places(seed: u32) -> Vec<[f32; 3]> {
        let mut state = seed;
        let mut next = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 2_f32.powi(24)
        };
        (0..60).map(|_| [2.0 + 30.0 * next(), 30.0 * next() - 15.0, next()]).collect()
    }

    fn share(now: &[[f32; 3]], before: &[[f32; 3]]) -> Option<f32> {
        let mut persistence = Persistence::default();
        add(&mut persistence, now, before);
        persistence.share()
    }

    fn add(persistence: &mut Persistence, now: &[[f32; 3]], before: &[[f32; 3]]) {
        for position in now {
            persistence.add_now(*position);
        }
        for position in before {
            persistence.add_before(*position);
        }
        persistence.end_radar();
    }

    #[test]
    fn the_same_world_is_seen_again_and_another_is_not() {
        let (here, there) = (places(1), places(2));
        let moved: Vec<_> = here.iter().map(|[x, y, z]| [x + 0.1, *y, z + 0.2]).collect();
        assert!(share(&here, &here).unwrap() > 0.9);
        assert!(share(&here, &moved).unwrap() > 0.8, "within what a radar tells apart");
        assert!(share(&here, &there).unwrap().abs() < 0.15);
    }

    #[test]
    fn where_everything_is_full_chance_explains_all() {
        let full: Vec<_> = (1..4000).map(|i| [0.01 * i as f32, 0.0, 0.0]).collect();
        let now: Vec<_> = (20..30).map(|i| [i as f32, 0.0, 0.0]).collect();
        assert_eq!(share(&now, &full), Some(0.0));
    }

    #[test]
    fn little_says_nothing() {
        let here = places(3);
        assert_eq!(share(&here, &[]), None);
        assert_eq!(share(&here[..4], &here), None);
        assert_eq!(share(&[], &here), None);
        let unknown = vec![[f32::NAN; 3]; 9];
        assert_eq!(share(&unknown, &here), Some(0.0));
        assert_eq!(share(&unknown, &unknown), Some(0.0));
    }

    #[test]
    fn radars_are_not_mixed() {
        let (here, there) = (places(4), places(5));
        let mut persistence = Persistence::default();
        for (now, before) in [(&here, &there), (&there, &here)] {
            add(&mut persistence, now, before);
        }
        assert!(persistence.share().unwrap() < 0.2);
        persistence.clear();
        assert_eq!(persistence.share(), None);
    }
}
