//! A model ready to run: its tensors checked, its golden output met.

use std::{fs, path::PathBuf, time::Instant};

use ort::{
    session::{Session, SessionInputValue, builder::SessionBuilder},
    value::TensorRef,
};
use sha2::{Digest, Sha256};

use super::{
    InferenceError, Manifest, ModelFolder, Precision, Provider, TensorSpec, golden, inspect, library,
};

/// What to ask of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionOptions {
    /// Where to compute; an error when it cannot.
    pub provider: Provider,
    /// `None` takes the provider's favourite among the folder's files.
    pub precision: Option<Precision>,
    /// Threads inside one operator, at least 1.
    pub threads: usize,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self { provider: Provider::Cpu, precision: None, threads: 1 }
    }
}

/// A tensor's description with the buffer that lives as long as the session.
struct Buffer {
    spec: TensorSpec,
    values: Vec<f32>,
}

impl Buffer {
    fn zeros(spec: &TensorSpec) -> Self {
        Self { spec: spec.clone(), values: vec![0.0; spec.len()] }
    }
}

/// One model on one provider. Moves to the worker thread that runs it.
///
/// NaN and infinite outputs pass through: what they mean is the caller's to say.
pub struct ModelSession {
    manifest: Manifest,
    model_path: PathBuf,
    precision: Precision,
    provider: Provider,
    session: Session,
    inputs: Vec<Buffer>,
    outputs: Vec<Buffer>,
    load_s: f64,
}

impl ModelSession {
    /// Opens the folder's model: checksum, tensor names, types and shapes, then the golden output.
    ///
    /// The bytes that were checksummed are the bytes that run.
    pub fn open(folder: &ModelFolder, options: &SessionOptions) -> Result<Self, InferenceError> {
        let start = Instant::now();
        let precision = folder.resolve_precision(options.precision, options.provider)?;
        let Some((model_path, file)) = folder.file(precision) else {
            return Err(InferenceError::PrecisionMissing {
                path: folder.path.clone(),
                asked: precision,
                found: folder.manifest.files.keys().map(ToString::to_string).collect(),
            });
        };
        let bytes = fs::read(&model_path).map_err(|source| InferenceError::Unreadable {
            path: model_path.clone(),
            what: "model file",
            source,
        })?;
        let found = sha256_hex(&bytes);
        if !found.eq_ignore_ascii_case(&file.sha256) {
            return Err(InferenceError::Checksum { path: model_path, expected: file.sha256.clone(), found });
        }
        let summary = inspect::summarise(&bytes)
            .map_err(|reason| InferenceError::NotOnnx { path: model_path.clone(), reason })?;
        let manifest = &folder.manifest;
        inspect::compare("input", &manifest.inputs, &summary.inputs, &model_path)?;
        inspect::compare("output", &manifest.outputs, &summary.outputs, &model_path)?;

        let environment = library::environment()?;
        let fail = |reason: String| InferenceError::Session { path: model_path.clone(), reason };
        let builder = Session::builder(&environment).map_err(|e| fail(e.to_string()))?;
        let mut builder = configure(builder, options.threads).map_err(fail)?;
        let dispatch = options.provider.dispatch(precision);
        if !dispatch.is_empty() {
            builder = builder.with_execution_providers(dispatch).map_err(|e| {
                InferenceError::ProviderUnavailable {
                    path: model_path.clone(),
                    provider: options.provider,
                    reason: one_line(&e.to_string()),
                }
            })?;
        }
        let session = builder.commit_from_memory(&bytes).map_err(|e| fail(one_line(&e.to_string())))?;
        let mut this = Self {
            manifest: manifest.clone(),
            model_path,
            precision,
            provider: options.provider,
            session,
            inputs: manifest.inputs.iter().map(Buffer::zeros).collect(),
            outputs: manifest.outputs.iter().map(Buffer::zeros).collect(),
            load_s: 0.0,
        };
        golden::check(&mut this, folder)?;
        for input in &mut this.inputs {
            input.values.fill(0.0);
        }
        this.load_s = start.elapsed().as_secs_f64();
        Ok(this)
    }

    /// The manifest the model was checked against.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The model file in use.
    pub fn model_path(&self) -> &std::path::Path {
        &self.model_path
    }

    /// The precision in use.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// The provider in use.
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// Seconds from opening the folder to the golden output met.
    pub fn load_s(&self) -> f64 {
        self.load_s
    }

    /// The input with this role, row-major; empty when the model has none.
    ///
    /// Values stay between runs, so a caller may clear only what it wrote.
    pub fn input_mut(&mut self, role: &str) -> &mut [f32] {
        self.inputs.iter_mut().find(|b| b.spec.role == role).map_or(&mut [], |b| &mut b.values)
    }

    /// Whether the model has an input with this role.
    pub fn has_input(&self, role: &str) -> bool {
        self.manifest.input(role).is_some()
    }

    /// Runs the model on the inputs as they are now.
    pub fn run(&mut self) -> Result<(), InferenceError> {
        let path = &self.model_path;
        let fail =
            |e: ort::Error| InferenceError::Run { path: path.clone(), reason: one_line(&e.to_string()) };
        let mut feed: Vec<(&str, SessionInputValue<'_>)> = Vec::with_capacity(self.inputs.len());
        for Buffer { spec, values } in &self.inputs {
            let tensor =
                TensorRef::from_array_view((spec.shape.as_slice(), values.as_slice())).map_err(fail)?;
            feed.push((&spec.name, tensor.into()));
        }
        // ONNX Runtime's arena reuses its output memory; the copy into our buffers ends the loan.
        let results = self.session.run(feed).map_err(fail)?;
        for Buffer { spec, values } in &mut self.outputs {
            let tensor = |found: String| InferenceError::Tensor {
                path: path.clone(),
                side: "output",
                name: spec.name.clone(),
                expected: format!("float32 {:?}", spec.shape),
                found,
            };
            let value = results.get(spec.name.as_str()).ok_or_else(|| tensor("none".to_owned()))?;
            let (shape, data) = value.try_extract_tensor::<f32>().map_err(|e| tensor(e.to_string()))?;
            let same = shape.len() == spec.shape.len()
                && shape.iter().zip(&spec.shape).all(|(&f, &e)| usize::try_from(f).is_ok_and(|f| f == e));
            if !same || data.len() != values.len() {
                return Err(tensor(format!("float32 {:?}", &shape[..])));
            }
            values.copy_from_slice(data);
        }
        Ok(())
    }

    /// Shape and values, row-major, of the output with this role from the last run; both empty when
    /// the model has none.
    pub fn output(&self, role: &str) -> (&[usize], &[f32]) {
        self.outputs.iter().find(|b| b.spec.role == role).map_or((&[], &[]), |b| (&b.spec.shape, &b.values))
    }
}

/// Threads as asked, none of them spinning: a spinning thread takes a core from the other nodes.
fn configure(builder: SessionBuilder, threads: usize) -> Result<SessionBuilder, String> {
    let refused = |e: ort::Error<SessionBuilder>| one_line(&e.to_string());
    let builder = builder.with_intra_threads(threads.max(1)).map_err(refused)?;
    let builder = builder.with_inter_threads(1).map_err(refused)?;
    builder.with_intra_op_spinning(false).map_err(refused)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Lower-case hex.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
