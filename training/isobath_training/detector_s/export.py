"""`detector_s` as ONNX, twice from the same weights: `sparse_fp32` of the runtime's operators, which computes
active pillars only, and `fp32` of standard ones, which computes the whole grid and keeps the active pillars.

Inputs: `features` [pillars, FEATURES], `coords` [pillars, 2] int32, rows and columns ascending. Outputs, a row a
pillar: `heatmap` probabilities of the classes, `corner` probability of a box's corner, `offset` x, y in pillars,
`height` over the ground in metres, `size` in metres, `rotation` sine and cosine.
"""

from collections.abc import Callable

import numpy as np
import onnx
import torch
from onnx import TensorProto

from ..graph import Graph
from .features import FEATURES
from .network import BOX, CLASSES, Conv, Detector
from .twin import DenseDetector

# Rows of the outputs of the head: what they are called, and where they begin and end.
HEADS = {
    "heatmap": (0, len(CLASSES)),
    "corner": (len(CLASSES), len(CLASSES) + 1),
    "offset": (len(CLASSES) + 1, len(CLASSES) + 3),
    "height": (len(CLASSES) + 3, len(CLASSES) + 4),
    "size": (len(CLASSES) + 4, len(CLASSES) + 7),
    "rotation": (len(CLASSES) + 7, len(CLASSES) + 1 + BOX),
}
LOGITS = ("heatmap", "corner")
# Logarithms of sizes are held within this: what a bad input makes of them stays finite.
MOST_LOG_SIZE = 4.0


def folded(layer: Conv) -> tuple[np.ndarray, np.ndarray]:
    """Weight [places · inputs, outputs] and bias of a convolution with its normalisation in evaluation mode."""
    norm = layer.norm
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    weight, bias = layer.weight * scale, norm.bias - norm.running_mean * scale
    return weight.detach().numpy().astype(np.float32), bias.detach().numpy().astype(np.float32)


def used_taps(layer: Conv) -> np.ndarray:
    """Numbers of the places whose weights are not all zero; one at least."""
    used = layer.weight.detach().view(layer.places, -1).ne(0).any(1)
    return np.flatnonzero(used.numpy()) if used.any() else np.array([layer.places // 2])


class Walk:
    """The network's layers in their order, written by one of two writers."""

    def __init__(self, g: Graph, network: Detector) -> None:
        self.g, self.network = g, network

    def conv(self, layer: Conv, x: str, level: int, *, step: str, add: str | None, relu: bool) -> str:
        """`step`: "near" within a level, "down" from the finer one, "none" each site by itself."""
        raise NotImplementedError

    def up(self, x: str, level: int, skip: str) -> str:
        """ReLU of `skip` plus what `x`, of `level`, says to each of its children."""
        raise NotImplementedError

    def head(self, x: str) -> str:
        raise NotImplementedError

    def block(self, block, x: str, level: int) -> str:
        y = self.conv(block.first, x, level, step="near", add=None, relu=True)
        return self.conv(block.second, y, level, step="near", add=x, relu=True)

    def run(self, x: str) -> str:
        """From features to the rows of the head."""
        network = self.network
        for layer in network.encode:
            x = self.conv(layer, x, 0, step="none", add=None, relu=True)
        skips = []
        for level in range(network.levels):
            if level > 0:
                x = self.conv(network.down[level - 1], x, level, step="down", add=None, relu=True)
            for block in network.blocks[level]:
                x = self.block(block, x, level)
            skips.append(x)
        for level in reversed(range(network.levels - 1)):
            above = self.conv(network.up[level], x, level + 1, step="none", add=None, relu=False)
            x = self.block(network.merge[level], self.up(above, level + 1, skips[level]), level)
        x = self.conv(network.neck, x, 0, step="near", add=None, relu=True)
        return self.head(x)


class SparseWalk(Walk):
    """Active sites only."""

    def __init__(self, g: Graph, network: Detector, coords: str, size: int) -> None:
        super().__init__(g, network)
        levels = network.levels
        tables = g.sparse("SiteTables", 3 * levels - 2, coords, rows=size, columns=size, **network.shape.pyramid.attributes)
        self.near = tables[:levels]
        self.down = [None, *tables[levels : 2 * levels - 1]]
        self.parent = [None, *tables[2 * levels - 1 :]]
        # An empty table: each site by itself.
        self.alone = np.zeros((0, 0), np.int32)

    def conv(self, layer: Conv, x: str, level: int, *, step: str, add: str | None, relu: bool) -> str:
        table = {"near": self.near, "down": self.down, "none": [self.alone] * len(self.near)}[step][level]
        weight, bias = folded(layer)
        if layer.places > 1 and len(taps := used_taps(layer)) < layer.places:
            # Places that were pruned are not read at all.
            table = self.g.op("Gather", table, taps, axis=1)
            weight = weight.reshape(layer.places, layer.inputs, -1)[taps].reshape(-1, weight.shape[1])
        operands = [x, table, weight, bias, *([add] if add else [])]
        return self.g.sparse("SparseConv", 1, *operands, relu=int(relu))[0]

    def up(self, x: str, level: int, skip: str) -> str:
        g = self.g
        return g.op("Relu", g.add(skip, g.op("Gather", x, self.parent[level], axis=0)))

    def head(self, x: str) -> str:
        head = self.network.head
        weight, bias = (part.detach().numpy().astype(np.float32) for part in (head.weight.T, head.bias))
        return self.g.sparse("SparseConv", 1, x, self.alone, np.ascontiguousarray(weight), bias, relu=0)[0]


class MapWalk(Walk):
    """The whole grid, as maps."""

    def __init__(self, g: Graph, network: Detector, coords: str, size: int) -> None:
        super().__init__(g, network)
        self.size = size
        wide = g.op("Cast", coords, to=TensorProto.INT64)
        self.cell = g.op("MatMul", wide, np.array([[size], [1]], np.int64))

    def kept(self, x: str, level: int) -> str:
        """What of a map stays."""
        return x

    def scattered(self, rows: str, channels: int) -> str:
        """[pillars, channels] → [1, channels, size, size]."""
        g, cells = self.g, self.size * self.size
        empty = g.op("ConstantOfShape", np.array([cells, channels], np.int64))
        flat = g.op("ScatterND", empty, self.cell, rows)
        grid = g.op("Transpose", flat, perm=[1, 0])
        return g.op("Reshape", grid, np.array([1, channels, self.size, self.size], np.int64))

    def conv(self, layer: Conv, x: str, level: int, *, step: str, add: str | None, relu: bool) -> str:
        g = self.g
        weight, bias = folded(layer)
        side = 1 if layer.places == 1 else 3
        kernel = weight.reshape(side, side, layer.inputs, layer.outputs).transpose(3, 2, 0, 1)
        y = g.op(
            "Conv", x, np.ascontiguousarray(kernel), bias,
            kernel_shape=[side, side], pads=[side // 2] * 4, strides=[2, 2] if step == "down" else [1, 1],
        )  # fmt: skip
        y = g.add(y, add) if add else y
        return self.kept(g.op("Relu", y) if relu else y, level)

    def up(self, x: str, level: int, skip: str) -> str:
        g = self.g
        return g.op("Relu", self.kept(g.add(skip, g.resize(x, 2, "nearest")), level - 1))

    def head(self, x: str) -> str:
        head = self.network.head
        weight, bias = (part.detach().numpy().astype(np.float32) for part in (head.weight, head.bias))
        return self.g.op("Conv", x, weight[:, :, None, None], bias, kernel_shape=[1, 1])

class MaskedWalk(MapWalk):
    """The whole grid, with everything but the active sites set to zero after each layer."""

    def __init__(self, g: Graph, network: Detector, coords: str, size: int) -> None:
        super().__init__(g, network, coords, size)
        ones = g.op("Cast", g.op("GreaterOrEqual", self.cell, np.int64(0)), to=TensorProto.FLOAT)
        self.mask = [self.scattered(ones, 1)]
        for _ in range(network.levels - 1):
            self.mask.append(g.coarser(self.mask[-1], network.shape.dilated))

    def kept(self, x: str, level: int) -> str:
        """What of a map stays."""
        return self.g.mul(x, self.mask[level])

    def head(self, x: str) -> str:
        g, head = self.g, self.network.head
        rows = g.op("Reshape", x, np.array([head.in_features, self.size * self.size], np.int64))
        kept = g.op("GatherND", g.op("Transpose", rows, perm=[1, 0]), self.cell)
        weight, bias = (part.detach().numpy().astype(np.float32) for part in (head.weight.T, head.bias))
        return g.add(g.op("MatMul", kept, np.ascontiguousarray(weight)), bias)


def to_onnx(network: Detector, size: int, *, sparse: bool = False) -> onnx.ModelProto:
    """A network in evaluation mode for a grid of `size` × `size` pillars. A dense twin gives maps, with offsets from
    the corner of a cell."""
    g = Graph("detector_s")
    features = g.input("features", ["pillars", FEATURES])
    coords = g.input("coords", ["pillars", 2], TensorProto.INT32)
    is_dense = isinstance(network, DenseDetector)
    walk: Callable[..., Walk] = MapWalk if is_dense else SparseWalk if sparse else MaskedWalk
    writer = walk(g, network, coords, size)
    rows = writer.run(features if sparse else writer.scattered(features, FEATURES))
    for name, (begin, end) in HEADS.items():
        part = g.op(
            "Slice", rows, np.array([begin], np.int64), np.array([end], np.int64), np.array([1], np.int64)
        )
        if name in LOGITS:
            part = g.op("Sigmoid", part)
        elif name == "size":
            part = g.op("Exp", g.op("Clip", part, np.float32(-MOST_LOG_SIZE), np.float32(MOST_LOG_SIZE)))
        elif name == "offset" and is_dense:
            part = g.add(part, np.float32(0.5))
        g.output(part, name, [1, end - begin, size, size] if is_dense else ["pillars", end - begin])
    return g.model()
