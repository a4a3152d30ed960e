//! Tells when a radar is there and of no use: blind, looking elsewhere, or of another time.

use crate::depth::RadarInfluence;
use crate::message::Stamp;

/// Time over which frames are looked at together, nanoseconds. One frame says little.
const MEMORY_NS: f64 = 1e9;
/// Time without a return in the image after which that is told, nanoseconds.
const BLIND_NS: i64 = 700_000_000;
/// Frames further apart are not of one stream, nanoseconds.
const GAP_NS: i64 = 3_000_000_000;
/// Mean probability below which the returns are taken to be of something else than the image.
const UNLIKELY: f32 = 0.1;
/// Mean share of returns seen again below which scans are taken to have nothing to do with each other. Clean
/// scans of the simulated scenes stay above 0.35 (means of a second), shuffled ones are near 0 outdoors and at 0.2
/// to 0.3 where walls are near.
const UNSTEADY: f32 = 0.15;
/// Returns in the image that it takes for that: of few returns few are seen again by a good radar as well.
const ENOUGH: u32 = 60;

/// A mean that forgets, of the frames that had the figure.
#[derive(Clone, Copy, Debug, Default)]
struct Recent {
    value: f32,
    /// What stands behind it: 1 after a long time
    support: f32,
}

impl Recent {
    fn add(&mut self, value: f32, keep: f32) {
        self.support = keep * self.support + (1.0 - keep);
        self.value = keep * self.value + (1.0 - keep) * value;
    }

    /// The mean, once it stands on half a memory.
    fn mean(self) -> Option<f32> {
        (self.support > 0.5).then(|| self.value / self.support)
    }
}

/// What the frames of one camera told so far.
#[derive(Clone, Debug, Default)]
pub(super) struct RadarWatch {
    last: Option<Stamp>,
    /// Since when no frame had a return in the image
    blind_since: Option<Stamp>,
    matching: Recent,
    agreement: Recent,
    persistence: Recent,
}

impl RadarWatch {
    /// What is wrong as of the frame with `stamp`, for which there was radar.
    pub fn frame(&mut self, stamp: Stamp, influence: &RadarInfluence) -> Option<String> {
        let since_ns = self.last.map(|last| stamp.since_ns(last));
        let since_ns = match since_ns {
            Some(since_ns) if (1..=GAP_NS).contains(&since_ns) => since_ns as f64,
            // The first frame of a stream stands for itself.
            _ => {
                *self = Self::default();
                0.1 * MEMORY_NS
            }
        };
        self.last = Some(stamp);
        let keep = (-since_ns / MEMORY_NS).exp() as f32;
        self.blind_since = (influence.returns == 0).then(|| self.blind_since.unwrap_or(stamp));
        if let Some(matching) = influence.matching {
            self.matching.add(matching, keep);
            self.agreement.add(influence.agreement.unwrap_or_default(), keep);
        }
        if let Some(persistence) = influence.persistence.filter(|_| influence.returns >= ENOUGH) {
            self.persistence.add(persistence, keep);
        }
        if self.blind_since.is_some_and(|since| stamp.since_ns(since) >= BLIND_NS) {
            return Some(
                "no return falls into the image: check the radar's transform, and whether it sees anything"
                    .into(),
            );
        }
        if let Some(share) = self.persistence.mean().filter(|share| *share < UNSTEADY) {
            return Some(format!(
                "scans do not see what those before saw ({:.0} % beyond chance): check the radar's stamps and \
                 transform, and the odometry in tf",
                100.0 * share.max(0.0)
            ));
        }
        let matching = self.matching.mean().filter(|matching| *matching < UNLIKELY)?;
        let agreement = 100.0 * self.agreement.mean().unwrap_or_default();
        Some(format!(
            "the returns do not fit the image (match {matching:.2}, {agreement:.0} % at the depth of their place): \
             check the radar's transform, its clock and radar_N.offset_ms"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a stream at 10 Hz of these frames comes to.
    fn told(frames: impl IntoIterator<Item = RadarInfluence>) -> Vec<Option<String>> {
        let mut watch = RadarWatch::default();
        let stamps = (0..).map(|number| Stamp(5_000_000_000 + number * 100_000_000));
        stamps.zip(frames).map(|(stamp, frame)| watch.frame(stamp, &frame)).collect()
    }

    fn frame(returns: u32, matching: Option<f32>) -> RadarInfluence {
        RadarInfluence { returns, agreement: Some(0.5), moved: None, matching, persistence: None }
    }

    #[test]
    fn a_blind_radar_is_told_within_a_second_and_not_for_one_frame() {
        let told = told((0..40).map(|i| frame(if i < 20 { 5 } else { 0 }, Some(1.0))));
        let first = told.iter().position(Option::is_some).unwrap();
        assert_eq!(first, 27);
        assert!(told[first].as_ref().unwrap().contains("no return"), "{told:?}");
        let now_and_then = self::told((0..40).map(|i| frame(u32::from(i % 6 == 0), Some(1.0))));
        assert!(now_and_then.iter().all(Option::is_none));
    }

    #[test]
    fn returns_of_something_else_are_told_once_that_is_likely() {
        assert!(told([0.9, 0.1].map(|p| frame(9, Some(p))).repeat(20)).iter().all(Option::is_none));
        let wrong = told([frame(9, Some(0.05)); 12]);
        assert!(wrong[3].is_none(), "a few frames say little");
        assert!(wrong[11].as_ref().unwrap().contains("match 0.05"), "{wrong:?}");
        assert!(told([frame(9, None); 30]).iter().all(Option::is_none), "a model that does not tell");
    }

    #[test]
    fn scans_that_have_nothing_to_do_with_each_other_are_told() {
        let frame = |persistence| RadarInfluence { persistence, ..frame(60, Some(1.0)) };
        let unsteady = told([frame(Some(0.1)); 12]);
        assert!(unsteady[3].is_none(), "a few frames say little");
        assert!(unsteady[11].as_ref().unwrap().contains("10 % beyond chance"), "{unsteady:?}");
        assert!(told([0.0, 0.6].map(|share| frame(Some(share))).repeat(20)).iter().all(Option::is_none));
        assert!(told([frame(None); 30]).iter().all(Option::is_none), "without odometry");
        let few = RadarInfluence { returns: 59, ..frame(Some(0.0)) };
        assert!(told([few; 30]).iter().all(Option::is_none), "few returns");
    }

    #[test]
    fn a_new_recording_starts_anew() {
        let mut watch = RadarWatch::default();
        let mut last = None;
        for number in 0..20 {
            last = watch.frame(Stamp(number * 100_000_000), &frame(0, None));
        }
        assert!(last.is_some());
        assert_eq!(watch.frame(Stamp(500), &frame(0, None)), None);
        assert_eq!(watch.frame(Stamp(60_000_000_000), &frame(0, None)), None);
    }
}
