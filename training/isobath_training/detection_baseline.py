"""Boxes from a bird's-eye view by classical means, written as one ONNX graph.

Cells that stand above the local ground form components by 8-connectivity at 0.8 m. Extremes of
each component along eight directions, spread to all its cells by repeated max pooling, give the
rectangle of least perimeter; size and height give the class.
"""

import numpy as np

from .folder import Folder
from .graph import Graph

ROWS = COLUMNS = 256
CELL_M = 0.4
RANGE_M = 51.2
CLASSES = ["car", "truck", "bus", "bicycle", "pedestrian", "forklift", "pallet"]
# Length, width, height of the usual member of each class, metres.
PRIOR = np.array(
    [
        [4.3, 1.8, 1.55],
        [8.0, 2.5, 3.0],
        [11.0, 2.6, 3.1],
        [1.8, 0.65, 1.65],
        [0.7, 0.7, 1.72],
        [2.6, 1.2, 2.15],
        [1.2, 0.9, 0.8],
    ],
    np.float32,
)
# Trapezoids (0 below a, 1 from b to c, 0 above d) of a component's long side, short side and height.
LONG = [
    (1.7, 2.6, 4.9, 5.8), (4.6, 5.6, 9.0, 10.0), (7.5, 9.5, 11.6, 12.6), (1.1, 1.4, 2.1, 2.5),
    (-1.0, 0.0, 0.9, 1.4), (1.1, 1.7, 3.2, 4.0), (0.6, 0.9, 1.4, 1.7),
]  # fmt: skip
SHORT = [
    (-1.0, 0.0, 2.1, 2.6), (-1.0, 0.0, 2.7, 3.2), (-1.0, 0.0, 2.8, 3.2), (-1.0, 0.0, 0.8, 1.3),
    (-1.0, 0.0, 0.8, 1.2), (0.3, 0.7, 1.4, 1.9), (-1.0, 0.0, 1.1, 1.4),
]  # fmt: skip
HEIGHT = [
    (0.8, 1.2, 1.75, 2.2), (1.9, 2.4, 3.7, 4.2), (2.2, 2.7, 3.5, 4.0), (0.9, 1.2, 1.75, 2.0),
    (1.1, 1.4, 1.9, 2.15), (1.7, 2.0, 2.3, 2.6), (0.25, 0.4, 1.0, 1.3),
]  # fmt: skip
# No class is certain from its outline alone.
CEILING = [0.9, 0.8, 0.8, 0.55, 0.75, 0.55, 0.35]
# A component is above the ground by this much, and not a crown or a bridge.
MIN_HEIGHT_M, MAX_HEIGHT_M, MAX_BOTTOM_M = 0.3, 4.5, 1.6
DIRECTIONS = 8
# Steps of 0.8 m: the longest class from end to end and round a corner.
STEPS = 18
FAR = np.float32(1e4)


def cell_centers() -> tuple[np.ndarray, np.ndarray]:
    """x by row [1, 1, rows, 1] and y by column [1, 1, 1, columns] of the cell centres, metres."""
    line = (np.arange(ROWS, dtype=np.float32) + 0.5) * np.float32(CELL_M) - np.float32(RANGE_M)
    return line.reshape(1, 1, -1, 1), line.reshape(1, 1, 1, -1)


def trapezoid(g: Graph, value: str, corners: list[tuple[float, ...]]) -> str:
    """[1, 1, H, W] against one trapezoid a class → [1, classes, H, W]."""
    a, b, c, d = (np.array(k, np.float32).reshape(1, -1, 1, 1) for k in zip(*corners, strict=True))
    rise = g.mul(g.sub(value, a), (1 / (b - a)).astype(np.float32))
    fall = g.mul(g.sub(d, value), (1 / (d - c)).astype(np.float32))
    return g.op("Clip", g.min(rise, fall), np.float32(0), np.float32(1))


def local_ground(g: Graph, occupied: str, low: str) -> str:
    """Lowest return within about 5 m, at most 0.5 m above the lowest within about 18 m."""
    depth = g.where(occupied, g.op("Neg", low), -FAR)
    near = g.max_pool(g.max_pool(g.max_pool(depth, 4, 4, 4), 1, 3), 3, 1)
    wide = g.max_pool(g.max_pool(near, 1, 9), 9, 1)
    ground = g.min(g.op("Neg", near), g.sub(np.float32(0.5), wide))
    # Where nothing was seen the value is a sentinel; it must not enter the average.
    seen = g.greater(near, -FAR / 2)
    sums = g.op("Concat", g.mul(ground, seen), seen, axis=1)
    mean = g.op("AveragePool", sums, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
    smooth = g.div(g.channels(mean, 0, 1), g.max(g.channels(mean, 1, 2), np.float32(1e-6)))
    return g.resize(g.min(smooth, g.add(ground, np.float32(0.2))), 4)


def build() -> Graph:
    g = Graph("detection_baseline")
    bev = g.input("bev", [1, 5, ROWS, COLUMNS])
    occupied, top, bottom = (g.channels(bev, i, i + 1) for i in range(3))
    ground = local_ground(g, occupied, bottom)
    top, bottom = g.sub(top, ground), g.sub(bottom, ground)
    mask = g.mul(occupied, g.greater(top, np.float32(MIN_HEIGHT_M)))
    mask = g.mul(mask, g.sub(np.float32(1), g.greater(bottom, np.float32(MAX_BOTTOM_M))))

    # Channels to spread: a key of each cell, the top, the count, then ± each direction's projection.
    x, y = cell_centers()
    angles = np.arange(DIRECTIONS) * np.pi / (2 * DIRECTIONS)
    cos, sin = (f(angles).astype(np.float32).reshape(1, -1, 1, 1) for f in (np.cos, np.sin))
    # Built from lines by broadcasting: as tensors they would be most of the file.
    along = g.add(g.mul(cos, x), g.mul(sin, y))
    across = g.sub(g.mul(cos, y), g.mul(sin, x))
    fields = g.op("Concat", along, across, axis=1)
    spread = g.op("Concat", top, fields, g.op("Neg", fields), axis=1)
    half_mask = g.max_pool(mask, 2, 2, 2)
    floor = g.mul(g.sub(half_mask, np.float32(1)), FAR)
    spread = g.max_pool(g.where(mask, spread, -FAR), 2, 2, 2)
    half = ROWS // 2
    key = (np.arange(half * half, dtype=np.float32) + 1).reshape(1, 1, half, half)
    value = g.op("Concat", g.mul(half_mask, key), spread, axis=1)
    for _ in range(STEPS):
        # A large negative floor keeps the empty cells from passing anything on.
        value = g.add(g.max_pool(value, 3, 3), floor)
    value = g.max(value, -FAR)
    root = g.mul(half_mask, g.op("Cast", g.op("Equal", g.channels(value, 0, 1), key), to=1))

    height = g.channels(value, 1, 2)
    count = 2 * DIRECTIONS
    high, low = g.channels(value, 2, 2 + count), g.op("Neg", g.channels(value, 2 + count, 2 + 2 * count))
    # From centre to centre is the true length on average, but a lone cell has some size.
    extent = g.max(g.sub(high, low), np.float32(CELL_M))
    middle = g.mul(g.add(high, low), np.float32(0.5))
    u, v = g.channels(extent, 0, DIRECTIONS), g.channels(extent, DIRECTIONS, count)
    # Two sides of a box look like an L, whose tightest area is the same along its hypotenuse; the
    # perimeter is always least along the sides.
    # A millimetre a direction settles ties the same way on every processor's rounding.
    order = 1e-3 * np.arange(DIRECTIONS, dtype=np.float32).reshape(1, -1, 1, 1)
    around = g.add(g.add(u, v), order)
    least = g.op("ReduceMin", around, axes=[1], keepdims=1)
    best = g.op("Cast", g.op("Equal", around, least), to=1)
    first = g.op("Sub", np.float32(1), g.greater(g.op("CumSum", best, np.int64(1)), np.float32(1)))
    best = g.mul(best, first)

    def chosen(values: str) -> str:
        return g.op("ReduceSum", g.mul(values, best), np.array([1], np.int64), keepdims=1)

    extent_u, extent_v = chosen(u), chosen(v)
    middle_u = chosen(g.channels(middle, 0, DIRECTIONS))
    middle_v = chosen(g.channels(middle, DIRECTIONS, count))
    line = angles.reshape(1, -1, 1, 1)
    cos, sin = chosen(np.cos(line).astype(np.float32)), chosen(np.sin(line).astype(np.float32))

    long, short = g.max(extent_u, extent_v), g.min(extent_u, extent_v)
    scores = g.mul(g.mul(trapezoid(g, long, LONG), trapezoid(g, short, SHORT)), trapezoid(g, height, HEIGHT))
    scores = g.mul(g.mul(scores, np.array(CEILING, np.float32).reshape(1, -1, 1, 1)), root)
    best_class = g.op("ReduceMax", scores, axes=[1], keepdims=1)
    # One class a component: the runner-up would be a second box in the same place.
    scores = g.mul(scores, g.op("Cast", g.op("GreaterOrEqual", scores, best_class), to=1))
    winner = g.greater(scores, np.float32(0))
    share = g.max(g.op("ReduceSum", winner, np.array([1], np.int64), keepdims=1), np.float32(1))
    prior = [
        g.div(
            g.op("ReduceSum", g.mul(winner, PRIOR[:, i].reshape(1, -1, 1, 1)), np.array([1], np.int64), keepdims=1),
            share,
        )
        for i in range(3)
    ]  # fmt: skip

    # A car or truck seen from behind shows its width only: the length then lies across what is seen.
    vehicle = g.op("ReduceMax", g.channels(winner, 0, 3), axes=[1], keepdims=1)
    end_on = g.mul(vehicle, g.greater(g.mul(prior[1], np.float32(1.35)), long))
    u_long = g.greater(g.add(extent_u, np.float32(1e-3)), extent_v)
    u_long = g.op("Abs", g.sub(u_long, end_on))
    full_u = g.max(extent_u, g.where(u_long, prior[0], prior[1]))
    full_v = g.max(extent_v, g.where(u_long, prior[1], prior[0]))

    # What is hidden lies behind what is seen: the box grows away from the sensor.
    def grown(center: str, seen: str, full: str) -> str:
        side = g.op("Clip", center, np.float32(-1), np.float32(1))
        return g.add(center, g.mul(side, g.mul(g.sub(full, seen), np.float32(0.5))))

    center_u, center_v = grown(middle_u, extent_u, full_u), grown(middle_v, extent_v, full_v)
    center_x = g.sub(g.mul(cos, center_u), g.mul(sin, center_v))
    center_y = g.add(g.mul(sin, center_u), g.mul(cos, center_v))

    def cells(coordinate: str) -> str:
        return g.mul(g.add(coordinate, np.float32(RANGE_M)), np.float32(1 / CELL_M))

    # The component of a half-resolution cell is reported in its first cell.
    corner = (2 * np.arange(half, dtype=np.float32)).reshape(1, 1, -1, 1)
    offset = g.op(
        "Concat", g.sub(cells(center_x), corner), g.sub(cells(center_y), corner.transpose(0, 1, 3, 2)), axis=1
    )
    half_ground = g.op("AveragePool", ground, kernel_shape=[2, 2], strides=[2, 2])
    # The roof is seen, the ground is known: no prior needed in z.
    z = g.add(half_ground, g.mul(height, np.float32(0.5)))
    size = g.op(
        "Concat", g.where(u_long, full_u, full_v), g.where(u_long, full_v, full_u), height, axis=1
    )
    rotation = g.op(
        "Concat", g.where(u_long, sin, cos), g.where(u_long, cos, g.op("Neg", sin)), axis=1
    )
    even = np.tile(np.array([1, 0], np.float32), half)
    corner_only = g.mul(even.reshape(1, 1, -1, 1), even.reshape(1, 1, 1, -1))
    found = g.greater(best_class, np.float32(0))
    for name, values, channels in (
        ("heatmap", scores, len(CLASSES)),
        ("offset", offset, 2),
        ("height", z, 1),
        ("size", size, 3),
        ("rotation", rotation, 2),
    ):
        kept = g.where(found, values, np.float32(0))
        full = g.mul(g.resize(kept, 2, "nearest"), corner_only)
        g.output(full, name, [1, channels, ROWS, COLUMNS])
    return g


def features(points: np.ndarray) -> np.ndarray:
    """Points [n, 3 or 4] (x, y, z, intensity) → the input [1, 5, rows, columns]."""
    bev = np.zeros((5, ROWS, COLUMNS), np.float32)
    index = np.floor((points[:, :2] + RANGE_M) / CELL_M).astype(int)
    inside = ((index >= 0) & (index < ROWS)).all(1) & (points[:, 2] >= -5) & (points[:, 2] < 5)
    points, (i, j) = points[inside], index[inside].T
    bev[1], bev[2] = -np.inf, np.inf
    np.maximum.at(bev[1], (i, j), points[:, 2])
    np.minimum.at(bev[2], (i, j), points[:, 2])
    np.add.at(bev[3], (i, j), 1)
    if points.shape[1] > 3:
        np.add.at(bev[4], (i, j), points[:, 3])
    seen = bev[3] > 0
    bev[0] = seen
    bev[1:3, ~seen] = 0
    bev[4][seen] /= bev[3][seen]
    bev[3] = np.log1p(bev[3])
    return bev[None]


def golden_inputs() -> dict[str, np.ndarray]:
    """A sloping floor and boxes of every class, the two sides towards the sensor."""
    random = np.random.Generator(np.random.PCG64(11))
    ground = np.concatenate([random.uniform(-45, 45, (9000, 2)), np.zeros((9000, 1))], axis=1)
    clouds = [ground]
    for k, (length, width, height) in enumerate(PRIOR):
        for ring in range(2):
            heading = random.uniform(0, np.pi)
            bearing = 2 * np.pi * (k + 0.5 * ring) / len(PRIOR)
            n = 400
            face = random.random(n) < 0.5
            a, b = random.uniform(-0.5, 0.5, (2, n))
            local = np.where(face[:, None], np.stack([a * length, np.full(n, -width / 2)], 1),
                             np.stack([np.full(n, -length / 2), b * width], 1))  # fmt: skip
            c, s = np.cos(heading), np.sin(heading)
            xy = local @ np.array([[c, s], [-s, c]]) + (12 + 14 * ring) * np.array([np.cos(bearing), np.sin(bearing)])
            clouds.append(np.column_stack([xy, random.uniform(0, height, n)]))
    points = np.concatenate(clouds)
    points[:, 2] += 0.01 * points[:, 0] - 1.9
    return {"bev": features(points.astype(np.float32))}


TOLERANCE = {"abs": 1e-3, "rel": 1e-3}
MANIFEST = {
    "kind": "detection",
    "architecture": "connected components and rectangles in bird's-eye view (no learned weights)",
    "detection": {
        "range": [-RANGE_M, -RANGE_M, -5.0, RANGE_M, RANGE_M, 5.0],
        "voxel_size": [CELL_M, CELL_M, 10.0],
        "stride": 1,
        "classes": CLASSES,
        "score_threshold": 0.3,
        "suppression_radius": [2.0, 3.0, 4.0, 0.8, 0.5, 1.2, 0.7],
        "features": ["occupied", "max_z", "min_z", "log1p_count", "mean_intensity"],
    },
    "licence": "Apache-2.0",
    "training_data": "none",
    "measured": {},
}
CARD = f"""# detection_baseline

Boxes from one LiDAR sweep by classical means: a floor to beat, and detections when nothing better is installed.

- **In**: `bev` [1, 5, {ROWS}, {COLUMNS}], cells of {CELL_M} m over ±{RANGE_M} m in the sensor frame (rows along x, columns along y): occupied, max z, min z, log1p(count), mean intensity; empty cells 0.
- **Out**: `heatmap` (0 to 1 for {', '.join(CLASSES)}), `offset` in cells, `height` of the box centre in metres, `size` (length, width, height), `rotation` (sin, cos of yaw). One cell of each object is set; the offset leads from it to the box centre and may leave the cell.
- **How**: local ground from the lowest returns, components above it, the rectangle of least perimeter among {DIRECTIONS} headings, a class by trapezoids on length, width and height; a box grows away from the sensor to the usual size of its class.
- **Score**: how well outline and height fit the class, times a ceiling per class. It is not a probability.
- **Weights**: none learned, so no training data.
- **Limits**: objects less than 0.8 m apart merge; front and back are not told apart; a pole or bush of a person's size is called a pedestrian; what is over {STEPS * 0.8:g} m long counts as a building.

Made by `python -m isobath_training export --model detection_baseline --out models/detection_baseline`.
"""


def folder() -> Folder:
    """The whole model folder."""
    return Folder({"fp32": build().model()}, golden_inputs(), MANIFEST, {"fp32": TOLERANCE}, CARD)
