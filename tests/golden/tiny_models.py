"""Tiny models that are right, wrong or fail at run time, for the tests of model folders.

    python tests/golden/tiny_models.py

Needs the training package. `nan_depth` is a whole folder: its depth is 2 m plus the square root of half
minus the brightness, which is NaN for bright pixels. The other files are single ONNX models with the same
tensors, each wrong in one way.
"""

from pathlib import Path

import numpy as np
from isobath_training.folder import Folder, write_folder
from isobath_training.graph import Graph
from onnx import TensorProto, helper

OUT = Path(__file__).resolve().parent.parent / "data/models"
HEIGHT, WIDTH = 8, 12
IMAGE, PLANE = [1, 3, HEIGHT, WIDTH], [1, 1, HEIGHT, WIDTH]

CARD = """# nan_depth

A test model without any use: NaN for bright pixels. Made by `tests/golden/tiny_models.py`.
"""


def nan_depth() -> Graph:
    graph = Graph("nan_depth")
    brightness = graph.op("ReduceMean", graph.input("image", IMAGE), axes=[1])
    graph.output(graph.add(graph.op("Sqrt", graph.sub(0.5, brightness)), 2.0), "depth", PLANE)
    graph.output(graph.op("Sigmoid", brightness), "confidence", PLANE)
    return graph


def typed(name: str, element: int, plane: list, shape_of_output: list) -> bytes:
    """Depth and confidence are the image's first channel, with the types and shapes given."""
    inputs = [helper.make_tensor_value_info("image", element, IMAGE)]
    outputs = [helper.make_tensor_value_info(n, element, plane) for n in ("depth", "confidence")]
    shape = helper.make_tensor("shape", TensorProto.INT64, [4], shape_of_output)
    channel = helper.make_tensor("channel", TensorProto.INT64, [1], [0])
    nodes = [
        helper.make_node("Gather", ["image", "channel"], ["first"], axis=1),
        helper.make_node("Reshape", ["first", "shape"], ["depth"]),
        helper.make_node("Identity", ["depth"], ["confidence"]),
    ]
    graph = helper.make_graph(nodes, name, inputs, outputs, [shape, channel])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString(deterministic=True)


def main() -> None:
    golden = np.random.default_rng(7).uniform(0.0, 0.5, IMAGE).astype(np.float32)
    manifest = {
        "kind": "depth",
        "architecture": "test",
        "depth": {
            "min_m": 0.2,
            "max_m": 10.0,
            "mean": [0.0, 0.0, 0.0],
            "std": [1.0, 1.0, 1.0],
            "fusion": "none",
            "uses_prior": False,
        },
        "licence": "Apache-2.0",
        "training_data": "none",
        "measured": {},
    }
    tolerance = {"fp32": {"abs": 1e-4, "rel": 1e-4}}
    folder = Folder({"fp32": nan_depth().model()}, {"image": golden}, manifest, tolerance, CARD)
    write_folder(folder, OUT / "nan_depth")
    double = typed("double", TensorProto.DOUBLE, PLANE, PLANE)
    (OUT / "double.onnx").write_bytes(double)
    # The declared output leaves the height open; what comes out is one row of 96.
    flat = typed("flat", TensorProto.FLOAT, [1, 1, "rows", "columns"], [1, 1, 1, HEIGHT * WIDTH])
    (OUT / "flat.onnx").write_bytes(flat)


if __name__ == "__main__":
    main()
