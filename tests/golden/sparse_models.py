"""Small models of the operators of `ai.isobath`, and what they give, by plain loops in NumPy.

    python tests/golden/sparse_models.py

Needs the training package. Written to `tests/data/models/sparse/`: `float.onnx` and `int8.onnx`, networks over two
levels of sites; `table.onnx` and `loose.onnx`, a layer each whose table or weights are inputs; `cases.npz`, inputs
and outputs of the networks. `tests/data/models/sparse_depth/` is a model folder: its depth is a layer over pixels.
"""

import hashlib
from pathlib import Path

import numpy as np
from isobath_training.folder import npz, yaml
from onnx import TensorProto, helper, numpy_helper

DATA = Path(__file__).resolve().parent.parent / "data/models"
ROWS, COLUMNS, LEVELS = 9, 7, 3
F32, I32, U8 = TensorProto.FLOAT, TensorProto.INT32, TensorProto.UINT8
INPUTS, HIDDEN, OUTPUTS = 3, 18, 5
TABLES = [f"near_{level}" for level in range(LEVELS)]
TABLES += [f"down_{level}" for level in range(1, LEVELS)]
TABLES += [f"parent_{level}" for level in range(1, LEVELS)]


def windows(sites: list, below: list, scale: int) -> np.ndarray:
    number = {site: i for i, site in enumerate(below)}
    offsets = [(dr, dc) for dr in (-1, 0, 1) for dc in (-1, 0, 1)]
    rows = [[number.get((r * scale + dr, c * scale + dc), -1) for dr, dc in offsets] for r, c in sites]
    return np.array(rows, np.int32).reshape(len(sites), 9)


def tables(coords: np.ndarray) -> dict[str, np.ndarray]:
    sites = [(int(r), int(c)) for r, c in coords]
    out = {"near_0": windows(sites, sites, 1)}
    for level in range(1, LEVELS):
        below, sites = sites, sorted({(r // 2, c // 2) for r, c in sites})
        out[f"near_{level}"] = windows(sites, sites, 1)
        out[f"down_{level}"] = windows(sites, below, 2)
        out[f"parent_{level}"] = np.array([sites.index((r // 2, c // 2)) for r, c in below], np.int32)
    return out


def gathered(x: np.ndarray, table: np.ndarray | None) -> np.ndarray:
    """Rows of x as float64, tap after tap; zeros where there is no neighbour."""
    if table is None:
        return x.astype(np.float64)
    rows = np.where(table[..., None] < 0, 0.0, x[np.maximum(table, 0)] if len(x) else 0.0)
    return rows.reshape(len(table), table.shape[1] * x.shape[1])


def conv(x, table, w, b, add=None, relu=False) -> np.ndarray:
    y = gathered(x, table) @ w.astype(np.float64) + b + (0.0 if add is None else add)
    return (np.maximum(y, 0.0) if relu else y).astype(np.float32)


def qconv(x, table, w, b, scale, x_zero, relu, add=None, add_zero=0, add_scale=0.0) -> np.ndarray:
    """Floats before they are rounded to bytes, each operation rounded to float32."""
    total = gathered(x.astype(np.int64) - x_zero, table) @ w.astype(np.float64) + b
    f = total.astype(np.float32) * scale
    if add is not None:
        f = f + (add.astype(np.int32) - add_zero).astype(np.float32) * np.float32(add_scale)
    return np.where(f < 0, np.float32(0), f) if relu else f


def to_bytes(f: np.ndarray, y_zero: int, relu: bool) -> np.ndarray:
    return np.clip(np.rint(f.astype(np.float64)) + y_zero, y_zero if relu else 0, 255).astype(np.uint8)


def model(nodes, inputs, outputs, constants) -> bytes:
    if any("alone" in node.input for node in nodes):
        # No table: each row is its own input.
        constants = constants | {"alone": np.zeros((0, 0), np.int32)}
    initializers = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    values = [[helper.make_tensor_value_info(*value) for value in side] for side in (inputs, outputs)]
    graph = helper.make_graph(nodes, "sparse", *values, initializers)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.isobath", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString(deterministic=True)


def op(kind: str, operands: list[str], results: list[str], **attributes):
    return helper.make_node(kind, operands, results, name=results[0], domain="ai.isobath", **attributes)


def site_tables():
    return op("SiteTables", ["coords"], TABLES, rows=ROWS, columns=COLUMNS, levels=LEVELS)


def up(value: str, result: str):
    return helper.make_node("Gather", [value, "parent_1"], [result], axis=0)


TABLE_OUTPUTS = [(name, I32, ["n", 9] if name[0] in "nd" else ["n"]) for name in TABLES]


def float_network(random: np.random.Generator):
    """A layer, one of stride 2, one there, back by `Gather`, and a layer without a table onto the first."""
    sizes = {"0": (9 * INPUTS, HIDDEN), "1": (9 * HIDDEN, 20), "2": (9 * 20, 20), "3": (20, HIDDEN)}
    c = {f"w{i}": random.normal(0, 0.3, size).astype(np.float32) for i, size in sizes.items()}
    c |= {f"b{i}": random.normal(0, 0.3, size[1]).astype(np.float32) for i, size in sizes.items()}
    nodes = [
        site_tables(),
        op("SparseConv", ["x", "near_0", "w0", "b0"], ["first"], relu=1),
        op("SparseConv", ["first", "down_1", "w1", "b1"], ["half"], relu=1),
        op("SparseConv", ["half", "near_1", "w2", "b2", "half"], ["again"], relu=1),
        up("again", "back"),
        op("SparseConv", ["back", "alone", "w3", "b3", "first"], ["y"]),
    ]
    inputs = [("coords", I32, ["v", 2]), ("x", F32, ["v", INPUTS])]
    outputs = [("y", F32, ["v", HIDDEN]), *TABLE_OUTPUTS]

    def run(t, x):
        first = conv(x, t["near_0"], c["w0"], c["b0"], relu=True)
        half = conv(first, t["down_1"], c["w1"], c["b1"], relu=True)
        again = conv(half, t["near_1"], c["w2"], c["b2"], half, relu=True)
        return conv(again[t["parent_1"]], None, c["w3"], c["b3"], first)

    return model(nodes, inputs, outputs, c), run


def int8_network(random: np.random.Generator):
    """The same in 8 bits; the last layer gives floats."""
    sizes = {"0": (9 * INPUTS, HIDDEN), "1": (9 * HIDDEN, 20), "2": (9 * 20, 20), "3": (20, OUTPUTS)}
    c = {f"w{i}": random.integers(-128, 128, size).astype(np.int8) for i, size in sizes.items()}
    c |= {f"b{i}": random.integers(-9000, 9000, size[1]).astype(np.int32) for i, size in sizes.items()}
    c |= {f"s{i}": random.uniform(5e-4, 5e-3, size[1]).astype(np.float32) for i, size in sizes.items()}
    onto = {"add_zero": 4, "add_scale": 0.3}
    nodes = [
        site_tables(),
        op("QSparseConv", ["x", "near_0", "w0", "b0", "s0"], ["first"], x_zero=131, y_zero=0, relu=1),
        op("QSparseConv", ["first", "down_1", "w1", "b1", "s1"], ["half"], x_zero=0, y_zero=120, relu=0),
        op(
            "QSparseConv", ["half", "near_1", "w2", "b2", "s2", "half"], ["again"],
            x_zero=120, y_zero=9, relu=1, **onto,
        ),
        up("again", "back"),
        op("QSparseConvFloat", ["back", "alone", "w3", "b3", "s3"], ["y"], x_zero=9, relu=1),
    ]
    inputs = [("coords", I32, ["v", 2]), ("x", U8, ["v", INPUTS])]
    outputs = [("y", F32, ["v", OUTPUTS]), ("again", U8, ["n", 20])]

    def layer(i, x, table, x_zero, relu, *add):
        return qconv(x, table, c[f"w{i}"], c[f"b{i}"], c[f"s{i}"], x_zero, relu, *add)

    def run(t, x):
        first = to_bytes(layer(0, x, t["near_0"], 131, True), 0, True)
        half = to_bytes(layer(1, first, t["down_1"], 0, False), 120, False)
        again = to_bytes(layer(2, half, t["near_1"], 120, True, half, 4, 0.3), 9, True)
        return layer(3, again[t["parent_1"]], None, 9, True), again

    return model(nodes, inputs, outputs, c), run


def cases(run_float, run_int8, random: np.random.Generator) -> dict[str, np.ndarray]:
    cells = np.array([(r, c) for r in range(ROWS) for c in range(COLUMNS)], np.int32)
    patterns = {
        "empty": cells[:0],
        "corner": cells[-1:],
        "sparse": cells[random.random(len(cells)) < 0.2],
        "half": cells[random.random(len(cells)) < 0.5],
        "full": cells,
    }
    arrays = {}
    for name, coords in patterns.items():
        t = tables(coords)
        x = random.normal(0, 1, (len(coords), INPUTS)).astype(np.float32)
        q = random.integers(0, 256, (len(coords), INPUTS)).astype(np.uint8)
        y_q, again = run_int8(t, q)
        arrays |= {f"{name}_{table}": values for table, values in t.items()}
        arrays |= {f"{name}_coords": coords, f"{name}_x": x, f"{name}_y": run_float(t, x)}
        arrays |= {f"{name}_qx": q, f"{name}_qy": y_q, f"{name}_again": again}
    return arrays


def write_sparse_depth(random: np.random.Generator) -> None:
    """Depth and confidence of each pixel from its three colours alone."""
    rows, columns = 8, 12
    image, plane = [1, 3, rows, columns], [1, 1, rows, columns]
    c = {
        "w": np.array([[1.5, 0.1], [0.5, 0.2], [2.0, 0.3]], np.float32),
        "b": np.array([2.0, 0.1], np.float32),
        "pixels": np.array([rows * columns, 3], np.int64),
        "planes": np.array([1, 2, rows, columns], np.int64),
    }
    nodes = [
        helper.make_node("Transpose", ["image"], ["last"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", ["last", "pixels"], ["x"]),
        op("SparseConv", ["x", "alone", "w", "b"], ["y"], relu=1),
        helper.make_node("Transpose", ["y"], ["first"], perm=[1, 0]),
        helper.make_node("Reshape", ["first", "planes"], ["both"]),
        helper.make_node("Split", ["both"], ["depth", "confidence"], axis=1),
    ]
    outputs = [("depth", F32, plane), ("confidence", F32, plane)]
    data = model(nodes, [("image", F32, image)], outputs, c)
    golden = random.uniform(0.0, 1.0, image).astype(np.float32)
    y = conv(golden[0].reshape(3, -1).T, None, c["w"], c["b"], relu=True).T.reshape(1, 2, rows, columns)
    tensor = {"dtype": "float32"}
    manifest = {
        "kind": "depth",
        "architecture": "test",
        "depth": {
            "min_m": 0.2, "max_m": 10.0, "mean": [0.0] * 3, "std": [1.0] * 3, "fusion": "none", "uses_prior": False,
        },
        "licence": "Apache-2.0",
        "training_data": "none",
        "measured": {},
        "files": {
            "sparse_fp32": {"path": "model.onnx", "sha256": hashlib.sha256(data).hexdigest(), "ops": "ai.isobath"},
        },
        "inputs": [{"name": "image", "role": "image", "shape": image} | tensor],
        "outputs": [{"name": n, "role": n, "shape": plane} | tensor for n in ("depth", "confidence")],
        "golden": {"path": "golden.npz", "tolerance": {"sparse_fp32": {"cpu": {"abs": 1e-5, "rel": 1e-5}}}},
    }
    folder = DATA / "sparse_depth"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(data)
    (folder / "model.yaml").write_text(yaml(manifest) + "\n")
    arrays = {"input_image": golden, "output_depth": y[:, :1], "output_confidence": y[:, 1:]}
    (folder / "golden.npz").write_bytes(npz(arrays))
    card = "A test model without any use: a layer over pixels in an operator of `ai.isobath`."
    (folder / "README.md").write_text(f"# sparse_depth\n\n{card} Made by `tests/golden/sparse_models.py`.\n")


def main() -> None:
    random = np.random.default_rng(11)
    out = DATA / "sparse"
    out.mkdir(parents=True, exist_ok=True)
    float_model, run_float = float_network(random)
    int8_model, run_int8 = int8_network(random)
    (out / "float.onnx").write_bytes(float_model)
    (out / "int8.onnx").write_bytes(int8_model)
    (out / "cases.npz").write_bytes(npz(cases(run_float, run_int8, random)))
    constants = {"w": np.ones((9 * 2, 3), np.float32), "b": np.zeros(3, np.float32)}
    layer = [op("SparseConv", ["x", "table", "w", "b"], ["y"])]
    x, table, y = ("x", F32, ["v", "c"]), ("table", I32, ["m", "k"]), ("y", F32, ["m", "c"])
    (out / "table.onnx").write_bytes(model(layer, [x, table], [y], constants))
    loose = {"b": constants["b"]}
    inputs = [x, table, ("w", F32, ["k", "c"])]
    (out / "loose.onnx").write_bytes(model(layer, inputs, [y], loose))
    write_sparse_depth(random)


if __name__ == "__main__":
    main()
