//! The golden output: a model that computes something else here is refused.

use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

use ndarray::ArrayD;
use ndarray_npy::NpzReader;

use super::{InferenceError, ModelFolder, ModelSession, Tolerance};

/// Runs `session` on the golden inputs and compares every output.
pub(super) fn check(session: &mut ModelSession, folder: &ModelFolder) -> Result<(), InferenceError> {
    let golden = &folder.manifest.golden;
    let (precision, provider) = (session.precision(), session.provider());
    let tolerance =
        golden.tolerance.get(&precision).and_then(|p| p.get(&provider)).copied().ok_or_else(|| {
            InferenceError::NoTolerance { path: folder.manifest_path(), precision, provider }
        })?;
    let path = folder.path.join(&golden.path);
    let file = File::open(&path).map_err(|source| InferenceError::Unreadable {
        path: path.clone(),
        what: "golden file",
        source,
    })?;
    let mut npz = NpzReader::new(BufReader::new(file)).map_err(|e| InferenceError::Unreadable {
        path: path.clone(),
        what: "golden file",
        source: std::io::Error::other(e),
    })?;
    for spec in &folder.manifest.inputs {
        let values = array(&mut npz, &path, &format!("input_{}", spec.role), &spec.shape)?;
        session.input_mut(&spec.role).copy_from_slice(&values);
    }
    session.run()?;
    for spec in &folder.manifest.outputs {
        let golden = array(&mut npz, &path, &format!("output_{}", spec.role), &spec.shape)?;
        let difference = Difference::between(session.output(&spec.role).1, &golden, tolerance);
        if difference.count > 0 {
            return Err(InferenceError::GoldenMismatch {
                path: session.model_path().to_owned(),
                role: spec.role.clone(),
                provider,
                abs: tolerance.abs,
                rel: tolerance.rel,
                max_abs: difference.max_abs,
                max_rel: difference.max_rel,
                count: difference.count,
                total: golden.len(),
            });
        }
    }
    Ok(())
}

fn array(
    npz: &mut NpzReader<BufReader<File>>,
    path: &Path,
    name: &str,
    shape: &[usize],
) -> Result<Vec<f32>, InferenceError> {
    let wrong = |found: String| InferenceError::GoldenArray {
        path: PathBuf::from(path),
        array: name.to_owned(),
        expected: shape.to_vec(),
        found,
    };
    let array: ArrayD<f32> = npz.by_name(name).map_err(|e| wrong(e.to_string()))?;
    if array.shape() != shape {
        return Err(wrong(format!("shape {:?}", array.shape())));
    }
    // `iter` walks in logical order whatever the file's memory order was.
    Ok(array.iter().copied().collect())
}

/// How far two arrays of one length are apart.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Difference {
    pub max_abs: f32,
    pub max_rel: f32,
    /// Values outside the tolerance.
    pub count: usize,
}

impl Difference {
    pub(super) fn between(found: &[f32], golden: &[f32], tolerance: Tolerance) -> Self {
        let mut this = Self { count: found.len().abs_diff(golden.len()), ..Self::default() };
        for (&f, &g) in found.iter().zip(golden) {
            // Equal infinities, and NaN where NaN was meant.
            if f == g || (f.is_nan() && g.is_nan()) {
                continue;
            }
            let error = if f.is_finite() && g.is_finite() { (f - g).abs() } else { f32::INFINITY };
            this.max_abs = this.max_abs.max(error);
            if g != 0.0 {
                this.max_rel = this.max_rel.max(if g.is_finite() { error / g.abs() } else { error });
            }
            if error.is_infinite() || error > tolerance.abs + tolerance.rel * g.abs() {
                this.count += 1;
            }
        }
        this
    }
}
