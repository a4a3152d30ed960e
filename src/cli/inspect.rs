//! `isobath inspect`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::output::print;
use super::table::Table;
use super::{Failure, Status, unpack_progress};
use crate::bag::{self, Bag, BagError, BagReport, ReadFilter};
use crate::inference::{
    FolderSummary, ModelFolder, OnnxSummary, PriorEncoding, TensorSummary, inspect_folder, inspect_onnx,
};
use crate::message::Stamp;

/// What it shows, said wherever something else was given.
const EXPECTED: &str = "expected a rosbag2 folder, an .mcap or .db3 file (or with .zstd), a model folder or an .onnx file (or with .zst)";

#[derive(Args)]
pub(super) struct InspectArguments {
    /// A bag (folder, .mcap or .db3), a model folder or an ONNX file
    path: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What a path turned out to be, summarised.
enum Subject {
    /// With what is wrong behind the readable part.
    Bag(BagReport, Option<BagError>),
    Model(Box<FolderSummary>),
    Onnx(OnnxSummary),
}

pub(super) fn run(arguments: &InspectArguments) -> Result<Status, Failure> {
    let path = &arguments.path;
    let subject = examine(path)?;
    print(&if arguments.json { to_json(path, &subject)? + "\n" } else { to_text(path, &subject) })?;
    if let Subject::Bag(_, Some(damage)) = subject {
        eprintln!("isobath: part of the bag cannot be read: {damage}");
        return Ok(Status::PartlyDecoded);
    }
    Ok(Status::Fine)
}

fn examine(path: &Path) -> Result<Subject, Failure> {
    let input = |error: &dyn std::error::Error| Failure::Input(error.to_string());
    if !path.exists() {
        return Err(Failure::Input(format!("{}: no such file or folder; {EXPECTED}", path.display())));
    }
    if path.is_file() && is_onnx(path) {
        return inspect_onnx(path).map(Subject::Onnx).map_err(|e| input(&e));
    }
    if path.join("model.yaml").is_file() || (path.is_dir() && holds(path, "onnx")) {
        let folder = ModelFolder::open(path).map_err(|e| input(&e))?;
        return inspect_folder(&folder).map(Box::new).map(Subject::Model).map_err(|e| input(&e));
    }
    let bag = Bag::open_watched(path, Some(unpack_progress::watch())).map_err(|error| match error {
        BagError::NoStorage { .. } => Failure::Input(format!("{}: {EXPECTED}, found none", path.display())),
        BagError::UnknownStorage { found, .. } => {
            Failure::Input(format!("{}: {EXPECTED}, found {found}", path.display()))
        }
        other => other.into(),
    })?;
    // Nothing lies behind the last readable message but the damage that ended the reading.
    let behind =
        ReadFilter { start: Some(Stamp(bag.info().end.0.saturating_add(1))), ..ReadFilter::default() };
    let damage = bag.messages(&behind)?.find_map(Result::err);
    Ok(Subject::Bag(bag::inspect(&bag)?, damage))
}

/// Whether a file is called a network, perhaps a compressed one.
fn is_onnx(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    [".onnx", ".onnx.zst"].iter().any(|ending| name.ends_with(ending))
}

fn holds(folder: &Path, extension: &str) -> bool {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| entry.path().extension().is_some_and(|found| found == extension))
}

fn to_json(path: &Path, subject: &Subject) -> Result<String, Failure> {
    let value = match subject {
        Subject::Bag(report, damage) => serde_json::to_value(report).map(|mut value| {
            if let (Some(damage), Some(object)) = (damage, value.as_object_mut()) {
                object.insert("damage".to_owned(), damage.to_string().into());
            }
            value
        }),
        Subject::Model(summary) => Ok(json!({
            "path": summary.path,
            "tensors": { "inputs": summary.manifest.inputs, "outputs": summary.manifest.outputs },
            "manifest": summary.manifest,
            "custom_ops": custom_ops(summary.files.values()),
            "files": summary.files,
        })),
        Subject::Onnx(summary) => Ok(json!({
            "path": path,
            "tensors": { "inputs": summary.inputs, "outputs": summary.outputs },
            "custom_ops": summary.custom_domains,
            "producer": summary.producer,
            "ir_version": summary.ir_version,
            "opsets": summary.opsets,
            "operators": summary.operators,
        })),
    };
    value
        .and_then(|value| serde_json::to_string_pretty(&value))
        .map_err(|error| Failure::Input(format!("{}: cannot be written as JSON: {error}", path.display())))
}

/// Operator domains that need more than a plain ONNX Runtime.
fn custom_ops<'a>(files: impl Iterator<Item = &'a OnnxSummary>) -> BTreeSet<&'a str> {
    files.flat_map(|file| &file.custom_domains).map(String::as_str).collect()
}

fn to_text(path: &Path, subject: &Subject) -> String {
    match subject {
        Subject::Bag(report, _) => bag_text(path, report),
        Subject::Model(summary) => model_text(summary),
        Subject::Onnx(summary) => onnx_text(path, summary),
    }
}

fn bag_text(path: &Path, report: &BagReport) -> String {
    let mut topics = Table::new(["topic", "type", "count", "rate Hz"]).right([2, 3]);
    for topic in &report.topics {
        topics.row([
            topic.name.clone(),
            topic.type_name.clone(),
            topic.count.to_string(),
            topic.rate_hz.map_or("-".to_owned(), |rate| format!("{rate:.2}")),
        ]);
    }
    format!(
        "{}: {} bag, compression {}, {} messages, {:.2} s from {}\n\n{topics}",
        path.display(),
        report.storage,
        report.compression,
        report.messages,
        report.duration_s,
        report.start,
    )
}

fn model_text(summary: &FolderSummary) -> String {
    let manifest = &summary.manifest;
    let mut tensors = Table::new(["", "role", "tensor", "type", "shape"]);
    let encoder = manifest.encoder.iter();
    let encoder = encoder.flat_map(|e| [("encoder input", &e.inputs), ("encoder output", &e.outputs)]);
    for (side, specs) in encoder.chain([("input", &manifest.inputs), ("output", &manifest.outputs)]) {
        for spec in specs {
            let shape: Vec<String> = spec.shape.iter().map(ToString::to_string).collect();
            tensors.row([
                side.to_owned(),
                spec.role.clone(),
                spec.name.clone(),
                spec.dtype.to_string(),
                shape.join(" × "),
            ]);
        }
    }
    let mut files = Table::new(["precision", "file", "opset", "nodes", "custom operators"]).right([2, 3]);
    let named = manifest.files.iter().flat_map(|(precision, file)| {
        let encoder = file.encoder.as_deref().map(|encoder| (format!("{precision}.encoder"), encoder));
        encoder.into_iter().chain([(precision.to_string(), file)])
    });
    for (name, file) in named {
        let onnx = summary.files.get(&name);
        let opset = onnx.and_then(|onnx| onnx.opsets.get("ai.onnx"));
        files.row([
            name,
            file.path.clone(),
            opset.map_or("-".to_owned(), ToString::to_string),
            onnx.map_or("-".to_owned(), |onnx| onnx.operators.values().sum::<u64>().to_string()),
            or_none(&custom_ops(onnx.into_iter())),
        ]);
    }
    let mut facts = Table::new(["", ""]);
    let kind = match manifest.kind {
        crate::inference::ModelKind::Depth => "depth",
        crate::inference::ModelKind::Detection => "detection",
    };
    for (name, value) in [
        ("kind", kind),
        ("architecture", manifest.architecture.as_str()),
        ("licence", manifest.licence.as_str()),
        ("training data", manifest.training_data.as_str()),
    ] {
        facts.row([name.to_owned(), value.to_owned()]);
    }
    if let Some(depth) = &manifest.depth {
        facts.row(["depth".to_owned(), format!("{} to {} m", depth.min_m, depth.max_m)]);
        let prior = match (depth.uses_prior, depth.prior) {
            (false, _) => "not used",
            (true, PriorEncoding::Discs) => "discs",
            (true, PriorEncoding::Footprints) => "footprints",
        };
        facts.row(["radar prior".to_owned(), prior.to_owned()]);
    }
    if let Some(detection) = &manifest.detection {
        facts.row(["classes".to_owned(), detection.classes.join(", ")]);
        facts.row(["range".to_owned(), format!("{:?} m", detection.range)]);
    }
    for (name, value) in &manifest.measured {
        facts.row([name.clone(), value.to_string()]);
    }
    format!("{}: model folder\n\n{facts}\n{tensors}\n{files}", summary.path.display())
}

fn onnx_text(path: &Path, summary: &OnnxSummary) -> String {
    let mut tensors = Table::new(["", "tensor", "type", "shape"]);
    for (side, found) in [("input", &summary.inputs), ("output", &summary.outputs)] {
        for TensorSummary { name, dtype, shape } in found {
            tensors.row([side.to_owned(), name.clone(), dtype.clone(), shape.join(" × ")]);
        }
    }
    let mut operators = Table::new(["operator", "nodes"]).right([1]);
    for (operator, count) in &summary.operators {
        operators.row([operator.clone(), count.to_string()]);
    }
    let opsets: Vec<String> =
        summary.opsets.iter().map(|(domain, version)| format!("{domain} {version}")).collect();
    format!(
        "{}: ONNX file by {}, format {}, operator sets {}\ncustom operators: {}\n\n{tensors}\n{operators}",
        path.display(),
        if summary.producer.is_empty() { "an unnamed program" } else { &summary.producer },
        summary.ir_version,
        opsets.join(", "),
        or_none(&summary.custom_domains.iter().map(String::as_str).collect()),
    )
}

fn or_none(names: &BTreeSet<&str>) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().copied().collect::<Vec<_>>().join(", ")
}
