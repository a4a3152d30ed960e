//! What a network is told of each point of a pillar.
//!
//! Published networks differ in which values they take and in which order; a manifest lists their names. Those
//! of Autoware's `lidar_centerpoint` (`preprocess_kernel.cu`) are `x y z time x_from_mean y_from_mean z_from_mean
//! x_from_center y_from_center` (9), with `z_from_center` behind (10), with `intensity` before `time` too (11);
//! those of `OpenPCDet` and `mmdetection3d` are `x y z intensity`, the rest being computed in the network.

use std::{fmt, str::FromStr};

use super::{BevGrid, DetectionError};
use crate::sensor::LidarPoint;

/// One value of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PillarFeature {
    /// Metres, frame of the cloud
    X,
    /// Metres, frame of the cloud
    Y,
    /// Metres, frame of the cloud
    Z,
    /// 0..1 times the scale that the network was trained with
    Intensity,
    /// Seconds before the newest sweep: 0 for its own points
    Time,
    /// Metres from the mean of the pillar's points
    XFromMean,
    /// As `XFromMean`
    YFromMean,
    /// As `XFromMean`
    ZFromMean,
    /// Metres from the middle of the pillar
    XFromCenter,
    /// As `XFromCenter`
    YFromCenter,
    /// As `XFromCenter`, from the middle of the range's height
    ZFromCenter,
}

impl PillarFeature {
    /// Every feature.
    pub const ALL: [Self; 11] = [
        Self::X,
        Self::Y,
        Self::Z,
        Self::Intensity,
        Self::Time,
        Self::XFromMean,
        Self::YFromMean,
        Self::ZFromMean,
        Self::XFromCenter,
        Self::YFromCenter,
        Self::ZFromCenter,
    ];

    /// Its name in manifests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::X => "x",
            Self::Y => "y",
            Self::Z => "z",
            Self::Intensity => "intensity",
            Self::Time => "time",
            Self::XFromMean => "x_from_mean",
            Self::YFromMean => "y_from_mean",
            Self::ZFromMean => "z_from_mean",
            Self::XFromCenter => "x_from_center",
            Self::YFromCenter => "y_from_center",
            Self::ZFromCenter => "z_from_center",
        }
    }
}

impl fmt::Display for PillarFeature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PillarFeature {
    type Err = DetectionError;

    fn from_str(name: &str) -> Result<Self, DetectionError> {
        Self::ALL.into_iter().find(|feature| feature.as_str() == name).ok_or_else(|| DetectionError::Config {
            what: "feature of a point",
            expected: format!("one of {}", Self::ALL.map(Self::as_str).join(", ")),
            found: name.to_owned(),
        })
    }
}

/// Which values a network takes of a point, in its order.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureLayout {
    features: Vec<PillarFeature>,
    intensity_scale: f32,
}

impl FeatureLayout {
    /// The features called `names`, intensities of 0..1 being multiplied by `intensity_scale` (255 for networks
    /// trained on drivers' bytes). Fails on a name that is none, on no name and on a scale that is not positive.
    pub fn new<'a>(
        names: impl IntoIterator<Item = &'a str>,
        intensity_scale: f32,
    ) -> Result<Self, DetectionError> {
        let features: Vec<PillarFeature> =
            names.into_iter().map(str::parse).collect::<Result<_, DetectionError>>()?;
        let refuse = |what, expected: &str, found: String| {
            Err(DetectionError::Config { what, expected: expected.to_owned(), found })
        };
        if features.is_empty() {
            return refuse("features of a point", "at least one", "none".to_owned());
        }
        if !(intensity_scale.is_finite() && intensity_scale > 0.0) {
            return refuse("intensity scale", "a positive number", intensity_scale.to_string());
        }
        Ok(Self { features, intensity_scale })
    }

    /// Values of one point.
    pub const fn len(&self) -> usize {
        self.features.len()
    }

    /// Always false: a layout has at least one feature.
    pub const fn is_empty(&self) -> bool {
        self.features.is_empty()
    }

    /// Writes the features of one pillar's `points` to the first rows of `out` (`points x features`), and zeros
    /// to those that are left.
    pub(super) fn write<'a>(
        &self,
        grid: &BevGrid,
        cell: usize,
        points: impl ExactSizeIterator<Item = &'a LidarPoint> + Clone,
        out: &mut [f32],
    ) {
        let mut sum = [0.0_f64; 3];
        for point in points.clone() {
            for (sum, value) in sum.iter_mut().zip([point.x, point.y, point.z]) {
                *sum += f64::from(value);
            }
        }
        let mean = sum.map(|sum| sum / points.len().max(1) as f64);
        let middle = grid.center_of(cell);
        let mut rows = out.chunks_exact_mut(self.features.len());
        for (point, row) in points.zip(&mut rows) {
            let from = |value: f32, origin: f64| (f64::from(value) - origin) as f32;
            for (value, feature) in row.iter_mut().zip(&self.features) {
                *value = match feature {
                    PillarFeature::X => point.x,
                    PillarFeature::Y => point.y,
                    PillarFeature::Z => point.z,
                    PillarFeature::Intensity => point.intensity * self.intensity_scale,
                    PillarFeature::Time => point.age_s,
                    PillarFeature::XFromMean => from(point.x, mean[0]),
                    PillarFeature::YFromMean => from(point.y, mean[1]),
                    PillarFeature::ZFromMean => from(point.z, mean[2]),
                    PillarFeature::XFromCenter => from(point.x, middle[0]),
                    PillarFeature::YFromCenter => from(point.y, middle[1]),
                    PillarFeature::ZFromCenter => from(point.z, middle[2]),
                };
            }
        }
        rows.for_each(|row| row.fill(0.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_features_are_inverse() {
        for feature in PillarFeature::ALL {
            assert_eq!(feature.as_str().parse::<PillarFeature>(), Ok(feature));
        }
        let message = "ring".parse::<PillarFeature>().unwrap_err().to_string();
        assert!(message.contains("z_from_center, found ring"), "{message}");
        assert!(FeatureLayout::new([], 1.0).is_err());
        assert!(FeatureLayout::new(["x"], f32::NAN).is_err());
        assert!(FeatureLayout::new(["x"], 0.0).is_err());
    }

    #[test]
    fn a_pillar_becomes_the_values_it_describes() {
        let grid = BevGrid::new([-2.0, -1.0, -3.0, 2.0, 1.0, 1.0], [0.5, 0.25]).unwrap();
        let points = [(0.1, 0.1, 1.0, 0.5), (0.3, 0.2, -1.0, 0.25)];
        let points = points.map(|(x, y, z, intensity)| LidarPoint { x, y, z, intensity, age_s: 0.25 });
        let layout = FeatureLayout::new(PillarFeature::ALL.map(PillarFeature::as_str), 255.0).unwrap();
        let mut out = vec![f32::NAN; 3 * 11];
        layout.write(&grid, grid.cell(0.1, 0.1, 0.0).unwrap(), points.iter(), &mut out);
        let first = [0.1, 0.1, 1.0, 127.5, 0.25, -0.1, -0.05, 1.0, -0.15, -0.025, 2.0];
        let second = [0.3, 0.2, -1.0, 63.75, 0.25, 0.1, 0.05, -1.0, 0.05, 0.075, 0.0];
        for (found, expected) in out.iter().zip(first.iter().chain(&second).chain(&[0.0; 11])) {
            assert!((found - expected).abs() < 1e-6, "expected {expected}, found {found}");
        }
    }
}
