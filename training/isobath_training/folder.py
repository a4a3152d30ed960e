"""Writes a model folder: model.onnx, golden.npz, model.yaml, README.md."""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import onnxruntime


def run(model: bytes, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """All outputs of a model on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def npz(arrays: dict[str, np.ndarray]) -> bytes:
    """A compressed .npz without the time of day in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            data = io.BytesIO()
            np.lib.format.write_array(data, np.ascontiguousarray(array), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data.getvalue(), compresslevel=9)
    return buffer.getvalue()


def yaml(value, depth: int = 0) -> str:
    """Block YAML for mappings, JSON flow (which is YAML) for what is inside lists."""
    lines = []
    for key, item in value.items():
        if isinstance(item, dict) and item:
            lines += [f"{'  ' * depth}{key}:", yaml(item, depth + 1)]
        elif isinstance(item, list) and item and isinstance(item[0], dict):
            lines.append(f"{'  ' * depth}{key}:")
            lines += [f"{'  ' * depth}- {json.dumps(entry)}" for entry in item]
        else:
            lines.append(f"{'  ' * depth}{key}: {json.dumps(item)}")
    return "\n".join(lines)


def write_folder(module: ModuleType, out: Path) -> None:
    """`module` gives build() → Graph, golden_inputs(), MANIFEST, TOLERANCE and CARD."""
    model = module.build().model()
    onnx.checker.check_model(model, full_check=True)
    data = model.SerializeToString(deterministic=True)
    inputs = module.golden_inputs()
    outputs = run(data, inputs)
    manifest = dict(module.MANIFEST)
    manifest["files"] = {
        "fp32": {"path": "model.onnx", "sha256": hashlib.sha256(data).hexdigest(), "ops": "standard"}
    }
    for side, values in (("inputs", model.graph.input), ("outputs", model.graph.output)):
        manifest[side] = [
            {
                "name": v.name,
                "role": v.name,
                "shape": [d.dim_value for d in v.type.tensor_type.shape.dim],
                "dtype": "float32",
            }
            for v in values
        ]
    manifest["golden"] = {
        "path": "golden.npz",
        "tolerance": {"fp32": {provider: module.TOLERANCE for provider in ("cpu", "cuda", "tensorrt")}},
    }
    arrays = {f"input_{n}": a for n, a in inputs.items()} | {f"output_{n}": a for n, a in outputs.items()}
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.onnx").write_bytes(data)
    (out / "golden.npz").write_bytes(npz(arrays))
    (out / "model.yaml").write_text(yaml(manifest) + "\n")
    (out / "README.md").write_text(module.CARD)
