//! What a manifest says of a detection model.

use serde::{Deserialize, Serialize};

/// What a detection model takes and gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DetectionInterface {
    /// Five channels of a bird's-eye view to centre heads of probabilities.
    #[default]
    Bev,
    /// Statistics of active pillars over the ground and their coordinates to centre heads of probabilities, a row a
    /// pillar or maps of the grid.
    PillarStatistics,
    /// Two files, as Autoware's `lidar_centerpoint` has them: pillars to features, features on a grid to centre
    /// heads of logits.
    AutowareCenterpoint,
    /// One file from pillars to the scores, boxes and directions of anchors, as `OpenPCDet` and `mmdeploy` export
    /// it.
    Pointpillars,
}

/// One pass over the boxes, which removes those that repeat better ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
pub enum SuppressionRule {
    /// By the distance of centres in BEV, whatever the class.
    Circle {
        /// Metres.
        radius_m: f32,
    },
    /// By the overlap of footprints.
    Iou {
        /// Intersection over union, 0..1.
        threshold: f32,
        /// Whether boxes of other classes count too.
        #[serde(default)]
        across_classes: bool,
    },
    /// By the distance of centres in BEV within a class, from `suppression_radius`.
    ClassDistance {},
}

/// Where on each axis the anchors of a head's cells are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// In the middle of the cells.
    CellCenters,
    /// Evenly from one end of the range to the other.
    RangeEnds,
}

/// The anchors of a `pointpillars` model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnchorSettings {
    /// Length, width, height of each, metres.
    pub sizes: Vec<[f32; 3]>,
    /// z of the bottom face of each size, metres.
    pub bottoms: Vec<f32>,
    /// Yaw, radians, of each size in turn.
    pub rotations: Vec<f32>,
    /// Where they are.
    pub placement: Placement,
    /// How the direction classifier's bins divide the circle; without it the regressed yaw is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<DirectionSettings>,
}

/// The bins of a direction classifier.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectionSettings {
    /// Number of bins.
    pub bins: usize,
    /// Where the first begins, radians.
    pub offset: f32,
    /// How the yaw is brought into a bin: 0 into `0..period`, 0.5 about zero, 1 below zero.
    pub limit_offset: f32,
}

/// Settings of a detection model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectionSettings {
    /// What the model takes and gives.
    #[serde(default)]
    pub interface: DetectionInterface,
    /// `x0 y0 z0 x1 y1 z1` in the sensor frame, metres.
    pub range: [f32; 6],
    /// Cell size in x, y, z, metres.
    pub voxel_size: [f32; 3],
    /// Input cells per output cell.
    pub stride: u32,
    /// Class names in the order of the heatmap's channels.
    pub classes: Vec<String>,
    /// Score from which a box is worth showing, 0..1.
    pub score_threshold: f32,
    /// Per class: of two centres closer than this in BEV, the lower score goes; metres.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suppression_radius: Vec<f32>,
    /// Passes over the boxes, in turn; without them those usual for the interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppression: Option<Vec<SuppressionRule>>,
    /// Features in channel order: of a cell for `bev`, of a point otherwise.
    pub features: Vec<String>,
    /// What the model was trained to take for an intensity of 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub intensity_scale: f32,
    /// Per class, of `autoware_centerpoint`: boxes whose `(sin, cos)` is shorter than this are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub min_rotation_norm: Vec<f32>,
    /// Of `pointpillars`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchors: Option<AnchorSettings>,
}

const fn one() -> f32 {
    1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_one(value: &f32) -> bool {
    *value == one()
}

impl DetectionSettings {
    /// The passes over the boxes: those of the manifest, else those of the model's origin.
    pub fn suppression_rules(&self) -> Vec<SuppressionRule> {
        if let Some(rules) = &self.suppression {
            return rules.clone();
        }
        match self.interface {
            DetectionInterface::Bev | DetectionInterface::PillarStatistics => {
                vec![SuppressionRule::ClassDistance {}]
            }
            DetectionInterface::AutowareCenterpoint => vec![
                SuppressionRule::Circle { radius_m: 0.5 },
                SuppressionRule::Iou { threshold: 0.1, across_classes: true },
            ],
            DetectionInterface::Pointpillars => {
                vec![SuppressionRule::Iou { threshold: 0.01, across_classes: false }]
            }
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let [x0, y0, z0, x1, y1, z1] = self.range;
        if !(x0 < x1 && y0 < y1 && z0 < z1 && self.range.iter().all(|v| v.is_finite())) {
            return Err(format!("detection.range: expected x0 y0 z0 below x1 y1 z1, found {:?}", self.range));
        }
        if self.voxel_size.iter().any(|v| !v.is_finite() || *v <= 0.0) || self.stride == 0 {
            return Err(format!(
                "detection.voxel_size and stride: expected positive values, found {:?} and {}",
                self.voxel_size, self.stride
            ));
        }
        self.check_suppression()?;
        if !(0.0..=1.0).contains(&self.score_threshold) {
            return Err(format!(
                "detection.score_threshold: expected 0 to 1, found {}",
                self.score_threshold
            ));
        }
        let (norms, classes) = (self.min_rotation_norm.len(), self.classes.len());
        if norms != 0
            && (self.interface != DetectionInterface::AutowareCenterpoint
                || norms != classes
                || self.min_rotation_norm.iter().any(|norm| !norm.is_finite()))
        {
            return Err(format!(
                "detection.min_rotation_norm: expected a number for each of {classes} classes of interface \
                 autoware_centerpoint, found {:?}",
                self.min_rotation_norm
            ));
        }
        match (self.interface, &self.anchors) {
            (DetectionInterface::Pointpillars, None) => {
                Err("detection.anchors: expected anchors for interface pointpillars, found none".to_owned())
            }
            (DetectionInterface::Pointpillars, Some(_)) | (_, None) => Ok(()),
            (_, Some(_)) => {
                Err("detection.anchors: expected none for an interface without anchors, found some"
                    .to_owned())
            }
        }
    }

    fn check_suppression(&self) -> Result<(), String> {
        let rules = self.suppression_rules();
        let by_class = rules.contains(&SuppressionRule::ClassDistance {});
        if self.classes.is_empty() || (by_class && self.suppression_radius.len() != self.classes.len()) {
            return Err(format!(
                "detection.suppression_radius: expected one value for each of {} classes, found {}",
                self.classes.len(),
                self.suppression_radius.len()
            ));
        }
        if let Some(radius) = self.suppression_radius.iter().find(|r| !(r.is_finite() && **r >= 0.0)) {
            return Err(format!(
                "detection.suppression_radius: expected finite metres of at least 0, found {radius}"
            ));
        }
        for rule in rules {
            let fine = match rule {
                SuppressionRule::Circle { radius_m } => radius_m.is_finite() && radius_m >= 0.0,
                SuppressionRule::Iou { threshold, .. } => (0.0..=1.0).contains(&threshold),
                SuppressionRule::ClassDistance {} => true,
            };
            if !fine {
                return Err(format!(
                    "detection.suppression: expected radius_m of at least 0 or threshold of 0 to 1, found {rule:?}"
                ));
            }
        }
        Ok(())
    }
}
