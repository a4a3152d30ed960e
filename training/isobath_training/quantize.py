"""Static INT8: QDQ, unsigned activations, signed weights with a scale for each output channel."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

# What runs as INT8; the rest is done in a fraction of the time anyway and stays exact.
OPERATORS = ["Conv", "Add", "Relu", "Resize"]
# Channels from which on a tensor is a map of features.
LEAST_CHANNELS = 16


class Feeds(CalibrationDataReader):
    """Calibration inputs, one after the other."""

    def __init__(self, inputs: Iterable[dict[str, np.ndarray]]) -> None:
        self.inputs = iter(inputs)

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.inputs, None)


def quantize(
    model: onnx.ModelProto,
    inputs: Iterable[dict[str, np.ndarray]],
    exact: tuple[str, ...],
    *,
    method: CalibrationMethod = CalibrationMethod.MinMax,
    fold: bool = True,
) -> onnx.ModelProto:
    """The model with its convolutions as INT8. Nodes whose name contains one of `exact`, and resizes that
    interpolate, stay as they are. `fold`: constants are computed before, also where that makes the file larger."""
    with tempfile.TemporaryDirectory() as folder:
        plain, prepared, result = (Path(folder) / f"{name}.onnx" for name in ("plain", "prepared", "result"))
        onnx.save(model, plain)
        quant_pre_process(plain, prepared, skip_symbolic_shape=True, skip_optimization=not fold)
        graph = onnx.shape_inference.infer_shapes(onnx.load(prepared)).graph
        few = adds_few(graph)
        excluded = [
            n.name for n in graph.node if any(part in n.name for part in exact) or interpolates(n) or n.name in few
        ]
        quantize_static(
            prepared, result, Feeds(inputs), quant_format=QuantFormat.QDQ, op_types_to_quantize=OPERATORS,
            per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            nodes_to_exclude=excluded, calibrate_method=method,
        )  # fmt: skip
        quantized = onnx.load(result)
    quantized.ir_version = model.ir_version
    quantized.producer_name, quantized.producer_version = model.producer_name, ""
    return quantized


def adds_few(graph: onnx.GraphProto) -> set[str]:
    """Names of additions of anything but maps of features. Counts, scales and depths have values of their own, which 256
    steps between the extremes of all frames do not tell apart."""
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in graph.value_info}

    def is_map(shape: list[int]) -> bool:
        return len(shape) == 4 and shape[1] >= LEAST_CHANNELS

    return {n.name for n in graph.node if n.op_type == "Add" and not is_map(shapes.get(n.output[0], []))}


def interpolates(node: onnx.NodeProto) -> bool:
    return node.op_type == "Resize" and any(a.name == "mode" and a.s != b"nearest" for a in node.attribute)
