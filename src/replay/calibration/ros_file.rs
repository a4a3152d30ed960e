//! The file that `camera_calibration` and `camera_calibration_parsers` write
//! (`~/.ros/camera_info/<camera>.yaml`).

use std::path::Path;

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{CalibrationError, CameraCalibration};

/// A matrix with its size, which `data` must have.
#[derive(Deserialize)]
struct Matrix {
    data: Vec<f64>,
}

/// The fields read; `camera_name` and others are passed over.
#[derive(Deserialize)]
struct Document {
    image_width: u32,
    image_height: u32,
    camera_matrix: Spanned<Matrix>,
    distortion_model: String,
    distortion_coefficients: Spanned<Matrix>,
    rectification_matrix: Option<Spanned<Matrix>>,
    projection_matrix: Option<Spanned<Matrix>>,
}

/// Reads the intrinsics in `path`.
pub(super) fn read(path: &Path) -> Result<CameraCalibration, CalibrationError> {
    let text = CalibrationError::read(path)?;
    let file: Document =
        serde_saphyr::from_str(&text).map_err(|error| CalibrationError::yaml(path, &error))?;
    let k: [f64; 9] = matrix(path, "camera_matrix", &file.camera_matrix)?;
    let [fx, skew, cx, k10, fy, cy, k20, k21, k22] = k;
    Ok(CameraCalibration {
        width: file.image_width,
        height: file.image_height,
        distortion_model: file.distortion_model,
        d: file.distortion_coefficients.value.data,
        k,
        r: file
            .rectification_matrix
            .as_ref()
            .map_or(Ok([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]), |r| {
                matrix(path, "rectification_matrix", r)
            })?,
        p: file
            .projection_matrix
            .as_ref()
            .map_or(Ok([fx, skew, cx, 0.0, k10, fy, cy, 0.0, k20, k21, k22, 0.0]), |p| {
                matrix(path, "projection_matrix", p)
            })?,
    })
}

fn matrix<const N: usize>(
    path: &Path,
    field: &str,
    matrix: &Spanned<Matrix>,
) -> Result<[f64; N], CalibrationError> {
    let data = &matrix.value.data;
    <[f64; N]>::try_from(data.as_slice()).map_err(|_| CalibrationError {
        path: path.to_path_buf(),
        line: Some(matrix.referenced.line()),
        message: format!("{field}.data: expected {N} numbers, found {}", data.len()),
    })
}
