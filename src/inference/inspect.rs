//! What an ONNX file says about itself, read without ONNX Runtime.
//!
//! A reader of the few protobuf fields needed (onnx.proto: `ModelProto.graph` 7 and `opset_import`
//! 8; `GraphProto.node` 1, `initializer` 5, `input` 11, `output` 12). Weights are skipped, not
//! copied; every length is checked against the bytes left.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{InferenceError, Manifest, ModelFolder, TensorSpec, model_file::ModelBytes};

/// Domains whose operators every ONNX Runtime has.
const BUILT_IN_DOMAINS: [&str; 4] = ["", "ai.onnx", "ai.onnx.ml", "com.microsoft"];

/// One graph input or output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TensorSummary {
    /// Name in the graph.
    pub name: String,
    /// Element type, NumPy's word for it.
    pub dtype: String,
    /// Sizes, outermost first; a number, or the name of a free dimension (`?` when unnamed).
    pub shape: Vec<String>,
}

/// What an ONNX file says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OnnxSummary {
    /// Program that wrote it.
    pub producer: String,
    /// ONNX file format version.
    pub ir_version: u64,
    /// Operator set version per domain; the standard domain is `ai.onnx`.
    pub opsets: BTreeMap<String, u64>,
    /// Inputs a caller must give.
    pub inputs: Vec<TensorSummary>,
    /// Outputs in graph order.
    pub outputs: Vec<TensorSummary>,
    /// How often each standard operator occurs.
    pub operators: BTreeMap<String, u64>,
    /// Domains of operators a plain ONNX Runtime does not have.
    pub custom_domains: BTreeSet<String>,
}

/// A model folder with all its files.
#[derive(Clone, Debug, Serialize)]
pub struct FolderSummary {
    /// The folder.
    pub path: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
    /// Per precision, what the ONNX file says; that of an encoder under `<precision>.encoder`.
    pub files: BTreeMap<String, OnnxSummary>,
}

/// Summarises one ONNX file.
pub fn inspect_onnx(path: impl AsRef<Path>) -> Result<OnnxSummary, InferenceError> {
    let path = path.as_ref();
    summarise(ModelBytes::read(path)?.onnx())
        .map_err(|reason| InferenceError::NotOnnx { path: path.to_owned(), reason })
}

/// Summarises a model folder and each ONNX file in it.
pub fn inspect_folder(folder: &ModelFolder) -> Result<FolderSummary, InferenceError> {
    let mut files = BTreeMap::new();
    for (precision, file) in &folder.manifest.files {
        files.insert(precision.to_string(), inspect_onnx(folder.path.join(&file.path))?);
        if let Some(encoder) = &file.encoder {
            files.insert(format!("{precision}.encoder"), inspect_onnx(folder.path.join(&encoder.path))?);
        }
    }
    Ok(FolderSummary { path: folder.path.clone(), manifest: folder.manifest.clone(), files })
}

/// Checks that the model has every tensor of the manifest, with its type and shape.
pub(super) fn compare(
    side: &'static str,
    expected: &[TensorSpec],
    found: &[TensorSummary],
    path: &Path,
) -> Result<(), InferenceError> {
    let wrong = |name: &str, expected: String, found: String| InferenceError::Tensor {
        path: path.to_owned(),
        side,
        name: name.to_owned(),
        expected,
        found,
    };
    for spec in expected {
        let describe = format!("{} {:?}", spec.dtype, spec.shape);
        let Some(tensor) = found.iter().find(|t| t.name == spec.name) else {
            let names: Vec<&str> = found.iter().map(|t| t.name.as_str()).collect();
            return Err(wrong(&spec.name, describe, format!("only tensors {}", names.join(", "))));
        };
        // A free dimension takes any size; the output of a run is checked again. A named one must be free.
        let fits = tensor.shape.len() == spec.shape.len()
            && tensor
                .shape
                .iter()
                .zip(&spec.shape)
                .all(|(f, e)| f.parse::<usize>().map_or(true, |f| *e == f));
        if tensor.dtype != spec.dtype.as_str() || !fits {
            return Err(wrong(
                &spec.name,
                describe,
                format!("{} [{}]", tensor.dtype, tensor.shape.join(", ")),
            ));
        }
    }
    // An input nobody fills would fail on every frame; an extra output costs nothing.
    if side == "input"
        && let Some(extra) = found.iter().find(|t| !expected.iter().any(|e| e.name == t.name))
    {
        return Err(wrong(
            &extra.name,
            "no such input".to_owned(),
            format!("{} [{}]", extra.dtype, extra.shape.join(", ")),
        ));
    }
    Ok(())
}

/// Summarises the bytes of an ONNX file; the error says what is wrong and where.
pub(super) fn summarise(bytes: &[u8]) -> Result<OnnxSummary, String> {
    let mut summary = OnnxSummary::default();
    let mut has_graph = false;
    for field in Fields(bytes) {
        match field? {
            (1, Value::Number(n)) => summary.ir_version = n,
            (2, Value::Bytes(b)) => text(b)?.clone_into(&mut summary.producer),
            (7, Value::Bytes(b)) => {
                read_graph(b, &mut summary)?;
                has_graph = true;
            }
            (8, Value::Bytes(b)) => {
                let (mut domain, mut version) = ("", 0);
                for field in Fields(b) {
                    match field? {
                        (1, Value::Bytes(b)) => domain = text(b)?,
                        (2, Value::Number(n)) => version = n,
                        _ => {}
                    }
                }
                let domain = if domain.is_empty() { "ai.onnx" } else { domain };
                summary.opsets.insert(domain.to_owned(), version);
            }
            _ => {}
        }
    }
    if !has_graph || summary.opsets.is_empty() {
        return Err("no graph with an operator set".to_owned());
    }
    Ok(summary)
}

fn read_graph(bytes: &[u8], summary: &mut OnnxSummary) -> Result<(), String> {
    let mut initializers = BTreeSet::new();
    for field in Fields(bytes) {
        match field? {
            (1, Value::Bytes(b)) => {
                let (mut operator, mut domain) = ("", "");
                for field in Fields(b) {
                    match field? {
                        (4, Value::Bytes(b)) => operator = text(b)?,
                        (7, Value::Bytes(b)) => domain = text(b)?,
                        _ => {}
                    }
                }
                *summary.operators.entry(operator.to_owned()).or_default() += 1;
                if !BUILT_IN_DOMAINS.contains(&domain) {
                    summary.custom_domains.insert(domain.to_owned());
                }
            }
            (5, Value::Bytes(b)) => {
                for field in Fields(b) {
                    if let (8, Value::Bytes(b)) = field? {
                        initializers.insert(text(b)?);
                    }
                }
            }
            (11, Value::Bytes(b)) => summary.inputs.push(read_tensor(b)?),
            (12, Value::Bytes(b)) => summary.outputs.push(read_tensor(b)?),
            _ => {}
        }
    }
    // Old exporters list weights among the inputs.
    summary.inputs.retain(|t| !initializers.contains(t.name.as_str()));
    Ok(())
}

/// `ValueInfoProto`: name 1, type 2 → `tensor_type` 1 → `elem_type` 1, shape 2 → dim 1.
fn read_tensor(bytes: &[u8]) -> Result<TensorSummary, String> {
    let mut tensor = TensorSummary { name: String::new(), dtype: "unknown".to_owned(), shape: Vec::new() };
    for field in Fields(bytes) {
        match field? {
            (1, Value::Bytes(b)) => text(b)?.clone_into(&mut tensor.name),
            (2, Value::Bytes(b)) => {
                for field in Fields(b) {
                    if let (1, Value::Bytes(b)) = field? {
                        read_tensor_type(b, &mut tensor)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(tensor)
}

fn read_tensor_type(bytes: &[u8], tensor: &mut TensorSummary) -> Result<(), String> {
    for field in Fields(bytes) {
        match field? {
            (1, Value::Number(n)) => element_type(n).clone_into(&mut tensor.dtype),
            (2, Value::Bytes(b)) => {
                for field in Fields(b) {
                    let (1, Value::Bytes(b)) = field? else { continue };
                    let mut size = "?".to_owned();
                    for field in Fields(b) {
                        match field? {
                            (1, Value::Number(n)) => size = n.to_string(),
                            (2, Value::Bytes(b)) if !b.is_empty() => text(b)?.clone_into(&mut size),
                            _ => {}
                        }
                    }
                    tensor.shape.push(size);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// `TensorProto.DataType` as NumPy says it.
fn element_type(number: u64) -> &'static str {
    match number {
        1 => "float32",
        2 => "uint8",
        3 => "int8",
        4 => "uint16",
        5 => "int16",
        6 => "int32",
        7 => "int64",
        8 => "string",
        9 => "bool",
        10 => "float16",
        11 => "float64",
        12 => "uint32",
        13 => "uint64",
        16 => "bfloat16",
        _ => "unknown",
    }
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|_| "a name that is not UTF-8".to_owned())
}

/// A protobuf value; fixed-width values are skipped because no field here uses them.
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Skipped,
}

/// The fields of one protobuf message; ends after the first error.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or("a number cut off")?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number of more than 64 bits".to_owned())
    }

    fn take(&mut self, count: u64) -> Result<&'a [u8], String> {
        let left = self.0.len();
        let parts = usize::try_from(count).ok().and_then(|n| self.0.split_at_checked(n));
        let (taken, rest) = parts.ok_or_else(|| format!("a field of {count} bytes where {left} are left"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn field(&mut self) -> Result<(u64, Value<'a>), String> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Number(self.varint()?),
            1 => self.take(8).map(|_| Value::Skipped)?,
            2 => {
                let count = self.varint()?;
                Value::Bytes(self.take(count)?)
            }
            5 => self.take(4).map(|_| Value::Skipped)?,
            other => return Err(format!("wire type {other}")),
        };
        Ok((tag >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}
