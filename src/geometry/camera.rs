//! The camera model: 3D points in the optical frame to pixels and back.
//!
//! Pixel centres lie at integer coordinates, as in OpenCV and `CameraInfo.k`: the image spans
//! −0.5..width−0.5. Resizing by s therefore maps u to (u + 0.5)·s − 0.5.

use nalgebra::{Point3, Vector2, Vector3};

use super::Distortion;
use crate::message::CameraInfo;

/// Why a calibration cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CameraError {
    /// The matrix makes no camera; an uncalibrated driver sends zeros.
    #[error(
        "camera k: expected nine finite numbers with the focal lengths k[0], k[4] > 0, found {k:?}: \
         is the camera calibrated?"
    )]
    NotCalibrated {
        /// The matrix, row-major, pixels.
        k: [f64; 9],
    },
    /// The calibration does not say for which image size it holds, and its pixels mean nothing without.
    #[error(
        "camera info: expected the width and height of the full image, found {width}×{height}: \
         set them in the driver's calibration"
    )]
    NoSize {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// No pixels are left.
    #[error("camera size: expected at least one pixel after ROI and binning, found {width}×{height}")]
    NoPixels {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// The ROI reaches beyond the sensor.
    #[error("camera roi: expected it inside {width}×{height}, found {roi:?}")]
    RoiOutside {
        /// Columns of the sensor.
        width: u32,
        /// Rows of the sensor.
        height: u32,
        /// The region.
        roi: Roi,
    },
    /// A distortion model this library does not know.
    #[error(
        "camera distortion_model: expected plumb_bob, rational_polynomial or equidistant, found {found:?} with {count} coefficients"
    )]
    UnknownDistortion {
        /// The name found.
        found: String,
        /// How many coefficients came with it.
        count: usize,
    },
    /// Coefficients that do not fit the model.
    #[error("camera d: {model} expects {expected} finite coefficients, found {found:?}")]
    BadCoefficients {
        /// The model.
        model: String,
        /// How many it takes.
        expected: usize,
        /// Those found.
        found: Vec<f64>,
    },
}

/// A region of the sensor in full-resolution pixels; a zero width or height reaches to the edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roi {
    /// Leftmost column.
    pub x_offset: u32,
    /// Topmost row.
    pub y_offset: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// A calibration as `CameraInfo` carries it.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraParameters<'a> {
    /// Columns at full resolution.
    pub width: u32,
    /// Rows at full resolution.
    pub height: u32,
    /// 3×3 row-major, full-resolution pixels.
    pub k: [f64; 9],
    /// Name of the distortion model; empty with no coefficients means none.
    pub distortion_model: &'a str,
    /// Its coefficients.
    pub d: &'a [f64],
    /// The part of the sensor that the image shows.
    pub roi: Roi,
    /// Columns, rows combined into one; 0 means 1.
    pub binning: (u32, u32),
}

/// A calibrated camera at the resolution of its images. Construction checks it, so every model
/// projects finite points to finite pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraModel {
    /// Horizontal focal length, pixels.
    pub fx: f64,
    /// Vertical focal length, pixels.
    pub fy: f64,
    /// Principal point, column.
    pub cx: f64,
    /// Principal point, row.
    pub cy: f64,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Lens model.
    pub distortion: Distortion,
    valid_radius: f64,
}

impl CameraModel {
    /// From a calibration; ROI and binning are applied.
    pub fn new(parameters: &CameraParameters<'_>) -> Result<Self, CameraError> {
        let CameraParameters { width, height, k, roi, .. } = *parameters;
        let [fx, _, cx, _, fy, cy, ..] = k;
        if !k.iter().all(|value| value.is_finite()) || fx <= 0.0 || fy <= 0.0 {
            return Err(CameraError::NotCalibrated { k });
        }
        if width == 0 || height == 0 {
            return Err(CameraError::NoSize { width, height });
        }
        let outside = CameraError::RoiOutside { width, height, roi };
        let (Some(roi_width), Some(roi_height)) =
            (extent(roi.x_offset, roi.width, width), extent(roi.y_offset, roi.height, height))
        else {
            return Err(outside);
        };
        let (bin_x, bin_y) = (parameters.binning.0.max(1), parameters.binning.1.max(1));
        let (width, height) = (roi_width / bin_x, roi_height / bin_y);
        if width == 0 || height == 0 {
            return Err(CameraError::NoPixels { width, height });
        }
        let (scale_x, scale_y) = (1.0 / f64::from(bin_x), 1.0 / f64::from(bin_y));
        let distortion = read_distortion(parameters.distortion_model, parameters.d)?;
        Ok(Self {
            fx: fx * scale_x,
            fy: fy * scale_y,
            cx: (cx - f64::from(roi.x_offset) + 0.5) * scale_x - 0.5,
            cy: (cy - f64::from(roi.y_offset) + 0.5) * scale_y - 0.5,
            width,
            height,
            valid_radius: distortion.valid_radius(),
            distortion,
        })
    }

    /// From the message that comes with a raw image.
    pub fn from_camera_info(info: &CameraInfo<'_>) -> Result<Self, CameraError> {
        Self::new(&CameraParameters {
            width: info.width,
            height: info.height,
            k: info.k,
            distortion_model: info.distortion_model,
            d: &info.d,
            roi: Roi {
                x_offset: info.roi.x_offset,
                y_offset: info.roi.y_offset,
                width: info.roi.width,
                height: info.roi.height,
            },
            binning: (info.binning_x, info.binning_y),
        })
    }

    /// An ideal camera without distortion; focal lengths and principal point in pixels.
    pub fn pinhole(width: u32, height: u32, fx: f64, fy: f64, cx: f64, cy: f64) -> Result<Self, CameraError> {
        Self::new(&CameraParameters {
            width,
            height,
            k: [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
            distortion_model: "",
            d: &[],
            roi: Roi::default(),
            binning: (1, 1),
        })
    }

    /// The pixel (u right, v down) where a point of the optical frame (metres) appears, inside the
    /// image or not. `None` behind the camera or beyond the angle the distortion model is valid for.
    pub fn project(&self, p_camera: &Point3<f64>) -> Option<(f64, f64)> {
        if p_camera.z <= 0.0 {
            return None;
        }
        let ideal = Vector2::new(p_camera.x / p_camera.z, p_camera.y / p_camera.z);
        let radius = ideal.norm();
        if !radius.is_finite() || radius > self.valid_radius {
            return None;
        }
        let seen = self.distortion.distort(ideal);
        Some((seen.x * self.fx + self.cx, seen.y * self.fy + self.cy))
    }

    /// The viewing ray of a pixel, with z = 1, in the optical frame. `None` where the distortion model
    /// has no ray for the pixel.
    pub fn unproject(&self, u: f64, v: f64) -> Option<Vector3<f64>> {
        let seen = Vector2::new((u - self.cx) / self.fx, (v - self.cy) / self.fy);
        self.distortion.undistort(seen, self.valid_radius).map(|ideal| Vector3::new(ideal.x, ideal.y, 1.0))
    }

    /// The same camera with its images resized; a size of 0 is taken as 1.
    pub fn scaled(&self, width: u32, height: u32) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        let scale_x = f64::from(width) / f64::from(self.width);
        let scale_y = f64::from(height) / f64::from(self.height);
        Self {
            fx: self.fx * scale_x,
            fy: self.fy * scale_y,
            cx: (self.cx + 0.5) * scale_x - 0.5,
            cy: (self.cy + 0.5) * scale_y - 0.5,
            width,
            height,
            ..*self
        }
    }

    /// The 3×3 intrinsic matrix, row-major, as `CameraInfo.k`.
    pub fn k(&self) -> [f64; 9] {
        [self.fx, 0.0, self.cx, 0.0, self.fy, self.cy, 0.0, 0.0, 1.0]
    }
}

/// The length of a region along one axis; `None` when it is not inside 0..`full`.
fn extent(offset: u32, length: u32, full: u32) -> Option<u32> {
    let rest = full.checked_sub(offset)?;
    match length {
        0 => Some(rest),
        length => (length <= rest).then_some(length),
    }
}

fn read_distortion(model: &str, d: &[f64]) -> Result<Distortion, CameraError> {
    let bad =
        |expected| CameraError::BadCoefficients { model: model.to_owned(), expected, found: d.to_vec() };
    // Simulators name a model and send nothing or zeros: an ideal lens.
    let ideal = d.iter().all(|&value| value == 0.0);
    match model {
        "" | "plumb_bob" | "rational_polynomial" if d.is_empty() => Ok(Distortion::None),
        "plumb_bob" => {
            let values = coefficients::<5>(d, 4).ok_or_else(|| bad(5))?;
            Ok(if ideal { Distortion::None } else { Distortion::PlumbBob(values) })
        }
        "rational_polynomial" => {
            let values = coefficients::<8>(d, 8).ok_or_else(|| bad(8))?;
            Ok(if ideal { Distortion::None } else { Distortion::RationalPolynomial(values) })
        }
        "equidistant" => coefficients::<4>(d, 4).map(Distortion::Equidistant).ok_or_else(|| bad(4)),
        _ => Err(CameraError::UnknownDistortion { found: model.to_owned(), count: d.len() }),
    }
}

/// The first N coefficients, at least `least` of them given. Further ones (thin prism, tilt) must be
/// zero, as their terms are not modelled.
fn coefficients<const N: usize>(d: &[f64], least: usize) -> Option<[f64; N]> {
    let extra_is_zero = d.iter().skip(N).all(|&value| value == 0.0);
    if d.len() < least || !extra_is_zero || !d.iter().all(|value| value.is_finite()) {
        return None;
    }
    let mut values = [0.0; N];
    for (to, from) in values.iter_mut().zip(d) {
        *to = *from;
    }
    Some(values)
}

#[cfg(test)]
#[path = "camera_tests.rs"]
mod tests;
