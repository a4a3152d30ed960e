"""The layers of a network of `SparseConv`, as its file tells them."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from ..detector_s.tables import Pyramid
from ..graph import SPARSE_DOMAIN

# What may stand behind the last layer: values of single rows.
# That a 3×3 convolution reads.
PLACES = 9
TAIL = {"Slice", "Sigmoid", "Clip", "Exp", "Add", "Identity"}
QUANTIZED = {"QSparseConv", "QSparseConvFloat", "QuantizeLinear", "DequantizeLinear", "QLinearConv"}


class QuantizationError(Exception):
    """A network or data that cannot be used, in one sentence."""


@dataclass
class Layer:
    """Rows of `x`, gathered as `table` says, times `weight`, plus `bias` and `add`, then perhaps ReLU."""

    x: str
    # An output of `SiteTables`; None: each row by itself.
    table: str | None
    # [taps · inputs, outputs], [outputs].
    weight: np.ndarray
    bias: np.ndarray
    add: str | None
    relu: bool
    out: str

    @property
    def reads(self) -> list[str]:
        return [self.x, *([self.add] if self.add else [])]


@dataclass
class Network:
    """Layers in their order; the first reads `features`, the nodes of `tail` what the last gives."""

    name: str
    features: str
    coords: str
    # Rows and columns of the grid, and which levels of sites it has.
    rows: int
    columns: int
    pyramid: Pyramid
    layers: list[Layer] = field(default_factory=list)
    tail: list[onnx.NodeProto] = field(default_factory=list)
    # Constants of the tail.
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    inputs: list[onnx.ValueInfoProto] = field(default_factory=list)
    outputs: list[onnx.ValueInfoProto] = field(default_factory=list)

    @property
    def tables(self) -> list[str]:
        """Names of the outputs of `SiteTables`, in their order."""
        levels = self.pyramid.levels
        below = range(1, levels)
        return (
            [f"near_{level}" for level in range(levels)]
            + [f"down_{level}" for level in below]
            + [f"parent_{level}" for level in below]
        )

    def consumers(self, tensor: str) -> list[Layer]:
        return [layer for layer in self.layers if tensor in layer.reads]


def read_network(path: Path) -> Network:
    """Of the file of a model folder; refused where it is another kind of network."""
    model = onnx.load(path)
    graph = model.graph
    kinds = {node.op_type for node in graph.node}
    if found := sorted(kinds & QUANTIZED):
        raise QuantizationError(f"{path}: expected a network of floats, found {', '.join(found)}: it is quantized")
    tables = [node for node in graph.node if node.op_type == "SiteTables"]
    if len(tables) != 1 or not any(node.domain == SPARSE_DOMAIN for node in graph.node):
        raise QuantizationError(f"{path}: expected a network of SiteTables and SparseConv")
    constants = {i.name: numpy_helper.to_array(i).copy() for i in graph.initializer}
    site = {a.name: a.i for a in tables[0].attribute}
    free = [value.name for value in graph.input if value.name not in constants]
    (coords,) = tables[0].input
    (features,) = [name for name in free if name != coords]
    network = Network(graph.name, features, coords, site["rows"], site["columns"], Pyramid.of(site))
    network.inputs, network.outputs = list(graph.input), list(graph.output)
    names = dict(zip(tables[0].output, network.tables, strict=True))
    read_nodes(path, graph.node, constants, names, network)
    used = {name for node in network.tail for name in node.input}
    network.constants = {name: value for name, value in constants.items() if name in used}
    return network


def spread(weight: np.ndarray, taps: np.ndarray) -> np.ndarray:
    """[taps · inputs, outputs] → [9 · inputs, outputs], with zeros at the places that are not read."""
    whole = np.zeros((PLACES, len(weight) // len(taps), weight.shape[1]), weight.dtype)
    whole[taps] = weight.reshape(len(taps), -1, weight.shape[1])
    return whole.reshape(-1, weight.shape[1])


def read_nodes(path: Path, nodes, constants: dict, tables: dict[str, str], network: Network) -> None:
    # A layer without ReLU that is gathered by parents, added to a skip and rectified is one layer of the children.
    gathered: dict[str, tuple[Layer, str]] = {}
    joined: dict[str, tuple[Layer, str, str]] = {}
    by_out: dict[str, Layer] = {}
    # Tables of which a layer reads some places: those that pruning has left.
    chosen: dict[str, tuple[str, np.ndarray]] = {}
    for node in nodes:
        a, b = (list(node.input) + [""])[:2]
        if node.op_type == "SiteTables":
            continue
        if node.op_type == "SparseConv":
            x, table, weight, bias, *add = node.input
            rows = constants[weight]
            if table in chosen:
                table, taps = chosen[table]
                rows = spread(rows, taps)
            relu = any(attribute.name == "relu" and attribute.i for attribute in node.attribute)
            layer = Layer(
                x, tables.get(table), rows, constants[bias], add[0] if add else None, relu, node.output[0]
            )
            network.layers.append(layer)
            by_out[layer.out] = layer
        elif node.op_type == "Gather" and a in tables and b in constants:
            chosen[node.output[0]] = (a, constants[b])
        elif node.op_type == "Gather" and b in tables and a in by_out and not by_out[a].relu:
            gathered[node.output[0]] = (by_out[a], tables[b])
        elif node.op_type == "Add" and b in gathered:
            joined[node.output[0]] = (*gathered[b], a)
        elif node.op_type == "Relu" and a in joined:
            layer, layer.table, layer.add = joined[a]
            layer.relu, layer.out = True, node.output[0]
        elif node.op_type in TAIL:
            network.tail.append(node)
        else:
            raise QuantizationError(f"{path}: expected layers of SparseConv, found {node.op_type} ({node.name})")
