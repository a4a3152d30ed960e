//! How hard an object is to find, by the rules of KITTI's object benchmark.

/// The easiest level at which KITTI counts an object; it counts at the harder ones too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difficulty {
    /// At least 40 px high, fully visible, at most 15 % cut off by the image's edge
    Easy,
    /// At least 25 px high, at most partly occluded, at most 30 % cut off
    Moderate,
    /// At least 25 px high, at most largely occluded, at most 50 % cut off
    Hard,
}

impl Difficulty {
    /// All levels with height (px, at least), occlusion and truncation (both at most): the constants of the
    /// development kit's `evaluate_object.cpp`.
    const LEVELS: [(Self, f64, f64, f64); 3] =
        [(Self::Easy, 40.0, 0.0, 0.15), (Self::Moderate, 25.0, 1.0, 0.30), (Self::Hard, 25.0, 2.0, 0.50)];

    /// The level of an object from the height of its box in the image, its occlusion (0 visible, 1 partly,
    /// 2 largely occluded, 3 unknown) and the share of it outside the image; `None` where KITTI does not count it.
    pub fn of(height_px: f64, occluded: f64, truncated: f64) -> Option<Self> {
        let fits = |&(_, height, occlusion, truncation): &(Self, f64, f64, f64)| {
            height_px >= height && occluded <= occlusion && truncated <= truncation
        };
        Self::LEVELS.into_iter().find(fits).map(|(level, ..)| level)
    }

    /// From the easiest on.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::LEVELS.into_iter().map(|(level, ..)| level)
    }

    /// The level called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|level| level.as_str() == name)
    }

    /// The height of a box in the image that it asks for, pixels.
    pub fn min_height_px(self) -> f64 {
        let height = |&(level, height, ..): &(Self, f64, f64, f64)| (level == self).then_some(height);
        Self::LEVELS.iter().find_map(height).unwrap_or(f64::INFINITY)
    }

    /// `easy`, `moderate` or `hard`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Easy => "easy",
            Self::Moderate => "moderate",
            Self::Hard => "hard",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Difficulty;

    #[test]
    fn levels_have_the_limits_of_the_benchmark() {
        for (height_px, occluded, truncated, expected) in [
            (40.0, 0.0, 0.15, Some(Difficulty::Easy)),
            (39.9, 0.0, 0.0, Some(Difficulty::Moderate)),
            (90.0, 1.0, 0.0, Some(Difficulty::Moderate)),
            (25.0, 2.0, 0.5, Some(Difficulty::Hard)),
            (24.9, 0.0, 0.0, None),
            (90.0, 3.0, 0.0, None),
            (90.0, 0.0, 0.51, None),
        ] {
            assert_eq!(Difficulty::of(height_px, occluded, truncated), expected, "{height_px} {occluded}");
        }
        let heights: Vec<f64> = Difficulty::all().map(Difficulty::min_height_px).collect();
        assert_eq!(heights, [40.0, 25.0, 25.0]);
        assert!(Difficulty::all().all(|level| Difficulty::named(level.as_str()) == Some(level)));
        assert_eq!(Difficulty::named("Easy"), None);
    }
}
