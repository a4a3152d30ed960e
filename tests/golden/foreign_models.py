"""Tiny detectors with the interfaces that other projects export, random weights, and the boxes they give.

    python tests/golden/foreign_models.py

Needs numpy, onnx, onnxruntime and the training package. Writes model folders to tests/data/models/ and, for each,
a sweep with its boxes to foreign_models.npz: `<model>_points` (x y z intensity) and `<model>_boxes` (x y z length
width height yaw score class). The boxes are computed here from the points on, in float64 but for the networks,
and share no code with the library: pillars, features, scatter, decoding and suppression.
"""

import hashlib
from collections import defaultdict
from pathlib import Path

import numpy as np
from isobath_training.folder import npz, run, yaml
from onnx import TensorProto, checker, helper, numpy_helper

TESTS = Path(__file__).resolve().parent.parent
RANGE = [-6.4, -3.2, -3.0, 6.4, 3.2, 2.0]
VOXEL = [0.4, 0.4, 5.0]
NX, NY, STRIDE, POINTS, CHANNELS = 32, 16, 2, 8, 8
CLASSES = ["car", "pedestrian", "cyclist"]
SCORE = 0.4
TYPES = {"float32": TensorProto.FLOAT, "int32": TensorProto.INT32}
AUTOWARE = {
    9: "x y z time x_from_mean y_from_mean z_from_mean x_from_center y_from_center",
    10: "x y z time x_from_mean y_from_mean z_from_mean x_from_center y_from_center z_from_center",
    11: "x y z intensity time x_from_mean y_from_mean z_from_mean x_from_center y_from_center z_from_center",
}
ANCHORS = {
    # As mmdeploy exports it.
    "pointpillars": {
        "sizes": [[0.8, 0.6, 1.73], [1.76, 0.6, 1.73], [3.9, 1.6, 1.56]],
        "bottoms": [-0.6, -0.6, -1.78],
        "rotations": [0.0, 1.57],
        "placement": "cell_centers",
        "direction": {"bins": 2, "offset": 0.7854, "limit_offset": 0.0},
    },
    # As OpenPCDet exports it: channels last, features outside the network, other anchors.
    "pointpillars_channels_last": {
        "sizes": [[3.9, 1.6, 1.56], [0.8, 0.6, 1.73]],
        "bottoms": [-1.78, -0.6],
        "rotations": [0.0, 1.57, 0.785],
        "placement": "range_ends",
        "direction": {"bins": 4, "offset": -0.5, "limit_offset": 0.5},
    },
}
PILLAR_FEATURES = {
    "pointpillars": "x y z intensity",
    "pointpillars_channels_last": (
        "x y z intensity x_from_mean y_from_mean z_from_mean x_from_center y_from_center z_from_center"
    ),
}


class Net:
    """Nodes and weights of one ONNX file."""

    def __init__(self, name, seed):
        self.name, self.random = name, np.random.default_rng(seed)
        self.nodes, self.weights = [], []

    def weight(self, array):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def normal(self, *shape, scale=1.0):
        return self.weight((self.random.normal(size=shape) * scale).astype(np.float32))

    def op(self, kind, inputs, output=None, **attributes):
        output = output or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def conv(self, value, into, out, kernel, output=None, stride=1, scale=1.0, bias=0.0):
        shape = (out, into, kernel, kernel)
        weights = self.normal(*shape, scale=scale / np.sqrt(into * kernel * kernel))
        bias = self.weight(np.full(out, bias, np.float32))
        pads = [kernel // 2] * 4
        return self.op(
            "Conv", [value, weights, bias], output, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=pads
        )

    def encode(self, value, features):
        """Linear, ReLU and maximum over the points of each pillar, as PointPillars has it: [V, 1, CHANNELS]."""
        linear = self.op("MatMul", [value, self.normal(features, CHANNELS, scale=0.5)])
        linear = self.op("Relu", [self.op("Add", [linear, self.normal(CHANNELS, scale=0.3)])])
        return self.op("ReduceMax", [linear], axes=[1], keepdims=1)

    def model(self, inputs, outputs):
        def info(tensors):
            return [helper.make_tensor_value_info(n, TYPES[t], s) for n, _, s, t in tensors]

        graph = helper.make_graph(self.nodes, self.name, info(inputs), info(outputs), self.weights)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        checker.check_model(made, full_check=True)
        return made.SerializeToString(deterministic=True)


def autoware(features):
    encoder = Net("encoder", features)
    encoder.op("Identity", [encoder.encode("input_features", features)], "pillar_features")
    pillars = [("input_features", "features", ["pillars", POINTS, features], "float32")]
    encoded = [("pillar_features", "pillar_features", ["pillars", 1, CHANNELS], "float32")]
    head = Net("backbone_neck_head", 20 + features)
    value = head.op("Relu", [head.conv("spatial_features", CHANNELS, 8, 3, stride=STRIDE)])
    size = [NY // STRIDE, NX // STRIDE]
    outputs = []
    # Real heads are named so; scales and biases make boxes of all sizes, some over others.
    for name, role, channels, scale, bias in [
        ("heatmap", "heatmap", len(CLASSES), 1.5, -0.8),
        ("reg", "offset", 2, 1.0, 0.5),
        ("height", "height", 1, 1.0, -1.0),
        ("dim", "size", 3, 0.8, 0.3),
        ("rot", "rotation", 2, 2.0, 0.0),
        ("vel", "velocity", 2, 1.0, 0.0),
    ]:
        head.conv(value, 8, channels, 1, name, scale=scale, bias=bias)
        outputs.append((name, role, [1, channels, *size], "float32"))
    spatial = [("spatial_features", "spatial_features", [1, CHANNELS, NY, NX], "float32")]
    return (encoder.model(pillars, encoded), pillars, encoded), (head.model(spatial, outputs), spatial, outputs)


def pointpillars(name):
    last, wanted, settings = name != "pointpillars", len(PILLAR_FEATURES[name].split()), ANCHORS[name]
    net = Net(name, 6 if last else 5)
    count = net.op("Cast", ["num_points"], to=TensorProto.FLOAT)
    count = net.op("Reshape", [count, net.weight(np.array([-1, 1, 1], np.int64))])
    xyz = [net.weight(np.array([v], np.int64)) for v in (0, 3, 2)]
    places = net.op("Slice", ["voxels", *xyz])
    sums = net.op("ReduceSum", [places, net.weight(np.array([1], np.int64))], keepdims=1)
    offsets = net.op("Sub", [places, net.op("Div", [sums, count])])
    # Rows of points that are not there stay zero.
    index = net.weight(np.arange(POINTS, dtype=np.float32).reshape(1, POINTS, 1))
    there = net.op("Cast", [net.op("Less", [index, count])], to=TensorProto.FLOAT)
    features = net.op("Mul", [net.op("Concat", ["voxels", offsets], axis=2), there])
    encoded = net.op("Squeeze", [net.encode(features, wanted + 3), net.weight(np.array([1], np.int64))])
    # The cell is y · NX + x of (batch, z, y, x).
    cells = net.op("Cast", ["coors"], to=TensorProto.INT64)
    cells = net.op("Mul", [cells, net.weight(np.array([[0, 0, NX, 1]], np.int64))])
    cells = net.op("ReduceSum", [cells, net.weight(np.array([1], np.int64))], keepdims=1)
    empty = net.weight(np.zeros((NX * NY, CHANNELS), np.float32))
    plane = net.op("Transpose", [net.op("ScatterND", [empty, cells, encoded])], perm=[1, 0])
    plane = net.op("Reshape", [plane, net.weight(np.array([1, CHANNELS, NY, NX], np.int64))])
    value = net.op("Relu", [net.conv(plane, CHANNELS, 8, 3, stride=STRIDE)])
    size, anchors = [NY // STRIDE, NX // STRIDE], len(settings["sizes"]) * len(settings["rotations"])
    outputs = []
    for name, role, channels, scale, bias in [
        ("cls_score", "scores", anchors * len(CLASSES), 1.5, -1.5),
        ("bbox_pred", "boxes", anchors * 7, 0.5, 0.0),
        ("dir_cls_pred", "directions", anchors * settings["direction"]["bins"], 2.0, 0.0),
    ]:
        made = net.conv(value, 8, channels, 1, None if last else name, scale=scale, bias=bias)
        if last:
            net.op("Transpose", [made], name, perm=[0, 2, 3, 1])
        outputs.append((name, role, [1, *size, channels] if last else [1, channels, *size], "float32"))
    inputs = [
        ("voxels", "features", ["pillars", POINTS, wanted], "float32"),
        ("num_points", "counts", ["pillars"], "int32"),
        ("coors", "coords", ["pillars", 4], "int32"),
    ]
    return net.model(inputs, outputs), inputs, outputs


def sweep(seed):
    """Points around a few places and some outside the range, never more in a pillar than one takes."""
    random = np.random.default_rng(seed)
    places = random.uniform([-6, -3, -2], [6, 3, 0], (30, 3))
    points = np.concatenate([
        places[random.integers(0, 30, 260)] + random.normal(0, 0.4, (260, 3)),
        random.uniform([-9, -5, -4], [9, 5, 3], (140, 3)),
    ])
    points = np.column_stack([points, random.uniform(0, 1, len(points))]).astype(np.float32)
    kept, counts = [], defaultdict(int)
    for point in points:
        cell = tuple(np.floor((point[:2] - np.float32(RANGE[:2])) / np.float32(VOXEL[:2])).astype(int))
        counts[cell] += 1
        if counts[cell] <= POINTS:
            kept.append(point)
    return np.array(kept)


def pillars(points):
    """Cell (x, y) → its points."""
    low, high = np.float32(RANGE[:3]), np.float32(RANGE[3:])
    found = defaultdict(list)
    for point in points:
        if (point[:3] >= low).all() and (point[:3] < high).all():
            x, y = np.floor((point[:2] - low[:2]) / np.float32(VOXEL[:2])).astype(int)
            found[x, y].append(point.astype(np.float64))
    return {cell: np.array(found[cell]) for cell in sorted(found)}


def features(cells, names, intensity_scale):
    out = np.zeros((len(cells), POINTS, len(names)), np.float32)
    for i, ((x, y), points) in enumerate(cells.items()):
        mean = points[:, :3].mean(0)
        middle = np.array([RANGE[0] + (x + 0.5) * VOXEL[0], RANGE[1] + (y + 0.5) * VOXEL[1], -0.5])
        columns = dict(zip("xyz", points.T[:3], strict=True))
        columns |= {"intensity": points[:, 3] * intensity_scale, "time": np.zeros(len(points))}
        columns |= {f"{a}_from_mean": points[:, k] - mean[k] for k, a in enumerate("xyz")}
        columns |= {f"{a}_from_center": points[:, k] - middle[k] for k, a in enumerate("xyz")}
        out[i, : len(points)] = np.stack([columns[name] for name in names], 1)
    return out


def corners(box):
    x, y, _, length, width, _, yaw = box[:7]
    turn = np.array([[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]])
    half = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * [length / 2, width / 2]
    return half @ turn.T + [x, y]


def inside(points, box):
    turn = np.array([[np.cos(box[6]), np.sin(box[6])], [-np.sin(box[6]), np.cos(box[6])]])
    local = np.abs((points - box[:2]) @ turn.T)
    return (local <= box[3:5] / 2 + 1e-9).all(1)


def overlap(a, b):
    """Intersection over union: the corners of one in the other and where edges cross, around their middle."""
    p, q = corners(a), corners(b)
    found = [*p[inside(p, b)], *q[inside(q, a)]]
    for i in range(4):
        for j in range(4):
            r, s, d = p[i - 3] - p[i], q[j - 3] - q[j], q[j] - p[i]
            cross = r[0] * s[1] - r[1] * s[0]
            if abs(cross) > 1e-12:
                t, u = (d[0] * s[1] - d[1] * s[0]) / cross, (d[0] * r[1] - d[1] * r[0]) / cross
                if 0 <= t <= 1 and 0 <= u <= 1:
                    found.append(p[i] + t * r)
    if len(found) < 3:
        return 0.0
    found = np.array(found)
    around = found - found.mean(0)
    x, y = found[np.argsort(np.arctan2(around[:, 1], around[:, 0]))].T
    area = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    return area / (a[3] * a[4] + b[3] * b[4] - area)


def clear(value, limit):
    """A value that float32 does not bring to the other side of a limit; else take another seed."""
    assert abs(value - limit) > 1e-5, (value, limit)
    return value


def ranked(boxes):
    """By descending score."""
    boxes = sorted(map(np.array, boxes), key=lambda b: -b[7])
    assert min(a[7] - b[7] for a, b in zip(boxes, boxes[1:], strict=False)) > 1e-6, "scores too close"
    return boxes


def suppress(boxes, measure, sign, limit):
    """Keeps a box unless `measure` with a better one is beyond the limit."""
    kept = []
    for box in boxes:
        if not any(sign * clear(measure(better, box), limit) > sign * limit for better in kept):
            kept.append(box)
    return kept


def nearness(a, b):
    return np.hypot(a[0] - b[0], a[1] - b[1])


def overlap_in_class(a, b):
    return overlap(a, b) if a[8] == b[8] else 0.0


def decode_autoware(out):
    heat, reg, height, dim, rot = (out[n][0].astype(np.float64) for n in ("heatmap", "reg", "height", "dim", "rot"))
    boxes = []
    for y in range(heat.shape[1]):
        for x in range(heat.shape[2]):
            score = 1 / (1 + np.exp(-heat[:, y, x].max()))
            if clear(score, SCORE) < SCORE:
                continue
            px = VOXEL[0] * STRIDE * (x + reg[0, y, x]) + RANGE[0]
            py = VOXEL[1] * STRIDE * (y + reg[1, y, x]) + RANGE[1]
            w, l, h = np.exp(dim[:, y, x])
            yaw = -np.arctan2(rot[0, y, x], rot[1, y, x]) - np.pi / 2
            boxes.append([px, py, height[0, y, x], l, w, h, yaw, score, heat[:, y, x].argmax()])
    boxes = suppress(ranked(boxes), nearness, -1, 0.5)
    return suppress(boxes, overlap, 1, 0.1)


def decode_anchors(out, settings):
    order = [out[n][0].astype(np.float64) for n in ("cls_score", "bbox_pred", "dir_cls_pred")]
    if order[1].shape[0] == NY // STRIDE:
        order = [tensor.transpose(2, 0, 1) for tensor in order]
    score, code, direction = order
    rows, cols = score.shape[1:]
    turns, bins = len(settings["rotations"]), settings["direction"]["bins"]
    offset, limit = settings["direction"]["offset"], settings["direction"]["limit_offset"]
    centers = settings["placement"] == "cell_centers"
    along_x = np.linspace(RANGE[0], RANGE[3], cols + 1)[:-1] + (RANGE[3] - RANGE[0]) / cols / 2
    along_y = np.linspace(RANGE[1], RANGE[4], rows + 1)[:-1] + (RANGE[4] - RANGE[1]) / rows / 2
    if not centers:
        along_x, along_y = np.linspace(RANGE[0], RANGE[3], cols), np.linspace(RANGE[1], RANGE[4], rows)
    boxes = []
    for y in range(rows):
        for x in range(cols):
            for a in range(turns * len(settings["sizes"])):
                (l, w, h), bottom = settings["sizes"][a // turns], settings["bottoms"][a // turns]
                logits = score[a * 3 : a * 3 + 3, y, x]
                probability = 1 / (1 + np.exp(-logits.max()))
                if clear(probability, SCORE) < SCORE:
                    continue
                t = code[a * 7 : a * 7 + 7, y, x]
                diagonal = np.sqrt(l * l + w * w)
                place = [t[0] * diagonal + along_x[x], t[1] * diagonal + along_y[y], t[2] * h + bottom + h / 2]
                yaw, period = t[6] + settings["rotations"][a % turns] - offset, 2 * np.pi / bins
                label = direction[a * bins : a * bins + bins, y, x].argmax()
                yaw = yaw - np.floor(yaw / period + limit) * period + offset + period * label
                boxes.append([*place, *(np.exp(t[3:6]) * [l, w, h]), yaw, probability, logits.argmax()])
    return suppress(ranked(boxes), overlap_in_class, 1, 0.01)


def write(name, detection, files, tensors, golden):
    """The folder of one model; `files` are (suffix of the key, file name, bytes)."""
    out = TESTS / "data/models" / name
    out.mkdir(parents=True, exist_ok=True)

    def entry(path, data):
        (out / path).write_bytes(data)
        return {"path": path, "sha256": hashlib.sha256(data).hexdigest(), "ops": "standard"}

    def listed(side):
        return [{"name": n, "role": r, "shape": s, "dtype": t} for n, r, s, t in side]

    made = entry(*files["model"])
    if "encoder" in files:
        made["encoder"] = entry(*files["encoder"])
    manifest = {
        "kind": "detection",
        "architecture": "test, random weights",
        "detection": {
            "range": RANGE,
            "voxel_size": VOXEL,
            "stride": STRIDE,
            "classes": CLASSES,
            "score_threshold": 0.5,
            **detection,
        },
        "licence": "Apache-2.0",
        "training_data": "none",
        "files": {"fp32": made},
        "inputs": listed(tensors["model"][0]),
        "outputs": listed(tensors["model"][1]),
    }
    if "encoder" in tensors:
        manifest["encoder"] = {"inputs": listed(tensors["encoder"][0]), "outputs": listed(tensors["encoder"][1])}
    manifest["max_rows"] = {"pillars": 400}
    tolerance = {"fp32": {"cpu": {"abs": 1e-4, "rel": 1e-4}}}
    manifest["golden"] = {"path": "golden.npz", "tolerance": tolerance}
    (out / "golden.npz").write_bytes(npz(golden))
    (out / "model.yaml").write_text(yaml(manifest) + "\n")
    card = f"# {name}\n\nA test model with random weights. Made by `tests/golden/foreign_models.py`.\n"
    (out / "README.md").write_text(card)


def by_role(tensors, arrays, side):
    return {f"{side}_{role}": arrays[name] for name, role, _, _ in tensors}


def make_autoware(count):
    names = AUTOWARE[count].split()
    scale = 2.0 if count == 11 else 1.0
    (encoder, enc_in, enc_out), (head, head_in, head_out) = autoware(count)
    points = sweep(count)
    cells = pillars(points)
    inputs = {"input_features": features(cells, names, scale)}
    encoded = run(encoder, inputs)
    spatial = np.zeros((1, CHANNELS, NY, NX), np.float32)
    for (x, y), row in zip(cells, encoded["pillar_features"], strict=True):
        spatial[0, :, y, x] = row[0]
    out = run(head, {"spatial_features": spatial})
    golden = by_role(enc_in, {"input_features": inputs["input_features"][:4]}, "input")
    golden |= by_role(enc_out, run(encoder, {"input_features": inputs["input_features"][:4]}), "output")
    golden |= {"input_spatial_features": spatial} | by_role(head_out, out, "output")
    detection = {"interface": "autoware_centerpoint", "features": names, "intensity_scale": scale}
    files = {"model": ("head.onnx", head), "encoder": ("encoder.onnx", encoder)}
    tensors = {"model": (head_in, head_out), "encoder": (enc_in, enc_out)}
    name = f"autoware_{count}"
    write(name, detection, files, tensors, golden)
    return {f"{name}_points": points, f"{name}_boxes": np.array(decode_autoware(out))}


def make_pointpillars(name):
    data, inputs, outputs = pointpillars(name)
    points = sweep(77)
    cells = pillars(points)
    names = PILLAR_FEATURES[name].split()
    feed = {
        "voxels": features(cells, names, 1.0),
        "num_points": np.array([len(p) for p in cells.values()], np.int32),
        "coors": np.array([[0, 0, y, x] for x, y in cells], np.int32),
    }
    out = run(data, feed)
    few = {name: array[:5] for name, array in feed.items()}
    golden = by_role(inputs, few, "input") | by_role(outputs, run(data, few), "output")
    detection = {"interface": "pointpillars", "features": names, "anchors": ANCHORS[name]}
    write(name, detection, {"model": ("model.onnx", data)}, {"model": (inputs, outputs)}, golden)
    return {f"{name}_points": points, f"{name}_boxes": np.array(decode_anchors(out, ANCHORS[name]))}


def main():
    arrays = {}
    for count in AUTOWARE:
        arrays |= make_autoware(count)
    for name in ANCHORS:
        arrays |= make_pointpillars(name)
    (TESTS / "golden/foreign_models.npz").write_bytes(npz(arrays))


if __name__ == "__main__":
    main()
