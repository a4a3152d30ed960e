//! A model ready to run: its tensors checked, its golden output met.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use ort::{
    session::{Session, SessionInputValue, builder::SessionBuilder},
    value::DynValue,
};
use sha2::{Digest, Sha256};

use super::{
    InferenceError, LibraryInfo, Manifest, ModelFolder, OperatorSet, Precision, Provider, TensorSpec,
    cache_folder,
    engine_cache::{EngineCache, EngineKey},
    folder::ModelPart,
    golden,
    gpu::{gpu_name, tensorrt_version},
    inspect,
    library::{environment, load_library},
    model_file::ModelBytes,
    progress::with_progress,
    shape_profile::ShapeProfile,
    sparse,
    tensor_buffer::InputBuffer,
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

/// An output with what the last run gave: ONNX Runtime's own memory, which its arena uses again.
struct Output {
    spec: TensorSpec,
    /// Sizes expected of the next run.
    shape: Vec<usize>,
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
    inputs: Vec<InputBuffer>,
    outputs: Vec<Output>,
    load_s: f64,
}

impl ModelSession {
    /// Opens the folder's model: checksum, tensor names, types and shapes, then the golden output.
    ///
    /// The bytes that were checksummed are the bytes that run. Of a model in two files this is the second;
    /// [`Self::open_encoder`] opens the first.
    pub fn open(folder: &ModelFolder, options: &SessionOptions) -> Result<Self, InferenceError> {
        let precision = folder.resolve_precision(options.precision, options.provider)?;
        Self::open_part(folder, &folder.part(precision)?, precision, options)
    }

    /// Opens the encoder of a model in two files, as [`Self::open`] does the other; an error when the model
    /// has none.
    pub fn open_encoder(folder: &ModelFolder, options: &SessionOptions) -> Result<Self, InferenceError> {
        let precision = folder.resolve_precision(options.precision, options.provider)?;
        Self::open_part(folder, &folder.encoder_part(precision)?, precision, options)
    }

    fn open_part(
        folder: &ModelFolder,
        part: &ModelPart<'_>,
        precision: Precision,
        options: &SessionOptions,
    ) -> Result<Self, InferenceError> {
        let start = Instant::now();
        let ModelPart { path: model_path, file, inputs, outputs } = part;
        let bytes = ModelBytes::read(model_path)?;
        let found = sha256_hex(bytes.stored());
        if !found.eq_ignore_ascii_case(&file.sha256) {
            let (path, expected) = (model_path.clone(), file.sha256.clone());
            return Err(InferenceError::Checksum { path, expected, found });
        }
        let summary = inspect::summarise(bytes.onnx())
            .map_err(|reason| InferenceError::NotOnnx { path: model_path.clone(), reason })?;
        let manifest = &folder.manifest;
        inspect::compare("input", inputs, &summary.inputs, model_path)?;
        inspect::compare("output", outputs, &summary.outputs, model_path)?;

        let session = start_session(bytes.onnx(), &found, precision, options, folder, part)?;
        let mut this = Self {
            manifest: manifest.clone(),
            model_path: model_path.clone(),
            precision,
            provider: options.provider,
            session,
            inputs: inputs
                .iter()
                .map(|spec| InputBuffer::zeros(spec, spec.rows().map_or(1, |rows| manifest.max_rows(rows))))
                .collect(),
            outputs: outputs
                .iter()
                .map(|spec| Output { spec: spec.clone(), shape: spec.sizes(1), value: None })
                .collect(),
            load_s: 0.0,
        };
        golden::check(&mut this, folder)?;
        for input in &mut this.inputs {
            input.clear();
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

    /// The float32 input with this role, row-major; empty when the model has none or one of integers.
    ///
    /// Values stay between runs, so a caller may clear only what it wrote.
    pub fn input_mut(&mut self, role: &str) -> &mut [f32] {
        self.inputs.iter_mut().find(|b| b.spec.role == role).map_or(&mut [], InputBuffer::floats_mut)
    }

    /// Writes whole numbers to the input with this role, in the type that it has. Fails when the model has no
    /// such input or one of another number of values.
    pub fn set_integers(&mut self, role: &str, values: &[i32]) -> Result<(), InferenceError> {
        let expected = match self.inputs.iter_mut().find(|b| b.spec.role == role) {
            Some(input) => match input.set_integers(values) {
                Ok(()) => return Ok(()),
                Err(expected) => expected,
            },
            None => 0,
        };
        Err(InferenceError::InputLength {
            path: self.model_path.clone(),
            role: role.to_owned(),
            expected,
            found: values.len(),
        })
    }

    /// Sets how many `rows`, such as `pillars`, the inputs have from the next run on, and the outputs with
    /// them. Fails unless there are one to the `max_rows` of the manifest.
    ///
    /// Rows keep what was last written to them; memory grows to the most rows seen.
    pub fn set_rows(&mut self, rows: &str, count: usize) -> Result<(), InferenceError> {
        let most = self.manifest.max_rows(rows);
        if count == 0 || count > most {
            return Err(InferenceError::Rows {
                path: self.model_path.clone(),
                rows: rows.to_owned(),
                most,
                found: count,
            });
        }
        self.inputs.iter_mut().filter(|b| b.spec.rows() == Some(rows)).for_each(|b| b.set_rows(count));
        for Output { spec, shape, value } in &mut self.outputs {
            if spec.rows() == Some(rows)
                && let Some(outermost) = shape.first_mut()
            {
                *outermost = count;
                // What the last run gave has another number of rows.
                *value = None;
            }
        }
        Ok(())
    }

    /// Whether the model has an input with this role.
    pub fn has_input(&self, role: &str) -> bool {
        self.inputs.iter().any(|input| input.spec.role == role)
    }

    /// The input tensors of this file.
    pub(super) fn input_specs(&self) -> impl Iterator<Item = &TensorSpec> {
        self.inputs.iter().map(|input| &input.spec)
    }

    /// The output tensors of this file.
    pub(super) fn output_specs(&self) -> impl Iterator<Item = &TensorSpec> {
        self.outputs.iter().map(|output| &output.spec)
    }

    /// Runs the model on the inputs as they are now.
    pub fn run(&mut self) -> Result<(), InferenceError> {
        let path = &self.model_path;
        let fail =
            |e: ort::Error| InferenceError::Run { path: path.clone(), reason: one_line(&e.to_string()) };
        let mut feed: Vec<(&str, SessionInputValue<'_>)> = Vec::with_capacity(self.inputs.len());
        for input in &self.inputs {
            feed.push((&input.spec.name, input.view().map_err(fail)?));
        }
        let mut results = self.session.run(feed).map_err(fail)?;
        for Output { spec, shape: expected, value } in &mut self.outputs {
            let tensor = |found: String| InferenceError::Tensor {
                path: path.clone(),
                side: "output",
                name: spec.name.clone(),
                expected: format!("float32 {expected:?}"),
                found,
            };
            let result = results.remove(spec.name.as_str()).ok_or_else(|| tensor("none".to_owned()))?;
            let (shape, data) = result.try_extract_tensor::<f32>().map_err(|e| tensor(e.to_string()))?;
            let same = shape.len() == expected.len()
                && shape.iter().zip(expected.iter()).all(|(&f, &e)| usize::try_from(f).is_ok_and(|f| f == e));
            if !same || data.len() != expected.iter().product::<usize>() {
                return Err(tensor(format!("float32 {:?}", &shape[..])));
            }
            *value = Some(result);
        }
        Ok(())
    }

    /// Shape and values, row-major, of the output with this role from the last run; both empty when
    /// the model has none, or when the number of its rows was set since.
    pub fn output(&self, role: &str) -> (&[usize], &[f32]) {
        let output = self.outputs.iter().find(|output| output.spec.role == role);
        let values = output.and_then(|output| output.value.as_ref()?.try_extract_tensor::<f32>().ok());
        match (output, values) {
            (Some(output), Some((_, values))) => (&output.shape, values),
            _ => (&[], &[]),
        }
    }
}

/// Makes the session on the provider asked for, or says why not.
fn start_session(
    bytes: &[u8],
    sha256: &str,
    precision: Precision,
    options: &SessionOptions,
    folder: &ModelFolder,
    part: &ModelPart<'_>,
) -> Result<Session, InferenceError> {
    let ModelPart { path: model_path, file, inputs, .. } = part;
    let operators = file.ops;
    let library = load_library(None)?;
    let provider = options.provider;
    let unavailable =
        |reason: String| InferenceError::ProviderUnavailable { path: model_path.clone(), provider, reason };
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
            path: model_path.clone(),
            provider,
            library: library.path,
            version: library.version,
            built_with: built_with.join(" and "),
        });
    }
    let fail = |reason: String| InferenceError::Session { path: model_path.clone(), reason };
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
    let profile = ShapeProfile::of(inputs, |rows| folder.manifest.max_rows(rows));
    let dispatch = provider.dispatch(precision, engines.as_ref().map(EngineCache::folder), profile.as_ref());
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
