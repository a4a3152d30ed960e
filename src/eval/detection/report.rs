//! `detection` of `report.json`.

use std::collections::BTreeMap;

use serde::Serialize;

/// All metrics. NaN (null in JSON) is what nothing tells; all others are 0 to 1 unless they have a unit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DetectionReport {
    /// Sweeps that were scored.
    pub frames: u64,
    /// By centre distance.
    pub nuscenes: NuScenesReport,
    /// By overlap, classes with truth.
    pub kitti_r40: BTreeMap<String, KittiReport>,
    /// By overlap in 3D and by heading, classes with truth.
    pub waymo: BTreeMap<String, WaymoReport>,
}

/// The metrics of nuScenes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NuScenesReport {
    /// Mean AP of the classes with truth.
    pub map: f64,
    /// Mean AP of all classes, as the devkit has it: those without truth count 0.
    pub map_devkit: f64,
    /// (5 · `map` + Σ (1 − min(1, error)) over ATE, ASE, AOE) / 8.
    pub nds3: f64,
    /// As the devkit computes it from `map_devkit` and five errors. Attributes are not known and count as wrong,
    /// as do velocities where detections have no `id`.
    pub nds_devkit: f64,
    /// Mean translation error of the classes with truth, metres.
    pub ate: f64,
    /// Mean scale error of the classes with truth.
    pub ase: f64,
    /// Mean orientation error of the classes with truth, radians.
    pub aoe: f64,
    /// Each class.
    pub per_class: BTreeMap<String, ClassReport>,
    /// Steps of 10 m from the LiDAR, as far as there is truth.
    pub by_range: Vec<RangeReport>,
}

/// One class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassReport {
    /// Average precision, mean over the match distances; 0 without truth, as the devkit has it.
    pub ap: f64,
    /// Average translation error of true positives within 2 m, metres; 1 without any.
    pub ate: f64,
    /// Average scale error: 1 − overlap of the sizes.
    pub ase: f64,
    /// Average orientation error, radians.
    pub aoe: f64,
    /// Average velocity error, m/s; null where no velocity of a detection is known.
    pub ave: Option<f64>,
    /// Truth boxes that were scored.
    pub truth: u64,
    /// Detections that were scored.
    pub detections: u64,
    /// Average precision at 0.5, 1, 2 and 4 m.
    pub ap_by_distance: Vec<f64>,
}

/// One step of range: truth in it, the detections that found it, and those in it that found nothing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RangeReport {
    /// From, metres.
    pub min_m: f64,
    /// To, metres, exclusive.
    pub max_m: f64,
    /// Mean AP of the classes with truth here.
    pub map: f64,
    /// Truth boxes here.
    pub truth: u64,
    /// AP by class.
    pub per_class: BTreeMap<String, f64>,
}

/// Average precision at 40 recall points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct KittiReport {
    /// By the overlap seen from above.
    pub bev: f64,
    /// By the overlap of the volumes.
    #[serde(rename = "3d")]
    pub volume: f64,
    /// From above, as KITTI's devkit computes it: of fewer than 40 truth boxes it cannot reach 1.
    pub bev_devkit: f64,
    /// By the volumes, as KITTI's devkit computes it.
    #[serde(rename = "3d_devkit")]
    pub volume_devkit: f64,
    /// Overlap above which a detection is right.
    pub iou: f64,
    /// By difficulty, where the truth tells it.
    #[serde(flatten)]
    pub levels: KittiLevelReports,
}

impl DetectionReport {
    /// Class, degree of difficulty and figures of each that the truth tells.
    pub fn kitti_levels(&self) -> impl Iterator<Item = (&str, &'static str, KittiLevelReport)> {
        self.kitti_r40.iter().flat_map(|(name, KittiReport { levels, .. })| {
            let named = [("easy", levels.easy), ("moderate", levels.moderate), ("hard", levels.hard)];
            named.into_iter().filter_map(move |(level, found)| Some((name.as_str(), level, found?)))
        })
    }
}

/// By KITTI's degrees of difficulty; absent where nothing of the truth counts at one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct KittiLevelReports {
    /// At least 40 px high, fully visible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub easy: Option<KittiLevelReport>,
    /// And those of 25 px, at most partly occluded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moderate: Option<KittiLevelReport>,
    /// And those that are largely occluded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hard: Option<KittiLevelReport>,
}

/// Average precision at 40 recall points of the objects of a difficulty, as KITTI's devkit computes it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct KittiLevelReport {
    /// By the overlap seen from above.
    pub bev: f64,
    /// By the overlap of the volumes.
    #[serde(rename = "3d")]
    pub volume: f64,
    /// Truth boxes that count.
    pub truth: u64,
}

/// Average precision, plain and weighted by heading.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WaymoReport {
    /// Area under precision over recall.
    pub ap: f64,
    /// The same with each true positive counting 1 − |Δθ|/π.
    pub aph: f64,
    /// Overlap in 3D above which a detection is right.
    pub iou: f64,
}
