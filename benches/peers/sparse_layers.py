"""What single 3 x 3 layers cost over the share of active cells, on one core, beside ONNX Runtime's dense ones.

    pip install onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
    python benches/peers/sparse_layers.py --markdown docs/performance.md

Runs `benches/sparse.rs` with every kernel of this processor and reads what criterion wrote. The dense layers, a
convolution of the same weights with bias and ReLU over all 256 x 256 cells, in floats and in QDQ form (unsigned
activations, signed weights), are timed here with one thread: the median of some runs.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benches" / "accuracy"))

from common import write_block  # noqa: E402
from onnx_timing import median_ms  # noqa: E402
from tables import table  # noqa: E402

OCCUPANCIES = (2, 4, 6, 12, 25, 100)
CHANNELS = (32, 64)
# What criterion is asked for: each kernel takes about half a minute.
ASKED = ("sparse layer/", "--warm-up-time", "1", "--measurement-time", "2")
SIDE = 256


def measured():
    """(channels, kind, kernel) → percent → median milliseconds."""
    done = subprocess.run(
        ["cargo", "bench", "--bench", "sparse", "--", *ASKED], cwd=ROOT, capture_output=True, text=True, check=False
    )  # fmt: skip
    if done.returncode != 0:
        sys.exit(done.stderr)
    folder = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "criterion" / "sparse layer"
    found = {}
    for path in sorted(folder.glob("*/*/new/estimates.json")):
        channels, kind, kernel = path.parents[2].name.split()
        estimate = json.loads(path.read_text())["median"]["point_estimate"] / 1e6
        found.setdefault((int(channels), kind, kernel), {})[int(path.parents[1].name)] = estimate
    return found


def constant(name, values):
    return numpy_helper.from_array(values, name)


def dense(channels, quantized):
    """A layer over the whole grid, as a model."""
    random = np.random.default_rng(1)
    weight = random.integers(-127, 128, (channels, channels, 3, 3)).astype(np.int8)
    scale, zero = np.float32(0.01), np.uint8(0)
    attributes = {"kernel_shape": [3, 3], "pads": [1] * 4}
    shape = [1, channels, SIDE, SIDE]
    bias = constant("b", np.full(channels, 0.1, np.float32))
    if not quantized:
        constants = [constant("w", weight.astype(np.float32) / 127), bias]
        nodes = [
            helper.make_node("Conv", ["x", "w", "b"], ["c"], **attributes), helper.make_node("Relu", ["c"], ["y"]),
        ]  # fmt: skip
        kind = TensorProto.FLOAT
    else:
        constants = [
            constant("w", weight), bias, constant("s", scale), constant("z", zero), constant("wz", np.int8(0)),
        ]  # fmt: skip
        nodes = [
            helper.make_node("DequantizeLinear", ["x", "s", "z"], ["xf"]),
            helper.make_node("DequantizeLinear", ["w", "s", "wz"], ["wf"]),
            helper.make_node("Conv", ["xf", "wf", "b"], ["c"], **attributes),
            helper.make_node("Relu", ["c"], ["r"]),
            helper.make_node("QuantizeLinear", ["r", "s", "z"], ["y"]),
        ]
        kind = TensorProto.UINT8
    given, wanted = (helper.make_tensor_value_info(name, kind, shape) for name in ("x", "y"))
    graph = helper.make_graph(nodes, "layer", [given], [wanted], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString(), random.integers(0, 255, shape).astype(np.uint8 if quantized else np.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--markdown", type=Path, help="file whose block of tables is replaced")
    arguments = parser.parse_args()
    rows = []
    found = measured()
    for channels in CHANNELS:
        for kind, name in (("f32", "floats"), ("int8", "8 bits")):
            reference = median_ms(*dense(channels, kind == "int8"))
            for (of, its, kernel), times in found.items():
                if (of, its) == (channels, kind):
                    cells = [f"{times[percent]:.2f}" for percent in OCCUPANCIES]
                    rows.append([str(channels), name, f"`{kernel}`", *cells])
            rows.append([str(channels), name, f"ONNX Runtime {onnxruntime.__version__}, dense", *[""] * 5, f"{reference:.2f}"])
    head = ["channels", "", "kernel; ms at so many active cells", *(f"{percent} %" for percent in OCCUPANCIES)]
    text = table(head, rows)
    print(text)
    if arguments.markdown:
        write_block(arguments.markdown, "sparse_layers.py", text)


if __name__ == "__main__":
    main()
