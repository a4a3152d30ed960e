//! The golden output: a model that computes something else here is refused.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

use ndarray::ArrayD;
use ndarray_npy::{ReadNpyExt, ReadableElement, npy::header::Header};
use zip::{ZipArchive, result::ZipError};

use super::{ElementType, InferenceError, ModelFolder, ModelSession, TensorSpec, Tolerance};

/// Longest NumPy header read. An array of four dimensions has one of 128 bytes; the parser recurses into
/// what brackets it finds.
const MAX_HEADER: u64 = 1024;

/// Runs `session` on the golden inputs and compares every output.
pub(super) fn check(session: &mut ModelSession, folder: &ModelFolder) -> Result<(), InferenceError> {
    let golden = &folder.manifest.golden;
    let (precision, provider) = (session.precision(), session.provider());
    let tolerance =
        golden.tolerance.get(&precision).and_then(|p| p.get(&provider)).copied().ok_or_else(|| {
            InferenceError::NoTolerance { path: folder.manifest_path(), precision, provider }
        })?;
    let mut file = GoldenFile::open(folder.path.join(&golden.path))?;
    let inputs: Vec<TensorSpec> = session.input_specs().cloned().collect();
    let outputs: Vec<TensorSpec> = session.output_specs().cloned().collect();
    let mut rows = BTreeMap::new();
    for spec in &inputs {
        let name = format!("input_{}", spec.role);
        let mut count = 1;
        if let Some(of) = spec.rows() {
            // The first array with such rows says how many there are; the others must have as many.
            count = match rows.get(of) {
                Some(&count) => count,
                None => file.rows(&name)?,
            };
            session.set_rows(of, count)?;
            rows.insert(of, count);
        }
        let shape = spec.sizes(count);
        match spec.dtype {
            ElementType::Float32 => {
                session.input_mut(&spec.role).copy_from_slice(&file.array(&name, &shape)?);
            }
            ElementType::Int32 => session.set_integers(&spec.role, &file.integers::<i32>(&name, &shape)?)?,
            ElementType::Int64 => session.set_integers(&spec.role, &file.integers::<i64>(&name, &shape)?)?,
        }
    }
    session.run()?;
    for spec in &outputs {
        let count = spec.rows().and_then(|of| rows.get(of)).copied().unwrap_or(1);
        // What a file of few bits gives is its own; a wide tolerance to the exact output would hide mistakes.
        let (own, common) = (format!("output_{}.{precision}", spec.role), format!("output_{}", spec.role));
        let golden = file.array(if file.has(&own) { &own } else { &common }, &spec.sizes(count))?;
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
        let mean_abs = difference.mean_abs(golden.len());
        if let Some(mean) = tolerance.mean.filter(|mean| mean_abs > f64::from(*mean)) {
            let (path, role) = (session.model_path().to_owned(), spec.role.clone());
            return Err(InferenceError::GoldenMean { path, role, provider, mean, mean_abs });
        }
    }
    Ok(())
}

/// A golden file: NumPy arrays in an `.npz` archive.
pub struct GoldenFile {
    path: PathBuf,
    archive: ZipArchive<BufReader<File>>,
}

impl GoldenFile {
    /// Opens the archive at `path` and reads its directory.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, InferenceError> {
        let path = path.as_ref().to_owned();
        let opened = File::open(&path)
            .and_then(|file| ZipArchive::new(BufReader::new(file)).map_err(std::io::Error::other));
        match opened {
            Ok(archive) => Ok(Self { path, archive }),
            Err(source) => Err(InferenceError::Unreadable { path, what: "golden file", source }),
        }
    }

    /// Whether there is an array called `name`.
    pub fn has(&self, name: &str) -> bool {
        self.archive.index_for_name(&format!("{name}.npy")).is_some()
    }

    /// The float32 array called `name`, row-major, all values finite. No memory is taken for an array of
    /// another shape than `shape`.
    pub fn array(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, InferenceError> {
        let finite = |values: Vec<f32>| match values.iter().filter(|value| !value.is_finite()).count() {
            0 => Ok(values),
            // A model that gives NaN today must not be held to NaN for good.
            count => Err(format!("{count} values that are not finite")),
        };
        let values = self.read(&format!("{name}.npy"), shape).and_then(finite);
        values.map_err(|found| self.refuse(name, format!("float32 of shape {shape:?}"), found))
    }

    /// The array called `name` of int32 or int64, row-major, all values within 32 bits; memory as in
    /// [`Self::array`].
    pub fn integers<T: ReadableElement + Copy + TryInto<i32>>(
        &mut self,
        name: &str,
        shape: &[usize],
    ) -> Result<Vec<i32>, InferenceError> {
        let small = |values: Vec<T>| {
            let values = values.into_iter().map(|value| value.try_into().ok());
            values.collect::<Option<Vec<i32>>>().ok_or_else(|| "values beyond 32 bits".to_owned())
        };
        let values = self.read(&format!("{name}.npy"), shape).and_then(small);
        values.map_err(|found| self.refuse(name, format!("integers of shape {shape:?}"), found))
    }

    /// The outermost size of the array called `name`.
    pub fn rows(&mut self, name: &str) -> Result<usize, InferenceError> {
        let rows = self
            .shape(&format!("{name}.npy"))
            .and_then(|shape| shape.first().copied().ok_or_else(|| "a single value".to_owned()));
        rows.map_err(|found| self.refuse(name, "an array of rows".to_owned(), found))
    }

    fn refuse(&self, name: &str, expected: String, found: String) -> InferenceError {
        InferenceError::GoldenArray { path: self.path.clone(), array: name.to_owned(), expected, found }
    }

    fn shape(&mut self, entry: &str) -> Result<Vec<usize>, String> {
        let mut head = Vec::new();
        let file = self.archive.by_name(entry).map_err(|error| match error {
            ZipError::FileNotFound => "no such array".to_owned(),
            other => other.to_string(),
        })?;
        file.take(MAX_HEADER).read_to_end(&mut head).map_err(|error| error.to_string())?;
        // Version 1 counts the header's bytes with 16 bits, version 2 with 32, which NumPy writes for
        // headers beyond any limit here.
        if let Some(version @ 2..) = head.get(6) {
            return Err(format!("NumPy format version {version}"));
        }
        Header::from_reader(&mut head.as_slice())
            .map(|header| header.shape)
            .map_err(|error| error.to_string())
    }

    fn read<T: ReadableElement + Copy>(&mut self, entry: &str, shape: &[usize]) -> Result<Vec<T>, String> {
        let found = self.shape(entry)?;
        if found != shape {
            return Err(format!("shape {found:?}"));
        }
        let file = self.archive.by_name(entry).map_err(|error| error.to_string())?;
        let array = ArrayD::<T>::read_npy(file).map_err(|error| error.to_string())?;
        // `iter` walks in logical order whatever the file's memory order was.
        Ok(array.iter().copied().collect())
    }
}

/// How far two arrays of one length are apart.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Difference {
    pub max_abs: f32,
    pub max_rel: f32,
    /// Values outside the tolerance.
    pub count: usize,
    /// Of absolute errors.
    sum_abs: f64,
}

impl Difference {
    /// Mean absolute error of `total` values.
    pub(super) fn mean_abs(&self, total: usize) -> f64 {
        self.sum_abs / total.max(1) as f64
    }

    pub(super) fn between(found: &[f32], golden: &[f32], tolerance: Tolerance) -> Self {
        let mut this = Self { count: found.len().abs_diff(golden.len()), ..Self::default() };
        for (&f, &g) in found.iter().zip(golden) {
            // Equal infinities, and NaN where NaN was meant.
            if f == g || (f.is_nan() && g.is_nan()) {
                continue;
            }
            let error = if f.is_finite() && g.is_finite() { (f - g).abs() } else { f32::INFINITY };
            this.max_abs = this.max_abs.max(error);
            this.sum_abs += f64::from(error);
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
