"""A tiny model whose tensors have as many rows as a run, for the tests of sessions.

    python tests/golden/row_model.py

Needs numpy, onnx and the training package. `row_sums` adds to the sum of each pillar's three features its
cell, and counts in int64: out = sum(features) + 10 · row + col + count.
"""

import hashlib
from pathlib import Path

import numpy as np
from isobath_training.folder import npz, run, yaml
from onnx import TensorProto, checker, helper, numpy_helper

OUT = Path(__file__).resolve().parent.parent / "data/models/row_sums"
TYPES = {"float32": TensorProto.FLOAT, "int32": TensorProto.INT32, "int64": TensorProto.INT64}
INPUTS = {
    "features": ("float32", ["pillars", 3]),
    "coords": ("int32", ["pillars", 2]),
    "counts": ("int64", ["pillars", 1]),
}


def model() -> bytes:
    weights = numpy_helper.from_array(np.array([[10], [1]], np.float32), "weights")
    axes = numpy_helper.from_array(np.array([1], np.int64), "axes")
    nodes = [
        helper.make_node("ReduceSum", ["features", "axes"], ["sums"], keepdims=1),
        helper.make_node("Cast", ["coords"], ["cells"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["cells", "weights"], ["places"]),
        helper.make_node("Cast", ["counts"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Sum", ["sums", "places", "numbers"], ["out"]),
    ]
    inputs = [helper.make_tensor_value_info(n, TYPES[t], s) for n, (t, s) in INPUTS.items()]
    outputs = [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["pillars", 1])]
    graph = helper.make_graph(nodes, "row_sums", inputs, outputs, [weights, axes])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(made, full_check=True)
    return made.SerializeToString(deterministic=True)


def main() -> None:
    data = model()
    random = np.random.default_rng(3)
    golden = {
        "features": random.normal(size=(4, 3)).astype(np.float32),
        "coords": random.integers(0, 9, (4, 2)).astype(np.int32),
        "counts": random.integers(1, 9, (4, 1)).astype(np.int64),
    }
    arrays = {f"input_{name}": array for name, array in golden.items()}
    arrays |= {f"output_{name}": array for name, array in run(data, golden).items()}
    tensors = [{"name": n, "role": n, "shape": s, "dtype": t} for n, (t, s) in INPUTS.items()]
    manifest = {
        "kind": "detection",
        "architecture": "test",
        "detection": {
            "range": [-4.0, -4.0, -2.0, 4.0, 4.0, 2.0],
            "voxel_size": [1.0, 1.0, 4.0],
            "stride": 1,
            "classes": ["thing"],
            "score_threshold": 0.3,
            "suppression_radius": [1.0],
            "features": [],
        },
        "licence": "Apache-2.0",
        "training_data": "none",
        "files": {
            "fp32": {
                "path": "model.onnx",
                "sha256": hashlib.sha256(data).hexdigest(),
                "ops": "standard",
            }
        },
        "inputs": tensors,
        "outputs": [{"name": "out", "role": "out", "shape": ["pillars", 1], "dtype": "float32"}],
        "max_rows": {"pillars": 6},
        "golden": {
            "path": "golden.npz",
            "tolerance": {"fp32": {"cpu": {"abs": 1e-5, "rel": 1e-5}}},
        },
    }
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "model.onnx").write_bytes(data)
    (OUT / "golden.npz").write_bytes(npz(arrays))
    (OUT / "model.yaml").write_text(yaml(manifest) + "\n")
    card = "# row_sums\n\nA test model without any use. Made by `tests/golden/row_model.py`.\n"
    (OUT / "README.md").write_text(card)


if __name__ == "__main__":
    main()
