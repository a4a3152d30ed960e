//! A model ready to run: its tensors checked, its golden output met.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use ort::{
    session::{Session, SessionInputValue, builder::SessionBuilder},
    value::{DynValue, TensorRef},
};
use sha2::{Digest, Sha256};

use super::{
    InferenceError, LibraryInfo, Manifest, ModelFolder, OperatorSet, Precision, Provider, TensorSpec,
    cache_folder,
    engine_cache::{EngineCache, EngineKey},
    golden,
    gpu::{gpu_name, tensorrt_version},
    inspect,
    library::{environment, load_library},
    progress::with_progress,
    sparse,
};

/// Time between two signs of life while an engine is built.
const REPORT_INTERVAL: Duration = Duration::from_secs(5);

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

/// An input with the buffer that lives as long as the session.
struct Input {
    spec: TensorSpec,
    values: Vec<f32>,
}

impl Input {
    fn zeros(spec: &TensorSpec) -> Self {
        Self { spec: spec.clone(), values: vec![0.0; spec.len()] }
    }
}

/// An output with what the last run gave: ONNX Runtime's own memory, which its arena uses again.
struct Output {
    spec: TensorSpec,
    value: Option<DynValue>,
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
    inputs: Vec<Input>,
    outputs: Vec<Output>,
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

        let session = start_session(&bytes, &found, precision, file.ops, options, folder, &model_path)?;
        let mut this = Self {
            manifest: manifest.clone(),
            model_path,
            precision,
            provider: options.provider,
            session,
            inputs: manifest.inputs.iter().map(Input::zeros).collect(),
            outputs: manifest.outputs.iter().map(|spec| Output { spec: spec.clone(), value: None }).collect(),
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
    pub fn model_path(&self) -> &Path {
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
        for Input { spec, values } in &self.inputs {
            let tensor =
                TensorRef::from_array_view((spec.shape.as_slice(), values.as_slice())).map_err(fail)?;
            feed.push((&spec.name, tensor.into()));
        }
        let mut results = self.session.run(feed).map_err(fail)?;
        for Output { spec, value } in &mut self.outputs {
            let tensor = |found: String| InferenceError::Tensor {
                path: path.clone(),
                side: "output",
                name: spec.name.clone(),
                expected: format!("float32 {:?}", spec.shape),
                found,
            };
            let result = results.remove(spec.name.as_str()).ok_or_else(|| tensor("none".to_owned()))?;
            let (shape, data) = result.try_extract_tensor::<f32>().map_err(|e| tensor(e.to_string()))?;
            let same = shape.len() == spec.shape.len()
                && shape.iter().zip(&spec.shape).all(|(&f, &e)| usize::try_from(f).is_ok_and(|f| f == e));
            if !same || data.len() != spec.len() {
                return Err(tensor(format!("float32 {:?}", &shape[..])));
            }
            *value = Some(result);
        }
        Ok(())
    }

    /// Shape and values, row-major, of the output with this role from the last run; both empty when
    /// the model has none.
    pub fn output(&self, role: &str) -> (&[usize], &[f32]) {
        let output = self.outputs.iter().find(|output| output.spec.role == role);
        let values = output.and_then(|output| output.value.as_ref()?.try_extract_tensor::<f32>().ok());
        match (output, values) {
            (Some(output), Some((_, values))) => (&output.spec.shape, values),
            _ => (&[], &[]),
        }
    }
}

/// Makes the session on the provider asked for, or says why not.
fn start_session(
    bytes: &[u8],
    sha256: &str,
    precision: Precision,
    operators: OperatorSet,
    options: &SessionOptions,
    folder: &ModelFolder,
    model_path: &Path,
) -> Result<Session, InferenceError> {
    let library = load_library(None)?;
    let provider = options.provider;
    let unavailable = |reason: String| InferenceError::ProviderUnavailable {
        path: model_path.to_owned(),
        provider,
        reason,
    };
    if operators == OperatorSet::Isobath && provider != Provider::Cpu {
        return Err(unavailable("operators of ai.isobath, which run on the CPU alone".to_owned()));
    }
    if !provider.is_built_in()? {
        let mut built_with = Vec::new();
        for other in Provider::ALL {
            if other.is_built_in()? {
                built_with.push(other.as_str());
            }
        }
        return Err(InferenceError::ProviderNotBuiltIn {
            path: model_path.to_owned(),
            provider,
            library: library.path,
            version: library.version,
            built_with: built_with.join(" and "),
        });
    }
    let fail = |reason: String| InferenceError::Session { path: model_path.to_owned(), reason };
    let builder = Session::builder(&environment()?).map_err(|e| fail(e.to_string()))?;
    let mut builder = configure(builder, options.threads).map_err(fail)?;
    if operators == OperatorSet::Isobath {
        let operators = sparse::operators().map_err(|e| fail(one_line(&e.to_string())))?;
        builder = builder.with_operators(operators).map_err(|e| fail(one_line(&e.to_string())))?;
    }
    if provider == Provider::Cpu {
        return builder.commit_from_memory(bytes).map_err(|e| fail(one_line(&e.to_string())));
    }

    // Nodes that the device cannot run would be computed by the CPU, unasked and many times slower.
    builder = builder.with_disable_cpu_fallback().map_err(|e| unavailable(one_line(&e.to_string())))?;
    let engines = match provider {
        Provider::TensorRt => engine_cache(&library, sha256, precision),
        Provider::Cpu | Provider::Cuda => None,
    };
    let dispatch = provider.dispatch(precision, engines.as_ref().map(EngineCache::folder));
    builder =
        builder.with_execution_providers(dispatch).map_err(|e| unavailable(one_line(&e.to_string())))?;
    let mut commit = || builder.commit_from_memory(bytes).map_err(|e| unavailable(one_line(&e.to_string())));
    if provider != Provider::TensorRt || engines.as_ref().is_some_and(EngineCache::holds_engine) {
        return commit();
    }
    let gpu = gpu_name().unwrap_or_else(|| "an unknown GPU".to_owned());
    let what = format!("building the TensorRT engine for {} on {gpu}", folder.name());
    let session = with_progress(&what, REPORT_INTERVAL, |line| tracing::info!("{line}"), commit)?;
    if let Some(Err(error)) = engines.map(|engines| engines.finish()) {
        tracing::warn!("the TensorRT engine will be built again next time: {error}");
    }
    Ok(session)
}

/// Where the engine for this model on this machine is kept; none where what it depends on is not known,
/// because an engine of another GPU or TensorRT must never be loaded.
fn engine_cache(library: &LibraryInfo, model_sha256: &str, precision: Precision) -> Option<EngineCache> {
    let without = |why: &str| tracing::warn!("TensorRT engines are not kept between runs: {why}");
    let provider = fs::canonicalize(&library.path)
        .unwrap_or_else(|_| library.path.clone())
        .with_file_name("libonnxruntime_providers_tensorrt.so");
    let (Some(gpu), Some(tensorrt)) = (gpu_name(), tensorrt_version(&provider)) else {
        without("the GPU or the version of TensorRT is not known");
        return None;
    };
    let Some(cache) = cache_folder() else {
        without("neither XDG_CACHE_HOME nor HOME is set");
        return None;
    };
    let key =
        EngineKey { model_sha256, precision, gpu: &gpu, tensorrt: &tensorrt, onnxruntime: &library.version };
    let wait = || tracing::info!("waiting for another process that builds the same TensorRT engine");
    EngineCache::open(&cache.join("tensorrt"), &key, wait).map_err(|error| without(&error.to_string())).ok()
}

/// Threads as asked, none of them spinning: a spinning thread takes a core from the other nodes.
fn configure(builder: SessionBuilder, threads: usize) -> Result<SessionBuilder, String> {
    let refused = |e: ort::Error<SessionBuilder>| one_line(&e.to_string());
    let builder = builder.with_intra_threads(threads.max(1)).map_err(refused)?;
    let builder = builder.with_inter_threads(1).map_err(refused)?;
    builder.with_intra_op_spinning(false).map_err(refused)
}

/// What ONNX Runtime says, in one line and without the place in its source and its error code.
pub(super) fn one_line(text: &str) -> String {
    let reason = text.split_once("[ONNXRuntimeError] : ").map_or(text, |(_, rest)| {
        // A number, a name, then the sentence.
        rest.splitn(3, " : ").nth(2).unwrap_or(rest)
    });
    reason.split_whitespace().collect::<Vec<_>>().join(" ")
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
