"""A small writer of ONNX graphs: one method call a node, names by number, so that bytes repeat."""

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

OPSET = 17
# The operators of `src/inference/sparse`.
SPARSE_DOMAIN, SPARSE_VERSION = "ai.isobath", 1
# The file format of ONNX 1.12: ONNX Runtime 1.18 and its JetPack builds read it.
IR_VERSION = 8


class Graph:
    def __init__(self, name: str):
        self.name = name
        self.nodes, self.constants, self.inputs, self.outputs = [], {}, [], []
        self.domains = {""}

    def input(self, name: str, shape: list[int | str], kind: int = TensorProto.FLOAT) -> str:
        """An input; a size that is a name is free."""
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def output(self, value: str, name: str, shape: list[int | str]) -> None:
        self.nodes.append(helper.make_node("Identity", [value], [name], name=f"output_{name}"))
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def constant(self, value) -> str:
        """A constant tensor; equal ones are stored once."""
        array = np.asarray(value)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self.constants:
            name = f"c{len(self.constants)}"
            self.constants[key] = (name, array)
        return self.constants[key][0]

    def op(self, kind: str, *operands, **attributes) -> str:
        """Adds a node; operands are value names or constants (None leaves an optional one out)."""
        return self.ops(kind, 1, *operands, **attributes)[0]

    def ops(self, kind: str, count: int, *operands, **attributes) -> list[str]:
        """As `op`, of a node with `count` outputs."""
        names = ["" if o is None else o if isinstance(o, str) else self.constant(o) for o in operands]
        number = len(self.nodes)
        results = [f"v{number}" if count == 1 else f"v{number}_{i}" for i in range(count)]
        self.nodes.append(helper.make_node(kind, names, results, name=f"n{number}", **attributes))
        self.domains.add(attributes.get("domain", ""))
        return results

    def sparse(self, kind: str, count: int, *operands, **attributes) -> list[str]:
        """A node of the runtime's sparse operators."""
        return self.ops(kind, count, *operands, domain=SPARSE_DOMAIN, **attributes)

    def add(self, a, b):
        return self.op("Add", a, b)

    def sub(self, a, b):
        return self.op("Sub", a, b)

    def mul(self, a, b):
        return self.op("Mul", a, b)

    def div(self, a, b):
        return self.op("Div", a, b)

    def max(self, *a):
        return self.op("Max", *a)

    def min(self, *a):
        return self.op("Min", *a)

    def greater(self, a, b):
        """1.0 where a > b, else 0.0."""
        return self.op("Cast", self.op("Greater", a, b), to=TensorProto.FLOAT)

    def where(self, condition, a, b):
        """a where condition > 0.5, else b."""
        return self.op("Where", self.op("Greater", condition, np.float32(0.5)), a, b)

    def channels(self, value, begin: int, end: int):
        return self.op(
            "Slice", value, np.array([begin], np.int64), np.array([end], np.int64), np.array([1], np.int64)
        )

    def max_pool(self, value, rows: int, columns: int, stride: int = 1):
        pads = [0, 0, 0, 0] if stride > 1 else [rows // 2, columns // 2] * 2
        return self.op(
            "MaxPool", value, kernel_shape=[rows, columns], strides=[stride] * 2, pads=pads
        )

    def coarser(self, mask, dilated: bool):
        """Active cells of the next level, 1 where there is one: the parents of active ones, or all that a convolution
        of stride 2 reaches."""
        if dilated:
            return self.op("MaxPool", mask, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
        return self.op("MaxPool", mask, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)

    def resize(self, value, factor: int, mode: str = "linear"):
        """Enlarges by a whole factor; pixel centres map as u' = (u + 0.5) / factor - 0.5."""
        nearest = {"nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
        linear = {"coordinate_transformation_mode": "half_pixel"}
        return self.op(
            "Resize", value, None, np.array([1, 1, factor, factor], np.float32),
            mode=mode, **(nearest if mode == "nearest" else linear),
        )  # fmt: skip

    def model(self) -> ModelProto:
        constants = [numpy_helper.from_array(array, name) for name, array in self.constants.values()]
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, constants)
        return helper.make_model(
            graph,
            opset_imports=[
                helper.make_opsetid(domain, SPARSE_VERSION if domain == SPARSE_DOMAIN else OPSET)
                for domain in sorted(self.domains)
            ],
            ir_version=IR_VERSION,
            producer_name="isobath_training",
        )
