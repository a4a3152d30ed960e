"""Writes a model folder: model.onnx, golden.npz, model.yaml, README.md."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from .graph import SPARSE_DOMAIN

# Sums of two machines differ in their last bits: where that turns a byte into the next, the outputs around show it.
# How much is tried with features that are off by this share, so often; twice that is allowed for a single value and for
# the mean of all, and never less than these. One byte that turns shows all there is to see; off by less, at times none
# did.
OFF, TRIALS = 1e-4, 4
LEAST_TOLERANCE, LEAST_MEAN = 0.05, 0.001


def run(model: bytes, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """All outputs of a model on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def allowed(
    expected: dict[str, np.ndarray], outputs: Callable[[np.ndarray], dict[str, np.ndarray]], features: np.ndarray
) -> dict[str, float]:
    """What the outputs of a network of integers for `features` may differ by on another machine, where sums of floats
    differ in their last bits and bytes in one."""
    random = np.random.default_rng(0)
    most = mean = 0.0
    for _ in range(TRIALS):
        off = 1 + OFF * random.uniform(-1, 1, features.shape)
        for name, value in outputs((features * off).astype(np.float32)).items():
            difference = np.abs(value - expected[name])
            mean = max(mean, float(difference.mean()))
            # A part of the difference is relative, as the runtime counts it.
            most = max(most, float((difference - LEAST_TOLERANCE * np.abs(expected[name])).max()))
    return {
        "abs": round(max(2 * most, LEAST_TOLERANCE), 3), "rel": LEAST_TOLERANCE,
        "mean": round(max(2 * mean, LEAST_MEAN), 4),
    }  # fmt: skip


def to_11_bits(array: np.ndarray) -> np.ndarray:
    """The nearest of the float32 whose last 13 bits are zero."""
    bits = np.ascontiguousarray(array, np.float32).view(np.uint32)
    return ((bits + np.uint32(1 << 12)) & np.uint32(0xFFFFE000)).view(np.float32)


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


@dataclass(frozen=True)
class Folder:
    """What a model folder holds."""

    # Precision → the network; all have the same inputs and outputs.
    models: dict[str, onnx.ModelProto]
    golden_inputs: dict[str, np.ndarray]
    manifest: dict
    # Precision → what an output may differ from the golden one, which the first precision gives.
    tolerance: dict[str, dict[str, float]]
    card: str
    # Most rows of the sizes that are words in the networks.
    max_rows: dict[str, int] = field(default_factory=dict)
    # Precisions of integers, which are held to golden outputs of their own.
    own: tuple[str, ...] = ()
    # Whether golden outputs are kept to 11 bits, within any tolerance: maps of a whole grid take half the space.
    coarse: bool = False
    # Whether the networks are compressed with zstd, which the runtime reads as it reads others.
    compressed: bool = False


# Of zstd: short codes for frequent bytes. Higher levels look for repetitions, of which weights have none.
LEVEL = 1


def file_name(precision: str, compressed: bool = False) -> str:
    name = "model.onnx" if precision == "fp32" else f"model_{precision}.onnx"
    return f"{name}.zst" if compressed else name


def compress(data: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(level=LEVEL).compress(data)


def operators(model: onnx.ModelProto) -> str:
    """Whose operators a network is made of."""
    return SPARSE_DOMAIN if any(node.domain == SPARSE_DOMAIN for node in model.graph.node) else "standard"


def shape(value: onnx.ValueInfoProto, golden: np.ndarray, free: dict[str, int]) -> list[int | str]:
    """Of the golden array, with the words of the network for those of its sizes that stay free."""
    dims = value.type.tensor_type.shape.dim
    return [d.dim_param if d.dim_param in free else n for d, n in zip(dims, golden.shape, strict=True)]


def write_folder(folder: Folder, out: Path) -> None:
    """Writes the files of `folder` into `out`."""
    manifest, networks = dict(folder.manifest), {}
    for precision, model in folder.models.items():
        # Operators of the runtime have no schema here: what shapes they give is not inferred.
        onnx.checker.check_model(model, full_check=operators(model) == "standard")
        networks[precision] = model.SerializeToString(deterministic=True)
    files = {
        file_name(precision, folder.compressed): compress(data) if folder.compressed else data
        for precision, data in networks.items()
    }
    manifest["files"] = {
        precision: {"path": path, "sha256": hashlib.sha256(data).hexdigest(), "ops": operators(model)}
        for (precision, model), (path, data) in zip(folder.models.items(), files.items(), strict=True)
    }
    first = next(iter(folder.models.values()))
    outputs = run(next(iter(networks.values())), folder.golden_inputs)
    sides = (
        ("inputs", first.graph.input, folder.golden_inputs),
        ("outputs", first.graph.output, outputs),
    )
    for side, values, golden in sides:
        manifest[side] = [
            {
                "name": v.name, "role": v.name, "shape": shape(v, golden[v.name], folder.max_rows),
                "dtype": golden[v.name].dtype.name,
            }
            for v in values
        ]  # fmt: skip
    if folder.max_rows:
        manifest["max_rows"] = folder.max_rows
    manifest["golden"] = {
        "path": "golden.npz",
        "tolerance": {
            precision: {provider: tolerance for provider in ("cpu", "cuda", "tensorrt")}
            for precision, tolerance in folder.tolerance.items()
        },
    }
    arrays = {f"input_{n}": a for n, a in folder.golden_inputs.items()}
    arrays |= {f"output_{n}": a for n, a in outputs.items()}
    for precision in folder.own:
        found = run(networks[precision], folder.golden_inputs)
        arrays |= {f"output_{n}.{precision}": a for n, a in found.items()}
    if folder.coarse:
        arrays |= {name: to_11_bits(array) for name, array in arrays.items() if name.startswith("output_")}
    out.mkdir(parents=True, exist_ok=True)
    for path, data in files.items():
        (out / path).write_bytes(data)
    (out / "golden.npz").write_bytes(npz(arrays))
    (out / "model.yaml").write_text(yaml(manifest) + "\n")
    (out / "README.md").write_text(folder.card)
