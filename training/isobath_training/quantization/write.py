"""A quantized network as ONNX: of the runtime's sparse operators, or of standard ones in QDQ form.

Layers that stay floats, and the values behind the last layer, are as they were.
"""

import numpy as np
import onnx
from onnx import TensorProto

from ..graph import Graph
from .layers import Layer, Network
from .scales import Step
from .simulate import Plan


class Writer:
    """Walks the layers; tensors are written as floats, as bytes, or both, when somebody reads them so."""

    def __init__(self, network: Network, plan: Plan) -> None:
        self.network, self.plan = network, plan
        self.g = Graph(network.name)
        for value in network.inputs:
            dims = [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
            self.g.input(value.name, dims, value.type.tensor_type.elem_type)
        self.floats: dict[str, str] = {}
        self.bytes: dict[str, str] = {}

    def step(self, tensor: str) -> Step:
        return self.plan.steps[tensor]

    def constants(self, step: Step) -> tuple[np.float32, np.generic]:
        """Scale and zero as ONNX wants them."""
        kind = np.int8 if step.low < 0 else np.uint8
        return np.float32(step.scale), kind(step.zero)

    def as_floats(self, tensor: str) -> str:
        if tensor not in self.floats:
            scale, zero = self.constants(self.step(tensor))
            self.floats[tensor] = self.g.op("DequantizeLinear", self.bytes[tensor], scale, zero)
        return self.floats[tensor]

    def as_bytes(self, tensor: str) -> str:
        if tensor not in self.bytes:
            scale, zero = self.constants(self.step(tensor))
            self.bytes[tensor] = self.g.op("QuantizeLinear", self.floats[tensor], scale, zero)
        return self.bytes[tensor]

    def tail(self, rows: str) -> onnx.ModelProto:
        """What stands behind the last layer, and the model."""
        g, network = self.g, self.network
        values = {network.layers[-1].out: rows}
        outputs = {value.name: value for value in network.outputs}
        for node in network.tail:
            operands = [values.get(name, network.constants.get(name)) for name in node.input]
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            if node.op_type == "Identity" and node.output[0] in outputs:
                dims = outputs[node.output[0]].type.tensor_type.shape.dim
                g.output(operands[0], node.output[0], [d.dim_param or d.dim_value for d in dims])
            else:
                values[node.output[0]] = g.op(node.op_type, *operands, **attributes)
        return g.model()


class SparseWriter(Writer):
    """`QSparseConv` and `QSparseConvFloat`."""

    def __init__(self, network: Network, plan: Plan) -> None:
        super().__init__(network, plan)
        self.floats[network.features] = network.features
        found = self.g.sparse(
            "SiteTables", len(network.tables), network.coords,
            rows=network.rows, columns=network.columns, **network.pyramid.attributes,
        )  # fmt: skip
        self.tables = dict(zip(network.tables, found, strict=True))
        # Up-sampling: each site reads the one that covers it.
        for name in network.tables:
            if name.startswith("parent"):
                self.tables[name] = self.g.op("Unsqueeze", self.tables[name], np.array([1], np.int64))

    def layer(self, layer: Layer) -> None:
        g, plan = self.g, self.plan
        table = self.tables[layer.table] if layer.table else np.zeros((0, 0), np.int32)
        if layer.out not in plan.weights:
            add = [self.as_floats(layer.add)] if layer.add else []
            operands = (self.as_floats(layer.x), table, layer.weight, layer.bias, *add)
            self.floats[layer.out] = g.sparse("SparseConv", 1, *operands, relu=int(layer.relu))[0]
            return
        x = self.step(layer.x)
        out = plan.steps.get(layer.out)
        y_scale = out.scale if out else 1.0
        whole, bias = integers(layer, plan, x)
        scale = (np.float32(x.scale) * plan.scales[layer.out] / np.float32(y_scale)).astype(np.float32)
        operands = [self.as_bytes(layer.x), table, whole, bias, scale]
        attributes = {"x_zero": x.zero, "relu": int(layer.relu)}
        if layer.add:
            add = self.step(layer.add)
            operands.append(self.as_bytes(layer.add))
            attributes |= {"add_zero": add.zero, "add_scale": float(np.float32(add.scale / y_scale))}
        if out:
            self.bytes[layer.out] = g.sparse("QSparseConv", 1, *operands, y_zero=out.zero, **attributes)[0]
        else:
            self.floats[layer.out] = g.sparse("QSparseConvFloat", 1, *operands, **attributes)[0]

    def model(self) -> onnx.ModelProto:
        for layer in self.network.layers:
            self.layer(layer)
        return self.tail(self.as_floats(self.network.layers[-1].out))


def integers(layer: Layer, plan: Plan, x: Step) -> tuple[np.ndarray, np.ndarray]:
    """Weights in 8 bits, bias in steps of the sums."""
    bias = plan.biases.get(layer.out, layer.bias).astype(np.float64)
    steps = np.float64(x.scale) * plan.scales[layer.out].astype(np.float64)
    whole = np.clip(np.rint(bias / steps), -(2**30), 2**30).astype(np.int32)
    return plan.weights[layer.out], whole


class MapWriter(Writer):
    """The whole grid, everything but the active sites being set to zero after each layer."""

    def __init__(self, network: Network, plan: Plan) -> None:
        super().__init__(network, plan)
        g, self.size = self.g, (network.rows, network.columns)
        wide = g.op("Cast", network.coords, to=TensorProto.INT64)
        self.cell = g.op("MatMul", wide, np.array([[network.columns], [1]], np.int64))
        ones = g.op("Cast", g.op("GreaterOrEqual", self.cell, np.int64(0)), to=TensorProto.FLOAT)
        masks = [self.scattered(ones, 1)]
        for _ in range(network.pyramid.levels - 1):
            masks.append(g.coarser(masks[-1], network.pyramid.dilated))
        self.masks = masks
        self.active = [g.op("Cast", mask, to=TensorProto.BOOL) for mask in masks]
        # Channels of the features, which a file leaves to its input.
        channels = network.inputs[0].type.tensor_type.shape.dim[1].dim_value
        self.floats[network.features] = self.scattered(network.features, channels)
        self.level = {network.features: 0}

    def scattered(self, rows: str, channels: int) -> str:
        """[pillars, channels] → [1, channels, rows, columns]."""
        g, (height, width) = self.g, self.size
        empty = g.op("ConstantOfShape", np.array([height * width, channels], np.int64))
        flat = g.op("ScatterND", empty, self.cell, rows)
        grid = g.op("Transpose", flat, perm=[1, 0])
        return g.op("Reshape", grid, np.array([1, channels, height, width], np.int64))

    def as_bytes(self, tensor: str) -> str:
        if tensor in self.bytes:
            return self.bytes[tensor]
        written = super().as_bytes(tensor)
        step = self.step(tensor)
        # Bytes of zero elsewhere, not floats: the convolution before stays one with its rounding.
        zero = self.constants(step)[1]
        self.bytes[tensor] = self.g.op("Where", self.active[self.level[tensor]], written, zero)
        return self.bytes[tensor]

    def layer(self, layer: Layer) -> None:
        g, plan = self.g, self.plan
        kind = (layer.table or "none").split("_")[0]
        level = self.level[layer.x] + {"none": 0, "near": 0, "down": 1, "parent": -1}[kind]
        exact = layer.out not in plan.weights
        side = 3 if kind in ("near", "down") else 1
        inputs = len(layer.weight) // (side * side)
        outputs = layer.weight.shape[1]

        def kernel(weight: np.ndarray) -> np.ndarray:
            return np.ascontiguousarray(weight.reshape(side, side, inputs, outputs).transpose(3, 2, 0, 1))

        source = self.as_floats(layer.x) if exact else self.as_bytes(layer.x)
        source = g.resize(source, 2, "nearest") if kind == "parent" else source
        if exact:
            weight, bias = kernel(layer.weight), layer.bias
        else:
            x = self.step(layer.x)
            source = g.op("DequantizeLinear", source, *self.constants(x))
            whole, of_sums = integers(layer, plan, x)
            scales = plan.scales[layer.out]
            zero = np.zeros(outputs, np.int8)
            weight = g.op("DequantizeLinear", kernel(whole), scales, zero, axis=0)
            sums = (np.float32(x.scale) * scales).astype(np.float32)
            bias = g.op("DequantizeLinear", of_sums, sums, np.zeros(outputs, np.int32), axis=0)
        y = g.op(
            "Conv", source, weight, bias,
            kernel_shape=[side, side], pads=[side // 2] * 4, strides=[2, 2] if kind == "down" else [1, 1],
        )  # fmt: skip
        if layer.add and exact:
            y = g.add(y, self.as_floats(layer.add))
        elif layer.add:
            # ONNX Runtime adds bytes to bytes: a convolution that is not rounded before would stay one of floats.
            between = self.constants(plan.before_add[layer.out])
            y = g.op("DequantizeLinear", g.op("QuantizeLinear", y, *between), *between)
            bytes_of = self.as_bytes(layer.add)
            y = g.add(y, g.op("DequantizeLinear", bytes_of, *self.constants(self.step(layer.add))))
        y = g.op("Relu", y) if layer.relu else y
        self.level[layer.out] = level
        self.floats[layer.out] = y if layer.out in plan.steps else g.mul(y, self.masks[level])

    def model(self) -> onnx.ModelProto:
        g, network = self.g, self.network
        for layer in network.layers[:-1]:
            self.layer(layer)
        # The last layer speaks for the active sites alone: rows, as in the sparse file.
        layer = network.layers[-1]
        rows, columns = self.size
        cells = g.op("Reshape", self.as_floats(layer.x), np.array([len(layer.weight), rows * columns], np.int64))
        kept = g.op("GatherND", g.op("Transpose", cells, perm=[1, 0]), self.cell)
        weight = layer.weight
        if layer.out in self.plan.weights:
            weight = self.plan.weights[layer.out].astype(np.float32) * self.plan.scales[layer.out]
        bias = self.plan.biases.get(layer.out, layer.bias)
        return self.tail(g.add(g.op("MatMul", kept, weight.astype(np.float32)), bias.astype(np.float32)))
