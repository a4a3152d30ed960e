//! The classes that are scored, and by which rules.

use std::f64::consts::{PI, TAU};

/// Most classes that are told apart; a truth with more is no list of kinds.
const MAX_CLASSES: usize = 256;

/// What a heading means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heading {
    /// Front and back differ.
    Full,
    /// Front and back are alike.
    Half,
    /// All directions are alike.
    None,
}

impl Heading {
    /// After how many radians it is the same again; `None` where it is not scored.
    pub(super) const fn period(self) -> Option<f64> {
        match self {
            Self::Full => Some(TAU),
            Self::Half => Some(PI),
            Self::None => None,
        }
    }
}

/// A class and how it is scored.
#[derive(Clone, Debug, PartialEq)]
pub struct EvalClass {
    /// As `class_id` of the messages.
    pub name: String,
    /// Truth and detections count below this distance from the LiDAR seen from above, metres.
    pub range_m: f64,
    /// Whether headings are scored.
    pub heading: Heading,
    /// Whether velocities are scored.
    pub has_velocity: bool,
    /// Overlap above which a detection is right, for the metrics that look at overlap.
    pub iou: f64,
}

impl EvalClass {
    /// The rules of nuScenes for its classes (`detection_cvpr_2019`), 40 m for others; the overlaps of KITTI
    /// and Waymo: 0.7 for vehicles on the road, 0.5 for all else.
    pub fn named(name: &str) -> Self {
        let range_m = match name {
            "car" | "truck" | "bus" | "trailer" | "construction_vehicle" => 50.0,
            "traffic_cone" | "barrier" => 30.0,
            _ => 40.0,
        };
        let heading = match name {
            // Of ours, pallets are from behind what they are from the front.
            "barrier" | "pallet" => Heading::Half,
            "traffic_cone" => Heading::None,
            _ => Heading::Full,
        };
        let on_road = matches!(name, "car" | "truck" | "bus" | "trailer" | "construction_vehicle");
        Self {
            name: name.to_owned(),
            range_m,
            heading,
            has_velocity: !matches!(name, "traffic_cone" | "barrier"),
            iou: if on_road { 0.7 } else { 0.5 },
        }
    }
}

/// Classes by index: those that a score is to be over, and those that were met beside them.
#[derive(Clone, Debug, PartialEq)]
pub struct EvalClasses {
    all: Vec<EvalClass>,
    configured: usize,
}

impl Default for EvalClasses {
    /// The classes of this project's truth.
    fn default() -> Self {
        Self::new(["car", "truck", "bus", "bicycle", "pedestrian", "forklift", "pallet"])
    }
}

impl<'a> IntoIterator for &'a EvalClasses {
    type Item = &'a EvalClass;
    type IntoIter = std::slice::Iter<'a, EvalClass>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl EvalClasses {
    /// Those called `names`, by [`EvalClass::named`].
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let all: Vec<EvalClass> = names.into_iter().map(EvalClass::named).collect();
        Self { configured: all.len(), all }
    }

    /// Whether the class of an index is scored even where there is no truth of it.
    pub fn is_configured(&self, class: usize) -> bool {
        class < self.configured
    }

    /// All, in the order of their indices.
    pub fn iter(&self) -> std::slice::Iter<'_, EvalClass> {
        self.all.iter()
    }

    /// The class of an index.
    pub fn get(&self, class: u16) -> Option<&EvalClass> {
        self.all.get(usize::from(class))
    }

    /// The index of the class called `name`.
    pub fn id(&self, name: &str) -> Option<u16> {
        self.all.iter().position(|class| class.name == name).and_then(|index| u16::try_from(index).ok())
    }

    /// The index of the class called `name`, which is added if it is new. `None` when there are too many, or
    /// for an empty name.
    pub fn id_or_add(&mut self, name: &str) -> Option<u16> {
        if let Some(id) = self.id(name) {
            return Some(id);
        }
        if name.is_empty() || self.all.len() >= MAX_CLASSES {
            return None;
        }
        self.all.push(EvalClass::named(name));
        self.id(name)
    }

    /// Whether something of `class` at `range_m` from the LiDAR is scored.
    pub fn counts(&self, class: u16, range_m: f64) -> bool {
        self.get(class).is_some_and(|class| range_m < class.range_m)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_the_classes() {
        let mut classes = EvalClasses::default();
        let (car, pedestrian) = (classes.id("car").unwrap(), classes.id("pedestrian").unwrap());
        assert!(classes.counts(car, 49.9) && !classes.counts(car, 50.0));
        assert!(classes.counts(pedestrian, 39.9) && !classes.counts(pedestrian, 40.0));
        assert_eq!(classes.id("tram"), None);
        let tram = classes.id_or_add("tram").unwrap();
        assert_eq!((tram, classes.id_or_add("tram")), (7, Some(7)));
        assert!(classes.counts(tram, 39.9) && !classes.counts(8, 1.0));
        assert_eq!(classes.id_or_add(""), None);
    }

    #[test]
    fn a_truth_cannot_add_classes_without_end() {
        let mut classes = EvalClasses::default();
        let added = (0..1000).filter(|i| classes.id_or_add(&format!("c{i}")).is_some()).count();
        assert_eq!(added, MAX_CLASSES - 7);
    }
}
