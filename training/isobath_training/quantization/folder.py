"""A model folder with its 8-bit files beside those of floats."""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import torch
from ruamel.yaml import YAML

from ..folder import allowed, file_name, npz, operators, yaml
from ..folder import run as run_standard
from .frames import Frame, frame
from .layers import Network, QuantizationError, read_network
from .ptq import Options, quantize
from .reference import head
from .simulate import Plan
from .write import MapWriter, SparseWriter

INTERFACE = "pillar_statistics"
QUANTIZED = ("int8", "int8_sym", "sparse_int8")
# How the paragraph of a card begins that tells of them.
TOLD = "- **8 bits**:"
# Where each is meant to run; an old ONNX Runtime lacks operators on signed bytes.
PROVIDERS = {"int8": ("cpu", "cuda", "tensorrt"), "int8_sym": ("tensorrt",), "sparse_int8": ("cpu",)}
def read_manifest(folder: Path, *, check_quantized: bool = True) -> dict:
    """Of a detector whose layers can be quantized; refused otherwise, and where that was done already."""
    path = folder / "model.yaml"
    if not path.exists():
        raise QuantizationError(f"{path}: expected the manifest of a model folder, found no such file")
    manifest = YAML(typ="safe", pure=True).load(path.read_text())
    interface = manifest.get("detection", {}).get("interface", manifest.get("kind"))
    if interface != INTERFACE:
        raise QuantizationError(f"{path}: expected a detector with the interface {INTERFACE}, found {interface}")
    done = [name for name in QUANTIZED if name in manifest["files"]]
    if done and check_quantized:
        raise QuantizationError(f"{path}: expected files of floats, found {', '.join(done)}: the model is quantized (--replace makes them anew)")
    if "sparse_fp32" not in manifest["files"]:
        raise QuantizationError(f"{path}: expected a file sparse_fp32, found {', '.join(manifest['files'])}")
    return manifest


def network_of(folder: Path, manifest: dict) -> Network:
    return read_network(folder / manifest["files"]["sparse_fp32"]["path"])


def quantized(network: Network, frames: list[Frame], classes: int, options: Options) -> dict[str, tuple]:
    """Precision → the plan and the file."""
    signed = quantize(network, frames, classes, replace(options, symmetric=True))
    files = unsigned(network, quantize(network, frames, classes, options))
    return files | {"int8_sym": (signed, MapWriter(network, signed).model())}


def unsigned(network: Network, plan: Plan) -> dict[str, tuple]:
    """Files of a plan whose activations are unsigned bytes."""
    return {
        "int8": (plan, MapWriter(network, plan).model()),
        "sparse_int8": (plan, SparseWriter(network, plan).model()),
    }


def golden_outputs(network: Network, precision: str, plan, model: onnx.ModelProto, sweep: Frame) -> dict[str, np.ndarray]:
    """What the file gives for the golden sweep: ONNX Runtime's word for standard operators, exact integers for
    those of the runtime."""
    if precision != "sparse_int8":
        inputs = {network.features: sweep.features.numpy(), network.coords: sweep.coords}
        return run_standard(model.SerializeToString(deterministic=True), inputs)
    return run_standard(tail_of(network), {network.layers[-1].out: head(network, sweep, plan)})


def tail_of(network: Network) -> bytes:
    """What stands behind the last layer, as a model of its own."""
    rows = onnx.helper.make_tensor_value_info(
        network.layers[-1].out, onnx.TensorProto.FLOAT, ["pillars", network.layers[-1].weight.shape[1]]
    )
    constants = [onnx.numpy_helper.from_array(value, name) for name, value in network.constants.items()]
    graph = onnx.helper.make_graph(network.tail, "tail", [rows], network.outputs, constants)
    opsets = [onnx.helper.make_opsetid("", 17)]
    return onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


def write(folder: Path, out: Path, network: Network, files: dict[str, tuple], told: str) -> None:
    """The folder with `files` added, and with a paragraph `told` of them in its card."""
    manifest = YAML(typ="safe", pure=True).load((folder / "model.yaml").read_text())
    arrays = dict(np.load(folder / manifest["golden"]["path"]))
    roles = {tensor["name"]: tensor["role"] for side in ("inputs", "outputs") for tensor in manifest[side]}
    sweep = frame(
        network, arrays[f"input_{roles[network.features]}"], arrays[f"input_{roles[network.coords]}"]
    )
    arrays = {name: array for name, array in arrays.items() if name.rpartition(".")[2] not in QUANTIZED}
    shutil.copytree(folder, out)
    for precision in QUANTIZED:
        # What an earlier run left.
        if old := manifest["files"].pop(precision, None):
            (out / old["path"]).unlink()
        manifest["golden"]["tolerance"].pop(precision, None)
    for precision, (plan, model) in files.items():
        data = model.SerializeToString(deterministic=True)
        (out / file_name(precision)).write_bytes(data)
        manifest["files"][precision] = {
            "path": file_name(precision), "sha256": hashlib.sha256(data).hexdigest(), "ops": operators(model),
        }  # fmt: skip
        with torch.no_grad():
            found = golden_outputs(network, precision, plan, model, sweep)

            def outputs(features: np.ndarray, of=(precision, plan, model)) -> dict[str, np.ndarray]:
                return golden_outputs(network, *of, replace(sweep, features=torch.from_numpy(features)))

            tolerance = allowed(found, outputs, sweep.features.numpy())
        manifest["golden"]["tolerance"][precision] = {p: tolerance for p in PROVIDERS[precision]}
        arrays |= {f"output_{roles[name]}.{precision}": value for name, value in found.items()}
    (out / manifest["golden"]["path"]).write_bytes(npz(arrays))
    (out / "model.yaml").write_text(yaml(manifest) + "\n")
    lines = (out / "README.md").read_text().splitlines()
    card = "\n".join(line for line in lines if not line.startswith(TOLD)).rstrip("\n")
    (out / "README.md").write_text(f"{card}\n\n{TOLD} {told}\n")
