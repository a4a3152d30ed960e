//! What the radar did to many depth images, as sums: the difference of two is that of the frames between them.

use crate::depth::RadarInfluence;

/// Sums over frames. A figure that a frame does not have is not in its mean.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct InfluenceSums {
    returns: Sum,
    agreement: Sum,
    moved: Sum,
    matching: Sum,
    persistence: Sum,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sum {
    value: f64,
    frames: u64,
}

impl Sum {
    fn add(&mut self, value: Option<f32>) {
        if let Some(value) = value {
            self.value += f64::from(value);
            self.frames += 1;
        }
    }
}

impl InfluenceSums {
    /// One more frame.
    pub fn add(&mut self, influence: &RadarInfluence) {
        let RadarInfluence { returns, agreement, moved, matching, persistence } = *influence;
        let values = [Some(returns as f32), agreement, moved, matching, persistence];
        for (sum, value) in self.sums_mut().into_iter().zip(values) {
            sum.add(value);
        }
    }

    /// The frames of another as well.
    pub fn merge(&mut self, other: &Self) {
        for (sum, more) in self.sums_mut().into_iter().zip(other.sums()) {
            sum.value += more.value;
            sum.frames += more.frames;
        }
    }

    /// The frames since `before`, an earlier state of the same sums.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let mut since = *self;
        for (sum, less) in since.sums_mut().into_iter().zip(before.sums()) {
            sum.value -= less.value;
            sum.frames = sum.frames.saturating_sub(less.frames);
        }
        since
    }

    /// Name and mean of each figure that frames had: returns inside the image, agreement, moved, match and
    /// persistence of [`RadarInfluence`].
    pub fn means(&self) -> impl Iterator<Item = (&'static str, f64)> {
        ["returns", "agreement", "moved", "match", "persistence"]
            .into_iter()
            .zip(self.sums())
            .filter(|(_, sum)| sum.frames > 0)
            .map(|(name, sum)| (name, sum.value / sum.frames as f64))
    }

    const fn sums(&self) -> [Sum; 5] {
        [self.returns, self.agreement, self.moved, self.matching, self.persistence]
    }

    const fn sums_mut(&mut self) -> [&mut Sum; 5] {
        [&mut self.returns, &mut self.agreement, &mut self.moved, &mut self.matching, &mut self.persistence]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(returns: u32, agreement: Option<f32>) -> RadarInfluence {
        RadarInfluence { returns, agreement, ..RadarInfluence::default() }
    }

    #[test]
    fn a_frame_without_a_figure_is_not_in_its_mean() {
        let mut sums = InfluenceSums::default();
        assert_eq!(sums.means().count(), 0);
        sums.add(&frame(4, Some(0.5)));
        sums.add(&frame(0, None));
        assert_eq!(sums.means().collect::<Vec<_>>(), [("returns", 2.0), ("agreement", 0.5)]);
    }

    #[test]
    fn what_came_since_is_the_difference() {
        let mut sums = InfluenceSums::default();
        sums.add(&frame(4, Some(0.5)));
        let before = sums;
        sums.add(&frame(8, Some(1.0)));
        assert_eq!(sums.since(&before).means().collect::<Vec<_>>(), [("returns", 8.0), ("agreement", 1.0)]);
        let mut both = before;
        both.merge(&sums.since(&before));
        assert_eq!(both, sums);
    }
}
