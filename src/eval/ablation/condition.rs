//! What is done to the radars, from nothing to no radar.

/// What is done to the radars' messages.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// Nothing
    None,
    /// No message arrives
    Dropped,
    /// Each message has the returns of another time, and its own stamp
    Shuffled,
    /// Stamps are so many milliseconds later than they should be
    Shifted(i64),
    /// A frame has so many returns of all radars together
    Sparser(u64),
    /// So many in a hundred returns have another range
    Ghosts(u64),
    /// Radars are turned about their z axis, degrees
    Yaw(f32),
    /// Radars are turned about their y axis, degrees
    Pitch(f32),
    /// Radars are beside the place that tf tells, metres
    Moved(f32),
}

/// One way of playing the bags.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition {
    /// Name in tables and files
    pub name: &'static str,
    /// Conditions of a family differ in how bad the same thing is
    pub family: &'static str,
    /// The next milder condition of the family; `None` for the clean one
    pub cleaner: Option<&'static str>,
    /// What is done
    pub fault: Fault,
}

const fn condition(
    name: &'static str,
    family: &'static str,
    cleaner: &'static str,
    fault: Fault,
) -> Condition {
    Condition { name, family, cleaner: Some(cleaner), fault }
}

/// The clean condition.
pub(super) const CLEAN: &str = "none";
/// The condition without radar.
pub(super) const DROPPED: &str = "dropped";

/// All conditions, the clean one first, each behind its milder neighbour.
pub const CONDITIONS: [Condition; 19] = [
    Condition { name: CLEAN, family: "clean", cleaner: None, fault: Fault::None },
    condition("sparser_100", "sparser", CLEAN, Fault::Sparser(100)),
    condition("sparser_50", "sparser", "sparser_100", Fault::Sparser(50)),
    condition("sparser_20", "sparser", "sparser_50", Fault::Sparser(20)),
    condition("sparser_10", "sparser", "sparser_20", Fault::Sparser(10)),
    condition("sparser_5", "sparser", "sparser_10", Fault::Sparser(5)),
    condition(DROPPED, "sparser", "sparser_5", Fault::Dropped),
    condition("shuffled", "shuffled", CLEAN, Fault::Shuffled),
    condition("shift_minus_100_ms", "shift_minus", CLEAN, Fault::Shifted(-100)),
    condition("shift_minus_300_ms", "shift_minus", "shift_minus_100_ms", Fault::Shifted(-300)),
    condition("shift_plus_100_ms", "shift_plus", CLEAN, Fault::Shifted(100)),
    condition("shift_plus_300_ms", "shift_plus", "shift_plus_100_ms", Fault::Shifted(300)),
    condition("yaw_2_deg", "yaw", CLEAN, Fault::Yaw(2.0)),
    condition("yaw_5_deg", "yaw", "yaw_2_deg", Fault::Yaw(5.0)),
    condition("pitch_2_deg", "pitch", CLEAN, Fault::Pitch(2.0)),
    condition("pitch_5_deg", "pitch", "pitch_2_deg", Fault::Pitch(5.0)),
    condition("moved_10_cm", "moved", CLEAN, Fault::Moved(0.10)),
    condition("ghosts_10", "ghosts", CLEAN, Fault::Ghosts(10)),
    condition("ghosts_30", "ghosts", "ghosts_10", Fault::Ghosts(30)),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_condition_has_its_own_name_and_a_milder_neighbour_before_it() {
        let mut before: BTreeSet<&str> = BTreeSet::new();
        for condition in CONDITIONS {
            match condition.cleaner {
                None => assert!(before.is_empty() && condition.fault == Fault::None),
                Some(cleaner) => assert!(before.contains(cleaner), "{}", condition.name),
            }
            assert!(before.insert(condition.name), "{}", condition.name);
        }
        assert!(before.contains(DROPPED));
    }
}
