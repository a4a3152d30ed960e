//! What the facts about a model mean: whether its files work here, and which of them runs, and why.

use super::facts::CpuFacts;
use super::findings::Finding;
use super::models::{ModelFacts, Outcome};
use crate::inference::{Precision, Provider};

/// Whether its files work, and which of them runs.
pub(super) fn judge(model: &ModelFacts, cpu: &CpuFacts) -> Finding {
    const SUBJECT: &str = "model";
    const ADVICE: &str = "get the folder again, or export the model again on this machine";
    let name = &model.name;
    if let Some(error) = &model.error {
        return Finding::error(SUBJECT, format!("{name}: {error}"), ADVICE);
    }
    let failed = |on_cpu: bool| {
        model.files.iter().find_map(|file| match &file.outcome {
            Outcome::Failed(why) if (file.provider == Provider::Cpu.as_str()) == on_cpu => {
                Some(format!("{name}: {} on {}: {why}", file.precision, file.provider))
            }
            _ => None,
        })
    };
    if let Some(text) = failed(true) {
        return Finding::error(SUBJECT, text, ADVICE);
    }
    if let Some(text) = failed(false) {
        let advice = "install the provider's own libraries (CUDA, cuDNN), or keep provider: cpu";
        return Finding::warning(SUBJECT, text, advice);
    }
    let passed: Vec<String> = model
        .files
        .iter()
        .filter_map(|file| match &file.outcome {
            Outcome::Passed { load_ms } => {
                Some(format!("{} on {} ({load_ms} ms to load)", file.precision, file.provider))
            }
            _ => None,
        })
        .collect();
    if passed.is_empty() {
        let advice = "install ONNX Runtime, or look at `isobath inspect` for what it is made for";
        return Finding::warning(SUBJECT, format!("{name}: none of its files could be tried here"), advice);
    }
    let runs =
        model.auto.map_or_else(String::new, |precision| format!("; {}", chosen(precision, model, cpu)));
    Finding::ok(SUBJECT, format!("{name}: checksum and golden output pass: {}{runs}", passed.join(", ")))
}

/// What `precision: auto` comes to on this CPU, and why.
fn chosen(precision: Precision, model: &ModelFacts, cpu: &CpuFacts) -> String {
    let has = |precision: Precision| model.files.iter().any(|file| file.precision == precision.as_str());
    let no_8_bits = !has(Precision::Int8) && !has(Precision::SparseInt8);
    let why = match precision {
        Precision::SparseInt8 => {
            format!(
                "8-bit integers of active cells alone are the least work, by the {} kernels",
                cpu.sparse_int8
            )
        }
        Precision::SparseFp32 => {
            format!("floats of active cells alone, by the {} kernels; it has no 8-bit file", cpu.sparse_f32)
        }
        Precision::Int8 => "8-bit integers, by ONNX Runtime, are faster than floats".to_owned(),
        _ if no_8_bits => "it has no 8-bit file".to_owned(),
        _ => "the first of its files that CPUs run".to_owned(),
    };
    format!("precision auto runs {precision} on the CPU: {why}")
}
